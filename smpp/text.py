"""Texts on the wire: which alphabet a data_coding means, and both directions of each.

Source: SMPP 3.4 section 5.2.19, 3GPP TS 23.038 (SMS and CBS data coding schemes, packing in 6.1.2), and the
habits of USSD centres. Decoding never raises: what comes from a subscriber is shown as well as possible.
"""

import re
from typing import NamedTuple

from smpp.alphabet import can_gsm7, decode_gsm7, encode_gsm7, gsm7_or_none, septets

__all__ = [
    "ALPHABETS",
    "Decoded",
    "alphabet_of",
    "can_gsm7",
    "decode",
    "decode_as",
    "decode_gsm7",
    "decode_marked",
    "encode",
    "encode_as",
    "encode_gsm7",
    "pack",
    "septets",
    "unpack",
]

CR = 0x0D

ALPHABETS = (
    "gsm7",
    "gsm7-packed",
    "latin1",
    "ascii",
    "utf8",
    "ucs2",
    "binary",
    "cyrillic",
    "hebrew",
    "jis",
    "iso2022jp",
    "korean",
    "gsm7-language",
    "ucs2-language",
)
"""Names an alphabet may have in a dialect. The last two carry a language code before the text."""

_CODECS = {
    "latin1": "latin-1",
    "binary": "latin-1",
    "ascii": "ascii",
    "utf8": "utf-8",
    "cyrillic": "iso8859-5",
    "hebrew": "iso8859-8",
    "jis": "shift_jis",
    "iso2022jp": "iso2022_jp",
    "korean": "euc_kr",
}

# data_coding 1-14 as SMPP 3.4 section 5.2.19 names them; 0 is the setting of the SMSC.
_SMPP_CODINGS = {
    0x01: "ascii", 0x02: "binary", 0x03: "latin1", 0x04: "binary", 0x05: "jis", 0x06: "cyrillic",
    0x07: "hebrew", 0x08: "ucs2", 0x09: "binary", 0x0A: "iso2022jp", 0x0D: "jis", 0x0E: "korean",
    0x0F: "gsm7", 0x10: "gsm7-language", 0x11: "ucs2-language",
}  # fmt: skip

_LANGUAGE_GSM7 = re.compile(rb"[A-Za-z]{2}\r")
_PRINTABLE = re.compile(rb"[\x20-\x7e\r\n]+")
_DIALLED = re.compile(rb"[0-9*#]+")
_CJK = re.compile("[\u2e80-\u9fff]")


class Decoded(NamedTuple):
    """A decoded text and how it came about."""

    text: str
    alphabet: str
    """The alphabet that was read in the end, which is not always the one claimed."""
    damaged: bool
    """An odd octet was dropped, or octets that mean nothing became U+FFFD."""


def alphabet_of(data_coding: int, default_alphabet: str = "gsm7") -> str:
    """Name the alphabet that a data_coding means.

    1-15 and 0x10, 0x11 as in SMPP and USSD, 0 the default alphabet of the SMSC, the rest by the coding groups
    of TS 23.038: SMS and CBS general (0x10-0x7F), message waiting (0xC0-0xEF), message class (0xF0-0xFF).
    """
    if data_coding == 0:
        return default_alphabet
    known = _SMPP_CODINGS.get(data_coding)
    if known is not None:
        return known
    group = data_coding >> 4
    if 1 <= group <= 7:
        return ("gsm7", "binary", "ucs2", "gsm7")[data_coding >> 2 & 3]
    if group in (0x0C, 0x0D):
        return "gsm7"
    if group == 0x0E:
        return "ucs2"
    if group == 0x0F:
        return "binary" if data_coding & 4 else "gsm7"
    return default_alphabet


def decode(data_coding: int, data: bytes, default_alphabet: str = "gsm7", *, strip: bool = True) -> str:
    """Decode what came in. Never raises; see ``decode_marked`` for the rules."""
    alphabet = alphabet_of(data_coding, default_alphabet)
    if alphabet == "ucs2":
        return _decode_ucs2(data, strip).text
    return decode_as(alphabet, data, strip=strip)


def decode_marked(
    data_coding: int, data: bytes, default_alphabet: str = "gsm7", *, strip: bool = True
) -> Decoded:
    """Decode what came in and say what was made of it. Never raises.

    Trailing NULs and one trailing CR are stripped unless ``strip`` is false (in GSM-7 a NUL is ``@``: keep
    them to get the exact text back). UCS-2 that is printable ASCII in truth (odd length, digits and ``*#``
    only, or what would be CJK) is read as ASCII; otherwise an odd last octet is dropped and marked.
    """
    alphabet = alphabet_of(data_coding, default_alphabet)
    if alphabet == "ucs2":
        return _decode_ucs2(data, strip)
    text = decode_as(alphabet, data, strip=strip)
    return Decoded(text, alphabet, "\ufffd" in text)


