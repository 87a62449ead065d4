"""Which message belongs to which dialog, and which is a copy (smpp-ussd.md 1.5)."""

from __future__ import annotations

import msgspec
import pytest

from ussd.arrival import Aborted, Answered, Dialled, Notified, NotUssd, Repeated, Stray
from ussd.dialect import Dialect, SessionId
from ussd.dialog import LINGER_MS, Dialog, Dialogs

from .conftest import MSISDN, Centre

SESSION = b"\x07\x02"
OTHER = b"\x08\x02"


def dialled(centre: Centre, **fields: object) -> Dialog:
    arrival = centre.dial(**fields)  # type: ignore[arg-type]
    assert isinstance(arrival, Dialled)
    return arrival.dialog


def test_a_dial_opens_a_dialog_and_the_answer_goes_back_to_the_dialler(centre: Centre) -> None:
    arrival = centre.dial("*929*1#")
    assert isinstance(arrival, Dialled)
    assert (arrival.text, arrival.dialog.called) == ("*929*1#", "*929*1#")
    shown = centre.show(arrival.dialog, "Меню\n1 Да")
    assert (shown.to, shown.sender, shown.op, shown.text) == (MSISDN, "929", 2, "Меню\n1 Да")
    assert shown.sm.service_type == b"USSD"
    assert (shown.sm.esm_class, shown.sm.registered_delivery) == (0, 0)


def test_the_operation_decides_not_the_look_of_the_text(centre: Centre) -> None:
    dialog = dialled(centre)
    centre.show(dialog)
    arrival = centre.type("*929#")
    assert isinstance(arrival, Answered)
    assert arrival.text == "*929#"
    assert centre.dialogs.live == 1


@pytest.mark.parametrize(("op", "reason"), [(0x12, "input"), (0x13, "notify_ack"), (0x81, "abort")])
def test_nothing_without_a_session_starts_a_flow(centre: Centre, op: int, reason: str) -> None:
    arrival = centre.type("*929#", op)
    assert isinstance(arrival, Stray)
    assert (arrival.status, arrival.reason) == (0, f"{reason}_without_session")
    assert len(centre.dialogs) == 0
    assert centre.channel.counts[arrival.reason] == 1


def test_input_without_a_session_gets_the_farewell_and_acknowledgements_get_nothing(centre: Centre) -> None:
    arrival = centre.type("1", info=SESSION)
    assert isinstance(arrival, Stray)
    shown = centre.taken_apart(arrival.farewell)
    assert (shown.to, shown.op, shown.text) == (MSISDN, 0x11, centre.dialect.farewell)
    assert shown.id == b"\x07\x03"
    assert centre.type("", 0x13).farewell is None  # type: ignore[union-attr]


def test_the_project_sets_the_farewell() -> None:
    from ussd.centre import UssdChannel

    centre = Centre(Dialect())
    centre.channel = UssdChannel(Dialect(), "main", farewell="До свидания")
    arrival = centre.type("1")
    assert isinstance(arrival, Stray)
    assert centre.taken_apart(arrival.farewell).text == "До свидания"


def test_input_of_another_session_does_not_reach_the_live_one(centre: Centre) -> None:
    dialog = dialled(centre, info=SESSION)
    centre.show(dialog)
    arrival = centre.type("1", info=OTHER)
    assert isinstance(arrival, Stray)
    assert centre.taken_apart(arrival.farewell).id == b"\x08\x03"
    assert isinstance(centre.type("1", info=b"\x07\x04"), Answered)


def test_equal_session_numbers_of_two_subscribers_are_two_sessions(centre: Centre) -> None:
    first = dialled(centre, info=SESSION)
    second = dialled(centre, info=SESSION, msisdn="79160000002")
    assert (centre.show(first).to, centre.show(second).to) == (MSISDN, "79160000002")
    arrival = centre.type("1", info=b"\x07\x04", msisdn="79160000002")
    assert isinstance(arrival, Answered)
    assert arrival.dialog.msisdn == "79160000002"


