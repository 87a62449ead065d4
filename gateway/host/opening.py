"""Sessions that we begin ourselves: over which channel, and what when that channel cannot take them now.

A channel that can reach a subscriber registers its `open` here. This module knows no schedule and no
campaign; it turns "start this flow for that number over that channel" into a session, or says why not.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

import msgspec

from engine.flow_set import FlowSet
from engine.values import Value
from gateway.host.batch import Batch

LINE_ONLY = frozenset({"record", "connect", "answer"})
"""Verbs that need a call: a flow with one of them is never begun as a dialogue by SMS instead."""


class Opening(msgspec.Struct, frozen=True):
    """A session to begin: `id` makes it one session however often it is tried."""

    id: str
    flow: str
    to: str
    lang: str
    arguments: Mapping[str, Value] = {}
    event: Mapping[str, Value] = {}


class Opened(StrEnum):
    """What came of it: the session is there, the channel cannot now, or it cannot at all.

    `BEGUN`: the session is there, and whether its subscriber was reached will be told.
    """

    DONE = "done"
    BEGUN = "begun"
    LATER = "later"
    NEVER = "never"


class Opener(Protocol):
    """A channel that can begin a session by itself."""

    def open(self, batch: Batch, opening: Opening) -> Opened:
        """Begin the session in this batch; nothing has happened unless it is `DONE` or `BEGUN`."""
        ...


class Openers:
    """The channels by name, in the words of `over:`."""

    def __init__(self) -> None:
        self.by_name: dict[str, Opener] = {}

    def open(self, batch: Batch, flows: FlowSet, opening: Opening, over: str) -> Opened:
        """Begin a session over a channel, or over SMS where there is no such channel and the flow can."""
        opener = self.by_name.get(over)
        opened = Opened.NEVER if opener is None else opener.open(batch, opening)
        if opened is Opened.NEVER and over != "sms":
            return self.by_text(batch, flows, opening)
        return opened

    def by_text(self, batch: Batch, flows: FlowSet, opening: Opening) -> Opened:
        """Begin a session as a dialogue by SMS, where the flow can be one."""
        texts = self.by_name.get("sms")
        if texts is None or not goes_by_text(flows, opening.flow):
            return Opened.NEVER
        return texts.open(batch, opening)


def fits(flows: FlowSet, opening: Opening) -> bool:
    """Tell whether the build has the flow, and the inputs it asks for are there."""
    flow = flows.flows.get(opening.flow)
    return flow is not None and all(name in opening.arguments for name in flow.takes)


def goes_by_text(flows: FlowSet, flow: str) -> bool:
    """Tell whether a flow has no step that needs a call."""
    found = flows.flows.get(flow)
    return found is not None and not any(step.verb in LINE_ONLY for step in found.program)
