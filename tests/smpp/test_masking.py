"""What a capture may hold: no password, no text, no whole number, and every octet in its place."""

import random

import pytest

from smpp.explain import explain
from smpp.masking import masked_pdu
from smpp.pdu import codec
from smpp.pdu.bind import BindTransceiver, Outbind
from smpp.pdu.data_sm import DataSm
from smpp.pdu.message import DeliverSm, SubmitSm
from smpp.pdu.replace_sm import ReplaceSm
from smpp.pdu.submit_multi import Destination, SubmitMulti
from tests.smpp.test_pdu_vectors import VECTORS, octets_of

SECRET = b"hunter2"
TEXT = b"my PIN is 4321"
WIDE = "Пароль 4321".encode("utf-16-be")
NUMBER = b"79161234567"
PDUS = [
    BindTransceiver(b"gudok", SECRET),
    Outbind(b"SMSC", SECRET),
    DeliverSm(source=NUMBER, dest=b"929", short_message=TEXT, tlvs=((0x1502, NUMBER), (0x0381, NUMBER))),
    SubmitSm(source=b"929", dest=NUMBER, tlvs=((0x0424, TEXT),)),
    SubmitSm(source=b"929", dest=NUMBER, data_coding=8, short_message=WIDE),
    SubmitSm(source=b"929", dest=NUMBER, esm_class=0x40, short_message=b"\5\0\3\1\2\1" + TEXT),
    DataSm(source=NUMBER, tlvs=((0x0424, TEXT),)),
    ReplaceSm(b"A7", source=NUMBER, short_message=TEXT),
    SubmitMulti(destinations=(Destination(1, 1, NUMBER), Destination(1, 1, NUMBER)), short_message=TEXT),
]


@pytest.mark.parametrize("pdu", PDUS, ids=lambda pdu: type(pdu).__name__)
def test_secrets_numbers_and_texts_are_gone_and_the_rest_stays(pdu: object) -> None:
    whole = codec.encode(pdu, 1)
    masked = masked_pdu(whole)
    for hidden in (SECRET, TEXT, WIDE, NUMBER, b"4321", "4321".encode("utf-16-be")):
        assert hidden not in masked
    before, after = explain(whole), explain(masked)
    assert [(one.offset, one.length, one.name) for one in before.items] == [
        (one.offset, one.length, one.name) for one in after.items
    ]
    assert after.error is None


def test_the_shape_of_a_text_and_the_ends_of_a_number_stay() -> None:
    pdu = DeliverSm(source=NUMBER, dest=b"929", short_message=b"*100*4321#")
    shown = explain(masked_pdu(codec.encode(pdu, 1)))
    assert shown.text == "*000*0000#"
    assert {item.name: item.value for item in shown.items}["source_addr"] == "'7916***4567'"


def test_a_receipt_keeps_all_but_its_text() -> None:
    text = b"id:A7 sub:001 dlvrd:001 submit date:2611221010 stat:DELIVRD err:000 text:Code 4321"
    pdu = DeliverSm(esm_class=4, source=NUMBER, dest=b"929", short_message=text)
    shown = explain(masked_pdu(codec.encode(pdu, 1))).text
    assert shown is not None
    assert shown.startswith("id:A7 sub:001")
    assert shown.endswith("stat:DELIVRD err:000 text:Xxxx 0000")


def test_broken_pdus_are_masked_too_and_keep_their_length() -> None:
    rng = random.Random(929)
    pdus = [codec.encode(pdu, 1) for pdu in PDUS] + [octets_of(vector["octets"]) for vector in VECTORS]
    for _ in range(3_000):
        pdu = rng.choice(pdus)
        cut = pdu[: rng.randrange(len(pdu) + 1)]
        masked = masked_pdu(cut)
        assert len(masked) == len(cut)
        assert masked[:16] == cut[:16]
        for hidden in (SECRET, TEXT, b"4321", NUMBER):
            assert hidden not in masked[16:]
