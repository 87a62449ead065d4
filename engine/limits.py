"""Bounds of a running flow: what keeps a mistake in a flow, or a hostile subscriber, from doing harm.

The numbers an operator may change come from `limits:` of `config/project.yaml`; the others are fixed, each
with the reason beside it. This module knows nothing about flows.
"""

from __future__ import annotations

from dataclasses import dataclass

LEAST_STEPS = 10
"""The smallest step budget that a project may set; fewer steps than this need no look at the budget."""

STACK_DEPTH = 8
"""Flows that may run one inside the other (flow-language 2.3, `run`)."""

HISTORY = 16
"""Questions one can step back over. Each costs a copy of the variables in the stored session."""

ANSWER_LENGTH = 1_600
"""Characters of an answer that are looked at; ten SMS parts."""

SCREEN_PAGES = 50
"""Pages of one text. Nobody reads on; a longer text is cut there."""

LIST_LENGTH = 1_000
"""Elements of a list that a menu or a loop looks at (flow-language 5.4)."""

SAID_LENGTH = 4_000
"""Characters waiting to be said; what a loop says beyond them is dropped and counted."""

ERROR_STEPS = 50
"""Steps that the error block may still use after the step budget has run out."""

NOTE_LENGTH = 500
"""Characters of a `log` line."""

TRAIL_LENGTH = 20
"""Things a subscriber did that a specialist is told; the older ones are dropped."""

TRAIL_ENTRY = 160
"""Characters of one of them."""

PAUSE_MS = 10_000
"""The longest pause of a call (flow-language 2.3, `wait`)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`limits:` of the project. `speech_ms` and the menu sizes only steer checks, not the machine."""

    steps_without_input: int = 500
    menu_items: int = 9
    menu_depth: int = 4
    speech_ms: int = 30_000
