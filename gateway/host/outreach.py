"""USSD dialogs that the gateway begins: whether a subscriber was reached, told once to whoever asked for it.

A notification has reached its subscriber when the centre took it; a question when an answer came, or when
the subscriber closed it. What to do about the others is `gateway.host.start`'s and `gateway.host.outbound`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TypeAlias

from gateway.host.batch import Batch
from smpp.pdu.status import Policy, policy
from ussd.dialect import Dialect
from ussd.dialog import Dialog, Key


class Reach(StrEnum):
    """What came of a dialog that we began.

    `busy`: the subscriber is in another dialog. `rejected`: closed by the subscriber or the network before an
    answer. `later`: the centre is overloaded. `unknown`: the centre said nothing. `unsaid`: the flow had
    nothing to say, so nothing was sent.
    """

    REACHED = "reached"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    REFUSED = "refused"
    LATER = "later"
    LOST = "lost"
    UNKNOWN = "unknown"
    UNSAID = "unsaid"


PASSING = frozenset({Reach.BUSY, Reach.UNREACHABLE, Reach.NO_ANSWER, Reach.LATER, Reach.LOST})
"""The subscriber was not reached, and may be a little later."""
OPEN_MS = 600_000
"""How long a dialog of ours may last at most: what nobody has told of by then, nobody will."""


_MEANT = {
    "locked": Reach.BUSY,
    "timed_out": Reach.NO_ANSWER,
    "unreachable": Reach.UNREACHABLE,
    "gone": Reach.UNREACHABLE,
    "throttled": Reach.LATER,
    "temporary": Reach.LATER,
}
_Name: TypeAlias = tuple[Key, int]
_UNCERTAIN = ("timeout", "wrong_response")


class Outreach:
    """The dialogs that we have begun and of which nobody knows yet what comes of them.

    Each of `told` is called within a batch as `told(batch, plan, reach)`; what it stores is stored with the
    news. `plan` is the name that the dialog was begun in. `count` is given the outcomes, for metrics.
    """

    def __init__(self, count: Callable[[str], None]) -> None:
        self.told: list[Callable[[Batch, str, Reach], None]] = []
        self._count = count
        self.open: dict[_Name, str] = {}
        """In whose name the dialogs were begun of which nobody knows yet."""

    def __bool__(self) -> bool:
        """Tell whether anything is open."""
        return bool(self.open)

    def is_open(self, plan: str) -> bool:
        """Tell whether nobody knows yet what comes of the dialog begun in a name."""
        return plan in self.open.values()

    def begun(self, batch: Batch, dialog: Dialog, plan: str) -> None:
        """A dialog begins, in the name of `plan`."""
        name = (dialog.key, dialog.opened_at)
        dialog.plan = self.open[name] = plan
        batch.on_failure(lambda: self.open.pop(name, None))
        self._count("ussd_begun")

    def restore(self, dialog: Dialog) -> None:
        """Take over a dialog that was stored before the start and has had no answer."""
        if dialog.plan and not dialog.turns and not dialog.acks:
            self.open[dialog.key, dialog.opened_at] = dialog.plan

    def end(self, batch: Batch, dialog: Dialog, reach: Reach) -> None:
        """It is known what came of a dialog; of one that is known already, or not ours, nothing is told."""
        self._end(batch, (dialog.key, dialog.opened_at), reach)

    def confirmed(self, batch: Batch, dialog: Dialog, page: int, status: int, dialect: Dialect) -> None:
        """The centre has answered to the first page of a dialog."""
        if not dialog.ours or page != 1:
            return
        if status:
            self.end(batch, dialog, refusal(dialect, status))
        elif not dialog.live or dialog.releasing:
            self.end(batch, dialog, Reach.REACHED)

    def failed(self, batch: Batch, dialog: Dialog, page: int, failure: str) -> None:
        """The first page of a dialog got no answer of the centre."""
        if not dialog.ours or page != 1:
            return
        if failure not in _UNCERTAIN:
            self.end(batch, dialog, Reach.LOST)
        elif not dialog.live:
            self.end(batch, dialog, Reach.UNKNOWN)

    def _end(self, batch: Batch, name: _Name, reach: Reach) -> None:
        plan = self.open.pop(name, None)
        if plan is None:
            return
        batch.on_failure(lambda: self.open.__setitem__(name, plan))
        self._count(f"ussd_reach.{reach.value}")
        for told in self.told:
            told(batch, plan, reach)


def refusal(dialect: Dialect, status: int) -> Reach:
    """Say what a negative submit_sm_resp to a first page means for its subscriber."""
    meaning = dialect.status.get(status)
    if meaning is not None:
        return _MEANT.get(meaning, Reach.REFUSED)
    what = policy(status, dialect.vendor)
    return Reach.LATER if what in (Policy.THROTTLE, Policy.TEMPORARY) else Reach.REFUSED
