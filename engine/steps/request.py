"""`request`: an operation of a back end, its outcomes, its errors; the step that may cost money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from engine.effects import CallBackend
from engine.expressions import Expression, Template
from engine.flow import Operation, Step
from engine.inputs import BackendReplied, Input
from engine.reading.fields import (
    BLOCK,
    DURATION,
    EXPRESSION,
    STRING,
    TABLE,
    TEMPLATE,
    Field,
    FieldValue,
    map_of,
)
from engine.reading.plain import plain
from engine.reading.suggestion import did_you_mean
from engine.reading.workshop import Given
from engine.run import AGAIN, Run
from engine.session import Waiting
from engine.types import Privacy, Scalar, Type
from engine.values import Secret, Value
from engine.wording import Wording

TRIES = 3
"""How often `again` may repeat one request."""

GENERAL = ("unavailable", "timeout", "unknown", "bad_answer", "else")
"""Error names that every operation has (flow-language 2.5)."""

AUTOMATIC = ("phone", "lang", "channel", "key")
"""Arguments that are passed by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Step):
    """A call of an operation. `errors` are blocks by outcome; `fallback` stands in for a result."""

    operation: Operation
    arguments: tuple[tuple[str, Expression, Type], ...] = ()
    save: str | None = None
    errors: Mapping[str, int]
    fallback: Mapping[str, Value] | None = None
    timeout_ms: int | None = None
    key: Wording | None = None

    verb = "request"
    waits = True
    FIELDS = (
        Field("request", STRING, required=True, doc="the operation, back end and name: billing.package"),
        Field("with", map_of(EXPRESSION), default={}, doc="its arguments"),
        Field("save", STRING, doc="the variable of what it returns"),
        Field("errors", map_of(BLOCK, keys=None), default={}, doc="blocks by error name; else: all others"),
        Field("fallback", TABLE, doc="the result if it fails, as plain values; not for charges"),
        Field("timeout", DURATION, doc="how long the answer is awaited"),
        Field("key", TEMPLATE, doc="a business key that makes two requests the same order"),
    )
    EXAMPLE = "- request: billing.package\n  save: p\n  errors:\n    unavailable: later"

    @classmethod
    def build(cls, given: Given, following: int) -> int:
        """Make the step."""
        number = given.shop.reserve()
        operation = _operation(given)
        errors = _errors(given, operation, following, number)
        save = given.variable("save")
        key = given.note("key")
        arguments = _arguments(given, operation)
        if operation is None:
            return following
        fallback = _fallback(given, operation)
        step = cls(
            place=given.place,
            next=following,
            id=given.id,
            operation=operation,
            arguments=arguments,
            save=save,
            errors=errors,
            fallback=fallback,
            timeout_ms=given.value("timeout"),
            key=key,
        )
        return given.shop.put(number, step)

    def run(self, run: Run) -> int:
        """Send the call and wait."""
        operation = self.operation
        if run.counters.get(AGAIN) == run.pc:
            run.count(AGAIN, None)
            if run.counters.get(run.pc, 0) >= TRIES:
                return self.failed(run, "unavailable", again=True)
        else:
            run.count(run.pc, None)
        if operation.charge:
            if run.by_ahead:
                return self.ask_first(run)
            run.ahead = ()
        arguments = {name: _fit(value.evaluate(run), type_) for name, value, type_ in self.arguments}
        key = run.text_of(self.key)
        if isinstance(key, Secret):
            return run.fail(f"request {operation.name}: a secret cannot be a key")
        if not operation.safe:
            run.cross()
        if operation.irreversible:
            run.charged = True
        run.call += 1
        run.effects.append(CallBackend(run.call, operation.name, arguments, key or None, self.timeout_ms))
        return run.wait_for(Waiting.BACKEND)

    def ask_first(self, run: Run) -> int:
        """Keys dialled ahead never buy anything: the last question is asked after all."""
        question = run.by_ahead
        run.asked = ()
        run.ahead = ()
        run.by_ahead = ()
        run.note("ahead_stopped")
        return run.restore(question)

    def resume(self, run: Run, given: Input) -> int:
        """Take the outcome."""
        assert isinstance(given, BackendReplied)
        if given.outcome != "done":
            return self.failed(run, given.outcome)
        if self.save is not None:
            run.set(self.save, given.value)
        run.took("done")
        return self.next

    def failed(self, run: Run, outcome: str, *, again: bool = False) -> int:
        """Go where the outcome leads: the step's errors, its `else`, `fallback`, the flow, the project."""
        if self.save is not None:
            run.unset(self.save)
        target = None
        if not again:
            label = outcome if outcome in self.errors else "else"
            target = self.errors.get(label)
        if target is not None:
            run.note("outcome", f"{self.operation.name}: {outcome}")
            run.took(label)
            return target
        if self.fallback is not None:
            run.note("outcome", f"{self.operation.name}: {outcome}")
            run.took("fallback")
            if self.save is not None:
                run.set(self.save, dict(self.fallback))
            return self.next
        return run.fail(f"{self.operation.name}: {outcome}")

    def exits(self) -> tuple[tuple[str, int], ...]:
        """The regular way, the errors and the fallback."""
        spare = (("fallback", self.next),) if self.fallback is not None else ()
        return (("done", self.next), *self.errors.items(), *spare)

    def expressions(self) -> tuple[Expression, ...]:
        """The arguments."""
        return tuple(value for _, value, _ in self.arguments)

    def templates(self) -> tuple[Template, ...]:
        """The key."""
        return () if self.key is None else self.key.templates()

    def saves(self) -> tuple[tuple[str, Type], ...]:
        """What the operation returns; known on the way `done` (and `fallback`) only."""
        if self.save is None or self.operation.returns is None:
            return ()
        return ((self.save, Type(self.operation.returns)),)


