"""What a connection to the manager interface is in the middle of: login, actions that wait, events.

No I/O and no clock: `feed` takes octets and the time (UTC ms), `written` is what has to be sent. Replies find
their action by its ActionID whatever comes between; a list ends with the event that says `Complete`. An
action without an answer is given up after its time. Callers' numbers are in events: never log those.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from ivr.ami.message import Blocks, Message, encode

ANSWER_MS = 10_000
"""An action is answered within this, a list as a whole too."""

PENDING = 1_000
LIST_LENGTH = 20_000


class State(StrEnum):
    """Where the session stands. READY: logged in, and Asterisk has said `FullyBooted`."""

    GREETING = "greeting"
    LOGIN = "login"
    BOOTING = "booting"
    READY = "ready"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an action. `events` is the list it was answered by; `error` is empty if all went well."""

    reply: Message | None
    events: tuple[Message, ...] = ()
    error: str = ""

    @property
    def done(self) -> bool:
        """Whether Asterisk has accepted it."""
        return not self.error


Done: TypeAlias = Callable[[Outcome], None]


@dataclass(slots=True)
class _Pending:
    done: Done
    due: int
    late: bool
    reply: Message | None = None
    events: list[Message] = field(default_factory=list)


class AmiSession:
    """One connection's worth of protocol. `on_event` is called for every event that belongs to no list."""

    def __init__(self, user: str, secret: str, on_event: Callable[[Message], None], prefix: str) -> None:
        """`prefix` makes the ActionIDs of this connection differ from those of every earlier one."""
        self.state = State.GREETING
        self.reason = ""
        self._user = user
        self._secret = secret
        self._on_event = on_event
        self._prefix = prefix
        self._numbers = itertools.count(1)
        self._pending: dict[str, _Pending] = {}
        self._blocks = Blocks()
        self._out = bytearray()

    def __repr__(self) -> str:
        """Without the secret."""
        return f"<AmiSession {self.state} {len(self._pending)} pending>"

    def written(self) -> bytes:
        """Return, and forget, what has to be sent."""
        out = bytes(self._out)
        self._out.clear()
        return out

    def feed(self, data: bytes, now: int) -> None:
        """Take octets in."""
        for message in self._blocks.feed(data):
            if self.state is State.CLOSED:
                return
            self._take(message, now)
        if self._blocks.broken:
            self.close(self._blocks.broken)

    def act(
        self,
        name: str,
        headers: Sequence[tuple[str, str]],
        done: Done,
        now: int,
        *,
        within_ms: int = ANSWER_MS,
        late: bool = False,
    ) -> str:
        """Send an action and return its id; `done` is called once, also when the connection ends.

        `late`: the reply only says that Asterisk has taken it, the outcome is the event that carries the
        same ActionID (`OriginateResponse`). Raises ActionError; then nothing was sent.
        """
        if self.state not in (State.READY, State.BOOTING, State.LOGIN):
            done(Outcome(None, error="not connected"))
            return ""
        if len(self._pending) >= PENDING:
            done(Outcome(None, error="too many actions wait for an answer"))
            return ""
        action_id = f"{self._prefix}-{next(self._numbers)}"
        self._out += encode((("Action", name), ("ActionID", action_id), *headers))
        self._pending[action_id] = _Pending(done, now + within_ms, late)
        return action_id

    def tick(self, now: int) -> None:
        """Give up actions whose time is over; call about once a second."""
        for action_id in [key for key, one in self._pending.items() if one.due <= now]:
            self._finish(action_id, "no answer in time")

    def close(self, reason: str) -> None:
        """The connection is over: whatever waits is told so."""
        if self.state is State.CLOSED:
            return
        self.state, self.reason = State.CLOSED, reason
        for action_id in list(self._pending):
            self._finish(action_id, f"connection lost: {reason}")

    def _take(self, message: Message, now: int) -> None:
        if self.state is State.GREETING:
            self.state = State.LOGIN
            login = (("Username", self._user), ("Secret", self._secret), ("Events", "on"))
            self.act("Login", login, self._logged_in, now)
            return
        if message.event:
            self._take_event(message)
            return
        pending = self._pending.get(message.action_id)
        if pending is None or pending.reply is not None:
            return
        pending.reply = message
        refused = message.get("Response").lower() in ("error", "")
        if refused:
            self._finish(message.action_id, message.get("Message", "refused"))
        elif not pending.late and message.get("EventList").lower() != "start":
            self._finish(message.action_id, "")

    def _take_event(self, message: Message) -> None:
        if message.event == "FullyBooted" and self.state is State.BOOTING:
            self.state = State.READY
            return
        pending = self._pending.get(message.action_id) if message.action_id else None
        if pending is None:
            self._on_event(message)
            return
        if pending.late:
            failed = message.get("Response").lower() == "failure"
            pending.events.append(message)
            self._finish(message.action_id, "failed" if failed else "")
        elif message.get("EventList").lower() in ("complete", "cancelled"):
            cancelled = message.get("EventList").lower() == "cancelled"
            self._finish(message.action_id, "the list was cut" if cancelled else "")
        elif len(pending.events) < LIST_LENGTH:
            pending.events.append(message)
        else:
            self._finish(message.action_id, f"a list of more than {LIST_LENGTH}")

    def _logged_in(self, outcome: Outcome) -> None:
        if outcome.done:
            self.state = State.BOOTING
        else:
            self.close("login refused: " + outcome.error)

    def _finish(self, action_id: str, error: str) -> None:
        pending = self._pending.pop(action_id, None)
        if pending is not None:
            pending.done(Outcome(pending.reply, tuple(pending.events), error))
