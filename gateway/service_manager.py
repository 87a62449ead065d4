"""What systemd is told of the gateway (sd_notify(3)): that it serves, that its loop goes round, that it ends.

With `WatchdogSec=` in its unit systemd kills a gateway whose loop stands still, and starts it anew: its
connections end, so callers are led on and centres bind again. Without systemd nobody is told anything.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import MutableMapping

ADDRESS, EVERY_US, FOR_PID = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"


class ServiceManager:
    """The service manager that has started this process, if one has and wants to be told.

    `every_s` is how often it wants a sign of life, None: never.
    """

    def __init__(self, environment: MutableMapping[str, str], pid: int) -> None:
        """Take what concerns this process out of its environment: nobody that it starts may speak for it."""
        address, every_us, for_pid = (environment.pop(name, "") for name in (ADDRESS, EVERY_US, FOR_PID))
        self._address = "\0" + address[1:] if address.startswith("@") else address
        watched = bool(address) and every_us.isdecimal() and int(every_us) > 0
        # Twice as often as asked for, as sd_watchdog_enabled(3) advises.
        self.every_s = int(every_us) / 2_000_000 if watched and for_pid in ("", str(pid)) else None

    def ready(self) -> None:
        """Tell that the gateway serves."""
        self._tell(b"READY=1")

    def stopping(self) -> None:
        """Tell that it lets running work end, and stops."""
        self._tell(b"STOPPING=1")

    async def watch(self) -> None:
        """Give signs of life until cancelled; the loop that runs this is what lives."""
        while self.every_s is not None:
            self._tell(b"WATCHDOG=1")
            await asyncio.sleep(self.every_s)

    def _tell(self, state: bytes) -> None:
        if not self._address:
            return
        # Who does not listen any more need not know.
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as one,
        ):
            one.sendto(state, self._address)
