"""The flow that a step starts: its name, and what it is given.

How and when it is started is the step's affair (`run`, `schedule`, the survey behind `queue`).
"""

from __future__ import annotations

from engine.expressions import Expression
from engine.reading.suggestion import did_you_mean
from engine.reading.workshop import Given


def read_flow(given: Given, field: str) -> str | None:
    """Return the flow that a field names, None if it is not written; one that is not there is reported."""
    flow: str | None = given.value(field)
    known = given.shop.around.flows
    if flow is not None and flow not in known:
        given.report.error(
            "no-flow",
            f'there is no flow "{flow}"{did_you_mean(flow, known)}',
            given.node(field) or given.key,
            help=f"a flow is a file: flows/{flow}.yaml",
        )
    return flow


def read_arguments(given: Given) -> tuple[tuple[str, Expression], ...]:
    """Return what `with:` gives to the inputs of a flow, compiled, in the order in which it is written."""
    fields = given.value("with").items()
    compiled = ((name, given.shop.expression(field.value)) for name, field in fields)
    return tuple((name, value) for name, value in compiled if value is not None)
