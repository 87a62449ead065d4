"""Statuses: every code of the specification, its text, and what is done about it."""

import pytest
from smpplib import consts

from smpp.pdu.command import CommandId, command_name, is_response
from smpp.pdu.status import Policy, Status, policy, status_text
from smpp.pdu.tlv import Tag, tag_name

CLASSES = {
    Policy.OK: [0],
    Policy.THROTTLE: [0x58, 0x14],
    Policy.TEMPORARY: [0x08, 0x64, 0x45, 0xFE],
    Policy.BIND: [0x04, 0x05],
    Policy.ACCOUNT: [0x0D, 0x0E, 0x0F, 0x53, *range(0x100, 0x104)],
    Policy.PERMANENT: [
        0x01, 0x06, 0x07, 0x0A, 0x0B, 0x15, 0x33, 0x34, 0x40, *range(0x42, 0x45), *range(0x48, 0x52), 0x54,
        0x55, *range(0x61, 0x64), 0x65, 0x66, *range(0xC0, 0xC5), *range(0x104, 0x107), 0xFF, 0x999,
        0xFFFFFFFF,
    ],
    Policy.VENDOR: [0x400, 0x403, 0x4FF],
}  # fmt: skip


@pytest.mark.parametrize(("status", "expected"), [(s, p) for p, all_of in CLASSES.items() for s in all_of])
def test_policy(status: int, expected: Policy) -> None:
    assert policy(status) is expected


def test_the_table_of_the_dialect_wins_but_not_over_success() -> None:
    table = {1031: Policy.PERMANENT, 1036: Policy.TEMPORARY, 0x08: Policy.THROTTLE, 0: Policy.ACCOUNT}
    assert policy(1036, table) is Policy.TEMPORARY
    assert policy(0x08, table) is Policy.THROTTLE
    assert policy(0, table) is Policy.OK
    assert policy(1040, table) is Policy.VENDOR


def test_codes_agree_with_smpplib() -> None:
    theirs = {
        value
        for name, value in vars(consts).items()
        if name.startswith("SMPP_ESME_R") and isinstance(value, int)
    }
    assert theirs
    assert theirs <= {int(status) for status in Status}


@pytest.mark.parametrize("status", Status)
def test_every_status_has_a_text(status: Status) -> None:
    assert status_text(status).startswith(f"0x{status:02X} ")
    assert "reserved" not in status_text(status)


def test_unknown_codes_are_written_with_their_number() -> None:
    assert status_text(0x403) == "0x403 vendor specific"
    assert status_text(0x09) == "0x09 reserved"
    assert command_name(CommandId.DELIVER_SM) == "deliver_sm"
    assert command_name(0x10203) == "command 0x00010203"
    assert tag_name(Tag.USSD_SERVICE_OP) == "ussd_service_op"
    assert tag_name(0x1FFF) == "0x1FFF"
    assert is_response(CommandId.GENERIC_NACK)
    assert not is_response(CommandId.DELIVER_SM)


def test_every_request_has_its_response_by_bit_31() -> None:
    for command in CommandId:
        if command.name.endswith("_RESP"):
            assert command == CommandId[command.name.removesuffix("_RESP")] | 0x80000000
