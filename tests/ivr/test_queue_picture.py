"""Who waits and who answers, from events; a time-out is not an abandonment."""

import pytest

from ivr.ami.message import Message
from ivr.queue_picture import OPEN_MS, QueuePicture


def event(name, **fields):
    return Message((("Event", name), *((key, str(value)) for key, value in fields.items())))


def join(picture, identity, now, queue="support", position=1):
    picture.event(event("QueueCallerJoin", Queue=queue, Uniqueid=identity, Position=position), now)


def leave(picture, identity, now):
    picture.event(event("QueueCallerAbandon", Queue="support", Uniqueid=identity), now)
    picture.event(event("QueueCallerLeave", Queue="support", Uniqueid=identity), now)


def ends(picture):
    return [(one.end, one.waited_ms) for one in picture.finished()]


def test_an_answered_call_as_asterisk_tells_it():
    picture = QueuePicture()
    join(picture, "1.1", 1_000)
    picture.event(event("AgentCalled", Uniqueid="1.1", Queue="support"), 2_000)
    picture.event(event("QueueCallerLeave", Uniqueid="1.1", Queue="support"), 8_000)
    picture.event(event("AgentConnect", Uniqueid="1.1", Queue="support", HoldTime=7, RingTime=2), 8_010)
    assert picture.queue_length("support") == 0
    assert picture.finished() == []
    picture.event(
        event("AgentComplete", Uniqueid="1.1", Queue="support", HoldTime=7, TalkTime=65, Reason="agent"),
        73_000,
    )
    (wait,) = picture.finished()
    assert (wait.end, wait.waited_ms, wait.talk_ms) == ("answered", 7_000, 65_000)
    assert picture.finished() == []


def test_a_time_out_is_known_by_the_report_of_the_dialplan():
    picture = QueuePicture()
    join(picture, "1.1", 0)
    leave(picture, "1.1", 5_000)
    assert picture.queue_length("support") == 0
    picture.reported("1.1", "TIMEOUT", 5_200)
    picture.event(event("Hangup", Uniqueid="1.1"), 9_000)
    assert ends(picture) == [("timeout", 5_000)]


def test_a_caller_who_hangs_up_has_abandoned():
    picture = QueuePicture()
    join(picture, "1.1", 0)
    leave(picture, "1.1", 2_000)
    assert picture.finished() == []
    picture.event(event("Hangup", Uniqueid="1.1"), 2_010)
    assert ends(picture) == [("abandoned", 2_000)]


def test_a_caller_of_whom_nothing_more_is_heard_has_abandoned():
    picture = QueuePicture()
    join(picture, "1.1", 0)
    leave(picture, "1.1", 2_000)
    picture.tick(2_000 + OPEN_MS)
    assert picture.finished() == []
    picture.tick(2_001 + OPEN_MS)
    assert ends(picture) == [("abandoned", 2_000)]


@pytest.mark.parametrize("status", ["FULL", "JOINEMPTY", "LEAVEEMPTY", "UNKNOWN"])
def test_other_ends_are_neither_answered_nor_abandoned(status):
    picture = QueuePicture()
    join(picture, "1.1", 0)
    leave(picture, "1.1", 1_000)
    picture.reported("1.1", status, 1_100)
    assert ends(picture) == [("other", 1_000)]


def test_placeholders_of_callbacks_are_in_no_figure():
    picture = QueuePicture()
    join(picture, "cb-512-1", 0)
    assert picture.queue_length("support") == 0
    leave(picture, "cb-512-1", 1_000)
    picture.event(event("Hangup", Uniqueid="cb-512-1"), 1_000)
    assert picture.finished() == []


def test_after_a_reconnect_the_picture_is_the_list():
    picture = QueuePicture()
    join(picture, "1.1", 0)
    picture.resync(
        [
            event("QueueParams", Queue="support", Calls=2),
            event("QueueMember", Queue="support", Location="PJSIP/agent1", Status=1, Paused=0),
            event("QueueMember", Queue="support", Location="PJSIP/agent2", Status=5, Paused=0),
            event("QueueMember", Queue="support", Location="PJSIP/agent3", Status=1, Paused=1),
            event("QueueEntry", Queue="support", Uniqueid="2.2", Wait=12, Position=1),
        ],
        60_000,
    )
    assert picture.queue_length("support") == 1
    assert (picture.staffed("support"), picture.free("support")) == (1, 1)
    leave(picture, "2.2", 61_000)
    picture.event(event("Hangup", Uniqueid="2.2"), 61_000)
    assert ends(picture) == [("abandoned", 13_000)]


def test_the_expected_wait_grows_with_those_ahead_and_falls_with_people():
    picture = QueuePicture()

    def member(name, status):
        picture.event(
            event("QueueMemberStatus", Queue="support", Interface=f"PJSIP/{name}", Status=status, Paused=0), 0
        )

    assert picture.expected_wait_s("support", 180) == 180
    member("a", 1)
    assert picture.expected_wait_s("support", 180) == 0
    member("a", 2)
    assert picture.expected_wait_s("support", 180) == 180
    for number in range(3):
        join(picture, f"1.{number}", 0)
    assert picture.expected_wait_s("support", 180) == 720
    member("b", 2)
    assert picture.expected_wait_s("support", 180) == 360