def test_a_new_dial_supersedes_the_live_dialog(centre: Centre) -> None:
    first = dialled(centre, info=SESSION)
    centre.show(first)
    centre.now += 6_000
    arrival = centre.dial("*100#", info=OTHER)
    assert isinstance(arrival, Dialled)
    assert arrival.superseded is not None
    assert (arrival.superseded.opened_at, arrival.superseded.ended_by) == (first.opened_at, "new")
    assert arrival.before is first
    assert centre.dialogs.live == 1
    assert centre.channel.reply(arrival.superseded, "поздно", False, centre.now, centre.dialogs) is None


def test_a_redial_in_the_same_millisecond_is_told_apart(centre: Centre) -> None:
    first = dialled(centre, info=SESSION)
    second = dialled(centre, info=OTHER)
    assert second.opened_at > first.opened_at


def test_the_next_input_may_overtake_the_response_to_the_page(centre: Centre) -> None:
    dialog = dialled(centre)
    centre.show(dialog, status=None)
    page = dialog.page
    centre.now += 300
    arrival = centre.type("1")
    assert isinstance(arrival, Answered)
    late = centre.channel.shown(dialog.key, dialog.opened_at, page, 0, centre.now, centre.dialogs)
    assert late is None
    assert not arrival.dialog.answered


def test_the_same_answer_to_four_questions_is_four_answers(centre: Centre) -> None:
    dialog = dialled(centre)
    centre.show(dialog)
    for _ in range(4):
        centre.now += 1_000
        arrival = centre.type("5")
        assert isinstance(arrival, Answered)
        centre.show(arrival.dialog)
    assert centre.channel.counts["input"] == 4


def test_a_redelivered_answer_is_one_and_gets_the_stored_page(centre: Centre) -> None:
    dialog = dialled(centre)
    centre.show(dialog)
    sm = centre.message("5", 0x12)
    arrival = centre.give(sm, sequence=77)
    assert isinstance(arrival, Answered)
    body = centre.channel.reply(arrival.dialog, "Вопрос 2", True, centre.now, centre.dialogs)
    centre.now += 500
    again = centre.give(sm, sequence=77)
    assert isinstance(again, Repeated)
    assert again.answer == body
    assert centre.channel.counts["input"] == 1


def test_a_copy_before_our_answer_gets_no_page(centre: Centre) -> None:
    dialog = dialled(centre)
    centre.show(dialog)
    sm = centre.message("5", 0x12)
    centre.give(sm, sequence=77)
    again = centre.give(sm, sequence=77)
    assert isinstance(again, Repeated)
    assert again.answer is None


@pytest.mark.parametrize(
    ("after_ms", "connection", "answered", "copy"),
    [
        (500, (0, 1), False, False),  # a fast subscriber, the response is on its way
        (1_999, (0, 1), False, False),
        (2_000, (0, 1), False, True),
        (500, (1, 4), False, True),  # over another connection
        (2_000, (0, 1), True, False),  # our page was accepted: the centre has read everything before it
        (500, (1, 4), True, False),
    ],
)
def test_an_equal_input_is_a_copy_while_our_page_is_unanswered(
    centre: Centre, after_ms: int, connection: tuple[int, int], answered: bool, copy: bool
) -> None:
    dialog = dialled(centre)
    centre.show(dialog)
    arrival = centre.type("1")
    assert isinstance(arrival, Answered)
    centre.show(arrival.dialog, "Вопрос 2", status=0 if answered else None)
    centre.now += after_ms
    again = centre.give(centre.message("1", 0x12), connection=connection)
    assert isinstance(again, Repeated if copy else Answered)


def test_another_text_is_never_a_copy(centre: Centre) -> None:
    dialog = dialled(centre)
    centre.show(dialog)
    centre.give(centre.message("1", 0x12), sequence=9)
    arrival = centre.give(centre.message("2", 0x12), sequence=9)
    assert isinstance(arrival, Answered)


