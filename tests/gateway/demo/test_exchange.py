"""The exchange of the demo over the whole demo: calls to the end without a browser, and who stands where."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from gateway.demo.exchange import exchange as module
from gateway.demo.network import RefusedError
from gateway.demo.show import Show
from tests.gateway.demo.caller import AGENT, LATER, MENU, POOR, RICH, Phone, nothing_left

pytestmark = pytest.mark.usefixtures("rings_at_once")


async def test_a_balance_is_heard_and_read(show: Show, phone: Phone) -> None:
    await phone.menu()
    show.exchange.press(RICH, "1")
    one = await phone.until(lambda one: one["playing"])
    assert one["said"][-1].text.split("\n")[0] == "Баланс 1500 ₽"
    assert (one["number"], one["service"], one["state"]) == ("0890", "Контактный центр 0890", "talking")
    async with aiohttp.ClientSession() as client:
        url = f"{show.url}call/sound"
        async with client.get(url, params={"phone": RICH, "id": one["playing"]}) as response:
            assert (response.status, response.content_type) == (200, "audio/wav")
            assert (await response.read())[:4] == b"RIFF"
        for wrong in ({"phone": RICH, "id": one["playing"] + 1}, {"phone": RICH, "id": "x"}, {"phone": "1"}):
            async with client.get(url, params=wrong) as response:
                assert response.status == 404


async def test_a_prompt_waits_until_the_page_has_played_it(show: Show, phone: Phone) -> None:
    show.exchange.call(RICH, "0890")
    one = await phone.until(lambda one: one["playing"])
    show.exchange.heard(RICH, one["playing"] + 1)  # a late word about another prompt
    await show.gateway.host.idle()
    assert phone.now["playing"] == one["playing"]
    show.exchange.heard(RICH, one["playing"])
    assert phone.now["playing"] == 0
    assert phone.now["asks"]


async def test_a_key_stops_the_prompt_and_answers_it(show: Show, phone: Phone) -> None:
    show.exchange.call(RICH, "0890")
    first = await phone.until(lambda one: one["playing"])
    show.exchange.press(RICH, LATER)
    assert phone.now["playing"] == 0
    second = await phone.until(lambda one: one["playing"])
    assert second["playing"] > first["playing"]
    assert second["said"][-1].text.startswith(MENU)


async def test_a_specialist_answers_leaves_and_is_rated(show: Show, phone: Phone) -> None:
    await phone.queue()
    (waiting,) = show.exchange.view(AGENT)["waiting"]
    assert (waiting["queue"], waiting["card"].name, waiting["card"].survey) == (
        "support",
        "Анна Богатова",
        True,
    )
    assert [one.partition(".")[0] for one in waiting["card"].trail[-2:]] == [
        "Главное меню",
        "Ждать примерно 3 минуты",
    ]
    show.exchange.answer(AGENT, 0)
    assert phone.now["state"] == "people"
    with pytest.raises(RefusedError):
        show.exchange.answer(AGENT, 0)
    show.exchange.finish(AGENT, "solved")
    assert await phone.hear("5") == "Оцените разговор от нуля до пяти."
    assert (await phone.hear(asks=False)).startswith("Спасибо за оценку!")
    show.exchange.hang_up(RICH)
    await phone.ended()
    await nothing_left(show)
    (rating,) = show.gateway.store.ratings(0, 10)
    assert (rating.topic, rating.score, rating.channel) == ("call", 5, "voice")


async def test_an_expert_gets_the_caller_without_a_survey_in_between(show: Show, phone: Phone) -> None:
    await show.next_day()  # experts sleep at night
    await phone.queue()
    show.exchange.answer(AGENT, 0)
    show.exchange.finish(AGENT, "escalate")
    assert (await phone.hear(asks=False)).startswith("Переключаем на эксперта.")


async def test_who_is_ahead_by_class_is_served_first(show: Show) -> None:
    poor, rich = Phone(show, POOR), Phone(show, RICH)
    await poor.queue()
    await rich.queue()
    names = [one["card"].phone for one in show.exchange.view(AGENT)["waiting"]]
    assert names == [RICH, POOR]
    assert (rich.now["place"], poor.now["place"], poor.now["waiting"]) == (1, 2, 2)
    show.exchange.answer(AGENT, 0)
    assert (rich.now["state"], poor.now["place"]) == ("people", 1)
    show.exchange.answer("boris", show.exchange.view("boris")["waiting"][0]["id"])
    assert poor.now["state"] == "people"


async def leave_ringing(phone: Phone) -> None:
    phone.show.exchange.call(phone.phone, "0890")


async def leave_greeting(phone: Phone) -> None:
    phone.show.exchange.call(phone.phone, "0890")
    await phone.until(lambda one: one["playing"])


async def leave_menu(phone: Phone) -> None:
    await phone.menu()


async def leave_queue(phone: Phone) -> None:
    await phone.queue()


async def leave_talk(phone: Phone) -> None:
    await phone.queue()
    phone.show.exchange.answer(AGENT, 0)


async def leave_rating(phone: Phone) -> None:
    await leave_talk(phone)
    phone.show.exchange.finish(AGENT, "unsolved")
    await phone.hear()


@pytest.mark.parametrize(
    "step", [leave_ringing, leave_greeting, leave_menu, leave_queue, leave_talk, leave_rating]
)
async def test_a_hang_up_leaves_no_session(
    show: Show, phone: Phone, step: Callable[[Phone], Awaitable[None]]
) -> None:
    await step(phone)
    show.exchange.hang_up(RICH)
    assert await phone.ended() == "you hung up"
    await nothing_left(show)
    assert show.exchange.view(AGENT)["waiting"] == []
    assert show.exchange.view(AGENT)["talk"] is None
    show.exchange.hang_up(RICH)
    assert show.exchange.picture(RICH) is None


async def test_a_number_of_no_flow_goes_to_people_with_an_apology(show: Show, phone: Phone) -> None:
    show.exchange.call(RICH, "0899")
    one = await phone.until(lambda one: one["state"] == "queue")
    assert (one["queue"], one["service"]) == ("support", "")
    assert one["said"][-1].text.startswith("No gateway answers")
    show.exchange.answer(AGENT, 0)
    show.exchange.finish(AGENT, "")
    assert await phone.ended() == "the call has ended"


async def test_whoever_closes_the_page_has_gone(
    show: Show, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    await phone.queue()
    monkeypatch.setattr(module, "ALONE_S", 0.0)
    show.exchange.look()
    assert phone.now["state"] == "queue"
    show.exchange.answer(AGENT, 0)
    show.exchange.look()  # no page of the specialist is open
    assert (await phone.hear()) == "Оцените разговор от нуля до пяти."
    show.feed.leave(phone._listener)
    show.exchange.look()
    assert await phone.ended() == "you hung up"
    await nothing_left(show)


async def test_starting_over_ends_calls_and_the_next_one_works(show: Show, phone: Phone) -> None:
    await phone.queue()
    await show.start_over()
    assert show.exchange.picture(RICH) is None
    assert show.exchange.view(AGENT)["waiting"] == []
    await Phone(show, RICH).menu()


WRONG_ORDERS = (
    ("call", {"phone": RICH, "number": "*100#"}, 409),
    ("call", {"phone": RICH, "number": "1" * 16}, 409),
    ("call", {"phone": RICH, "number": "٠٨٩٠"}, 409),
    ("call", {"phone": "70000000000", "number": "0890"}, 404),
    ("call/key", {"phone": RICH, "key": "1"}, 409),
    ("call/key", {"phone": RICH, "key": "12"}, 409),
    ("call/heard", {"phone": RICH, "id": "1"}, 400),
    ("call/hangup", {"phone": RICH, "more": 1}, 400),
    ("specialist/answer", {"agent": AGENT}, 409),
    ("specialist/answer", {"agent": "../x"}, 404),
    ("specialist/finish", {"agent": AGENT, "result": "solved"}, 409),
    ("specialist/finish", {"agent": AGENT, "result": "done"}, 409),
)


async def test_orders_that_make_no_sense_are_refused_in_words(show: Show) -> None:
    async with aiohttp.ClientSession() as client:
        for path, body, status in WRONG_ORDERS:
            async with client.post(show.url + path, json=body) as response:
                assert (path, body, response.status) == (path, body, status)
                assert (await response.json())["error"]
        async with client.get(f"{show.url}specialist/events", params={"agent": "Ж"}) as response:
            assert response.status == 404
