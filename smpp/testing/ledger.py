"""What went through a test centre: every message it sent, how it was answered, every one it took.

Tests compare it with what the system under test believes; a kill harness in another process reads the same
from the JSON lines of `path`, which are written as things happen. It knows no sockets.
"""

from collections import Counter, deque
from pathlib import Path
from typing import Any, Protocol, TextIO

import msgspec

from smpp.pdu.message import Sm


class Conversation(Protocol):
    """What a delivery has to know of the dialogue that it belongs to."""

    open: bool

    def end(self, by: str) -> None:
        """Close the dialogue."""


class Attempt(msgspec.Struct):
    """One sending of a delivery."""

    connection: int
    sequence: int
    at: int
    outcome: str = "pending"
    """`pending`, `answered`, `closed`, `timeout`, `lost` (answered, but the centre did not see it)..."""


class Delivery(msgspec.Struct):
    """A message from the centre to the ESME: a USSD unit, an SMS or a receipt."""

    number: int
    kind: str
    sm: Sm
    body: bytes
    at: int
    dialog: Conversation | None = None
    attempts: list[Attempt] = []
    status: int | None = None
    """The final answer: 0 taken, another one refused, None not yet known."""

    @property
    def acked(self) -> bool:
        """True if the ESME took it."""
        return self.status == 0

    def __repr__(self) -> str:
        return (
            f"Delivery({self.number}, {self.kind}, {self.sm!r}, "
            f"attempts={[attempt.outcome for attempt in self.attempts]}, status={self.status})"
        )


class Submitted(msgspec.Struct):
    """A submit_sm that the centre accepted or refused."""

    number: int
    message_id: bytes
    sm: Sm
    connection: int
    sequence: int
    at: int
    status: int
    text: str
    op: int | None = None
    """ussd_service_op, None for an SMS."""
    answered: bool = True
    """False where the response was dropped on order."""

    def __repr__(self) -> str:
        return f"Submitted({self.number}, {self.sm!r}, op={self.op}, status={self.status:#x})"


class Ledger:
    """The newest `keep` records of each kind, and counters of everything since the start."""

    def __init__(self, keep: int = 100_000, path: Path | None = None) -> None:
        self.delivered: deque[Delivery] = deque(maxlen=keep)
        self.submitted: deque[Submitted] = deque(maxlen=keep)
        self.counters: Counter[str] = Counter()
        self._file: TextIO | None = path.open("a", encoding="utf-8") if path is not None else None

    def sent(self, delivery: Delivery, attempt: Attempt) -> None:
        """A delivery went out, for the first time or again."""
        self.counters["deliver_sm"] += 1
        if len(delivery.attempts) == 1:
            self.delivered.append(delivery)
        else:
            self.counters["redelivered"] += 1
        if self._file is not None:
            self._write(
                event="delivered",
                number=delivery.number,
                kind=delivery.kind,
                source=delivery.sm.source,
                dest=delivery.sm.dest,
                text=delivery.sm.payload.hex(),
                connection=attempt.connection,
                sequence=attempt.sequence,
                tries=len(delivery.attempts),
                at=attempt.at,
            )

    def answered(self, delivery: Delivery, status: int, now: int) -> None:
        """The ESME answered a delivery."""
        self.counters["acked" if status == 0 else "refused"] += 1
        if self._file is not None:
            self._write(event="answered", number=delivery.number, status=status, at=now)

    def took(self, message: Submitted) -> None:
        """The ESME submitted a message."""
        self.counters["submitted" if message.status == 0 else "throttled_or_refused"] += 1
        if message.status == 0:
            self.submitted.append(message)
        if self._file is not None:
            self._write(
                event="submitted",
                number=message.number,
                message_id=message.message_id,
                source=message.sm.source,
                dest=message.sm.dest,
                text=message.text,
                op=message.op,
                status=message.status,
                answered=message.answered,
                connection=message.connection,
                sequence=message.sequence,
                at=message.at,
            )

    def unacked(self) -> list[Delivery]:
        """Deliveries without a final answer."""
        return [delivery for delivery in self.delivered if delivery.status is None]

    def close(self) -> None:
        """Close the file, if there is one."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, **fields: Any) -> None:
        assert self._file is not None
        plain = {
            key: value.decode("latin-1") if isinstance(value, bytes) else value
            for key, value in fields.items()
        }
        self._file.write(msgspec.json.encode(plain).decode() + "\n")
        self._file.flush()
