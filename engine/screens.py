"""Screens of questions that are the same in every session, made when the flows are compiled.

A turn that shows one of them only looks it up. What a question with values looks like is made in its step.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.capabilities import Channel
from engine.flow import Project
from engine.phrase import phrases
from engine.prompts import Footer, Page, paginate
from engine.spoken import JOINT
from engine.wording import Wording

Lines = Callable[[str, str], tuple[str, ...] | None]
"""The lines under a text, by channel and language; None if they are not constant."""


def constant_screens(
    project: Project, text: Wording, lines: Lines | None = None, back: bool = True
) -> dict[tuple[str, str], tuple[Page, ...]]:
    """Return the pages of a question by (channel, language) where nothing in it varies."""
    screens: dict[tuple[str, str], tuple[Page, ...]] = {}
    for (channel, language), form in text.forms.items():
        if form.constant is None or channel == "event":
            continue
        below = () if lines is None else lines(channel, language)
        if below is None:
            continue
        keys = project.capabilities[Channel(channel)]
        words = phrases(language)
        footer = Footer(f"{keys.more} {words.more}" if keys.more else "", f"{keys.back} {words.back}")
        if not back or not keys.back:
            footer = Footer(footer.more, "")
        joint = JOINT if channel == "voice" else "\n"
        whole = joint.join((form.constant, *below))
        screens[channel, language] = paginate(whole, (), (), keys.pages, footer, 0)
    return screens
