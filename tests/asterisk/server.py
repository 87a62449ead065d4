"""An Asterisk of our own for a while: of a tree of Debian's packages, with the shipped dialplan.

The tree (deploy/asterisk-tree.sh) is used where it lies: its own loader starts the binary, so neither root
nor chroot is needed, and everything that Asterisk writes stays in one folder. The configuration is what we
ship; only the files of `site/`, which every place has its own of, are the tests'.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.asterisk import sound

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "asterisk-dialplan"
LIBRARIES = "usr/lib/x86_64-linux-gnu"
START_S = 30.0


def tree() -> Path:
    """Return where the tree is, or would be."""
    return Path(os.environ.get("ASTERISK_TREE") or ROOT / ".cache" / "asterisk").absolute()


def missing() -> str | None:
    """Return why there is no Asterisk to start, None if there is one."""
    here = tree()
    if (here / "usr/sbin/asterisk").is_file() and _libraries(here).is_dir():
        return None
    return "Asterisk 22 is missing: make asterisk brings it"


def _libraries(here: Path) -> Path:
    found = sorted((here / "usr/lib").glob("*-linux-gnu*/asterisk/modules"))
    return found[0].parents[1] if found else here / LIBRARIES


def _loader(here: Path) -> Path:
    return next(path for path in sorted((here / "usr/lib").glob("*-linux-gnu*/ld-linux*.so.*")))


@contextlib.contextmanager
def ports() -> Iterator[int]:
    """Lend a thousand ports of loopback: the first one, held as a lock, is returned.

    They lie below those that the system gives to clients, so nobody else comes upon one by accident.
    """
    for base in range(10_000, 31_000, 1_000):
        with socket.socket() as lock, contextlib.suppress(OSError):
            lock.bind(("127.0.0.1", base))
            for port in range(base + 1, base + 10):  # of somebody whose lock is gone, and who is not
                with socket.socket() as free:
                    free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    free.bind(("127.0.0.1", port))
            yield base
            return
    raise RuntimeError("no range of ports is free")


@dataclass
class Asterisk:
    """One private server. `site` are the files of its site folder, by name."""

    folder: Path
    site: dict[str, str]
    ami_port: int
    rtp_ports: tuple[int, int]
    entity: str = "02:00:00:00:00:01"
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def spool(self) -> Path:
        """Where recordings are."""
        return self.folder / "spool"

    def start(self) -> None:
        """Start it and wait until it has booted. Raises RuntimeError with the end of its log."""
        self._lay_out()
        here = tree()
        with (self.folder / "console").open("wb") as console:
            self._process = subprocess.Popen(
                [*self._command(here), "-f", "-C", str(self.folder / "etc/asterisk.conf")],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env={"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "LC_ALL": "C.UTF-8"},
                start_new_session=True,
            )
        until = time.monotonic() + START_S
        while not (self.folder / "run/asterisk.ctl").exists():
            self._must_live(until)
        while "fully booted" not in self.cli("core waitfullybooted"):
            self._must_live(until)

    def _must_live(self, until: float) -> None:
        assert self._process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(0.02)
        if self._process.poll() is not None or time.monotonic() > until:
            raise RuntimeError("Asterisk did not start:\n" + "\n".join(self.log()[-20:]))

    def stop(self) -> None:
        """End it, by force if it must be."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        self._process = None

    def cli(self, command: str) -> str:
        """Return what a command of the console says."""
        done = subprocess.run(
            [*self._command(tree()), "-C", str(self.folder / "etc/asterisk.conf"), "-rx", command],
            capture_output=True,
            text=True,
            timeout=START_S,
            cwd=self.folder,
            check=False,
        )
        return done.stdout + done.stderr

    def log(self) -> list[str]:
        """Return what it has complained about so far."""
        found = []
        for name in ("console", "log/messages"):
            with contextlib.suppress(FileNotFoundError):
                found += (self.folder / name).read_text("utf-8", "replace").splitlines()
        return found

    def channels(self) -> list[str]:
        """Return the names of the channels that exist."""
        lines = self.cli("core show channels concise").splitlines()
        return [line.split("!")[0] for line in lines if "!" in line]

    async def empties(self, within: float = 8, but: int = 0) -> None:
        """Wait until not more than `but` channels exist."""
        until = time.monotonic() + within
        while len(left := await asyncio.to_thread(self.channels)) > but:
            assert time.monotonic() < until, f"channels that stay: {left}"

    async def writes(self, name: str, octets: int, within: float = 8) -> None:
        """Wait until a file below the folder has that many octets."""
        until = time.monotonic() + within
        path = self.folder / name
        while not path.exists() or path.stat().st_size < octets:
            assert time.monotonic() < until, f"{name} does not grow"
            await asyncio.to_thread(path.exists)

    def _command(self, here: Path) -> list[str]:
        libraries = f"{_libraries(here)}:{here / 'usr/lib'}"
        return [str(_loader(here)), "--library-path", libraries, str(here / "usr/sbin/asterisk")]

    def _lay_out(self) -> None:
        here, etc = tree(), self.folder / "etc"
        shutil.copytree(SHIPPED, etc, ignore=shutil.ignore_patterns("*.md", "sounds", "sites"))
        shutil.rmtree(etc / "site")
        (etc / "site").mkdir()
        for name, text in self.site.items():
            (etc / "site" / name).write_text(text, encoding="utf-8")
        for name in ("run", "log", "spool/monitor", "var", "keys", "cache", "data/sounds/gudok-recordings"):
            (self.folder / name).mkdir(parents=True)
        shipped = here / "usr/share/asterisk"
        (self.folder / "data/documentation").symlink_to(shipped / "documentation")
        for language, pack in (("en", "en_US_f_Allison"), ("ru", "ru_RU_f_IvrvoiceRU")):
            (self.folder / "data/sounds" / language).symlink_to(shipped / "sounds" / pack)
        sound.lay_out(self.folder / "data/sounds/tone")
        sound.lay_out(self.folder / "data/moh", ("hold",))
        self._write("asterisk.conf", self._main(here))
        self._write("logger.conf", "[general]\n[logfiles]\nmessages = notice,warning,error,security\n")
        first, last = self.rtp_ports
        self._write("rtp.conf", f"[general]\nrtpstart = {first}\nrtpend = {last}\nstrictrtp = yes\n")
        self._write("musiconhold.conf", f"[default]\nmode = files\ndirectory = {self.folder}/data/moh\n")
        self._write("cdr.conf", "[general]\nenable = no\n")
        manager = (etc / "manager.conf").read_text("utf-8")
        self._write("manager.conf", manager.replace("port = 5038", f"port = {self.ami_port}"))

    def _write(self, name: str, text: str) -> None:
        (self.folder / "etc" / name).write_text(text, encoding="utf-8")

    def _main(self, here: Path) -> str:
        folders = {
            "astcachedir": self.folder / "cache",
            "astetcdir": self.folder / "etc",
            "astmoddir": _libraries(here) / "asterisk/modules",
            "astvarlibdir": self.folder / "var",
            "astdbdir": self.folder / "var",
            "astkeydir": self.folder / "keys",
            "astdatadir": self.folder / "data",
            "astagidir": self.folder / "var",
            "astspooldir": self.folder / "spool",
            "astrundir": self.folder / "run",
            "astlogdir": self.folder / "log",
        }
        lines = [f"{name} => {path}" for name, path in folders.items()]
        options = ["verbose = 0", "nocolor = yes", "live_dangerously = no", "systemname = test"]
        options.append(f"entityid = {self.entity}")
        return "\n".join(["[directories]", *lines, "", "[options]", *options, ""])
