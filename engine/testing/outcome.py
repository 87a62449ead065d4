"""What came of a case: whether it holds, what was expected and seen, and its transcript."""

from __future__ import annotations

from dataclasses import dataclass

from engine.reading.diagnostic import Place
from engine.reading.report import source_lines
from engine.testing.case import Case


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a case fails, with the place of the step that found it."""

    place: Place
    message: str
    expected: str | None = None
    seen: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A case that was played. `trace` is what was executed: flow, step number, branch."""

    case: Case
    failure: Failure | None
    transcript: tuple[str, ...]
    trace: tuple[tuple[str, int, str], ...]


def failure_text(outcome: Outcome, source: str) -> str:
    """Return a failed case as people read it: the sentence, its lines of YAML, expected and seen."""
    failure = outcome.failure
    assert failure is not None
    parts = [f"{failure.place}: failed: {outcome.case.name}: {failure.message}"]
    lines = source_lines(source)
    last = failure.place.line
    starts = [action.place.line for action in outcome.case.actions]
    first = max(min([*starts, last]), last - 12)
    shown = [outcome.case.place.line] if outcome.case.place.line < first else []
    for number in [*shown, *range(first, last + 1)]:
        if 0 < number <= len(lines):
            mark = ">" if number == last else " "
            parts.append(f"{mark} {number:>4} | {_printable(lines[number - 1])}".rstrip())
    if failure.expected is not None:
        parts += _block("expected", failure.expected)
    if failure.seen is not None:
        parts += _block("seen", failure.seen)
    return "\n".join(parts)


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _block(label: str, text: str) -> list[str]:
    lines = text.rstrip("\n").split("\n")
    head = f"  {label}:".ljust(12)
    return [
        f"{head if not number else ' ' * 12}{_printable(line)}".rstrip() for number, line in enumerate(lines)
    ]
