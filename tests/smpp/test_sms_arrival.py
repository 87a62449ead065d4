"""Which deliver_sm is a message of a subscriber, and what it says."""

from __future__ import annotations

import pytest

from smpp.msisdn import Country
from smpp.profile import SmsProfile
from smpp.sms_arrival import Duplicate, NotARequest, Receipted, SmsArrived

from .sms_sender import CODE, MSISDN, Sender, message


@pytest.mark.parametrize(
    ("octets", "data_coding", "text"),
    [
        (b"", 0, ""),
        (b"5", 0, "5"),
        (b"\x00\x11\x1be", 0, "@_€"),
        ("Тариф".encode("utf-16-be"), 8, "Тариф"),
        ("Да 😀".encode("utf-16-be"), 8, "Да 😀"),
        ("Ошибка".encode("iso8859-5"), 6, "Ошибка"),
        (b"caf\xe9", 3, "café"),
    ],
)
def test_any_text_arrives_whole(octets: bytes, data_coding: int, text: str) -> None:
    arrival = Sender().arrive(octets, data_coding=data_coding)
    assert (arrival.msisdn, arrival.to, arrival.text, arrival.damaged) == (MSISDN, CODE, text, False)
    assert (arrival.parts, arrival.missing) == ((), ())


def test_message_payload_is_read() -> None:
    arrival = Sender().arrive(b"", tlvs=((0x0424, b"hello"),))
    assert arrival.text == "hello"


def test_data_coding_0_is_what_the_smsc_says() -> None:
    assert Sender(SmsProfile(alphabet_in="latin1")).arrive(b"\xe9").text == "é"


def test_a_text_is_bounded() -> None:
    assert len(Sender().arrive(b"", tlvs=((0x0424, b"a" * 60_000),)).text) == 1_600


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"source": b"Gudok", "source_ton": 5, "source_npi": 0}, "alphanumeric_sender"),
        ({"source": b"Gudok", "source_ton": 1}, "alphanumeric_sender"),
        ({"source": b"79161234567", "source_ton": 5}, "alphanumeric_sender"),
        ({"source": "７９１６".encode()}, "alphanumeric_sender"),
        ({"source": b"9290", "source_ton": 0}, "short_code_sender"),
        ({"source": b"000500", "source_ton": 3}, "short_code_sender"),
        ({"source": b"79161234567", "source_ton": 6}, "short_code_sender"),
        ({"source": b""}, "no_sender"),
        ({"esm_class": 0x08}, "acknowledgement"),
        ({"esm_class": 0x10}, "acknowledgement"),
        ({"esm_class": 0x18}, "acknowledgement"),
    ],
)
def test_what_is_no_subscribers_message_is_no_request(fields: dict[str, object], reason: str) -> None:
    sender = Sender()
    arrival = sender.text("Обновить", **fields)
    assert arrival == NotARequest(reason)
    assert sender.channel.counts[reason] == 1


RECEIPT_TEXT = (
    b"id:123 sub:001 dlvrd:001 submit date:2611220900 done date:2611220901 stat:DELIVRD err:000 text:"
)


@pytest.mark.parametrize(
    "fields",
    [
        {"esm_class": 0x04, "short_message": RECEIPT_TEXT},
        {"esm_class": 0x44, "short_message": b"\x00" + RECEIPT_TEXT},
        {"esm_class": 0x20, "short_message": b"id:123 stat:ENROUTE"},
        {"short_message": RECEIPT_TEXT},
        {"short_message": RECEIPT_TEXT.upper()},
        {"short_message": b"", "tlvs": ((0x001E, b"123\0"), (0x0427, b"\x02"))},
    ],
    ids=["esm_class", "with a header", "intermediate", "text", "upper case", "tlv"],
)
def test_a_receipt_on_a_number_that_takes_any_text_is_never_a_request(fields: dict[str, object]) -> None:
    assert isinstance(Sender().text(b"", **fields), Receipted)


@pytest.mark.parametrize("text", [b"id", b"id: please", b"identity card", b"stat:DELIVRD", b"DELIVRD"])
def test_a_text_that_only_begins_like_a_receipt_is_a_message(text: bytes) -> None:
    Sender().arrive(text)


RUSSIA = SmsProfile(country=Country("7", "8", 10))


@pytest.mark.parametrize(
    ("source", "ton"), [(b"79161234567", 1), (b"+79161234567", 0), (b"89161234567", 0), (b"9161234567", 2)]
)
def test_one_subscriber_however_the_number_is_written(source: bytes, ton: int) -> None:
    assert Sender(RUSSIA).arrive(source=source, source_ton=ton).msisdn == MSISDN


def test_no_repr_shows_a_number_or_a_text() -> None:
    shown = repr(Sender().arrive("секрет"))
    assert "секрет" not in shown
    assert MSISDN not in shown


def test_a_failed_commit_is_undone() -> None:
    sender = Sender()
    sm = message()
    arrival = sender.give(sm, sequence=5)
    assert isinstance(arrival, SmsArrived)
    assert isinstance(sender.give(sm, sequence=5), Duplicate)
    sender.channel.undo(arrival)
    assert isinstance(sender.give(sm, sequence=5), SmsArrived)
