"""What a call tells the dialplan when it leaves: the words of `asterisk-dialplan/` and their only form.

The dialplan puts these values into applications (`Queue`, `Dial`, `Playback`), where a comma or an ampersand
would be read as something else; so each has a form in which nothing can be.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

from ivr.agi.command import set_variable

Next: TypeAlias = Literal["done", "queue", "connect"]
"""What the dialplan does when we have left (`IVR_NEXT`); unset it means that the gateway has failed."""

_FORMS = {
    "IVR_SESSION": re.compile(r"[0-9a-f]{0,64}"),
    "IVR_QUEUE": re.compile(r"[A-Za-z0-9_-]{0,80}"),
    "IVR_PRIO": re.compile(r"[0-9]{0,10}"),
    "IVR_QTIMEOUT": re.compile(r"[0-9]{0,6}"),
    "IVR_RECORD": re.compile(r"(?:yes)?"),
    "IVR_RECORD_NOTICE": re.compile(r"(?!/)(?!.*\.\.)[A-Za-z0-9_/.-]{0,200}"),
    "IVR_SURVEY": re.compile(r"(?:yes)?"),
    "IVR_CONNECT": re.compile(r"[0-9]{0,20}"),
    "IVR_CTIMEOUT": re.compile(r"[0-9]{0,6}"),
    "IVR_NOTE": re.compile(r"(?:[\w .:;!?+-]|[^\x00-\x9f]){0,160}"),
    "IVR_SKILLS": re.compile(r"[A-Za-z0-9_ -]{0,160}"),
}
NOTE_LENGTH = 160
"""Characters that a header of SIP carries without splitting the message."""
_SIGNS = frozenset(" .:;!?+-_")


def note_words(text: str) -> str:
    """Return a note as an agent's telephone gets it: one line of letters, digits and a few signs, cut.

    Nothing is left that the dialplan, the manager interface or SIP reads as anything but text; a comma, which
    parts arguments in all of them, becomes a semicolon.
    """
    kept = (sign if _plain(sign) else " " for sign in text.replace(",", ";"))
    line = " ".join("".join(kept).split())
    return line if len(line) <= NOTE_LENGTH else line[: NOTE_LENGTH - 1].rstrip() + "…"


def _plain(sign: str) -> bool:
    if sign.isascii():
        return sign.isalnum() or sign in _SIGNS
    return sign.isprintable()


def skill_words(skills: Iterable[str]) -> str:
    """Return the names of skills for an agent's telephone, parted by spaces; what is no name is left out."""
    found = ""
    for skill in skills:
        if re.fullmatch(r"[A-Za-z0-9_-]{1,40}", skill) and len(found) + 1 + len(skill) <= NOTE_LENGTH:
            found = f"{found} {skill}".lstrip()
    return found


def orders(next_step: Next, variables: Mapping[str, str]) -> list[bytes]:
    """Return the commands that tell the dialplan how to go on; `IVR_NEXT` is the last.

    Raises ValueError for a variable that is none of ours or has not its form; nothing has been sent then.
    """
    if next_step not in ("done", "queue", "connect"):
        raise ValueError(f"{next_step!r} is not a way the dialplan knows")
    for name, value in variables.items():
        form = _FORMS.get(name)
        if form is None or form.fullmatch(value) is None:
            raise ValueError(f"{name} is not told to the dialplan like this")
    found = [set_variable(name, value) for name, value in variables.items()]
    return [*found, set_variable("IVR_NEXT", next_step)]
