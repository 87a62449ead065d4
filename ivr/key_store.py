"""The keys of a call where Asterisk keeps them: begun once, looked at when it matters, and wiped."""

from __future__ import annotations

from collections.abc import Callable

from ivr.agi import command as agi
from ivr.channel import Channel
from ivr.typed import TypedKeys, keys

TYPED = "IVR_TYPED"
"""All keys of the call since `VoiceLine.open`."""

STORE_DIGITS = 250
"""StoreDTMF keeps no more in one value."""

NEVER = -1_000_000_000_000
"""When keys were looked at last: they must be looked at before anything else."""


class KeyStore:
    """`typed` is our picture; `kept` is false where Asterisk keeps no keys (no module app_dtmfstore)."""

    def __init__(self, channel: Channel, clock: Callable[[], int], look_s: float) -> None:
        """Keys are not looked at again within `look_s` seconds, unless that matters."""
        self._channel = channel
        self._clock = clock
        self._look_ms = look_s * 1_000
        self._looked = NEVER
        self.typed = TypedKeys()
        self.kept = False

    async def open(self, before: str) -> None:
        """Begin to keep keys; `before` is what an earlier connection has left in the variable."""
        self.typed.text = keys(before)
        self.typed.drop()
        reply = await self._channel.do(agi.store_digits(TYPED, STORE_DIGITS))
        self.kept = reply.number == 0
        self._looked = self._clock()

    async def look(self, *, anew: bool = False) -> None:
        """Fetch the keys pressed so far, unless that was done a moment ago."""
        if not self.kept or (not anew and self._clock() - self._looked < self._look_ms):
            return
        reply = await self._channel.do(agi.get_variable(TYPED))
        self.seen(reply.value or "")

    def seen(self, value: str) -> None:
        """Take the variable as another command has just shown it."""
        if self.kept:
            self.typed.text = keys(value)
            self._looked = self._clock()

    def missed(self) -> None:
        """A key was pressed that nobody has looked at yet."""
        self._looked = NEVER

    async def drop(self) -> None:
        """Forget the keys pressed so far."""
        await self.look(anew=True)
        self.typed.drop()

    async def shorten(self) -> None:
        """Make room in the variable before it is full."""
        if self.typed.full:
            await self._channel.do(agi.set_variable(TYPED, self.typed.shorten()))

    async def wipe(self) -> None:
        """Leave no key in the channel."""
        if self.kept:
            await self._channel.do(agi.set_variable(TYPED, ""))

    async def end(self) -> None:
        """Keep no more keys."""
        if self.kept:
            await self._channel.do(agi.forget_digits())
            self.kept = False
