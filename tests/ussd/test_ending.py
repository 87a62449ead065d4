"""How dialogs end, by whom, and that nothing is submitted afterwards (smpp-ussd.md 1.6)."""

from __future__ import annotations

import pytest

from ussd.arrival import Aborted, Answered, Dialled, Notified, Stray
from ussd.dialect import Dialect, OpOut, SessionId
from ussd.dialog import LINGER_MS, Dialog
from ussd.operation import Event

from .conftest import MSISDN, Centre

SMPP_PLUS = Dialect(op_out=OpOut(release=0x80), session_id=SessionId(0x1501, 4, 0xFFFFFFFF, 0, 0))
INVERTED = Dialect(session_id=SessionId(end_when_set=False))
HIGH = Dialect(session_id=SessionId(id_mask=0x7FFF, unit_mask=0, end_bit=0x8000))
TATA = Dialect(op_out=OpOut(end=0x02))
LETTERS = Dialect(
    letters=True,
    op_in={b"BR": Event.NEW, b"CA": Event.INPUT, b"CN": Event.NOTIFY_ACK, b"AR": Event.ABORT},
    op_out=OpOut(b"CR", b"EF", b"CN", b"BR", b"EF", b"EN"),
)


def opened(centre: Centre, **fields: object) -> Dialog:
    arrival = centre.dial(**fields)  # type: ignore[arg-type]
    assert isinstance(arrival, Dialled)
    return arrival.dialog


def assert_over(centre: Centre, dialog: Dialog) -> None:
    assert centre.channel.reply(dialog, "поздно", True, centre.now, centre.dialogs) is None
    assert centre.channel.release(dialog, centre.now, centre.dialogs) is None
    assert centre.dialogs.live == 0


@pytest.mark.parametrize(
    ("dialect", "info", "menu", "end"),
    [
        (Dialect(), None, (0x02, None), (0x11, None)),
        (Dialect(), b"\x07\x02", (0x02, b"\x07\x02"), (0x11, b"\x07\x03")),
        (INVERTED, b"\x07\x03", (0x02, b"\x07\x03"), (0x11, b"\x07\x02")),
        (HIGH, b"\x07\x02", (0x02, b"\x07\x02"), (0x11, b"\x87\x02")),
        (TATA, b"\x07\x02", (0x02, b"\x07\x02"), (0x02, b"\x07\x03")),
        (SMPP_PLUS, b"\0\0\1\2", (0x02, b"\0\0\1\2"), (0x11, b"\0\0\1\2")),
        (Dialect(op_out=OpOut(menu=0x96, end=0x83)), None, (0x96, None), (0x83, None)),
    ],
    ids=["no id", "end bit", "inverted", "high end bit", "end bit only", "smpp+", "0x83"],
)
def test_the_flow_ends_a_dialog(
    dialect: Dialect, info: bytes | None, menu: tuple[int, bytes | None], end: tuple[int, bytes | None]
) -> None:
    centre = Centre(dialect)
    dialog = opened(centre, info=info)
    shown = centre.show(dialog)
    assert (shown.op, shown.id) == menu
    shown = centre.show(dialog, "Готово", more=False)
    assert (shown.op, shown.id, shown.text) == (*end, "Готово")
    assert dialog.ended_by == "flow"
    assert_over(centre, dialog)


def test_letters_in_service_type_carry_the_operation() -> None:
    centre = Centre(LETTERS)
    arrival = centre.give(centre.message("*929#", None, service_type=b"BR"))
    assert isinstance(arrival, Dialled)
    shown = centre.show(arrival.dialog)
    assert (shown.sm.service_type, shown.op) == (b"CR", None)
    answer = centre.give(centre.message("1", None, service_type=b"CA"))
    assert isinstance(answer, Answered)
    shown = centre.show(answer.dialog, "Готово", more=False)
    assert (shown.sm.service_type, shown.to, shown.text) == (b"EF", MSISDN, "Готово")
    stray = centre.give(centre.message("2", None, service_type=b"CA"))
    assert isinstance(stray, Stray)
    assert centre.taken_apart(stray.farewell).sm.service_type == b"EF"


