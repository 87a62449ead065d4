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

END_BIT = 0x0001


@dataclass(frozen=True, slots=True)
class CentreDialect:
    """What kind of centre this is; the default sends op and its_session_info as specified."""

    service_type: bytes = b"USSD"
    session_info: bool = True
    """Send its_session_info (0x1383): session number, unit number, end bit."""
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
        coding, octets = self.encode(text)
        tlvs: Tlvs = ((int(Tag.USSD_SERVICE_OP), bytes((op,))),)
        if self.session_info:
            info = bytes((session & 0xFF, (unit & 0x7F) << 1 | end))
            tlvs = (*tlvs, (int(Tag.ITS_SESSION_INFO), info))
        return Sm(
            service_type=self.service_type,
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
        raw = first_tlv(sm.tlvs, Tag.USSD_SERVICE_OP) if sm.tlvs else None
        if raw is None:
            return None
        action = _ACTIONS.get(tlv_int(raw[:1]), "notify")
        if action == "menu" and self.end_bit_ends and self.ends(sm):
            return "end"
        return action

    def ends(self, sm: Sm) -> bool:
        """True if the end bit of its_session_info is set."""
        info = first_tlv(sm.tlvs, Tag.ITS_SESSION_INFO)
        return bool(info) and bool(tlv_int(info or b"") & END_BIT)

    def session_number(self, sm: Sm) -> int | None:
        """The session number of its_session_info, None if there is none."""
        info = first_tlv(sm.tlvs, Tag.ITS_SESSION_INFO)
        return info[0] if info else None


STANDARD = CentreDialect()
UCS2 = CentreDialect(always_ucs2=True)
"""A centre that sends everything in UCS-2, digits too."""
PLAIN = CentreDialect(session_info=False, gsm7_coding=0x0F, ucs2_coding=0x48)
"""No session number, CBS data_coding: as in the captures of the reference, 1.3."""
COMVERSE = CentreDialect(abort="release")
DIALECTS = {"standard": STANDARD, "ucs2": UCS2, "plain": PLAIN, "comverse": COMVERSE}
