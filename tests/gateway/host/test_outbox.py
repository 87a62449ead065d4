"""Messages to subscribers: which link, when again, one reference for all parts, a secret at most once."""

from pathlib import Path

import pytest

from gateway.centre_settings import Centre
from gateway.store.record import MessageState
from smpp.event import BindUp, Failed
from smpp.settings import LinkSettings, Secret
from tests.gateway.host.rig import BIND, Page, Rig, failing, lay_out, rigged

LINK = LinkSettings("127.0.0.1", 1, "gudok", Secret("x"))
TWO = (
    Centre("first", LINK, numbers=frozenset({"1", "2"})),
    Centre("second", LINK, numbers=frozenset({"3"})),
)
SECRET_FLOW = """\
flow:
  title: Секрет
  sms: "5"

start:
  - sms: Пароль 12345
    secret: yes
"""


def reference(page: Page) -> int:
    """Return the reference number of a part."""
    return page.sm.short_message[3]


def state(rig: Rig) -> list[str]:
    """Return the states of all messages, as stored."""
    return [row[0] for row in rig.gateway.store._read.execute("SELECT state FROM outbox ORDER BY id")]


async def test_a_link_that_is_down_holds_up_only_its_own_messages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rigged(tmp_path, monkeypatch, *TWO) as rig:
        first, second = rig.links
        await rig.write("начать", "2")
        assert rig.texts == ["Первый?"]
        first.up = False
        for n in range(5):
            await rig.write(f"ответ {n}", "2", f"7916000000{n}")
        await rig.write("да", "3", "79161234568")
        assert len(second.pages) == 3
        first.up = True
        first.tell(BindUp(*BIND))
        await rig.idle()
        assert rig.texts == ["Первый?"] * 6


async def test_a_temporary_error_is_believed_five_times(rig: Rig) -> None:
    await rig.write("начать", "2")
    for _ in range(4):
        rig.link.accept(rig.link.pages[-1], 0x08)
        await rig.idle()
        rig.clock.advance(61_000)
        rig.gateway.outbox.tend()
        await rig.idle()
    assert rig.texts == ["Первый?"] * 5
    rig.link.accept(rig.link.pages[-1], 0x08)
    await rig.idle()
    assert state(rig) == [MessageState.FAILED.value]


async def test_the_parts_that_are_sent_again_keep_their_reference(rig: Rig) -> None:
    await rig.write("да", "3")
    first = list(rig.link.pages)
    assert len(first) == 3
    rig.link.accept(first[0], message_id=b"a")
    rig.link.accept(first[1], 0x08)
    rig.link.lose(first[2], "timeout")
    await rig.idle()
    rig.clock.advance(61_000)
    rig.gateway.outbox.tend()
    await rig.idle()
    again = rig.link.pages[3:]
    assert [page.sm.short_message for page in again] == [page.sm.short_message for page in first[1:]]
    assert len({reference(page) for page in rig.link.pages}) == 1
    rig.link.accept(again[0], message_id=b"b")
    rig.link.accept(again[1], message_id=b"c")
    await rig.idle()
    assert state(rig) == [MessageState.ACCEPTED.value]


async def test_a_late_answer_to_an_earlier_attempt_changes_nothing(rig: Rig) -> None:
    await rig.write("начать", "2")
    (old,) = rig.link.pages
    rig.link.lose(old, "timeout")
    await rig.idle()
    rig.clock.advance(2_000)
    rig.gateway.outbox.tend()
    await rig.idle()
    rig.link.accept(old, message_id=b"old")
    await rig.idle()
    assert state(rig) == [MessageState.WAITING.value]
    rig.link.accept(rig.link.pages[1], message_id=b"new")
    await rig.idle()
    assert state(rig) == [MessageState.ACCEPTED.value]


async def test_a_secret_is_noted_as_sent_before_it_leaves_and_leaves_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out(tmp_path)
    (tmp_path / "flows/secret.yaml").write_text(SECRET_FLOW, encoding="utf-8")
    async with rigged(tmp_path, monkeypatch) as rig:
        await rig.write("дай", "5")
        assert rig.texts == ["Пароль 12345"]
        assert state(rig) == [MessageState.SENT.value]
        rig.link.lose(rig.link.pages[0], "closed")
        await rig.idle()
    async with rigged(tmp_path, monkeypatch) as rig:
        rig.clock.advance(61_000)
        rig.gateway.outbox.tend()
        await rig.idle()
        assert rig.texts == []
        rig.clock.advance(24 * 3_600_000)
        rig.gateway.outbox.tend()
        await rig.idle()
        assert state(rig) == [MessageState.UNKNOWN.value]


async def test_a_secret_whose_note_could_not_be_stored_does_not_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out(tmp_path)
    (tmp_path / "flows/secret.yaml").write_text(SECRET_FLOW, encoding="utf-8")
    async with rigged(tmp_path, monkeypatch) as rig:
        rig.link.up = False
        await rig.write("дай", "5")
        rig.link.up = True
        with failing():
            rig.gateway.outbox.pump()
            await rig.idle()
            assert rig.texts == []
        rig.gateway.outbox.pump()
        await rig.idle()
        assert rig.texts == ["Пароль 12345"]


