"""The sources of builds are kept as long as a session needs them, and no longer."""

from pathlib import Path

import pytest

from gateway.host.recovery import BUILD
from tests.gateway.host.rig import Rig, lay_out, rigged

FLOW = """\
flow:
  title: Вопрос
  ussd: "*5#"

start:
  - ask: "{}?"
    type: text
    save: said
  - end: "{}: {{{{ said }}}}"
"""


def kept(rig: Rig) -> list[str]:
    """Return the builds whose sources the store has, the present one not counted."""
    now = rig.gateway.library.current.build
    builds = [name.removeprefix(BUILD) for name in rig.gateway.store.meta_names(BUILD)]
    assert now in builds
    return [one for one in builds if one != now]


def write(root: Path, word: str) -> None:
    """Have the flow say this word."""
    (root / "flows/ask.yaml").write_text(FLOW.format(word, word), encoding="utf-8")


async def publish(rig: Rig, word: str) -> str:
    """Put other flows in force; returns the build before."""
    library = rig.gateway.library
    before = library.current.build
    write(library.root, word)
    assert library.look()
    await rig.idle()
    return before


async def test_a_build_goes_with_the_last_session_that_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    lay_out(tmp_path)
    write(tmp_path, "Раз")
    async with rigged(tmp_path, monkeypatch) as rig:
        await rig.dial("*5#")
        first = await publish(rig, "Два")
        await publish(rig, "Три")
        assert kept(rig) == [first]
    async with rigged(tmp_path, monkeypatch) as rig:
        assert kept(rig) == [first]
        await rig.type("да", 2)
        assert rig.texts[-1] == "Раз: да"
        third = await publish(rig, "Четыре")
        assert kept(rig) == []
        assert third != first


async def test_while_a_session_cannot_be_read_no_build_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    lay_out(tmp_path)
    write(tmp_path, "Раз")
    async with rigged(tmp_path, monkeypatch) as rig:
        await rig.dial("*5#")
        first = await publish(rig, "Два")
        (conversation,) = rig.gateway.host.conversations.values()
        batch = rig.gateway.store.batch()
        batch.group().put_session(conversation.key, conversation.version, b"\xc1", None, sealed=False)
        rig.gateway.store.commit_now(batch)
    async with rigged(tmp_path, monkeypatch) as rig:
        assert rig.gateway.recovery.lost == 1
        await publish(rig, "Три")
        assert first in kept(rig)
