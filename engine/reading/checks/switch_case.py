"""`switch-missing`: a value that a `switch` has no block for; also cases that can never be."""

from __future__ import annotations

from engine.expressions.operand import family
from engine.reading.checks.survey import Survey
from engine.reading.diagnostic import Report
from engine.reading.suggestion import did_you_mean
from engine.steps.switch import Switch
from engine.types import Choice, Type

CODES = ("switch-missing", "expr-type")


def check(survey: Survey, report: Report) -> None:
    """Compare the cases with the values the subject may have."""
    for passage, _, step, types in survey.steps():
        if not isinstance(step, Switch) or any(use.name not in types for use in step.subject.uses):
            continue
        subject = step.subject.source.strip()
        values = _values(step.subject.type_in(types).type)
        if values is not None:
            for case in step.cases:
                if case not in values:
                    report.error(
                        "expr-type",
                        f'{subject} is never "{case}"{did_you_mean(case, values)}',
                        survey.place_of(step, f"{case}:"),
                        help=f"its values are {', '.join(values)}",
                    )
        if step.otherwise is not None:
            continue
        if subject == "channel":
            values = (passage.channel,)
        missing = [value for value in values or () if value not in step.cases]
        if values is None:
            report.error("switch-missing", f"switch {subject} needs else:", step, help="else: for all others")
        elif missing:
            shown = ", ".join(f'"{value}"' for value in missing)
            report.error(
                "switch-missing",
                f"switch {subject} has no case {shown}",
                step,
                help=f"write {missing[0]}: or else:",
            )


def _values(type_: Type) -> tuple[str, ...] | None:
    """Return all values by their words in `cases`; None if there are too many to name."""
    if isinstance(type_.shape, Choice):
        values = type_.shape.values
    elif family(type_) == "bool":
        values = ("yes", "no")
    else:
        return None
    return (*values, "none") if type_.optional else values
