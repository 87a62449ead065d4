"""Pages of the verbs: what each does, its example, its fields, where it works."""

from __future__ import annotations

from engine.reading.workshop import ID, Verb
from engine.steps import VERBS
from gateway.reference.markdown import Page, code, index, page, table
from gateway.reference.verb_text import DOES, KNOW, NOT_IN_BACKGROUND

CHANNELS = (("ussd", "USSD"), ("sms", "SMS"), ("voice", "voice"), ("event", "background flows"))
_INTRO = (
    "A step is a table whose first key is its verb. Every step may have the field "
    f"`{ID.name}`: {ID.doc}. How steps follow each other: [the flow language](../../language.md)."
)


def where(name: str, verb: type[Verb]) -> str:
    """Say in which channels a verb works."""
    channels: frozenset[str] = getattr(verb, "channels")  # noqa: B009 - a declaration of steps, not of verbs
    words = [
        word
        for channel, word in CHANNELS
        if channel in channels and not (channel == "event" and name in NOT_IN_BACKGROUND)
    ]
    return "everywhere" if len(words) == len(CHANNELS) else ", ".join(words)


def pages() -> list[Page]:
    """Return the page of each verb and their index."""
    found = [_page(name, verb) for name, verb in sorted(VERBS.items())]
    return [index("verbs/index.md", "Verbs", found, _INTRO), *found]


def _page(name: str, verb: type[Verb]) -> Page:
    rules = "\n".join(f"- {line}" for line in KNOW[name])
    return page(
        f"verbs/{name}.md",
        f"`{name}`",
        DOES[name],
        code("yaml", verb.EXAMPLE),
        table(verb.FIELDS),
        rules,
        f"Works in: {where(name, verb)}.",
        about=DOES[name],
    )
