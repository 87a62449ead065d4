"""Records of ended USSD dialogs: one for each, when it is certain, and with nobody's number in it."""

import pytest

from gateway.host.conversation import Conversation
from smpp.testing.dialect import RELEASE_INDICATION, STANDARD, USSR_CONFIRM
from tests.gateway.host.rig import PHONE, Rig
from ussd.record import DialogRecord, Who, Why


class Records:
    """Everything that an observer was told."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.told: list[DialogRecord] = []
        self.sessions: list[Conversation | None] = []
        rig.gateway.ussd.ends.observers.append(self.take)

    def take(self, record: DialogRecord, conversation: Conversation | None) -> None:
        self.told.append(record)
        self.sessions.append(conversation)

    @property
    def ends(self) -> list[tuple[str, str]]:
        return [(one.ended_by.value, one.reason.value) for one in self.told]


async def accept(rig: Rig, status: int = 0) -> None:
    rig.link.accept(rig.link.pages[-1], status)
    await rig.idle()


async def test_a_whole_dialog(rig: Rig):
    records = Records(rig)
    started = rig.clock.now()
    await rig.dial("*2#")
    await accept(rig)
    rig.jump(3_000)
    await rig.type("раз", 1)
    await accept(rig)
    rig.jump(4_000)
    await rig.type("два", 2)
    assert records.told == [], "the centre may still refuse the last page"
    await accept(rig)
    (record,) = records.told
    assert (record.group, record.bind, record.origin.value) == ("main", 0, "subscriber")
    assert (record.opened_at, record.duration_ms) == (started, 7_000)
    assert (record.turns, record.pages) == (3, 3)
    assert record.operations == {"dialled": 1, "input": 2, "menu": 2, "end": 1}
    assert (record.ended_by, record.reason, record.detail) == (Who.FLOW, Why.COMPLETED, "end")
    assert (record.code, record.service, record.service_type) == ("*2#", "2", "USSD")
    assert record.reference == "0104"
    assert PHONE not in repr(record)
    assert PHONE[-4:] in record.msisdn
    assert record.succeeded
    assert records.sessions[0] is not None
    assert len(rig.gateway.ussd.ends) == 0


@pytest.mark.parametrize(
    ("status", "reason"), [(1031, "gone"), (1032, "too_long"), (0x45, "not_shown"), (1044, "handset_full")]
)
async def test_a_refused_last_page_is_no_good_end(rig: Rig, status: int, reason: str):
    records = Records(rig)
    await rig.dial("*2#")
    await accept(rig)
    await rig.type("раз", 1)
    await rig.type("два", 2)
    await accept(rig, status)
    assert records.ends == [("centre", reason)]
    assert records.told[0].detail == "end"
    assert not records.told[0].succeeded


async def test_a_refused_menu(rig: Rig):
    records = Records(rig)
    await rig.dial("*2#")
    await accept(rig, 1028)
    assert records.ends == [("centre", "unreachable")]
    assert records.told[0].operations == {"dialled": 1, "menu": 1}


@pytest.mark.parametrize(
    ("failure", "end"), [("timeout", ("flow", "unconfirmed")), ("closed", ("gateway", "lost"))]
)
async def test_a_last_page_without_an_answer(rig: Rig, failure: str, end: tuple[str, str]):
    records = Records(rig)
    await rig.dial("*2#")
    await rig.type("раз", 1)
    await rig.type("два", 2)
    rig.link.lose(rig.link.pages[-1], failure)
    await rig.idle()
    assert records.ends == [end]


async def test_ends_that_the_other_side_makes(rig: Rig):
    records = Records(rig)
    await rig.dial("*2#")
    rig.link.bring(STANDARD.ussd(RELEASE_INDICATION, PHONE, "2", "", 1, 1))
    await rig.idle()
    await rig.dial("*2#", session=2)
    await rig.dial("*4#", session=3)
    rig.link.bring(STANDARD.ussd(RELEASE_INDICATION, PHONE, "4", "", 3, 1))
    await rig.idle()
    await rig.dial("*2#", session=4)
    rig.link.bring(STANDARD.ussd(USSR_CONFIRM, PHONE, "2", "раз", 4, 1, end=True))
    await rig.idle()
    assert records.ends == [
        ("centre", "aborted"),
        ("subscriber", "superseded"),
        ("centre", "aborted"),
        ("centre", "closed_by_input"),
    ]
    assert [one.code for one in records.told] == ["*2#", "*2#", "*4#", "*2#"]


async def test_an_abort_and_a_refusal_of_the_same_dialog_are_one_end(rig: Rig):
    records = Records(rig)
    await rig.dial("*2#")
    rig.link.bring(STANDARD.ussd(RELEASE_INDICATION, PHONE, "2", "", 1, 1))
    await accept(rig, 1031)
    assert records.ends == [("centre", "aborted")]


async def test_time_that_runs_out(rig: Rig):
    records = Records(rig)
    await rig.dial("*4#")
    rig.jump(10_000)
    await rig.idle()
    assert rig.texts == ["Позже"]
    await accept(rig)
    assert records.ends == [("gateway", "late")]


async def test_silence_of_the_subscriber(rig: Rig):
    records = Records(rig)
    await rig.dial("*2#")
    await accept(rig)
    for _ in range(3):
        rig.jump(60_000)
        await rig.idle()
    if len(rig.link.pages) > 1:
        await accept(rig)
    assert len(records.told) == 1
    assert records.told[0].reason in (Why.SILENCE, Why.TOTAL)
    assert not records.told[0].succeeded


async def test_what_no_flow_takes_is_cut_to_its_code(rig: Rig):
    records = Records(rig)
    await rig.dial("*777*1234567890#")
    await accept(rig)
    assert records.ends == [("gateway", "no_flow")]
    assert records.told[0].code == "*777…"
    assert records.sessions == [None]


async def test_without_an_observer_nothing_is_kept(rig: Rig):
    await rig.dial("*2#")
    await rig.type("раз", 1)
    await rig.type("два", 2)
    assert len(rig.gateway.ussd.ends) == 0
