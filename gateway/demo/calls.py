"""Calls of the demo, joined to the gateway that runs now: the page's exchange, and a private Asterisk.

Both come to the gateway by the same FastAGI server and tell of their queues by AMI. Calls that the gateway
makes ring at the page's handsets, or at the softphones where there is an Asterisk.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gateway.app import Gateway
from gateway.call_settings import AgiSettings, AsteriskSettings
from gateway.demo.billing import Running
from gateway.demo.exchange.ami import USER
from gateway.demo.exchange.dialplan import DEFAULT_QUEUE, OUR_NUMBER
from gateway.demo.exchange.exchange import Exchange
from gateway.demo.exchange.sound import Heard, Shelf, Subtitles, seconds
from gateway.demo.feed import Feed
from gateway.demo.project import shipped
from gateway.demo.sip.installed import Installed
from gateway.demo.sip.server import PrivateAsterisk, lent_ports
from gateway.demo.sip.site import HOST, SPECIALIST, Ports, Site

SPEECH = "speech"
SOUNDS, MADE = "gudok", "gudok-made"
"""What Asterisk calls the folders of our sounds."""
PLAYED, REAL = "demo", "sip"
"""Names of the two Asterisks in the gateway's settings."""
CALLS_OUT = 20
KNOWN_S = 10.0


class Calls:
    """All that calls (the `Around` of the exchange). `data` is the demo's folder, `root` the project."""

    def __init__(
        self, root: Path, data: Path, feed: Feed, billing: Running, installed: Installed | None = None
    ) -> None:
        """Take note of the parts; nothing listens yet."""
        self.tell = feed.publish
        self._root = root
        self._recordings, self._made = root / "flows" / "sounds", data / SPEECH
        self._feed = feed
        self._billing = billing
        self._gateway: Gateway | None = None
        self._shelf = Shelf({SOUNDS: self._recordings, MADE: self._made})
        self._end = contextlib.ExitStack()
        self._ports: Ports | None = None
        self._password, self._secret = secrets.token_hex(4), secrets.token_hex(16)
        self.exchange = Exchange(self)
        self.asterisk: PrivateAsterisk | None = None
        if installed is not None:
            links = {SOUNDS: self._recordings, MADE: self._made}
            dialplan = shipped(root, "asterisk-dialplan")
            self.asterisk = PrivateAsterisk(installed, data / "asterisk", dialplan, links)

    async def start(self) -> None:
        """Listen for the gateway that is to come. Raises OSError, AsteriskError."""
        await self.exchange.start()
        if self.asterisk is not None:
            self._ports = self._end.enter_context(lent_ports())

    async def start_asterisk(self) -> None:
        """Start it, if one is wanted, with the project's queues. Raises OSError, AsteriskError."""
        if self.asterisk is None or self._ports is None:
            return
        subscribers = tuple(
            phone for phone, one in self._billing.desk.book.subscribers.items() if one.persona
        )
        token = self.exchange.token
        site = Site(self._ports, subscribers, tuple(self.queues()), self._password, token, self._secret)
        await self.asterisk.start(site)

    def agi(self) -> AgiSettings:
        """Return the settings by which calls enter the gateway."""
        port = 0 if self._ports is None else self._ports.agi
        return AgiSettings(port=port, token=self.exchange.token, sounds=SOUNDS, made=MADE, cache=self._made)

    def asterisks(self) -> tuple[AsteriskSettings, ...]:
        """Return the settings of the manager interfaces; who dials is the real one, where there is one."""
        played = self.exchange.ami
        found = [self._one(PLAYED, played.port, played.secret, CALLS_OUT if self._ports is None else 0)]
        if self._ports is not None:
            found.append(self._one(REAL, self._ports.ami, self._secret, CALLS_OUT))
        return tuple(found)

    def _one(self, name: str, port: int, secret: str, calls: int) -> AsteriskSettings:
        return AsteriskSettings(name, port=port, user=USER, secret=secret, number=OUR_NUMBER, calls=calls)

    def use(self, gateway: Gateway) -> None:
        """Join a gateway that is about to start: the page reads what its calls play."""
        assert gateway.speaker is not None
        self._gateway = gateway
        self.exchange.ami.asked.clear()
        self._subtitles = Subtitles(gateway.speaker, ((self._recordings, SOUNDS), (self._made, MADE)))
        gateway.telephony.door.sounds = self._subtitles
        gateway.host.observers.append(self.exchange.observe)

    async def known(self) -> None:
        """Wait until the gateway knows the queues. Raises TimeoutError."""
        async with asyncio.timeout(KNOWN_S):
            await self.exchange.ami.asked.wait()

    async def hang_up_all(self) -> None:
        """End every call: the gateway is about to go."""
        await self.exchange.hang_up_all()
        if self.asterisk is not None:
            await self.asterisk.hang_up_all()

    async def close(self) -> None:
        """End everything."""
        await self.exchange.close()
        if self.asterisk is not None:
            await self.asterisk.stop()
        self._end.close()

    def state(self) -> dict[str, Any]:
        """Return what the page shows beside the calls of a handset."""
        sip = None
        if self._ports is not None and self.asterisk is not None and self.asterisk.running:
            sip = {
                "address": f"{HOST}:{self._ports.sip}",
                "password": self._password,
                "specialist": SPECIALIST,
            }
        waiting = len(self.exchange.floor.waiting)
        return {"waiting": waiting, "on_duty": len(self.exchange.on_duty), "sip": sip}

    # What the exchange asks for

    def watched(self) -> frozenset[str]:
        """Return the subscribers that a page shows."""
        return self._feed.phones

    def now(self) -> int:
        """Return UTC milliseconds."""
        return time.time_ns() // 1_000_000

    def play(self, names: tuple[str, ...]) -> Heard:
        """Return what a command of a call plays."""
        octets = self._shelf.wav(names)
        return Heard(self._subtitles.words(names), octets, seconds(octets))

    def port(self) -> int:
        """Return where the gateway waits for calls, 0 while it does not."""
        agi = None if self._gateway is None else self._gateway.telephony.agi
        return 0 if agi is None else agi.port

    def name(self, phone: str) -> str:
        """Return a subscriber's name, empty for nobody."""
        found = self._billing.desk.book.subscribers.get(phone)
        return "" if found is None else found.name

    def has_handset(self, phone: str) -> bool:
        """Tell whether a number is one of the named people."""
        found = self._billing.desk.book.subscribers.get(phone)
        return found is not None and bool(found.persona)

    def service(self, number: str) -> str:
        """Return what is behind a number."""
        if self._gateway is None:
            return ""
        flows = self._gateway.library.current
        start = flows.call(number)
        return "" if start is None else flows.flows[start.flow].title

    def queues(self) -> Iterable[str]:
        """Return the names of the queues."""
        project = () if self._gateway is None else self._gateway.library.current.project.queues
        return dict.fromkeys((*project, DEFAULT_QUEUE))
