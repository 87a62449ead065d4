"""What a log may show of a PDU: no password, no text, no whole number."""

import pytest

from smpp.pdu import codec
from smpp.pdu.bind import BindTransceiver, Outbind
from smpp.pdu.data_sm import DataSm
from smpp.pdu.mask import mask_address
from smpp.pdu.message import DeliverSm, SubmitSm, SubmitSmResp
from smpp.pdu.replace_sm import ReplaceSm
from smpp.pdu.submit_multi import Destination, SubmitMulti

SECRET = b"hunter2"
TEXT = b"my PIN is 4321"
NUMBER = b"79161234567"
PDUS = [
    BindTransceiver(b"gudok", SECRET),
    Outbind(b"SMSC", SECRET),
    DeliverSm(
        source=NUMBER, dest=b"929", short_message=TEXT, tlvs=((0x1502, b"250011234567890"), (0x0381, NUMBER))
    ),
    SubmitSm(source=b"929", dest=NUMBER, tlvs=((0x0424, TEXT),)),
    DataSm(source=NUMBER, tlvs=((0x0424, TEXT),)),
    ReplaceSm(b"A7", source=NUMBER, short_message=TEXT),
    SubmitMulti(destinations=(Destination(1, 1, NUMBER),), short_message=TEXT),
    SubmitSmResp(b"A7", ((0x001D, TEXT),)),
]


@pytest.mark.parametrize("pdu", PDUS, ids=lambda pdu: type(pdu).__name__)
def test_secrets_stay_out_of_description_and_repr(pdu: object) -> None:
    for line in (codec.describe(pdu), repr(pdu) if not isinstance(pdu, SubmitSmResp) else ""):
        for hidden in (SECRET, TEXT, NUMBER, b"25001123"):
            assert hidden.decode() not in line
            assert hidden.hex() not in line
        assert "\n" not in line


def test_description_says_what_helps() -> None:
    line = codec.describe(
        DeliverSm(source=NUMBER, dest=b"929", short_message=b"*1#", tlvs=((0x0501, b"\1"), (0x4444, b"")))
    )
    assert (
        line
        == "deliver_sm source=7916***4567 dest=929 short_message=3 octets ussd_service_op=01 0x4444=0 octets"
    )
    assert codec.describe(SubmitSmResp(b"A7"), 0x58) == (
        "submit_sm_resp status=0x58 throttled: the rate limit is exceeded message_id='A7'"
    )
    assert codec.describe(BindTransceiver(b"gudok", SECRET)) == (
        "bind_transceiver system_id='gudok' password=*** interface_version=52"
    )


def test_every_record_can_be_described() -> None:
    for family in codec.FAMILIES.values():
        assert codec.describe(family.record()).startswith(family.command_id.name.lower())
    assert codec.describe(object()) == "object"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (b"79161234567", "7916***4567"),
        (b"992000000000", "9920***0000"),
        (b"9161234567", "***4567"),
        (b"929", "929"),
        (b"", ""),
        (b"Megabank", "Megabank"),
        (b"a\nb\xff", "a?b?"),
    ],
)
def test_mask(address: bytes, shown: str) -> None:
    assert mask_address(address) == shown
