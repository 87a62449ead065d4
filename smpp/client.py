"""A session on a socket: the thin asyncio shell that reads, writes and closes, once per batch.

One read is one batch: its events go to the owner in one call, and everything that the owner answers in that
call leaves with one write. A peer that does not read makes us stop reading it, so that nothing piles up here.
It knows no reconnecting and no messages; `smpp.links` and the test centre own it.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import cast

from smpp.event import SessionEvent
from smpp.session import Session
from smpp.settings import LinkSettings, Tls

Clock = Callable[[], int]
"""UTC milliseconds that never jump."""

LINGER_MS = 2_000
"""A closed session may take so long to get its last octets out; then the connection is cut."""


class Connection(asyncio.Protocol):
    """One TCP connection and its session. `on_events` is called with every non-empty batch."""

    def __init__(
        self,
        session: Callable[[int], Session],
        on_events: "Callable[[Connection, list[SessionEvent]], None]",
        clock: Clock,
        tap: "Callable[[bool, bytes], None] | None" = None,
    ) -> None:
        self._on_events = on_events
        self._tap = tap
        """Sees all octets: (True for those we write, octets)."""
        self._clock = clock
        self._transport: asyncio.Transport | None = None
        self._close_by: int | None = None
        self.session = session(clock())
        self.congested = False
        """True while the peer does not read what we wrote."""
        self.gone = False

    @property
    def peer(self) -> str:
        """Address and port of the other side, for logs."""
        name = self._transport.get_extra_info("peername") if self._transport else None
        return f"{name[0]}:{name[1]}" if name else "?"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the connection stands."""
        # A cast, because the transports of other loops (uvloop) are no subclass of asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        plain = transport.get_extra_info("socket")
        if plain is not None and plain.family in (socket.AF_INET, socket.AF_INET6):
            # Nagle's algorithm with delayed acknowledgements costs 40 ms a turn.
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        """asyncio: one read, one batch, one write."""
        if self._tap is not None:
            self._tap(False, data)
        events = self.session.receive_data(data, self._clock())
        if events:
            self._on_events(self, events)
        self.flush()

    def flush(self) -> None:
        """Write what the session has gathered; close when it is over."""
        transport = self._transport
        if transport is None or self.gone:
            return
        data = self.session.data_to_send()
        if data and not transport.is_closing():
            transport.write(data)
            if self._tap is not None:
                self._tap(True, data)
        if self.session.closed and self._close_by is None:
            self._close_by = self._clock() + LINGER_MS
            transport.close()

    def on_time(self, now: int) -> None:
        """Do what the session's timers demand."""
        if self._close_by is not None:
            if now >= self._close_by:
                self.abort()
            return
        events = self.session.on_time(now)
        if events:
            self._on_events(self, events)
        self.flush()

    def next_deadline(self) -> int | None:
        """When `on_time` is due."""
        return self.session.next_deadline() if self._close_by is None else self._close_by

    def unbind(self, now: int, pending_ms: int | None = None) -> None:
        """Leave politely; see `Session.unbind`."""
        events = self.session.unbind(now, pending_ms)
        if events:
            self._on_events(self, events)
        self.flush()

    def abort(self) -> None:
        """Cut the connection without another word."""
        if self._transport is not None:
            self._transport.abort()

    def pause_reading(self, *, paused: bool) -> None:
        """Stop or go on reading: a silent peer in tests."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if paused and transport.is_reading():
            transport.pause_reading()
        elif not paused and not transport.is_reading():
            transport.resume_reading()

    def pause_writing(self) -> None:
        """asyncio: the peer reads more slowly than we write; what it sends would only make more to write."""
        self.congested = True
        self.pause_reading(paused=True)

    def resume_writing(self) -> None:
        """asyncio: the peer has read."""
        self.congested = False
        self.pause_reading(paused=False)
        self._on_events(self, [])

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the connection is gone; what was pending has an unknown outcome."""
        self.gone = True
        self.congested = False
        reason = f"connection lost: {exc}" if exc else "closed by the peer"
        self._on_events(self, self.session.lost(reason))


def tls_context(tls: Tls) -> ssl.SSLContext:
    """The context of a link: certificate and host name are always checked, TLS 1.2 or newer.

    Raises OSError or ssl.SSLError when a file cannot be read or does not fit.
    """
    context = ssl.create_default_context(cafile=tls.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.certificate_file:
        context.load_cert_chain(tls.certificate_file, tls.key_file)
    return context


def distrust_reason(settings: LinkSettings, error: ssl.SSLCertVerificationError) -> str:
    """Say why a centre was told nothing, and which setting decides it."""
    name = (settings.tls.server_name if settings.tls else None) or settings.host
    return (
        f"certificate verify failed: {error.verify_message}; {settings.host} is not believed to be {name}, "
        "and was told no password (tls_name is the name in its certificate, tls_ca whom to trust)"
    )


async def connect(settings: LinkSettings, make: Callable[[], Connection]) -> Connection:
    """Open the TCP or TLS connection of a link within `connect_ms`.

    Raises OSError (ssl.SSLError and TimeoutError are of its kind).
    """
    loop = asyncio.get_running_loop()
    tls = settings.tls
    async with asyncio.timeout(settings.connect_ms / 1000):
        if tls is None:
            _, connection = await loop.create_connection(make, settings.host, settings.port)
        else:
            _, connection = await loop.create_connection(
                make,
                settings.host,
                settings.port,
                ssl=tls_context(tls),
                server_hostname=tls.server_name or settings.host,
            )
    return connection
