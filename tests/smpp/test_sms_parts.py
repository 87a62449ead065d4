"""Long messages from subscribers: one request, not three, also over failures and restarts."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from smpp.parts import HeldPart
from smpp.profile import SmsProfile
from smpp.segments import split
from smpp.sms_arrival import Duplicate, PartHeld, Refused, SmsArrived

from .sms_sender import RUN, Sender, message

TEXT = "Здравствуйте! Обновите, пожалуйста, мой пакет. " * 4


def parts_of(text: str, mode: str, reference: int = 7) -> list[object]:
    return [
        message(
            part.short_message,
            esm_class=part.esm_class,
            data_coding=part.data_coding,
            tlvs=part.tlvs,
        )
        for part in split(text, mode, reference)  # type: ignore[arg-type]
    ]


@pytest.mark.parametrize("mode", ["udh8", "udh16", "sar"])
def test_the_parts_of_one_message_are_one_request(mode: str) -> None:
    parts = parts_of(TEXT, mode)
    assert len(parts) == 3
    for order in itertools.permutations(parts):
        sender = Sender()
        arrivals = [sender.give(part) for part in order]  # type: ignore[arg-type]
        assert [type(one) for one in arrivals] == [PartHeld, PartHeld, SmsArrived]
        whole = arrivals[-1]
        assert isinstance(whole, SmsArrived)
        assert whole.text == TEXT
        assert [one.part for one in arrivals[:2]] == list(whole.parts)  # type: ignore[union-attr]


def test_message_payload_needs_no_joining() -> None:
    (whole,) = parts_of(TEXT, "payload")
    assert isinstance(Sender().give(whole), SmsArrived)  # type: ignore[arg-type]


def test_a_copy_of_a_part_is_a_duplicate_before_and_after_joining() -> None:
    sender = Sender()
    first, second, third = parts_of(TEXT, "udh8")
    sender.give(first, sequence=1)  # type: ignore[arg-type]
    assert isinstance(sender.give(first, sequence=1), Duplicate)  # type: ignore[arg-type]
    sender.give(second)  # type: ignore[arg-type]
    assert isinstance(sender.give(third, sequence=9), SmsArrived)  # type: ignore[arg-type]
    assert isinstance(sender.give(third, sequence=9), Duplicate)  # type: ignore[arg-type]


def test_two_long_messages_with_different_references_do_not_mix() -> None:
    sender = Sender()
    ours, theirs = parts_of(TEXT, "udh8", 1), parts_of(TEXT.upper(), "udh8", 2)
    texts = [
        arrival.text
        for pair in zip(ours, theirs, strict=True)
        for arrival in map(sender.give, pair)  # type: ignore[arg-type]
        if isinstance(arrival, SmsArrived)
    ]
    assert texts == [TEXT, TEXT.upper()]


@pytest.mark.parametrize("mode", ["udh8", "udh16", "sar"])
def test_waiting_parts_survive_a_restart(mode: str) -> None:
    before = Sender()
    *held, last = parts_of(TEXT, mode)
    rows = []
    for sm in held:
        arrival = before.give(sm)  # type: ignore[arg-type]
        assert isinstance(arrival, PartHeld)
        rows.append(msgspec.msgpack.encode(arrival.part))
    after = Sender(run=RUN + 60_000)
    parts = [msgspec.msgpack.decode(row, type=HeldPart) for row in rows]
    after.channel.restore([], parts)
    # The centre has not seen our response to the last stored part, and sends it again.
    assert isinstance(after.give(held[-1], sequence=55), Duplicate)  # type: ignore[arg-type]
    whole = after.give(last)  # type: ignore[arg-type]
    assert isinstance(whole, SmsArrived)
    assert whole.text == TEXT
    assert list(whole.parts) == parts


def test_a_part_whose_commit_failed_is_taken_again() -> None:
    sender = Sender()
    first, second, third = parts_of(TEXT, "udh8")
    arrival = sender.give(first, sequence=1)  # type: ignore[arg-type]
    assert isinstance(arrival, PartHeld)
    sender.channel.undo(arrival)
    again = sender.give(first, sequence=1)  # type: ignore[arg-type]
    assert isinstance(again, PartHeld)
    sender.give(second)  # type: ignore[arg-type]
    whole = sender.give(third)  # type: ignore[arg-type]
    assert isinstance(whole, SmsArrived)
    assert whole.text == TEXT
    assert len(whole.parts) == 2


def test_the_copy_of_an_unstored_part_comes_when_the_message_is_already_whole() -> None:
    sender = Sender()
    first, second, third = parts_of(TEXT, "udh8")
    arrival = sender.give(first, sequence=1)  # type: ignore[arg-type]
    assert isinstance(arrival, PartHeld)
    sender.channel.undo(arrival)
    sender.give(second)  # type: ignore[arg-type]
    assert isinstance(sender.give(third), SmsArrived)  # type: ignore[arg-type]
    sender.answer()
    sender.now += 20_000
    again = sender.give(first, connection=(1, 3))  # type: ignore[arg-type]
    assert isinstance(again, Duplicate)
    assert sender.channel.expired(sender.now + 3_600_000) == []


def test_a_whole_message_whose_commit_failed_waits_for_its_last_part_again() -> None:
    sender = Sender()
    first, second, third = parts_of(TEXT, "udh8")
    sender.give(first)  # type: ignore[arg-type]
    sender.give(second)  # type: ignore[arg-type]
    whole = sender.give(third, sequence=3)  # type: ignore[arg-type]
    assert isinstance(whole, SmsArrived)
    sender.channel.undo(whole)
    again = sender.give(third, sequence=3)  # type: ignore[arg-type]
    assert isinstance(again, SmsArrived)
    assert again.text == TEXT
    assert again.parts == whole.parts


def test_a_message_that_stays_incomplete_comes_out_with_what_there_is() -> None:
    sender = Sender(SmsProfile(part_wait_ms=60_000))
    first, _, third = parts_of(TEXT, "udh8")
    sender.give(first)  # type: ignore[arg-type]
    sender.give(third)  # type: ignore[arg-type]
    assert sender.channel.expired(sender.now + 59_999) == []
    assert sender.channel.parts.next_deadline() == sender.now + 60_000
    (incomplete,) = sender.channel.expired(sender.now + 60_000)
    assert incomplete.missing == (2,)
    assert incomplete.text.startswith("Здравствуйте!")
    assert len(incomplete.parts) == 2
    assert len(sender.channel.parts) == 0
    assert sender.channel.counts["incomplete"] == 1


@pytest.mark.parametrize("header", [b"\x05\x00\x03\x07\x03\x00", b"\x05\x00\x03\x07\x03\x04"])
def test_an_impossible_part_number_is_refused_for_good(header: bytes) -> None:
    sender = Sender()
    arrival = sender.text(header + b"hello", esm_class=0x40)
    assert arrival == Refused(0x65, "part_number")
    assert len(sender.channel.duplicates) <= 1
    assert isinstance(sender.text(header + b"hello", esm_class=0x40), Refused)


def test_a_broken_header_leaves_the_payload_whole_and_marked() -> None:
    arrival = Sender().text(b"\x20\x00hello", esm_class=0x40)
    assert isinstance(arrival, SmsArrived)
    assert arrival.damaged
    assert arrival.text.endswith("hello")
