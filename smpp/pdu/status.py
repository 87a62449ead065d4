"""command_status: the codes of SMPP 3.4 and 5.0, their meaning, and what a sender does about each.

Source: SMPP 3.4 section 5.1.3, SMPP 5.0 section 4.7.6; the classes are this project's reading of practice.
The module does not know any SMSC: vendor codes get their class from the table of the dialect.
"""

from collections.abc import Mapping
from enum import Enum, IntEnum


class Status(IntEnum):
    """Every command_status of SMPP 3.4 and 5.0 (ESME_ prefix left out)."""

    ROK = 0x00
    RINVMSGLEN = 0x01
    RINVCMDLEN = 0x02
    RINVCMDID = 0x03
    RINVBNDSTS = 0x04
    RALYBND = 0x05
    RINVPRTFLG = 0x06
    RINVREGDLVFLG = 0x07
    RSYSERR = 0x08
    RINVSRCADR = 0x0A
    RINVDSTADR = 0x0B
    RINVMSGID = 0x0C
    RBINDFAIL = 0x0D
    RINVPASWD = 0x0E
    RINVSYSID = 0x0F
    RCANCELFAIL = 0x11
    RREPLACEFAIL = 0x13
    RMSGQFUL = 0x14
    RINVSERTYP = 0x15
    RINVNUMDESTS = 0x33
    RINVDLNAME = 0x34
    RINVDESTFLAG = 0x40
    RINVSUBREP = 0x42
    RINVESMCLASS = 0x43
    RCNTSUBDL = 0x44
    RSUBMITFAIL = 0x45
    RINVSRCTON = 0x48
    RINVSRCNPI = 0x49
    RINVDSTTON = 0x50
    RINVDSTNPI = 0x51
    RINVSYSTYP = 0x53
    RINVREPFLAG = 0x54
    RINVNUMMSGS = 0x55
    RTHROTTLED = 0x58
    RINVSCHED = 0x61
    RINVEXPIRY = 0x62
    RINVDFTMSGID = 0x63
    RX_T_APPN = 0x64
    RX_P_APPN = 0x65
    RX_R_APPN = 0x66
    RQUERYFAIL = 0x67
    RINVTLVSTREAM = 0xC0
    RTLVNOTALLWD = 0xC1
    RINVTLVLEN = 0xC2
    RMISSINGTLV = 0xC3
    RINVTLVVAL = 0xC4
    RDELIVERYFAILURE = 0xFE
    RUNKNOWNERR = 0xFF
    RSERTYPUNAUTH = 0x100
    RPROHIBITED = 0x101
    RSERTYPUNAVAIL = 0x102
    RSERTYPDENIED = 0x103
    RINVDCS = 0x104
    RINVSRCADDRSUBUNIT = 0x105
    RINVDSTADDRSUBUNIT = 0x106
    RINVBCASTFREQINT = 0x107
    RINVBCASTALIAS_NAME = 0x108
    RINVBCASTAREAFMT = 0x109
    RINVNUMBCAST_AREAS = 0x10A
    RINVBCASTCNTTYPE = 0x10B
    RINVBCASTMSGCLASS = 0x10C
    RBCASTFAIL = 0x10D
    RBCASTQUERYFAIL = 0x10E
    RBCASTCANCELFAIL = 0x10F
    RINVBCAST_REP = 0x110
    RINVBCASTSRVGRP = 0x111
    RINVBCASTCHANIND = 0x112


class Policy(Enum):
    """What the sender of a request does when it is answered with a status."""

    OK = "ok"
    """Accepted."""
    THROTTLE = "throttle"
    """The message waits and is sent again; the rate may fall."""
    TEMPORARY = "temporary"
    """Retry a few times with backoff."""
    BIND = "bind"
    """The bind is not what we think: rebind and requeue."""
    ACCOUNT = "account"
    """The account is refused: alarm and stop."""
    PERMANENT = "permanent"
    """Sending it again cannot help: fail it."""
    VENDOR = "vendor"
    """A vendor's code the dialect does not list: fail it, but say which code."""