def decode_as(alphabet: str, data: bytes, *, strip: bool = True, locking: int = 0, single: int = 0) -> str:
    """Decode with an alphabet named by the dialect or an override. Never raises.

    ``locking`` and ``single`` are the national languages of the shift IEs (0x25, 0x24), for GSM-7 only.
    An alphabet not in ALPHABETS is read as latin1.
    """
    if alphabet == "gsm7-packed":
        data = unpack(data)
        alphabet = "gsm7"
    if alphabet == "gsm7-language":
        # The same value is a flash message in SMS, which has no language code: take off only what is one.
        if _LANGUAGE_GSM7.match(data):
            data = data[3:]
        alphabet = "gsm7"
    if alphabet == "gsm7":
        if strip:
            # The first septet of a national table is a letter, never filling.
            data = data.removesuffix(b"\r") if locking else _stripped(data)
        return decode_gsm7(data, locking, single)
    if alphabet == "ucs2-language":
        return _decode_ucs2_language(data, strip)
    if alphabet == "ucs2":
        return _decode_ucs2(data, strip).text
    if strip:
        data = _stripped(data)
    return data.decode(_CODECS.get(alphabet, "latin-1"), "replace")


def _stripped(data: bytes) -> bytes:
    """Take off trailing NULs and then one trailing CR."""
    data = data.rstrip(b"\0")
    return data[:-1] if data.endswith(b"\r") else data


def _decode_ucs2(data: bytes, strip: bool) -> Decoded:
    odd = bool(len(data) & 1)
    if odd:
        bare = data.rstrip(b"\0")
        if _PRINTABLE.fullmatch(bare):
            return Decoded((_stripped(bare) if strip else bare).decode("ascii"), "ascii", False)
        data = data[:-1]
    text = data.decode("utf-16-be", "replace")
    if text and not odd and _PRINTABLE.fullmatch(data) and (_CJK.search(text) or _DIALLED.fullmatch(data)):
        return Decoded((_stripped(data) if strip else data).decode("ascii"), "ascii", False)
    if strip:
        text = text.rstrip("\0").removesuffix("\r")
    return Decoded(text, "ucs2", odd or "\ufffd" in text)


def _decode_ucs2_language(data: bytes, strip: bool) -> str:
    """0x11: two septets of language code packed into two octets, then UCS-2 (CBS), or no code at all."""
    if len(data) >= 2 and not len(data) & 1:
        language = unpack(data[:2], 2)
        if language.isalpha() and not data[1] & 0xC0:
            return _decode_ucs2(data[2:], strip).text
    return _decode_ucs2(data, strip).text


def encode_as(alphabet: str, text: str) -> bytes:
    """Encode with one alphabet. Raises UnicodeEncodeError if the text does not fit it.

    Never raises for ucs2 and utf8, where a lone surrogate becomes ``?``. ValueError: unknown alphabet.
    """
    if alphabet == "gsm7":
        return encode_gsm7(text)
    if alphabet == "gsm7-packed":
        return pack(encode_gsm7(text))
    if alphabet == "ucs2":
        return text.encode("utf-16-be", "replace")
    if alphabet == "utf8":
        return text.encode("utf-8", "replace")
    codec = _CODECS.get(alphabet)
    if codec is None:
        raise ValueError(f"unknown alphabet {alphabet!r}")
    return text.encode(codec)


def encode(
    text: str, default_alphabet: str = "gsm7", *, default_coding: int = 0x00, ucs2_coding: int = 0x08
) -> tuple[int, bytes]:
    """Encode a text of ours: (data_coding, octets), in the default alphabet if it fits, else UCS-2.

    The two codings are the dialect's: 0x00 or 0x0F, 0x08 or 0x48; flash is 0x10 and 0x18.
    """
    if default_alphabet == "gsm7":
        octets = gsm7_or_none(text)
        if octets is None:
            return ucs2_coding, text.encode("utf-16-be", "replace")
        return default_coding, octets
    try:
        return default_coding, encode_as(default_alphabet, text)
    except UnicodeEncodeError:
        return ucs2_coding, text.encode("utf-16-be", "replace")


def pack(data: bytes, *, fill: int = 0, ussd: bool = True) -> bytes:
    """Pack septets (one per octet, only the low 7 bits count) into octets, TS 23.038 section 6.1.2.

    Args:
        data: the septets.
        fill: zero bits in front, to reach a septet boundary behind a UDH.
        ussd: apply the CR rules of 6.1.2.3.1: seven spare bits at the end are filled with a CR, and a text
            that ends in CR on an octet boundary gets a second one.
    """
    if ussd and data and (len(data) % 8 == 7 or (len(data) % 8 == 0 and data[-1] == CR)):
        data += b"\r"
    if not data:
        return b""
    out = bytearray()
    bits = fill
    value = 0
    for septet in data:
        value |= (septet & 0x7F) << bits
        bits += 7
        if bits >= 8:
            out.append(value & 0xFF)
            value >>= 8
            bits -= 8
    if bits:
        out.append(value)
    return bytes(out)


def unpack(data: bytes, count: int | None = None, *, fill: int = 0, ussd: bool = True) -> bytes:
    """Unpack octets into septets, one per octet.

    Args:
        data: the packed octets.
        count: septets to read; None takes all that fit.
        fill: bits to skip in front, behind a UDH.
        ussd: without a ``count``, remove a final CR that ends on an octet boundary (6.1.2.3.1).
    """
    most = max(0, (len(data) * 8 - fill) // 7)
    total = most if count is None else max(0, min(count, most))
    out = bytearray()
    bits = -fill
    value = 0
    for octet in data:
        value |= octet << bits if bits >= 0 else octet >> -bits
        bits += 8
        while bits >= 7 and len(out) < total:
            out.append(value & 0x7F)
            value >>= 7
            bits -= 7
        if len(out) == total:
            break
    if ussd and count is None and total and total % 8 == 0 and out[-1] == CR:
        del out[-1]
    return bytes(out)
