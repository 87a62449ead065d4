"""What goes wrong with expressions: while they are read, and while they are evaluated.

Neither message ever shows a value, only the words of the source, so a secret cannot get into a log here.
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.reading.diagnostic import Diagnostic, Place


class ExpressionProblems(Exception):  # noqa: N818 - several of them, and none is raised alone
    """The source of an expression or text is not allowed; `diagnostics` says all that is wrong with it."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics: list[Diagnostic] = list(diagnostics)
        super().__init__("; ".join(f"{item.place}: {item.message}" for item in self.diagnostics))


class ExpressionFailed(Exception):  # noqa: N818 - it is an event of a flow, not a fault of a program
    """An expression has no value with these data: an unknown variable, money + text, a division by zero.

    `message` names the part of the expression; `place` is where it is written.
    """

    def __init__(self, message: str, place: Place) -> None:
        super().__init__(message)
        self.message = message
        self.place = place
