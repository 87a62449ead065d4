"""A channel of Asterisk by its commands: variables that can be trusted, its answer, and whether it is there.

It plays and collects nothing, and has no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from ivr.agi import command as agi
from ivr.agi.error import AGIAppError, AGIHangup
from ivr.agi.reply import Reply

UP = 6
"""CHANNEL STATUS of an answered call."""


class Line(Protocol):
    """What executes commands: `ivr.fastagi.Line`."""

    @property
    def hungup(self) -> bool:
        """Whether the caller is known to have gone."""

    async def execute(self, command: bytes, within_s: float) -> Reply:
        """Return the reply of a command; see `ivr.fastagi.Line.execute` for what it raises."""


class Channel:
    """One call. Every method may raise AGIHangup when the caller has gone, except where it says so.

    `answered` is false while there is only early media; `variables` are those that were read.
    """

    def __init__(self, line: Line, command_s: float, *, answered: bool) -> None:
        """`command_s` is the limit of a command that plays nothing."""
        self._line = line
        self._command_s = command_s
        self.variables: dict[str, str] = {}
        self.answered = answered

    @property
    def hungup(self) -> bool:
        """Whether the caller is known to have gone."""
        return self._line.hungup

    async def trusted(self, names: Iterable[str]) -> Mapping[str, str]:
        """Read variables from Asterisk itself in one command; `variables` has them too.

        The `agi_` lines of the beginning are no source: a caller's name can forge them. Raises AGIAppError
        for values that cannot be told apart, CommandError for a name that is none.
        """
        wanted = tuple(names)
        found = dict(zip(wanted, await self.values(*wanted), strict=True))
        self.variables.update(found)
        return found

    async def answer(self) -> None:
        """Answer the call; nothing happens to one that is."""
        if self.answered:
            return
        reply = await self.do(agi.answer())
        if reply.number == -1:
            if await self.alive():
                raise AGIAppError("Asterisk cannot answer the call")
            raise AGIHangup("the caller has gone")
        self.answered = True

    async def alive(self) -> bool:
        """Ask Asterisk whether the caller is there; never raises AGIHangup.

        `result=-1` does not tell: a missing file gives the same.
        """
        try:
            reply = await self.do(agi.channel_status())
        except AGIHangup:
            return False
        if reply.number == UP:
            self.answered = True
        return (reply.number or 0) >= 0 and not self._line.hungup

    async def do(self, order: bytes) -> Reply:
        """Execute a command that plays nothing."""
        return await self._line.execute(order, self._command_s)

    async def values(self, *names: str) -> list[str]:
        """Return the values of variables, empty where unset, by one command; see `trusted`."""
        reply = await self.do(agi.get_variables(names))
        values = (reply.value or "").split(agi.SEPARATOR)
        if len(values) != len(names):
            raise AGIAppError("the values of variables cannot be told apart")
        return values
