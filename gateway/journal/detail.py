"""The record of one session: its fields in their order, made from what the host knows when it ends.

No text of a subscriber and no argument of a call is in it but the amount of a charge. The number is masked
unless the settings want it whole; the keyed hash joins the records of one subscriber without it (152-FZ,
GDPR 25; reliability 5). The number of the record is given by the store.

Theory of operation. Two sessions that went the same way differ in a few fields (`OWN`): who, from when to
when. All the others follow from the facts that were noted, the flows and the dialog's counts; they are worked
out once for each way, and kept as the JSON that the store wants. Where a way has something that does not come
again, such as the number of a task, it is worked out every time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import blake2b

import msgspec

from engine.capabilities import Channel
from engine.effects import CallBackend
from engine.session import Frame
from engine.types import Scalar
from engine.values import Value
from gateway.host.conversation import Conversation, begun_by_us
from gateway.journal.tally import CALL, CALLBACK, END, FLOW, QUEUE, REFUSED, SMS, Fact
from gateway.log import masked_number, masked_text
from gateway.store.detail import Own


class Detail(msgspec.Struct, frozen=True, omit_defaults=False):
    """One record. Times are ISO 8601 in UTC with milliseconds, durations milliseconds.

    `path` are the flows the session was seen in, the first one first. `calls` are `operation:outcome`,
    `charges` `operation:outcome:amount`. `handling_ms` is the time until people were asked for, or all of it.
    `release` says who ended a USSD dialog: `flow`, `network`, `lost`, `timer`, `new`. `self_served` is
    true of a session with a subscriber that asked for no people.
    """

    session: str
    build: str
    channel: str
    started: str
    ended: str
    duration_ms: int
    handling_ms: int
    subscriber: str
    subscriber_key: str
    called: str
    flow: str
    path: str
    topic: str
    language: str
    reason: str
    inputs: int
    pages: int
    turns: int
    release: str
    begun_by: str
    link: str
    dialect: str
    messages: int
    message_parts: int
    calls: str
    charges: str
    refused: str
    queue: str
    task: str
    self_served: bool


OWN = ("session", "started", "ended", "duration_ms", "handling_ms", "subscriber", "subscriber_key", "called")
"""The fields that are not common; `own_values` makes them of what is stored."""
FIELDS = ("number", *Detail.__struct_fields__)
"""The columns of the files."""
KEPT_MAX = 4_096
"""Common parts, and texts of what was dialled, that are kept."""
HASH_OCTETS = 12
_DAY_MS = 86_400_000
_HANDED = frozenset({QUEUE, CALLBACK})
_EVENT = Channel.EVENT.value

_encode = msgspec.json.Encoder().encode


class _Common(msgspec.Struct, frozen=True):
    """What many records have in common.

    `data` is the JSON object of it, `handed` when people were asked for (UTC ms; None: they were not). Then
    come the counters that it goes into; the latter two are empty for one that is not self-served.
    """

    data: bytes
    handed: int | None
    recorded: str
    served: str
    served_ms: str


def moment(at: int) -> str:
    """Write UTC milliseconds as ISO 8601."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")


def call_fact(conversation: Conversation, call: CallBackend, outcome: str) -> Fact:
    """Return the fact of a call that has ended; of a charge with its amount."""
    operation = conversation.flows.operations.get(call.operation)
    amount = ""
    if operation is not None and operation.charge:
        money = [name for name, type_ in operation.takes.items() if type_.shape is Scalar.MONEY]
        values = [value for name in money if isinstance(value := call.arguments.get(name), int | Decimal)]
        amount = str(sum(values, Decimal(0))) if values else "0"
    return (CALL, call.operation, outcome, amount)


def task_number(ordered: Value) -> str:
    """Return the number of a task out of what an order was answered with, "" if it has none."""
    number = ordered.get("number") if isinstance(ordered, Mapping) else None
    return "" if number is None else str(number)


