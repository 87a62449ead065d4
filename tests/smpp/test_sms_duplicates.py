"""Copies of short messages by the rule of smpp-ussd.md 2.4, also over a restart."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smpp.duplicates import Duplicates, Identity
from smpp.sms_arrival import Duplicate, SmsArrived

from .sms_sender import CODE, MSISDN, RUN, Sender, message

OTHER = (1, 2)


def test_the_same_sequence_number_on_the_same_connection_is_a_copy() -> None:
    sender = Sender()
    sm = message("1")
    assert isinstance(sender.give(sm, sequence=8), SmsArrived)
    sender.answer()
    sender.now += 60_000
    assert isinstance(sender.give(sm, sequence=8), Duplicate)


def test_the_same_text_after_our_question_is_the_answer_to_it() -> None:
    sender = Sender()
    for _ in range(4):
        sender.arrive("5")
        sender.now += 300
        sender.answer("Следующий вопрос")
        sender.now += 700


def test_an_answer_within_the_same_millisecond_counts() -> None:
    sender = Sender()
    sender.arrive("5")
    sender.answer()
    sender.arrive("5")


def test_a_question_within_the_same_millisecond_is_no_answer() -> None:
    sender = Sender()
    sender.answer("Первый вопрос")
    sender.arrive("5")
    assert isinstance(sender.text("5"), Duplicate)
    sender.answer("Второй вопрос")
    sender.arrive("5")
    assert isinstance(sender.text("5"), Duplicate)


@pytest.mark.parametrize(("after_ms", "copy"), [(0, True), (999, True), (1_000, False)])
def test_an_answer_that_the_centre_has_not_taken_counts_after_a_second(after_ms: int, copy: bool) -> None:
    sender = Sender()
    sender.arrive("5")
    sender.channel.sent(MSISDN, CODE, "Следующий вопрос", sender.now, "next")
    sender.now += after_ms
    assert isinstance(sender.text("5"), Duplicate if copy else SmsArrived)


def test_a_question_taken_late_is_no_answer_to_what_came_before() -> None:
    sender = Sender()
    sender.channel.sent(MSISDN, CODE, "Вопрос", sender.now, "question")
    sender.now += 100
    sender.arrive("5")
    sender.channel.taken("question")
    sender.now += 2_000
    assert isinstance(sender.text("5"), Duplicate)


@pytest.mark.parametrize(("after_ms", "copy"), [(0, True), (10_000, True), (10_001, False)])
def test_without_an_answer_of_ours_it_is_a_copy_for_ten_seconds(after_ms: int, copy: bool) -> None:
    sender = Sender()
    sender.arrive()
    sender.now += after_ms
    assert isinstance(sender.text(), Duplicate if copy else SmsArrived)


def test_an_answer_to_somebody_else_or_from_another_number_does_not_count() -> None:
    sender = Sender()
    sender.arrive()
    sender.now += 1_000
    for number, (to, by) in enumerate([("79990000000", "9290"), ("79161234567", "000500")]):
        sender.channel.sent(to, by, "x", sender.now, str(number))
        sender.channel.taken(str(number))
    sender.now += 1_000
    assert isinstance(sender.text(), Duplicate)


def test_an_answer_before_the_first_copy_does_not_count() -> None:
    sender = Sender()
    sender.answer()
    sender.now += 1_000
    sender.arrive()
    sender.now += 1_000
    assert isinstance(sender.text(), Duplicate)


@pytest.mark.parametrize(
    ("broken", "confirmed", "after_ms", "copy"),
    [
        (True, False, 14 * 60_000, True),
        (True, False, 15 * 60_000 + 1, False),
        (True, True, 14 * 60_000, False),
        (False, False, 14 * 60_000, False),
    ],
)
def test_when_the_connection_broke_before_the_response_was_confirmed(
    broken: bool, confirmed: bool, after_ms: int, copy: bool
) -> None:
    sender = Sender()
    sender.arrive("1")
    channel = sender.channel
    channel.written(sender.connection, sender.sequence, 10)
    if confirmed:
        channel.confirmed(sender.connection, 11)
    if broken:
        channel.broken(sender.connection)
    sender.answer()
    sender.now += after_ms
    again = sender.give(message("1"), connection=OTHER)
    assert isinstance(again, Duplicate if copy else SmsArrived)


@pytest.mark.parametrize(("mark", "connection"), [(10, (0, 1)), (9, (0, 1)), (11, OTHER)])
def test_only_a_request_behind_the_response_confirms_it(mark: int, connection: tuple[int, int]) -> None:
    sender = Sender()
    sender.arrive("1")
    sender.channel.written(sender.connection, sender.sequence, 10)
    sender.channel.confirmed(connection, mark)
    sender.channel.broken(sender.connection)
    sender.answer()
    sender.now += 60_000
    assert isinstance(sender.give(message("1"), connection=OTHER), Duplicate)


def test_a_response_that_was_never_written_is_in_doubt() -> None:
    sender = Sender()
    sender.arrive("1")
    sender.channel.confirmed(sender.connection, 99)
    sender.channel.broken(sender.connection)
    sender.answer()
    sender.now += 60_000
    assert isinstance(sender.give(message("1"), connection=OTHER), Duplicate)


@pytest.mark.parametrize(
    "other",
    [
        message("2"),
        message("1", source=b"79160000009"),
        message("1", dest=b"9291"),
        message(b"\x001", data_coding=4),
    ],
    ids=["text", "source", "destination", "data_coding"],
)
def test_what_differs_is_no_copy(other: object) -> None:
    sender = Sender()
    assert isinstance(sender.give(message("1"), sequence=3), SmsArrived)
    assert isinstance(sender.give(other, sequence=3), SmsArrived)  # type: ignore[arg-type]


def stored(arrival: object) -> Identity:
    assert isinstance(arrival, SmsArrived)
    return msgspec.msgpack.decode(msgspec.msgpack.encode(arrival.identity), type=Identity)


def test_after_a_restart_what_was_not_confirmed_is_in_doubt() -> None:
    before = Sender()
    row = stored(before.text("1"))
    after = Sender(run=RUN + 600_000)
    after.channel.restore([row])
    assert isinstance(after.give(message("1"), sequence=77), Duplicate)
    after.now += 6 * 60_000
    assert isinstance(after.give(message("1"), sequence=78), SmsArrived)


def test_after_a_restart_what_was_confirmed_is_a_new_message() -> None:
    before = Sender()
    rows = [stored(before.text("1"))]
    before.channel.written(before.connection, before.sequence, 1)
    before.now += 500
    rows.append(stored(before.text("2")))
    before.channel.written(before.connection, before.sequence, 2)
    before.channel.confirmed(before.connection, 3)
    before.now += 500
    # The row of the next message tells that the first was confirmed.
    rows.append(stored(before.text("3")))
    after = Sender(run=before.now + 60_000)
    after.channel.restore(reversed(rows))
    assert isinstance(after.text("1"), SmsArrived)
    assert isinstance(after.text("3"), Duplicate)


def test_numbers_of_another_run_of_the_process_prove_nothing() -> None:
    before = Sender()
    row = stored(before.text("1"))
    confirming = stored(before.text("2"))
    confirming = msgspec.structs.replace(confirming, confirmed_until=row.at + 1)
    after = Sender(run=RUN + 60_000)
    after.channel.restore([row, confirming])
    after.now += 20_000
    assert isinstance(after.give(message("1"), sequence=row.sequence), SmsArrived)


def test_rows_of_another_group_are_passed_over() -> None:
    duplicates = Duplicates("main", RUN)
    duplicates.restore([Identity("other", b"1", b"2", b"3", 1, (0, 1), 1, RUN)])
    assert len(duplicates) == 0


def test_what_is_remembered_is_swept() -> None:
    sender = Sender()
    for number in range(100):
        sender.arrive(str(number))
        sender.channel.written(sender.connection, sender.sequence, number)
    sender.channel.confirmed(sender.connection, 50)
    sender.now += 60_000
    sender.arrive("next")
    assert len(sender.channel.duplicates) == 51
    sender.now += 15 * 60_000
    sender.arrive("last")
    sender.now += 1
    sender.arrive("very last")
    assert len(sender.channel.duplicates) <= 3


@settings(max_examples=150, derandomize=True, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["new", "copy", "answer", "wait", "write", "confirm", "break"]),
            st.sampled_from(["1", "2"]),
            st.sampled_from([0, 100, 5_000, 11_000]),
        ),
        max_size=40,
    )
)
def test_a_copy_never_has_an_effect_and_an_answered_question_is_never_swallowed(
    events: list[tuple[str, str, int]],
) -> None:
    sender = Sender()
    newest: dict[str, tuple[int, int, tuple[int, int]]] = {}
    doubtful: set[str] = set()
    unconfirmed: dict[str, bool] = {}
    answered_at = -1
    for mark, (kind, text, pause) in enumerate(events):
        sender.now += pause
        if kind == "new":
            arrival = sender.text(text)
            if isinstance(arrival, SmsArrived):
                newest[text] = (sender.now, sender.sequence, sender.connection)
                unconfirmed[text] = False
            else:
                # Swallowed only for a reason: its like is in doubt, or we have said nothing since.
                assert text in doubtful or newest[text][0] > answered_at
        elif kind == "copy" and text in newest:
            at, sequence, connection = newest[text]
            sm = message(text)
            if connection == sender.connection or (sender.now - at <= 10_000 and answered_at < at):
                assert isinstance(sender.give(sm, sequence=sequence, connection=connection), Duplicate)
        elif kind == "answer":
            sender.now += 1
            sender.answer()
            answered_at = sender.now
            sender.now += 1
        elif kind == "write":
            for name, (_, sequence, connection) in newest.items():
                if connection == sender.connection and unconfirmed.get(name) is False:
                    sender.channel.written(connection, sequence, mark)
                    unconfirmed[name] = True
        elif kind == "confirm":
            sender.channel.confirmed(sender.connection, mark)
            unconfirmed = {name: was for name, was in unconfirmed.items() if not was}
        elif kind == "break":
            sender.channel.broken(sender.connection)
            doubtful |= set(newest)
            sender.connection = (0, sender.connection[1] + 1)


@pytest.mark.parametrize("copies", [1, 5])
def test_copies_over_many_connections_have_one_effect(copies: int) -> None:
    sender = Sender()
    effects = 0
    for _ in range(1 + copies):
        effects += isinstance(sender.text("Обновить"), SmsArrived)
        sender.channel.broken(sender.connection)
        sender.connection = (0, sender.connection[1] + 1)
        sender.answer()
        sender.now += 30_000
    assert effects == 1
