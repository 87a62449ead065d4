"""The manager interface of the exchange: what Asterisk tells of its queues, and calls the gateway orders.

Events and lists are in the words and the order of `app_queue` as it was measured; a time-out in a queue is
told as an abandonment, as there. Every specialist is a member of every queue.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

import msgspec

from gateway.demo.exchange.floor import MEMBER, Floor, Left, Place
from ivr.ami.message import Message
from ivr.testing.ami_server import Block, TestManager

USER = "gudok"
ANSWERED, NO_ANSWER, BUSY, NO_SUCH_NUMBER = 4, 3, 5, 0
"""`Reason` of `OriginateResponse`."""
RINGS_S = 30.0
FREE, TALKS = "1", "2"
"""`Status` of a member."""

_LOCAL = re.compile(r"Local/([0-9]{3,15})@gudok-dial/n", re.ASCII)
_HOLD = re.compile(r"Local/([0-9]{6,15})@cb-hold/n", re.ASCII)
_KEY = re.compile(r"[0-9]{1,10}", re.ASCII)
_PLAIN = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)


class Order(msgspec.Struct, frozen=True):
    """A call that the gateway wants: whom, from which number of ours ("": none), the id of its channel.

    `variables` are on the channel before anything runs; it rings `within_s` seconds.
    """

    phone: str
    ours: str
    channel: str
    within_s: float
    variables: tuple[tuple[str, str], ...] = ()


class Stand(msgspec.Struct, frozen=True):
    """A callback that is to keep its place: by `identity`, on `channel`, for a call to `phone`."""

    identity: str
    channel: str
    queue: str
    priority: int
    phone: str
    note: str = ""


Ring: TypeAlias = Callable[[Order, Callable[[int], None]], None]
"""Begins a call to a subscriber; the function is told once what came of it (`Reason`)."""


class Ami:
    """Speaks AMI on loopback. It is the floor's witness; `queues` are the names of all queues."""

    def __init__(
        self,
        floor: Floor,
        queues: Callable[[], Iterable[str]],
        ring: Ring,
        stand: Callable[[Stand], None],
    ) -> None:
        """Take note of the parts; nothing listens yet. `stand` has a callback keep its place."""
        self.secret = secrets.token_hex(16)
        self._floor = floor
        self._queues = queues
        self._ring = ring
        self._stand = stand
        self.marks: dict[str, str] = {}
        """How far each callback came: what the dialplan writes into DB(cb/ID)."""
        self._members: frozenset[str] = frozenset()
        self.asked = asyncio.Event()
        """Set when somebody has got the whole picture of the queues; cleared by whoever waits for that."""
        self._server = TestManager(USER, self.secret)
        self._server.answers |= {
            "QueueStatus": self._status,
            "Originate": self._originate,
            "QueueWithdrawCaller": self._withdraw,
            "DBGet": self._mark,
        }
        floor.witness = self

    @property
    def port(self) -> int:
        """Where it listens, 0 before it does."""
        return self._server.port

    async def start(self) -> None:
        """Listen. Raises OSError."""
        await self._server.__aenter__()

    async def close(self) -> None:
        """Drop everybody and stop."""
        if self._server.port:
            await self._server.__aexit__()

    # Queues

    def duty(self, agents: frozenset[str]) -> None:
        """Who is on duty may have changed."""
        gone, come = self._members - agents, agents - self._members
        self._members = agents
        for queue in self._queues():
            for agent in sorted(gone):
                self._say("QueueMemberRemoved", *_member(queue, agent), ("Paused", "0"))
            for agent in sorted(come):
                self._say("QueueMemberAdded", *_member(queue, agent), *self._state(agent))

    def joined(self, place: Place) -> None:
        """A caller stands in a queue now."""
        if not place.outside:
            position, waiting = self._floor.position(place)
            told = (("Position", str(position)), ("Count", str(waiting)))
            self._say("QueueCallerJoin", *_caller(place), *told)

    def answered(self, place: Place) -> None:
        """A specialist has taken him."""
        if place.outside:
            return
        who = (*_caller(place), *_agent(place))
        waited = max(0, place.answered - place.since) // 1000
        self._say("AgentCalled", *who)
        self._say("QueueCallerLeave", *_caller(place), ("Position", "1"))
        self._say("AgentConnect", *who, ("HoldTime", str(waited)), ("RingTime", "0"))
        self._tell_state(place.agent)

    def left(self, place: Place, left: Left, *, by_caller: bool) -> None:
        """The wait, or the talk, is over."""
        if place.outside:
            return
        if place.agent:
            times = (("HoldTime", str(left.waited_s)), ("TalkTime", str(left.talked_s)))
            reason = ("Reason", "caller" if by_caller else "agent")
            self._say("AgentComplete", *_caller(place), *_agent(place), *times, reason)
            self._tell_state(place.agent, over=True)
        else:
            self._say("QueueCallerAbandon", *_caller(place), ("HoldTime", str(left.waited_s)))
            self._say("QueueCallerLeave", *_caller(place), ("Position", "1"))

    def hung_up(self, channel: str) -> None:
        """A call is over."""
        self._say("Hangup", ("Channel", f"{MEMBER}{channel}"), ("Uniqueid", channel), ("Cause", "16"))

    def _tell_state(self, agent: str, *, over: bool = False) -> None:
        if agent not in self._members:
            return
        for queue in self._queues():
            self._say("QueueMemberStatus", *_member(queue, agent), *self._state(agent, over=over))

    def _state(self, agent: str, *, over: bool = False) -> tuple[tuple[str, str], ...]:
        talks = agent in self._floor.talking and not over
        return (("Status", TALKS if talks else FREE), ("Paused", "0"))

    def _status(self, action: Message) -> Sequence[Block]:
        self.asked.set()
        wanted = action.get("Queue")
        found: list[Block] = []
        for queue in self._queues():
            if wanted in ("", queue):
                found += self._queue(queue)
        listed = ("ListItems", str(len(found)))
        return (
            (("Response", "Success"), ("EventList", "start"), ("Message", "Queue status will follow")),
            *found,
            (*_listed("QueueStatusComplete"), ("EventList", "Complete"), listed),
        )

    def _queue(self, queue: str) -> list[Block]:
        waiting = [one for one in self._floor.waiting if one.queue == queue and not one.outside]
        found: list[Block] = [
            (*_listed("QueueParams"), ("Queue", queue), ("Calls", str(len(waiting)))),
            *(
                (*_listed("QueueMember"), *_member(queue, agent), *self._state(agent))
                for agent in sorted(self._members)
            ),
        ]
        now = self._floor.now()
        for position, place in enumerate(waiting, 1):
            waits = (("Position", str(position)), ("Wait", str(max(0, now - place.since) // 1000)))
            found.append((*_listed("QueueEntry"), *_caller(place), *waits))
        return found

    # Calls that the gateway makes

    def tell(self, identity: str, step: str, told: Mapping[str, str]) -> None:
        """Tell how far a callback came."""
        said = (("Id", identity), ("Step", step), *told.items())
        self._say("UserEvent", ("UserEvent", "GudokCallback"), *said)

    def _withdraw(self, action: Message) -> Sequence[Block]:
        done = self._floor.withdraw(action.get("Caller").removeprefix(MEMBER))
        message = "Withdraw requested successfully" if done else "Call not found in queue"
        return ((("Response", "Success" if done else "Error"), ("Message", message)),)

    def _mark(self, action: Message) -> Sequence[Block]:
        value = self.marks.get(action.get("Key"), "")
        if action.get("Family") != "cb" or not value:
            return ((("Response", "Error"), ("Message", "Database entry not found")),)
        key = (("Family", "cb"), ("Key", action.get("Key")), ("Val", value))
        return (
            (("Response", "Success"), ("EventList", "start"), ("Message", "Result will follow")),
            (*_listed("DBGetResponse"), *key),
            (*_listed("DBGetComplete"), ("EventList", "Complete"), ("ListItems", "1")),
        )

    def _held(self, action: Message, identity: str) -> Sequence[Block]:
        """Have a callback stand in its queue: it is answered at once, by nobody."""
        given = dict(one.partition("=")[::2] for one in action.all("Variable"))
        queue, key, phone = (given.get(name, "") for name in ("IVR_QUEUE", "IVR_PRIO", "CB_NUMBER"))
        channel = action.get("ChannelId")
        if not _KEY.fullmatch(key) or not _PLAIN.fullmatch(channel):
            return ((("Response", "Error"), ("Message", "Permission denied")),)
        for old in (identity, given.get("CB_FORGET", "")):
            self.marks.pop(old, None)
        self._stand(Stand(identity, channel, queue, int(key), phone, given.get("IVR_NOTE", "")))
        answer = (("Response", "Success"), ("Message", "Originate successfully queued"))
        came = (("Response", "Success"), ("Reason", str(ANSWERED)), ("Uniqueid", channel))
        return (answer, (*_listed("OriginateResponse"), *came))

    def _originate(self, action: Message) -> Sequence[Block]:
        hold = _HOLD.fullmatch(action.get("Channel"))
        if hold is not None and action.get("Context") == "cb-queue":
            return self._held(action, hold[1])
        local = _LOCAL.fullmatch(action.get("Channel"))
        channel, ours = action.get("ChannelId"), action.get("Exten")
        if local is None or action.get("Context") != "gudok-out" or not _PLAIN.fullmatch(channel):
            return ((("Response", "Error"), ("Message", "Permission denied")),)
        pairs = [one.partition("=") for one in action.all("Variable")]
        milliseconds = action.number("Timeout")
        order = Order(
            local[1],
            ours if ours.isascii() and ours.isdigit() else "",
            channel,
            RINGS_S if milliseconds is None else max(0, milliseconds) / 1000,
            tuple((name, value) for name, _, value in pairs if name),
        )
        identity = action.action_id

        def told(reason: int) -> None:
            self._say(
                "OriginateResponse",
                ("ActionID", identity),
                ("Response", "Success" if reason == ANSWERED else "Failure"),
                ("Channel", f"Local/{order.phone}@gudok-dial"),
                ("Context", "gudok-out"),
                ("Exten", ours),
                ("Reason", str(reason)),
                ("Uniqueid", channel),
            )

        self._ring(order, told)
        return ((("Response", "Success"), ("Message", "Originate successfully queued")),)

    def _say(self, event: str, *headers: tuple[str, str]) -> None:
        self._server.say(("Event", event), *headers)


def _listed(event: str) -> tuple[tuple[str, str], ...]:
    return (("Event", event), ("ActionID", "{id}"))


def _member(queue: str, agent: str) -> tuple[tuple[str, str], ...]:
    return (("Queue", queue), ("MemberName", agent), ("Interface", f"{MEMBER}{agent}"))


def _agent(place: Place) -> tuple[tuple[str, str], ...]:
    return (("MemberName", place.agent), ("Interface", f"{MEMBER}{place.agent}"))


def _caller(place: Place) -> tuple[tuple[str, str], ...]:
    return (
        ("Channel", f"{MEMBER}{place.channel}"),
        ("Uniqueid", place.channel),
        ("CallerIDNum", place.card.phone),
        ("Queue", place.queue),
    )
