"""The gateway as a process of its own, `gudok serve`, so that it can be killed and started again."""

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

from gateway.demo.project import addresses
from smpp.testing.centre import Centre
from tests.end_to_end.stage import REPOSITORY

COMMAND = "from gateway.cli import main; main()"


class Child:
    """`gudok serve` over one project folder; its log is appended to `log`."""

    def __init__(self, root: Path, centre: Centre, billing_url: str, **settings: str) -> None:
        self.root = root
        self.centre = centre
        self.log = root / "serve.log"
        self.process: asyncio.subprocess.Process | None = None
        own = {name: value for name, value in os.environ.items() if not name.startswith("GUDOK_")}
        self.environment = {
            **own,
            **addresses(root, {}, billing_url),
            "SMPP_PASSWORD": "secret",
            "GUDOK_HTTP": f"127.0.0.1:{free_port()}",
            "GUDOK_SMPP__MAIN__PORT": str(centre.port),
            **{f"GUDOK_{path}": value for path, value in settings.items()},
        }

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    async def start(self) -> float:
        """Start it and wait until it is bound; returns how long that took, in seconds."""
        loop = asyncio.get_running_loop()
        before = self.centre.ledger.counters["binds"]
        started = loop.time()
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                COMMAND,
                "serve",
                str(self.root),
                cwd=REPOSITORY,
                env=self.environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        await self.centre.wait_for(
            lambda: self.centre.ledger.counters["binds"] > before,
            what=f"the gateway's bind; its log ends with:\n{self.tail()}",
            limit_s=30,
        )
        return loop.time() - started

    async def kill(self) -> None:
        """Kill it: no handler runs, nothing is written any more."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        assert await self.process.wait() == -signal.SIGKILL, self.tail()

    async def stop(self) -> None:
        """Ask it to end and wait until it has; it must do so in peace."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            assert await self.process.wait() == 0, self.tail()

    def end(self) -> None:
        """Leave nothing behind, however the test went."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()

    def tail(self, lines: int = 15) -> str:
        """Return the end of its log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    def rss_kib(self) -> int:
        """Return its resident memory."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1])


def free_port() -> int:
    """Return a port that nobody listens on at the moment."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
