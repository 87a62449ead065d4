"""Telephones before the gateway: a stage whose flows are recorded, and a scripted Asterisk that calls them.

Every text and every part of a value has a recording (an empty file: nothing plays it), so what a caller hears
can be read back as words.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from gateway.app import Gateway
from gateway.call_settings import AgiSettings
from gateway.library import Library
from gateway.speech.script import script
from ivr.testing.call import Call
from ivr.testing.channel import Audio, Channel
from tests.end_to_end.stage import REPOSITORY, RICH, Stage, staged

TOKEN = "a1b2c3d4e5f6"
LATER = ("QUEUESTATUS", "QEHOLDTIME", "MEMBERINTERFACE", "ANSWEREDTIME", "DIALSTATUS")


@cache
def recorded() -> Mapping[str, str]:
    """Return the text of every recording by its name, as Asterisk sees it."""
    return {f"gudok/{line.name}": line.text for line in script(Library(REPOSITORY).current)}


def words(files: Iterable[str]) -> str:
    """Return what files say; one that is no recording stands as it is."""
    return " ".join(recorded().get(name, f"<{name}>") for name in files)


@asynccontextmanager
async def telephones(root: Path, **given: Any) -> AsyncIterator[Stage]:
    """Open a stage that takes calls."""
    files = {f"flows/sounds/{name.removeprefix('gudok/')}.wav": "" for name in recorded()}
    agi = AgiSettings(port=0, token=TOKEN, speech="none", reaction_ms=0)
    async with staged(root, files={**files, **given.pop("files", {})}, agi=agi, **given) as stage:
        yield stage


def port(gateway: Gateway) -> int:
    """Return where a gateway waits for calls."""
    assert gateway.telephony.agi is not None
    return gateway.telephony.agi.port


def call(stage: Stage, number: str = "0890", caller: str = RICH, **given: Any) -> Call:
    """Return a call to the gateway; it begins with `async with`."""
    return Call(port(stage.gateway), number, caller=caller, token=TOKEN, **given)


def again(stage: Stage, channel: Channel, path: str, **told: str) -> Call:
    """Return what the dialplan does after a queue: the same channel, with what `Queue()` has left in it."""
    channel.variables.update(dict.fromkeys(LATER, "") | told)
    channel.variables.pop("IVR_NEXT", None)
    return Call(port(stage.gateway), None, token=TOKEN, path=path, channel=channel)


async def hear(one: Call, keys: str = "") -> str:
    """Hear up to the next question, return the words since the last one, and press keys."""
    heard = len(one.played)
    await one.question()
    said = words(one.played[heard:])
    one.press(keys)
    return said


async def settled(stage: Stage) -> None:
    """Wait until every call is over and the host has nothing to do."""
    await stage.until(lambda: not len(stage.gateway.voice), "the end of all calls")
    await stage.gateway.host.idle()
    await asyncio.sleep(0)
    await stage.gateway.host.idle()


__all__ = ["TOKEN", "Audio", "again", "call", "hear", "port", "recorded", "settled", "telephones", "words"]
