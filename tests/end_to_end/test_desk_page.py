"""The desk in Chromium: a question by SMS, its answer, its end; by mouse, by keyboard, at a phone's width."""

from __future__ import annotations

import aiohttp
import pytest

from gateway.demo.show import Show
from tests.end_to_end.chromium import Browser

pytestmark = pytest.mark.chromium

RICH, POOR, STAFF = "79160000001", "79160000002", "79160000013"
ASKED = "Почему звук прерывается?"
READY = "document.querySelector('#main')?.hidden === false"


async def write(show: Show, phone: str, text: str, to: str = "000500") -> None:
    """Write an SMS from a handset, as its page does."""
    async with (
        aiohttp.ClientSession() as client,
        client.post(f"{show.url}sms", json={"phone": phone, "to": to, "text": text}) as response,
    ):
        assert response.status == 200


async def got(show: Show, phone: str, count: int) -> list[str]:
    """Return what a handset has received, once it is so many messages."""

    def texts() -> list[str]:
        return [one.text for one in show.network.handset(phone).messages if not one.mine]

    await show.centre.wait_for(lambda: len(texts()) >= count, what=f"{count} SMS", limit_s=15)
    return texts()


async def opened(browser: Browser, show: Show, width: int = 1440) -> None:
    await browser.open(f"{show.url}desk", width, 844, READY)


async def test_a_question_is_answered_closed_and_the_survey_goes_out(browser: Browser, show: Show) -> None:
    await opened(browser, show)
    assert await browser.text(".empty") == "Nobody waits."
    await write(show, RICH, ASKED)
    await browser.until("document.querySelectorAll('.item').length === 1", 5)
    assert "7916***0001" in await browser.text(".item")
    assert RICH not in await browser.text("#list")
    assert await browser.text(".item .high") == "priority"
    await browser.click(".item")
    await browser.until("!document.querySelector('#sheet').hidden")
    assert await browser.text("#facts .phone") == "+7 916 000-00-01"
    assert await browser.text(".line[data-who=subscriber] p") == ASKED
    await browser.click("#take")
    await browser.until("document.querySelector('#take').hidden")
    await browser.click("#answer")
    await browser.type("Перезагрузите телефон.")
    await browser.click("#send")
    await browser.until("document.querySelector('.line[data-who=staff] p')?.textContent.startsWith('Переза')")
    assert (await got(show, RICH, 2))[1] == "Перезагрузите телефон."
    await write(show, RICH, "Помогло, спасибо")
    await browser.until("document.querySelectorAll('.line[data-who=subscriber]').length === 2", 5)
    await browser.click("#results [value=solved]")
    await browser.click("#close")
    await browser.until("document.querySelectorAll('.item').length === 0")
    assert (await got(show, RICH, 3))[2] == "Оцените разговор от нуля до пяти."
    await write(show, RICH, "5")
    assert (await got(show, RICH, 4))[3] == "Спасибо за оценку!"
    await browser.click("#closed")
    await browser.until("document.querySelector('.item')?.textContent.includes('solved')")
    assert browser.complaints == []


async def test_the_desk_is_worked_without_a_mouse(browser: Browser, show: Show) -> None:
    await write(show, POOR, ASKED)
    await write(show, STAFF, "Касса не печатает чек", "0555")
    await opened(browser, show)
    await browser.until("document.querySelectorAll('.item').length === 2", 5)
    await browser.press("ArrowDown")
    await browser.until("document.querySelector('#subtitle').textContent.includes('sms questions')")
    await browser.press("KeyT", "е")  # a Russian keyboard
    await browser.until("document.querySelector('.item .taken')")
    await browser.press("KeyR", "к")
    assert await browser.run("document.activeElement.id") == "answer"
    await browser.type("Проверим вышку.")
    await browser.press("Enter", modifiers=2)
    assert (await got(show, POOR, 2))[1] == "Проверим вышку."
    await browser.until("document.querySelector('#answer').value === ''")
    await browser.press("Escape")
    await browser.press("ArrowDown")
    await browser.until("document.querySelector('#subtitle').textContent.includes('staff')")
    await browser.press("KeyC", "с")
    assert await browser.run("document.activeElement.name") == "result"
    await browser.press("Escape")
    await browser.press("Slash", ".")
    await browser.type("staff")
    await browser.until("document.querySelectorAll('.item').length === 1")
    assert browser.complaints == []


async def test_hostile_texts_are_only_text(browser: Browser, show: Show) -> None:
    text = '<img src=x onerror="document.title=1"><script>document.title=2</script> \u202egnorw'
    await write(show, RICH, text)
    await opened(browser, show)
    await browser.until("document.querySelectorAll('.item').length === 1", 5)
    await browser.click(".item")
    await browser.until("document.querySelector('.line')")
    assert await browser.text(".line p") == text
    assert await browser.run("document.querySelectorAll('main img, main script').length") == 0
    assert await browser.run("document.title") == "(1) Gudok: desk"
    refused = await browser.run("fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')")
    assert refused == "refused"


async def test_what_is_refused_is_said_and_nothing_typed_is_lost(browser: Browser, show: Show) -> None:
    await write(show, RICH, ASKED)
    await opened(browser, show)
    await browser.until("document.querySelectorAll('.item').length === 1", 5)
    await browser.click(".item")
    await browser.until("document.querySelector('.line')")
    await browser.click("#close")
    await browser.until("document.querySelector('#said').textContent === 'Choose a result first'")
    await browser.run("document.querySelector('#answer').value = 'Ответ\\u0007'")
    await browser.click("#send")
    await browser.until("document.querySelector('#said').textContent.includes('cannot be shown')")
    assert await browser.run("document.querySelector('#answer').value") == "Ответ\u0007"
    await show.gateway.desk.close(1, "solved", note="Уже сделано")
    await browser.until("document.querySelector('#facts').textContent.includes('Уже сделано')", 5)
    assert await browser.run("document.querySelector('#reply').hidden")


@pytest.mark.parametrize("width", [390, 768, 1440])
async def test_nothing_runs_over_the_side(browser: Browser, show: Show, width: int) -> None:
    await write(show, RICH, ASKED + " " + "Ж" * 300)
    await opened(browser, show, width)
    await browser.until("document.querySelectorAll('.item').length === 1", 5)
    assert await browser.run("document.documentElement.scrollWidth") <= width
    await browser.click(".item")
    await browser.until("document.querySelector('.line')")
    assert await browser.run("document.documentElement.scrollWidth") <= width
    for part in ("#send", "#close", "#take"):
        right = await browser.run(f"document.querySelector('{part}').getBoundingClientRect().right")
        assert 0 < right <= width
    if width < 760:
        await browser.click("#back")
        await browser.until("document.querySelector('.item').getBoundingClientRect().width > 100")
