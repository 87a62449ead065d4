"""Answers of fake back ends: a value of the type the operation returns, or the name of an error."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from engine.flow import Operation
from engine.reading.diagnostic import Report
from engine.reading.plain import plain
from engine.reading.suggestion import did_you_mean
from engine.reading.tree import Node, Sequence, Table, Text, describe
from engine.testing.local_time import with_offset
from engine.types import Type
from engine.values import Value


@dataclass(frozen=True, slots=True)
class Answer:
    """`outcome` is `done` with a value, or an error's name."""

    outcome: str
    value: Value = None


@dataclass(frozen=True, slots=True)
class Script:
    """What an operation answers: always the same, or one answer for each call."""

    answers: tuple[Answer, ...]
    in_turn: bool = False


def outcomes(operation: Operation) -> tuple[str, ...]:
    """Return the errors an operation may end with (flow-language 2.5)."""
    if operation.charge:
        general: tuple[str, ...] = ("unknown", "unavailable")
    elif operation.irreversible:
        general = ("unknown", "unavailable", "bad_answer")
    else:
        general = ("timeout", "unavailable", "bad_answer")
    return (*dict.fromkeys(operation.errors.values()), *general)


def read_answer(node: Node, operation: Operation, zone: tzinfo, report: Report) -> Script | None:
    """Read an answer as a test writes it; None after reporting. Times are those of `zone`."""
    before = len(report)
    if isinstance(node, Sequence):
        answers = tuple(_one(item, operation, zone, report) for item in node)
        found = Script(answers, in_turn=True)
    else:
        found = Script((_one(node, operation, zone, report),))
    return found if len(report) == before else None


def _one(node: Node, operation: Operation, zone: tzinfo, report: Report) -> Answer:
    if isinstance(node, Text):
        known = outcomes(operation)
        if node.value not in known:
            report.error(
                "no-error",
                f'{operation.name} never ends with "{node.value}"{did_you_mean(node.value, known)}',
                node,
                help=f"its errors are {', '.join(known)}; a success is a table {{ }}",
            )
        return Answer(node.value)
    if not isinstance(node, Table):
        report.error(
            "type",
            f"{operation.name}: expected what it returns, or the name of an error, not {describe(node)}",
            node,
        )
        return Answer("done")
    if operation.returns is None:
        for entry in node:
            report.error(
                "no-field",
                f'{operation.name} returns nothing, no "{entry.key.value}"',
                entry.key,
                help="write {}",
            )
        return Answer("done", {})
    type_ = Type(operation.returns)
    return Answer("done", plain(with_offset(node, type_, zone), type_, report, operation.name))
