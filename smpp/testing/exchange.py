"""What the parts of a test centre may ask of the whole: the seam that keeps them from importing it."""

from collections.abc import Callable
from typing import Any, Protocol

from smpp.pdu.message import Sm
from smpp.testing.dialect import CentreDialect
from smpp.testing.faults import Faults
from smpp.testing.ledger import Delivery, Ledger, Submitted
from smpp.testing.peer import Limits, Peer


class Exchange(Protocol):
    """The centre as its dialogues, its post and its intake see it; described at `Centre`."""

    @property
    def now(self) -> Callable[[], int]:
        """UTC milliseconds."""

    @property
    def dialect(self) -> CentreDialect:
        """How the centre speaks."""

    @property
    def faults(self) -> Faults:
        """How it misbehaves at the moment."""

    @property
    def limits(self) -> Limits:
        """What it takes."""

    @property
    def ledger(self) -> Ledger:
        """What went through."""

    @property
    def on_screen(self) -> Callable[[Any, Any], None] | None:
        """Who wants to see every screen."""

    def deliver(self, kind: str, sm: Sm, dialog: Any = None) -> Delivery:
        """Take a message for delivery."""

    def receivers(self) -> list[Peer]:
        """The ESMEs that take deliveries."""

    def touch(self, peer: Peer) -> None:
        """Something waits in this peer's session."""

    def later(self, after_ms: int, action: Callable[[], None]) -> None:
        """Do something after a while."""

    def answer(self, peer: Peer, octets: bytes, count: int) -> None:
        """Write responses."""

    def may_show(self, sm: Sm) -> bool:
        """True if a page has a dialogue to go to."""

    def act(self, message: Submitted) -> None:
        """Let an accepted message take effect."""

    def forget(self, dialog: Any) -> None:
        """A dialogue has ended."""

    async def wait_for(
        self, predicate: Callable[[], bool], *, what: str = "a condition", limit_s: float = 10.0
    ) -> None:
        """Wait until the predicate is true."""
