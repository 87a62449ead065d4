"""The same services with centres of other habits: alphabets, session numbers, binds, kinds of parts."""

from pathlib import Path
from typing import Any, Self

import pytest

from gateway.host.batch import Batch
from gateway.host.opening import Opened, Opening
from smpp.settings import Mode
from smpp.testing.dialect import COMVERSE, PLAIN, PSSR_INDICATION, SHIPPED, STANDARD, UCS2, CentreDialect
from smpp.testing.dialog import Dialog, Screen
from smpp.testing.faults import Faults
from tests.end_to_end.stage import ALREADY, DONE, FAREWELL, RICH, Stage, staged
from ussd.record import DialogRecord

CENTRES = {
    "standard": STANDARD,
    "ucs2": UCS2,
    "plain": PLAIN,
    "comverse": COMVERSE,
    "version_3.3": CentreDialect(sc_version=None),
    "no_service_type": CentreDialect(service_type=b""),
    "hex_ids": CentreDialect(message_ids="hex", receipt_tlvs=False),
    "sar_parts": CentreDialect(part_mode="sar"),
}


async def use(stage: Stage) -> None:
    """Use everything once: a charge, a menu with pages, an SMS, a long SMS."""
    assert (await stage.centre.dial(RICH, "*929#")).screen == DONE
    dialog = await stage.centre.dial(RICH, "*100#")
    await dialog.send("3")
    await dialog.send("9")
    assert dialog.screen.endswith("0 Назад")
    await dialog.send("1")
    await dialog.send("2")
    assert (dialog.screen, dialog.open) == ("Ничего не изменилось.", False)
    await stage.centre.sms(RICH, "9290", "да")
    assert (await stage.centre.next_sms(RICH)).text == ALREADY
    await stage.centre.sms(RICH, "9290", "пожалуйста " * 20)
    assert (await stage.centre.next_sms(RICH, after=1)).text == ALREADY
    await stage.quiet()
    assert stage.counted("sms_delivered") == 2
    assert len(stage.charges(RICH)) == 1


@pytest.mark.parametrize("name", list(CENTRES))
async def test_a_centre_of_other_habits(tmp_path: Path, name: str):
    async with staged(tmp_path, dialect=CENTRES[name]) as stage:
        await use(stage)


@pytest.mark.parametrize(
    "link",
    [{"mode": Mode.PAIR}, {"binds": 3}, {"mode": Mode.PAIR, "binds": 2}, {"window": 1}, {"rate": 50.0}],
    ids=["pair", "three_binds", "two_pairs", "window_of_one", "rate"],
)
async def test_other_binds(tmp_path: Path, link: dict[str, Any]):
    async with staged(tmp_path, link=link) as stage:
        wanted = link.get("binds", 1) * (2 if "mode" in link else 1)
        await stage.centre.bound(wanted)
        await use(stage)


FLOW = """\
flow:
  title: Оценка

start:
  - ask: Оцените разговор от 1 до 5.
    save: score
  - ask: Что нам исправить?
    save: words
  - end: "Спасибо за оценку {{ score }}."
"""
TOLD = """\
flow:
  title: Новость

start:
  - end: Ваш пакет готов.
"""
EXTRA = {"flows/asked_by_us.yaml": FLOW, "flows/told_by_us.yaml": TOLD}


