"""Names to addresses for back ends: no surprises from DNS.

Link-local, multicast and unspecified addresses are never connected to; loopback only where the settings
name it. The address that was checked is the one that is connected to, so a name cannot be rebound between.
When DNS fails, the last good answer serves.
"""

from __future__ import annotations

import socket

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from ivr.peer import peer_address

_REMEMBERED = 256


class AddressRefusedError(OSError):
    """The address is one that a back end may not have."""


def check_address(text: str, *, loopback: bool) -> None:
    """Raise AddressRefusedError unless a back end may live at this IP address."""
    address = peer_address(text)
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        raise AddressRefusedError(f"{address} is no address for a back end")
    if address.is_loopback and not loopback:
        raise AddressRefusedError(f"{address} is this machine, and the settings do not name it")


class CheckedResolver(AbstractResolver):
    """Resolves in threads, refuses bad addresses, remembers good answers for the time DNS is down."""

    def __init__(self, inner: AbstractResolver | None = None) -> None:
        self._inner = inner or ThreadedResolver()
        self._good: dict[tuple[str, int, int], list[ResolveResult]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of `host`; raises OSError."""
        wanted = (host, port, int(family))
        try:
            found = await self._inner.resolve(host, port, family)
        except OSError:
            remembered = self._good.get(wanted)
            if remembered is None:
                raise
            return remembered
        for entry in found:
            check_address(entry["host"], loopback=host == "localhost")
        if len(self._good) < _REMEMBERED or wanted in self._good:
            self._good[wanted] = found
        return found

    async def close(self) -> None:
        """Give up the resolver inside."""
        await self._inner.close()
