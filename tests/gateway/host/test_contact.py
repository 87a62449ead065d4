"""Who was here about what: for repeat_contact and surge, and the word of the day."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.host.contact import Contacts
from gateway.store.reader import SLOT_MS
from gateway.store.sqlite import SqliteStore
from tests.gateway.host.rig import FILES, PHONE, Rig
from tests.gateway.host.test_people import lay_out, running

DAY_MS = 86_400_000
HELP = """\
flow:
  title: Интернет
  topic: internet
  ussd: "*71#"

start:
  - if: surge('internet')
    then:
      end: Сейчас многие жалуются.
  - if: repeat_contact('internet', 7)
    then:
      end: Вы уже обращались.
  - end: "Здравствуйте. {{ announcement }}"
"""
ALL = {**FILES, "flows/help.yaml": HELP}


@pytest.fixture
async def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    lay_out(tmp_path, ALL)
    async with running(tmp_path, monkeypatch) as one:
        yield one


async def test_a_second_contact_within_days_is_known(rig: Rig) -> None:
    await rig.dial("*71#")
    await rig.dial("*71#", phone="79160000001", session=2)
    rig.clock.advance(6 * DAY_MS)
    await rig.dial("*71#", session=3)
    rig.clock.advance(8 * DAY_MS)
    await rig.dial("*71#", session=4)
    assert [text.split(".")[0] for text in rig.texts] == [
        "Здравствуйте",
        "Здравствуйте",
        "Вы уже обращались",
        "Здравствуйте",
    ]


async def test_flows_without_a_topic_leave_no_trace(rig: Rig) -> None:
    await rig.dial("*4#")
    await rig.reply("unavailable")
    (count,) = rig.gateway.store._read.execute("SELECT count(*) FROM contact").fetchone()
    assert count == 0


async def test_no_number_is_stored_with_a_contact(rig: Rig) -> None:
    await rig.dial("*71#")
    rows = rig.gateway.store._read.execute("SELECT * FROM contact").fetchall()
    assert len(rows) == 1
    assert PHONE not in str(rows)


async def test_many_more_than_usual_are_a_surge_and_one_a_minute_is_not(rig: Rig) -> None:
    contacts: Contacts = rig.gateway.contacts
    now = rig.clock.now()
    contacts._slots["internet"] = {now // SLOT_MS - number: 10 for number in range(200)}
    assert not contacts.surges("internet", now)
    contacts._slots["internet"] = {now // SLOT_MS - number: 1 for number in range(200)}
    contacts._slots["internet"][now // SLOT_MS] = 12
    assert contacts.surges("internet", now)
    await rig.dial("*71#")
    assert rig.texts == ["Сейчас многие жалуются."]
    contacts._slots["internet"] = {now // SLOT_MS: 50}
    assert not contacts.surges("internet", now), "without a history nobody knows what is usual"
    assert not contacts.surges("weather", now)


async def test_what_is_usual_is_known_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out(tmp_path, ALL)
    async with running(tmp_path, monkeypatch) as rig:
        await rig.dial("*71#")
        seen = rig.gateway.contacts._slots
    async with running(tmp_path, monkeypatch) as rig:
        assert rig.gateway.contacts._slots == seen == {"internet": {rig.clock.now() // SLOT_MS: 1}}


async def test_the_announcement_is_what_staff_have_put_there(rig: Rig) -> None:
    store: SqliteStore = rig.gateway.store
    batch = store.batch()
    batch.group().meta("announcement", "Ведутся работы.".encode())
    store.commit_now(batch)
    await rig.dial("*71#")
    assert rig.texts == ["Здравствуйте. Ведутся работы."]
