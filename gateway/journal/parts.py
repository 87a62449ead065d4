"""How many parts a text takes over a centre: what a message costs."""

from __future__ import annotations

from typing import cast

from smpp.profile import SmsProfile
from smpp.segments import Mode, split


def message_parts(text: str, profile: SmsProfile) -> int:
    """Return the parts of a text by the profile's alphabets; 0 for one that cannot be sent at all."""
    try:
        return len(
            split(
                text,
                cast(Mode, profile.part_mode),
                0,
                default_alphabet=profile.alphabet_out,
                default_coding=profile.dcs_gsm7_out,
                ucs2_coding=profile.dcs_ucs2_out,
                languages=profile.languages,
            )
        )
    except ValueError:
        return 0