def test_an_equal_unit_number_is_a_copy_once_it_was_seen_to_move(centre: Centre) -> None:
    dialog = dialled(centre, info=b"\x07\x02")
    centre.show(dialog)
    first = centre.type("1", info=b"\x07\x04")
    assert isinstance(first, Answered)
    centre.show(first.dialog)
    centre.now += 5_000
    assert isinstance(centre.type("1", info=b"\x07\x04"), Repeated)
    assert isinstance(centre.type("1", info=b"\x07\x06"), Answered)


def test_a_unit_number_that_never_moves_says_nothing(centre: Centre) -> None:
    dialog = dialled(centre, info=b"\x07\x02")
    centre.show(dialog)
    for _ in range(3):
        arrival = centre.type("1", info=b"\x07\x02")
        assert isinstance(arrival, Answered)
        centre.show(arrival.dialog)
        centre.now += 700


@pytest.mark.parametrize(("after_ms", "copy"), [(0, True), (5_000, True), (5_001, False)])
def test_the_same_dial_within_five_seconds_is_a_copy(centre: Centre, after_ms: int, copy: bool) -> None:
    dialog = dialled(centre)
    centre.show(dialog, "Готово", more=False)
    body = dialog.body
    centre.now += after_ms
    again = centre.dial()
    if copy:
        assert isinstance(again, Repeated)
        assert again.answer == body
    else:
        assert isinstance(again, Dialled)


def test_a_redial_with_another_session_id_is_a_new_session_at_once(centre: Centre) -> None:
    dialog = dialled(centre, info=SESSION)
    centre.show(dialog, "Готово", more=False)
    centre.now += 800
    assert isinstance(centre.dial(info=OTHER), Dialled)


def test_another_code_within_five_seconds_is_a_new_session(centre: Centre) -> None:
    dialled(centre)
    centre.now += 1_000
    assert isinstance(centre.dial("*100#"), Dialled)


def test_an_earlier_answer_given_again_is_input(centre: Centre) -> None:
    centre.show(dialled(centre))
    for text in ("1", "2"):
        arrival = centre.type(text)
        assert isinstance(arrival, Answered)
        centre.show(arrival.dialog, status=None)
    centre.now += 2_500
    assert isinstance(centre.type("1"), Answered)


def test_a_new_unit_number_is_input_although_our_page_is_unanswered(centre: Centre) -> None:
    centre.show(dialled(centre, info=b"\x07\x02"))
    arrival = centre.type("1", info=b"\x07\x04")
    assert isinstance(arrival, Answered)
    centre.show(arrival.dialog, status=None)
    centre.now += 2_500
    assert isinstance(centre.type("1", info=b"\x07\x06"), Answered)


def test_where_all_sessions_have_one_number_a_redial_after_the_end_is_new(centre: Centre) -> None:
    centre.show(dialled(centre, info=b"\x00\x02"))
    arrival = centre.type("1", info=b"\x00\x04")
    assert isinstance(arrival, Answered)
    centre.show(arrival.dialog, more=False)
    centre.now += 5_001
    assert isinstance(centre.dial(info=b"\x00\x02"), Dialled)


def test_the_opening_is_known_again_after_many_turns(centre: Centre) -> None:
    sm = centre.message("*929#", 1)
    centre.give(sm, sequence=1_000)
    for number in range(6):
        arrival = centre.type(str(number))
        assert isinstance(arrival, Answered)
        centre.show(arrival.dialog)
    centre.now += 6_000
    assert isinstance(centre.give(sm, sequence=1_000), Repeated)


def test_a_copy_of_the_dial_after_further_turns_gets_nothing(centre: Centre) -> None:
    dialog = dialled(centre)
    centre.show(dialog)
    arrival = centre.type("1")
    assert isinstance(arrival, Answered)
    centre.show(arrival.dialog)
    again = centre.dial()
    assert isinstance(again, Repeated)
    assert again.answer is None


def test_a_copy_of_the_dial_that_was_superseded_starts_nothing(centre: Centre) -> None:
    first = centre.message("*929#", 1)
    centre.give(first, sequence=5)
    centre.give(centre.message("*100#", 1), sequence=6)
    again = centre.give(first, sequence=5)
    assert isinstance(again, Repeated)
    assert again.answer is None
    assert centre.dialogs.get(("main", MSISDN)).called == "*100#"  # type: ignore[union-attr]


