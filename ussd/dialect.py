"""What one USSD centre does differently: a mapping in both directions, as data (smpp-ussd.md 1.1-1.4).

A `Dialect` is checked when it is made and never changes. How it is written in `config/dialects/<name>.yaml`
is `ussd.dialect_file`'s business; what happens to a session is `ussd.centre`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from engine.capabilities import Capabilities
from smpp.pdu.status import Policy
from smpp.profile import SmsProfile
from ussd.operation import TAG_SESSION_INFO, Event, Op

Code: TypeAlias = int | bytes
"""An operation as a centre writes it: ussd_service_op, or the two letters of service_type."""

LETTERS = "service_type_letters"
CODE_FIELDS = ("short_message", "destination_addr")
NI_ENDS = ("end", "release", "notify_last", "end_bit")
NI_IDS = ("centre", "ours")

MEANINGS = (
    "gone", "timed_out", "unreachable", "blocked", "too_long", "locked", "mismatch",
    "charging_refused", "handset_full", "throttled", "temporary", "failed",
)  # fmt: skip
"""What a negative submit_sm_resp can mean to a dialog; the reasons that flows and journals see."""

EYELINE = {
    1027: "timed_out", 1028: "unreachable", 1029: "blocked", 1031: "gone", 1032: "too_long",
    1035: "timed_out", 1036: "locked", 1038: "mismatch", 1039: "charging_refused", 1044: "handset_full",
}  # fmt: skip

_OP_IN: dict[Code, Event] = {
    int(Op.PSSD_INDICATION): Event.NEW,
    int(Op.PSSR_INDICATION): Event.NEW,
    int(Op.USSR_CONFIRM): Event.INPUT,
    int(Op.USSR_CONFIRM_LAST): Event.INPUT,
    int(Op.USSN_CONFIRM): Event.NOTIFY_ACK,
    int(Op.RELEASE_INDICATION): Event.ABORT,
}


def _check_code(name: str, code: Code | None) -> None:
    if isinstance(code, int) and not 0 <= code <= 0xFF:
        raise ValueError(f"{name}: an operation is 0 to 255, not {code}")
    if isinstance(code, bytes) and not (len(code) == 2 and code.isalpha() and code.isupper()):
        raise ValueError(f"{name}: an operation in letters is two capital letters")


def _check_choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} is one of {', '.join(allowed)}, not {value!r}")


@dataclass(frozen=True, slots=True)
class OpOut:
    """The operation of each kind of answer. `release` None: a dialog cannot be closed without a text.

    `push` is a notification that is a whole dialog of ours; None: as `notify`.
    """

    menu: Code = int(Op.USSR_REQUEST)
    end: Code = int(Op.PSSR_RESPONSE)
    notify: Code = int(Op.USSN_REQUEST)
    begin: Code = int(Op.USSR_REQUEST)
    release: Code | None = None
    notify_last: Code = int(Op.USSN_REQUEST_LAST)
    push: Code | None = None

    def __post_init__(self) -> None:
        for name in self.__slots__:
            _check_code(f"op_out.{name}", getattr(self, name))


@dataclass(frozen=True, slots=True)
class SessionId:
    """Where the session id travels and how it is read.

    `tag` is the TLV (0: none). Octets as long as `width` are read with the masks: `id_mask` finds the
    session (0: any), `unit_mask` the dialogue unit, `end_bit` the end of the session, set when it has ended
    or, with `end_when_set` false, while it lasts. Octets of another length are an opaque id, only echoed.
    """

    tag: int = TAG_SESSION_INFO
    width: int = 2
    id_mask: int = 0xFF00
    unit_mask: int = 0x00FE
    end_bit: int = 0x0001
    end_when_set: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.tag <= 0xFFFF:
            raise ValueError(f"a TLV tag is 0x0000 to 0xFFFF, not {self.tag:#x}")
        if not 1 <= self.width <= 8:
            raise ValueError(f"a session id has 1 to 8 octets, not {self.width}")
        masks = (self.id_mask, self.unit_mask, self.end_bit)
        if any(not 0 <= mask < 1 << 8 * self.width for mask in masks):
            raise ValueError(f"a mask has more bits than the {self.width} octets of the session id")
        if self.id_mask & self.unit_mask or (self.id_mask | self.unit_mask) & self.end_bit:
            raise ValueError("id_mask, unit_mask and end_bit must not share bits")


@dataclass(frozen=True, slots=True)
class Dialect:
    """All that differs between centres. Times in milliseconds, codes as numbers, addresses as octets.

    `detect_*` say what makes a deliver_sm USSD. `service_type_out` and the `*_out` of addresses are None for
    an echo. `dcs_in` maps a data_coding to the one it really is. `language` (two letters) goes in front of a
    text where `dcs_*_out` is 0x10 or 0x11. `status` says what vendor codes mean to a dialog, `vendor` what
    a sender does about them. `ni_end` closes dialogs that we began, `ni_id` says who numbers them: we with
    the first message, or the centre with its first answer. Raises ValueError for what cannot work.
    """

    name: str = "standard"
    detect_tlv: bool = True
    detect_service_types: frozenset[bytes] = frozenset({b"USSD"})
    detect_dialled: bool = False
    op_in: Mapping[Code, Event] = field(default_factory=lambda: MappingProxyType(_OP_IN))
    op_out: OpOut = OpOut()
    letters: bool = False
    session_id: SessionId = SessionId()
    code_field: str = "short_message"
    dcs_in: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))
    dcs_gsm7_out: int = 0x00
    dcs_ucs2_out: int = 0x08
    packed: bool = False
    language: str = "ru"
    service_type_out: bytes | None = None
    source_ton_out: int | None = None
    source_npi_out: int | None = None
    dest_ton_out: int | None = None
    dest_npi_out: int | None = None
    page_gsm7: int = 182
    page_ucs2: int = 80
    ni_end: str = "end"
    ni_id: str = "centre"
    status: Mapping[int, str] = field(default_factory=lambda: MappingProxyType(EYELINE))
    answer_ms: int = 10_000
    idle_ms: int = 60_000
    total_ms: int = 180_000
    farewell: str = "Сеанс завершён. Наберите номер ещё раз."
    sms: SmsProfile = field(default_factory=SmsProfile)

    def __post_init__(self) -> None:
        for code in self.op_in:
            _check_code("op_in", code)
        if self.letters != all(isinstance(code, bytes) for code in self.op_in):
            raise ValueError(f"op_in has two letters each with session_id {LETTERS}, and numbers else")
        outgoing = (self.op_out.menu, self.op_out.end, self.op_out.notify, self.op_out.begin)
        if any(isinstance(code, bytes) is not self.letters for code in outgoing):
            raise ValueError("op_out must be of the same kind as op_in: numbers, or two letters each")
        _check_choice("code_field", self.code_field, CODE_FIELDS)
        optional = (self.op_out.release, self.op_out.push)
        if any(code is not None and isinstance(code, bytes) is not self.letters for code in optional):
            raise ValueError("op_out must be of the same kind as op_in: numbers, or two letters each")
        _check_choice("ni_end", self.ni_end, NI_ENDS)
        _check_choice("ni_id", self.ni_id, NI_IDS)
        if self.ni_id == "ours" and not (self.session_id.tag and self.session_id.id_mask):
            raise ValueError("ni_id is ours, but the session id has no bits that name a session")
        if self.ni_end == "release" and self.op_out.release is None:
            raise ValueError("ni_end is release, but op_out has no release")
        if self.ni_end == "end_bit" and not (self.session_id.tag and self.session_id.end_bit):
            raise ValueError("ni_end is end_bit, but the session id has no end bit")
        for meaning in self.status.values():
            _check_choice("status", meaning, MEANINGS)
        for name in _OCTETS:
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 255:
                raise ValueError(f"{name} is one octet, not {value}")
        if self.service_type_out is not None and len(self.service_type_out) > 5:
            raise ValueError("service_type_out has at most 5 characters")
        if len(self.language) != 2 or not self.language.isascii() or not self.language.isalpha():
            raise ValueError("language is two letters")
        if not 0 < self.answer_ms <= self.total_ms or not 0 < self.idle_ms <= self.total_ms:
            raise ValueError("answer and idle are above zero and at most total")
        if not 1 <= self.page_gsm7 <= 254 or not 1 <= self.page_ucs2 <= 127:
            raise ValueError("page_chars: gsm7 is 1 to 254, ucs2 is 1 to 127")

    @property
    def vendor(self) -> Mapping[int, Policy]:
        """Policies of the vendor codes that may be sent again; for `smpp.pdu.status.policy`."""
        repeatable = {"throttled": Policy.THROTTLE, "temporary": Policy.TEMPORARY}
        return {code: repeatable.get(meaning, Policy.PERMANENT) for code, meaning in self.status.items()}

    @property
    def room(self) -> tuple[int, int]:
        """Characters of a page left for text: (GSM-7 septets, UTF-16 units), language prefixes taken off."""
        return (
            self.page_gsm7 - (3 if self.dcs_gsm7_out == 0x10 else 0),
            self.page_ucs2 - (1 if self.dcs_ucs2_out == 0x11 else 0),
        )

    def tighter_than(self, capabilities: Capabilities) -> list[str]:
        """Say where this centre allows less than the project's `ussd:` assumes; each one is a start error."""
        found = []
        gsm7, ucs2 = self.room
        if capabilities.pages is not None:
            for what, here, assumed in (
                ("gsm7", gsm7, capabilities.pages.gsm7),
                ("ucs2", ucs2, capabilities.pages.ucs2),
            ):
                if here < assumed:
                    found.append(f"a page holds {here} {what} characters, the project assumes {assumed}")
        for what, here, wanted in (
            ("idle", self.idle_ms, capabilities.idle_ms),
            ("session", self.total_ms, capabilities.total_ms or 0),
        ):
            if here < wanted:
                found.append(f"{what} is {here // 1000} s, the project counts on {wanted // 1000} s")
        return [f"dialect {self.name}: {text}" for text in found]


_OCTETS = (
    "dcs_gsm7_out", "dcs_ucs2_out", "source_ton_out", "source_npi_out", "dest_ton_out", "dest_npi_out",
)  # fmt: skip
