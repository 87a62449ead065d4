"""The links of a gateway: for each centre of the settings its dialect, its binds and its channels."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from pathlib import Path

from engine.capabilities import Channel
from engine.flow_set import FlowSet
from engine.reading.diagnostic import Report
from gateway.capture import Capture
from gateway.centre_settings import Centre
from gateway.clock import WallClock
from gateway.dialects import Dialects
from gateway.host.host import Host
from gateway.host.inbound import Inbounds
from gateway.host.outbox import Outbox
from gateway.host.sms import SmsLane
from gateway.host.ussd import UssdLane
from gateway.start_error import StartError
from smpp.links import Link
from smpp.sms import SmsChannel
from ussd.centre import UssdChannel
from ussd.dialect import Dialect


class CentreLinks:
    """All links. `links` and the channels are by the name of the centre; there are none before `join`."""

    def __init__(self, root: Path, centres: Iterable[Centre], flows: FlowSet) -> None:
        """Read the dialects of the centres. Raises StartError."""
        self._root = root
        self._centres = tuple(centres)
        dialects = Dialects(root, flows.channels[Channel.USSD], flows.project.country)
        self._dialects = {centre.name: _loaded(dialects, centre) for centre in self._centres}
        self._captures: list[Capture] = []
        self.links: dict[str, Link] = {}
        self.ussd_channels: dict[str, UssdChannel] = {}
        self.sms_channels: dict[str, SmsChannel] = {}

    def join(
        self,
        host: Host,
        inbounds: Inbounds,
        ussd: UssdLane,
        sms: SmsLane,
        outbox: Outbox,
        *,
        clock: WallClock,
        marks: bytes,
    ) -> None:
        """Make the links and join them to the lanes; `marks` is the key of what identifies a message."""
        run = clock.now()
        for centre in self._centres:
            name, dialect = centre.name, self._dialects[centre.name]
            link = Link(name, centre.link, inbounds.on_batch, clock.now, random.Random())  # noqa: S311 - jitter, no secret
            self.links[name] = link
            if centre.capture is not None:
                link.tap = capture = Capture(self._root / centre.capture, name, clock.now)
                self._captures.append(capture)
            if "ussd" in centre.carries:
                self.ussd_channels[name] = UssdChannel(dialect, name, key=marks)
                ussd.add(link, self.ussd_channels[name])
            if "sms" in centre.carries:
                channel = self.sms_channels[name] = SmsChannel(dialect.sms, name, run=run, key=marks)
                sms.add(link, channel)
                outbox.add(link, channel, centre.numbers, centre.bulk)
            host.after_batch.append(link.flush)

    def start(self) -> None:
        """Bind, and stay bound."""
        for link in self.links.values():
            link.start()

    @property
    def bound(self) -> bool:
        """Tell whether all can leave that the settings carry: of centres that can do the same, one is enough.

        One for USSD, one for SMS from any number, and one for each number that is tied to centres of its own.
        """
        groups: dict[str, list[bool]] = {}
        for centre in self._centres:
            bound = self.links[centre.name].bound
            if "ussd" in centre.carries:
                groups.setdefault("ussd", []).append(bound)
            if "sms" in centre.carries:
                for number in centre.numbers or ("",):
                    groups.setdefault(f"sms {number}", []).append(bound)
        return all(any(group) for group in groups.values())

    async def close(self) -> None:
        """Unbind."""
        await asyncio.gather(*(link.close() for link in self.links.values()))
        for capture in self._captures:
            capture.close()


def _loaded(dialects: Dialects, centre: Centre) -> Dialect:
    report = Report()
    dialect = dialects.load(centre, report, {})
    if dialect is None:
        first = report.diagnostics[0]
        raise StartError(f"{first.place}: {first.message}")
    return dialect
