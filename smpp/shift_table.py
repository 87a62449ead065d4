"""The GSM 7-bit default alphabet, its extension, and the shift tables of 13 national languages, as data.

Source: 3GPP TS 23.038 section 6.2.1 and annex A; septets are one per octet. The Indian scripts share one
order: a table is the script's Unicode block laid over it, less the letters the script has not, with a few of
its own at the end. Knows no coding: `smpp.alphabet` reads and writes with these tables.
"""

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

LANGUAGES = {
    "turkish": 1,
    "spanish": 2,
    "portuguese": 3,
    "bengali": 4,
    "gujarati": 5,
    "hindi": 6,
    "kannada": 7,
    "malayalam": 8,
    "oriya": 9,
    "punjabi": 10,
    "tamil": 11,
    "telugu": 12,
    "urdu": 13,
}
"""National language identifiers (TS 23.038, 6.2.1.2.4) by the name a dialect uses."""

_LATIN = "abcdefghijklmnopqrstuvwxyz"
# Septets of an Indian locking table that hold no letter of the script.
_INDIAN_COMMON = {
    0x0A: "\n", 0x0D: "\r", 0x1B: "\x1b", 0x20: " ", 0x21: "!", 0x28: ")", 0x29: "(", 0x2C: ",", 0x2E: ".",
    0x3A: ":", 0x3B: ";", 0x3F: "?",
    **{0x30 + digit: str(digit) for digit in range(10)},
    **{0x61 + place: letter for place, letter in enumerate(_LATIN)},
}  # fmt: skip


def _codes(written: str) -> str:
    """Read code points: `0966-096F 0951` are eleven characters."""
    out: list[str] = []
    for one in written.split():
        first, _, last = one.partition("-")
        out.extend(chr(code) for code in range(int(first, 16), int(last or first, 16) + 1))
    return "".join(out)


def _changed(table: str, changes: dict[int, str]) -> str:
    return "".join(changes.get(septet, char) for septet, char in enumerate(table))


def _laid(letters: str) -> str:
    """Lay letters over the places of an Indian table in order; a table is always full."""
    free = [septet for septet in range(128) if septet not in _INDIAN_COMMON]
    table = _INDIAN_COMMON | dict(zip(free, letters, strict=True))
    return "".join(table[septet] for septet in range(128))


def _indian(block: int, absent: str, last: str) -> str:
    """Make a locking table: offsets 01-03, 05-39 and 3C-4D of the block, then the six of `last`."""
    missing = bytes.fromhex(absent)
    order = (*range(0x01, 0x04), *range(0x05, 0x3A), *range(0x3C, 0x4E))
    letters = "".join(" " if offset in missing else chr(block + offset) for offset in order)
    return _laid(letters + _codes(last))


_INDIAN_HEAD = "@£$¥¿\"¤%&'\f*+ -/<=>¡^¡_#*"


def _behind(letters: str, urdu_stop: str = "") -> dict[int, str]:
    """Make an Indian single shift table: punctuation, the letters from 0x19 on, Latin capitals."""
    table = dict(enumerate(_INDIAN_HEAD)) | {key: EXTENSION[key] for key in EXTENSION if key > 0x18}
    table |= {0x41 + place: letter for place, letter in enumerate(_LATIN.upper())}
    del table[0x0D]
    free = (septet for septet in range(0x19, 0x40) if septet not in table and septet != ESCAPE)
    table |= {septet: char for septet, char in zip(free, letters, strict=False) if char != " "}
    return table | ({0x3F: urdu_stop} if urdu_stop else {})


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
    4: _indian(0x0980, "0D0E 1112 29 31 333435 4546 494A", "09CE 09D7 09DC 09DD 09F0 09F1"),
    5: _indian(0x0A80, "0E 12 29 31 34 46 4A", "0AD0 0AE0-0AE3 0AF1"),
    6: _indian(0x0900, "", "0950 0972 097B 097C 097E 097F"),
    7: _indian(0x0C80, "01 0D 11 29 34 45 49", "0CD5 0CD6 0CE0-0CE3"),
    8: _indian(0x0D00, "01 0D 11 29 3C 45 49", "0D57 0D60-0D63 0D79"),
    9: _indian(0x0B00, "0D0E 1112 29 31 34 4546 494A", "0B56 0B57 0B60-0B63"),
    10: _indian(0x0A00, "0B0C0D0E 1112 29 31 34 37 3D 43444546 494A", "0A51 0A70-0A74"),
    11: _indian(
        0x0B80,
        "01 0B0C0D 11 161718 1B1D 202122 252627 2B2C2D 3C3D 434445 49",
        "0BD0 0BD7 0BF0-0BF2 0BF9",
    ),
    12: _indian(0x0C00, "0D 11 29 34 3C 45 49", "0C55 0C56 0C60-0C63"),
    13: _laid(
        _codes(
            "0627 0622 0628 067B 0680 067E 06A6 062A 06C2 067F 0679 067D 067A 067C 062B 062C 0681 0684 0683"
            " 0685-0687 062D-062F 068C 0688-068A 068F 068D 0630 0631 0691 0693 0699 0632 0696 0698 069A"
            " 0633-0639 0641 0642 06A9-06AB 06AF 06B3 06B1 0644-0646 06BA-06BC 0648 06C4 06D5 06C1 06BE 0621"
            " 06CC 06D0 06D2 064D 0650 064F 0657 0654 0655 0651 0653 0656 0670"
        )
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
    4: _behind(_codes("09E6-09EF 09DF-09E3 09F2-09FA")),
    5: _behind(_codes("0964-0965 0AE6-0AEF")),
    6: _behind(_codes("0964-0965 0966-096F 0951-0954 0958-0963 0970-0971")),
    7: _behind(_codes("0964-0965 0CE6-0CEF 0CDE 0CF1 0CF2")),
    8: _behind(_codes("0964-0965 0D66-0D75 0D7A-0D7F")),
    9: _behind(_codes("0964-0965 0B66-0B6F 0B5C 0B5D 0B5F 0B70 0B71")),
    10: _behind(_codes("0964-0965 0A66-0A6F 0A59-0A5C 0A5E 0A75")),
    11: _behind(_codes("0964-0965 0BE6-0BEF 0BF3-0BF8 0BFA")),
    12: _behind("  " + _codes("0C66-0C6F 0C58 0C59 0C78-0C7F")),
    13: _behind(
        _codes("0600 0601 06F0-06F9 060C-0614 061B 061F 0640 0652 0658 066B 066C 0672 0673 06CD"), "\u06d4"
    ),
}  # fmt: skip
"""National language single shift (IE 0x24): the table behind an escape."""
