"""A telephone: calls, is called, presses keys, hangs up at any moment. SIP over UDP on loopback.

    phone = await Phone.open(("127.0.0.1", 5060))
    call = await phone.call("0890", caller="79161234567")
    await call.answered()
    await call.hears("menu")
    await call.press("1")
    call.hang_up()

    agent: call = await phone.rings(); await call.answer(); call.talk("agent"); await call.ended()

It registers nowhere and knows no digest: the server knows it by its address.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal, cast

from tests.asterisk.peer.media import Media
from tests.asterisk.peer.message import Message, describe, media, parse, tag, target

WITHIN_S = 8.0
AGAIN_S = 0.5
REASONS = {100: "Trying", 180: "Ringing", 200: "OK", 481: "Call/Transaction Does Not Exist"}
REASONS |= {486: "Busy Here", 487: "Request Terminated"}


class Phone(asyncio.DatagramProtocol):
    """One address that calls and is called."""

    def __init__(self, server: tuple[str, int]) -> None:
        self.server = server
        self.calls: dict[str, Call] = {}
        self._ringing: asyncio.Queue[Call] = asyncio.Queue()
        self._transport: asyncio.DatagramTransport | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.reachable = True

    @classmethod
    async def open(cls, server: tuple[str, int], port: int = 0) -> Phone:
        """Take a port of loopback (0: any)."""
        loop = asyncio.get_running_loop()
        _, phone = await loop.create_datagram_endpoint(lambda: cls(server), local_addr=("127.0.0.1", port))
        return phone

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A cast, because the transports of the loops are no subclass of asyncio's.
        self._transport = cast("asyncio.DatagramTransport", transport)
        self._lost = asyncio.Event()
        self.port = int(transport.get_extra_info("sockname")[1])

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost.set()

    def error_received(self, exc: Exception) -> None:
        """The server is not there (yet, or any more)."""

    async def call(
        self,
        number: str,
        caller: str = "79161234567",
        name: str | None = None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> Call:
        """Call a number. `name` is written into From as it is, quotes and all."""
        voice = await Call.prepare(self, f"{secrets.token_hex(8)}@127.0.0.1")
        voice.invite(number, caller, name, headers)
        return voice

    async def rings(self, within: float = WITHIN_S) -> Call:
        """Wait for a call that comes in."""
        async with asyncio.timeout(within):
            return await self._ringing.get()

    @property
    def has_rung(self) -> bool:
        """Whether a call that nobody has looked at came in."""
        return not self._ringing.empty()

    async def close(self) -> None:
        """Hang up everything."""
        for call in self.calls.values():
            call.hang_up()
            call.close()
            await call.media.lost.wait()
        if self._transport is not None:
            self._transport.close()
            await self._lost.wait()

    def proof(self, method: str, uri: str, challenge: Message) -> str:
        """Return what answers a challenge of the server; this telephone has no password."""
        return ""

    def send(self, message: Message) -> None:
        """Send one datagram to the server."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(message.encode(), self.server)

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        if not self.reachable:
            return
        message = parse(data)
        call = self.calls.get(message.get("call-id"))
        if call is not None:
            call.take(message)
        elif message.method == "INVITE":
            task = asyncio.ensure_future(self._called(message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif message.method == "OPTIONS":
            self.send(reply(message, 200, "phone"))
        elif message.method and message.method != "ACK":
            self.send(reply(message, 481, "phone"))

    async def _called(self, invite: Message) -> None:
        identity = invite.get("call-id")
        if identity in self.calls:
            return
        call = await Call.prepare(self, identity)
        call.called(invite)
        self._ringing.put_nowait(call)


def reply(request: Message, status: int, mark: str, **more: str) -> Message:
    """Return the response to a request; `mark` is our tag."""
    headers = [("Via", via) for via in request.every("via")]
    to = request.get("to")
    headers += [
        ("From", request.get("from")),
        ("To", to if tag(to) else f"{to};tag={mark}"),
        ("Call-ID", request.get("call-id")),
        ("CSeq", request.get("cseq")),
        *((name.capitalize(), value) for name, value in more.items() if name != "body"),
    ]
    return Message(
        status=status, reason=REASONS.get(status, "No"), headers=headers, body=more.get("body", "")
    )


class Call:
    """One call, of either direction. `state`: calling, ringing, up, ended; `code`: why it never stood."""

    def __init__(self, phone: Phone, identity: str) -> None:
        self._phone = phone
        self._identity = identity
        self._mark = secrets.token_hex(6)
        self._news = asyncio.Event()
        self._invite = Message()
        self._ours = ""
        self._theirs = ""
        self._route = ""
        self._sequence = 1
        self._timer: asyncio.TimerHandle | None = None
        self._accepted: Message | None = None
        self._incoming = False
        self._confirmed = False
        self.media: Media
        self.state: Literal["calling", "ringing", "up", "ended"] = "calling"
        self.code = 0
        self.early = False
        self.ended_by: Literal["us", "them", ""] = ""

    @classmethod
    async def prepare(cls, phone: Phone, identity: str) -> Call:
        """Make a call that has a port for its voice."""
        call = cls(phone, identity)
        phone.calls[identity] = call
        call.media = await Media.open(call._news.set)
        return call

    @property
    def caller(self) -> str:
        """The From header of the other side."""
        return self._theirs

    @property
    def dialled(self) -> str:
        """The number that was called."""
        return self._invite.uri.partition("sip:")[2].partition("@")[0]

    def told(self, name: str) -> list[str]:
        """Return the headers of a name in the call that came in."""
        return self._invite.every(name.lower())

    # ---- what a person does

    def invite(self, number: str, caller: str, name: str | None, headers: Sequence[tuple[str, str]]) -> None:
        """Begin to call."""
        here = f"127.0.0.1:{self._phone.port}"
        host, port = self._phone.server
        shown = "" if name is None else f"{name} "
        self._ours = f"{shown}<sip:{caller}@{here}>;tag={self._mark}"
        self._route = f"sip:{number}@{host}:{port}"
        self._theirs = f"<{self._route}>"
        self._invite = self._request("INVITE", body=describe(self.media.port), headers=headers)
        self._again(self._invite, AGAIN_S)

    async def answer(self) -> None:
        """Pick up; returns when the server has taken notice of it."""
        assert self.state == "ringing", f"the call does not ring (it is {self.state})"
        self._accepted = reply(
            self._invite,
            200,
            self._mark,
            contact=f"<sip:phone@127.0.0.1:{self._phone.port}>",
            body=describe(self.media.port),
        )
        self._again(self._accepted, AGAIN_S)
        self.state = "up"
        self.media.start(*media(self._invite.body))
        await self._until(lambda: self._confirmed or self.state == "ended", WITHIN_S, "no ACK")

    def reject(self, code: int = 486) -> None:
        """Refuse a call that rings."""
        self._end("us")
        self._phone.send(reply(self._invite, code, self._mark))

    def hang_up(self) -> None:
        """End it in whatever state it is."""
        if self.state == "ended":
            return
        if self.state == "up":
            self._phone.send(self._request("BYE"))
            self._end("us")
        elif self._incoming:
            self.reject()
        else:
            cancel = self._request("CANCEL", like=self._invite)
            self._phone.send(cancel)
            self._end("us")

    async def press(self, keys: str, ms: int = 100) -> None:
        """Press keys one after another; returns when the last one has been let go."""
        for key in keys:
            await self.media.press(key, ms)

    def talk(self, name: str | None) -> None:
        """Say a tone from now on."""
        self.media.talk(name)

    # ---- what is waited for

    async def answered(self, within: float = WITHIN_S) -> None:
        """Wait until the other side has picked up."""
        await self._until(lambda: self.state in ("up", "ended"), within, "nobody has answered")
        assert self.state == "up", f"the call has ended ({self.code})"

    async def early_media(self, within: float = WITHIN_S) -> None:
        """Wait for voice before the answer."""
        await self._until(lambda: self.early, within, "no early media")

    async def ended(self, within: float = WITHIN_S) -> None:
        """Wait until the call is over."""
        await self._until(lambda: self.state == "ended", within, "the call goes on")

    async def hears(self, *names: str, within: float = WITHIN_S) -> None:
        """Wait for these tones, in this order and with no other between them."""
        for name in names:
            found: list[str] = []
            await self._until(partial(self._next, found), within, f"{name} is not heard")
            assert found == [name], f"heard {found[0]} and not {name}"

    async def reaches(self, name: str, within: float = WITHIN_S) -> None:
        """Wait for a tone, whatever is heard before it."""

        def fact() -> bool:
            found: list[str] = []
            while self._next(found):
                if found.pop() == name:
                    return True
            return False

        await self._until(fact, within, f"{name} is not heard")

    def _next(self, found: list[str]) -> bool:
        name = self.media.next_tone()
        if name is not None:
            found.append(name)
        return name is not None

    async def _until(self, fact: Callable[[], bool], within: float, complaint: str) -> None:
        try:
            async with asyncio.timeout(within):
                while not fact():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"{complaint} within {within} s (call is {self.state})") from None

    # ---- what comes in

    def called(self, invite: Message) -> None:
        """The server calls us: it rings."""
        self._incoming = True
        self._invite = invite
        self._theirs, self._route = invite.get("from"), target(invite.get("contact"))
        self._ours = f"{invite.get('to')};tag={self._mark}"
        self.state = "ringing"
        self._phone.send(reply(invite, 180, self._mark, contact=f"<sip:phone@127.0.0.1:{self._phone.port}>"))

    def take(self, message: Message) -> None:
        """Deal with a message of this call."""
        if message.status:
            self._response(message)
        elif message.method == "ACK":
            self._confirmed = True
            self._quiet()
        elif message.method == "INVITE":
            self._invited_again(message)
        elif message.method == "CANCEL":
            self._phone.send(reply(message, 200, self._mark))
            if self.state == "ringing":
                self._phone.send(reply(self._invite, 487, self._mark))
                self._end("them")
        else:
            self._phone.send(reply(message, 200, self._mark))
            if message.method == "BYE":
                self._end("them")
        self._news.set()

    def _invited_again(self, message: Message) -> None:
        if message.sequence == self._invite.sequence:
            if self._accepted is not None:
                self._phone.send(self._accepted)
            return
        contact = f"<sip:phone@127.0.0.1:{self._phone.port}>"
        body = describe(self.media.port)
        self._phone.send(reply(message, 200, self._mark, contact=contact, body=body))
        if message.body:
            self.media.start(*media(message.body))

    def _response(self, message: Message) -> None:
        if message.sequence != self._invite.sequence:
            return
        self._quiet()
        if message.status == 401 and not self._invite.get("authorization") and self._proved(message):
            return
        if message.status < 200:
            if self.state == "calling" and message.status > 100:
                self.state = "ringing"
            if message.body and self.state != "ended":
                self.early = True
                self.media.start(*media(message.body))
        elif message.status < 300:
            self._theirs, self._route = message.get("to"), target(message.get("contact"))
            self._phone.send(self._request("ACK", like=self._invite))
            if self.state == "ended":  # it was answered while we hung up
                self._phone.send(self._request("BYE"))
            else:
                self.state = "up"
                self.media.start(*media(message.body))
        else:
            self._theirs = message.get("to")
            self._phone.send(self._request("ACK", like=self._invite, same=True))
            self.code = message.status
            if self.state != "ended":
                self._end("them")

    def _proved(self, challenge: Message) -> bool:
        """Call again with a password; False if there is none."""
        proof = self._phone.proof("INVITE", self._route, challenge)
        if not proof:
            return False
        self._theirs = challenge.get("to")
        self._phone.send(self._request("ACK", like=self._invite, same=True))
        self._theirs = f"<{self._route}>"
        headers = [("Authorization", proof)]
        self._invite = self._request("INVITE", body=describe(self.media.port), headers=headers)
        self._again(self._invite, AGAIN_S)
        return True

    # ---- messages of ours

    def _request(
        self,
        method: str,
        body: str = "",
        headers: Sequence[tuple[str, str]] = (),
        like: Message | None = None,
        *,
        same: bool = False,
    ) -> Message:
        if like is None:
            number, branch = self._sequence, f"z9hG4bK{self._mark}{self._sequence}{method}"
            self._sequence += 1
        else:
            number, branch = like.sequence[0], f"z9hG4bK{self._mark}A{method}"
        via = f"SIP/2.0/UDP 127.0.0.1:{self._phone.port};branch={branch};rport"
        if like is not None and (method == "CANCEL" or same):
            via = like.get("via")
        own = [
            ("Via", via),
            ("Max-Forwards", "70"),
            ("From", self._ours),
            ("To", self._theirs),
            ("Call-ID", self._identity),
            ("CSeq", f"{number} {method}"),
            ("Contact", f"<sip:phone@127.0.0.1:{self._phone.port}>"),
            *headers,
        ]
        return Message(method=method, uri=self._route, headers=own, body=body)

    def _again(self, message: Message, wait: float) -> None:
        """Send, and send again until something is heard of it (RFC 3261, timer A)."""
        self._phone.send(message)
        if wait < 16:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(wait, self._again, message, wait * 2)

    def _quiet(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self, by: Literal["us", "them"]) -> None:
        self.state, self.ended_by = "ended", by
        if self._incoming:
            self._quiet()
        self.media.stop()
        self._news.set()

    def close(self) -> None:
        """Forget it: no message is sent again."""
        self._quiet()
        self.media.stop()