def test_a_release_without_a_text_where_the_centre_has_one() -> None:
    centre = Centre(SMPP_PLUS)
    dialog = opened(centre)
    shown = centre.taken_apart(centre.channel.release(dialog, centre.now, centre.dialogs))
    assert (shown.op, shown.text) == (0x80, "")
    assert_over(centre, dialog)


def test_a_release_elsewhere_is_the_end_with_an_empty_text(centre: Centre) -> None:
    dialog = opened(centre)
    shown = centre.taken_apart(centre.channel.release(dialog, centre.now, centre.dialogs))
    assert (shown.op, shown.text) == (0x11, "")
    assert_over(centre, dialog)


def test_a_release_indication_aborts(centre: Centre) -> None:
    dialog = opened(centre)
    centre.show(dialog)
    arrival = centre.type("", 0x81)
    assert isinstance(arrival, Aborted)
    assert arrival.before is dialog
    assert_over(centre, arrival.dialog)
    assert isinstance(centre.type("", 0x81), Stray)


def test_an_empty_message_with_the_end_bit_aborts(centre: Centre) -> None:
    dialog = opened(centre, info=b"\x07\x02")
    centre.show(dialog)
    arrival = centre.type("", info=b"\x07\x05")
    assert isinstance(arrival, Aborted)
    assert_over(centre, arrival.dialog)


@pytest.mark.parametrize(("op", "info"), [(0x92, b"\x07\x04"), (0x12, b"\x07\x05")], ids=["0x92", "end bit"])
def test_the_last_input_is_heard_but_cannot_be_answered(centre: Centre, op: int, info: bytes) -> None:
    dialog = opened(centre, info=b"\x07\x02")
    centre.show(dialog)
    arrival = centre.type("1", op, info=info)
    assert isinstance(arrival, Answered)
    assert (arrival.text, arrival.last) == ("1", True)
    assert_over(centre, arrival.dialog)


def test_a_dial_with_the_end_bit_is_still_a_dial(centre: Centre) -> None:
    dialog = opened(centre, info=b"\x07\x03")
    assert centre.show(dialog).op == 2


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (1031, "gone"),
        (1032, "too_long"),
        (1035, "timed_out"),
        (1036, "locked"),
        (1027, "timed_out"),
        (1028, "unreachable"),
        (1039, "charging_refused"),
        (1044, "handset_full"),
        (0x0B, "failed"),
        (0x444, "failed"),
    ],
)
def test_a_refused_page_ends_the_dialog_with_its_meaning(centre: Centre, status: int, reason: str) -> None:
    dialog = opened(centre)
    centre.show(dialog, status=None)
    told = centre.channel.shown(dialog.key, dialog.opened_at, dialog.page, status, centre.now, centre.dialogs)
    assert told == reason
    assert dialog.ended_by == "network"
    assert_over(centre, dialog)


def test_a_refused_last_page_is_told_too(centre: Centre) -> None:
    dialog = opened(centre)
    centre.show(dialog, more=False, status=None)
    told = centre.channel.shown(dialog.key, dialog.opened_at, dialog.page, 1031, centre.now, centre.dialogs)
    assert told == "gone"


def test_a_response_to_an_earlier_dialog_or_page_says_nothing(centre: Centre) -> None:
    dialog = opened(centre)
    centre.show(dialog)
    shown = centre.channel.shown
    assert shown(dialog.key, dialog.opened_at - 1, 1, 1031, centre.now, centre.dialogs) is None
    assert shown(dialog.key, dialog.opened_at, dialog.page - 1, 1031, centre.now, centre.dialogs) is None
    assert shown(("main", "79990000000"), 1, 1, 1031, centre.now, centre.dialogs) is None
    assert dialog.live


@pytest.mark.parametrize(
    ("failure", "lost"),
    [("unsent", True), ("closed", True), ("nack", True), ("timeout", False), ("wrong_response", False)],
)
def test_without_its_bind_a_session_is_lost(centre: Centre, failure: str, lost: bool) -> None:
    dialog = opened(centre)
    centre.show(dialog, status=None)
    told = centre.channel.unanswered(
        dialog.key, dialog.opened_at, dialog.page, failure, centre.now, centre.dialogs
    )
    assert told == ("lost" if lost else None)
    assert dialog.live is not lost


