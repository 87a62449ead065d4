"""The delivery receipt of a test centre: SMPP 3.4, appendix B, with the TLVs of 5.3.2.12 and .35."""

from datetime import UTC, datetime

from smpp.pdu.message import Sm
from smpp.pdu.tlv import Tag, Tlvs
from smpp.testing.dialect import CentreDialect

STATES = {"DELIVRD": 2, "EXPIRED": 3, "DELETED": 4, "UNDELIV": 5, "ACCEPTD": 6, "UNKNOWN": 7, "REJECTD": 8}


def receipt_for(sm: Sm, message_id: bytes, state: str, at: int, dialect: CentreDialect) -> Sm:
    """The receipt of a submitted message: addresses swapped, text and TLVs as the dialect wants them."""
    moment = datetime.fromtimestamp(at / 1000, UTC).strftime("%y%m%d%H%M")
    shown = written_id(message_id, dialect)
    delivered = 1 if state == "DELIVRD" else 0
    error = "000" if delivered else "001"
    text = (
        f"id:{shown} sub:001 dlvrd:{delivered:03d} submit date:{moment} done date:{moment} "
        f"stat:{state} err:{error} text:"
    )
    tlvs: Tlvs = ()
    if dialect.receipt_tlvs:
        tlvs = (
            (int(Tag.RECEIPTED_MESSAGE_ID), shown.encode("ascii") + b"\0"),
            (int(Tag.MESSAGE_STATE), bytes((STATES[state],))),
        )
    return Sm(
        source_ton=sm.dest_ton,
        source_npi=sm.dest_npi,
        source=sm.dest,
        dest_ton=sm.source_ton,
        dest_npi=sm.source_npi,
        dest=sm.source,
        esm_class=0x04,
        short_message=text.encode("ascii"),
        tlvs=tlvs,
    )


def written_id(message_id: bytes, dialect: CentreDialect) -> str:
    """The id as this centre writes it in receipts; some write hex there and decimal in the response."""
    own = message_id.decode("ascii")
    if dialect.receipt_ids == "same":
        return own
    number = int(own, 16 if dialect.message_ids == "hex" else 10)
    return f"{number:x}" if dialect.receipt_ids == "hex" else str(number)
