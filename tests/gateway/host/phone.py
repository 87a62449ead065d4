"""Calls to a gateway on paper: texts are sounds with numbers, so that a test reads back what was said."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine.spoken import plain
from engine.values import Secret
from gateway.call_settings import AgiSettings
from gateway.host.voice_sound import Sounds
from ivr.testing.call import Call
from ivr.testing.channel import Channel
from tests.gateway.host.rig import FILES, PHONE, Rig, rigged

PROJECT = """\
language: 1
languages: [ru]
country: RU
timezone: Europe/Moscow
voice: { tries: 3, no_input: 7s, between_digits: 2s }
sms: { from: "000500" }
connect: { allow: ["8800xxxxxxx"] }
queues:
  support: { hours: 00:00-24:00 }
  closed: { hours: 03:00-03:01 }
errors:
  voice:
    end: Сервис недоступен.
  sms:
    end: Сервис недоступен.
memory:
  tried: 24h
"""
BUYS = """\
  - request: shop.buy
    with: { item: "'a'" }
    errors:
      unavailable:
        end: Сейчас нельзя.
      unknown:
        end: Проверяем.
  - end: Куплено.
"""
"""Steps that charge: the end of a flow that sells."""


class PaperSayer:
    """Gives every text a sound of its own; `texts` has them by the name of the sound."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.forgotten: list[str] = []

    async def files(self, text: str | Secret, lang: str) -> tuple[str, ...]:
        name = f"said/{len(self.texts)}"
        self.texts[name] = plain(text.reveal() if isinstance(text, Secret) else text)
        return (name,)

    def forget(self, files: Iterable[str]) -> None:
        self.forgotten += files


class Phones:
    """A rig that takes calls."""

    def __init__(self, rig: Rig, sayer: PaperSayer) -> None:
        self.rig = rig
        self.sayer = sayer

    def call(self, number: str, caller: str = PHONE, **given: object) -> Call:
        """Return a call; it begins with `async with`."""
        agi = self.rig.gateway.telephony.agi
        assert agi is not None
        return Call(agi.port, number, caller=caller, **given)  # type: ignore[arg-type]

    def again(self, channel: Channel, path: str, **told: str) -> Call:
        """Return what the dialplan does later on the same channel."""
        agi = self.rig.gateway.telephony.agi
        assert agi is not None
        channel.variables.update(told)
        channel.variables.pop("IVR_NEXT", None)
        return Call(agi.port, None, path=path, channel=channel)

    async def backend_asked(self) -> None:
        """Wait until a flow has asked a back end."""
        while not self.rig.backend.calls:
            await self.rig.idle()

    async def hear(self, one: Call, keys: str = "") -> str:
        """Hear up to the next question, return the texts since the last one, and press keys."""
        heard = len(one.played)
        await one.question()
        said = self.said(one, heard)
        one.press(keys)
        return said

    def said(self, one: Call, since: int = 0) -> str:
        """Return what was played, as texts."""
        return " ".join(self.sayer.texts.get(name, f"<{name}>") for name in one.played[since:])

    async def over(self) -> None:
        """Wait until no call is there."""
        while len(self.rig.gateway.voice):
            await self.rig.idle()
        await self.rig.idle()


@asynccontextmanager
async def phones(
    root: Path, monkeypatch: pytest.MonkeyPatch, flows: Mapping[str, str]
) -> AsyncIterator[Phones]:
    """Open a gateway on paper that takes calls for these flows (name -> text)."""
    files = {name: text for name, text in FILES.items() if not name.startswith("flows/") or "settled" in name}
    files |= {"config/project.yaml": PROJECT}
    files |= {f"flows/{name}.yaml": text for name, text in flows.items()}
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    async with rigged(root, monkeypatch) as rig:
        gateway = rig.gateway
        gateway.telephony.listen(AgiSettings(port=0, speech="none", reaction_ms=0))
        assert gateway.telephony.agi is not None
        sayer = PaperSayer()
        gateway.telephony.door.sounds = Sounds(sayer, ())
        await gateway.telephony.agi.start()
        yield Phones(rig, sayer)
