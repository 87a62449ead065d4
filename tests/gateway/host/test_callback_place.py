"""Callbacks that stand in a queue of calls: placed in order, called once, given to people when in doubt."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from gateway.host import callback_place
from gateway.host.callback_place import CallbackPlaces
from gateway.host.kept_place import PEOPLE, STANDS
from gateway.store.record import TaskRow, TaskState
from ivr.ami.placeholder import News, Placeholder
from ivr.queue_key import queue_priority
from tests.gateway.host.rig import FILES, PHONE, PROJECT, Rig, failing, rigged

OTHER = "79160000002"
QUEUES = """\
queues:
  quality: { hours: 00:00-24:00 }
  outgoing: { hours: 00:00-24:00 }
  day: { hours: 09:00-09:01 }
  office: { hours: 08:00-22:00 }
"""
ORDER = """\
flow:
  title: Обратный звонок
  ussd: "*5{number}#"

start:
  - callback: {queue}
    within: 4h
    note: Оценка 2, вопрос не решён
  - end: Перезвоним.
"""
QUEUE_OF = {"2": "quality", "3": "outgoing", "4": "day", "5": "office"}
AGREED = """\
flow:
  title: Звонок к сроку
  ussd: "*56#"

start:
  - callback: quality
    at: now + hours(1)
  - end: Перезвоним.
"""


class PaperStanding:
    """Stands for the Asterisks: notes who is put into a queue, and says what the test wants."""

    def __init__(self) -> None:
        self.on_duty = {"quality", "outgoing", "day", "office"}
        self.places: list[Placeholder] = []
        self.done: list[Callable[[str], None]] = []
        self.withdrawn: list[str] = []
        self.there: bool | None = True
        self.marks: dict[str, str] = {}
        self.limit = 10

    def room(self, queue: str) -> str:
        return "main" if queue in self.on_duty else ""

    def most(self, name: str) -> int:
        return self.limit

    def place(self, name: str, place: Placeholder, done: Callable[[str], None]) -> None:
        self.places.append(place)
        self.done.append(done)

    def stands(self, name: str, identity: str) -> bool | None:
        return self.there

    def withdraw(self, name: str, identity: str) -> None:
        self.withdrawn.append(identity)

    def mark(self, name: str, identity: str, done: Callable[[str | None], None]) -> None:
        done(None if self.there is None else self.marks.get(identity, ""))


class Desk:
    """A gateway with orders and a queue of calls on paper."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.standing = PaperStanding()
        self.begin()

    def begin(self) -> None:
        """Begin with what the store holds, as after a start."""
        gateway = self.rig.gateway
        self.places = CallbackPlaces(gateway.host, gateway.tasks, self.standing)
        self.places.load(gateway.store.load(self.rig.clock.now()).schedule)

    async def order(self, phone: str = PHONE, number: str = "2", session: int = 1) -> TaskRow:
        await self.rig.dial(f"*5{number}#", phone, session)
        rows = [row for row in self.rig.gateway.tasks.open.values() if row.subscriber == phone]
        return max(rows, key=lambda row: row.number)

    async def wait(self, ms: int = callback_place.LOOK_MS) -> None:
        """Let time pass in one step."""
        self.rig.clock.advance(ms)
        self.places.tend(self.rig.clock.now())
        await self.rig.idle()

    async def hear(self, step: str, place: Placeholder | None = None, **given: str) -> None:
        self.places.heard(News((place or self.standing.places[-1]).identity, step, **given))
        await self.rig.idle()

    def row(self, number: int) -> TaskRow:
        row = self.rig.gateway.store.find_task(number)
        assert row is not None
        return row


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    files = {**FILES, "config/project.yaml": PROJECT + QUEUES, "flows/agreed.yaml": AGREED}
    for number, queue in QUEUE_OF.items():
        text = ORDER.replace("{number}", number).replace("{queue}", queue)
        files[f"flows/order_{queue}.yaml"] = text
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    async with rigged(tmp_path, monkeypatch) as rig:
        yield Desk(rig)


