"""A USSD dialogue as the subscriber sees it: a screen, something to type, an end.

The dialogue belongs to a centre, which feeds it what the ESME submits. It keeps all screens; waiting is
awaiting, with a limit, and a limit that passes says what was seen so far.
"""

import asyncio
import re

import msgspec

from smpp.testing.dialect import RELEASE_INDICATION, USSN_CONFIRM, USSR_CONFIRM, Action
from smpp.testing.exchange import Exchange


class DialogError(Exception):
    """A test waited for something of a dialogue that did not come, or did what no handset can do."""


class Screen(msgspec.Struct, frozen=True):
    """What the handset showed: the text, what it was (`menu`, `notify`, `end`, `release`), and when."""

    text: str
    action: Action
    at: int


class Dialog:
    """One dialogue of one handset. `origin` is `subscriber` or `network`."""

    def __init__(self, centre: Exchange, msisdn: str, code: str, session: int, origin: str) -> None:
        self.centre = centre
        self.msisdn = msisdn
        self.code = code
        self.number = service_number(code)
        """The destination_addr of the dialogue's messages: the digits of the code, `929` of `*929*1#`."""
        self.session = session
        self.origin = origin
        self.screens: list[Screen] = []
        self.open = True
        self.ended_by = ""
        """`esme`, `subscriber`, `refused` (the ESME took our message not), `superseded`; "" while open."""
        self._unit = 0
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    @property
    def screen(self) -> str:
        """The text of the last screen, "" before the first."""
        return self.screens[-1].text if self.screens else ""

    @property
    def wants_input(self) -> bool:
        """True while the last screen waits for the subscriber."""
        return self.open and bool(self.screens) and self.screens[-1].action == "menu"

    async def send(self, text: str, *, limit_s: float = 10.0) -> str:
        """Type an answer and wait for the next screen; its text. Raises DialogError."""
        seen = len(self.screens)
        self.type(text)
        await self.shown(seen + 1, limit_s=limit_s)
        return self.screen

    def type(self, text: str) -> None:
        """Type an answer without waiting. Raises DialogError when the dialogue is over."""
        if not self.open:
            raise DialogError(f"nothing can be typed, the dialogue is over ({self.ended_by})")
        self._say(USSR_CONFIRM, text)

    def hang_up(self) -> None:
        """The subscriber ends the dialogue; what the ESME hears of it is the dialect's affair."""
        if not self.open:
            return
        abort = self.centre.dialect.abort
        if abort == "release":
            self._say(RELEASE_INDICATION, "")
        elif abort == "end_bit":
            self._say(USSR_CONFIRM, "", end=True)
        self.end("subscriber")

    async def shown(self, count: int, *, limit_s: float = 10.0) -> Screen:
        """Wait until so many screens have come in all; the last of them. Raises DialogError."""
        if len(self.screens) < count:
            future = asyncio.get_running_loop().create_future()
            self._waiting.append((count, future))
            try:
                async with asyncio.timeout(limit_s):
                    await future
            except TimeoutError:
                raise DialogError(
                    f"screen {count} of {self.code} did not come within {limit_s:g} s; "
                    f"the last of {len(self.screens)} was {self.screen!r}"
                ) from None
        if len(self.screens) < count:
            raise DialogError(f"the dialogue ended ({self.ended_by}) before screen {count}: {self.screen!r}")
        return self.screens[count - 1]

    async def over(self, *, limit_s: float = 10.0) -> None:
        """Wait until the dialogue has ended. Raises DialogError."""
        await self.centre.wait_for(lambda: not self.open, what="the end of a dialogue", limit_s=limit_s)

    # -- for the centre ---------------------------------------------------------------------------

    def begin(self, op: int, text: str) -> None:
        """Send the first unit."""
        self._say(op, text)

    def show(self, text: str, action: Action) -> None:
        """The ESME submitted a page."""
        if action != "release":
            screen = Screen(text, action, self.centre.now())
            self.screens.append(screen)
            self._tell()
            on_screen = self.centre.on_screen
            if on_screen is not None:
                on_screen(self, screen)
        if action in ("end", "release"):
            self.end("esme")
        elif action == "notify" and self.centre.dialect.confirm_notifications:
            self._say(USSN_CONFIRM, "")

    def end(self, by: str) -> None:
        """Close the dialogue; nobody waits for it any longer."""
        if not self.open:
            return
        self.open = False
        self.ended_by = by
        self.centre.forget(self)
        self._tell()

    def _say(self, op: int, text: str, *, end: bool = False) -> None:
        sm = self.centre.dialect.ussd(op, self.msisdn, self.number, text, self.session, self._unit, end=end)
        self._unit += 1
        self.centre.deliver("ussd", sm, dialog=self)

    def _tell(self) -> None:
        for count, future in self._waiting:
            if not future.done() and (not self.open or len(self.screens) >= count):
                future.set_result(None)
        self._waiting = [(count, future) for count, future in self._waiting if not future.done()]


def service_number(code: str) -> str:
    """The first group of digits in a dialled code, the code itself if it has none."""
    found = re.search(r"[0-9]+", code)
    return found.group() if found else code
