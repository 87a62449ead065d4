"""Which Asterisk there is: one of the system, or a tree as `deploy/asterisk-tree.sh` makes it.

A tree is used where it lies: its own loader starts the program, so neither root nor chroot is needed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

LEAST = 22
PLACES = "/usr/sbin:/usr/local/sbin"
"""Where the program lies beside PATH: an ordinary user's does not have them."""
REMEDY = (
    "install Asterisk 22 or newer (Debian: apt-get install asterisk asterisk-core-sounds-ru-wav), or bring a "
    "private one with `make asterisk` in a clone of Gudok and name its folder: gudok demo --asterisk FOLDER"
)
ANSWERS_S = 20.0

_VERSION = re.compile(r"Asterisk (?:certified/)?(?:GIT-)?(([0-9]+)\.[0-9.]+\S*)")
_MODULES = ("usr/lib/*-linux-*/asterisk/modules", "usr/lib64/asterisk/modules", "usr/lib/asterisk/modules")
_LOCAL_MODULES = ("usr/local/lib/asterisk/modules", *_MODULES)
_SHARED = ("usr/share/asterisk", "var/lib/asterisk", "usr/local/var/lib/asterisk")


class NoAsteriskError(Exception):
    """No Asterisk that could be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Installed:
    """How to start it, where its modules and its data (documentation, sounds) are, which version it is."""

    command: tuple[str, ...]
    modules: Path
    shared: Path
    version: str


def find(given: str, environment: Mapping[str, str], folders: Iterable[Path] = ()) -> Installed:
    """Return the Asterisk in the folder `given`.

    Of "" it is the tree of ASTERISK_TREE, the system's, or a tree that `make asterisk` has left in one of
    `folders`. Raises NoAsteriskError.
    """
    named = given or environment.get("ASTERISK_TREE", "")
    if named:
        return _tree(Path(named).absolute())
    program = shutil.which("asterisk", path=f"{environment.get('PATH', '')}:{PLACES}")
    if program is not None:
        return _checked((program,), Path("/"), _LOCAL_MODULES)
    for folder in folders:
        if (folder / ".cache" / "asterisk" / "usr/sbin/asterisk").is_file():
            return _tree((folder / ".cache" / "asterisk").absolute())
    raise NoAsteriskError(f"no Asterisk was found; {REMEDY}")


def _tree(folder: Path) -> Installed:
    program = folder / "usr/sbin/asterisk"
    loader = _first(folder, ("usr/lib/*-linux-*/ld-linux*.so.*", "usr/lib64/ld-linux*.so.*"))
    if not program.is_file() or loader is None:
        raise NoAsteriskError(f"{folder} has no Asterisk (usr/sbin/asterisk); {REMEDY}")
    libraries = f"{loader.parent}:{folder / 'usr/lib'}"
    return _checked((str(loader), "--library-path", libraries, str(program)), folder, _MODULES)


def _checked(command: tuple[str, ...], root: Path, places: Iterable[str]) -> Installed:
    try:
        done = subprocess.run(  # noqa: S603 - a path the person at the keyboard has named
            [*command, "-V"], capture_output=True, text=True, timeout=ANSWERS_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoAsteriskError(f"{command[-1]} cannot be run ({error}); {REMEDY}") from error
    version = _VERSION.search(done.stdout)
    if version is None:
        said = (done.stderr or done.stdout).strip().splitlines()[:1]
        raise NoAsteriskError(f"{command[-1]} does not tell its version {said}; {REMEDY}")
    if int(version[2]) < LEAST:
        raise NoAsteriskError(f"{command[-1]} is Asterisk {version[1]}, too old for the dialplan; {REMEDY}")
    modules = _first(root, (f"{place}/res_pjsip.so" for place in places))
    shared = _first(root, (f"{place}/documentation" for place in _SHARED))
    if modules is None or shared is None:
        missing = "modules (res_pjsip.so)" if modules is None else "documentation (core-en_US.xml)"
        raise NoAsteriskError(f"{command[-1]} is there, its {missing} not; {REMEDY}")
    return Installed(command, modules.parent, shared.parent, version[1])


def _first(root: Path, patterns: Iterable[str]) -> Path | None:
    return next((path for one in patterns for path in sorted(root.glob(one))), None)
