"""Callers who are out of our hands: in a queue or connected to another number, until the dialplan returns.

What is needed to know them again is a row of the store, so that a restart in between loses nobody. Whoever
comes back is believed only if channel and caller are those that left.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from engine.inputs import AgentLeft, LineReplied
from gateway.host.batch import Batch
from gateway.host.due_row import DueRows
from gateway.store.batch import Group
from gateway.store.record import ScheduleRow

WAIT = "voice_wait"
"""Kind of the rows."""
LONGEST_MS = 6 * 3_600_000
"""A wait or a talk of which nothing was heard for so long is over."""
SLACK_MS = 1_500
"""Asterisk counts seconds: a queue may give a caller back so much before his time."""
AT_ONCE = 100

RESULTS = frozenset({"solved", "unsolved", "escalate"})
_DIALLED = {"ANSWER": "done", "BUSY": "busy", "NOANSWER": "no_answer", "CHANUNAVAIL": "no_answer"}
_OVER = {"CONTINUE": "answered", "FULL": "full"}


class Away(msgspec.Struct, frozen=True, array_like=True):
    """A caller who was led on; `channel` and `claimed` are Asterisk's id of the channel and its number.

    `queue` is empty for a connection. `arrival` is when the caller came to the queue, `offer_at` and `end_at`
    when a callback is to be offered and when the wait is over (UTC ms, None: never), `ahead_ms` the head
    start of his class. `peer` is the address of his Asterisk, "" where an earlier version did not note it.
    """

    channel: str
    claimed: str
    queue: str
    call: int
    arrival: int
    since: int
    offer_at: int | None = None
    end_at: int | None = None
    ahead_ms: int = 0
    peer: str = ""

    @property
    def limit_s(self) -> int | None:
        """How long the queue may keep the caller now, in seconds, None: as long as it likes."""
        times = [at for at in (self.offer_at, self.end_at) if at is not None]
        return max(1, -(-(min(times) - self.since) // 1000)) if times else None


class Report(msgspec.Struct, frozen=True):
    """What the dialplan says, read again from the channel: how queue or connection ended, who answered.

    `result` is what the specialist says came of the talk; anything but a word of `RESULTS` is nothing.
    """

    status: str = ""
    dialled: str = ""
    waited: str = ""
    member: str = ""
    talked: str = ""
    result: str = ""

    @property
    def answered(self) -> bool:
        """Whether people have talked to the caller."""
        return bool(self.member) or (self.talked.isascii() and self.talked.isdigit() and int(self.talked) > 0)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Away).decode


class Aways:
    """All callers who are out of our hands, by session."""

    def __init__(self) -> None:
        self._rows = DueRows()
        self._of: dict[str, Away] = {}

    def __len__(self) -> int:
        return len(self._of)

    def of(self, session: str) -> Away | None:
        """Return what is known of a caller who was led on."""
        return self._of.get(session)

    def before(self, now: int) -> list[tuple[str, Away]]:
        """Return those who were led on before `now` (UTC ms)."""
        return [item for item in self._of.items() if item[1].since < now]

    def put(self, batch: Batch, group: Group, session: str, away: Away) -> None:
        """A caller is led on."""
        before = self._of.get(session)
        due = away.since + LONGEST_MS if away.end_at is None else away.end_at + LONGEST_MS
        row = ScheduleRow(_name(session), due, WAIT, _encode(away), secret=True)
        group.schedule(row)
        self._keep(session, away, row)
        batch.on_failure(lambda: self._put_back(session, before, due))

    def drop(self, batch: Batch, group: Group, session: str) -> None:
        """A caller is back, or gone for good."""
        before = self._of.pop(session, None)
        if before is None:
            return
        row = self._rows.get(_name(session))
        self._rows.forget(_name(session))
        group.unschedule(_name(session))
        batch.on_failure(lambda: self._put_back(session, before, before.since if row is None else row.due))

    def _keep(self, session: str, away: Away, row: ScheduleRow) -> None:
        self._of[session] = away
        self._rows.keep(row)

    def _put_back(self, session: str, away: Away | None, due: int) -> None:
        if away is None:
            self._of.pop(session, None)
            self._rows.forget(_name(session))
        else:
            self._keep(session, away, ScheduleRow(_name(session), due, WAIT, _encode(away), secret=True))

    def load(self, rows: Iterable[ScheduleRow]) -> None:
        """Take over what the store holds."""
        for row in rows:
            if row.kind == WAIT:
                self._keep(row.id.removeprefix("away:"), _decode(row.data), row)

    def expired(self, now: int) -> list[str]:
        """Return the sessions of callers of whom nothing was heard for too long."""
        return [row.id.removeprefix("away:") for row in self._rows.expired(now, AT_ONCE)]


def _name(session: str) -> str:
    return f"away:{session}"


def left_queue(away: Away, report: Report, call: int, now: int) -> AgentLeft:
    """Return what has come of the wait of a caller who is there again."""
    waited = _seconds(report.waited, now - away.since)
    outcome = _OVER.get(report.status, "no_agent")
    if report.status == "TIMEOUT":
        over = away.end_at is not None and now >= away.end_at - SLACK_MS
        outcome = "timeout" if over or away.offer_at is None else "waiting"
    elif outcome == "no_agent" and report.member:
        outcome = "answered"
    return AgentLeft(call, outcome, _result(report, outcome), waited_s=waited)


def hung_up_first(away: Away, report: Report, call: int, now: int) -> AgentLeft | None:
    """Return the end of a talk that the caller has ended; None if there was no talk."""
    if not (report.answered or report.status == "CONTINUE"):
        return None
    waited = _seconds(report.waited, now - away.since)
    return AgentLeft(call, "answered", _result(report, "answered"), waited_s=waited, stayed=False)


def connected(report: Report, call: int) -> LineReplied:
    """Return what has come of a connection."""
    return LineReplied(call, _DIALLED.get(report.dialled, "failed"))


def _result(report: Report, outcome: str) -> str:
    return report.result if outcome == "answered" and report.result in RESULTS else ""


def _seconds(text: str, otherwise_ms: int) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 6:
        return int(text)
    return max(0, otherwise_ms // 1000)
