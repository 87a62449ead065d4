"""kill -9 of the gateway in the middle of calls, and one that falls silent: nobody is stranded or pays twice.

A few callers in every run; `make kill-calls` takes a hundred. The seed is printed, GUDOK_SEED repeats it.
"""

import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import SystemRandom

import pytest

from tests.asterisk.kill_pair import Pair, pair
from tests.asterisk.kill_round import HELLO, LAST, OFFER, RATE, WITHIN_S, Caller, Desk, Rounds
from tests.asterisk.peer.phone import Phone
from tests.asterisk.place import LIMIT_S, Place
from tests.asterisk.server import Asterisk

pytestmark = pytest.mark.asterisk

CALLS = int(os.environ.get("GUDOK_KILL_CALLS", "6"))
AT_ONCE = 10
SEED = int(os.environ.get("GUDOK_SEED", "0")) or SystemRandom().randrange(1, 1_000_000)
PATIENCE_S = 2


def phones(count: int) -> list[str]:
    """Return numbers of subscribers who have never called."""
    return [f"7916600{number:04}" for number in range(count)]


@pytest.fixture
def desk(asterisk: Asterisk, anna: Phone, boris: Phone) -> Iterator[Desk]:
    """Two agents of the default queue; they answer when they are told to."""
    agents = Desk(asterisk, (anna, boris))
    agents.open()
    yield agents
    agents.close()


@pytest.fixture
async def both(tmp_path: Path, place: Place, asterisk: Asterisk) -> AsyncIterator[Pair]:
    """Two gateways, and four subscribers; the last of them is of a better class."""
    async with pair(tmp_path, place, asterisk, phones(3), phones(4)[3:]) as two:
        yield two


async def waits(caller: Phone, both: Pair, phone: str) -> Caller:
    """Return a caller who waits for a specialist."""
    one = Caller(phone, "people")
    await one.call(caller, both)
    await one.walk()
    return one


async def offered(caller: Phone, both: Pair, phone: str) -> Caller:
    """Return a caller who hears the personal offer."""
    one = Caller(phone, "listen")
    await one.call(caller, both)
    await one.until(lambda words: OFFER in words, "the offer")
    return one


async def test_callers_of_a_killed_gateway_get_to_people_and_pay_once(
    tmp_path: Path, caller: Phone, place: Place, asterisk: Asterisk, desk: Desk
):
    sys.stdout.write(f"\nkill-calls: GUDOK_SEED={SEED}, {CALLS} calls\n")
    numbers = phones(CALLS)
    async with pair(tmp_path, place, asterisk, numbers) as two:
        rounds = Rounds(two, asterisk, caller, desk, SEED)
        for at in range(0, CALLS, AT_ONCE):
            await rounds.round(numbers[at : at + AT_ONCE])
        await rounds.settle()
        sys.stdout.write(f"{rounds.report}\n")
        assert rounds.report.wrong == [], str(rounds.report)
        assert rounds.report.counts["reached people"] == CALLS
        assert rounds.report.counts["entered the first gateway"] > 0


async def test_who_waits_keeps_his_place_and_the_gateway_that_is_back_asks_for_a_rating(
    both: Pair, caller: Phone, asterisk: Asterisk, desk: Desk
):
    mass, other, better = phones(2)[0], phones(2)[1], phones(4)[3]
    waiting = {phone: await waits(caller, both, phone) for phone in (mass, other, better)}
    keys = asterisk.cli("queue show support")
    await both.first.kill()
    fresh = Caller(phones(3)[2], "people")
    await fresh.call(caller, both)
    await fresh.gets_to_people()
    assert fresh.greeted
    assert all(one.state == "up" and one.holds for one in waiting.values()), keys
    await both.first.starts()
    assert await both.first.away() == len(waiting)
    one = Desk(asterisk, desk._agents[:1])
    rated: list[str] = []

    def leaves_first() -> bool:
        rated.append(one.served[-1])
        return True

    await one.serve([*waiting.values(), fresh], leaves_first)
    assert one.served == [better, mass, other, fresh.phone]
    assert all(RATE in each.listen() for each in waiting.values())
    await asterisk.empties(within=WITHIN_S)
    await both.first.forgets(WITHIN_S)
    await both.second.forgets(WITHIN_S)
    assert await both.first.away() == 0


async def test_who_leaves_the_queue_of_a_dead_gateway_is_missed_when_it_is_back(
    tmp_path: Path, place: Place, caller: Phone, asterisk: Asterisk, desk: Desk
):
    async with pair(tmp_path, place, asterisk, phones(2), managed=True) as two:
        stays, leaves = [await waits(caller, two, phone) for phone in phones(2)]
        await two.first.kill()
        leaves.hang_up()
        await two.first.starts()
        await two.first.forgets(WITHIN_S, but=1)
        assert await two.first.away() == 1
        await desk.serve([stays], lambda: True)
        assert RATE in stays.listen()
        await asterisk.empties(within=WITHIN_S)
        await two.first.forgets(WITHIN_S)


async def test_a_gateway_that_was_killed_takes_calls_again(both: Pair, caller: Phone, asterisk: Asterisk):
    one = await offered(caller, both, phones(1)[0])
    await both.first.kill()
    one.forget()
    await one.until(lambda words: HELLO in words, "the greeting of the second gateway")
    await both.first.starts()
    other = await offered(caller, both, phones(2)[1])
    assert await both.first.entered() == 1
    assert await both.second.entered() == 1
    await one.press("2")
    await one.until(lambda words: LAST in words, "the menu")
    for each in (one, other):
        each.hang_up()
    await asterisk.empties(within=WITHIN_S)
    await both.first.forgets(WITHIN_S)
    await both.second.forgets(WITHIN_S)


