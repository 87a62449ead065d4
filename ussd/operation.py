"""ussd_service_op (TLV 0x0501): every value in one place, in hex, and what a message means to a session.

Sources: SMPP 3.4 section 5.3.2.44, SMPP+ of the Comverse family. Which value means what at one centre is
the dialect's table (`ussd.dialect`), not decided here.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum

TAG_OP = 0x0501
TAG_SESSION_INFO = 0x1383
TAG_USER_REFERENCE = 0x0204
TAG_USSD_SESSION_ID = 0x1501
TAG_PAYLOAD = 0x0424


class Op(IntEnum):
    """Values of ussd_service_op; those from 0x80 on are SMPP+."""

    PSSD_INDICATION = 0x00
    PSSR_INDICATION = 0x01
    USSR_REQUEST = 0x02
    USSN_REQUEST = 0x03
    PSSD_RESPONSE = 0x10
    PSSR_RESPONSE = 0x11
    USSR_CONFIRM = 0x12
    USSN_CONFIRM = 0x13
    RELEASE_REQUEST = 0x80
    RELEASE_INDICATION = 0x81
    USSR_REQUEST_LAST = 0x82
    USSN_REQUEST_LAST = 0x83
    USSR_CONFIRM_LAST = 0x92
    USSR_REQUEST_VLR = 0x96
    USSN_REQUEST_VLR = 0x97
    USSR_REQUEST_LAST_VLR = 0x98
    USSN_REQUEST_LAST_VLR = 0x99


class Event(StrEnum):
    """What a message from the centre means to the session."""

    NEW = "new"
    INPUT = "input"
    NOTIFY_ACK = "notify_ack"
    ABORT = "abort"


LAST_INPUTS = frozenset({int(Op.USSR_CONFIRM_LAST)})
"""Operations that bring input and close the dialog with it."""
