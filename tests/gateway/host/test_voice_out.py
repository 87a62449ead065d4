"""Calls that we make: dialled by our own id, begun when answered, tried again when nobody was there."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ivr.ami.originate import Attempt
from tests.gateway.host.phone import Phones, phones
from tests.gateway.host.rig import PHONE

SURVEY = """\
flow:
  title: Опрос
  outbound:
    campaign: survey
    tries: 2
    every: 10m
    over: [voice, sms]

start:
  - menu: Всё хорошо?
    1 Да:
      end: Спасибо.
    2 Нет:
      end: Жаль.
"""
MAIN = """\
flow:
  title: Справка
  call: "100"

start:
  - end: Справка.
"""


class PaperDialler:
    """Notes whom we call; the test says what comes of it."""

    def __init__(self, free: int = 5) -> None:
        self.free = free
        self.attempts: list[Attempt] = []
        self.done: list[Callable[[str], None]] = []

    def dial(self, attempt: Attempt, done: Callable[[str], None]) -> None:
        self.attempts.append(attempt)
        self.done.append(done)


async def begun(them: Phones, free: int = 5) -> PaperDialler:
    """Let a campaign begin its first call."""
    gateway = them.rig.gateway
    dialler = gateway.voice.out.dialler = PaperDialler(free)
    gateway.openers.by_name["voice"] = gateway.voice.out
    assert await gateway.outbounds.start_campaign("survey", "1", [PHONE]) == 1
    await due(them)
    return dialler


async def due(them: Phones) -> None:
    """Make the tries that are due."""
    them.rig.gateway.outbounds.tend(them.rig.clock.now())
    await them.rig.idle()


def answered(them: Phones, attempt: Attempt):
    """The call of an attempt, as it enters from the dialplan."""
    given = {"UNIQUEID": attempt.identity, "CALLERID(num)": "100"}
    return them.call("100", variables=given)


FLOWS = {"survey": SURVEY, "main": MAIN}


async def test_an_answered_call_runs_the_flow_it_was_made_for(tmp_path: Path, monkeypatch):
    async with phones(tmp_path, monkeypatch, FLOWS) as them:
        dialler = await begun(them)
        (attempt,) = dialler.attempts
        assert (attempt.number, attempt.caller, attempt.context) == (PHONE, "100", "gudok-out")
        assert attempt.identity.startswith("gudok-")
        dialler.done[0]("answered")
        async with answered(them, attempt) as one:
            assert (await them.hear(one, "1")).startswith("Всё хорошо?")
            (conversation,) = them.rig.gateway.host.conversations.values()
            assert conversation.session.caller == PHONE
            await one.rest()
            assert one.variables["IVR_NEXT"] == "done"
        await them.over()
        assert len(them.rig.gateway.outbounds) == 0
        assert them.rig.gateway.host.counters["voice_reach.reached"] == 1


@pytest.mark.parametrize("result", ["no_answer", "busy", "congestion", "refused"])
async def test_nobody_there_is_tried_again_and_then_written_to(tmp_path: Path, monkeypatch, result: str):
    async with phones(tmp_path, monkeypatch, FLOWS) as them:
        dialler = await begun(them)
        dialler.done[0](result)
        await them.rig.idle()
        await due(them)
        assert len(dialler.attempts) == 1
        them.rig.clock.advance(600_000)
        await due(them)
        assert len(dialler.attempts) == 2
        assert dialler.attempts[0].identity != dialler.attempts[1].identity
        dialler.done[1](result)
        await them.rig.idle()
        await due(them)
        assert len(dialler.attempts) == 2
        them.rig.gateway.outbox.pump_unasked()
        await them.rig.idle()
        assert them.rig.texts[0].startswith("Всё хорошо?")


async def test_a_machine_that_answers_and_presses_nothing_was_not_reached(tmp_path: Path, monkeypatch):
    async with phones(tmp_path, monkeypatch, FLOWS) as them:
        dialler = await begun(them)
        dialler.done[0]("answered")
        async with answered(them, dialler.attempts[0]) as one:
            await one.question()
            one.hang_up()
            await one.ended()
        await them.over()
        assert them.rig.gateway.host.counters["voice_reach.no_answer"] == 1
        assert len(them.rig.gateway.outbounds) == 1


async def test_an_answered_call_that_never_comes_is_tried_again(tmp_path: Path, monkeypatch):
    async with phones(tmp_path, monkeypatch, FLOWS) as them:
        dialler = await begun(them)
        dialler.done[0]("answered")
        await them.rig.idle()
        them.rig.clock.advance(200_000)
        them.rig.gateway.voice.tend(them.rig.clock.now())
        await them.rig.idle()
        assert them.rig.gateway.host.counters["voice_reach.no_answer"] == 1
        assert len(them.rig.gateway.voice.out) == 0


async def test_without_a_free_place_the_try_counts_and_comes_again(tmp_path: Path, monkeypatch):
    async with phones(tmp_path, monkeypatch, FLOWS) as them:
        dialler = await begun(them, free=0)
        assert dialler.attempts == []
        dialler.free = 1
        them.rig.clock.advance(600_000)
        await due(them)
        assert len(dialler.attempts) == 1


async def test_a_call_of_ours_that_nobody_waits_for_is_hung_up(tmp_path: Path, monkeypatch):
    """The gateway was started anew while it rang: whoever answers must not get the flow of that number."""
    async with phones(tmp_path, monkeypatch, FLOWS) as them:
        lost = Attempt("gudok-0123456789abcdef01234567", PHONE, "gudok-out", "100")
        async with answered(them, lost) as one:
            assert await one.rest() == []
            assert one.variables["IVR_NEXT"] == "done"
        assert them.rig.gateway.host.counters["calls.unawaited"] == 1
