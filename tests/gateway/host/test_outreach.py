"""USSD dialogs that the gateway begins: they go out, go on as any other; what came of them is told once."""

from pathlib import Path

import pytest

from gateway.host.batch import Batch
from gateway.host.opening import Opened, Opening
from smpp.testing.dialect import RELEASE_INDICATION, STANDARD, USSN_CONFIRM
from tests.gateway.host.rig import PHONE, Rig, lay_out, rigged

TELL = """\
flow:
  title: Новость

start:
  - end: Новый тариф готов.
"""


class Caller:
    """Begins dialogs and keeps what it was told."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.told: list[tuple[str, str]] = []
        self.begun: list[str] = []
        rig.gateway.ussd.outreach.told.append(lambda _, key, reach: self.told.append((key, reach.value)))

    async def begin(self, flow: str = "ask", key: str = "o:1", phone: str = PHONE) -> Opened:
        """Begin a flow as a dialog with a subscriber."""
        found: list[Opened] = []

        def handler(batch: Batch, _: object) -> None:
            found.append(self.rig.gateway.ussd.open(batch, Opening(key, flow, phone, "ru")))

        self.rig.gateway.host.take(handler, None)
        await self.rig.idle()
        return found[0]


def op(rig: Rig) -> int:
    """Return the operation of the latest page."""
    value = rig.link.pages[-1].sm.tlv(0x0501)
    assert value is not None
    return value[0]


async def say(rig: Rig, operation: int, text: str = "") -> None:
    """Bring something from the handset of a dialog of ours."""
    rig.link.bring(STANDARD.ussd(operation, PHONE, "929", text, 9, 1))
    await rig.idle()


async def test_a_question_of_ours_goes_on_as_any_dialog(rig: Rig):
    caller = Caller(rig)
    assert await caller.begin() is Opened.BEGUN
    page = rig.link.pages[0]
    assert (page.text, page.sticky, op(rig)) == ("Первый?", False, 0x02)
    rig.link.accept(page)
    await rig.idle()
    assert caller.told == []
    await rig.type("раз", 1, session=9, code="929")
    assert caller.told == [("o:1", "reached")]
    assert (rig.link.pages[1].text, rig.link.pages[1].sticky) == ("Второй?", True)
    await rig.type("два", 2, session=9, code="929")
    assert (rig.link.pages[2].text, op(rig)) == ("раз два", 0x11)
    assert rig.waiting == []
    assert caller.told == [("o:1", "reached")]
    assert rig.gateway.host.counters["ussd_reach.reached"] == 1


@pytest.mark.parametrize(
    ("status", "reach"),
    [
        (1036, "busy"),
        (1028, "unreachable"),
        (1027, "no_answer"),
        (1029, "refused"),
        (0x58, "later"),
        (0x0B, "refused"),
    ],
)
async def test_what_the_centre_refuses_is_told(rig: Rig, status: int, reach: str):
    caller = Caller(rig)
    await caller.begin()
    rig.link.accept(rig.link.pages[0], status)
    await rig.idle()
    assert caller.told == [("o:1", reach)]
    assert rig.waiting == []
    assert await caller.begin(key="o:2") is Opened.BEGUN


@pytest.mark.parametrize(("reason", "reach"), [("closed", ["lost"]), ("unsent", ["lost"]), ("timeout", [])])
async def test_a_question_that_nobody_took(rig: Rig, reason: str, reach: list[str]):
    caller = Caller(rig)
    await caller.begin()
    rig.link.lose(rig.link.pages[0], reason)
    await rig.idle()
    assert [one for _, one in caller.told] == reach


async def test_a_subscriber_who_says_nothing_or_goes(rig: Rig):
    caller = Caller(rig)
    await caller.begin()
    rig.link.accept(rig.link.pages[0])
    await rig.idle()
    for _ in range(3):
        rig.jump(61_000)
        await rig.idle()
    assert caller.told == [("o:1", "no_answer")]
    assert rig.waiting == []
    rig.jump(181_000)
    await caller.begin(key="o:2")
    await say(rig, RELEASE_INDICATION)
    assert caller.told[1:] == [("o:2", "rejected")]
    assert rig.waiting == []


async def test_a_live_dialog_is_not_disturbed(rig: Rig):
    caller = Caller(rig)
    await rig.dial("*2#")
    assert await caller.begin() is Opened.LATER
    assert caller.told == []
    assert rig.texts == ["Первый?"]
    assert rig.waiting == ["answer"]


async def test_a_subscriber_who_dials_goes_first(rig: Rig):
    caller = Caller(rig)
    await caller.begin()
    await rig.dial("*2#")
    assert caller.told == [("o:1", "busy")]
    assert rig.waiting == ["answer"]


async def test_without_a_bind_nothing_is_begun(rig: Rig):
    caller = Caller(rig)
    rig.link.up = False
    assert await caller.begin() is Opened.LATER
    assert rig.waiting == []
    assert rig.texts == []


@pytest.mark.parametrize(("status", "reach"), [(0, "reached"), (1028, "unreachable")])
async def test_a_notification(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, reach: str):
    lay_out(tmp_path)
    (tmp_path / "flows" / "tell.yaml").write_text(TELL, encoding="utf-8")
    async with rigged(tmp_path, monkeypatch) as rig:
        caller = Caller(rig)
        assert await caller.begin("tell") is Opened.BEGUN
        assert (rig.texts, op(rig)) == (["Новый тариф готов."], 0x03)
        rig.link.accept(rig.link.pages[0], status)
        await rig.idle()
        assert caller.told == [("o:1", reach)]
        await say(rig, USSN_CONFIRM)
        assert rig.statuses == [0]
        assert rig.waiting == []


async def test_a_failed_commit_leaves_nothing_begun(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    caller = Caller(rig)

    def refuse(*_: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr(rig.gateway.host.store, "commit", refuse)
    await caller.begin()
    assert rig.texts == []
    assert rig.waiting == []
    assert not rig.gateway.ussd.outreach
    assert rig.gateway.ussd.dialogs.live == 0


async def test_a_question_of_ours_outlives_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async with rigged(tmp_path, monkeypatch) as rig:
        await Caller(rig).begin()
        started = rig.clock.now()
    async with rigged(tmp_path, monkeypatch) as rig:
        rig.clock.advance(started + 1_000 - rig.clock.now())
        caller = Caller(rig)
        assert rig.waiting == ["answer"]
        await rig.type("раз", 1, session=9, code="929")
        assert caller.told == [("o:1", "reached")]
        assert rig.texts == ["Второй?"]
