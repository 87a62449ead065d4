"""PDUs explained: every field of the wire vectors at its octets, faults at theirs, nothing ever raised."""

import random

import pytest

from smpp.explain import explain
from smpp.pdu import codec
from smpp.pdu.bind import BindTransceiver
from smpp.pdu.command import CommandId
from smpp.pdu.layout import LAYOUTS, places
from smpp.pdu.message import DeliverSm, SubmitSm, SubmitSmResp
from smpp.pdu.wire import PduError
from smpp.segments import split
from tests.smpp.test_pdu_vectors import VECTORS, octets_of

NUMBER = b"79161234567"


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v['command']}: {v['name']}")
def test_every_field_of_a_vector_stands_where_the_vector_has_it(vector) -> None:
    pdu = octets_of(vector["octets"])
    explained = explain(pdu)
    lines = [line.split(None, 1) for line in vector["octets"].splitlines() if line.strip()]
    assert explained.command == vector["command"]
    if explained.error is None:
        offset = 0
        written = {}
        for name, value in lines:
            written[offset] = name
            offset += len(octets_of(f"{name} {value}"))
        for item in explained.items:
            assert item.offset in written, f"{item.name} at {item.offset}"
        assert {item.offset for item in explained.items} <= set(written)


@pytest.mark.parametrize("family", codec.FAMILIES.values(), ids=lambda family: family.command_id.name)
def test_the_tables_agree_with_the_codec_on_every_cut_of_a_body(family) -> None:
    """What the codec refuses has a fault in the tables, and what it takes without a flag has none."""
    assert family.command_id in LAYOUTS
    seeds = [octets_of(v["octets"])[16:] for v in VECTORS if v["command"] == family.command_id.name.lower()]
    assert seeds or not LAYOUTS[family.command_id]
    for body in seeds:
        for end in range(len(body) + 1):
            cut = body[:end]
            _, fault = places(family.command_id, cut)
            try:
                record = family.read(cut, 1)
            except PduError:
                assert fault is not None
                continue
            if fault is None:
                assert not getattr(record, "oddities", 0) & ~1
            else:
                assert getattr(record, "oddities", 0), fault


def values(pdu: bytes) -> dict[str, str]:
    return {item.name: f"{item.value} {item.note}".strip() for item in explain(pdu).items}


def test_what_numbers_mean_is_said() -> None:
    tlvs = ((0x0501, b"\x12"), (0x1383, b"\x07\x05"), (0x0427, b"\x02"), (0x4444, b"\x01\x02"))
    pdu = DeliverSm(b"USSD", 1, 1, NUMBER, 0, 1, b"929", 0x04, validity=b"000001000000000R", data_coding=8,
                    registered_delivery=1, short_message="Да".encode("utf-16-be"), tlvs=tlvs)  # fmt: skip
    shown = values(codec.encode(pdu, 7))
    assert shown["source_addr_ton"] == "1 international"
    assert shown["esm_class"] == "0x04 delivery receipt"
    assert shown["validity_period"] == "'000001000000000R' in 1 days"
    assert shown["data_coding"] == "0x08 ucs2"
    assert shown["registered_delivery"] == "0x01 receipt for any outcome"
    assert shown["ussd_service_op"] == "12 USSR confirm: the subscriber's input"
    assert shown["its_session_info"] == "07 05 session 7, unit 2, end of session"
    assert shown["message_state"] == "02 delivered"
    assert shown["0x4444"] == "01 02 258"
    assert explain(codec.encode(pdu, 7)).text == "Да"
    assert values(codec.encode(SubmitSmResp(), 1, 0x58))["command_status"] == (
        "0x00000058 throttled: the rate limit is exceeded"
    )


@pytest.mark.parametrize("alphabet", ["gsm7", "gsm7-packed"])
def test_a_part_says_which_and_its_text_is_read(alphabet) -> None:
    parts = split("आपका बैलेंस ५० रुपये है। " * 12, "udh16", 0x1234, default_alphabet=alphabet, languages=(6,))
    text = ""
    for number, part in enumerate(parts, 1):
        pdu = SubmitSm(esm_class=part.esm_class, short_message=part.short_message)
        explained = explain(codec.encode(pdu, 1), alphabet)
        shown = {item.name: item.note for item in explained.items}
        assert shown["UDH 0x08"] == f"part {number} of {len(parts)}, reference 4660"
        assert shown["UDH 0x25"] == "national locking shift: hindi"
        text += explained.text or ""
    assert text == "आपका बैलेंस ५० रुपये है। " * 12


@pytest.mark.parametrize(
    ("octets", "offset", "error"),
    [
        ("00000010", 4, "a header has 16 octets, 4 are there"),
        ("00000014 00000004 00000000 00000001 55535344", 16, "service_type has no terminating NUL"),
        ("00000010 00000004 00000000 00000001", 16, "service_type is missing: the body is empty"),
        ("00000011 00000777 00000000 00000001 00", 16, "the fields of this command are not known"),
        ("0000001b 80000009 00000000 00000001 677300 0210 0009 01020304", 19,
         "TLV 0x0210 needs 9 octets, 4 are left"),
        ("00000020 00000015 00000000 00000001", 16, "command_length says 32 octets, 16 are there"),
        ("48545450 2f312e31 20343030 20426164", 0, "command_length 1213486160: this is an HTTP response"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_octet(octets: str, offset: int, error: str) -> None:
    explained = explain(bytes.fromhex(octets))
    assert (explained.error_offset, explained.error) == (offset, error)


def test_a_password_is_not_shown() -> None:
    assert "hunter2" not in str(explain(codec.encode(BindTransceiver(b"gudok", b"hunter2"), 1)))


def test_any_octets_are_explained() -> None:
    rng = random.Random(929)
    commands = [int(command) for command in CommandId]
    for _ in range(3_000):
        pdu = bytearray(octets_of(rng.choice(VECTORS)["octets"]))
        for _ in range(rng.randrange(4)):
            pdu[rng.randrange(len(pdu))] = rng.randrange(256)
        if rng.random() < 0.2:
            pdu[4:8] = rng.choice(commands).to_bytes(4, "big")
        explained = explain(bytes(pdu[: rng.randrange(len(pdu) + 1)] if rng.random() < 0.5 else pdu))
        assert all(0 <= item.offset < len(pdu) + 1 for item in explained.items)
