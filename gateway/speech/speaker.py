"""Texts of calls to files: recordings where there are some, synthesised speech where there are none.

What is missing is synthesised once, kept by the hash of text and voice, and shared by all calls that want it
at the same time. A call never waits longer than it may: then, and without a synthesiser, the fallback sound
is played instead, counted and logged. A secret is never kept: what cannot be said of it from recordings goes
into a file that the caller of `files` deletes by `forget`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import structlog

from engine.spoken import pieces
from engine.values import Secret
from gateway.speech.folder import ENDING, Made, listed, write_sound
from gateway.speech.synthesis import SynthesisError, Synthesizer
from ivr.sounds import Catalogue
from ivr.speech import Clip, clips

FALLBACK = "beep"
"""A sound that every Asterisk has."""

WITHIN_S = 4.0
FRESH_S = 1.0
"""Recordings of a text are looked for anew after so long: many calls at once say the same."""
SOUNDS = ("recorded", "made", "cached", "fallback", "swept")
"""What is counted: where a sound came from, and files of the cache that had to go."""
PRIVATE_S = 3_600.0
"""No call is so long: what was made of a secret and is older was forgotten by nobody."""
_PRIVATE = "private-"

log = structlog.get_logger(__name__)


class Speaker:
    """Gives the files of texts. `recordings` are the roots of the project's sounds, the first one first.

    A file is named by its absolute path without the ending, as Asterisk wants it. `clock` gives seconds since
    1970. `counts` has the words of `SOUNDS`.
    """

    def __init__(
        self,
        recordings: Iterable[Path],
        made: Made,
        synthesizer: Synthesizer | None,
        clock: Callable[[], float],
        fallback: str = FALLBACK,
    ) -> None:
        self._roots = tuple(root.absolute() for root in recordings)
        self._made = made
        self._synthesizer = synthesizer
        self._clock = clock
        self._fallback = fallback
        self._running: dict[Path, asyncio.Task[bool]] = {}
        self._found: dict[tuple[str, str], tuple[str, ...]] = {}
        self._found_until = 0.0
        self.counts: Counter[str] = Counter()
        self.catalogue = Catalogue()
        self.reread()
        self._drop_private(float("inf"))

    def reread(self) -> None:
        """Look anew which recordings there are; done at the start and when the flows are loaded anew."""
        self.catalogue = Catalogue(listed(*self._roots))
        self._found.clear()

    def _drop_private(self, before_s: float) -> None:
        """Delete what was made of secrets before a moment."""
        for path in self._made.root.glob(f"*/{_PRIVATE}*{ENDING}"):
            with contextlib.suppress(OSError):
                if path.stat(follow_symlinks=False).st_mtime < before_s:
                    path.unlink()

    async def files(self, text: str | Secret, lang: str, within_s: float = WITHIN_S) -> tuple[str, ...]:
        """Return the files that say a text, in their order; never raises for what a text may hold."""
        now = asyncio.get_running_loop().time()
        if now >= self._found_until:
            self._found.clear()
            self._found_until = now + FRESH_S
        secret = isinstance(text, Secret)
        plain = text.reveal() if isinstance(text, Secret) else text
        found = None if secret else self._found.get((lang, plain))
        if found is not None:
            self.counts["recorded"] += len(found)
            return found
        parts = clips(pieces(plain), lang, self.catalogue)
        recorded = [self._recording(clip.name) if clip.recorded else None for clip in parts]
        found = tuple([file for file in recorded if file is not None])
        if len(found) == len(parts):
            self.counts["recorded"] += len(found)
            if not secret:
                self._found[lang, plain] = found
            return found
        return tuple([await self._file(clip, lang, secret, now + within_s) for clip in parts])

    async def _file(self, clip: Clip, lang: str, secret: bool, deadline: float) -> str:
        if clip.recorded:
            found = self._recording(clip.name)
            if found is not None:
                self.counts["recorded"] += 1
                return found
        path = self._path(clip, lang, secret)
        if path is None:
            return self._instead(lang, "there is no synthesiser for it")
        if not secret and self._made.has(path, self._clock()):
            self.counts["cached"] += 1
            return _named(path)
        left = deadline - asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(max(0.0, left)):
                # Shielded: a call that leaves or has waited enough does not take it away from the others.
                made = await asyncio.shield(self._making(path, clip.text, lang))
        except TimeoutError:
            return self._instead(lang, "it took too long")
        if not made:
            return self._instead(lang, "the synthesiser failed")
        self.counts["made"] += 1
        return _named(path)

    def _recording(self, name: str) -> str | None:
        for root in self._roots:
            path = root / f"{name}{ENDING}"
            if path.is_file():
                return _named(path)
        return None

    def _path(self, clip: Clip, lang: str, secret: bool) -> Path | None:
        if self._synthesizer is None:
            return None
        key = f"{self._synthesizer.voice}\0{' '.join(clip.text.split())}"
        name = hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:32]
        try:
            return self._made.path(lang, f"{_PRIVATE}{secrets.token_hex(8)}" if secret else name)
        except ValueError:
            return None

    def _making(self, path: Path, text: str, lang: str) -> asyncio.Task[bool]:
        task = self._running.get(path)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._make(path, text, lang))
            self._running[path] = task
            task.add_done_callback(lambda _: self._running.pop(path, None))
        return task

    async def _make(self, path: Path, text: str, lang: str) -> bool:
        assert self._synthesizer is not None
        try:
            write_sound(path, await self._synthesizer.speak(text, lang))
        except (SynthesisError, OSError) as error:
            log.warning("speech_not_made", lang=lang, reason=str(error), length=len(text))
            return False
        return True

    def _instead(self, lang: str, reason: str) -> str:
        self.counts["fallback"] += 1
        log.warning("speech_fallback", lang=lang, reason=reason)
        return self._fallback

    def forget(self, files: Iterable[str]) -> None:
        """Delete what was made of a secret; other files are left alone."""
        for name in files:
            path = Path(f"{name}{ENDING}")
            if path.name.startswith(_PRIVATE) and path.is_relative_to(self._made.root.absolute()):
                with contextlib.suppress(OSError):
                    path.unlink()

    def sweep(self) -> int:
        """Delete what the cache has no room for; returns how many files are gone.

        What was made of a secret goes an hour after it was made, should a call not have deleted it.
        """
        self._drop_private(self._clock() - PRIVATE_S)
        gone = self._made.sweep(self._clock())
        self.counts["swept"] += gone
        return gone

    async def close(self) -> None:
        """Let nothing run on."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _named(path: Path) -> str:
    return str(path.absolute()).removesuffix(ENDING)
