"""What goes along with a caller who is handed over, and what the agent says of the talk."""

from pathlib import Path

import pytest

from gateway.host import callback_place
from gateway.host.callback_place import CallbackPlaces
from ivr.queue_key import queue_priority
from tests.gateway.host.phone import Phones, phones
from tests.gateway.host.test_callback_place import PaperStanding

QUEUE = """\
flow:
  title: Специалист
  call: "100"

start:
  - queue: support
    priority: 50
    skills: ["'tariffs'", "'internet'"]
    note: Оценка 2, «вопрос» ${SHELL(id)}
    callback_after: 2m
    save: call
    no_agent:
      end: Никого нет.
  - if: call.result
    then:
      end: "Итог: {{ call.result }}."
  - end: Итога нет.
"""
TALK = {"QUEUESTATUS": "CONTINUE", "MEMBERINTERFACE": "PJSIP/anna", "QEHOLDTIME": "5", "ANSWEREDTIME": "9"}


async def handed_over(them: Phones):
    """Let a caller be handed over; returns his channel."""
    async with them.call("100") as one:
        await one.rest()
    await them.over()
    assert one.variables["IVR_NEXT"] == "queue"
    return one.channel


async def test_the_note_goes_along_as_plain_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async with phones(tmp_path, monkeypatch, {"main": QUEUE}) as them:
        told = (await handed_over(them)).variables
        assert told["IVR_NOTE"] == "Оценка 2; «вопрос» SHELL id"
        assert told["IVR_SKILLS"] == "tariffs internet"


async def test_a_callback_has_the_place_that_the_caller_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async with phones(tmp_path, monkeypatch, {"main": QUEUE}) as them:
        gateway, clock = them.rig.gateway, them.rig.clock
        came = clock.now()
        channel = await handed_over(them)
        key = channel.variables["IVR_PRIO"]
        assert key == str(queue_priority(came, 50 * 6_000))
        clock.advance(120_000)
        async with them.again(channel, "after", QUEUESTATUS="TIMEOUT") as one:
            await them.hear(one, "1")
            await one.rest()
        await them.over()
        (row,) = gateway.tasks.open.values()
        assert row.arrival == came - 50 * 6_000
        standing = PaperStanding()
        standing.on_duty = {"support"}
        places = CallbackPlaces(gateway.host, gateway.tasks, standing)
        clock.advance(callback_place.LOOK_MS)
        places.tend(clock.now())
        await them.rig.idle()
        (place,) = standing.places
        assert str(place.priority) == key


@pytest.mark.parametrize(
    ("told", "result"),
    [("solved", "solved"), ("escalate", "escalate"), ("", ""), ("paid", ""), ("solved\n1", "")],
)
async def test_what_the_agent_says_of_the_talk_is_the_flows_to_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str, result: str
):
    async with phones(tmp_path, monkeypatch, {"main": QUEUE}) as them:
        channel = await handed_over(them)
        heard = len(channel.played)
        async with them.again(channel, "after", **TALK, IVR_RESULT=told) as one:
            await one.rest()
        await them.over()
        assert them.said(one, heard) == (f"Итог: {result}." if result else "Итога нет.")


async def test_without_a_talk_nothing_is_said_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async with phones(tmp_path, monkeypatch, {"main": QUEUE}) as them:
        channel = await handed_over(them)
        heard = len(channel.played)
        async with them.again(channel, "after", QUEUESTATUS="JOINEMPTY", IVR_RESULT="solved") as one:
            await one.rest()
        await them.over()
        assert them.said(one, heard) == "Никого нет."


async def test_a_subscriber_in_a_call_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    flow = QUEUE.replace("  - queue", "  - ask: Сколько?\n    type: int\n    save: n\n  - queue", 1)
    async with phones(tmp_path, monkeypatch, {"main": flow}) as them:
        async with them.call("100", caller="79160000009") as one:
            await one.question()
            assert them.rig.gateway.voice.talks_to("79160000009")
            assert not them.rig.gateway.voice.talks_to("79160000008")
            one.hang_up()
            await one.ended()
        await them.over()
        assert not them.rig.gateway.voice.talks_to("79160000009")
