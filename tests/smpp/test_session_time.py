"""Every timer of a session, on a hand clock; and the table of states, tried everywhere."""

import pytest

from smpp.event import Closed, Failed
from smpp.session import Session
from smpp.settings import Timers
from smpp.state import BOUND, TRANSITIONS, Input, Role, State
from tests.smpp.session_pair import TRX, Pair, bound_esme, pdu


def ends(events) -> list[str]:
    return [event.reason for event in events if isinstance(event, Closed)]


def test_a_bind_that_is_not_answered_ends_after_ten_seconds():
    pair = Pair()
    pair.esme.start_bind(TRX, b"", pair.now)
    assert pair.esme.next_deadline() == pair.now + 10_000
    assert pair.esme.on_time(pair.now + 9_999) == []
    assert ends(pair.esme.on_time(pair.now + 10_000)) == ["no answer to the bind"]


def test_a_centre_waits_ten_seconds_for_the_bind():
    session = Session(Role.SMSC, 0, timers=Timers(enquire_after_ms=0))
    assert session.next_deadline() == 10_000
    assert ends(session.on_time(10_000)) == ["no bind came"]


def test_each_request_has_its_own_time_and_the_session_lives_on():
    pair = bound_esme()
    pair.esme.submit(b"", "first", pair.now)
    pair.esme.submit(b"", "second", pair.now + 5_000)
    (late,) = pair.esme.on_time(pair.now + 30_000)
    assert (late.token, late.reason) == ("first", "timeout")
    pair.give(pdu(0x15, 1))
    assert isinstance(pair.esme.on_time(pair.now + 35_000)[0], Failed)
    assert pair.esme.bound


def test_after_thirty_idle_seconds_one_enquire_link_goes_out():
    pair = bound_esme()
    assert pair.esme.next_deadline() == pair.now + 30_000
    pair.esme.on_time(pair.now + 29_999)
    assert pair.sent() == []
    pair.esme.on_time(pair.now + 30_000)
    pair.esme.on_time(pair.now + 34_000)
    assert pair.sent() == [(0x15, 0, 2, b"")]


def test_traffic_puts_the_enquiry_off():
    pair = bound_esme()
    pair.now += 20_000
    pair.give(pdu(0x05, 1, b"x"))
    pair.esme.on_time(pair.now + 29_999)
    assert pair.sent() == []


def test_an_answered_enquiry_starts_the_idle_time_again():
    pair = bound_esme()
    pair.now += 30_000
    pair.esme.on_time(pair.now)
    pair.sent()
    pair.give(pdu(0x80000015, 2))
    assert pair.esme.on_time(pair.now + 10_000) == []
    assert pair.esme.bound
    assert pair.esme.next_deadline() == pair.now + 30_000


def test_a_peer_that_nacks_the_enquiry_is_alive_all_the_same():
    pair = bound_esme()
    pair.now += 30_000
    pair.esme.on_time(pair.now)
    pair.give(pdu(0x80000000, 2, status=3))
    assert pair.esme.on_time(pair.now + 10_000) == []
    assert pair.esme.bound


def test_an_enquiry_without_answer_drops_the_connection_after_ten_seconds():
    pair = bound_esme(timers=Timers(response_ms=60_000))
    pair.now += 20_000
    pair.esme.submit(b"", "a", pair.now)
    pair.now += 10_000
    pair.esme.on_time(pair.now)
    assert pair.esme.on_time(pair.now + 9_999) == []
    failed, closed = pair.esme.on_time(pair.now + 10_000)
    assert (failed.token, failed.reason) == ("a", "closed")
    assert closed == Closed("no answer to enquire_link")


def test_without_enquiries_two_silent_minutes_drop_the_connection():
    pair = bound_esme(timers=Timers(enquire_after_ms=0))
    assert pair.esme.next_deadline() == pair.now + 120_000
    assert pair.esme.on_time(pair.now + 119_999) == []
    assert ends(pair.esme.on_time(pair.now + 120_000)) == ["nothing came for too long"]


def test_the_rest_of_a_pdu_has_ten_seconds_however_slowly_it_drips():
    pair = bound_esme()
    data = pdu(0x05, 1, b"x" * 30)
    for index in range(10):
        pair.give(data[index : index + 1])
        assert pair.esme.on_time(pair.now) == []
        pair.now += 1_000
    assert ends(pair.esme.on_time(pair.now)) == ["the rest of a PDU did not come"]


def test_a_pdu_that_came_whole_stops_that_timer():
    pair = bound_esme()
    data = pdu(0x05, 1, b"x" * 30)
    pair.give(data[:20])
    pair.now += 9_000
    assert len(pair.give(data[20:])) == 1
    assert pair.esme.on_time(pair.now + 10_000) == []


def test_the_timer_counts_from_the_pdu_that_is_unfinished_now():
    pair = bound_esme()
    data = pdu(0x05, 1, b"x" * 30)
    pair.give(data[:20])
    pair.now += 9_000
    pair.give(data[20:] + data[:20])
    assert pair.esme.on_time(pair.now + 9_999) == []
    assert ends(pair.esme.on_time(pair.now + 10_000)) == ["the rest of a PDU did not come"]


def test_unbind_waits_five_seconds_for_answers_and_five_for_its_own():
    pair = bound_esme()
    pair.esme.submit(b"", "a", pair.now)
    pair.esme.unbind(pair.now)
    pair.sent()
    pair.esme.on_time(pair.now + 4_999)
    assert pair.sent() == []
    pair.esme.on_time(pair.now + 5_000)
    assert [command for command, *_ in pair.sent()] == [0x06]
    assert pair.esme.on_time(pair.now + 9_999) == []
    failed, closed = pair.esme.on_time(pair.now + 10_000)
    assert (failed.token, failed.reason) == ("a", "closed")
    assert closed == Closed("no answer to the unbind")


def test_a_session_never_bound_ends_at_once_when_told_to_leave():
    pair = Pair()
    pair.esme.start_bind(TRX, b"", pair.now)
    assert ends(pair.esme.unbind(pair.now)) == ["closed before it was bound"]


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("step", Input)
def test_a_pair_that_is_not_in_the_table_is_refused_and_changes_nothing(state, step):
    session = Session(Role.ESME, 0)
    session.state = state
    target = TRANSITIONS.get((state, step))
    if target is None:
        with pytest.raises(ValueError, match="cannot happen while the session is"):
            session._move(step)
        assert session.state is state
    else:
        session._move(step)
        assert session.state is target


def test_the_table_never_leaves_closed_and_only_a_bind_leads_to_bound():
    for (state, step), target in TRANSITIONS.items():
        assert state is not State.CLOSED or target is State.CLOSED
        if target in BOUND:
            assert state is State.BINDING
        assert (step is Input.LOST) <= (target is State.CLOSED)
