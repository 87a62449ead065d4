"""What the pages need of a gateway; `gateway.app.Gateway` is one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from gateway.asterisk import Asterisks
from gateway.backends.order import Orders
from gateway.clock import WallClock
from gateway.host.callback_place import CallbackPlaces
from gateway.host.desk import Desk
from gateway.host.host import Host
from gateway.host.outbox import Outbox
from gateway.host.outside import OutsideEvents
from gateway.host.people import People
from gateway.host.voice import VoiceLane
from gateway.library import Library
from gateway.settings import Settings
from gateway.speech.speaker import Speaker
from gateway.store.sqlite import SqliteStore
from smpp.links import Link


class Breakers(Protocol):
    """The back ends, as far as their breakers go."""

    def states(self) -> Mapping[str, str]:
        """Return `open` or `closed` for each back end."""
        ...


class Watched(Protocol):
    """A running gateway. What changes something goes through its host."""

    ready: bool

    @property
    def bound(self) -> bool:
        """Tell whether every centre has a bind."""
        ...

    @property
    def settings(self) -> Settings: ...
    @property
    def clock(self) -> WallClock: ...
    @property
    def library(self) -> Library: ...
    @property
    def host(self) -> Host: ...
    @property
    def outside(self) -> OutsideEvents: ...
    @property
    def people(self) -> People: ...
    @property
    def desk(self) -> Desk: ...
    @property
    def store(self) -> SqliteStore: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def orders(self) -> Orders: ...
    @property
    def voice(self) -> VoiceLane: ...
    @property
    def asterisks(self) -> Asterisks: ...
    @property
    def places(self) -> CallbackPlaces: ...
    @property
    def speaker(self) -> Speaker | None: ...
    @property
    def links(self) -> Mapping[str, Link]: ...
    @property
    def backends(self) -> Breakers: ...
