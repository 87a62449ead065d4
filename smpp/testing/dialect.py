"""How a test centre speaks USSD and SMS: alphabets, where the session number stands, what ends a dialogue.

Data and two pure translations: what a subscriber does into a deliver_sm, what an ESME submits into an action.
"""

from dataclasses import dataclass
from typing import Literal

from smpp.pdu.message import Sm
from smpp.pdu.tlv import Tag, Tlvs, first_tlv, tlv_int
from smpp.segments import Mode
from smpp.text import decode, encode

# ussd_service_op, reference 1.1. Hex only: 0x17 for 17 is a mistake that others have shipped.
PSSR_INDICATION = 0x01
USSR_REQUEST = 0x02
USSN_REQUEST = 0x03
PSSR_RESPONSE = 0x11
USSR_CONFIRM = 0x12
USSN_CONFIRM = 0x13
RELEASE_REQUEST = 0x80
RELEASE_INDICATION = 0x81
USSR_LAST = 0x82
USSN_LAST = 0x83

Action = Literal["menu", "notify", "end", "release"]
_ACTIONS: dict[int, Action] = {
    USSR_REQUEST: "menu",
    USSN_REQUEST: "notify",
    0x10: "end",
    PSSR_RESPONSE: "end",
    USSR_LAST: "end",
    USSN_LAST: "end",
    RELEASE_REQUEST: "release",
    0x96: "menu",
    0x97: "notify",
    0x98: "end",
    0x99: "end",
}

_BEGINNINGS = frozenset({USSR_REQUEST, USSN_REQUEST, USSR_LAST, USSN_LAST, 0x96, 0x97, 0x98, 0x99})
"""Operations with which an ESME may begin a dialogue."""
_LETTERS_OUT = {
    PSSR_INDICATION: b"BR",
    USSR_CONFIRM: b"CA",
    USSN_CONFIRM: b"CN",
    RELEASE_INDICATION: b"AF",
}
_LETTERS_IN: dict[bytes, Action] = {
    b"BR": "menu",
    b"CR": "menu",
    b"BN": "notify",
    b"CN": "notify",
    b"EF": "end",
    b"EN": "end",
    b"AF": "release",
}
"""The operations of a centre that writes them into service_type."""


