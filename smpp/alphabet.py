"""The GSM 7-bit default alphabet, its extension and the national shift tables, as data.

Source: 3GPP TS 23.038 section 6.2.1 and annex A (Turkish 1, Spanish 2, Portuguese 3). Septets are one per
octet here; text.py packs and unpacks them. The Indian tables 4-13 are read as the default alphabet.
"""

import codecs

ESCAPE = 0x1B

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
"""The 128 characters of the default alphabet by septet; 0x1B is the escape, not a character."""

EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
"""What the septet behind an escape stands for. Unknown ones are shown by the basic table (6.2.1.1)."""


def _changed(table: str, changes: dict[int, str]) -> str:
    return "".join(changes.get(septet, char) for septet, char in enumerate(table))


LOCKING: dict[int, str] = {
    1: _changed(
        BASIC,
        {0x04: "€", 0x07: "ı", 0x0B: "Ğ", 0x0C: "ğ", 0x1C: "Ş", 0x1D: "ş", 0x40: "İ", 0x60: "ç"},
    ),
    3: (
        "@£$¥êéúíóç\nÔô\rÁá"
        "Δ_ªÇÀ∞^\\€Ó|\x1bÂâÊÉ"
        " !\"#º%&'()*+,-./"
        "0123456789:;<=>?"
        "ÍABCDEFGHIJKLMNO"
        "PQRSTUVWXYZÃÕÚÜ§"
        "~abcdefghijklmno"
        "pqrstuvwxyzãõ`üà"
    ),
}
"""National language locking shift (IE 0x25): the table in place of the basic one. Spanish has none."""

SINGLE: dict[int, dict[int, str]] = {
    1: EXTENSION | {0x47: "Ğ", 0x49: "İ", 0x53: "Ş", 0x63: "ç", 0x67: "ğ", 0x69: "ı", 0x73: "ş"},
    2: EXTENSION
    | {0x09: "ç", 0x41: "Á", 0x49: "Í", 0x4F: "Ó", 0x55: "Ú", 0x61: "á", 0x69: "í", 0x6F: "ó", 0x75: "ú"},
    3: EXTENSION
    | {
        0x05: "ê", 0x09: "ç", 0x0B: "Ô", 0x0C: "ô", 0x0E: "Á", 0x0F: "á", 0x12: "Φ", 0x13: "Γ", 0x15: "Ω",
        0x16: "Π", 0x17: "Ψ", 0x18: "Σ", 0x19: "Θ", 0x1F: "Ê", 0x41: "À", 0x49: "Í", 0x4F: "Ó", 0x55: "Ú",
        0x5B: "Ã", 0x5C: "Õ", 0x61: "Â", 0x69: "í", 0x6F: "ó", 0x75: "ú", 0x7B: "ã", 0x7C: "õ", 0x7F: "â",
    },
}  # fmt: skip
"""National language single shift (IE 0x24): the table behind an escape."""

# Character -> octets, as codecs.charmap_encode takes it: one C loop for a whole text.
_OCTETS: dict[int, bytes] = {
    ord(char): bytes((septet,)) for septet, char in enumerate(BASIC) if septet != ESCAPE
} | {ord(char): bytes((ESCAPE, septet)) for septet, char in EXTENSION.items()}


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
    try:
        return codecs.charmap_encode(text, "strict", _OCTETS)[0]
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