def test_two_ends_are_one(centre: Centre) -> None:
    dialog = opened(centre)
    centre.dialogs.end(dialog, 5, "timer")
    centre.dialogs.end(dialog, 6, "network")
    assert (dialog.ended_at, dialog.ended_by, centre.dialogs.live) == (5, "timer", 0)


# Dialogs that we begin


def begun(centre: Centre) -> Dialog:
    dialog = centre.channel.open(MSISDN, "*929#", centre.now, centre.dialogs)
    assert dialog is not None
    return dialog


@pytest.mark.parametrize(
    ("ni_end", "op", "info"),
    [("end", 0x11, b"\x09\x05"), ("notify_last", 0x83, b"\x09\x05"), ("end_bit", 0x02, b"\x09\x05")],
)
def test_a_network_initiated_dialog_ends_as_the_dialect_says(ni_end: str, op: int, info: bytes) -> None:
    centre = Centre(Dialect(ni_end=ni_end))
    dialog = begun(centre)
    shown = centre.show(dialog, "Оцените разговор")
    assert (shown.op, shown.to, shown.sender, shown.id) == (0x02, MSISDN, "929", None)
    arrival = centre.type("5", info=b"\x09\x04")
    assert isinstance(arrival, Answered)
    shown = centre.show(arrival.dialog, "Спасибо", more=False)
    assert (shown.op, shown.id, shown.text) == (op, info, "Спасибо")
    assert_over(centre, arrival.dialog)


def test_a_network_initiated_dialog_is_released_after_its_last_text() -> None:
    centre = Centre(Dialect(ni_end="release", op_out=OpOut(release=0x80)))
    dialog = begun(centre)
    centre.show(dialog)
    arrival = centre.type("5")
    assert isinstance(arrival, Answered)
    shown = centre.show(arrival.dialog, "Спасибо", more=False)
    assert (shown.op, shown.text) == (0x03, "Спасибо")
    acknowledged = centre.type("", 0x13)
    assert isinstance(acknowledged, Notified)
    shown = centre.taken_apart(acknowledged.release)
    assert (shown.op, shown.text) == (0x80, "")
    assert_over(centre, acknowledged.dialog)


def test_a_release_whose_acknowledgement_never_comes_is_forgotten() -> None:
    centre = Centre(Dialect(ni_end="release", op_out=OpOut(release=0x80)))
    dialog = begun(centre)
    centre.show(dialog)
    centre.show(dialog, "Спасибо", more=False)
    assert centre.dialogs.live == 1
    centre.now += LINGER_MS
    opened(centre, msisdn="79990000001")
    assert (len(centre.dialogs), centre.dialogs.live) == (1, 1)


def test_a_push_is_one_notification_and_its_acknowledgement_is_no_stray(centre: Centre) -> None:
    dialog = begun(centre)
    shown = centre.show(dialog, "Пакет обновлён", more=False)
    assert shown.op == 0x03
    assert_over(centre, dialog)
    assert isinstance(centre.type("", 0x13), Notified)


def test_we_do_not_begin_where_a_dialog_lives(centre: Centre) -> None:
    opened(centre)
    assert centre.channel.open(MSISDN, "*929#", centre.now, centre.dialogs) is None
    centre.now += centre.dialect.total_ms
    assert centre.channel.open(MSISDN, "*929#", centre.now, centre.dialogs) is not None


# Time


def test_the_time_limits_of_a_dialog(centre: Centre) -> None:
    dialog = opened(centre)
    start = centre.now
    assert dialog.time_left(start + 4_000) == 6_000
    assert dialog.next_deadline() == start + 10_000
    assert (dialog.overdue(start + 9_999), dialog.overdue(start + 10_000)) == (None, "answer")
    centre.now += 1_000
    centre.show(dialog)
    assert dialog.time_left(centre.now) == 0
    assert dialog.next_deadline() == centre.now + 60_000
    assert (dialog.overdue(centre.now + 59_999), dialog.overdue(centre.now + 60_000)) == (None, "idle")
    centre.now += 50_000
    arrival = centre.type("1")
    assert isinstance(arrival, Answered)
    assert arrival.dialog.overdue(start + 179_999) == "answer"
    assert arrival.dialog.overdue(start + 180_000) == "total"
    centre.show(arrival.dialog, more=False)
    assert arrival.dialog.next_deadline() is None
    assert arrival.dialog.overdue(start + 999_999) is None