def test_a_late_answer_to_a_finished_session_gets_an_end_text(centre: Centre) -> None:
    dialog = dialled(centre)
    centre.show(dialog)
    centre.dialogs.end(dialog, centre.now + 60_000, "timer")
    centre.now += 61_000
    arrival = centre.type("1")
    assert isinstance(arrival, Stray)
    assert arrival.farewell is not None


def test_a_copy_of_the_last_answer_after_the_end_gets_the_stored_page(centre: Centre) -> None:
    dialog = dialled(centre)
    centre.show(dialog)
    sm = centre.message("1", 0x12)
    arrival = centre.give(sm, sequence=50)
    assert isinstance(arrival, Answered)
    centre.show(arrival.dialog, "Готово", more=False)
    again = centre.give(sm, sequence=50)
    assert isinstance(again, Repeated)
    assert centre.taken_apart(again.answer).text == "Готово"


def test_after_an_abort_a_copy_gets_no_page(centre: Centre) -> None:
    sm = centre.message("*929#", 1)
    opened = centre.give(sm, sequence=1)
    assert isinstance(opened, Dialled)
    centre.show(opened.dialog)
    arrival = centre.type("", 0x81)
    assert isinstance(arrival, Aborted)
    again = centre.give(sm, sequence=1)
    assert isinstance(again, Repeated)
    assert again.answer is None


def test_a_failed_commit_is_undone(centre: Centre) -> None:
    opened = centre.dial()
    assert isinstance(opened, Dialled)
    centre.show(opened.dialog)
    before = msgspec.msgpack.encode(opened.dialog)
    sm = centre.message("1", 0x12)
    arrival = centre.give(sm, sequence=9)
    assert isinstance(arrival, Answered)
    centre.dialogs.put_back(arrival.dialog.key, arrival.before)
    assert msgspec.msgpack.encode(centre.dialogs.get(opened.dialog.key)) == before
    assert isinstance(centre.give(sm, sequence=9), Answered)
    centre.dialogs.put_back(opened.dialog.key, opened.before)
    assert (len(centre.dialogs), centre.dialogs.live) == (0, 0)


def test_a_dialog_survives_a_restart_and_still_knows_its_copies(centre: Centre) -> None:
    dialog = dialled(centre, info=b"\x07\x02")
    centre.show(dialog)
    sm = centre.message("1", 0x12, info=b"\x07\x04")
    arrival = centre.give(sm, sequence=2)
    assert isinstance(arrival, Answered)
    body = centre.channel.reply(arrival.dialog, "Вопрос 2", True, centre.now, centre.dialogs)
    stored = msgspec.msgpack.encode(arrival.dialog)

    after = Centre(centre.dialect)
    after.now = centre.now + 3_000
    restored = msgspec.msgpack.decode(stored, type=Dialog)
    assert restored == arrival.dialog
    after.dialogs.restore(restored)
    again = after.give(sm, sequence=2)
    assert isinstance(again, Repeated)
    assert again.answer == body
    # Numbers begin anew after a restart: the same sequence number on the same bind proves nothing.
    assert isinstance(after.give(after.message("1", 0x12, info=b"\x07\x06"), sequence=2), Answered)


def test_an_input_over_a_new_bind_moves_the_session_there(centre: Centre) -> None:
    dialled(centre)
    arrival = centre.give(centre.message("1", 0x12), connection=(1, 9))
    assert isinstance(arrival, Answered)
    assert arrival.dialog.connection == (1, 9)


def test_an_acknowledgement_belongs_to_its_session(centre: Centre) -> None:
    dialog = dialled(centre)
    centre.show(dialog)
    arrival = centre.type("", 0x13)
    assert isinstance(arrival, Notified)
    assert arrival.release is None
    assert centre.dialogs.live == 1


