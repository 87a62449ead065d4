"""The short way of USSD messages: what looks as one before that was decoded is not decoded again.

Theory of operation. All octets of a deliver_sm in front of its text (the *head*: addresses, esm_class,
data_coding) are the same in every message of a dialog. A message that was decoded and accepted leaves its
head here with the owner of its dialog; the next one is found by it, and its text, operation and session id
stand at known places behind. What a short input with its operation means is kept as well. A dialled code is
known by everything round the number of the subscriber. Anything unusual is no case for this module: `find`,
`take` or `dial` gives None, nothing has changed, and `ussd.centre` decides.

Inputs longer than a menu key and codes longer than usual are never kept: they may hold secrets.
"""

from __future__ import annotations

from collections import Counter
from typing import Generic, TypeAlias, TypeVar

import msgspec

from smpp.msisdn import E164_MAX, MSISDN_MIN
from smpp.pdu.message import Sm
from ussd.dialect import Dialect
from ussd.dialog import NO_ID, Dialog, Dialogs, Key, Seen
from ussd.operation import LAST_INPUTS, TAG_OP, Event
from ussd.repeat import KEPT, find_original, with_seen
from ussd.screen import plain_codings, plain_text

KEY_MAX, CODE_MAX = 2, 6
"""Octets of a menu key and of a dialled code; what is longer is decoded each time."""
INPUTS_MAX, CODES_MAX = 2_048, 512
SIZES_MAX = 4
"""Lengths of heads that are tried: short codes and numbers of one centre have few different lengths."""
_BEHIND = 11
"""Octets behind the text: the operation (5) and a session id of two octets (6)."""

_ZERO = ord("0")

Owner = TypeVar("Owner")


class Code(msgspec.Struct, frozen=True, gc=False):
    """A dialled code: its text and its digest, what is echoed, and the octets behind the head."""

    text: str
    digest: bytes
    service_type: bytes
    dest: bytes
    route: bytes
    behind: int


