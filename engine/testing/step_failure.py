"""How a step of a case fails, and how the values beside it are taken."""

from __future__ import annotations

from engine.reading.diagnostic import Report, Severity
from engine.reading.tree import Empty, Node, Table, Text

MOST = 3
"""Errors of one value that are told at once."""


class StepFailedError(Exception):
    """A step of a case does not hold; `expected` and `seen` are shown below the sentence."""

    def __init__(self, message: str, expected: str | None = None, seen: str | None = None) -> None:
        super().__init__(message)
        self.expected = expected
        self.seen = seen


def sound(report: Report) -> None:
    """Raise the errors of a value in the test itself; what is misspelt comes before what is missing."""
    errors = [found for found in report.diagnostics if found.severity is Severity.ERROR]
    if not errors:
        return
    errors.sort(key=lambda found: found.code == "missing-field")
    told = [f"{found.message} ({found.help})" if found.help else found.message for found in errors[:MOST]]
    raise StepFailedError(f"line {errors[0].place.line}: {'; '.join(told)}")


def text_of(node: Node | None, otherwise: str = "") -> str:
    """Return what is written, `otherwise` if nothing is."""
    return node.value if isinstance(node, Text) else otherwise


def entries_of(node: Node | None) -> list[tuple[str, Node]]:
    """Return the entries of `with:`."""
    if node is None or isinstance(node, Empty):
        return []
    if not isinstance(node, Table):
        raise StepFailedError("with: expected a table (name: value)")
    return [(entry.key.value, entry.value) for entry in node]