async def test_the_second_gateway_is_told_of_its_callers_when_the_first_is_back(
    both: Pair, caller: Phone, asterisk: Asterisk, desk: Desk
):
    await both.first.kill()
    one = await waits(caller, both, phones(1)[0])
    await both.first.starts()
    assert await both.second.away() == 1
    one.hang_up()
    await asterisk.empties(within=WITHIN_S)
    await both.second.forgets(WITHIN_S)
    assert await both.second.away() == 0


async def test_a_second_gateway_with_a_store_of_its_own_charges_nobody(
    both: Pair, caller: Phone, asterisk: Asterisk, desk: Desk
):
    phone = phones(1)[0]
    await both.first.kill()
    one = Caller(phone, "refresh")
    await one.call(caller, both)
    await one.until(lambda words: OFFER in words, "the offer")
    await one.press("2")
    await one.until(lambda words: LAST in words, "the menu")
    await one.press("2")
    await one.until(lambda _: one.holds, "the queue: the service is not there, and people are")
    assert one.state == "up"
    assert "Сервис временно недоступен. Соединяем со специалистом." in one.listen()
    await desk.serve([one], lambda: False)
    await asterisk.empties(within=WITHIN_S)
    assert await both.billing.charges() == {}
    assert both.second.orders() == {}


async def test_when_both_are_killed_people_answer(both: Pair, caller: Phone, asterisk: Asterisk, desk: Desk):
    one = await offered(caller, both, phones(1)[0])
    await both.second.kill()
    await both.first.kill()
    await one.until(lambda _: one.holds, "the default queue")
    await desk.serve([one], lambda: True)
    assert desk.served == [one.phone]
    await asterisk.empties(within=WITHIN_S)


@pytest.fixture
def impatient(running: Asterisk) -> Iterator[None]:
    """A gateway has two seconds to say its first word."""
    running.cli(f"dialplan set global GUDOK_PATIENCE {PATIENCE_S}")
    yield
    running.cli(f"dialplan set global GUDOK_PATIENCE {LIMIT_S}")


@pytest.mark.usefixtures("impatient")
async def test_a_gateway_that_falls_silent_keeps_no_caller_and_no_channel(
    both: Pair, caller: Phone, asterisk: Asterisk, desk: Desk
):
    """Connections stand, the kernel accepts new ones, nobody speaks."""
    there, leaves, late = (phones(3)[at] for at in range(3))
    one, gone = await offered(caller, both, there), await offered(caller, both, leaves)
    queued = await waits(caller, both, phones(4)[3])
    both.first.stop_short()
    gone.hang_up()
    new = Caller(late, "people")
    await new.call(caller, both)
    await new.gets_to_people()
    assert new.greeted
    await one.press("2")
    # The limit that the gateway itself gave this call is half an hour: here it comes at once.
    asterisk.cli(f"dialplan set chanvar {channel(asterisk, there)} TIMEOUT(absolute) 1")
    await one.gets_to_people()
    assert one.greeted
    assert queued.holds
    await desk.serve([queued, new, one], lambda: True)
    assert sorted(desk.served) == sorted(each.phone for each in (queued, new, one))
    await asterisk.empties(within=WITHIN_S)
    await both.second.forgets(WITHIN_S)
    both.first.go_on()
    again = Caller(leaves, "listen")
    await again.call(caller, both)
    await again.until(lambda words: LAST in words, "the menu")
    assert await both.first.entered() == 4
    again.hang_up()
    await asterisk.empties(within=WITHIN_S)
    await both.first.forgets(WITHIN_S, but=1)
    assert await both.first.away() == 1  # whom it could not hear of; the limit of a wait ends that


HOSTILE = "${SHELL(touch owned)}, &x|y ^z (200 result=1) HANGUP"
NAMES = ('"x%0A200 result=1 (owned)"', '"\\n\\n200 result=0\\nHANGUP"', '"${SHELL(touch owned)}"')


async def test_texts_and_names_that_look_like_commands_reach_nobody(
    tmp_path: Path, caller: Phone, place: Place, asterisk: Asterisk, desk: Desk
):
    """A text of the flows comes from people and from back ends, the name from whoever calls."""
    changes = {"config/project.yaml": {"operator: Гудок": f"operator: '{HOSTILE}'"}}
    numbers = phones(len(NAMES))
    async with pair(tmp_path, place, asterisk, numbers, changes=changes) as two:
        callers = [Caller(phone, "people", name=name) for phone, name in zip(numbers, NAMES, strict=True)]
        for one in callers:
            await one.call(caller, two)
            await one.walk()
        await desk.serve(callers, lambda: True)
        await asterisk.empties(within=WITHIN_S)
        assert await two.first.entered() == len(callers)
        assert await two.second.entered() == 0
        assert "owned" not in two.first.tail()
        await two.first.forgets(WITHIN_S)
    assert not left_behind(asterisk.folder, tmp_path)


def left_behind(*folders: Path) -> list[Path]:
    """Return what a command would have made."""
    return [path for folder in folders for path in folder.rglob("owned")]


def channel(asterisk: Asterisk, caller: str) -> str:
    """Return the name of a caller's channel."""
    lines = asterisk.cli("core show channels concise").splitlines()
    return next(line.split("!")[0] for line in lines if caller in line)
