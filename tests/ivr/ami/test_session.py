"""Actions and their answers, whatever comes between them."""

import random

import pytest

from ivr.ami.message import ActionError
from ivr.ami.session import ANSWER_MS, AmiSession, State
from ivr.testing.ami_server import BANNER, encoded


class Owner:
    """A session with what it has told; `ids` of the actions as they were written."""

    def __init__(self):
        self.events = []
        self.session = AmiSession("gudok", "s3cret", self.events.append, "p")
        self.done = []

    def ready(self):
        self.session.feed(BANNER, 0)
        login = self.written()
        self.session.feed(encoded([("Response", "Success"), ("ActionID", "p-1")]), 0)
        self.session.feed(encoded([("Event", "FullyBooted")]), 0)
        return login

    def written(self):
        return self.session.written().decode()

    def act(self, name, *headers, **options):
        return self.session.act(name, headers, self.done.append, 0, **options)

    def feed(self, *block):
        self.session.feed(encoded(block), 0)


@pytest.fixture
def owner():
    one = Owner()
    one.login = one.ready()
    return one


def test_login_and_full_boot_make_it_ready(owner):
    assert "Action: Login" in owner.login
    assert "Username: gudok" in owner.login
    assert owner.session.state is State.READY
    assert "s3cret" not in repr(owner.session)


def test_a_refused_login_closes_it():
    one = Owner()
    one.session.feed(BANNER, 0)
    one.session.feed(encoded([("Response", "Error"), ("ActionID", "p-1"), ("Message", "no")]), 0)
    assert one.session.state is State.CLOSED
    assert one.session.reason == "login refused: no"


def test_replies_find_their_action_in_any_order(owner):
    first, second = owner.act("Ping"), owner.act("QueuePause", ("Queue", "support"))
    owner.feed(("Response", "Error"), ("ActionID", second), ("Message", "Interface not found"))
    owner.feed(("Event", "QueueCallerJoin"), ("Queue", "support"))
    owner.feed(("Response", "Success"), ("ActionID", first))
    assert [one.error for one in owner.done] == ["Interface not found", ""]
    assert [one.event for one in owner.events] == ["QueueCallerJoin"]


def test_a_list_is_one_outcome(owner):
    action = owner.act("QueueStatus")
    owner.feed(("Response", "Success"), ("ActionID", action), ("EventList", "start"))
    owner.feed(("Event", "QueueMember"), ("ActionID", action), ("Queue", "support"))
    owner.feed(("Event", "QueueEntry"), ("Queue", "other"))
    owner.feed(("Event", "QueueEntry"), ("ActionID", action), ("Queue", "support"))
    assert owner.done == []
    owner.feed(("Event", "QueueStatusComplete"), ("ActionID", action), ("EventList", "Complete"))
    (outcome,) = owner.done
    assert [one.event for one in outcome.events] == ["QueueMember", "QueueEntry"]
    assert [one.get("Queue") for one in owner.events] == ["other"]


def test_an_originate_is_over_when_the_phone_has_been_answered_or_not(owner):
    action = owner.act("Originate", late=True)
    owner.feed(("Response", "Success"), ("ActionID", action), ("Message", "queued"))
    assert owner.done == []
    owner.feed(("Event", "OriginateResponse"), ("ActionID", action), ("Response", "Failure"), ("Reason", "5"))
    (outcome,) = owner.done
    assert not outcome.done
    assert outcome.events[0].number("Reason") == 5


def test_an_action_without_an_answer_is_given_up(owner):
    owner.act("Ping")
    owner.session.tick(ANSWER_MS - 1)
    assert owner.done == []
    owner.session.tick(ANSWER_MS)
    assert [one.error for one in owner.done] == ["no answer in time"]


def test_the_end_of_the_connection_is_told_to_whoever_waits(owner):
    owner.act("Ping")
    owner.act("Ping")
    owner.session.close("Asterisk closed it")
    assert [one.error for one in owner.done] == ["connection lost: Asterisk closed it"] * 2
    owner.act("Ping")
    assert owner.done[-1].error == "not connected"


def test_a_reply_to_nobody_and_a_second_reply_change_nothing(owner):
    action = owner.act("Ping")
    owner.feed(("Response", "Success"), ("ActionID", "p-99"))
    owner.feed(("Response", "Success"), ("ActionID", action))
    owner.feed(("Response", "Error"), ("ActionID", action), ("Message", "again"))
    assert [one.error for one in owner.done] == [""]


def test_a_bad_header_sends_nothing(owner):
    owner.written()
    with pytest.raises(ActionError):
        owner.act("Originate", ("Exten", "100\r\nAction: Command"))
    assert owner.written() == ""
    owner.session.close("end")
    assert owner.done == []


@pytest.mark.parametrize("seed", range(20))
def test_any_interleaving_of_replies_and_events_gives_every_action_its_own(owner, seed):
    dice = random.Random(seed)
    actions = [owner.act("QueueStatus") for _ in range(5)]
    streams = []
    for number, action in enumerate(actions):
        of_list = [("Event", "QueueEntry"), ("ActionID", action), ("Queue", f"q{number}")]
        streams.append([
            [("Response", "Success"), ("ActionID", action), ("EventList", "start")],
            *[of_list] * dice.randrange(4),
            [("Event", "QueueStatusComplete"), ("ActionID", action), ("EventList", "Complete")],
        ])  # fmt: skip
    wanted = {f"q{number}": len(stream) - 2 for number, stream in enumerate(streams)}
    data = b""
    while any(streams):
        stream = dice.choice([one for one in streams if one])
        data += encoded(stream.pop(0))
        if dice.random() < 0.3:
            data += encoded([("Event", "Newchannel"), ("Uniqueid", "1.1")])
    while data:
        cut = dice.randrange(1, 60)
        owner.session.feed(data[:cut], 0)
        data = data[cut:]
    found = {}
    for outcome in owner.done:
        assert outcome.done
        names = {one.get("Queue") for one in outcome.events}
        assert len(names) <= 1
        for name in names:
            found[name] = len(outcome.events)
    assert len(owner.done) == 5
    assert found == {name: count for name, count in wanted.items() if count}
