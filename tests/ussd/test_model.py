"""Random lives of three subscribers against a simple model.

What must hold whatever happens: nobody gets another's page, no message has two effects, no fresh message is
swallowed, input never starts a flow, and after an end nothing is submitted.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from smpp.pdu.message import Sm
from ussd.arrival import Aborted, Answered, Arrival, Dialled, Repeated, Stray
from ussd.dialect import Dialect
from ussd.dialog import Dialog

from .conftest import Centre

WHO = st.sampled_from(["79160000001", "79160000002", "79160000003"])
KEYS = st.sampled_from(["1", "5", "*929#"])


@dataclass
class Subscriber:
    """What the model knows: the dialog it believes in, its opening, the messages that had an effect."""

    dialog: Dialog | None = None
    acked: bool = False
    accepted: list[tuple[Sm, int, tuple[int, int]]] = field(default_factory=list)
    last_dial: tuple[str, int] = ("", -1_000_000)


class Lives(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.centre = Centre(Dialect())
        self.people: dict[str, Subscriber] = {}
        self.effects: dict[tuple[int, tuple[int, int]], int] = {}

    def send(self, who: str, sm: Sm) -> Arrival:
        self.centre.sequence += 1
        sequence, connection = self.centre.sequence, self.centre.connection
        arrival = self.centre.give(sm, sequence=sequence, connection=connection)
        self.count(arrival, sequence, connection)
        if isinstance(arrival, Dialled | Answered):
            self.person(who).accepted.append((sm, sequence, connection))
        return arrival

    def count(self, arrival: Arrival, sequence: int, connection: tuple[int, int]) -> None:
        if isinstance(arrival, Dialled | Answered | Aborted):
            key = (sequence, connection)
            self.effects[key] = self.effects.get(key, 0) + 1

    def person(self, who: str) -> Subscriber:
        return self.people.setdefault(who, Subscriber())

    @rule(who=WHO, text=st.sampled_from(["*929#", "*100#"]))
    def dial(self, who: str, text: str) -> None:
        person = self.person(who)
        arrival = self.send(who, self.centre.message(text, 1, msisdn=who))
        # A dial while the one before it was another code, or is long ago, must open a session.
        if person.last_dial[0] != text or self.centre.now - person.last_dial[1] > 5_000:
            assert isinstance(arrival, Dialled)
        if isinstance(arrival, Dialled):
            if person.dialog is not None and person.dialog.live:
                assert arrival.superseded is not None
            assert arrival.dialog.msisdn == who
            person.dialog, person.acked = arrival.dialog, False
            person.accepted = person.accepted[-1:]
            person.last_dial = (text, self.centre.now)
        else:
            assert isinstance(arrival, Repeated)

    @rule(who=WHO, text=KEYS)
    def type(self, who: str, text: str) -> None:
        person = self.person(who)
        arrival = self.send(who, self.centre.message(text, 0x12, msisdn=who))
        assert not isinstance(arrival, Dialled)
        live = person.dialog is not None and person.dialog.live
        if not live:
            assert isinstance(arrival, Stray | Repeated)
        elif person.acked:
            assert isinstance(arrival, Answered)
        if isinstance(arrival, Answered):
            assert live
            assert arrival.dialog.msisdn == who
            person.dialog, person.acked = arrival.dialog, False
        if isinstance(arrival, Stray) and arrival.farewell is not None:
            assert self.centre.taken_apart(arrival.farewell).to == who

    @rule(who=WHO, elsewhere=st.booleans(), back=st.integers(0, 2))
    def redeliver(self, who: str, elsewhere: bool, back: int) -> None:
        """A copy with the sequence number of the first has no effect; over another connection neither,
        if it is of the newest message and our page is unanswered."""
        person = self.person(who)
        if not person.accepted:
            return
        person_dialog = person.dialog
        assert person_dialog is not None
        newest = back == 0 or len(person.accepted) <= back
        sm, sequence, connection = person.accepted[-1 if newest else -1 - back]
        opening = sm.tlv(0x0501) == b"\x01"
        if elsewhere:
            if not newest or opening or person.acked:
                return
            self.centre.sequence += 1
            sequence, connection = self.centre.sequence, (1, 7)
        arrival = self.centre.give(sm, sequence=sequence, connection=connection)
        assert isinstance(arrival, Repeated)
        self.count(arrival, sequence, connection)
        if arrival.answer is not None:
            assert self.centre.taken_apart(arrival.answer).to == who
            assert newest

    @rule(who=WHO, more=st.booleans(), accepted=st.booleans())
    def answer(self, who: str, more: bool, accepted: bool) -> None:
        person = self.person(who)
        dialog = person.dialog
        if dialog is None:
            return
        was_live = dialog.live
        body = self.centre.channel.reply(dialog, "Меню", more, self.centre.now, self.centre.dialogs)
        assert (body is not None) is was_live
        if body is None:
            return
        assert self.centre.taken_apart(body).to == who
        if accepted:
            self.centre.channel.shown(
                dialog.key, dialog.opened_at, dialog.page, 0, self.centre.now, self.centre.dialogs
            )
        person.acked = accepted

    @rule(who=WHO)
    def abort(self, who: str) -> None:
        person = self.person(who)
        live = person.dialog is not None and person.dialog.live
        arrival = self.send(who, self.centre.message("", 0x81, msisdn=who))
        assert isinstance(arrival, Aborted if live else Stray)
        if isinstance(arrival, Aborted):
            person.dialog = arrival.dialog

    @precondition(lambda self: self.people)
    @rule(who=WHO)
    def fail_to_commit(self, who: str) -> None:
        person = self.person(who)
        if person.dialog is None or not person.dialog.live:
            return
        sm = self.centre.message("7", 0x12, msisdn=who)
        self.centre.sequence += 1
        arrival = self.centre.give(sm, sequence=self.centre.sequence)
        assert isinstance(arrival, Answered)
        self.centre.dialogs.put_back(arrival.dialog.key, arrival.before)

    @rule(step=st.sampled_from([1, 400, 1_000, 3_000, 6_000]))
    def wait(self, step: int) -> None:
        self.centre.now += step

    @invariant()
    def no_message_has_two_effects(self) -> None:
        assert all(times == 1 for times in self.effects.values())

    @invariant()
    def the_live_ones_are_counted(self) -> None:
        live = sum(person.dialog is not None and person.dialog.live for person in self.people.values())
        assert self.centre.dialogs.live == live


Lives.TestCase.settings = settings(max_examples=120, stateful_step_count=40, derandomize=True, deadline=None)
TestLives = Lives.TestCase
