"""The first step of typing a scalar: is a text written here at all, and how a wrong one is reported.

Every message of a wrong value has one form: the field, the text as written, what is wrong; the remedy
goes into the help. This module does not know any type.
"""

from __future__ import annotations

from engine.reading.cut import report_cut
from engine.reading.diagnostic import Report
from engine.reading.tree import Empty, Node, Text, describe

_SHOWN = 60  # characters of a wrong text in a message


def written(node: Node, report: Report, name: str, expected: str) -> str | None:
    """Return the text of a scalar, or None after reporting that something else is written."""
    if isinstance(node, Text):
        return node.value.strip() if not node.quoted else node.value
    if isinstance(node, Empty):
        report_empty(node, report, name, expected)
        return None
    report.error(
        "type", f"{_field(name)}expected {expected}, not {describe(node)}", node, help=f"write {expected}"
    )
    return None


def report_empty(node: Empty, report: Report, name: str, expected: str) -> None:
    """Add the error that a value is missing; a comment right behind the colon is named as the cause."""
    if node.cut is None:
        report.error("type", f"{_field(name)}the value is missing", node, help=f"write {expected}")
        return
    report_cut(report, node.cut, empty=True)


def wrong(node: Text, report: Report, name: str, fault: str, help: str | None = None) -> None:  # noqa: A002
    """Add the error `type` for a text: `timeout: "10" needs a unit: 10s, 5m`."""
    shown = node.value if len(node.value) <= _SHOWN else node.value[:_SHOWN] + "…"
    shown = shown.replace("\n", " ")
    report.error("type", f'{_field(name)}"{shown}" {fault}', node, help=help)


def _field(name: str) -> str:
    return f"{name}: " if name else ""
