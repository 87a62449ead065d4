"""The handset page in Chromium: what a person sees and presses, at a desk's and at a phone's width."""

from __future__ import annotations

import re

import pytest

from gateway.demo.show import Show
from tests.end_to_end.chromium import Browser

pytestmark = pytest.mark.chromium

RENEWED = "Пакет обновлён, списано 490 ₽. Остатки сохранены на месяц."


async def test_at_a_desk_a_dialog_is_held_by_mouse_and_keyboard(browser: Browser, show: Show) -> None:
    await browser.open(show.url, 1440, 900)
    for key in ("*", "1", "0", "0", "#"):
        await browser.click(f"#pad [data-key='{key}']")
    assert await browser.text("#number") == "*100#"
    await browser.click("#call")
    await browser.until("document.querySelector('#ussd').dataset.state === 'menu'")
    assert (await browser.text("#ussd-text")).startswith("Баланс 1500 ₽")
    assert await browser.run("document.activeElement.id") == "ussd-input"
    await browser.type("2")
    await browser.click("#ussd-send")
    await browser.until("document.querySelector('#ussd-text').textContent.startsWith('Тариф Smart')")
    await browser.until("document.querySelector('#code .line.now')?.textContent.includes('menu: Тариф')")
    assert await browser.text("#flow-title") == "Смена тарифа"
    assert "billing.tariffs" in await browser.text("#rows")
    await browser.click("#ussd-cancel")
    await browser.until("document.querySelector('#ussd').hidden")
    assert browser.complaints == []


async def test_the_renewal_is_seen_in_balance_ledger_and_answer(browser: Browser, show: Show) -> None:
    await browser.open(show.url, 1440, 900)
    await browser.click("[data-dial='*929#']")
    await browser.until("document.querySelector('#ussd').dataset.state === 'ended'")
    assert await browser.text("#ussd-text") == RENEWED
    await browser.until("document.querySelector('#who-balance').textContent.replace(/\\s/g, '') === '1010₽'")
    await browser.until("document.querySelector('#ledger tr').textContent.includes('refresh fee')")
    assert "−490" in await browser.text("#ledger tr .amount")
    await browser.click("#start-over")
    await browser.until("document.querySelector('#who-balance').textContent.replace(/\\s/g, '') === '1500₽'")
    assert await browser.run("document.querySelector('#ussd').hidden")
    assert browser.complaints == []


async def test_a_mistake_is_shown_at_its_line_and_goes_with_the_correction(
    browser: Browser, show: Show
) -> None:
    await browser.open(show.url, 1440, 900)
    file = show.library.root / "flows" / "tips.yaml"
    right = file.read_text(encoding="utf-8")
    file.write_text(right.replace("run: options", "run: optoins"), encoding="utf-8")
    await browser.until("!document.querySelector('#findings').hidden", 3)
    assert re.search(r"flows/tips\.yaml:\d+:\d+", await browser.text("#findings"))
    await browser.until("document.querySelector('#code .line.wrong')?.textContent.includes('optoins')")
    file.write_text(right.replace("Что рассказать?", "О чём рассказать?"), encoding="utf-8")
    await browser.until("document.querySelector('#findings').hidden", 3)
    await browser.until("document.querySelector('#toast').textContent.startsWith('New build')", 3)
    assert browser.complaints == []


@pytest.mark.parametrize("width", [390, 768, 1024, 1440])
async def test_nothing_runs_over_the_side_and_every_part_is_reached(
    browser: Browser, show: Show, width: int
) -> None:
    await browser.open(show.url, width, 844)
    parts = {"people": "#cast", "services": ".service", "inside": "#code", "trouble": "#acts"}
    for tab, part in {**parts, "phone": "#call"}.items():
        if width < 1000:
            await browser.click(f".tabs [data-tab={tab}]")
        elif tab in ("people", "services"):
            await browser.click(f"[data-side={'cast' if tab == 'people' else 'services'}]:is(button)")
        await browser.until(f"document.querySelector('{part}').getBoundingClientRect().width > 40")
        assert await browser.run("document.documentElement.scrollWidth") <= width
    await browser.click("[data-dial='*929#']")
    await browser.until("document.querySelector('#ussd').dataset.state === 'ended'")
    await browser.click("#ussd-send")
    await browser.until("document.querySelector('#ussd').hidden")


