"""What a request or a `run` is given: every input, of its type, never empty where that is not allowed."""

from __future__ import annotations

from engine.expressions import Expression
from engine.expressions.narrowing import Types
from engine.expressions.operand import family, word
from engine.flow import Flow, Step
from engine.reading.checks.survey import Survey
from engine.reading.diagnostic import Report
from engine.reading.suggestion import did_you_mean
from engine.steps.request import Request
from engine.steps.return_ import Return
from engine.steps.run_ import Run
from engine.types import Choice, Type

CODES = ("expr-type", "may-be-empty", "missing-field", "unknown-field")

_REMEDY = "takes: and returns: of config/backends.yaml and of flow headers declare the types"


def check(survey: Survey, report: Report) -> None:
    """Compare what is given with what is taken."""
    for passage, _, step, types in survey.steps():
        if isinstance(step, Request):
            for name, value, wanted in step.arguments:
                _fits(step, f"{step.operation.name} takes {name}", value, wanted, types, report)
        elif isinstance(step, Run) and step.flow in survey.flows.flows:
            _inputs(step, survey.flows.flows[step.flow], types, report)
        elif isinstance(step, Return) and passage.flow.returns is not None:
            _fits(step, f"{passage.flow.id} returns a value", step.value, passage.flow.returns, types, report)


def _inputs(step: Run, flow: Flow, types: Types, report: Report) -> None:
    inputs = flow.inputs
    for name, value in step.arguments:
        wanted = inputs.get(name)
        if wanted is None:
            report.error(
                "unknown-field",
                f'{flow.id} takes no "{name}"{did_you_mean(name, inputs)}',
                step,
                help=f"it takes {', '.join(inputs) or 'nothing'}",
            )
        else:
            _fits(step, f"{flow.id} takes {name}", value, wanted, types, report)
    given = {name for name, _ in step.arguments}
    for name in inputs:
        if name not in given:
            report.error("missing-field", f"{flow.id} needs {name}", step, help=f"with: {{ {name}: … }}")


def _fits(step: Step, what: str, value: Expression, wanted: Type, types: Types, report: Report) -> None:
    if any(use.name not in types for use in value.uses):
        return  # reported as undefined
    typed = value.type_in(types)
    if typed.problems:
        return
    given = typed.type
    at = value.uses[0].place if value.uses else step.place
    if given.optional and not wanted.optional and value.uses:
        report.error(
            "may-be-empty",
            f"{value.source} may be empty here: test it first (if: {value.source})",
            at,
            help="put this step under then: of an if: that tests the value",
        )
    kinds = (family(given), family(wanted))
    if "any" not in kinds and kinds[0] != kinds[1]:
        report.error("expr-type", f"{what} as {word(wanted)}, not {word(given)}: {value.source}", at, _REMEDY)
    elif isinstance(wanted.shape, Choice) and isinstance(value.constant, str):
        values = wanted.shape.values
        if value.constant not in values:
            near = did_you_mean(value.constant, values)
            report.error(
                "expr-type",
                f'{what}: "{value.constant}" is not one of {", ".join(values)}{near}',
                at,
                _REMEDY,
            )