async def test_an_order_stands_in_its_queue_with_its_key_until_the_talk_is_over(desk: Desk):
    row = await desk.order()
    ordered = desk.rig.clock.now()
    await desk.wait()
    (place,) = desk.standing.places
    assert (place.queue, place.number, place.priority) == ("quality", PHONE, queue_priority(ordered, 0))
    assert place.note == "Оценка 2; вопрос не решён"
    desk.standing.done[0]("answered")
    await desk.hear("agent")
    assert desk.row(row.number).state is TaskState.TAKEN
    await desk.hear("left", status="", result="unsolved")
    await desk.hear("over", mark="2", status="ANSWER")
    done = desk.row(row.number)
    assert (done.state, done.result) == (TaskState.DONE, "unsolved")
    await desk.wait(600_000)
    assert len(desk.standing.places) == 1
    assert desk.rig.gateway.store.load(0).schedule == ()


async def test_what_the_agent_says_of_the_talk_may_come_after_its_end_or_not_at_all(desk: Desk):
    first, second = await desk.order(), await desk.order(OTHER, session=2)
    await desk.wait()
    one, two = desk.standing.places
    for place in (one, two):
        await desk.hear("agent", place)
        await desk.hear("over", place, mark="2", status="ANSWER")
    assert desk.row(first.number).state is TaskState.TAKEN
    await desk.hear("left", one, result="solved")
    assert desk.row(first.number).result == "solved"
    await desk.wait(callback_place.LEFT_MS)
    assert (desk.row(second.number).state, desk.row(second.number).result) == (TaskState.DONE, "")


async def test_orders_stand_in_the_order_of_their_places_and_not_too_many_at_once(desk: Desk):
    desk.standing.limit = 1
    await desk.order()
    desk.rig.clock.advance(1_000)
    await desk.order(OTHER, session=2)
    await desk.wait()
    assert [place.number for place in desk.standing.places] == [PHONE]
    await desk.hear("agent")
    await desk.hear("left")
    await desk.hear("over", mark="2", status="ANSWER")
    await desk.wait()
    assert [place.number for place in desk.standing.places] == [PHONE, OTHER]
    assert desk.standing.places[0].priority > desk.standing.places[1].priority
    assert desk.standing.places[1].forget == desk.standing.places[0].identity


async def test_who_left_the_queue_without_a_call_is_put_back_with_the_same_key(desk: Desk):
    row = await desk.order()
    await desk.wait()
    await desk.hear("left", status="TIMEOUT")
    await desk.hear("over", mark="")
    await desk.wait(callback_place.AGAIN_MS - 1)
    assert len(desk.standing.places) == 1
    await desk.wait()
    first, second = desk.standing.places
    assert first.identity != second.identity
    assert first.priority == second.priority
    assert desk.row(row.number).state is TaskState.OPEN


@pytest.mark.parametrize("status", ["BUSY", "NOANSWER", "CANCEL", "CONGESTION", ""])
async def test_who_was_called_and_not_reached_is_left_to_people_and_never_called_again(
    desk: Desk, status: str
):
    row = await desk.order()
    await desk.wait()
    await desk.hear("agent")
    await desk.hear("left")
    await desk.hear("over", mark="2", status=status)
    left = desk.row(row.number)
    assert left.state is TaskState.OPEN
    assert "called once" in left.lines[-1].text
    desk.begin()
    await desk.wait(3_600_000)
    await desk.wait(3_600_000)
    assert len(desk.standing.places) == 1


async def test_an_agent_who_was_gone_before_the_call_began_has_called_nobody(desk: Desk):
    row = await desk.order()
    await desk.wait()
    await desk.hear("agent")
    await desk.hear("over", mark="1")
    assert desk.row(row.number).state is TaskState.OPEN
    await desk.wait(callback_place.AGAIN_MS)
    assert len(desk.standing.places) == 2


