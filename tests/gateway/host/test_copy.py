"""The same text again by SMS: the answer to our next question, or a copy of the one before."""

import asyncio
from pathlib import Path

import pytest

from gateway.centre_settings import Centre
from smpp.event import Answered, Inbound
from smpp.pdu.message import encode_sm_body
from smpp.settings import LinkSettings, Secret
from tests.gateway.host.rig import BIND, Rig, rigged, sms

FIVE = sms("5", "2")
LINK = LinkSettings("127.0.0.1", 1, "gudok", Secret("x"))


async def asked(rig: Rig) -> None:
    """Have the first question asked and taken by the centre."""
    await rig.write("начать", "2")
    await taken(rig)
    assert rig.texts == ["Первый?"]


async def taken(rig: Rig) -> None:
    """The centre answers the latest message of ours."""
    rig.link.accept(rig.link.pages[-1])
    await rig.idle()


async def test_both_in_one_read_and_in_the_millisecond_of_our_question(rig: Rig) -> None:
    await asked(rig)
    rig.link.bring(*FIVE, *FIVE)
    await rig.idle()
    assert rig.texts == ["Первый?", "Второй?"]
    assert rig.statuses == [0, 0, 0]


async def test_a_copy_read_before_our_reply_left_and_looked_at_after_it(rig: Rig) -> None:
    """The first is being stored when the copy comes: it is looked at when the reply is out."""
    await asked(rig)
    rig.clock.advance(300)
    rig.link.bring(*FIVE)
    rig.clock.advance(1)
    rig.link.bring(*FIVE)
    assert rig.texts == ["Первый?"], "the commit is under way"
    rig.clock.advance(1)
    await rig.idle()
    assert rig.texts == ["Первый?", "Второй?"]
    assert rig.statuses == [0, 0, 0]


async def test_a_copy_that_the_centre_wrote_before_it_took_our_reply(rig: Rig) -> None:
    """It lay in the socket while our reply left: the centre's answer to the reply stands behind it."""
    await asked(rig)
    rig.link.bring(*FIVE)
    await rig.idle()
    assert rig.texts == ["Первый?", "Второй?"]
    rig.clock.advance(40)
    copy = Inbound(*BIND, 77, 5, encode_sm_body(FIVE[0]))
    rig.link.tell(copy, Answered(rig.link.pages[-1].token, 0, b"id", *BIND))
    await rig.idle()
    assert rig.texts == ["Первый?", "Второй?"]


async def test_behind_the_answer_to_our_reply_it_is_the_next_answer(rig: Rig) -> None:
    await asked(rig)
    rig.link.bring(*FIVE)
    await rig.idle()
    answer = Answered(rig.link.pages[-1].token, 0, b"id", *BIND)
    rig.link.tell(answer, Inbound(*BIND, 77, 5, encode_sm_body(FIVE[0])))
    await rig.idle()
    assert rig.texts == ["Первый?", "Второй?", "5 5"]


@pytest.mark.parametrize(("after_ms", "answers"), [(999, 1), (1_000, 2)])
async def test_a_centre_that_is_slow_to_answer_costs_no_answer(rig: Rig, after_ms: int, answers: int) -> None:
    """Nobody can have read and answered us sooner; from then on the subscriber is believed."""
    await asked(rig)
    rig.link.bring(*FIVE)
    await rig.idle()
    rig.clock.advance(after_ms)
    rig.link.bring(*FIVE)
    await rig.idle()
    assert rig.texts == ["Первый?", "Второй?", "5 5"][: answers + 1]


async def test_a_reply_over_another_centre_is_a_reply(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rigged(tmp_path, monkeypatch, Centre("first", LINK), Centre("second", LINK)) as rig:
        first, second = rig.links
        for text in ("начать", "5", "5"):
            second.bring(*sms(text, "2"))
            await rig.idle()
            rig.link.accept(first.pages[-1])
            await rig.idle()
        assert rig.texts == ["Первый?", "Второй?", "5 5"]
        assert second.pages == []


async def test_four_copies_of_each_answer_are_no_answers(rig: Rig) -> None:
    await asked(rig)
    for _ in range(2):
        rig.link.bring(*FIVE, *FIVE)
        rig.link.bring(*FIVE)
        await asyncio.sleep(0)
        rig.link.bring(*FIVE)
        await rig.idle()
        await taken(rig)
    assert rig.texts == ["Первый?", "Второй?", "5 5"]
    assert rig.statuses == [0] * 9
