"""An Asterisk of the demo's own: laid out in a folder, started, stopped; on loopback only.

The configuration is what we ship, but for the files of `site/` and the few that say where things lie.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from gateway.demo.sip.hold import hold_music
from gateway.demo.sip.installed import Installed
from gateway.demo.sip.site import HOST, Ports, Site

SIP_PORT = 5060
START_S = 60.0
END_S = 5.0
CLI_S = 20.0
LONGEST_SOCKET = 90
"""Octets of the name of the control socket: the system takes 107."""
LANGUAGES = ("en", "ru")


class AsteriskError(Exception):
    """Asterisk does not start; the message has the end of what it said."""


@contextlib.contextmanager
def lent_ports() -> Iterator[Ports]:
    """Lend ports of loopback below those that the system gives to clients; the first of them is the lock.

    SIP is where softphones look for it (5060), if nobody is there. Raises AsteriskError.
    """
    for base in range(10_000, 31_000, 1_000):
        with socket.socket() as lock:
            # The server of a demo that was killed may hold ports whose lock is gone.
            if not _took(lock, base) or not all(_is_free(base + more, socket.SOCK_STREAM) for more in (2, 3)):
                continue
            sip = next(port for port in (SIP_PORT, *range(base + 4, base + 100)) if _is_free(port))
            yield Ports(sip, base + 2, base + 3, (base + 100, base + 999))
            return
    raise AsteriskError("no range of ports is free for Asterisk")


def _is_free(port: int, kind: socket.SocketKind = socket.SOCK_DGRAM) -> bool:
    with socket.socket(socket.AF_INET, kind) as one:
        if kind is socket.SOCK_STREAM:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # closed a moment ago is free
        return _took(one, port)


def _took(one: socket.socket, port: int) -> bool:
    try:
        one.bind((HOST, port))
    except OSError:
        return False
    return True


class PrivateAsterisk:
    """One server. `sounds` are folders by the names under which the flows' sounds are found."""

    def __init__(
        self, installed: Installed, folder: Path, dialplan: Path, sounds: Mapping[str, Path]
    ) -> None:
        """Take note; `dialplan` is the shipped configuration, `folder` is made anew."""
        self.version = installed.version
        self._installed = installed
        self._folder = folder.resolve()
        self._dialplan = dialplan
        self._sounds = sounds
        self._run = self._folder / "run"
        self._own_run = len(str(self._run / "asterisk.ctl")) > LONGEST_SOCKET
        self._process: asyncio.subprocess.Process | None = None

    @property
    def running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._process is not None and self._process.returncode is None

    async def start(self, site: Site) -> None:
        """Start it and wait until it takes calls. Raises AsteriskError, OSError."""
        await self._end_the_last()
        await asyncio.to_thread(self._lay_out, site)
        with (self._folder / "console").open("wb") as console:
            self._process = await asyncio.create_subprocess_exec(
                *self._installed.command, "-f", "-C", str(self._folder / "etc/asterisk.conf"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=console,
                stderr=asyncio.subprocess.STDOUT,
                cwd=self._folder,
                env=self._environment(),
                start_new_session=True,  # Ctrl-C is for the demo, which ends calls first
            )  # fmt: skip
        try:
            async with asyncio.timeout(START_S):
                while "fully booted" not in await self.cli("core waitfullybooted"):
                    if not self.running:
                        raise AsteriskError(f"Asterisk did not start:\n{self._complaints()}")
                    await asyncio.sleep(0.05)
        except TimeoutError as error:
            raise AsteriskError(f"Asterisk has not started in time:\n{self._complaints()}") from error

    async def stop(self) -> None:
        """End it, by force if it must be."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(END_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        if self._own_run and self._run.parent != self._folder:
            shutil.rmtree(self._run, ignore_errors=True)

    async def hang_up_all(self) -> None:
        """End every call."""
        if self.running:
            await self.cli("channel request hangup all")

    async def cli(self, command: str) -> str:
        """Return what a command of the console says, empty if nobody answers."""
        if not (self._run / "asterisk.ctl").exists():
            return ""
        process = await asyncio.create_subprocess_exec(
            *self._installed.command, "-C", str(self._folder / "etc/asterisk.conf"), "-rx", command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=self._folder,
            env=self._environment(),
        )  # fmt: skip
        try:
            async with asyncio.timeout(CLI_S):
                said, _ = await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()
            return ""
        return said.decode("utf-8", "replace")

    async def _end_the_last(self) -> None:
        """A demo that was killed has left its Asterisk behind."""
        if (self._folder / "run/asterisk.ctl").exists() and (self._folder / "etc/asterisk.conf").exists():
            await self.cli("core stop now")

    def _environment(self) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "HOME": str(self._folder), "LC_ALL": "C.UTF-8"}

    def _complaints(self) -> str:
        lines: list[str] = []
        for name in ("console", "log/messages"):
            with contextlib.suppress(OSError):
                lines += (self._folder / name).read_text("utf-8", "replace").splitlines()
        return "\n".join(lines[-12:])

    # The folder

    def _lay_out(self, site: Site) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        etc = self._folder / "etc"
        shutil.copytree(self._dialplan, etc, ignore=shutil.ignore_patterns("*.md", "sounds", "sites"))
        shipped_globals = (etc / "site/globals.conf").read_text("utf-8")
        for name, text in site.files(shipped_globals).items():
            self._write(f"site/{name}", text)
        for name in ("run", "log", "spool/monitor", "var", "keys", "cache", "data/sounds/gudok-recordings"):
            (self._folder / name).mkdir(parents=True)
        if self._own_run:
            self._run = Path(tempfile.mkdtemp(prefix="gudok-"))
        shared = self._installed.shared
        (self._folder / "data/documentation").symlink_to(shared / "documentation")
        for name, folder in {**_packs(shared / "sounds"), **self._sounds}.items():
            (self._folder / "data/sounds" / name).symlink_to(folder)
        hold_music(self._folder / "data/moh")
        self._write("asterisk.conf", self._main())
        self._write("logger.conf", "[general]\n[logfiles]\nmessages = notice,warning,error\n")
        first, last = site.ports.rtp
        self._write("rtp.conf", f"[general]\nrtpstart = {first}\nrtpend = {last}\nstrictrtp = yes\n")
        self._write("musiconhold.conf", f"[default]\nmode = files\ndirectory = {self._folder}/data/moh\n")
        if not (etc / "features.conf").exists():
            self._write("cdr.conf", "[general]\nenable = no\n")
        manager = (etc / "manager.conf").read_text("utf-8")
        self._write("manager.conf", manager.replace("port = 5038", f"port = {site.ports.ami}"))

    def _write(self, name: str, text: str) -> None:
        (self._folder / "etc" / name).write_text(text, encoding="utf-8")

    def _main(self) -> str:
        here = self._folder
        folders = {
            "astcachedir": here / "cache",
            "astetcdir": here / "etc",
            "astmoddir": self._installed.modules,
            "astvarlibdir": here / "var",
            "astdbdir": here / "var",
            "astkeydir": here / "keys",
            "astdatadir": here / "data",
            "astagidir": here / "var",
            "astspooldir": here / "spool",
            "astrundir": self._run,
            "astlogdir": here / "log",
        }
        lines = [f"{name} => {path}" for name, path in folders.items()]
        options = ["verbose = 0", "nocolor = yes", "live_dangerously = no", "systemname = gudok"]
        return "\n".join(["[directories]", *lines, "", "[options]", *options, ""])


def _packs(sounds: Path) -> dict[str, Path]:
    """Return the folder of each language's sounds; a link in a tree may lead nowhere."""
    found = {}
    for language in LANGUAGES:
        known = [sounds / language, *sorted(sounds.glob(f"{language}_*"))]
        folder = next((one for one in known if one.is_dir()), None)
        if folder is not None:
            found[language] = folder.resolve()
    return found
