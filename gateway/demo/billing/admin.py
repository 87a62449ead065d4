"""The administrator's side under `/admin/`: people, ledger, clock, nights, faults, settings, request log.

For the demo page and for tests; loopback only, and closed to pages of foreign sites. Passwords and
passport digits are never shown.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import msgspec
from aiohttp import web

from gateway.demo.billing.catalogue import DEMO_CARDS, OPTIONS, TARIFFS, Bucket
from gateway.demo.billing.charge import normal
from gateway.demo.billing.desk import Desk
from gateway.demo.billing.entry import Entry, Refusal
from gateway.demo.billing.fault import Fault
from gateway.demo.billing.key import BOARD, DESK, NIGHT
from gateway.demo.billing.money import MOST, ZERO, exact, kopecks, kopecks_to_money
from gateway.demo.billing.package import spend
from gateway.demo.billing.period import DAY, milliseconds, moment_of
from gateway.demo.billing.persona import fields_of
from gateway.demo.billing.subscriber import Movement, Subscriber

LOOPBACK = frozenset(("127.0.0.1", "localhost", "::1"))

FARTHEST = 366 * DAY
"""How far from the present the clock may be moved at once, milliseconds: every night is really run."""

Action = Callable[[web.Request], Awaitable[object]]


class Payment(msgspec.Struct, frozen=True):
    """A payment of the subscriber, roubles."""

    sum: Decimal

    def __post_init__(self) -> None:
        """Refuse what is no payment."""
        if exact(self.sum) == 0:
            raise ValueError("a payment is more than nothing")


class Move(msgspec.Struct, frozen=True):
    """How to move the clock: one of the first four, and optionally stop or go.

    `set` is a date and time (without an offset: Moscow); `to` a time of day, the next one to come, as
    "23:59" or "23:59:30"; `advance` seconds; `real` returns to real time.
    """

    set: datetime | None = None
    to: str = ""
    advance: float = 0
    real: bool = False
    freeze: bool | None = None


class Settings(msgspec.Struct, frozen=True):
    """Settings of the service: how long keys are remembered (seconds), whether refusals are stored."""

    keys_kept: int | None = None
    store_refusals: bool | None = None


def add_admin_routes(app: web.Application) -> None:
    """Add every `/admin/` route."""
    one = "/admin/subscribers/{phone}"
    table: tuple[tuple[str, str, Action], ...] = (
        ("GET", "/admin/subscribers", _subscribers),
        ("GET", one, _subscriber),
        ("PATCH", one, _change),
        ("GET", f"{one}/bill", _bill),
        ("POST", f"{one}/payment", _payment),
        ("POST", f"{one}/usage", _usage),
        ("GET", "/admin/ledger", _ledger),
        ("GET", "/admin/audit", _audit),
        ("GET", "/admin/catalogue", _catalogue),
        ("GET", "/admin/clock", _clock),
        ("POST", "/admin/clock", _move_clock),
        ("POST", "/admin/night", _night),
        ("GET", "/admin/faults", _faults),
        ("POST", "/admin/faults", _add_fault),
        ("DELETE", "/admin/faults", _clear_faults),
        ("DELETE", "/admin/faults/{number}", _remove_fault),
        ("GET", "/admin/settings", _settings),
        ("POST", "/admin/settings", _set_settings),
        ("GET", "/admin/requests", _requests),
        ("GET", "/admin/counters", _counters),
        ("POST", "/admin/reset", _reset),
    )
    for method, path, action in table:
        app.router.add_route(method, path, functools.partial(_guarded, action))


async def _guarded(action: Action, request: web.Request) -> web.Response:
    """Answer an administrator's request; foreign pages and foreign host names are refused."""
    status = 200
    try:
        _local(request)
        result = await action(request)
    except Refusal as refused:
        status, result = refused.status, refused.body()
    except (msgspec.DecodeError, ValueError, OverflowError, RecursionError) as fault:
        status, result = 400, {"error": "bad_request", "reason": str(fault)}
    except sqlite3.Error:
        status, result = 500, {"error": "internal"}
    return web.Response(status=status, body=msgspec.json.encode(result), content_type="application/json")


def _local(request: web.Request) -> None:
    """Let in only loopback: a name that leads here by DNS, or a page of another site, is not us."""
    if _hostname(f"//{request.host}") not in LOOPBACK:
        raise Refusal(403, "forbidden", "the host is not loopback")
    origin = request.headers.get("Origin")
    if origin is not None and _hostname(origin) not in LOOPBACK:
        raise Refusal(403, "forbidden", "the origin is not loopback")
    if request.method != "GET" and request.can_read_body and request.content_type != "application/json":
        raise Refusal(415, "bad_request", "the body must be application/json")