async def test_hostile_messages_are_only_text(browser: Browser, show: Show) -> None:
    await browser.open(show.url, 1440, 900)
    before = await browser.run("[document.title, document.querySelectorAll('*').length > 100]")
    await browser.click("[data-view=sms]")
    await browser.run("state.thread = '000500'; drawMessages()")
    text = '<img src=x onerror="document.title=1"><script>document.title=2</script>\u202egnorw'
    await browser.click("#sms-text")
    await browser.type(text)
    await browser.click("#compose button")
    await browser.until("document.querySelectorAll('.bubble').length > 0")
    assert await browser.text(".bubble p") == text
    assert await browser.run("document.querySelectorAll('#bubbles img, #bubbles script').length") == 0
    await browser.run("order('sms', { phone: state.phone, to: '000500', text: 'Ж'.repeat(10000) })")
    await browser.until(
        "[...document.querySelectorAll('.bubble small')].some((s) => s.textContent.includes('150 parts'))"
    )
    assert await browser.run("document.querySelector('.glass').scrollWidth") <= 344
    assert await browser.run("[document.title, true]") == before
    refused = await browser.run("fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')")
    assert refused == "refused"
    assert "Content Security Policy" in " ".join(browser.complaints)


async def test_a_service_is_found_and_dialled_from_the_list(browser: Browser, show: Show) -> None:
    await browser.open(show.url, 1440, 900)
    await browser.click("#find")
    await browser.type("обещан")
    await browser.until("document.querySelectorAll('.service').length === 1")
    assert await browser.text(".deeper") == "Платежи: Обещанный платёж*100*4*3#"
    await browser.click(".deeper")
    await browser.until("document.querySelector('#ussd').dataset.state === 'menu'")
    assert (await browser.text("#ussd-text")).startswith("200 ₽ на 3 дня, комиссия 10 ₽\n1 Взять")
    await browser.click("#ussd-cancel")
    await browser.until("document.querySelector('#ussd').hidden")
    await browser.run("document.querySelector('#find').value = ''; drawServices()")
    await browser.click("[data-service=tips] .way[data-kind=sms]")
    await browser.until("document.querySelectorAll('.bubble').length === 2")
    assert [await browser.text(".mine p"), await browser.text(".theirs p")] == [
        "совет",
        "Что рассказать?\n1 Как пополнить\n2 Роуминг\n3 Нулевой баланс\n4 Мои опции",
    ]
    assert browser.complaints == []


async def test_the_network_rings_with_the_offer_and_it_is_taken(browser: Browser, show: Show) -> None:
    await browser.open(show.url, 1440, 900)
    await browser.click("[data-act=offer]")
    await browser.until("document.querySelector('#ussd').dataset.state === 'menu'")
    assert (await browser.text("#ussd-text")).startswith("Ultra: 15 ГБ")
    await browser.click("#ussd-input")
    await browser.type("1")
    await browser.click("#ussd-send")
    await browser.until("document.querySelector('#ussd').dataset.state === 'ended'")
    assert await browser.text("#ussd-text") == "Тариф подключён. Подробности в SMS."
    await browser.click("#ussd-send")
    await browser.until("document.querySelector('#ussd').hidden && !document.querySelector('#banner').hidden")
    assert await browser.text("#banner span") == "Тариф Ultra подключён, 990 ₽ в месяц."
    await browser.click("#banner")
    await browser.until("document.querySelectorAll('.bubble').length === 1")
    assert browser.complaints == []


async def test_a_subscriber_changes_the_language(browser: Browser, show: Show) -> None:
    await browser.open(show.url, 1440, 900)
    assert await browser.text("#speaks [aria-pressed=true]") == "Русский"
    await browser.click("#speaks [lang=en]")
    await browser.until("document.querySelector('#speaks [aria-pressed=true]').textContent === 'English'")
    await browser.click("[data-dial='*100#']")
    await browser.until("document.querySelector('#ussd').dataset.state === 'menu'")
    assert (await browser.text("#ussd-text")).startswith("Balance 1500 ")
    assert browser.complaints == []
