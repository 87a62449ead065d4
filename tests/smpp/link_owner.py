"""An owner of links for tests: keeps what it was told, answers as a gateway would, waits without sleeping."""

import asyncio
import random

from smpp.event import Answered, BindDown, BindUp, Failed, Inbound, InboundRow
from smpp.links import Link
from smpp.pdu.message import Sm, decode_sm, encode_sm_body
from smpp.settings import LinkSettings, Secret, Timers
from smpp.testing.centre import monotonic_clock


class HandClock:
    """UTC milliseconds that move only when told to."""

    def __init__(self):
        self.now = 1_700_000_000_000

    def __call__(self):
        return self.now


def sms(text: str, to: str = "79161234567", source: str = "9290", receipt: int = 0) -> bytes:
    return encode_sm_body(
        Sm(
            source=source.encode(),
            dest_ton=1,
            dest_npi=1,
            dest=to.encode(),
            registered_delivery=receipt,
            short_message=text.encode("ascii"),
        )
    )


def page(request: Sm, text: str, op: int) -> bytes:
    """The answer to a unit of a dialogue: addresses swapped, session echoed."""
    info = request.tlv(0x1383)
    tlvs = ((0x0501, bytes((op,))), *(((0x1383, info),) if info is not None else ()))
    return encode_sm_body(
        Sm(
            service_type=request.service_type,
            source=request.dest,
            dest_ton=1,
            dest_npi=1,
            dest=request.source,
            short_message=text.encode("ascii"),
            tlvs=tlvs,
        )
    )


class Owner:
    """Answers every message with 0; every unit of a dialogue with `echo <text>`, which `0` ends."""

    def __init__(self):
        self.batches: list[list] = []
        self.inbound: list[tuple[Inbound, Sm]] = []
        self.answered: dict[object, Answered] = {}
        self.failed: dict[object, Failed] = {}
        self.ups: list[BindUp] = []
        self.downs: list[BindDown] = []
        self.answers = True
        self.lost_pages = 0
        self._waits: list = []

    def __call__(self, link: Link, events) -> None:
        self.batches.append(list(events))
        for event in events:
            if isinstance(event, InboundRow):
                for one in event.singly():
                    self._came(link, one)
            elif isinstance(event, Inbound):
                self._came(link, event)
            elif isinstance(event, Answered):
                assert event.token not in self.answered, "answered twice"
                self.answered[event.token] = event
            elif isinstance(event, Failed):
                self.failed[event.token] = event
            elif isinstance(event, BindUp):
                self.ups.append(event)
            else:
                self.downs.append(event)
        for predicate, future in self._waits:
            if not future.done() and predicate():
                future.set_result(None)

    def _came(self, link, event):
        try:
            sm = decode_sm(event.body, event.sequence, event.command_id)
        except Exception:
            link.respond(event.bind, event.connection, event.sequence, 0x01)
            return
        self.inbound.append((event, sm))
        if not self.answers:
            return
        link.respond(event.bind, event.connection, event.sequence)
        op = sm.tlv(0x0501)
        if op is None or op[0] not in (0x01, 0x12):
            return
        text = sm.payload.decode("ascii")
        body = page(sm, f"echo {text}", 0x11 if text == "0" else 0x02)
        way = (event.bind, event.connection)
        if not link.submit(body, ("page", len(self.inbound)), prefer=way, sticky=True):
            self.lost_pages += 1

    async def until(self, predicate, limit_s=8.0):
        if predicate():
            return
        future = asyncio.get_running_loop().create_future()
        self._waits.append((predicate, future))
        async with asyncio.timeout(limit_s):
            await future


def link_settings(port: int, **changes) -> LinkSettings:
    base = {
        "system_id": "gudok",
        "password": Secret("secret"),
        "reconnect_first_ms": 5,
        "reconnect_limit_ms": 20,
    }
    return LinkSettings("127.0.0.1", port, **{**base, **changes})


def make_link(owner, port, *, clock=None, name="main", **changes) -> Link:
    return Link(name, link_settings(port, **changes), owner, clock or monotonic_clock(), random.Random(7))


QUICK = Timers(response_ms=300, unbind_pending_ms=300, unbind_answer_ms=300)