class Call(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A subscriber who dials a known code: where his dialog is kept, his number and what answers go to.

    `id_tlv` is the session id with its head, as it came and as it is echoed.
    """

    code: Code
    key: Key
    source: bytes
    route: bytes
    seen: Seen
    id_tlv: bytes


Taken: TypeAlias = tuple[str, Seen, bytes]
"""An input of a live dialog: its text, the message it came with, the session id with its head."""


class ShortWay(Generic[Owner]):
    """What one centre's live dialogs look like. `heads` holds their owners; `counts` are the channel's."""

    __slots__ = (
        "_answer_ms",
        "_codes",
        "_counts",
        "_end_bit",
        "_end_when_set",
        "_id_mask",
        "_idle_ms",
        "_inputs",
        "_op_in",
        "_plain",
        "_sizes",
        "_tag",
        "_total_ms",
        "_unit_mask",
        "_usable",
        "heads",
    )

    def __init__(self, dialect: Dialect, counts: Counter[str]) -> None:
        layout = dialect.session_id
        self._counts = counts
        self._usable = dialect.detect_tlv and not dialect.letters and bool(layout.tag) and layout.width == 2
        self._tag = layout.tag
        self._id_mask, self._unit_mask = layout.id_mask, layout.unit_mask
        self._end_bit, self._end_when_set = layout.end_bit, layout.end_when_set
        self._op_in = dialect.op_in
        self._plain = plain_codings(dialect)
        self._answer_ms, self._idle_ms = dialect.answer_ms, dialect.idle_ms
        self._total_ms = dialect.total_ms
        self._codes: dict[tuple[bytes, bytes], Code] = {}
        self._sizes: list[int] = []
        self._inputs: dict[bytes, tuple[str, bytes]] = {}
        self.heads: dict[bytes, Owner] = {}

    # Learning

    def head(self, body: bytes, sm: Sm) -> bytes:
        """Return the head of a deliver_sm that was decoded, b"" if its dialog has no short way."""
        tlvs = sm.tlvs
        if (
            not self._usable
            or len(tlvs) != 2
            or sm.oddities
            or tlvs[0][0] != TAG_OP
            or len(tlvs[0][1]) != 1
            or tlvs[1][0] != self._tag
            or len(tlvs[1][1]) != 2
            or sm.data_coding not in self._plain
        ):
            return b""
        size = len(body) - len(sm.short_message) - 1 - _BEHIND
        if size not in self._sizes:
            self._sizes = [size, *self._sizes[: SIZES_MAX - 1]]
        return body[:size]

    def learn(self, head: bytes, body: bytes, sm: Sm, digest: bytes) -> None:
        """Keep what an input means whose message began with `head`, if it is a menu key."""
        text = sm.short_message
        operation = sm.tlvs[0][1][0]
        if (
            0 < len(text) <= KEY_MAX
            and self._op_in.get(operation) is Event.INPUT
            and operation not in LAST_INPUTS
            and len(self._inputs) < INPUTS_MAX
            and (typed := plain_text(text)) is not None
        ):
            self._inputs[body[len(head) : -2]] = (typed, digest)

    def learn_code(self, head: bytes, body: bytes, sm: Sm, text: str, dialog: Dialog) -> None:
        """Keep what a message that opened a dialog looks like but for its number, if it is a plain code."""
        source, dialled = sm.source, sm.short_message
        if (
            sm.source_ton == 1
            and dialog.msisdn.encode() == source
            and dialog.route.endswith(source + b"\0")
            and 0 < len(dialled) <= CODE_MAX
            and dialled[:1] in (b"*", b"#")
            and len(self._codes) < CODES_MAX
        ):
            start = len(sm.service_type) + 3
            behind = len(body) - len(head)
            route = dialog.route[: -len(source) - 1]
            key = (body[:start], body[start + len(source) : -2])
            seen = dialog.seen[-1]
            self._codes[key] = Code(text, seen.digest, sm.service_type, sm.dest, route, behind)

    # Taking

    def find(self, body: bytes) -> Owner | None:
        """Return whose message this is by its head."""
        heads = self.heads
        for size in self._sizes:
            owner = heads.get(body[:size])
            if owner is not None:
                return owner
        return None

    def take(
        self, body: bytes, size: int, last: Dialog, connection: tuple[int, int], sequence: int, now: int
    ) -> Taken | None:
        """Return what this input of a dialog says; `last` is how the dialog was.

        `size` is the length of its head. As `UssdChannel.receive`; the dialog is still to be changed
        (`go_on`), and to be put into `Dialogs`.
        """
        known = self._inputs.get(body[size:-2])
        if known is None or last.ended_at or last.releasing or (last.ours and not last.page):
            return None
        value = body[-2] << 8 | body[-1]
        if value & self._id_mask != last.ident:
            return None
        if self._end_bit and (value & self._end_bit != 0) is self._end_when_set:
            return None
        unit = value & self._unit_mask if self._unit_mask else NO_ID
        text, digest = known
        seen, older = last.seen, last.older
        for one in (*seen, *older) if older else seen:
            if one.digest == digest:
                if find_original(last, connection, sequence, digest, unit, now) is not None:
                    return None
                break
        self._counts["input"] += 1
        return text, Seen(connection, sequence, digest, unit, now), body[-6:]

    def go_on(self, last: Dialog, taken: Taken, page: bytes | None, *, more: bool = True) -> Dialog:
        """Return a dialog as the input leaves it that was taken of it, and with it the page that answers it.

        The page is a submit_sm body, None if none is known yet; without `more` the dialog, which is not
        ours, ends with it. `last` stays.
        """
        _, seen, id_tlv = taken
        now, unit = seen.at, seen.unit
        moves, before = last.unit_moves, last.seen
        if unit >= 0 and unit != last.unit:
            moves = moves or last.unit >= 0
        else:
            unit = last.unit
        shown = page is not None
        return Dialog(  # by place: this is in the way of every turn
            last.group,
            last.msisdn,
            last.called,
            last.opened_at,
            last.service_type,
            last.dest,
            last.route,
            id_tlv[4:],
            last.ident,
            unit,
            moves,
            seen.connection,
            (*before, seen) if len(before) < KEPT else with_seen(before, seen),
            last.older,
            last.turns + 1,
            last.page + 1 if shown else last.page,
            page,
            False,
            False,
            last.ours,
            0 if shown else now + self._answer_ms,
            now + self._idle_ms if shown and more else 0,
            last.total_due,
            0 if more else now,
            "" if more else "flow",
            last.past,
            last.acks,
            last.last_kind if more else "end",
            last.plan,
            last.recorded,
        )

    def dial(
        self, body: bytes, group: str, connection: tuple[int, int], sequence: int, now: int, dialogs: Dialogs
    ) -> Call | None:
        """Say who dials what if it is a subscriber who has had no dialog lately.

        As `UssdChannel.receive`; the dialog is still to be opened (`open`).
        """
        start = body.find(0) + 3
        end = body.find(0, start)
        code = self._codes.get((body[:start], body[end:-2]))
        if code is None:
            return None
        source = body[start:end]
        if not source.isdigit() or source[0] == _ZERO or not MSISDN_MIN <= end - start <= E164_MAX:
            return None
        key = (group, source.decode("ascii"))
        if key in dialogs.by_key:
            return None
        value = body[-2] << 8 | body[-1]
        if self._end_bit and (value & self._end_bit != 0) is self._end_when_set:
            return None  # the answer would say otherwise
        unit = value & self._unit_mask if self._unit_mask else NO_ID
        seen = Seen(connection, sequence, code.digest, unit, now, True)
        self._counts["dialled"] += 1
        route = b"".join((code.route, source, b"\0"))
        return Call(code, key, source, route, seen, body[-6:])

    def open(self, call: Call, called: str, page: bytes | None, dialogs: Dialogs) -> Dialog:
        """Return the dialog that a call opens, and with it its first page; it is in `dialogs` then.

        `called` is what was dialled, with secrets hidden; `page` as in `go_on`.
        """
        seen = call.seen
        now = seen.at
        code, key, tlv = call.code, call.key, call.id_tlv
        shown = page is not None
        dialogs.sweep(now)
        dialog = Dialog(
            key[0],
            key[1],
            called,
            now,
            code.service_type,
            code.dest,
            call.route,
            tlv[4:],
            (tlv[4] << 8 | tlv[5]) & self._id_mask,
            seen.unit,
            False,
            seen.connection,
            (seen,),
            (),
            1,
            1 if shown else 0,
            page,
            False,
            False,
            False,
            0 if shown else now + self._answer_ms,
            now + self._idle_ms if shown else 0,
            now + self._total_ms,
        )
        dialogs.by_key[key] = dialog
        dialogs.live += 1
        return dialog
