"""The short way reads a message exactly as the long way does, or leaves it alone.

Two sets of dialogs get the same messages, one of them by the short way wherever that can take them. After
every message they are equal, whatever the messages are: broken ones, copies, other session ids, other codes.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import TypeAlias

import pytest

from smpp.pdu.message import Sm, decode_sm
from smpp.pdu.wire import PduError
from ussd.arrival import Answered, Dialled
from ussd.centre import UssdChannel
from ussd.dialect import Dialect
from ussd.dialog import Dialog, Dialogs, Key
from ussd.short_way import INPUTS_MAX, ShortWay

from .conftest import SHIPPED, shipped

Mine: TypeAlias = tuple[Key, bytes, int]
"""A dialog and the number it was dialled at, as its head was learnt, and the length of that."""

DELIVER = 5
MESSAGES = 1_500
NUMBERS = (b"79160000001", b"79160000002", b"89160000003", b"0916000000", b"7916")
TEXTS = (b"1", b"1", b"2", b"12", b"*929#", b"*100*2#", b"4321", b"", b"\x80", b"*1#")
TAME = (b"1", b"1", b"12", b"5", b"5", b"2", b"*929#")
PAGE = "Страница {}"
TAKEN_WITH_PAGE = ("1", "12", "*929#")
"""Inputs whose page the short way makes together with the dialog."""
OPERATIONS = (1, 18, 18, 18, 0x92, 0x81, 2)
IDS = (b"\x01\x02", b"\x01\x04", b"\x01\x05", b"\x02\x02", b"\x01\x02\x03", b"")


def message(rng: random.Random, tag: int) -> bytes:
    """Return the body of a deliver_sm, mostly as a centre sends it, sometimes with an octet of it changed."""
    if rng.random() < 0.8:
        # As nearly all are: one of two subscribers types a key, or anybody dials.
        text, number = rng.choice(TAME), rng.choice(NUMBERS[:2])
        if text == b"*929#" and rng.random() < 0.7:
            number = b"7917%07d" % rng.randrange(10**7)
        ident = b"\x01" + bytes((rng.randrange(9) * 2,))
        operation, coding, types, dest = 1 if text[:1] == b"*" else 18, 0, b"\x01\x01", b"929"
    else:
        text, number, ident = rng.choice(TEXTS), rng.choice(NUMBERS), rng.choice(IDS)
        operation, coding = rng.choice(OPERATIONS), rng.choice((0, 8, 15))
        types, dest = rng.choice((b"\x01\x01", b"\0\x01")), rng.choice((b"929", b"100", b""))
    body = (
        b"USSD\0" + types + number + b"\0\0\x01" + dest + b"\0" + bytes(7) + bytes((coding, 0, len(text)))
        + text + b"\x05\x01\0\x01" + bytes((operation,))
    )  # fmt: skip
    if ident:
        body += tag.to_bytes(2, "big") + len(ident).to_bytes(2, "big") + ident
    if rng.random() < 0.05:
        at = rng.randrange(len(body))
        body = body[:at] + bytes((rng.randrange(256),)) + body[at + rng.randrange(2) :]
    return body


class Reader:
    """One set of dialogs; with `short` what can go the short way goes it, as the gateway does."""

    def __init__(self, dialect: Dialect, *, short: bool) -> None:
        self.channel = UssdChannel(dialect, "main", key=b"key")
        self.dialogs = Dialogs()
        self.short: ShortWay[Mine] | None = ShortWay(dialect, self.channel.counts) if short else None
        self.taken: Counter[str] = Counter()

    def give(self, body: bytes, connection: tuple[int, int], sequence: int, now: int) -> object:
        """Take a message; returns what it was, as far as a session hears of it."""
        short = self.short
        if short is not None and (known := self.by_short(short, body, connection, sequence, now)):
            return known
        try:
            sm = decode_sm(body, sequence, DELIVER)
        except PduError as error:
            return error.status
        arrival = self.channel.receive(
            sm, connection=connection, sequence=sequence, now=now, dialogs=self.dialogs
        )
        if isinstance(arrival, Dialled | Answered):
            if short is not None:
                self.learn(short, body, sm, arrival)
            return self.replied(arrival.dialog, arrival.text, now)
        return type(arrival)

    def by_short(
        self, short: ShortWay[Mine], body: bytes, connection: tuple[int, int], sequence: int, now: int
    ) -> object:
        found = short.find(body)
        if found is None:
            call = short.dial(body, "main", connection, sequence, now, self.dialogs)
            if call is None:
                return None
            text = call.code.text
            page = self.page(text, call.route, call.id_tlv)
            dialog = short.open(call, text, page, self.dialogs)
            head = body[: -call.code.behind]
            short.heads[head] = (dialog.key, dialog.dest, len(head))
            self.taken["dial"] += 1
            return self.replied(dialog, text, now)
        key, dest, size = found
        last = self.dialogs.by_key.get(key)
        if last is None or last.dest != dest:
            return None
        taken = short.take(body, size, last, connection, sequence, now)
        if taken is None:
            return None
        text = taken[0]
        if text == "2":
            page = self.channel.last_page(PAGE.format(text), last.route, taken[2], False)
            dialog = short.go_on(last, taken, page, more=False)
            self.taken["end"] += 1
        else:
            dialog = short.go_on(last, taken, self.page(text, last.route, taken[2]))
        self.dialogs.put(dialog)
        self.taken["input"] += 1
        return self.replied(dialog, text, now)

    def page(self, text: str, route: bytes, id_tlv: bytes) -> bytes | None:
        """Return the page that is known with the message, of every second text."""
        if text not in TAKEN_WITH_PAGE:
            return None
        self.taken["page"] += 1
        return self.channel.question(PAGE.format(text), route, id_tlv, text == "1")

    def learn(self, short: ShortWay[Mine], body: bytes, sm: Sm, arrival: Dialled | Answered) -> None:
        dialog = arrival.dialog
        head = short.head(body, sm)
        if not head:
            return
        for stale in [one for one, mine in short.heads.items() if mine[0] == dialog.key]:
            del short.heads[stale]
        short.heads[head] = (dialog.key, dialog.dest, len(head))
        if isinstance(arrival, Dialled):
            short.learn_code(head, body, sm, arrival.text, dialog)
        else:
            short.learn(head, body, sm, dialog.seen[-1].digest)

    def replied(self, dialog: Dialog, text: str, now: int) -> object:
        if dialog.body is not None:
            return dialog.key, text, dialog.body
        more = text != "2"
        body = self.channel.reply(dialog, PAGE.format(text), more, now, self.dialogs)
        return dialog.key, text, body

    def shown(self, key: Key, now: int) -> None:
        dialog = self.dialogs.last(key)
        if dialog is not None:
            self.channel.shown(key, dialog.opened_at, dialog.page, 0, now, self.dialogs)


@pytest.mark.parametrize("name", SHIPPED)
def test_both_ways_make_the_same_dialogs(name: str) -> None:
    dialect = shipped(name)
    long, short = Reader(dialect, short=False), Reader(dialect, short=True)
    rng = random.Random(name)
    sent: list[tuple[bytes, tuple[int, int], int]] = []
    now = 1_000_000
    for sequence in range(MESSAGES):
        now += rng.choice((0, 10, 400, 3_000, 200_000 if rng.random() < 0.1 else 0))
        connection = rng.choice(((0, 1), (0, 1), (0, 1), (1, 2)))
        given = (message(rng, dialect.session_id.tag), connection, sequence)
        if sent and rng.random() < 0.1:
            given = rng.choice(sent[-6:])
        sent.append(given)
        assert short.give(*given, now) == long.give(*given, now)
        assert short.dialogs.by_key == long.dialogs.by_key
        assert short.dialogs.live == long.dialogs.live
        if rng.random() < 0.7:
            for key in list(long.dialogs.by_key):
                long.shown(key, now)
                short.shown(key, now)
    assert short.channel.counts == long.channel.counts
    if name == "standard":
        assert short.taken["input"] > MESSAGES / 10
        assert short.taken["dial"] > 5
        assert short.taken["page"] > short.taken["dial"]
        assert short.taken["end"] > 20


def test_what_may_be_a_secret_is_not_kept() -> None:
    reader = Reader(Dialect(), short=True)
    assert reader.short is not None
    tail = b"\x05\x01\0\x01%c\x13\x83\0\x02\x01\x02"
    head = b"USSD\0\x01\x0179161234567\0\0\x01929\0" + bytes(9)
    reader.give(head + b"\x0a*929*4321#" + tail % 1, (0, 1), 1, 1_000)
    reader.give(head + b"\x044321" + tail % 18, (0, 1), 2, 2_000)
    kept = repr([getattr(reader.short, name) for name in ("_inputs", "_codes")])
    assert "4321" not in kept
    assert kept == "[{}, {}]"


def test_what_is_kept_is_bounded() -> None:
    reader = Reader(Dialect(), short=True)
    assert reader.short is not None
    tail = b"\x05\x01\0\x01%c\x13\x83\0\x02\x01\x02"
    for number in range(3_000):
        text = b"%c%c" % (32 + number % 64, 65 + number // 64 % 50)
        head = b"USSD\0\x01\x0179161234567\0\0\x01%d\0" % number + bytes(9)
        reader.give(head + b"\x05*929#" + tail % 1, (0, 1), 2 * number, number * 1_000)
        reader.give(head + b"\x02" + text + tail % 18, (0, 1), 2 * number + 1, number * 1_000)
    assert len(reader.short._inputs) <= INPUTS_MAX
    assert len(reader.short.heads) == 1