_TEXTS = {
    0x00: "no error",
    0x01: "message length is invalid",
    0x02: "command length is invalid",
    0x03: "command id is invalid",
    0x04: "wrong bind state for this command",
    0x05: "already bound",
    0x06: "priority flag is invalid",
    0x07: "registered delivery flag is invalid",
    0x08: "system error",
    0x0A: "source address is invalid",
    0x0B: "destination address is invalid",
    0x0C: "message id is invalid",
    0x0D: "bind failed",
    0x0E: "password is invalid",
    0x0F: "system id is invalid",
    0x11: "cancel_sm failed",
    0x13: "replace_sm failed",
    0x14: "message queue is full",
    0x15: "service type is invalid",
    0x33: "number of destinations is invalid",
    0x34: "distribution list name is invalid",
    0x40: "destination flag is invalid",
    0x42: "submit with replace is invalid",
    0x43: "esm_class is invalid",
    0x44: "cannot submit to the distribution list",
    0x45: "submit failed",
    0x48: "source address TON is invalid",
    0x49: "source address NPI is invalid",
    0x50: "destination address TON is invalid",
    0x51: "destination address NPI is invalid",
    0x53: "system type is invalid",
    0x54: "replace_if_present flag is invalid",
    0x55: "number of messages is invalid",
    0x58: "throttled: the rate limit is exceeded",
    0x61: "scheduled delivery time is invalid",
    0x62: "validity period is invalid",
    0x63: "predefined message is invalid or not found",
    0x64: "receiver: temporary application error",
    0x65: "receiver: permanent application error",
    0x66: "receiver: message rejected",
    0x67: "query_sm failed",
    0xC0: "TLV stream is invalid",
    0xC1: "TLV is not allowed",
    0xC2: "parameter length is invalid",
    0xC3: "expected TLV is missing",
    0xC4: "TLV value is invalid",
    0xFE: "delivery failed",
    0xFF: "unknown error",
    0x100: "not authorised to use this service type",
    0x101: "not allowed to use this operation",
    0x102: "service type is unavailable",
    0x103: "service type is denied",
    0x104: "data coding is invalid",
    0x105: "source address subunit is invalid",
    0x106: "destination address subunit is invalid",
    0x107: "broadcast frequency interval is invalid",
    0x108: "broadcast alias name is invalid",
    0x109: "broadcast area format is invalid",
    0x10A: "number of broadcast areas is invalid",
    0x10B: "broadcast content type is invalid",
    0x10C: "broadcast message class is invalid",
    0x10D: "broadcast_sm failed",
    0x10E: "query_broadcast_sm failed",
    0x10F: "cancel_broadcast_sm failed",
    0x110: "number of broadcast repetitions is invalid",
    0x111: "broadcast service group is invalid",
    0x112: "broadcast channel indicator is invalid",
}

_POLICIES = {
    0x00: Policy.OK,
    **dict.fromkeys((0x58, 0x14), Policy.THROTTLE),
    **dict.fromkeys((0x08, 0x64, 0x45, 0xFE), Policy.TEMPORARY),
    **dict.fromkeys((0x04, 0x05), Policy.BIND),
    **dict.fromkeys((0x0D, 0x0E, 0x0F, 0x53, 0x100, 0x101, 0x102, 0x103), Policy.ACCOUNT),
}

_VENDOR = range(0x400, 0x500)
_NO_TABLE: Mapping[int, Policy] = {}


def policy(status: int, vendor_table: Mapping[int, Policy] = _NO_TABLE) -> Policy:
    """Say what to do about a status. The dialect's ``vendor_table`` wins over everything but 0.

    Codes 0x400-0x4FF that no table lists are VENDOR; every other unknown code is PERMANENT.
    """
    if status and status in vendor_table:
        return vendor_table[status]
    return _POLICIES.get(status) or (Policy.VENDOR if status in _VENDOR else Policy.PERMANENT)


def status_text(status: int) -> str:
    """Describe a status for logs and people, always with its number: ``0x58 throttled: ...``."""
    text = _TEXTS.get(status) or ("vendor specific" if status in _VENDOR else "reserved")
    return f"0x{status:02X} {text}"
