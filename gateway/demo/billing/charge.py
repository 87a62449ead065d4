"""Single orders of the demo billing: the paid place in the queue and its return, asking by key, SIM block."""

from __future__ import annotations

import msgspec

from gateway.demo.billing.entry import Entry, Refusal
from gateway.demo.billing.money import exact
from gateway.demo.billing.package import Fee

LOST = "lost_sim"
"""The block of a lost SIM card; lifted only in a shop."""


class Charged(msgspec.Struct, frozen=True):
    """The answer of `billing.charged`."""

    done: bool


class Number(msgspec.Struct, frozen=True):
    """The argument of `billing.block_sim`: the phone to block."""

    number: str


def charge(entry: Entry, phone: str, asked: Fee) -> dict[str, object]:
    """`POST /subscribers/{phone}/charge`: take a sum once; refuses with 402 low_balance."""
    fee = exact(asked.fee)
    entry.take(entry.subscriber(phone), "priority", fee)
    return {}


def charged(entry: Entry, key: str, _: None) -> Charged:
    """`GET /charges/{key}`: was the order of this key carried out; 404 not_charged.

    Answers only while the key is remembered.
    """
    known = entry.book.remembered(key, entry.now - entry.book.keys_kept)
    if known is None or known.status != 200:
        raise Refusal(404, "not_charged")
    return Charged(done=True)


def give_back(entry: Entry, phone: str, asked: Fee) -> dict[str, object]:
    """`POST /subscribers/{phone}/give-back`: return a single charge of this sum.

    Refuses with 409 nothing_to_give_back if no such charge was taken or all were given back already.
    """
    fee = exact(asked.fee)
    s = entry.subscriber(phone)
    lines = entry.book.movements(phone=phone, kinds=("priority", "give_back"), limit=1_000_000)
    taken = sum(1 if m.kind == "priority" else -1 for _, m in lines if abs(m.amount) == fee)
    if taken <= 0:
        raise Refusal(409, "nothing_to_give_back")
    entry.move(s, "give_back", fee)
    return {}


def block_sim(entry: Entry, _: str, asked: Number) -> dict[str, object]:
    """`POST /sims/block`: irreversible here; refuses with 404 unknown_number or 409 already_blocked."""
    s = entry.subscriber(normal(asked.number), "unknown_number")
    if LOST in s.blocks:
        raise Refusal(409, "already_blocked")
    entry.put(msgspec.structs.replace(s, blocks=(*s.blocks, LOST)))
    return {}


def normal(phone: str) -> str:
    """Return a Russian number as eleven digits: "+7916…", "8916…" and "916…" are one; else "" ."""
    digits = phone.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        return ""
    if len(digits) == 10:
        return "7" + digits
    if len(digits) == 11 and digits[0] in "78":
        return "7" + digits[1:]
    return ""