def _hostname(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _desk(request: web.Request) -> Desk:
    desk = request.app[DESK]
    desk.catch_up()
    return desk


def _entry(request: web.Request) -> tuple[Entry, Subscriber]:
    desk = _desk(request)
    entry = Entry(desk.book, desk.clock.now(), "admin")
    return entry, entry.subscriber(normal(request.match_info["phone"]))


def _number(request: web.Request, name: str, default: int, most: int) -> int:
    text = request.query.get(name, str(default))
    if not (text.isascii() and text.isdigit()) or len(text) > 15:
        raise Refusal(400, "bad_request", f"{name} is a number")
    return min(int(text), most)


async def _subscribers(request: web.Request) -> object:
    """List people: `?persona=yes` only the named ones, `limit`, `offset`."""
    desk = _desk(request)
    found = [s for s in desk.book.subscribers.values() if s.persona or "persona" not in request.query]
    offset = _number(request, "offset", 0, len(found))
    limit = _number(request, "limit", 1000, 1000)
    return {"total": len(found), "subscribers": [fields_of(s) for s in found[offset : offset + limit]]}


async def _subscriber(request: web.Request) -> object:
    return fields_of(_entry(request)[1])


async def _change(request: web.Request) -> object:
    """Set any fields; a new balance is written to the ledger as a correction."""
    body = await request.read()
    entry, old = _entry(request)
    patch = msgspec.json.decode(body, type=dict[str, Any])
    unknown = sorted(set(patch) - set(Subscriber.__struct_fields__))
    if unknown or "phone" in patch:
        raise Refusal(400, "bad_request", f"cannot be set: {', '.join(unknown) or 'phone'}")
    new = msgspec.convert({**msgspec.to_builtins(old), **patch}, Subscriber, str_keys=True)
    balance = new.balance
    if not balance.is_finite() or abs(balance) > MOST:
        raise Refusal(400, "bad_request", "balance is a sum of money")
    difference = exact(abs(balance)) * (-1 if balance < 0 else 1) - old.balance
    new = entry.put(msgspec.structs.replace(new, balance=old.balance))
    if difference:
        # The administrator's word stands: no automatic payment and no lifted block beside what was set.
        moved = entry.move(msgspec.structs.replace(new, auto=old.auto, card=False), "correction", difference)
        new = entry.put(msgspec.structs.replace(new, balance=moved.balance))
    entry.book.write(entry.change)
    return fields_of(new)


async def _bill(request: web.Request) -> object:
    entry, subscriber = _entry(request)
    return {"bill": entry.book.bill(subscriber.phone)}


async def _payment(request: web.Request) -> object:
    """Take a payment in: `{"sum": "500.00"}`."""
    body = msgspec.json.decode(await request.read(), type=Payment)
    entry, subscriber = _entry(request)
    subscriber = entry.move(subscriber, "payment", exact(body.sum))
    entry.book.write(entry.change)
    return fields_of(subscriber)


async def _usage(request: web.Request) -> object:
    """Spend service: `{"minutes": 5, "sms": 1, "mb": 100}`, the saved remainder first."""
    used = msgspec.json.decode(await request.read(), type=Bucket)
    if min(msgspec.structs.astuple(used)) < 0:
        raise Refusal(400, "bad_request", "usage is not negative")
    entry, subscriber = _entry(request)
    spent, missing = spend(subscriber, used)
    entry.put(spent)
    entry.book.write(entry.change)
    return {"main": spent.main, "carried": spent.carried, "missing": missing}


async def _ledger(request: web.Request) -> object:
    """Movements of money, oldest first: `phone`, `key`, `kind`, `after` (number), `limit`, `newest=yes`."""
    desk = _desk(request)
    query = request.query
    phone = query.get("phone", "")
    lines = desk.book.movements(
        phone=(normal(phone) or "none") if phone else "",
        key=query.get("key", ""),
        kinds=(query["kind"],) if query.get("kind") else (),
        after=_number(request, "after", 0, 2**62),
        newest="newest" in query,
        limit=_number(request, "limit", 1000, 100_000),
    )
    return {"ledger": [{"id": number, **_line(movement)} for number, movement in lines]}


def _line(movement: Movement) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(movement)
    return {**plain, "time": moment_of(movement.at).isoformat(timespec="milliseconds")}


async def _audit(request: web.Request) -> object:
    """Compare every balance with the sum of its ledger; `wrong` is empty when the books are right."""
    desk = _desk(request)
    totals = desk.book.totals()
    wrong = []
    for phone, s in desk.book.subscribers.items():
        total, _ = totals.get(phone, (0, 0))
        if total != kopecks(s.balance):
            wrong.append({"phone": phone, "balance": s.balance, "ledger": kopecks_to_money(total)})
    lines = sum(count for _, count in totals.values())
    money = sum((s.balance for s in desk.book.subscribers.values()), ZERO)
    return {"lines": lines, "subscribers": len(desk.book.subscribers), "money": money, "wrong": wrong}


async def _catalogue(request: web.Request) -> object:
    """What is sold, and the cards of the demo's documentation."""
    _desk(request)
    return {"tariffs": list(TARIFFS.values()), "options": list(OPTIONS.values()), "cards": DEMO_CARDS}


async def _clock(request: web.Request) -> object:
    clock = _desk(request).clock
    now = clock.now()
    return {"now": now, "time": moment_of(now).isoformat(timespec="milliseconds"), "frozen": clock.frozen}


async def _move_clock(request: web.Request) -> object:
    """Move the clock (see Move); nights that are passed are run before the answer."""
    move = msgspec.json.decode(await request.read(), type=Move)
    desk = _desk(request)
    clock = desk.clock
    target = clock.now()
    if move.set is not None:
        target = milliseconds(move.set)
    elif move.to:
        target = _next(move.to, target)
    elif move.advance:
        if not abs(move.advance) * 1000 <= FARTHEST:
            raise Refusal(400, "bad_request", "the clock moves a year at once at most")
        target += round(move.advance * 1000)
    if abs(target - clock.now()) > FARTHEST:
        raise Refusal(400, "bad_request", "the clock moves a year at once at most")
    if move.real:
        clock.reset()
    elif target != clock.now():
        clock.set(target)
    if move.freeze is not None:
        (clock.freeze if move.freeze else clock.release)()
    nights = desk.catch_up()
    request.app[NIGHT].set()
    return {**_plain(await _clock(request)), "nights": nights}


def _plain(value: object) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(value)
    return plain


def _next(text: str, now: int) -> int:
    """Return the next moment after `now` at which Moscow clocks show `text` (HH:MM or HH:MM:SS)."""
    try:
        moment = datetime.strptime(text, "%H:%M:%S" if text.count(":") == 2 else "%H:%M")  # noqa: DTZ007
    except ValueError:
        raise Refusal(400, "bad_request", "to is a time of day: 23:59") from None
    here = moment_of(now)
    there = datetime.combine(here.date(), moment.time(), here.tzinfo)
    if there <= here:
        there += timedelta(days=1)
    return milliseconds(there)


async def _night(request: web.Request) -> object:
    """Run the fee job of the clock's present date now; what is paid already is not charged again."""
    desk = _desk(request)
    return {"charged": desk.run_night(moment_of(desk.clock.now()).date())}


async def _faults(request: web.Request) -> object:
    standing = request.app[BOARD].standing.values()
    return {
        "faults": [
            {"number": s.number, "seen": s.seen, "fired": s.fired, **_plain(s.fault), "work": s.fault.works}
            for s in standing
        ]
    }


async def _add_fault(request: web.Request) -> object:
    """Put up a fault (see Fault); misspelt fields are refused."""
    body = await request.read()
    fields = msgspec.json.decode(body, type=dict[str, Any])
    unknown = sorted(set(fields) - set(Fault.__struct_fields__))
    if unknown:
        raise Refusal(400, "bad_request", f"unknown fields: {', '.join(unknown)}")
    return {"number": request.app[BOARD].add(msgspec.json.decode(body, type=Fault))}


async def _clear_faults(request: web.Request) -> object:
    request.app[BOARD].clear()
    return {}


async def _remove_fault(request: web.Request) -> object:
    text = request.match_info["number"]
    if not (text.isascii() and text.isdigit() and len(text) < 15 and request.app[BOARD].remove(int(text))):
        raise Refusal(404, "no_such_fault")
    return {}


async def _settings(request: web.Request) -> object:
    book = _desk(request).book
    return {"keys_kept": book.keys_kept // 1000, "store_refusals": book.store_refusals}


async def _set_settings(request: web.Request) -> object:
    """Change settings (see Settings); they are kept over a restart."""
    asked = msgspec.json.decode(await request.read(), type=Settings)
    entry = Entry(_desk(request).book, 0)
    if asked.keys_kept is not None:
        if not 0 <= asked.keys_kept <= 10**8:
            raise Refusal(400, "bad_request", "keys_kept is seconds")
        entry.change.settings["keys_kept"] = str(asked.keys_kept * 1000)
    if asked.store_refusals is not None:
        entry.change.settings["store_refusals"] = "yes" if asked.store_refusals else "no"
    entry.book.write(entry.change)
    return await _settings(request)


async def _requests(request: web.Request) -> object:
    """The last requests, newest first; phones are masked."""
    log = request.app[DESK].log
    limit = _number(request, "limit", 100, 1000)
    return {"requests": [log[-1 - n] for n in range(min(limit, len(log)))]}


async def _counters(request: web.Request) -> object:
    """How often each operation ended how: done, repeated, the reason of a refusal, a fault."""
    counts = sorted(request.app[DESK].counts.items())
    return {"counters": [{"operation": o, "outcome": e, "count": n} for (o, e), n in counts]}


async def _reset(request: web.Request) -> object:
    """Start over: faults, settings and books as at the first start, real time."""
    desk = request.app[DESK]
    request.app[BOARD].clear()
    desk.clock.reset()
    desk.reset()
    request.app[NIGHT].set()
    return {}