async def test_what_was_not_accepted_before_a_restart_is_sent_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rigged(tmp_path, monkeypatch) as rig:
        await rig.write("начать", "2")
        assert rig.texts == ["Первый?"]
    async with rigged(tmp_path, monkeypatch) as rig:
        await rig.idle()
        assert rig.texts == ["Первый?"]
        await rig.write("раз", "2")
        assert rig.texts == ["Первый?", "Второй?"], "the question of before the restart takes its answer"


BOTH = (Centre("first", LINK), Centre("second", LINK))
SPLIT = (Centre("a", LINK, carries=frozenset({"ussd"})), Centre("b", LINK, carries=frozenset({"sms"})))


async def test_what_waits_at_a_centre_that_is_gone_goes_another_way_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rigged(tmp_path, monkeypatch, *BOTH) as rig:
        first, second = rig.links
        await rig.write("начать", "2")
        (page,) = first.pages
        first.up = False
        first.tell(Failed(page.token, "unsent"))
        await rig.idle()
        assert [one.text for one in second.pages] == ["Первый?"]
        second.accept(second.pages[0], message_id=b"b")
        await rig.idle()
        assert state(rig) == [MessageState.ACCEPTED.value]
        assert rig.gateway.host.counters["sms_rerouted"] == 1


async def test_a_message_without_an_answer_is_sent_again_over_the_other_centre(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rigged(tmp_path, monkeypatch, *BOTH) as rig:
        first, second = rig.links
        await rig.write("начать", "2")
        first.up = False
        first.lose(first.pages[0], "closed")
        await rig.idle()
        assert second.pages == []
        rig.clock.advance(1_100)
        rig.gateway.outbox.tend()
        await rig.idle()
        assert [one.text for one in second.pages] == ["Первый?"]


async def test_an_account_that_one_centre_refuses_may_be_good_at_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rigged(tmp_path, monkeypatch, *BOTH) as rig:
        first, second = rig.links
        await rig.write("начать", "2")
        first.accept(first.pages[0], 0x0F)
        await rig.idle()
        assert [one.text for one in second.pages] == ["Первый?"]
        second.accept(second.pages[0], 0x0F)
        await rig.idle()
        assert state(rig) == [MessageState.FAILED.value], "refused by all"


async def test_a_secret_in_doubt_is_not_sent_by_another_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out(tmp_path)
    (tmp_path / "flows/secret.yaml").write_text(SECRET_FLOW.replace("12345", "12345 " * 60), encoding="utf-8")
    async with rigged(tmp_path, monkeypatch, *BOTH) as rig:
        first, second = rig.links
        await rig.write("дай", "5")
        assert len(first.pages) > 1
        first.up = False
        first.lose(first.pages[0], "closed")
        for page in first.pages[1:]:
            first.tell(Failed(page.token, "unsent"))
        await rig.idle()
        rig.clock.advance(61_000)
        rig.gateway.outbox.tend()
        await rig.idle()
        assert second.pages == []


async def test_a_half_taken_message_waits_for_its_centre_and_then_begins_anew_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rigged(tmp_path, monkeypatch, *BOTH) as rig:
        first, second = rig.links
        await rig.write("да", "3")
        assert len(first.pages) == 3
        first.accept(first.pages[0], message_id=b"a")
        first.up = False
        for page in first.pages[1:]:
            first.lose(page, "closed")
        await rig.idle()
        for _ in range(5):
            rig.clock.advance(5_000)
            rig.gateway.outbox.tend()
            await rig.idle()
        assert second.pages == []
        rig.clock.advance(31_000)
        rig.gateway.outbox.tend()
        await rig.idle()
        assert len(second.pages) == 3
        assert reference(second.pages[0]) == reference(second.pages[2])


async def test_a_number_of_its_own_never_leaves_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rigged(tmp_path, monkeypatch, *TWO) as rig:
        first, second = rig.links
        await rig.write("начать", "2")
        first.up = False
        first.tell(Failed(first.pages[0].token, "unsent"))
        rig.clock.advance(61_000)
        rig.gateway.outbox.tend()
        await rig.idle()
        assert second.pages == []


@pytest.mark.parametrize(
    ("centres", "down", "ready"),
    [
        (BOTH, (0,), True),
        (BOTH, (0, 1), False),
        (TWO, (1,), False),
        ((*TWO, Centre("third", LINK, numbers=frozenset({"3"}))), (1,), True),
        (SPLIT, (0,), False),
        (SPLIT, (), True),
    ],
)
async def test_ready_means_that_everything_can_leave_by_some_way(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    centres: tuple[Centre, ...],
    down: tuple[int, ...],
    ready: bool,
) -> None:
    async with rigged(tmp_path, monkeypatch, *centres) as rig:
        assert rig.gateway.bound
        for number in down:
            rig.links[number].up = False
        assert rig.gateway.bound is ready
