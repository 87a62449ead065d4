"""Screens as octets: what stands behind the addresses of a submit_sm, for one dialect.

A page is a pair (head, tail): the addresses of a dialog go between, its session id behind. Constant texts
are encoded once and kept. Lengths were planned by the engine (`Dialect.room`); what is longer all the same
travels in message_payload and is never cut.
"""

from __future__ import annotations

from typing import TypeAlias

from smpp.alphabet import gsm7_or_none
from smpp.pdu.message import SHORT_MESSAGE_MAX, Sm, SubmitTemplate
from smpp.text import decode, pack
from ussd.dialect import Code, Dialect
from ussd.operation import TAG_OP, TAG_PAYLOAD

Page: TypeAlias = tuple[bytes, bytes]

INPUT_MAX = 1_600
"""Characters of one input that a flow is given at most (flow-language.md, limits)."""
KEPT_MAX = 20_000
"""Constant pages kept; more means that a text is not constant, and it is encoded each time."""

_PLAIN = b"0123456789*#ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz .,+-"
_PLAIN_CODINGS = frozenset({0x00, 0x01, 0x0F})
_FIELDS = 10
"""Octets from esm_class to sm_length, as the times of a page are empty."""
_OCTET = tuple(bytes((length,)) for length in range(256))
_GSM7_LANGUAGE, _UCS2_LANGUAGE = 0x10, 0x11


class Screens:
    """Encodes pages and decodes input for one dialect."""

    __slots__ = ("_alphabet", "_dcs_in", "_dialect", "_frames", "_kept", "_plain_codings")

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._dcs_in = dialect.dcs_in
        self._alphabet = dialect.sms.alphabet_in
        self._kept: dict[tuple[str, Code], Page] = {}
        self._frames: dict[tuple[int, Code], tuple[bytes, bytes, bytes]] = {}
        self._plain_codings = plain_codings(dialect)

    def page(self, text: str, code: Code, constant: bool = False) -> Page:
        """Return what stands in front of and behind the addresses of a page with this operation."""
        key = (text, code)
        if constant:
            kept = self._kept.get(key)
            if kept is not None:
                return kept
        data_coding, octets = self.encode(text)
        if len(octets) > SHORT_MESSAGE_MAX:
            page = _frame(data_coding, code, octets)
        else:
            frame = self._frames.get((data_coding, code))
            if frame is None:
                empty, tail = _frame(data_coding, code, b"")
                # In front of the text: all fields up to sm_length, which an empty text leaves 0.
                frame = self._frames[data_coding, code] = (empty, tail[: _FIELDS - 1], tail[_FIELDS:])
            head, fields, tlvs = frame
            page = (head, b"".join((fields, _OCTET[len(octets)], octets, tlvs)))
        if constant and len(self._kept) < KEPT_MAX:
            self._kept[key] = page
        return page

    def encode(self, text: str) -> tuple[int, bytes]:
        """Return (data_coding, octets) of a page: GSM-7 if every character is in it, else UCS-2."""
        dialect = self._dialect
        septets = gsm7_or_none(text)
        if septets is not None:
            if dialect.dcs_gsm7_out == _GSM7_LANGUAGE:
                septets = dialect.language.encode("ascii") + b"\r" + septets
            return dialect.dcs_gsm7_out, pack(septets) if dialect.packed else septets
        octets = text.encode("utf-16-be", "replace")
        if dialect.dcs_ucs2_out == _UCS2_LANGUAGE:
            octets = pack(dialect.language.encode("ascii"), ussd=False) + octets
        return dialect.dcs_ucs2_out, octets

    def read(self, data_coding: int, octets: bytes) -> str:
        """Return what the subscriber typed. Never raises; one trailing CR and trailing NULs are taken off."""
        if data_coding in self._plain_codings:
            text = plain_text(octets)
            if text is not None:
                return text
        coding = self._dcs_in.get(data_coding, data_coding)
        return decode(coding, octets, self._alphabet)[:INPUT_MAX]


def plain_codings(dialect: Dialect) -> frozenset[int]:
    """Return the data_codings in which `plain_text` may be asked what was typed."""
    plain = dialect.sms.alphabet_in != "gsm7-packed"
    return frozenset(code for code in _PLAIN_CODINGS if code not in dialect.dcs_in and (plain or code))


def plain_text(octets: bytes) -> str | None:
    """Return what was typed if every octet of it means the same in ASCII and GSM-7, else None."""
    if octets.isdigit() or not octets.translate(None, _PLAIN):
        return octets[:INPUT_MAX].decode("ascii")
    return None


def _frame(data_coding: int, code: Code, octets: bytes) -> Page:
    """Encode everything but the addresses of a page with this text, whatever its length."""
    tlvs: tuple[tuple[int, bytes], ...] = ()
    head = b""
    if isinstance(code, bytes):
        head = code + b"\0" if code else b""
    else:
        tlvs = ((TAG_OP, bytes((code,))),)
    if len(octets) > SHORT_MESSAGE_MAX:
        tlvs, octets = ((TAG_PAYLOAD, octets), *tlvs), b""
    sm = Sm(data_coding=data_coding, short_message=octets, tlvs=tlvs)
    return head, SubmitTemplate(sm).body(b"", b"")[1:]