def _fit(value: Value, type_: Type) -> Value:
    if type_.privacy is Privacy.SECRET and isinstance(value, str):
        return Secret(value)
    if type_.shape is Scalar.MONEY and type(value) is int:
        return Decimal(value)
    return value


def _operation(given: Given) -> Operation | None:
    name, known = given.value("request"), given.shop.around.operations
    if name is None:
        return None
    operation = known.get(name)
    if operation is None:
        given.report.error(
            "no-op",
            f'there is no operation "{name}"{did_you_mean(name, known)}',
            given.node("request") or given.key,
            help="operations are declared in config/backends.yaml",
        )
    return operation


def _arguments(given: Given, operation: Operation | None) -> tuple[tuple[str, Expression, Type], ...]:
    fields: dict[str, FieldValue] = given.value("with") or {}
    found = []
    for name, field in fields.items():
        value = given.shop.expression(field.value)
        if operation is None:
            continue
        type_ = operation.takes.get(name)
        if type_ is None:
            given.report.error(
                "unknown-field",
                f'{operation.name} takes no "{name}"{did_you_mean(name, operation.takes)}',
                field.key or given.key,
                help=f"it takes {', '.join(operation.takes) or 'nothing'}",
            )
        elif value is not None:
            found.append((name, value, type_))
    for name, type_ in (operation.takes if operation is not None else {}).items():
        if name not in fields and not type_.optional and name not in AUTOMATIC and operation is not None:
            given.report.error(
                "missing-field", f"{operation.name} needs {name}", given.key, help=f"with: {{ {name}: … }}"
            )
    return tuple(found)


def _errors(given: Given, operation: Operation | None, following: int, number: int) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, field in (given.value("errors") or {}).items():
        with given.shop.owner(number):
            found[name] = given.shop.block(field.node, following)
        if operation is None:
            continue
        known = (*operation.errors.values(), *GENERAL)
        if name not in known:
            given.report.error(
                "no-error",
                f'{operation.name} has no error "{name}"{did_you_mean(name, known)}',
                field.key or given.key,
                help=f"its errors are {', '.join(known)}",
            )
    return found


def _fallback(given: Given, operation: Operation) -> dict[str, Value] | None:
    table = given.value("fallback")
    if table is None:
        return None
    if operation.irreversible:
        given.report.error(
            "charge-fallback",
            f"{operation.name} changes something for good: a made-up result is no answer",
            given.node("fallback") or given.key,
            help="handle its errors by name",
        )
        return None
    if operation.returns is None:
        given.report.error(
            "no-field",
            f"{operation.name} returns nothing, so it has no fallback",
            given.node("fallback") or table,
        )
        return None
    value = plain(table, Type(operation.returns), given.report, "fallback")
    return value if isinstance(value, dict) else None
