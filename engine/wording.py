"""A text of a flow as it is said: chosen by channel and language, rendered with the session's values.

Main texts stand in the flow, translations in `texts/<lang>.yaml`; `{text: …, voice: …}` gives other words
per channel. All choices are made when the flow is compiled, so that a turn only looks one up. This module
does not know screens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from engine.expressions import Scope, Template
from engine.values import Secret


@dataclass(frozen=True, slots=True)
class Form:
    """One text in one language. `constant` is the text itself when it has no variable inside.

    `render` gives what is said in the channel; in a call that is the text with the marks of `engine.spoken`.
    """

    template: Template
    lang: str
    constant: str | None
    render: Callable[[Scope], str | Secret]


@dataclass(frozen=True, slots=True)
class Wording:
    """All forms of a text by (channel, language); a channel without a form says nothing.

    `main` are the forms of the main language, one per different text, for checks and statistics.
    """

    forms: Mapping[tuple[str, str], Form]
    main: tuple[Form, ...]

    def templates(self) -> tuple[Template, ...]:
        """The texts as they stand in the flow."""
        return tuple(form.template for form in self.main)
