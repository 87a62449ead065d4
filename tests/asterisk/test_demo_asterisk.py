"""`gudok demo --asterisk`: softphones call the flows of the demo and are called by them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import struct
import wave
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.demo.show import Show
from gateway.demo.sip.installed import find
from gateway.library import Library
from gateway.speech.script import script
from tests.asterisk import sound
from tests.asterisk.peer.account import Account
from tests.asterisk.server import ROOT, tree

pytestmark = pytest.mark.asterisk

RICH = "79160000001"
PATIENCE_S = 20.0
TONES = {
    "Здравствуйте": "notice",
    "Главное меню": "menu",
    "Оцените разговор": "rating",
    "Спасибо за оценку": "thanks",
    "Оцените обслуживание": "balance",
}
"""How a recording begins, and the tone that stands for it; every other one is `moment`."""


def lay_out(project: Path) -> None:
    """A project whose recordings can be told apart by ear."""
    for name in ("flows", "config"):
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("sounds"))
    for line in script(Library(project).current):
        tone = next((tone for text, tone in TONES.items() if line.text.startswith(text)), "moment")
        path = project / "flows/sounds" / f"{line.name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(sound.RATE)
            count = sound.RATE // 5
            file.writeframes(struct.pack(f"<{count}h", *sound.samples(tone, count)))


@pytest.fixture
async def show(tmp_path: Path) -> AsyncIterator[Show]:
    lay_out(tmp_path / "project")
    installed = find(str(tree()), {})
    one = Show(tmp_path / "project", tmp_path / "data", os.environ, port=0, asterisk=installed)
    await one.start()
    yield one
    await one.close()


@contextlib.asynccontextmanager
async def softphone(show: Show, user: str) -> AsyncIterator[Account]:
    """A softphone, set up as the demo says."""
    sip = show.status()["sip"]
    host, _, port = sip["address"].partition(":")
    phone = await Account.open((host, int(port)))
    assert isinstance(phone, Account)
    await phone.log_in(user, sip["password"])
    try:
        yield phone
    finally:
        await phone.close()


async def until(fact: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not fact():  # noqa: ASYNC110 - what is looked at tells nobody
            await asyncio.sleep(0.02)


def free(show: Show) -> int:
    """How many specialists could answer now, as the gateway sees it."""
    return show.gateway.asterisks.state().get("support", (0, 0, 0))[2]


async def test_a_softphone_calls_0890_and_the_specialist_is_rated(show: Show) -> None:
    async with softphone(show, RICH) as anna, softphone(show, "specialist") as specialist:
        await until(lambda: free(show) == 1)
        call = await anna.dial("0890")
        await call.answered(PATIENCE_S)
        await call.reaches("notice", PATIENCE_S)
        await call.press("2")  # the offer is put off
        await call.reaches("menu", PATIENCE_S)
        await call.press("0")
        incoming = await specialist.rings(PATIENCE_S)
        await incoming.answer()
        incoming.talk("agent")
        await call.reaches("agent", PATIENCE_S)
        call.talk("caller")
        await incoming.reaches("caller", PATIENCE_S)
        incoming.hang_up()
        call.talk(None)
        await call.reaches("rating", PATIENCE_S)
        await call.press("5")
        await call.reaches("thanks", PATIENCE_S)
        call.hang_up()
        scene = show.watch.scene(RICH)
        assert scene.flow is not None
        assert any(row.text == "billing.account" or row.kind == "flow" for row in scene.rows)
        await until(lambda: list(show.gateway.store.ratings(0, 10)))
    (rating,) = show.gateway.store.ratings(0, 10)
    assert (rating.topic, rating.score, rating.channel) == ("call", 5, "voice")


async def test_a_call_of_the_gateway_rings_at_the_softphone(show: Show) -> None:
    await show.next_day()  # the gateway comes anew; at noon calls are allowed
    await until(lambda: show.gateway.asterisks.ready["sip"])
    async with softphone(show, RICH) as anna:
        await show.world.act("shop_left", RICH)
        call = await anna.rings(PATIENCE_S)
        await call.answer()
        await call.reaches("balance", PATIENCE_S)
        await call.press("4")
        await until(lambda: list(show.gateway.store.ratings(0, 10)))
    (rating,) = show.gateway.store.ratings(0, 10)
    assert (rating.topic, rating.score, rating.channel) == ("shop", 4, "voice")


async def test_who_has_no_password_does_not_call(show: Show) -> None:
    sip = show.status()["sip"]
    host, _, port = sip["address"].partition(":")
    for password in ("", "wrong"):
        phone = await Account.open((host, int(port)))
        assert isinstance(phone, Account)
        await phone.log_in(RICH, password, register=False)
        call = await phone.dial("0890")
        await call.ended(PATIENCE_S)
        assert call.code == 401
        await phone.close()
    assert not show.gateway.host.conversations


async def test_asterisk_ends_with_the_demo_and_can_be_started_again(tmp_path: Path) -> None:
    lay_out(tmp_path / "project")
    for _ in range(2):
        installed = find(str(tree()), {})
        one = Show(tmp_path / "project", tmp_path / "data", os.environ, port=0, asterisk=installed)
        await one.start()
        asterisk = one.calls.asterisk
        assert asterisk is not None
        assert asterisk.running
        assert "gudok-in" in await asterisk.cli("dialplan show gudok-in")
        await one.close()
        assert not asterisk.running