@dataclass(frozen=True, slots=True)
class CentreDialect:
    """What kind of centre this is; the default sends op and its_session_info as specified."""

    service_type: bytes = b"USSD"
    session_info: bool = True
    """Send a session id, by default its_session_info (0x1383): session number, unit number, end bit."""
    session_tag: int = int(Tag.ITS_SESSION_INFO)
    """The TLV of the session id."""
    session_octets: int = 2
    session_mask: int = 0xFF00
    unit_mask: int = 0x00FE
    end_mask: int = 0x0001
    """The parts of the session id; a mask of 0 is a part that is not there."""
    end_when_set: bool = True
    """The end bit is 1 at the end; false is a centre where it is 1 as long as the dialogue lives."""
    letters: bool = False
    """The operation is two letters in service_type instead of a TLV."""
    code_in_address: bool = False
    """The dialled code is the destination address; the first text is empty."""
    only_end_bit: bool = False
    """Operations 0x10 and 0x11 are unknown here: only the end bit ends a dialogue."""
    renumbers: bool = False
    """A dialogue that an ESME has numbered is counted on by one, as where an old one lingers."""
    alphabet: str = "gsm7"
    gsm7_coding: int = 0x00
    ucs2_coding: int = 0x08
    always_ucs2: bool = False
    end_bit_ends: bool = True
    """An end bit in the answer closes the dialogue whatever the op says."""
    confirm_notifications: bool = True
    """A USSN request is confirmed with 0x13."""
    abort: Literal["silent", "release", "end_bit"] = "silent"
    """What the ESME hears when the subscriber hangs up."""
    no_dialog_status: int = 0x407
    """The answer to a submit_sm for a dialogue that is gone (1031 of one vendor: dialog not found)."""
    part_mode: Mode = "udh8"
    message_ids: Literal["decimal", "hex"] = "decimal"
    receipt_ids: Literal["same", "hex", "decimal"] = "same"
    """How the id is written in a receipt, where centres differ from their own submit_sm_resp."""
    receipt_tlvs: bool = True
    sc_version: int | None = 0x34
    """sc_interface_version in the bind response; None is a centre of SMPP 3.3."""

    def encode(self, text: str) -> tuple[int, bytes]:
        """Octets of what the subscriber typed, with their data_coding."""
        if self.always_ucs2:
            return self.ucs2_coding, text.encode("utf-16-be")
        return encode(text, self.alphabet, default_coding=self.gsm7_coding, ucs2_coding=self.ucs2_coding)

    def decode(self, sm: Sm) -> str:
        """The text of a single message or page."""
        return decode(sm.data_coding, sm.payload, self.alphabet)

    def ussd(
        self, op: int, msisdn: str, code: str, text: str, session: int, unit: int, *, end: bool = False
    ) -> Sm:
        """The deliver_sm of one unit of a dialogue."""
        if self.code_in_address and op == PSSR_INDICATION:
            text, code = "", text.strip("*#")
        coding, octets = self.encode(text)
        tlvs: Tlvs = () if self.letters else ((int(Tag.USSD_SERVICE_OP), bytes((op,))),)
        if self.session_info:
            tlvs = (*tlvs, (self.session_tag, self.session_id(session, unit, end=end)))
        return Sm(
            service_type=_LETTERS_OUT[op] if self.letters else self.service_type,
            source_ton=1,
            source_npi=1,
            source=msisdn.encode("ascii"),
            dest_ton=0,
            dest_npi=1,
            dest=code.encode("ascii"),
            data_coding=coding,
            short_message=octets,
            tlvs=tlvs,
        )

    def action(self, sm: Sm) -> Action | None:
        """What a submit_sm wants of the dialogue; None if it is an SMS."""
        if self.letters:
            action = _LETTERS_IN.get(sm.service_type)
            return "release" if action == "end" and not sm.payload else action
        raw = first_tlv(sm.tlvs, Tag.USSD_SERVICE_OP) if sm.tlvs else None
        if raw is None:
            return None
        op = tlv_int(raw[:1])
        action = _ACTIONS.get(op, "notify")
        if self.only_end_bit and op in (0x10, PSSR_RESPONSE):
            action = "notify"
        if action in ("menu", "notify") and self.end_bit_ends and self.ends(sm):
            return "end"
        return action

    def begins(self, sm: Sm) -> bool:
        """True if a submit_sm may begin a dialogue from the network's side."""
        if self.letters:
            return sm.service_type in (b"BR", b"BN")
        raw = first_tlv(sm.tlvs, Tag.USSD_SERVICE_OP) if sm.tlvs else None
        return raw is not None and tlv_int(raw[:1]) in _BEGINNINGS

    def ends(self, sm: Sm) -> bool:
        """True if the end bit of the session id says so."""
        info = first_tlv(sm.tlvs, self.session_tag) if self.session_info else None
        if not info or not self.end_mask:
            return False
        return bool(tlv_int(info) & self.end_mask) is self.end_when_set

    def session_id(self, session: int, unit: int, *, end: bool = False) -> bytes:
        """The octets of a session id."""
        value = _placed(session, self.session_mask) | _placed(unit, self.unit_mask)
        if end is self.end_when_set:
            value |= self.end_mask
        return value.to_bytes(self.session_octets, "big")

    def session_number(self, sm: Sm) -> int | None:
        """The session number of a message, None if there is none."""
        info = first_tlv(sm.tlvs, self.session_tag) if self.session_info else None
        if not info:
            return None
        return (tlv_int(info) & self.session_mask) // _lowest(self.session_mask)

    def number(self, session: int) -> int:
        """A session number as it travels: as many bits as there are for it."""
        return session & self.session_mask // _lowest(self.session_mask)


def _lowest(mask: int) -> int:
    return mask & -mask or 1


def _placed(value: int, mask: int) -> int:
    return value * _lowest(mask) & mask


STANDARD = CentreDialect()
UCS2 = CentreDialect(always_ucs2=True)
"""A centre that sends everything in UCS-2, digits too."""
PLAIN = CentreDialect(session_info=False, gsm7_coding=0x0F, ucs2_coding=0x48)
"""No session number, CBS data_coding: as in the captures of the reference, 1.3."""
COMVERSE = CentreDialect(abort="release")
SMPP_PLUS = CentreDialect(
    session_tag=0x1501, session_octets=4, session_mask=0xFFFF_FFFF, unit_mask=0, end_mask=0, abort="release"
)
USER_REFERENCE = CentreDialect(
    session_tag=0x0204,
    session_mask=0xFFFF,
    unit_mask=0,
    end_mask=0,
    abort="release",
    always_ucs2=True,
    renumbers=True,
)
LONG_ID = CentreDialect(session_mask=0xFFFE, unit_mask=0, abort="release")
END_BIT = CentreDialect(abort="end_bit", only_end_bit=True)
ACTIVE_BIT = CentreDialect(abort="end_bit", end_when_set=False)
LETTERS = CentreDialect(letters=True, abort="release")
CODE_ADDRESS = CentreDialect(code_in_address=True)
SHIPPED = {
    "standard": STANDARD,
    "plain": PLAIN,
    "smpp_plus": SMPP_PLUS,
    "user_reference": USER_REFERENCE,
    "long_id": LONG_ID,
    "end_bit": END_BIT,
    "active_bit": ACTIVE_BIT,
    "letters": LETTERS,
    "code_address": CODE_ADDRESS,
}
"""The centre for each shipped dialect, by the name of its file."""
DIALECTS = {"standard": STANDARD, "ucs2": UCS2, "plain": PLAIN, "comverse": COMVERSE}
"""Centres that the standard dialect understands."""
