"""Reading and writing the GSM 7-bit alphabet, with or without the shift tables of a national language.

Source: 3GPP TS 23.038 sections 6.2.1 and 6.2.1.2; the tables are in `smpp.shift_table`. Septets are one per
octet here; text.py packs and unpacks them.
"""

import codecs
from functools import cache

from smpp.shift_table import BASIC, ESCAPE, EXTENSION, LOCKING, SINGLE

__all__ = [
    "BASIC",
    "ESCAPE",
    "EXTENSION",
    "LOCKING",
    "SINGLE",
    "can_gsm7",
    "decode_gsm7",
    "encode_gsm7",
    "gsm7_or_none",
    "septets",
    "shifted_or_none",
]

# Character -> octets, as codecs.charmap_encode takes it: one C loop for a whole text.
_OCTETS: dict[int, bytes] = {
    ord(char): bytes((septet,)) for septet, char in enumerate(BASIC) if septet != ESCAPE
} | {ord(char): bytes((ESCAPE, septet)) for septet, char in EXTENSION.items()}


_SAME = bytes(code if _OCTETS.get(code) == bytes((code,)) else ~code & 0xFF for code in range(256))
"""A table that changes every octet but ASCII characters that are the same octet in GSM-7."""


def encode_gsm7(text: str) -> bytes:
    """Encode to unpacked septets, one per octet; extension characters take two (0x1B first).

    Raises UnicodeEncodeError at the first character that the alphabet does not have.
    """
    try:
        return codecs.charmap_encode(text, "strict", _OCTETS)[0]
    except UnicodeEncodeError as error:
        raise UnicodeEncodeError(
            "gsm7", text, error.start, error.end, "not in the GSM 7-bit alphabet"
        ) from None


def gsm7_or_none(text: str) -> bytes | None:
    """Encode to unpacked septets, or None if a character is not in the alphabet: no exception to pay for."""
    if text.isascii():
        octets = text.encode("ascii")
        if octets.translate(_SAME) == octets:
            return octets
    try:
        return codecs.charmap_encode(text, "strict", _OCTETS)[0]
    except UnicodeEncodeError:
        return None


@cache
def _shifted(locking: int, single: int) -> dict[int, bytes]:
    """Make the character table of two shifts; a character of both tables takes one septet."""
    basic = LOCKING.get(locking, BASIC)
    behind = SINGLE.get(single, EXTENSION)
    octets = {ord(char): bytes((ESCAPE, septet)) for septet, char in reversed(behind.items()) if char != " "}
    # A table with gaps has a space in each of them: the first of a character counts, but 0x20 for the space.
    for septet in reversed(range(128)):
        if septet != ESCAPE:
            octets[ord(basic[septet])] = bytes((septet,))
    octets[0x20] = b" "
    return octets


def shifted_or_none(text: str, locking: int, single: int) -> bytes | None:
    """Encode with national shift tables (0: none), or None if a character is in neither of them."""
    try:
        return codecs.charmap_encode(text, "strict", _shifted(locking, single))[0]
    except UnicodeEncodeError:
        return None


def can_gsm7(text: str) -> bool:
    """Say whether every character of the text is in the default alphabet or its extension."""
    return gsm7_or_none(text) is not None


def septets(text: str) -> int:
    """Count the septets the text takes, 2 for each extension character. Raises UnicodeEncodeError."""
    return len(encode_gsm7(text))


def decode_gsm7(data: bytes, locking: int = 0, single: int = 0) -> str:
    """Decode unpacked septets. Never raises: octets above 0x7F become U+FFFD.

    Args:
        data: one septet per octet.
        locking: national language of the locking shift IE (0x25), 0 if there is none.
        single: national language of the single shift IE (0x24), 0 if there is none.

    A septet behind an escape that the extension does not have is shown by the basic table; a doubled escape
    and one at the very end are shown as a space (TS 23.038, 6.2.1.1).
    """
    basic = LOCKING.get(locking, BASIC)
    if ESCAPE not in data:
        return codecs.charmap_decode(data, "replace", basic)[0]
    extension = SINGLE.get(single, EXTENSION)
    out: list[str] = []
    start = 0
    while True:
        escape = data.find(ESCAPE, start)
        if escape < 0:
            out.append(codecs.charmap_decode(data[start:], "replace", basic)[0])
            break
        out.append(codecs.charmap_decode(data[start:escape], "replace", basic)[0])
        following = data[escape + 1] if escape + 1 < len(data) else ESCAPE
        if following == ESCAPE:
            out.append(" ")
        elif following < 0x80:
            out.append(extension.get(following, basic[following]))
        else:
            out.append("\ufffd")
        start = escape + 2
    return "".join(out)
