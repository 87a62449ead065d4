"""Calls in Chromium: a handset calls 0890, hears it and presses keys; a second tab is the specialist."""

from __future__ import annotations

import pytest

from gateway.demo.show import Show
from tests.end_to_end.chromium import Browser
from tests.gateway.demo.caller import nothing_left

pytestmark = pytest.mark.chromium

SAID = "document.querySelector('#call-said')"
HEARD = (
    "document.querySelectorAll('#call-said li').length === {0} && !document.querySelector('#call-said .now')"
)
FAST = 16
"""Prompts are played so many times faster: Chromium goes no further."""


async def menu(browser: Browser, show: Show, width: int = 1440) -> None:
    """Call 0890 and hear its main menu to the end."""
    await browser.open(show.url, width, 900)
    await browser.run(f"Call.own.rate = {FAST}")
    await browser.click(".quick [data-call='0890']")
    await browser.until(HEARD.format(1))
    await browser.click("[data-dtmf='2']")
    await browser.until(HEARD.format(2))
    assert (await browser.text("#call-said li:last-child p")).startswith("Главное меню.")


async def state(browser: Browser, name: str) -> None:
    await browser.until(f"document.querySelector('#call-view').dataset.state === '{name}'")


async def test_a_prompt_is_played_and_a_key_gives_the_balance(browser: Browser, show: Show) -> None:
    await browser.open(show.url, 1440, 900)
    for key in "0890":
        await browser.click(f"#pad [data-key='{key}']")
    await browser.click("#call")
    await browser.until(
        "!document.querySelector('#voice').paused && document.querySelector('#voice').currentTime > 0.2"
    )
    assert (await browser.text("#call-said .now p")).startswith("Здравствуйте! Это Гудок.")
    assert await browser.run("document.querySelector('#voice').duration") > 5
    await browser.click("[data-dtmf='2']")  # in the middle of the prompt
    await browser.until(f"{SAID}.textContent.includes('Главное меню.')")
    await browser.run(f"Call.own.rate = {FAST}")
    await browser.run("document.activeElement.blur()")
    await browser.press("Digit1", key="1")
    await browser.until(f"{SAID}.textContent.includes('Баланс 1500 ₽')")
    await browser.until(HEARD.format(3))
    assert [await browser.text(f"#call-said li:nth-child({n}) kbd") for n in (1, 2)] == ["2", "1"]
    assert "billing.account" in await browser.text("#rows")
    await browser.click("#hang-up")
    await state(browser, "ended")
    assert await browser.text("#call-state") == "you hung up"
    await nothing_left(show)
    await browser.click("#hang-up")
    await browser.until("document.querySelector('#call-view').hidden")
    assert browser.complaints == []


async def test_a_specialist_in_the_second_tab_answers_and_is_rated(browser: Browser, show: Show) -> None:
    await menu(browser, show)
    await browser.click("[data-dtmf='0']")
    await browser.until(f"{SAID}.textContent.includes('Ждать примерно')")  # nobody is on duty yet
    await browser.click("[data-dtmf='2']")
    await state(browser, "queue")
    assert (await browser.text("#call-state")).startswith("in the queue “support”, place 1 of 1")
    assert not await browser.run("document.querySelector('#call-nobody').hidden")
    async with browser.second() as other:
        await other.open(
            f"{show.url}specialist", 1440, 900, "document.querySelectorAll('#waiting > li').length === 1"
        )
        await browser.until("document.querySelector('#call-nobody').hidden")
        assert "Анна Богатова" in await other.text("#waiting")
        assert "Главное меню. Специалист" in await other.text("#waiting")
        await other.click("#next")
        await other.until("document.querySelector('#talk').dataset.state === 'talk'")
        await state(browser, "people")
        await other.click("[data-result=solved]")
        await browser.until(f"{SAID}.textContent.includes('Оцените разговор от нуля до пяти.')")
        await browser.click("[data-dtmf='5']")
        await browser.until(f"{SAID}.textContent.includes('Спасибо за оценку!')")
        await other.until("document.querySelector('#talk').dataset.state === 'free'")
        assert other.complaints == []
    await browser.click("#hang-up")
    await nothing_left(show)
    (rating,) = show.gateway.store.ratings(0, 10)
    assert (rating.topic, rating.score) == ("call", 5)
    assert browser.complaints == []


async def test_a_caller_who_is_not_shown_any_more_hangs_up(browser: Browser, show: Show) -> None:
    await menu(browser, show)
    await browser.run("choose('79160000002')")
    await browser.until("document.querySelector('#call-view').hidden")
    await nothing_left(show)
    assert browser.complaints == []


@pytest.mark.parametrize("width", [390, 1024])
async def test_a_call_fits_into_the_telephone(browser: Browser, show: Show, width: int) -> None:
    await menu(browser, show, width)
    assert await browser.run("document.documentElement.scrollWidth") <= width
    for part in ("#call-said", "[data-dtmf='#']", "#hang-up"):
        inside = (
            f'(() => {{ const a = document.querySelector("{part}").getBoundingClientRect();'
            " const b = document.querySelector('.dock').getBoundingClientRect();"
            " return a.height > 20 && a.bottom <= b.top; })()"
        )
        assert await browser.run(inside), part
    async with browser.second() as other:
        await other.open(
            f"{show.url}specialist", width, 844, "document.querySelector('#duty')?.textContent === 'on duty'"
        )
        assert await other.run("document.documentElement.scrollWidth") <= width


async def test_a_call_of_the_gateway_rings_at_the_handset(browser: Browser, show: Show) -> None:
    await show.next_day()  # calls are made by day
    await browser.open(show.url, 390, 844)
    await browser.run(f"Call.own.rate = {FAST}")
    await show.world.act("shop_left", "79160000001")
    await state(browser, "incoming")
    assert await browser.text("#call-state") == "incoming call"
    assert await browser.run("document.querySelector('#call-pad').hidden")
    assert await browser.run("document.documentElement.scrollWidth") <= 390
    await browser.click("#pick-up")
    await browser.until(f"{SAID}.textContent.includes('Вы были в салоне')")
    await browser.click("[data-dtmf='5']")
    await browser.until(f"{SAID}.textContent.includes('Спасибо')")
    await state(browser, "ended")
    await nothing_left(show)
    assert browser.complaints == []


async def test_a_call_is_declined_with_the_red_button(browser: Browser, show: Show) -> None:
    await show.next_day()
    await browser.open(show.url, 1440, 900)
    await show.world.act("shop_left", "79160000001")
    await state(browser, "incoming")
    await browser.click("#hang-up")
    await state(browser, "ended")
    assert await browser.text("#call-state") == "you declined the call"
    assert browser.complaints == []
