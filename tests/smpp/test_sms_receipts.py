"""Receipts find the message they are about (smpp-ussd.md 2.4)."""

from __future__ import annotations

import pytest

from smpp.profile import SmsProfile
from smpp.receipt_book import HELD_MS, ReceiptBook
from smpp.receipts import MessageState, Receipt
from smpp.sms_arrival import Receipted

from .sms_sender import MSISDN, Sender


def receipt(message_id: bytes, state: bytes = b"DELIVRD", **fields: object) -> dict[str, object]:
    text = b"id:%b submit date:2611220900 done date:2611220901 stat:%b err:000" % (message_id, state)
    return {"esm_class": 0x04, "short_message": text, **fields}


def received(sender: Sender, message_id: bytes, state: bytes = b"DELIVRD", **fields: object) -> Receipted:
    arrival = sender.text(b"", **receipt(message_id, state, **fields))
    assert isinstance(arrival, Receipted)
    return arrival


@pytest.mark.parametrize(
    ("mode", "ours", "theirs"),
    [
        ("exact", b"ABC-1", b"abc-1"),
        ("exact", b"000123", b"123"),
        ("hex-to-dec", b"255", b"FF"),
        ("hex-to-dec", b"255", b"000000ff"),
        ("dec-to-hex", b"FF", b"255"),
        ("dec-to-hex", b"0ff", b"0255"),
    ],
)
def test_ids_are_compared_as_the_smsc_writes_them(mode: str, ours: bytes, theirs: bytes) -> None:
    sender = Sender(SmsProfile(receipt_ids=mode))
    assert sender.channel.submitted(ours, "row 1", MSISDN, sender.now) == []
    arrival = received(sender, theirs)
    assert (arrival.key, arrival.receipt.state) == ("row 1", MessageState.DELIVERED)


def test_a_final_receipt_closes_and_an_intermediate_one_does_not() -> None:
    sender = Sender()
    sender.channel.submitted(b"7", "row", MSISDN, sender.now)
    assert received(sender, b"7", b"ENROUTE").key == "row"
    assert received(sender, b"7", b"ACCEPTD").key == "row"
    assert received(sender, b"7", b"DELIVRD").key == "row"
    assert received(sender, b"7", b"DELIVRD").key is None
    assert len(sender.channel.receipts) == 0


@pytest.mark.parametrize(("after_ms", "found"), [(0, True), (HELD_MS, True), (HELD_MS + 1, False)])
def test_a_receipt_may_overtake_its_response_by_a_minute(after_ms: int, found: bool) -> None:
    sender = Sender()
    early = received(sender, b"42")
    assert early.key is None
    sender.now += after_ms
    told = sender.channel.submitted(b"0042", "row", MSISDN, sender.now)
    assert told == ([early.receipt] if found else [])
    assert len(sender.channel.receipts) == (0 if found else 1)


def test_a_receipt_for_nothing_of_ours_is_given_up_after_a_minute() -> None:
    sender = Sender()
    arrival = received(sender, b"42")
    book = sender.channel.receipts
    assert book.expired(sender.now + HELD_MS - 1) == []
    assert book.expired(sender.now + HELD_MS) == [arrival.receipt]
    assert book.expired(sender.now + HELD_MS) == []


def test_a_text_that_only_looks_like_a_receipt_counts_from_its_subscriber_alone() -> None:
    sender = Sender()
    sender.channel.submitted(b"7", "row", MSISDN, sender.now)
    assert received(sender, b"7", esm_class=0, source=b"79990000001").key is None
    assert received(sender, b"7", esm_class=0).key == "row"


def test_a_forged_early_receipt_is_not_handed_out() -> None:
    sender = Sender()
    received(sender, b"7", esm_class=0, source=b"79990000001")
    assert sender.channel.submitted(b"7", "row", MSISDN, sender.now) == []


def test_the_tlvs_win_over_the_text() -> None:
    sender = Sender()
    sender.channel.submitted(b"99", "row", MSISDN, sender.now)
    arrival = received(sender, b"7", b"DELIVRD", tlvs=((0x001E, b"99\0"), (0x0427, b"\x05")))
    assert (arrival.key, arrival.receipt.state) == ("row", MessageState.UNDELIVERABLE)


def test_a_receipt_without_an_id_is_harmless() -> None:
    sender = Sender()
    sender.channel.submitted(b"", "row", MSISDN, sender.now)
    arrival = sender.text(b"stat:DELIVRD", esm_class=0x04)
    assert isinstance(arrival, Receipted)
    assert arrival.key is None
    assert sender.channel.receipts.expired(sender.now + HELD_MS) == []


def test_open_messages_are_put_back_after_a_restart() -> None:
    book = ReceiptBook("hex-to-dec")
    book.restore(b"255", "row", MSISDN, 1)
    sender = Sender(SmsProfile(receipt_ids="hex-to-dec"))
    sender.channel.receipts.restore(ReceiptBook.stored_id(b"255"), "row", MSISDN, 1)
    assert received(sender, b"FF").key == "row"
    assert len(book) == 1


def test_where_no_receipts_are_asked_for_nothing_is_remembered() -> None:
    sender = Sender(SmsProfile(registered_delivery=0))
    sender.channel.submitted(b"7", "row", MSISDN, sender.now)
    assert len(sender.channel.receipts) == 0


def test_a_flood_of_receipts_for_one_unknown_message_is_bounded() -> None:
    book = ReceiptBook()
    for _ in range(1_000):
        enroute = Receipt(b"77", MessageState.ENROUTE, "", None, False)
        assert book.received(enroute, "", True, 0) is None
    assert len(book.submitted(b"77", "ours/0", "79161234567", 1)) <= 8
    assert book.forgotten >= 992