async def test_a_task_that_somebody_takes_at_the_desk_leaves_the_queue_for_good(desk: Desk):
    row = await desk.order()
    await desk.wait()
    taken = desk.rig.gateway.desk.take(row.number)
    assert (await taken).state is TaskState.TAKEN
    await desk.wait()
    assert desk.standing.withdrawn == [desk.standing.places[0].identity]
    await desk.hear("left", status="WITHDRAW")
    await desk.hear("over", mark="")
    await desk.wait(3_600_000)
    assert len(desk.standing.places) == 1
    assert desk.row(row.number).state is TaskState.TAKEN
    kept = desk.places.of(row.number)
    assert kept is not None
    assert kept.state == PEOPLE


async def test_an_agent_and_the_desk_at_the_same_moment_know_of_each_other(desk: Desk):
    row = await desk.order()
    await desk.wait()
    await desk.rig.gateway.desk.take(row.number)
    await desk.hear("agent")
    assert "the subscriber is called" in desk.row(row.number).lines[-1].text
    await desk.hear("left")
    await desk.hear("over", mark="2", status="NOANSWER")
    await desk.wait(3_600_000)
    assert len(desk.standing.places) == 1


async def test_a_task_that_is_closed_leaves_the_queue_and_nothing_of_it_is_kept(desk: Desk):
    row = await desk.order()
    await desk.wait()
    await desk.rig.gateway.desk.close(row.number, "solved")
    await desk.wait()
    assert desk.standing.withdrawn == [desk.standing.places[0].identity]
    assert desk.places.of(row.number) is None
    assert desk.rig.gateway.store.load(0).schedule == ()


async def test_without_anybody_on_duty_or_outside_the_hours_an_order_is_only_a_task(desk: Desk):
    await desk.order()
    await desk.order(OTHER, number="4", session=2)
    desk.standing.on_duty.discard("quality")
    await desk.wait()
    assert desk.standing.places == []
    desk.standing.on_duty.add("quality")
    await desk.wait()
    assert [place.queue for place in desk.standing.places] == ["quality"]


async def test_an_order_for_an_hour_that_was_agreed_upon_stands_there_from_then_on(desk: Desk):
    await desk.order(number="6")
    await desk.wait(3_590_000)
    assert desk.standing.places == []
    await desk.wait(10_000)
    assert len(desk.standing.places) == 1


async def test_when_the_queue_closes_an_order_leaves_it_and_comes_back_at_its_opening(desk: Desk):
    row = await desk.order(number="5")
    await desk.wait()
    assert len(desk.standing.places) == 1
    while not desk.standing.withdrawn:
        await desk.wait(3_600_000)
    await desk.hear("left", status="WITHDRAW")
    await desk.hear("over", mark="")
    await desk.wait(3_600_000)
    assert len(desk.standing.places) == 1
    for _ in range(12):
        await desk.wait(3_600_000)
    assert len(desk.standing.places) == 2
    assert desk.standing.places[0].priority == desk.standing.places[1].priority
    assert desk.row(row.number).state is TaskState.OPEN


async def test_a_subscriber_who_talks_to_a_flow_or_is_called_for_another_order_waits(desk: Desk):
    await desk.order()
    await desk.order(number="3", session=2)
    desk.places.talks_to = lambda phone: True
    await desk.wait()
    assert desk.standing.places == []
    desk.places.talks_to = lambda phone: False
    await desk.wait()
    assert len(desk.standing.places) == 1
    await desk.hear("left")
    await desk.hear("over", mark="2", status="ANSWER")
    await desk.wait()
    assert [place.queue for place in desk.standing.places] == ["quality", "outgoing"]


async def test_after_a_restart_who_stands_in_the_queue_still_stands_there(desk: Desk):
    row = await desk.order()
    await desk.wait()
    desk.begin()
    await desk.wait(callback_place.SETTLED_MS)
    await desk.wait(callback_place.ASK_MS)
    assert len(desk.standing.places) == 1
    await desk.hear("agent")
    await desk.hear("left", result="solved")
    await desk.hear("over", mark="2", status="ANSWER")
    assert desk.row(row.number).state is TaskState.DONE


