"""All flows of one build with their settings: what a session is pinned to.

It finds the flow that a dialled code, a message or an event starts. It is made by `engine.reading`, never
changed, and knows nothing of sessions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.capabilities import Capabilities
from engine.flow import EventTrigger, Flow, Operation, Project
from engine.prologue import Prologue
from engine.reading.tree import Text
from engine.trigger import CodeTree, SmsTable, Start
from engine.types import Record

_DIALLED = frozenset("0123456789*#")


@dataclass(frozen=True, slots=True)
class FlowSet:
    """A build. `build` is the first 16 hexadecimal digits of the hash of all texts.

    `sources` are the files by name, for excerpts in messages. `fitting` are the constant texts known to fit
    one USSD page. `nowhere` is the flow of a session that has not begun. `calls` are flows by called number,
    `translations` texts by language and source. `trailing` tells that a flow may hand subscribers over to
    people, so that what they do is kept for them; `private` are the names of values that are not.
    `prologues` are kept by plain code for `engine.first_turn`.
    """

    build: str
    project: Project
    flows: Mapping[str, Flow]
    operations: Mapping[str, Operation]
    events: Mapping[str, Record]
    sources: Mapping[str, str]
    channels: Mapping[str, Capabilities]
    nowhere: Flow
    codes: CodeTree
    messages: SmsTable
    fitting: frozenset[str] = frozenset()
    listeners: Mapping[str, tuple[Flow, ...]] = field(default_factory=dict)
    calls: Mapping[str, str] = field(default_factory=dict)
    translations: Mapping[str, Mapping[str, Text]] = field(default_factory=dict)
    trailing: bool = False
    private: frozenset[str] = frozenset()
    prologues: dict[str, Prologue | None] = field(default_factory=dict, compare=False, repr=False)

    def dial(self, digits: str) -> Start | None:
        """Return what a dialled USSD code starts, or None if no flow has it (flow-language 2.2)."""
        return self.codes.find(digits)

    def sms(self, to: str, text: str) -> Start | None:
        """Return what a message to a number starts, or None if no flow takes it."""
        return self.messages.find(to, text)

    def call(self, number: str) -> Start | None:
        """Return what a call to a number starts, or None if no flow takes it."""
        flow = self.calls.get("".join(sign for sign in number if sign in _DIALLED))
        return None if flow is None else Start(flow, {}, (), number)

    def on_event(self, name: str) -> tuple[Flow, ...]:
        """Return the background flows of an event, in the order of their files."""
        return self.listeners.get(name, ())

    def outbound(self, name: str) -> tuple[Flow, ...]:
        """Return the flows with which we call or write by ourselves after an event."""
        return tuple(
            flow for flow in self.flows.values() if flow.outbound is not None and flow.outbound.event == name
        )

    def event_trigger(self, flow: Flow, name: str) -> EventTrigger:
        """Return how a flow takes an event. Raises KeyError if it does not."""
        for trigger in flow.events:
            if trigger.event == name:
                return trigger
        raise KeyError(name)

    @property
    def short_codes(self) -> tuple[str, ...]:
        """The numbers that take messages, and the codes that can be dialled, as written in the flows."""
        found: dict[str, None] = {}
        for flow in self.flows.values():
            found.update((trigger.to, None) for trigger in flow.sms)
            found.update((trigger.pattern, None) for trigger in flow.ussd)
        return tuple(found)
