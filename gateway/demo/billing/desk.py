"""The desk: carries out one operation as one transaction, remembers keys, and runs the nights.

All of it happens at once, without waiting, so two requests with one key can never both be first. Every
request first runs the nights that its moment has passed. Knows no HTTP; faults are made around it.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter, deque
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import msgspec

from gateway.demo.billing.book import Book, Change
from gateway.demo.billing.charge import normal
from gateway.demo.billing.clock import Clock
from gateway.demo.billing.entry import Entry, Refusal
from gateway.demo.billing.night import night
from gateway.demo.billing.operation import Operation
from gateway.demo.billing.period import day_of, midnight
from gateway.demo.billing.persona import people
from gateway.demo.billing.subscriber import Remembered

KEY = re.compile(r"[\x21-\x7e]{1,200}", re.ASCII)
"""What an idempotency key may be: 1 to 200 visible ASCII characters."""

MOST_NIGHTS = 400
"""How many missed nights are run at most; a clock moved further starts a new calendar there."""


class Answer(msgspec.Struct, frozen=True):
    """What goes back: HTTP status, JSON body, and whether it was stored under the key before."""

    status: int
    body: bytes
    repeated: bool = False


class Logged(msgspec.Struct, frozen=True):
    """One line of the request log; the phone is masked."""

    at: int
    operation: str
    phone: str
    key: str
    status: int
    error: str
    repeated: bool
    fault: str


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came: the parameter of the path, the key header, the raw body."""

    operation: Operation
    parameter: str = ""
    key: str | None = None
    body: bytes = b""


class Desk:
    """The whole service without its wire."""

    def __init__(self, database: Path, clock: Clock) -> None:
        """Open the books; new ones are filled with the demo's people."""
        self.clock = clock
        self.book = Book(database)
        self.counts: Counter[tuple[str, str]] = Counter()
        self.log: deque[Logged] = deque(maxlen=1000)
        self._next_midnight = 0
        if not self.book.subscribers:
            self.seed()
        self.catch_up()

    def seed(self) -> None:
        """Fill empty books with the demo's people as of the clock's today."""
        now = self.clock.now()
        today = day_of(now)
        change = Change(settings={"last_night": today.isoformat()})
        for subscriber, movements in people(today):
            change.subscribers[subscriber.phone] = subscriber
            change.movements.extend(movements)
        change.cards["card-used"] = ("79161000001", now)
        self.book.write(change)

    def reset(self) -> None:
        """Start over: the books as at the first start, at the clock's present date. Settings go too."""
        self.book.clear()
        self.counts.clear()
        self.log.clear()
        self.seed()
        self._next_midnight = 0
        self.catch_up()

    def catch_up(self) -> int:
        """Run every night that has passed and was not run yet; returns how many."""
        now = self.clock.now()
        if now < self._next_midnight and now >= self._next_midnight - 86_400_000:
            return 0
        today = day_of(now)
        last = date.fromisoformat(self.book.settings["last_night"])
        ran = 0
        if (today - last).days > MOST_NIGHTS:
            last = today - timedelta(days=MOST_NIGHTS)
        while last < today:
            last += timedelta(days=1)
            self.run_night(last)
            ran += 1
        self._next_midnight = midnight(today + timedelta(days=1))
        return ran

    def run_night(self, day: date) -> int:
        """Run the fee job of `day` in one transaction; returns how many subscribers it charged.

        A job that was run for this day already finds nothing due.
        """
        entry = Entry(self.book, midnight(day), "night")
        charged = night(entry)
        last = max(day, date.fromisoformat(self.book.settings["last_night"]))
        entry.change.settings["last_night"] = last.isoformat()
        self.book.write(entry.change)
        self.book.forget(entry.now - self.book.keys_kept)
        return charged

    def milliseconds_to_midnight(self) -> int:
        """Return how long the clock has to go until the next night."""
        return max(0, self._next_midnight - self.clock.now())

    def perform(self, request: Request, *, forget: bool = False, store_refusals: bool = False) -> Answer:
        """Carry out a request, or answer it from its key.

        `forget`: behave as if the key had never been seen. `store_refusals`: keep a refusal under the
        key, too, as some billing systems do (the setting of that name does it for all requests).
        """
        try:
            self.catch_up()
            answer = self._perform(request, forget=forget, store_refusals=store_refusals)
        except sqlite3.Error:
            answer = _error(Refusal(500, "internal"))
        self._note(request, answer)
        return answer

    def _perform(self, request: Request, *, forget: bool, store_refusals: bool) -> Answer:
        operation = request.operation
        try:
            parameter, takes = _read(request)
            key = _key(request)
        except Refusal as refused:
            return _error(refused)
        entry = Entry(self.book, self.clock.now(), operation.name, key)
        fingerprint = ""
        if key:
            fingerprint = self.book.fingerprint((operation.name, parameter, _canonical(takes)))
            known = None if forget else self.book.remembered(key, entry.now - self.book.keys_kept)
            if known is not None:
                if known.fingerprint != fingerprint:
                    return _error(Refusal(422, "key_reused"))
                return Answer(known.status, known.body, repeated=True)
        try:
            body = msgspec.json.encode(operation.run(entry, parameter, takes))
        except Refusal as refused:
            answer = _error(refused)
            if key and (store_refusals or self.book.store_refusals):
                record = Remembered(operation.name, fingerprint, entry.now, answer.status, answer.body)
                self.book.write(Change(remembered={key: record}))
            return answer
        if key:
            entry.change.remembered[key] = Remembered(operation.name, fingerprint, entry.now, 200, body)
        if entry.change:
            self.book.write(entry.change)
        return Answer(200, body)

    def _note(self, request: Request, answer: Answer) -> None:
        error = ""
        if answer.status != 200:
            found = msgspec.json.decode(answer.body)
            error = (found.get("reason") if answer.status != 400 else "") or found["error"]
        self.counts[request.operation.name, error or ("repeated" if answer.repeated else "done")] += 1
        self._write_log(request, answer.status, error, repeated=answer.repeated)

    def _write_log(
        self, request: Request, status: int, error: str, *, repeated: bool, fault: str = ""
    ) -> None:
        is_phone = "{phone}" in request.operation.path
        self.log.append(
            Logged(
                at=self.clock.now(),
                operation=request.operation.name,
                phone=masked(request.parameter) if is_phone else "",
                key=(request.key or "")[:200],
                status=status,
                error=error,
                repeated=repeated,
                fault=fault,
            )
        )

    def not_done(self, request: Request, fault: str) -> None:
        """Note a request that a fault kept from being carried out (status 0: nothing was decided)."""
        self.counts[request.operation.name, "fault"] += 1
        self._write_log(request, 0, "", repeated=False, fault=fault)

    def blame(self, fault: str) -> None:
        """Write the name of a fault beside the last line of the request log."""
        if self.log:
            self.log[-1] = msgspec.structs.replace(self.log[-1], fault=fault)


