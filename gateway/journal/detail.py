"""The record of one session: its fields in their order, made from what the host knows when it ends.

No text of a subscriber and no argument of a call is in it but the amount of a charge. The number is masked
unless the settings want it whole; the keyed hash joins the records of one subscriber without it (152-FZ,
GDPR 25; reliability 5). The number of the record is given by the store.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from engine.capabilities import Channel
from engine.effects import CallBackend
from engine.types import Scalar
from engine.values import Value
from gateway.host.conversation import Conversation, begun_by_us
from gateway.journal.tally import CALL, CALLBACK, END, FLOW, QUEUE, REFUSED, SMS, Fact
from gateway.log import masked_number, masked_text


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


KEPT_MAX = 1_024
"""Texts of seconds, and of what was dialled, that are kept."""
_DAY_MS = 86_400_000
_HANDED = frozenset({QUEUE, CALLBACK})
_EVENT = Channel.EVENT.value

FIELDS = ("number", *Detail.__struct_fields__)
"""The columns of the files."""


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
        self._year = b""
        self._seconds: dict[int, str] = {}
        self._called: dict[str, str] = {}

    def record(self, conversation: Conversation, frames: Sequence[str], now: int) -> Detail:
        """Return the record of a session that ends now; `frames` are the flows it was last seen in."""
        detail = self._made(conversation, frames, now)
        self._counters[f"details.{detail.channel}"] += 1
        if detail.self_served:
            self._counters[f"self_served.{detail.channel}"] += 1
            self._counters[f"self_served_ms.{detail.channel}"] += detail.handling_ms
        return detail

    def _made(self, conversation: Conversation, frames: Sequence[str], now: int) -> Detail:
        session, dialog = conversation.session, conversation.dialog
        inputs, facts = conversation.tally
        by_word: dict[str, list[Fact]] = {}
        for fact in facts:
            by_word.setdefault(fact[0], []).append(fact)
        path = tuple(dict.fromkeys([*[fact[1] for fact in by_word.get(FLOW, ())], *frames]))
        queues = [fact for fact in facts if fact[0] in _HANDED]
        calls, messages = by_word.get(CALL, ()), by_word.get(SMS, ())
        refused = by_word.get(REFUSED, ())
        link = "" if dialog is None else dialog.group
        ours = begun_by_us(conversation.key) if dialog is None else dialog.ours
        handed = int(queues[0][2]) if queues else now
        # In the order of the fields: with their names it would take five times as long.
        return Detail(
            hashlib.blake2b(conversation.key.encode(), key=self._key, digest_size=12).hexdigest(),
            session.build,
            session.channel,
            self._moment(session.started),
            self._moment(now),
            max(0, now - session.started),
            max(0, handed - session.started),
            session.caller if self._full else masked_number(session.caller),
            self._hash(session.caller, now),
            self._masked(session.called),
            path[0] if path else "",
            " ".join(path),
            _topic(conversation, path),
            session.lang,
            by_word[END][-1][1] if END in by_word else "lost",
            inputs,
            0 if dialog is None else dialog.page,
            0 if dialog is None else dialog.turns,
            "" if dialog is None else dialog.ended_by,
            "us" if ours else "subscriber",
            link,
            self._dialects.get(link, ""),
            len(messages),
            sum([int(fact[1]) for fact in messages]) if messages else 0,
            " ".join([f"{name}:{outcome}" for _, name, outcome, _ in calls]) if calls else "",
            _charges(calls) if calls else "",
            " ".join([f"{fact[1]}:{fact[2]}" for fact in refused]) if refused else "",
            " ".join(dict.fromkeys([fact[1] for fact in queues])) if queues else "",
            " ".join([fact[3] for fact in queues if fact[3]]) if queues else "",
            not queues and session.channel != _EVENT,
        )

    def _moment(self, at: int) -> str:
        """As `moment`; the text of a second is kept, for many sessions end in it."""
        second, ms = divmod(at, 1000)
        text = self._seconds.get(second)
        if text is None:
            if len(self._seconds) >= KEPT_MAX:
                self._seconds.clear()
            text = self._seconds[second] = moment(second * 1000).partition(".")[0]
        return f"{text}.{ms:03d}+00:00"

    def _masked(self, called: str) -> str:
        """As `masked_text`; what was dialled is mostly one of few codes."""
        text = self._called.get(called)
        if text is None:
            text = masked_text(called)
            if len(self._called) < KEPT_MAX:
                self._called[called] = text
        return text

    def _hash(self, number: str, now: int) -> str:
        if not number:
            return ""
        day = now // _DAY_MS
        if day != self._day:
            self._day = day
            self._year = str(datetime.fromtimestamp(now / 1000, UTC).year).encode()
        return hashlib.blake2b(number.encode(), key=self._key, salt=self._year, digest_size=12).hexdigest()


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
