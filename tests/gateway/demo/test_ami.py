"""The exchange's manager interface: the gateway sees the queues by it, and calls subscribers through it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from gateway.demo.exchange.ami import BUSY, NO_ANSWER, NO_SUCH_NUMBER, USER, Order
from gateway.demo.network import RefusedError
from gateway.demo.show import Show
from ivr.ami.client import AmiClient
from ivr.ami.message import Message
from tests.gateway.demo.caller import AGENT, POOR, RICH, Phone, nothing_left

NOBODY = "70000000000"


pytestmark = pytest.mark.usefixtures("rings_at_once")


async def until(fact: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not fact():  # noqa: ASYNC110 - what is looked at tells nobody
            await asyncio.sleep(0.005)


async def sees(show: Show, waiting: int, staffed: int, free: int) -> None:
    """Wait until the gateway has this picture of the queue of specialists."""
    await until(lambda: show.gateway.asterisks.state().get("support") == (waiting, staffed, free))


def on_duty(show: Show, agent: str = AGENT) -> Callable[[], None]:
    """Open a specialist's page; return what closes it."""
    listener = show.exchange.desk.join(agent)
    assert listener is not None
    show.exchange.duty_changed()

    def leave() -> None:
        show.exchange.desk.leave(listener)
        show.exchange.duty_changed()

    return leave


def counted(show: Show, name: str) -> int:
    gateway = show.gateway
    gateway.asterisks.tend(gateway.clock.now())
    return gateway.host.counters[name]


async def test_the_gateway_sees_who_waits_and_who_answers(show: Show, phone: Phone) -> None:
    leave = on_duty(show)
    await sees(show, 0, 1, 1)
    await phone.menu()
    show.exchange.press(RICH, "0")
    await phone.until(lambda one: one["state"] == "queue")  # somebody is free: no word on the wait
    await sees(show, 1, 1, 1)
    poor = Phone(show, POOR)
    await poor.queue()
    await sees(show, 2, 1, 1)
    show.exchange.answer(AGENT, 0)
    await sees(show, 1, 1, 0)
    show.exchange.finish(AGENT, "solved")
    await sees(show, 1, 1, 1)
    await until(lambda: counted(show, "waits.support.answered") == 1)
    show.exchange.hang_up(POOR)
    await until(lambda: counted(show, "waits.support.abandoned") == 1)
    leave()
    await until(lambda: show.gateway.asterisks.state().get("support", (0, 0, 0))[1] == 0)


async def test_a_gateway_that_comes_later_gets_the_whole_picture(show: Show) -> None:
    on_duty(show)
    seen: list[Message] = []
    ready = asyncio.Event()
    ami = show.exchange.ami
    client = AmiClient(
        "second", "127.0.0.1", ami.port, USER, ami.secret,
        clock=show.calls.now, random=Random(1), on_event=seen.append, on_ready=ready.set,
    )  # fmt: skip
    poor = Phone(show, POOR)
    await poor.menu()
    show.exchange.press(POOR, "0")
    await poor.until(lambda one: one["state"] == "queue")
    client.start()
    try:
        async with asyncio.timeout(10):
            await ready.wait()
            outcome = await client.ask("QueueStatus")
            refused = await client.ask("Originate", ("Channel", "Local/1@cb/n"), ("Context", "x"))
            unknown = await client.ask("Command", ("Command", "core show channels"))
    finally:
        await client.close()
    mine = [one for one in outcome.events if one.get("Queue") == "support"]
    assert [one.event for one in mine] == ["QueueParams", "QueueMember", "QueueEntry"]
    assert (mine[0].get("Calls"), mine[1].get("Status"), mine[2].get("Position")) == ("1", "1", "1")
    assert {one.get("Queue") for one in outcome.events} >= set(show.library.current.project.queues)
    assert (refused.error, unknown.error) == ("Permission denied", "Permission denied")


async def rings(show: Show, phone: str = RICH) -> None:
    await until(lambda: (show.exchange.picture(phone) or {}).get("state") == "incoming")


async def test_the_gateway_calls_and_the_handset_rings(show: Show, phone: Phone) -> None:
    await show.next_day()  # at noon calls are allowed
    await show.world.act("shop_left", RICH)
    await rings(show)
    with pytest.raises(RefusedError):
        show.exchange.call(RICH, "0890")
    show.exchange.pick_up(RICH)
    with pytest.raises(RefusedError):
        show.exchange.pick_up(RICH)
    assert "Вы были в салоне" in await phone.hear("5")
    assert (await phone.hear(asks=False)).startswith("Спасибо")
    await phone.ended()
    await nothing_left(show)
    assert counted(show, "calls_out.answered") == 1
    (rating,) = show.gateway.store.ratings(0, 10)
    assert (rating.topic, rating.score, rating.channel) == ("shop", 5, "voice")


