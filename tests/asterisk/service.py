"""The shipped flows by telephone: the gateway, its centre and its billing beside a real Asterisk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gateway.settings import AgiSettings, AsteriskSettings
from tests.asterisk.peer.phone import Phone
from tests.asterisk.place import SECRET, TOKEN, Place
from tests.asterisk.recording import Ear, Recordings
from tests.asterisk.server import Asterisk
from tests.end_to_end.stage import Stage, staged
from tests.end_to_end.telephone import recorded

QUICK = {"config/project.yaml": {"no_input: 7s": "no_input: 1s"}}
"""Where a caller is silent the test does not wait so long."""


@dataclass
class Service:
    """A stage that answers the telephone. `recordings` is everything it can say."""

    stage: Stage
    asterisk: Asterisk
    recordings: Recordings

    async def dial(self, phone: Phone, caller: str, number: str = "0890", **given: Any) -> Ear:
        """Call and return what is heard."""
        return Ear(await phone.call(number, caller=caller, **given), self.recordings)

    async def over(self) -> None:
        """Wait until no call is left, in Asterisk and in the gateway, and nothing is under way."""
        stage = self.stage
        await self.asterisk.empties()
        await stage.until(lambda: not len(stage.gateway.voice), "the end of all calls")
        await stage.gateway.host.idle()
        await asyncio.sleep(0)
        await stage.gateway.host.idle()

    @property
    def sessions(self) -> int:
        """How many sessions there are."""
        return len(self.stage.gateway.host.conversations)


def agi(place: Place, port: int | None = None) -> AgiSettings:
    """Return the settings of a gateway that this Asterisk knows; the first one unless a port is given."""
    return AgiSettings(port=place.first if port is None else port, token=TOKEN, speech="none")


@asynccontextmanager
async def served(
    root: Path,
    place: Place,
    asterisk: Asterisk,
    *,
    changes: Mapping[str, Mapping[str, str]] | None = None,
    manager: bool = False,
    **given: Any,
) -> AsyncIterator[Service]:
    """Open the first gateway of a place; with `manager` it watches the queues, too."""
    async with staged(root, changes={**QUICK, **(changes or {})}, **given) as stage:
        recordings = lay_out(root, asterisk)
        known = (AsteriskSettings("main", port=place.ami, secret=SECRET),) if manager else ()
        stage.settings = replace(stage.settings, agi=agi(place), asterisk=known)
        await stage.restart()
        yield Service(stage, asterisk, recordings)


def lay_out(root: Path, asterisk: Asterisk) -> Recordings:
    """Write the recordings of a project and show them to Asterisk."""
    recordings = Recordings(recorded())
    recordings.lay_out(root / "flows/sounds")
    seen = asterisk.folder / "data/sounds/gudok"
    seen.unlink(missing_ok=True)
    seen.symlink_to(root / "flows/sounds")
    return recordings
