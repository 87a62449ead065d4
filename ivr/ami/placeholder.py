"""Callbacks that keep their place in a queue, agent first: how they are ordered, and what is heard of them.

A placeholder is a channel without anybody (contexts `cb-queue` and `cb-hold` of the shipped dialplan). It
stands in the queue with the key of its order; when an agent has taken it, Asterisk itself calls the
subscriber, once. How far it came is written in Asterisk's own data base too, for a gateway that was away.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ivr.ami.message import ActionError, Message
from ivr.ami.session import Outcome

CHANNEL = "cb-"
"""Begins the ids of their channels; `ivr.queue_picture.PLACEHOLDER` is the same word."""
EVENT = "GudokCallback"
FAMILY = "cb"
STANDS_MS = 30_000
"""A placeholder stands at once or not at all."""
NOT_CALLED, AGENT, CALLED = "", "1", "2"
"""Marks: nobody was called, an agent is there, the subscriber is being called or was."""

_IDENTITY = re.compile(r"[0-9]{6,15}", re.ASCII)
_QUEUE = re.compile(r"[A-Za-z0-9_-]{1,80}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{3,15}", re.ASCII)
_STEPS = frozenset({"agent", "left", "over"})


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A place in `queue` with the key `priority` (`QUEUE_PRIO`) for a call to `number`.

    `identity` is digits and is used once. `note` and `skills` are as `ivr.handover` makes them. `forget` is
    an identity of old of which nothing needs to be known any more.
    """

    identity: str
    queue: str
    priority: int
    number: str
    note: str = ""
    skills: str = ""
    forget: str = ""


@dataclass(frozen=True, slots=True)
class News:
    """What Asterisk tells of a placeholder.

    `step`: `agent` (one has taken it), `left` (its half in the queue is gone; `status` is QUEUESTATUS and
    `result` what the agent says came of the talk), `over` (its other half is gone; `mark` is how far it came
    and `status` the DIALSTATUS).
    """

    identity: str
    step: str
    status: str = ""
    result: str = ""
    mark: str = ""


def channel_of(identity: str) -> str:
    """Return the id of the channel that stands in the queue."""
    return CHANNEL + identity


def headers(place: Placeholder) -> tuple[tuple[str, str], ...]:
    """Return the headers of `Originate`. Raises ActionError for what the dialplan would read otherwise."""
    if not _IDENTITY.fullmatch(place.identity) or not _NUMBER.fullmatch(place.number):
        raise ActionError("Channel or CB_NUMBER is not in digits")
    if not _QUEUE.fullmatch(place.queue) or not 0 < place.priority < 10**10:
        raise ActionError("IVR_QUEUE or IVR_PRIO is not one of ours")
    if set(place.note + place.skills) & set(",\"'\\$|&()[]{}"):
        raise ActionError("IVR_NOTE or IVR_SKILLS has a sign that parts arguments")
    told = [
        ("IVR_QUEUE", place.queue),
        ("IVR_PRIO", str(place.priority)),
        ("CB_ID", place.identity),
        ("CB_NUMBER", place.number),
        ("IVR_NOTE", place.note),
        ("IVR_SKILLS", place.skills),
        ("CB_FORGET", place.forget if _IDENTITY.fullmatch(place.forget) else ""),
    ]
    return (
        ("Channel", f"Local/{place.identity}@cb-hold/n"),
        ("ChannelId", channel_of(place.identity)),
        ("Context", "cb-queue"),
        ("Exten", "s"),
        ("Priority", "1"),
        ("Timeout", str(STANDS_MS)),
        ("Async", "true"),
        *(("Variable", f"{name}={value}") for name, value in told if value),
    )


def news(message: Message) -> News | None:
    """Return what an event tells of a placeholder, None if it is of something else."""
    if message.event != "UserEvent" or message.get("UserEvent") != EVENT:
        return None
    identity, step = message.get("Id"), message.get("Step")
    if not _IDENTITY.fullmatch(identity) or step not in _STEPS:
        return None
    return News(identity, step, message.get("Status"), message.get("Result"), message.get("Mark"))


def mark_of(outcome: Outcome) -> str | None:
    """Return how far a placeholder came, of the answer to `DBGet`; None: Asterisk does not say."""
    for event in outcome.events:
        if event.event == "DBGetResponse":
            return event.get("Val")
    return NOT_CALLED if "not found" in outcome.error.lower() else None
