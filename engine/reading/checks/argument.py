"""What a request or a `run` is given: every input, of its type, never empty where that is not allowed."""

from __future__ import annotations

from engine.expressions import Expression
from engine.expressions.narrowing import Types
from engine.expressions.operand import family, word
from engine.expressions.syntax import Constant, Name
from engine.flow import Flow, Step
from engine.reading.checks.queue_name import choices
from engine.reading.checks.survey import Survey
from engine.reading.diagnostic import Report
from engine.reading.suggestion import did_you_mean
from engine.steps.queue import Queue
from engine.steps.request import Request
from engine.steps.return_ import Return
from engine.steps.run_ import Run
from engine.steps.schedule import Schedule
from engine.types import Choice, Scalar, Type

CODES = ("expr-type", "may-be-empty", "missing-field", "no-queue", "unknown-field")

_REMEDY = "takes: and returns: of config/backends.yaml and of flow headers declare the types"


def check(survey: Survey, report: Report) -> None:
    """Compare what is given with what is taken."""
    for passage, _, step, types in survey.steps():
        if isinstance(step, Request):
            for name, value, wanted in step.arguments:
                _fits(step, f"{step.operation.name} takes {name}", value, wanted, types, report)
        elif isinstance(step, Run | Schedule) and step.flow in survey.flows.flows:
            _inputs(step, survey.flows.flows[step.flow], types, report)
            _queues(survey, step, survey.flows.flows[step.flow], types, report)
        elif isinstance(step, Queue) and step.survey in survey.flows.flows:
            _survey(step, survey.flows.flows[step.survey], report)
        elif isinstance(step, Return) and passage.flow.returns is not None:
            _fits(step, f"{passage.flow.id} returns a value", step.value, passage.flow.returns, types, report)


def _survey(step: Queue, flow: Flow, report: Report) -> None:
    if flow.inputs:
        report.error(
            "missing-field",
            f"{flow.id} needs {next(iter(flow.inputs))}, and nobody gives a survey anything",
            step,
            help=f"leave takes: out of {flow.id}",
        )


def _queues(survey: Survey, step: Run | Schedule, flow: Flow, types: Types, report: Report) -> None:
    """Check the names of queues where they are given: they are constants, or inputs of the type."""
    known = survey.flows.project.queues
    for name, value in step.arguments:
        wanted = flow.inputs.get(name)
        if wanted is None or wanted.shape is not Scalar.QUEUE:
            continue
        at = value.uses[0].place if value.uses else step.place
        for node in choices(value):
            if isinstance(node, Constant) and isinstance(node.value, str):
                if node.value not in known:
                    report.error(
                        "no-queue",
                        f'there is no queue "{node.value}"{did_you_mean(node.value, known)}',
                        survey.place_of(step, f"{name}:"),
                        help=f"queues: of config/project.yaml declares {', '.join(known) or 'none'}",
                    )
            elif not isinstance(node, Name) or types.get(node.name, wanted).shape is not Scalar.QUEUE:
                report.error(
                    "no-queue",
                    f"{flow.id} takes {name} as a queue, and nobody knows which one {value.source} is",
                    at,
                    help=f"{name}: \"'support'\", or an input of type queue",
                )


def _inputs(step: Run | Schedule, flow: Flow, types: Types, report: Report) -> None:
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
