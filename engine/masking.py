"""What may be seen of personal data in notes: phones and other long numbers lose their middle.

A secret never gets here as text (`Secret` shows only dots). This module does not know where notes go.
"""

from __future__ import annotations

import re

from engine.limits import TRAIL_ENTRY

_LONG_NUMBER = re.compile(r"\d{7,}", re.ASCII)


def masked_number(digits: str) -> str:
    """Return `7916***4567` for a number: the first and the last four digits are kept, of short ones less."""
    if len(digits) < 10:
        return "***" + digits[-2:]
    return f"{digits[:4]}***{digits[-4:]}"


def masked(text: str) -> str:
    """Return the text with every number of seven digits or more masked."""
    if not text:
        return text
    return _LONG_NUMBER.sub(lambda match: masked_number(match[0]), text)


def trail_entry(what: str) -> str:
    """Return what a subscriber did as people are told of it: one line, masked, not too long."""
    return masked(" ".join(what.split()))[:TRAIL_ENTRY]
