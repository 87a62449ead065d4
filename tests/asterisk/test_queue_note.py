"""What an agent is told of a caller before answering, and what the agent tells of the talk."""

import asyncio

import pytest

from ivr.handover import note_words, skill_words
from tests.asterisk.gateway import Visit, nothing, serve
from tests.asterisk.peer.phone import Call, Phone
from tests.asterisk.place import Place
from tests.asterisk.server import Asterisk
from tests.asterisk.test_queue import SESSION, queue, rate

pytestmark = pytest.mark.asterisk

NOTE, SKILLS = "X-Gudok-Note", "X-Gudok-Skills"
WITHIN_S = 20.0


async def test_the_agents_telephone_is_told_of_note_and_skills(caller: Phone, boris: Phone, place: Place):
    note = note_words("Оценка 2, причина — «вопрос не решён» (№ 7_1)")
    flow = queue(IVR_NOTE=note, IVR_SKILLS=skill_words(("tariffs", "internet")))
    async with serve(place.first, flow=flow, after=rate):
        call = await caller.call("0890")
        line = await boris.rings()
        assert line.told(NOTE) == ["Оценка 2; причина — «вопрос не решён» № 7_1"]
        assert line.told(SKILLS) == ["tariffs internet"]
        await line.answer()
        line.hang_up()
        await call.ended()


async def test_without_a_note_the_telephone_gets_no_header(caller: Phone, boris: Phone, place: Place):
    async with serve(place.first, flow=queue(), after=rate):
        call = await caller.call("0890")
        line = await boris.rings()
        assert line.told(NOTE) + line.told(SKILLS) == []
        await line.answer()
        line.hang_up()
        await call.ended()


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("${SHELL(id)}", ["SHELLid"]),
        ('x")&System(id),${GLOBAL(GUDOK_TOKEN)}', ["xSystemidGLOBALGUDOK_TOKEN"]),
        ("x\\r\\nX-Evil: 1", ["xrnX-Evil: 1"]),
        ("$[1 + 1] <sip:evil@127.0.0.1>", ["1 + 1 sip:evil127.0.0.1"]),
    ],
)
async def test_nothing_that_a_gateway_gone_mad_writes_is_more_than_text(
    caller: Phone, boris: Phone, place: Place, written: str, told: list[str]
):
    async def flow(visit: Visit) -> None:
        await visit.voice.answer()
        await visit.do("SET VARIABLE", "IVR_NOTE", written)
        await visit.do("SET VARIABLE", "IVR_SKILLS", written)
        await visit.voice.leave("queue", {"IVR_SESSION": SESSION, "IVR_QUEUE": "sales"})

    async with serve(place.first, flow=flow, after=rate):
        call = await caller.call("0890")
        line = await boris.rings()
        assert line.told(NOTE) == told
        assert line.told("X-Evil") == []
        await line.answer()
        line.hang_up()
        await call.ended()


async def noted(asterisk: Asterisk, word: str) -> None:
    """Wait until a channel keeps what an agent has said of the talk."""

    def found() -> bool:
        shown = (asterisk.cli(f"core show channel {name}") for name in asterisk.channels())
        return any(f"IVR_RESULT={word}" in text.split() for text in shown)

    async with asyncio.timeout(WITHIN_S):
        while not await asyncio.to_thread(found):
            pass


async def talked(caller: Phone, agent: Phone, asterisk: Asterisk, keys: str, word: str) -> Call:
    """Let an agent answer, press keys in the talk, and hang up first."""
    call = await caller.call("0890")
    line = await agent.rings()
    await line.answer()
    line.talk("agent")
    await call.reaches("agent")
    await line.press(keys)
    if word:
        await noted(asterisk, word)
    else:
        await call.reaches("agent")
    line.hang_up()
    return call


@pytest.mark.parametrize(
    ("keys", "word"), [("*1", "solved"), ("*2", "unsolved"), ("*3", "escalate"), ("1", ""), ("*9", "")]
)
async def test_the_agent_says_what_came_of_the_talk(
    caller: Phone, boris: Phone, place: Place, asterisk: Asterisk, keys: str, word: str
):
    said: list[str] = []

    async def after(visit: Visit) -> None:
        said.append(await visit.get("IVR_RESULT"))
        await rate(visit)

    async with serve(place.first, flow=queue(), after=after):
        call = await talked(caller, boris, asterisk, keys, word)
        await call.ended()
    assert said == [word]


async def test_what_was_said_of_one_talk_is_not_told_of_the_next(
    caller: Phone, anna: Phone, boris: Phone, place: Place, asterisk: Asterisk
):
    said: list[str] = []

    async def after(visit: Visit) -> None:
        said.append(await visit.get("IVR_RESULT"))
        name = "support" if len(said) == 1 else ""
        if not name:
            await visit.voice.leave("done")
        else:
            await visit.voice.leave("queue", {"IVR_SESSION": SESSION, "IVR_QUEUE": name})

    async with serve(place.first, flow=queue(), after=after, hangup=nothing):
        call = await talked(caller, boris, asterisk, "*3", "escalate")
        line = await anna.rings()
        await line.answer()
        line.hang_up()
        await call.ended()
    assert said == ["escalate", ""]


async def test_the_caller_cannot_say_it_for_the_agent(caller: Phone, boris: Phone, place: Place):
    said: list[str] = []

    async def after(visit: Visit) -> None:
        said.append(await visit.get("IVR_RESULT"))
        await rate(visit)

    async with serve(place.first, flow=queue(), after=after):
        call = await caller.call("0890")
        line = await boris.rings()
        await line.answer()
        call.talk("caller")
        await line.reaches("caller")
        await call.press("*1")
        await line.reaches("caller")
        line.hang_up()
        await call.ended()
    assert said == [""]
