"""Values in words, language by language, as rows of short recordings with the right gender and form.

A language is a table of recordings (name -> words) and the rules that choose from it. Asterisk's own
`SayNumber` is not used: it leaves out what it has no file for and says a wrong balance without an error.
"""

from __future__ import annotations

from ivr.numerals.english import English
from ivr.numerals.russian import Russian
from ivr.numerals.tajik import Tajik
from ivr.numerals.tongue import MOST, Tongue

__all__ = ["MOST", "TONGUES", "Tongue", "tongue"]

TONGUES: dict[str, Tongue] = {"ru": Russian(), "en": English(), "tg": Tajik()}
"""The languages whose values are spoken by rule."""


def tongue(lang: str) -> Tongue | None:
    """Return the rules of a language (`ru`, `en-GB`), None where there are none."""
    return TONGUES.get(lang) or TONGUES.get(lang.partition("-")[0])
