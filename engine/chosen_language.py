"""The language a subscriber has chosen, remembered from session to session.

A flow chooses with `set: { lang: … }`. Where the project declares a memory `lang`, the choice is kept so long
and the next sessions begin in it: as the memory `lang`, which says that there is one (a flow may ask or
forget it), and the memory `lang:<language>`, which says which. Most subscribers never choose, so that one
look-up tells. This module does not know where memories are stored.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.effects import Forget, Remember
from engine.flow import Project

MEMORY = "lang"
"""The memory that a project declares: `memory: { lang: forever }`."""


def chosen_language(project: Project, count: Callable[[str], int]) -> str:
    """Return the language a subscriber has chosen, empty if none or one that the project no longer has.

    `count` tells how many of a memory of that subscriber are kept now.
    """
    if project.memory.get(MEMORY, 0) == 0 or not count(MEMORY):
        return ""
    return next((language for language in project.languages if count(f"{MEMORY}:{language}")), "")


def keep_language(project: Project, subscriber: str, language: str) -> tuple[Remember | Forget, ...]:
    """Return what makes a choice outlast the session; nothing if the project does not keep it.

    `subscriber` is an MSISDN; of a hidden number nothing is kept.
    """
    kept = project.memory.get(MEMORY, 0)
    if kept == 0 or not subscriber:
        return ()
    names = (MEMORY, *(f"{MEMORY}:{other}" for other in project.languages))
    return (
        *(Forget(name, subscriber) for name in names),
        Remember(MEMORY, subscriber, kept),
        Remember(f"{MEMORY}:{language}", subscriber, kept),
    )