def masked(phone: str) -> str:
    """Return a phone for people who need not know it: 7916***4567."""
    digits = normal(phone)
    return f"{digits[:4]}***{digits[-4:]}" if digits else "***"


def _read(request: Request) -> tuple[str, msgspec.Struct | None]:
    operation = request.operation
    parameter = request.parameter
    if "{phone}" in operation.path:
        parameter = normal(parameter)
    if operation.takes is None:
        return parameter, None
    try:
        return parameter, msgspec.json.decode(request.body, type=operation.takes)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        # A validation message names the field and the expected type, never the value.
        reason = str(fault) if isinstance(fault, msgspec.ValidationError) else "the body is not JSON"
        raise Refusal(400, "bad_request", reason) from None


def _key(request: Request) -> str:
    if not request.operation.keyed:
        return ""
    if not request.key:
        raise Refusal(400, "bad_request", "the header Idempotency-Key is missing")
    if not KEY.fullmatch(request.key):
        raise Refusal(400, "bad_request", "an Idempotency-Key is 1 to 200 visible ASCII characters")
    return request.key


def _canonical(takes: msgspec.Struct | None) -> str:
    """Return the arguments as one text: equal sums are equal text, however they were written."""
    plain = msgspec.structs.asdict(takes) if takes is not None else {}
    return "\x1e".join(f"{name}={_plain(value)}" for name, value in plain.items())


def _plain(value: object) -> str:
    return f"{value:.2f}" if hasattr(value, "quantize") else str(value)


def _error(refused: Refusal) -> Answer:
    return Answer(refused.status, msgspec.json.encode(refused.body()))
