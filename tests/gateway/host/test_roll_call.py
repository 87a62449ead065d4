"""Callers who leave a queue while nobody can tell: found out by asking their Asterisk for its channels."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.asterisk import Asterisks
from gateway.call_settings import AsteriskSettings
from gateway.roll_call import EVERY_MS, RollCall, same_form
from ivr.testing.ami_server import TestManager
from tests.gateway.host.phone import Phones, phones

QUEUE = """\
flow:
  title: Очередь
  call: "100"

start:
  - queue: support
  - end: Спасибо.
"""
END = [("Event", "CoreShowChannelsComplete"), ("ActionID", "{id}"), ("EventList", "Complete")]
NO_QUEUES = [
    [("Response", "Success"), ("ActionID", "{id}"), ("EventList", "start")],
    [("Event", "QueueStatusComplete"), ("ActionID", "{id}"), ("EventList", "Complete")],
]


def listed(channels: Sequence[str], end: Sequence[tuple[str, str]] = END) -> list[list[tuple[str, str]]]:
    """Return the answer of an Asterisk that has these channels."""
    found = [[("Event", "CoreShowChannel"), ("ActionID", "{id}"), ("Uniqueid", one)] for one in channels]
    return [[("Response", "Success"), ("ActionID", "{id}"), ("EventList", "start")], *found, list(end)]


class Watch:
    """Two callers in a queue, and what asks their Asterisks for them."""

    def __init__(self, them: Phones, managers: Sequence[TestManager]) -> None:
        self.them, self.managers = them, managers
        self.channels: list[str] = []
        clock, counters = them.rig.clock.now, them.rig.gateway.host.counters
        settings = [
            AsteriskSettings(str(number), "127.0.0.1", one.port, secret="secret")
            for number, one in enumerate(managers)
        ]
        self.asterisks = Asterisks(settings, clock, counters)
        self.roll = RollCall(self.asterisks, them.rig.gateway.voice, clock)

    async def enter(self) -> None:
        """Have a caller led into the queue."""
        channel = f"1795000000.{len(self.channels)}"
        self.channels.append(channel)
        phone = f"7916000000{len(self.channels)}"
        async with self.them.call("100", phone, variables={"UNIQUEID": channel}) as one:
            await one.rest()
        await self.them.over()

    @property
    def there(self) -> int:
        """How many sessions live."""
        return len(self.them.rig.gateway.host.conversations)

    async def asked(self, count: int) -> None:
        """Let the gateway tend until every Asterisk was asked so often and the answers are in."""
        for manager in self.managers:
            while len([one for one in manager.actions if one.get("Action") == "CoreShowChannels"]) < count:
                self.roll.tend()
                await asyncio.sleep(0)
        for one in self.asterisks._all:
            await one.client.ask("Ping")
        await self.them.rig.idle()


@asynccontextmanager
async def watch(root: Path, monkeypatch: pytest.MonkeyPatch, asterisks: int = 1) -> AsyncIterator[Watch]:
    async with (
        TestManager() as first,
        TestManager() as second,
        phones(root, monkeypatch, {"a": QUEUE}) as them,
    ):
        managers = (first, second)[:asterisks]
        one = Watch(them, managers)
        for _ in range(2):
            await one.enter()
        them.rig.jump(1_000)
        for manager in managers:
            manager.answers["QueueStatus"] = NO_QUEUES
        one.asterisks.start()
        try:
            async with asyncio.timeout(10):
                while not one.asterisks.peers():  # noqa: ASYNC110 - what comes over a socket sets no event
                    await asyncio.sleep(0)
            yield one
        finally:
            await one.asterisks.close()


async def test_who_is_not_in_asterisk_any_more_has_gone(tmp_path: Path, monkeypatch):
    async with watch(tmp_path, monkeypatch) as one:
        one.managers[0].answers["CoreShowChannels"] = listed([*one.channels[1:], "another"])
        await one.asked(1)
        assert one.there == 1
        assert one.them.rig.gateway.host.counters["calls.missing"] == 1
        (left,) = one.them.rig.gateway.host.conversations.values()
        assert left.session.caller.endswith("2")
        one.managers[0].answers["CoreShowChannels"] = listed([])
        one.roll.tend()
        await one.asked(1)
        assert one.there == 1  # it was asked a moment ago
        one.them.rig.jump(EVERY_MS)
        await one.asked(2)
        assert one.there == 0
        one.them.rig.jump(EVERY_MS)
        one.roll.tend()
        await one.asked(2)
        assert len(one.them.rig.gateway.voice.aways) == 0


@pytest.mark.parametrize(
    "answer",
    [
        [[("Response", "Error"), ("Message", "Permission denied")]],
        listed([], [("Event", "CoreShowChannelsComplete"), ("ActionID", "{id}"), ("EventList", "cancelled")]),
    ],
)
async def test_an_asterisk_that_does_not_say_gives_nobody_up(tmp_path: Path, monkeypatch, answer):
    async with watch(tmp_path, monkeypatch) as one:
        one.managers[0].answers["CoreShowChannels"] = answer
        await one.asked(1)
        assert one.there == 2


async def test_a_caller_who_came_after_the_question_is_not_looked_for(tmp_path: Path, monkeypatch):
    async with watch(tmp_path, monkeypatch) as one:
        one.managers[0].answers["CoreShowChannels"] = listed(one.channels)
        for session in list(one.them.rig.gateway.host.conversations):
            one.them.rig.gateway.voice.gone(session, "test")
        await one.them.rig.idle()
        await one.enter()
        await one.asked(1)
        assert one.there == 1


async def test_two_asterisks_behind_one_address_are_not_asked(tmp_path: Path, monkeypatch):
    async with watch(tmp_path, monkeypatch, asterisks=2) as one:
        one.roll.tend()
        for each in one.asterisks._all:
            await each.client.ask("Ping")
        assert not [one for manager in one.managers for one in manager.actions if "Core" in one.get("Action")]
        assert one.there == 2


@pytest.mark.parametrize(
    ("address", "form"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("", ""),
        ("pbx", ""),
    ],
)
def test_one_address_has_one_form(address: str, form: str):
    assert same_form(address) == form
