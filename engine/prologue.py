"""What all sessions of a plain code share up to their first question. For `engine.first_turn`."""

from __future__ import annotations

from typing import Any

import msgspec

from engine.session import Frame


class Prologue(msgspec.Struct, frozen=True, eq=False, gc=False):
    """The way from the first scene of a flow to its first question.

    `question` is that step, with its `plates` by (channel, language); `frames` is the stack there, `steps`
    how many were executed, `languages` are those of the flow, `trail` is what people are told of it.
    """

    question: Any  # an `engine.question.Question`, which flow sets know nothing of
    plates: dict[tuple[str, str], Any]
    frames: tuple[Frame, ...]
    steps: int
    languages: tuple[str, ...]
    trail: tuple[str, ...]
