"""Auto-reply loops end (architecture.md, section 3)."""

from __future__ import annotations

import msgspec
import pytest

from smpp.loops import Loops, Talk
from smpp.sms_arrival import Loop

from .sms_sender import CODE, MSISDN, Sender

PAIR = (MSISDN, CODE)


def turn(sender: Sender, text: str, after_ms: int = 2_000) -> Loop | None:
    """A message `after_ms` after our last answer; answered again unless it is a loop."""
    sender.now += after_ms
    verdict = sender.channel.starting(sender.arrive(text), sender.now)
    if verdict is None:
        sender.answer(f"Ответ на {text}")
    return verdict


def test_a_robot_that_answers_our_answers_is_stopped_at_the_third() -> None:
    sender = Sender()
    verdicts = [turn(sender, f"Автоответ {number}") for number in range(5)]
    # The first message answers nothing of ours; three quick ones follow it.
    assert verdicts[:3] == [None, None, None]
    assert verdicts[3] == verdicts[4] == Loop("answers_our_answers")
    assert sender.channel.counts["loop_answers_our_answers"] == 2


@pytest.mark.parametrize(("pause", "loops"), [(10_000, True), (10_001, False)])
def test_a_person_takes_longer_than_ten_seconds(pause: int, loops: bool) -> None:
    sender = Sender()
    verdicts = [turn(sender, f"{number}", pause) for number in range(6)]
    assert any(verdicts) is loops


def test_one_slow_message_begins_the_count_anew() -> None:
    sender = Sender()
    pauses = [2_000, 2_000, 2_000, 20_000, 2_000, 2_000]
    assert [turn(sender, f"{number}", pause) for number, pause in enumerate(pauses)] == [None] * 6


@pytest.mark.parametrize("text", ["Пакет обновлён", "  пакет   ОБНОВЛЁН\r\n"])
def test_our_own_text_sent_back_starts_nothing(text: str) -> None:
    sender = Sender()
    sender.answer("Пакет обновлён")
    sender.now += 30_000
    assert sender.channel.starting(sender.arrive(text), sender.now) == Loop("repeats_our_text")


def test_our_text_sent_back_by_somebody_else_is_a_message() -> None:
    sender = Sender()
    sender.answer("Пакет обновлён")
    arrival = sender.arrive("Пакет обновлён", source=b"79990000001")
    assert sender.channel.starting(arrival, sender.now) is None


def test_our_text_is_forgotten_after_an_hour() -> None:
    sender = Sender()
    sender.answer("Пакет обновлён")
    sender.now += 60 * 60_000 + 1
    assert sender.channel.starting(sender.arrive("Пакет обновлён"), sender.now) is None


def test_a_message_whose_commit_fails_again_and_again_is_no_loop() -> None:
    sender = Sender()
    sender.answer()
    for _ in range(10):
        sender.now += 100
        arrival = sender.arrive("Обновить")
        assert sender.channel.starting(arrival, sender.now) is None
        sender.channel.undo(arrival, started=True)


def test_what_is_remembered_is_bounded_in_time_and_storable() -> None:
    loops = Loops()
    for number in range(1_000):
        loops.sent((str(number), CODE), "x", number)
    loops.sent(PAIR, "x", 60 * 60_000 + 500)
    assert len(loops) == 501
    talk = loops.get(PAIR)
    again = Loops()
    again.restore(PAIR, msgspec.msgpack.decode(msgspec.msgpack.encode(talk), type=Talk))
    assert again.starting(PAIR, "X", 60 * 60_000 + 900) == "repeats_our_text"


def test_stored_digests_are_keyed() -> None:
    talks = []
    for key in (b"a", b"b"):
        loops = Loops(key)
        loops.sent(PAIR, "Пароль qwerty", 1)
        talks.append(loops.get(PAIR))
    assert talks[0] != talks[1]
