"""The listening side of a test centre: who is connected, who is bound, what waits to be written.

It knows sockets, sessions and binds; what ESMEs and subscribers say to one another is the centre's affair.
"""

import asyncio
import ssl
from collections import Counter
from collections.abc import Callable, Mapping
from random import Random

from smpp.client import Connection
from smpp.event import BindRequested, SessionEvent
from smpp.pdu.bind import decode_bind
from smpp.pdu.status import Status
from smpp.pdu.wire import PduError
from smpp.session import Session
from smpp.settings import Timers
from smpp.state import Role
from smpp.testing.exchange import Exchange
from smpp.testing.peer import Peer, PeerConnection, judge_bind


class Listener:
    """One socket and the ESMEs that came to it; `on_events` is told what each session has heard.

    `accounts` maps system_id to password, None lets everybody in. `peers` are the connections by number.
    """

    def __init__(
        self,
        exchange: Exchange,
        on_events: Callable[[Peer, list[SessionEvent]], None],
        rng: Random,
        *,
        host: str,
        system_id: str,
        accounts: Mapping[str, str] | None,
        timers: Timers,
        window: int,
        tls: ssl.SSLContext | None,
    ) -> None:
        self.peers: dict[int, Peer] = {}
        self._exchange = exchange
        self._on_events = on_events
        self._rng = rng
        self._host = host
        self._system_id = system_id.encode("ascii")
        self._accounts = accounts
        self._timers = timers
        self._window = window
        self._tls = tls
        self._connections = 0
        self._receivers: list[Peer] | None = None
        self._touched: dict[int, Peer] = {}
        self._flushing = False
        self._server: asyncio.Server | None = None

    async def open(self, port: int) -> int:
        """Listen at a port, 0 for a free one; returns which it is. Raises OSError when it is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._accept, self._host, port, ssl=self._tls)
        return int(self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Take no more connections and cut those that stand."""
        if self._server is not None:
            self._server.close()
        self.disconnect()

    async def closed(self) -> None:
        """Wait until the socket is given up."""
        if self._server is not None:
            await self._server.wait_closed()

    def disconnect(self) -> None:
        """Cut every connection."""
        for peer in list(self.peers.values()):
            peer.live.abort()

    @property
    def binds(self) -> list[Peer]:
        """The ESMEs that are bound."""
        return [peer for peer in self.peers.values() if peer.live.session.bound]

    def receivers(self) -> list[Peer]:
        """The ESMEs that take deliveries."""
        if self._receivers is None:
            self._receivers = [peer for peer in self.peers.values() if peer.receives]
        return self._receivers

    def silence(self, *, silent: bool) -> None:
        """Stop reading and writing on all connections, or go on."""
        for peer in self.peers.values():
            peer.silent = silent
            peer.live.pause_reading(paused=silent)
        self._receivers = None

    def write(self, data: bytes) -> None:
        """Send octets to every ESME as they are."""
        for peer in self.peers.values():
            peer.live.flush()
            peer.live.write(data)

    def touch(self, peer: Peer) -> None:
        """Something waits in this peer's session: write it at the end of this turn of the loop."""
        self._touched[peer.number] = peer
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self._flush)

    def on_time(self, now: int) -> None:
        """Let the timers of the sessions run out."""
        for peer in list(self.peers.values()):
            if not peer.silent:
                peer.live.on_time(now)

    def bind(self, peer: Peer, event: BindRequested) -> None:
        """Let an ESME in, or not: its account and the faults of the moment decide."""
        exchange, session = self._exchange, peer.live.session
        status = exchange.faults.refuse_bind
        try:
            bind = decode_bind(event.body, event.sequence, event.command_id)
        except PduError as error:
            bind, status = None, error.status
        if bind is not None and not status:
            bound = Counter(other.system_id for other in self.binds)
            status = judge_bind(bind, self._accounts, bound, exchange.limits)
        if bind is None or status:
            exchange.ledger.counters["binds_refused"] += 1
            session.refuse_bind(event.sequence, event.command_id, status or int(Status.RBINDFAIL))
            return
        peer.system_id = bind.system_id.decode("latin-1")
        peer.command_id = event.command_id
        session.accept_bind(
            event.sequence, event.command_id, self._system_id, exchange.dialect.sc_version, exchange.now()
        )
        exchange.ledger.counters["binds"] += 1
        self._receivers = None

    def look_after(self, peer: Peer) -> None:
        """Forget a peer whose connection has ended, and where deliveries go if its session has."""
        if peer.live.gone:
            self.peers.pop(peer.number, None)
        if peer.live.session.closed:
            self._receivers = None

    def _accept(self) -> Connection:
        self._connections += 1
        exchange, peer = self._exchange, Peer(self._connections)

        def session(now: int) -> Session:
            return Session(Role.SMSC, now, window=self._window, timers=self._timers, connection=peer.number)

        connection = PeerConnection(session, lambda _, events: self._on_events(peer, events), exchange.now)
        connection.faults_now, connection.draw = (lambda: exchange.faults), self._rng.random
        peer.connection = connection
        if len(self.peers) >= exchange.limits.connections:
            exchange.ledger.counters["connections_refused"] += 1
            connection.turned_away = True
        self.peers[peer.number] = peer
        return connection

    def _flush(self) -> None:
        self._flushing = False
        touched, self._touched = self._touched, {}
        for peer in touched.values():
            if not peer.silent:
                peer.live.flush()