class Details:
    """Makes records. `key` keys the hash of numbers, a new one every year; `dialects` are by link."""

    def __init__(
        self, key: bytes, dialects: dict[str, str], counters: Counter[str], *, full_numbers: bool
    ) -> None:
        self._key = key
        self._dialects = dialects
        self._counters = counters
        self._full = full_numbers
        self._day = -1
        self._subscriber = self._session = blake2b(key=key, digest_size=HASH_OCTETS)
        self._called: dict[str, str] = {}
        self._common: dict[tuple[object, ...], _Common] = {}

    def record(self, conversation: Conversation, frames: Sequence[Frame], now: int) -> tuple[bytes, Own]:
        """Return the record of a session that ends now: what is common, and its own, for the store.

        `frames` is the stack it was last seen with before.
        """
        session, dialog = conversation.session, conversation.dialog
        if len(frames) == 1 and not session.frames:  # as most sessions are at the end
            path: tuple[str, ...] = (frames[0].flow,)
        else:
            path = tuple([frame.flow for frame in (*frames, *session.frames)])
        inputs, facts = conversation.tally
        way: tuple[object, ...] = session.build, session.channel, session.lang, inputs, facts, path
        if dialog is None:
            way += (begun_by_us(conversation.key),)
        else:
            way += (dialog.group, dialog.page, dialog.turns, dialog.ended_by, dialog.ours)
        common = self._common.get(way)
        if common is None:
            common = self._worked_out(conversation, path)
            if common.handed is None:
                if len(self._common) >= KEPT_MAX:
                    self._common.clear()
                self._common[way] = common
        caller, called, started = session.caller, session.called, session.started
        handed = now if common.handed is None else common.handed
        counters = self._counters
        counters[common.recorded] += 1
        if common.served:
            counters[common.served] += 1
            counters[common.served_ms] += handed - started if handed > started else 0
        hashed = self._session.copy()
        hashed.update(conversation.key.encode())
        return common.data, (
            hashed.digest(),
            started,
            handed,
            caller if self._full else masked_number(caller),
            self._hash(caller, now) if caller else b"",
            self._called.get(called) or self._masked(called),
        )

    def _worked_out(self, conversation: Conversation, frames: Sequence[str]) -> _Common:
        session, dialog = conversation.session, conversation.dialog
        inputs, facts = conversation.tally
        by_word: dict[str, list[Fact]] = {}
        for fact in facts:
            by_word.setdefault(fact[0], []).append(fact)
        path = tuple(dict.fromkeys([*[fact[1] for fact in by_word.get(FLOW, ())], *frames]))
        queues = [fact for fact in facts if fact[0] in _HANDED]
        calls, messages = by_word.get(CALL, ()), by_word.get(SMS, ())
        link = "" if dialog is None else dialog.group
        ours = begun_by_us(conversation.key) if dialog is None else dialog.ours
        self_served = not queues and session.channel != _EVENT
        fields = {
            "build": session.build,
            "channel": session.channel,
            "flow": path[0] if path else "",
            "path": " ".join(path),
            "topic": _topic(conversation, path),
            "language": session.lang,
            "reason": by_word[END][-1][1] if END in by_word else "lost",
            "inputs": inputs,
            "pages": 0 if dialog is None else dialog.page,
            "turns": 0 if dialog is None else dialog.turns,
            "release": "" if dialog is None else dialog.ended_by,
            "begun_by": "us" if ours else "subscriber",
            "link": link,
            "dialect": self._dialects.get(link, ""),
            "messages": len(messages),
            "message_parts": sum([int(fact[1]) for fact in messages]),
            "calls": " ".join([f"{name}:{outcome}" for _, name, outcome, _ in calls]),
            "charges": _charges(calls),
            "refused": " ".join([f"{fact[1]}:{fact[2]}" for fact in by_word.get(REFUSED, ())]),
            "queue": " ".join(dict.fromkeys([fact[1] for fact in queues])),
            "task": " ".join([fact[3] for fact in queues if fact[3]]),
            "self_served": self_served,
        }
        channel = session.channel
        return _Common(
            _as_json(fields),
            int(queues[0][2]) if queues else None,
            f"details.{channel}",
            f"self_served.{channel}" if self_served else "",
            f"self_served_ms.{channel}" if self_served else "",
        )

    def _masked(self, called: str) -> str:
        """As `masked_text`; what was dialled is mostly one of few codes."""
        text = masked_text(called)
        if len(self._called) < KEPT_MAX:
            self._called[called] = text
        return text

    def _hash(self, number: str, now: int) -> bytes:
        day = now // _DAY_MS
        if day != self._day:
            self._day = day
            year = str(datetime.fromtimestamp(now / 1000, UTC).year).encode()
            self._subscriber = blake2b(key=self._key, salt=year, digest_size=HASH_OCTETS)
        hashed = self._subscriber.copy()
        hashed.update(number.encode())
        return hashed.digest()


def own_values(ended: int, own: Own) -> dict[str, object]:
    """Return the fields `OWN` of a record that `Details` has made, of a session that ended at `ended`."""
    session, started, handed, subscriber, key, called = own
    return {
        "session": session.hex(),
        "started": moment(started),
        "ended": moment(ended),
        "duration_ms": max(0, ended - started),
        "handling_ms": max(0, handed - started),
        "subscriber": subscriber,
        "subscriber_key": key.hex(),
        "called": called,
    }


def _as_json(fields: dict[str, object]) -> bytes:
    """Return a JSON object; half a surrogate pair, which no file can hold, becomes a question mark."""
    try:
        return _encode(fields)
    except UnicodeEncodeError:
        return _encode(
            {
                name: value.encode(errors="replace").decode() if isinstance(value, str) else value
                for name, value in fields.items()
            }
        )


def _charges(calls: Sequence[Fact]) -> str:
    return " ".join([f"{name}:{outcome}:{amount}" for _, name, outcome, amount in calls if amount])


def _topic(conversation: Conversation, path: Sequence[str]) -> str:
    """Return the topic of the innermost flow that declares one."""
    flows = conversation.flows.flows
    for name in reversed(path):
        flow = flows.get(name)
        if flow is not None and flow.topic:
            return flow.topic
    return ""
