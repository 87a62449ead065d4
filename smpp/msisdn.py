"""Subscriber numbers: one form for every way a centre may write them, and what is no subscriber at all.

The form is E.164 without the plus: ASCII digits only, country code first. It is the key of a subscriber in
sessions, orders and memories, so two spellings of one number must never become two subscribers. The module
knows no numbering plan beyond the `Country` it is given.
"""

from __future__ import annotations

from dataclasses import dataclass

TON_UNKNOWN = 0
TON_INTERNATIONAL = 1
TON_NATIONAL = 2
TON_NETWORK_SPECIFIC = 3
TON_ALPHANUMERIC = 5
TON_ABBREVIATED = 6
NPI_ISDN = 1

E164_MAX = 15
"""Digits of the longest number (E.164 section 6)."""
MSISDN_MIN = 8
"""Fewer digits, country code included, are a short code: no country has shorter mobile numbers."""


@dataclass(frozen=True, slots=True)
class Country:
    """How numbers are written at home: country code, trunk prefix, digits of a national number.

    With an empty `code` numbers are taken as they come: only the plus and a leading 00 are removed.
    """

    code: str = ""
    trunk: str = ""
    length: int = 10

    def __post_init__(self) -> None:
        for name, value in (("code", self.code), ("trunk", self.trunk)):
            if value and not (value.isascii() and value.isdigit()):
                raise ValueError(f"{name} of a country is digits, not {value!r}")
        if not 4 <= self.length <= E164_MAX - len(self.code):
            raise ValueError(f"a national number has 4 to {E164_MAX - len(self.code)} digits")


ANYWHERE = Country()


def normal_msisdn(raw: bytes, ton: int, npi: int, country: Country = ANYWHERE) -> str | None:
    """Return the number as E.164 digits, or None if it is no subscriber's number.

    `raw` is the address as on the wire. None: alphanumeric senders (TON 5, or any octet that is no ASCII
    digit), short codes (TON 3 or 6, or fewer than 8 digits), more than 15 digits. `npi` is not judged:
    centres send 0, 1 and 8 for the same number. Source: SMPP 3.4, 5.2.5.
    """
    if raw[:1] == b"+":
        raw, ton = raw[1:], TON_INTERNATIONAL
    if not raw.isdigit() or ton in (TON_ALPHANUMERIC, TON_NETWORK_SPECIFIC, TON_ABBREVIATED):
        return None
    digits = raw.decode("ascii")
    if ton != TON_INTERNATIONAL or digits[:2] == "00":
        digits = _international(digits, ton, country)
    return digits if MSISDN_MIN <= len(digits) <= E164_MAX else None


def _international(digits: str, ton: int, country: Country) -> str:
    if digits[:2] == "00" and ton != TON_NATIONAL:
        return digits[2:]
    code, trunk, length = country.code, country.trunk, country.length
    if not code:
        return digits
    if trunk and len(digits) == length + len(trunk) and digits.startswith(trunk):
        return code + digits[len(trunk) :]
    return code + digits if len(digits) == length else digits


def is_alphanumeric(raw: bytes, ton: int) -> bool:
    """Tell whether a sender is a name (`Gudok`, TON 5) and not a number."""
    return ton == TON_ALPHANUMERIC or not raw.removeprefix(b"+").isdigit()


def address(text: str) -> tuple[int, int, bytes]:
    """Return TON, NPI and octets of a sender or receiver of ours: MSISDN 1/1, short code 0/1, name 5/0.

    Raises ValueError for what SMPP cannot carry: more than 20 digits, a name of more than 11 characters or
    outside ASCII, an empty text. A profile may override TON and NPI of short codes (smpp-ussd.md 2.5).
    """
    if not text or not text.isascii():
        raise ValueError("an address is ASCII and not empty")
    raw = text.removeprefix("+").encode("ascii")
    if raw.isdigit():
        if len(raw) > 20:
            raise ValueError(f"an address has at most 20 digits, this one {len(raw)}")
        if text[0] == "+" or len(raw) >= MSISDN_MIN:
            return TON_INTERNATIONAL, NPI_ISDN, raw
        return TON_UNKNOWN, NPI_ISDN, raw
    if len(text) > 11 or any(not " " <= letter <= "~" for letter in text):
        raise ValueError("an alphanumeric sender has at most 11 printable characters")
    return TON_ALPHANUMERIC, 0, text.encode("ascii")


def masked(number: str) -> str:
    """Return a number as logs may show it: `7916***4567`, the last four kept."""
    if len(number) <= 6:
        return number
    return f"{number[:4] if len(number) > 10 else ''}***{number[-4:]}"
