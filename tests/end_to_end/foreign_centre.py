"""A centre whose SMPP is somebody else's: npm `smpp`, Perl's Net::SMPP or `smpp34`.

The peer keeps the connection and the codec, the test centre the handsets, dialogs, receipts and habits.
"""

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any, Protocol

import smpp34

from smpp.pdu.message import Sm, encode_sm_body
from smpp.pdu.status import Status
from smpp.testing.centre import TICK_S, Centre
from smpp.testing.dialect import CentreDialect
from smpp.testing.dialog import Dialog
from smpp.testing.ledger import Attempt, Delivery, Submitted
from tests.end_to_end.child import free_port
from tests.smpp.peer_process import PEERS, PeerProcess, peer_process
from tests.smpp.test_peers_node import running


class Foreign(Protocol):
    """An implementation of SMPP that plays the centre; what happens at it is a list of named fields."""

    async def open(self) -> int:
        """Listen and return the port."""

    def deliver(self, number: int, sm: Sm) -> None:
        """Send a deliver_sm; its response is the event `answered` with this `n`."""

    async def event(self) -> Mapping[str, Any] | None:
        """Return what happened next, None at the end."""

    async def close(self) -> None:
        """Leave nothing behind."""


class ByLines:
    """A peer that runs as a process of its own and speaks in lines of JSON."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._process: PeerProcess

    async def _run(self) -> PeerProcess:
        raise AssertionError("which process?")

    async def open(self) -> int:
        self._process = await self._run()
        return int((await self._process.hear("listening"))["port"])

    def deliver(self, number: int, sm: Sm) -> None:
        self._process.tell(
            do="deliver",
            n=number,
            source=sm.source.decode(),
            to=sm.dest.decode(),
            service_type=sm.service_type.decode(),
            coding=sm.data_coding,
            esm_class=sm.esm_class,
            hex=sm.short_message.hex(),
            tlvs=[[tag, value.hex()] for tag, value in sm.tlvs],
        )

    async def event(self) -> Mapping[str, Any] | None:
        return await self._process.next()

    async def close(self) -> None:
        await self._stack.aclose()


class Node(ByLines):
    """The npm package `smpp`; with a key and a certificate it speaks TLS."""

    def __init__(self, **environment: str) -> None:
        super().__init__()
        self._environment = environment

    async def _run(self) -> PeerProcess:
        return await self._stack.enter_async_context(running(**self._environment))


class Perl(ByLines):
    """Net::SMPP."""

    async def _run(self) -> PeerProcess:
        perl = shutil.which("perl")
        assert perl is not None
        return await self._stack.enter_async_context(peer_process(perl, str(PEERS / "perl_centre.pl"), "3.4"))


class Rust:
    """The PyPI package `smpp34`, whose core is written in Rust."""

    def __init__(self) -> None:
        self._server: Any = None
        self._esme: Any = None
        self._ids = 0
        self._told: asyncio.Queue[Mapping[str, Any] | None] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> int:
        port = free_port()
        self._server = smpp34.Server("127.0.0.1", port, system_id="rust")
        await self._server.start()
        self._start(self._listen())
        return port

    def deliver(self, number: int, sm: Sm) -> None:
        self._start(self._deliver(number, sm))

    async def event(self) -> Mapping[str, Any] | None:
        return await self._told.get()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.stop()

    def _start(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _listen(self) -> None:
        while True:
            event = await self._server.next()
            if isinstance(event, smpp34.Esme):
                self._esme = event
                self._told.put_nowait({"event": "bound"})
            elif isinstance(event, smpp34.SubmitSmEvent):
                self._ids += 1
                event.accept(f"rust-{self._ids}")
                self._told.put_nowait({
                    "event": "submit",
                    "id": f"rust-{self._ids}",
                    "from": event.source_addr,
                    "to": event.destination_addr,
                    "service_type": event.service_type,
                    "coding": event.data_coding,
                    "esm_class": event.esm_class,
                    "receipt": event.registered_delivery,
                    "hex": bytes(event.short_message).hex(),
                    "tlvs": [(tlv.tag, bytes(tlv.value).hex()) for tlv in event.tlvs],
                })  # fmt: skip

    async def _deliver(self, number: int, sm: Sm) -> None:
        answer = await self._esme.deliver_sm(
            sm.dest.decode(),
            sm.short_message,
            source_addr=sm.source.decode(),
            source_addr_ton=1,
            source_addr_npi=1,
            service_type=sm.service_type.decode(),
            esm_class=sm.esm_class,
            data_coding=sm.data_coding,
            tlvs=[smpp34.Tlv(tag, value) for tag, value in sm.tlvs],
        )
        self._told.put_nowait({"event": "answered", "n": number, "status": answer.command_status})


class ForeignCentre(Centre):
    """A test centre that sends and takes through `peer`. It keeps no copies and makes no faults.

    `strays` are pages that came for no dialogue, for instance after a subscriber hung up silently: a peer
    has accepted them before anybody could look.
    """

    def __init__(self, peer: Foreign, dialect: CentreDialect) -> None:
        super().__init__(dialect=dialect)
        self.strays: list[Submitted] = []
        self._peer = peer
        self._unanswered: dict[int, Delivery] = {}
        self._taken = 0
        self._listening: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self.port = await self._peer.open()
        self._listening = asyncio.create_task(self._listen())
        self._tick = asyncio.get_running_loop().call_later(TICK_S, self._on_time)

    async def stop(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            with suppress(asyncio.CancelledError):
                await self._listening
        await self._peer.close()
        await super().stop()

    def deliver(self, kind: str, sm: Sm, dialog: Any = None) -> Delivery:
        self._taken += 1
        attempt = Attempt(1, self._taken, self.now())
        delivery = Delivery(self._taken, kind, sm, encode_sm_body(sm), self.now(), dialog, [attempt])
        self._unanswered[delivery.number] = delivery
        self.ledger.sent(delivery, attempt)
        self._peer.deliver(delivery.number, sm)
        return delivery

    async def _listen(self) -> None:
        while (event := await self._peer.event()) is not None:
            match event["event"]:
                case "bound":
                    self.ledger.counters["binds"] += 1
                case "answered":
                    self._answered(self._unanswered.pop(event["n"]), event["status"])
                case "submit":
                    self._submitted(event)
            self._changed()

    def _answered(self, delivery: Delivery, status: int) -> None:
        delivery.attempts[-1].outcome = "answered"
        delivery.status = status
        self.ledger.answered(delivery, status, self.now())
        if status and isinstance(delivery.dialog, Dialog):
            delivery.dialog.end("refused")

    def _submitted(self, event: Mapping[str, Any]) -> None:
        sm = read(event)
        text = self.dialect.decode(sm)
        seen = event.get("text")
        if isinstance(seen, str) and sm.data_coding in (0x00, 0x08, 0x48) and not sm.esm_class:
            assert seen == text, "the peer reads the text as another one"
        op = sm.tlv(0x0501)
        number = len(self.ledger.submitted) + 1
        message = Submitted(
            number, event["id"].encode(), sm, 1, number, self.now(), Status.ROK, text, op[0] if op else None
        )
        self.ledger.took(message)
        if self.dialect.action(sm) is not None and not self.may_show(sm):
            self.strays.append(message)
        else:
            self.act(message)


def read(event: Mapping[str, Any]) -> Sm:
    """Make a message again of what a peer has read."""
    pairs: Sequence[tuple[int, str]] = event["tlvs"]
    return Sm(
        service_type=event["service_type"].encode(),
        source=event["from"].encode(),
        dest=event["to"].encode(),
        dest_ton=1,
        dest_npi=1,
        esm_class=event["esm_class"],
        registered_delivery=event["receipt"],
        data_coding=event["coding"],
        short_message=bytes.fromhex(event["hex"]),
        tlvs=tuple((tag, bytes.fromhex(value)) for tag, value in pairs),
    )