@pytest.mark.parametrize(
    ("mark", "state", "placed"),
    [("", TaskState.OPEN, 2), ("1", TaskState.OPEN, 1), ("ANSWER", TaskState.DONE, 1),
     ("BUSY", TaskState.OPEN, 1)],
)  # fmt: skip
async def test_after_a_restart_the_mark_tells_of_who_is_not_in_the_queue_any_more(
    desk: Desk, mark: str, state: TaskState, placed: int
):
    row = await desk.order()
    await desk.wait()
    desk.begin()
    desk.standing.there = None
    await desk.wait(callback_place.SETTLED_MS)
    assert desk.places.of(row.number) is not None
    desk.standing.there = False
    desk.standing.marks[desk.standing.places[0].identity] = mark
    await desk.wait(callback_place.ASK_MS)
    assert len(desk.standing.places) == 1
    await desk.wait(callback_place.ASK_MS)
    await desk.wait(callback_place.AGAIN_MS)
    assert desk.row(row.number).state is state
    assert len(desk.standing.places) == placed


async def test_who_is_just_being_taken_by_an_agent_is_not_put_back(desk: Desk):
    await desk.order()
    await desk.wait()
    desk.standing.there = False
    await desk.wait(callback_place.SETTLED_MS)
    desk.standing.marks[desk.standing.places[0].identity] = "2"
    for _ in range(3):
        await desk.wait(callback_place.ASK_MS)
    assert len(desk.standing.places) == 1


async def test_a_talk_that_outlasts_a_restart_closes_the_task_at_its_end(desk: Desk):
    row = await desk.order()
    await desk.wait()
    desk.begin()
    desk.standing.there = False
    identity = desk.standing.places[0].identity
    desk.standing.marks[identity] = "2"
    await desk.wait(callback_place.SETTLED_MS)
    assert desk.row(row.number).state is TaskState.TAKEN
    desk.standing.marks[identity] = "ANSWER"
    await desk.wait(callback_place.ASK_MS)
    assert desk.row(row.number).state is TaskState.DONE
    assert len(desk.standing.places) == 1


async def test_a_call_of_which_nothing_was_ever_heard_is_left_to_people(desk: Desk):
    row = await desk.order()
    await desk.wait()
    await desk.hear("agent")
    desk.standing.marks[desk.standing.places[0].identity] = "2"
    await desk.wait(callback_place.LONGEST_MS)
    left = desk.row(row.number)
    assert (left.state, "may have been called" in left.lines[-1].text) == (TaskState.OPEN, True)
    assert len(desk.standing.places) == 1


async def test_what_asterisk_refuses_is_tried_three_times_and_then_a_task(desk: Desk):
    row = await desk.order()
    for count in range(1, 6):
        await desk.wait(callback_place.FAILED_MS)
        if len(desk.standing.done) == count:
            desk.standing.done[-1]("bad_number")
            await desk.rig.idle()
    assert len(desk.standing.places) == callback_place.TRIES
    assert desk.row(row.number).state is TaskState.OPEN


async def test_nothing_stands_in_a_queue_that_is_not_stored(desk: Desk):
    row = await desk.order()
    with failing():
        await desk.wait()
    assert desk.standing.places == []
    assert desk.places.of(row.number) is None
    await desk.wait()
    assert len(desk.standing.places) == 1
    kept = desk.places.of(row.number)
    assert kept is not None
    assert kept.state == STANDS


async def test_news_of_strangers_change_nothing(desk: Desk):
    row = await desk.order()
    await desk.wait()
    desk.places.heard(News("123456789012", "over", status="ANSWER", mark="2"))
    await desk.rig.idle()
    assert desk.row(row.number).state is TaskState.OPEN