class Records(list[DialogRecord]):
    """What the gateway has written down of ended dialogs, and what came of those that it began."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.stage = stage
        self.reached: list[str] = []
        lane = stage.gateway.ussd
        lane.ends.observers.append(lambda record, _: self.append(record))
        lane.outreach.told.append(lambda _, key, reach: self.reached.append(reach.value))

    async def ends(self, count: int) -> list[str]:
        """Wait for so many records, and return how their dialogs ended."""
        await self.stage.until(lambda: len(self) >= count, f"{count} records")
        return [one.reason.value for one in self]

    async def news(self, count: int = 1) -> list[str]:
        """Wait for so many outcomes of dialogs of ours."""
        await self.stage.until(lambda: len(self.reached) >= count, f"{count} outcomes")
        return self.reached

    async def begin(self, flow: str, phone: str = RICH) -> Dialog | None:
        """Have the gateway begin a dialog, and return it as the handset has it; None if there is none."""
        stage = self.stage
        found: list[Opened] = []

        def handler(batch: Batch, _: object) -> None:
            found.append(stage.gateway.ussd.open(batch, Opening(f"o:{flow}", flow, phone, "ru")))

        seen, known = len(self.shown), len(self.reached)
        stage.gateway.host.take(handler, None)
        await stage.until(lambda: bool(found), "the beginning")
        assert found == [Opened.BEGUN]
        await stage.until(
            lambda: len(self.shown) > seen or set(self.reached[known:]) - {"reached"}, "a screen, or why not"
        )
        return self.shown[-1][0] if len(self.shown) > seen else None

    @property
    def shown(self) -> list[tuple[Dialog, Screen]]:
        """Every screen that a handset has shown since `watch`."""
        return self._shown

    def watch(self) -> Self:
        """Note all screens from now on."""
        self._shown: list[tuple[Dialog, Screen]] = []
        self.stage.centre.on_screen = lambda dialog, screen: self._shown.append((dialog, screen))
        return self


async def whole_dialogs(stage: Stage, name: str) -> None:
    """A charge, pages turned there and back, an SMS, an abort, a dialog that is superseded."""
    records = Records(stage)
    await use(stage)
    assert await records.ends(2) == ["completed", "completed"]
    assert [one.code for one in records] == ["*929#", "*100#"]
    assert records[1].operations == {"dialled": 1, "input": 4, "menu": 4, "end": 1}
    stage.jump(6_000)  # or the same code again is a copy where there is no session id
    broken = await stage.centre.dial(RICH, "*100#")
    broken.hang_up()
    if SHIPPED[name].abort == "silent":
        for _ in range(3):  # a centre without session ids shows the question again
            stage.jump(61_000)
            await stage.gateway.host.idle()
    await stage.until(lambda: not stage.gateway.host.conversations, "the end of the session")
    assert (await records.ends(3))[2] in ("aborted", "silence", "gone", "total")
    first = stage.centre.call(RICH, "*100#")
    await first.shown(1)
    second = await stage.centre.dial(RICH, "*929#")
    assert (second.screen, second.open) == (ALREADY, False)
    assert (await records.ends(5))[3:] == ["superseded", "completed"], list(records)
    assert not any(RICH in repr(one) for one in records)


@pytest.mark.parametrize("name", list(SHIPPED))
async def test_whole_dialogs_in_a_shipped_dialect(tmp_path: Path, name: str):
    async with staged(tmp_path, speaks=name, dialect=SHIPPED[name]) as stage:
        await whole_dialogs(stage, name)


@pytest.mark.parametrize("name", list(SHIPPED))
async def test_messages_that_come_late_or_twice_in_a_shipped_dialect(tmp_path: Path, name: str):
    dialect = SHIPPED[name]
    async with staged(tmp_path, speaks=name, dialect=dialect) as stage:
        dialog = await stage.centre.dial(RICH, "*100#")
        before = len(stage.centre.submitted)
        again = dialect.ussd(PSSR_INDICATION, RICH, dialog.number, "*100#", dialog.session, 0)
        stage.centre.deliver("ussd", again, dialog)
        await stage.centre.wait_for(lambda: len(stage.centre.submitted) > before, what="the same page again")
        assert stage.centre.submitted[-1].text == dialog.screens[0].text
        assert len(stage.gateway.host.conversations) == 1
        stage.jump(181_000)
        await stage.until(lambda: not stage.gateway.host.conversations, "the end of the session")
        seen = len(dialog.screens)
        if dialog.open:
            dialog.type("1")
            await dialog.shown(seen + 1)
            assert dialog.screen == FAREWELL
        assert not stage.gateway.host.conversations


async def begun_dialogs(stage: Stage) -> None:
    """Questions that we ask of our own accord, a notice, and a dialog of the subscriber after them."""
    records = Records(stage).watch()
    dialog = await records.begin("asked_by_us")
    assert dialog is not None, records.reached
    assert (dialog.origin, dialog.screen) == ("network", "Оцените разговор от 1 до 5.")
    assert await dialog.send("5") == "Что нам исправить?"
    assert await records.news() == ["reached"]
    assert await dialog.send("ничего") == "Спасибо за оценку 5."
    await dialog.over()
    assert dialog.ended_by == "esme"
    assert await records.ends(1) == ["completed"]
    assert (records[0].origin.value, records[0].turns) == ("network", 2)
    told = await records.begin("told_by_us")
    assert told is not None
    assert told.screen == "Ваш пакет готов."
    assert await records.news(2) == ["reached", "reached"]
    told.end("network")
    assert await records.ends(2) == ["completed", "completed"]
    assert records[1].operations["push"] == 1
    assert (await stage.centre.dial(RICH, "*929#")).screen in (DONE, ALREADY)


@pytest.mark.parametrize("name", list(SHIPPED))
async def test_dialogs_that_we_begin_in_a_shipped_dialect(tmp_path: Path, name: str):
    async with staged(tmp_path, speaks=name, dialect=SHIPPED[name], files=EXTRA) as stage:
        await begun_dialogs(stage)


@pytest.mark.parametrize(("status", "reach"), [(0x40C, "busy"), (0x404, "unreachable"), (0x45, "later")])
async def test_a_subscriber_whom_we_cannot_reach(tmp_path: Path, status: int, reach: str):
    faults = Faults(refuse=1.0, refuse_status=status)
    async with staged(tmp_path, files=EXTRA, faults=faults) as stage:
        records = Records(stage).watch()
        assert await records.begin("asked_by_us") is None
        assert await records.news() == [reach]
        await stage.until(lambda: not stage.gateway.host.conversations, "the end of the session")
        stage.centre.faults.refuse = 0.0
        assert (await stage.centre.dial(RICH, "*929#")).screen == DONE