def test_ended_dialogs_are_forgotten_in_time(centre: Centre) -> None:
    for number in range(50):
        dialog = dialled(centre, msisdn=f"7916000{number:04}")
        centre.show(dialog, more=False)
    assert (len(centre.dialogs), centre.dialogs.live) == (50, 0)
    centre.now += LINGER_MS
    dialled(centre)
    assert (len(centre.dialogs), centre.dialogs.live) == (1, 1)


def test_senders_that_are_no_subscribers_are_refused(centre: Centre) -> None:
    arrival = centre.give(centre.message("*929#", 1, source=b"Gudok", source_ton=5))
    assert isinstance(arrival, Stray)
    assert (arrival.status, arrival.reason) == (0x66, "bad_source")


def test_an_unknown_operation_is_refused_for_good(centre: Centre) -> None:
    arrival = centre.type("1", 0x55)
    assert isinstance(arrival, Stray)
    assert (arrival.status, arrival.reason) == (0x66, "unknown_op")


def test_without_an_operation_a_live_dialog_takes_it_as_input(centre: Centre) -> None:
    opened = centre.give(centre.message("*929#", None))
    assert isinstance(opened, Dialled)
    centre.show(opened.dialog)
    assert isinstance(centre.give(centre.message("*929#", None)), Repeated)
    centre.now += 6_000
    arrival = centre.give(centre.message("1", None))
    assert isinstance(arrival, Answered)
    centre.show(arrival.dialog, more=False)
    centre.now += 6_000
    assert isinstance(centre.give(centre.message("2", None)), Stray)


def test_receipts_and_plain_messages_are_not_ussd(centre: Centre) -> None:
    assert isinstance(centre.give(centre.message("1", None, service_type=b"")), NotUssd)
    assert isinstance(centre.give(centre.message("id:1 stat:DELIVRD", None, esm_class=0x04)), NotUssd)


def test_the_first_of_a_repeated_tlv_wins(centre: Centre) -> None:
    sm = centre.message("*929#", None, tlvs=((0x0501, b"\x01"), (0x0501, b"\x12")))
    assert isinstance(centre.give(sm), Dialled)


def test_a_message_with_an_empty_operation_tlv_is_an_opening() -> None:
    centre = Centre(Dialect())
    sm = centre.message("*929#", None, tlvs=((0x0501, b""),))
    assert isinstance(centre.give(sm), Dialled)


def test_a_session_id_of_another_length_is_opaque_and_echoed(centre: Centre) -> None:
    dialog = dialled(centre, info=b"\x01\x02\x03")
    assert centre.show(dialog).id == b"\x01\x02\x03"
    assert isinstance(centre.type("1", info=b"\x01\x02\x04"), Stray)
    assert isinstance(centre.type("1", info=b"\x01\x02\x03"), Answered)


def test_a_hostile_session_id_is_bounded_and_storable(centre: Centre) -> None:
    dialog = dialled(centre, info=b"\xff" * 60_000)
    assert len(dialog.octets) == 64
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(dialog), type=Dialog) == dialog


def test_with_no_mask_the_session_id_is_only_echoed() -> None:
    centre = Centre(Dialect(session_id=SessionId(id_mask=0, unit_mask=0, end_bit=0)))
    dialog = dialled(centre, info=b"\x07\x02")
    assert centre.show(dialog).id == b"\x07\x02"
    arrival = centre.type("1", info=b"\x99\x55")
    assert isinstance(arrival, Answered)
    assert centre.show(arrival.dialog).id == b"\x99\x55"


def test_restore_keeps_the_later_dialog_of_a_subscriber(centre: Centre) -> None:
    older = dialled(centre)
    centre.now += 10_000
    newer = dialled(centre)
    dialogs = Dialogs()
    dialogs.restore(newer)
    dialogs.restore(older)
    assert dialogs.get(newer.key) is newer
    assert dialogs.live == 1


def test_no_repr_shows_a_number_or_a_text(centre: Centre) -> None:
    arrival = centre.dial("*929*4321#")
    assert MSISDN not in repr(arrival)
    assert "4321" not in repr(arrival)
    assert MSISDN not in repr(arrival.dialog)  # type: ignore[union-attr]
    assert "4321" not in repr(arrival.dialog)  # type: ignore[union-attr]