async def test_who_declines_is_busy(show: Show, phone: Phone) -> None:
    await show.next_day()
    await show.world.act("shop_left", RICH)
    await rings(show)
    show.exchange.look()  # that no page shows a handset which rings ends nothing
    show.exchange.hang_up(RICH)
    assert await phone.ended() == "you declined the call"
    await until(lambda: counted(show, "calls_out.busy") == 1)
    await nothing_left(show)


async def test_who_cannot_be_reached_is_told_by_its_reason(show: Show, phone: Phone) -> None:
    told: list[int] = []
    show.exchange.ring(Order(NOBODY, "0890", "a", 5), told.append)
    await until(lambda: told == [NO_SUCH_NUMBER])
    show.exchange.ring(Order(RICH, "0890", "b", 0), told.append)
    await until(lambda: told[1:] == [NO_ANSWER])
    assert await phone.ended() == "a missed call"
    show.exchange.call(RICH, "0890")
    show.exchange.ring(Order(RICH, "0890", "c", 5), told.append)
    await until(lambda: told[2:] == [BUSY])


async def test_starting_over_ends_a_call_that_rings(show: Show) -> None:
    told: list[int] = []
    show.exchange.ring(Order(RICH, "0890", "a", 30), told.append)
    await show.start_over()
    assert told == [BUSY]
    assert show.exchange.picture(RICH) is None


async def call_back(show: Show, phone: Phone) -> None:
    """Order a call back from the menu of the queue, and hang up."""
    await phone.menu()
    show.exchange.press(phone.phone, "0")
    assert (await phone.hear("3")).startswith("Ждать примерно")
    assert (await phone.hear(asks=False)).startswith("Заявка принята.")
    show.exchange.hang_up(phone.phone)
    await phone.ended()


async def test_a_callback_waits_for_a_specialist_and_then_rings(show: Show, phone: Phone) -> None:
    await call_back(show, phone)
    on_duty(show)
    await until(lambda: show.exchange.view(AGENT)["waiting"])
    (waiting,) = show.exchange.view(AGENT)["waiting"]
    assert (waiting["card"].phone, waiting["card"].number, waiting["queue"]) == (RICH, "", "support")
    await sees(show, 0, 1, 1)  # a placeholder is nobody who waits
    show.exchange.answer(AGENT, 0)
    await rings(show)
    assert show.exchange.view(AGENT)["talk"]["rings"]
    show.exchange.pick_up(RICH)
    await phone.until(lambda one: one["state"] == "people")
    assert not show.exchange.view(AGENT)["talk"]["rings"]
    show.exchange.finish(AGENT, "solved")
    assert await phone.ended() == "the call has ended"
    await until(lambda: not show.gateway.tasks.open)


async def test_a_callback_that_nobody_answers_is_left_to_people(show: Show, phone: Phone) -> None:
    await call_back(show, phone)
    on_duty(show)
    await until(lambda: show.exchange.view(AGENT)["waiting"])
    show.exchange.answer(AGENT, 0)
    await rings(show)
    show.exchange.hang_up(RICH)
    assert await phone.ended() == "you declined the call"
    await until(lambda: show.exchange.view(AGENT)["talk"] is None)
    (task,) = show.gateway.tasks.open.values()
    assert task.subscriber == RICH


async def test_a_specialist_who_leaves_while_it_rings_ends_it(show: Show, phone: Phone) -> None:
    await call_back(show, phone)
    on_duty(show)
    await until(lambda: show.exchange.view(AGENT)["waiting"])
    show.exchange.answer(AGENT, 0)
    await rings(show)
    show.exchange.finish(AGENT, "")
    assert await phone.ended() == "a missed call"
    assert show.exchange.view(AGENT)["talk"] is None


async def test_starting_over_ends_callbacks(show: Show, phone: Phone) -> None:
    await call_back(show, phone)
    on_duty(show)
    await until(lambda: show.exchange.view(AGENT)["waiting"])
    await show.start_over()
    assert show.exchange.view(AGENT)["waiting"] == []
