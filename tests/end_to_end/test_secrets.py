"""Canaries: a password and card codes go through; nothing that is written down holds them in clear."""

from pathlib import Path

import pytest

from gateway.demo.billing.catalogue import DEMO_CARDS
from tests.end_to_end.stage import RICH, Stage, staged
from tests.end_to_end.test_store_failure import CENTRE, failed, failing

PASSWORD = "pass-7919"
CODE = DEMO_CARDS[0].code
WRONG = "98765432109876"
TOP_UP = "billing.top_up"


def hiding_places(stage: Stage) -> dict[str, bytes]:
    """Return everything that the gateway has written: its data folder, the write-ahead log, its own log."""
    places = {
        str(path.relative_to(stage.root)): path.read_bytes()
        for path in sorted((stage.root / "data").rglob("*"))
        if path.is_file()
    }
    places["log"] = stage.logs.getvalue().encode()
    places["counters"] = repr(stage.gateway.host.counters).encode()
    places["sessions"] = repr([one.session for one in stage.gateway.host.conversations.values()]).encode()
    places["dialogs"] = repr(vars(stage.gateway.links["main"])).encode()
    return places


def found(stage: Stage, *canaries: str) -> list[str]:
    """Return where a canary sings, in any of the alphabets that texts are written in."""
    places = hiding_places(stage)
    assert len(places["data/gudok.db"]) + len(places.get("data/gudok.db-wal", b"")) > 10_000
    return [
        f"{canary} in {name}"
        for canary in canaries
        for name, octets in places.items()
        for form in ("utf-8", "utf-16-be", "utf-16-le")
        if canary.encode(form) in octets
    ]


async def test_a_password_by_sms_is_written_down_nowhere(stage: Stage):
    dialog = await stage.centre.dial(RICH, "*202#")
    await dialog.send("3")
    assert dialog.screen == "Ответ отправлен в SMS."
    assert PASSWORD in (await stage.centre.next_sms(RICH)).text
    assert found(stage, PASSWORD) == []
    await stage.quiet()
    assert found(stage, PASSWORD) == []


async def test_a_password_that_the_centre_does_not_take_yet_is_sealed_and_leaves_once(stage: Stage):
    """Throttled until the gateway is restarted: it never left, so it leaves then."""
    dialog = await stage.centre.dial(RICH, "*202#")
    stage.centre.faults.throttle = 1.0
    dialog.type("3")
    await stage.centre.wait_for(lambda: stage.centre.ledger.counters["throttled_or_refused"] >= 2)
    assert found(stage, PASSWORD) == []
    await stage.gateway.close()
    assert found(stage, PASSWORD) == []
    stage.centre.faults.throttle = 0.0
    stage.gateway = stage.make()
    await stage.start()
    assert PASSWORD in (await stage.centre.next_sms(RICH)).text
    await stage.quiet()
    assert found(stage, PASSWORD) == []
    assert len(stage.inbox(RICH)) == 1


@pytest.mark.parametrize("code", [CODE, WRONG], ids=["right", "wrong"])
async def test_a_dialled_card_code_is_written_down_nowhere(stage: Stage, code: str):
    number = stage.fault(operation=TOP_UP, delay=100)
    dialog = stage.centre.call(RICH, f"*100*{code}#")
    await stage.until(lambda: stage.billing.board.standing[number].fired > 0, "the request")
    assert found(stage, code) == [], "while the session waits with the code in it"
    await dialog.shown(1)
    assert dialog.screen.startswith("Зачислено" if code == CODE else "Неверный код")
    await stage.quiet()
    assert found(stage, code) == []


async def test_a_typed_card_code_is_written_down_nowhere(stage: Stage):
    number = stage.fault(operation=TOP_UP, delay=100)
    dialog = await stage.centre.dial(RICH, "*100#")
    await dialog.send("4")
    await dialog.send("1")
    assert dialog.screen == "Введите 14 цифр кода с карты."
    await dialog.send(f"{CODE}5")  # no such code: the question comes again, and remembers nothing
    assert found(stage, CODE) == []
    dialog.type(CODE)
    await stage.until(lambda: stage.billing.board.standing[number].fired > 0, "the request")
    assert found(stage, CODE) == []
    await dialog.shown(5)
    assert dialog.screen.startswith("Зачислено")
    assert found(stage, CODE) == []


async def test_a_code_typed_while_the_store_fails_is_written_down_nowhere(tmp_path: Path):
    async with staged(tmp_path, **CENTRE) as stage:
        dialog = await stage.centre.dial(RICH, "*100#")
        await dialog.send("4")
        await dialog.send("1")
        with failing():
            dialog.type(CODE)
            await failed(stage, 2)
        await dialog.shown(4)
        assert dialog.screen.startswith("Зачислено")
        await stage.quiet()
        assert found(stage, CODE) == []


async def test_a_code_whose_fate_is_unknown_stays_sealed_until_it_is_known(tmp_path: Path):
    async with staged(tmp_path, changes={"config/backends.yaml": {"timeout: 3s": "timeout: 300ms"}}) as stage:
        stage.fault(operation=TOP_UP, kind="take_and_lose", count=2)
        dialog = await stage.centre.dial(RICH, f"*100*{CODE}#")
        assert dialog.screen == "Проверяем код. Результат пришлём в SMS."
        assert found(stage, CODE) == []
        await stage.restart()
        assert found(stage, CODE) == []
        stage.jump(6_000)
        assert (await stage.centre.next_sms(RICH)).text == "Счёт пополнен."
        await stage.quiet()
        assert found(stage, CODE) == []
        assert len(stage.charges(RICH, ("top_up", "card"))) <= 1


async def test_a_restart_with_a_secret_in_the_session_goes_on(stage: Stage):
    dialog = await stage.centre.dial(RICH, "*100#")
    await dialog.send("4")
    await dialog.send("1")
    await stage.restart()
    await dialog.send(CODE)
    assert dialog.screen.startswith("Зачислено")
    assert found(stage, CODE) == []


async def test_numbers_are_masked_in_the_log(stage: Stage):
    await stage.centre.dial(RICH, "*929#")
    await stage.centre.sms(RICH, "9290", "да")
    await stage.centre.next_sms(RICH)
    await stage.quiet()
    assert RICH not in stage.logs.getvalue()
