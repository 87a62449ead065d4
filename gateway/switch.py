"""What staff switch by hand while the gateway runs: a flow off, numbers blocked, trials, the announcement.

Everything is a row of the store, written with a row of the audit in one transaction and in force from that
moment on: a start asks `refusal`, which is one comparison while nothing is switched. Sessions that run go on
to their end. This module does not know how an order came: by command, by page or by a test.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import msgspec

from engine.answer import phone
from engine.flow_set import FlowSet
from engine.reading.suggestion import did_you_mean
from gateway.flow_start import begins_sessions, runs_inside
from gateway.host.batch import Batch
from gateway.store.record import AuditRow, SwitchRow

ANNOUNCEMENT = "announcement"
"""Name of the stored value that flows read as `announcement`."""
OFF, BLOCK, ALLOW = "off", "block", "allow"
"""Kinds of rows."""
CHANNELS = ("ussd", "sms", "voice")
TEXT_MOST = 480
"""Characters of a text that staff give: three parts of an SMS with letters beyond Latin."""
WHO_MOST = 64
OFF_TEXT = "Сервис временно недоступен. Повторите позже."

_texts = msgspec.json.Decoder(dict[str, str]).decode


class RefusedError(Exception):
    """An order that cannot be carried out; the message says why and what would do."""


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One order of staff. `act` is one of `ACTS`; which of the others it needs, `Switches.carry_out` says.

    `channel` limits the text of `off` to one channel; empty: all.
    """

    act: str
    flow: str = ""
    number: str = ""
    text: str = ""
    channel: str = ""


class State(msgspec.Struct, frozen=True):
    """Everything that is switched: flow -> texts by channel, number -> text, flow -> numbers on trial."""

    off: Mapping[str, Mapping[str, str]] = {}
    blocked: Mapping[str, str] = {}
    allowed: Mapping[str, frozenset[str]] = {}
    announcement: str = ""

    @property
    def quiet(self) -> bool:
        """Tell whether no start has to be asked about."""
        return not (self.off or self.blocked or self.allowed)


class Switches:
    """The switches in force. `counters` are the host's; `build` gives the flows in force."""

    def __init__(self, counters: Counter[str], build: Callable[[], FlowSet]) -> None:
        self._counters = counters
        self._build = build
        self.state = State()
        self.idle = True
        """Nothing is switched: no start has to be asked about."""

    # Asking

    def refusal(self, flow: str, caller: str, channel: str) -> str | None:
        """Say whether `caller` may start `flow` over `channel`: None is yes, else the text he gets.

        "" means: as if there were no such flow. Every refusal is counted, without the number.
        """
        if self.idle:
            return None
        state = self.state
        if caller in state.blocked:
            self._counters["switched.block"] += 1
            return state.blocked[caller]
        texts = state.off.get(flow)
        if texts is not None:
            self._counters["switched.off"] += 1
            return texts.get(channel) or texts.get("") or OFF_TEXT
        trial = state.allowed.get(flow)
        if trial is not None and caller not in trial:
            self._counters["switched.trial"] += 1
            return ""
        return None

    # Changing

    def load(self, rows: Iterable[SwitchRow], announcement: str = "") -> None:
        """Put in force what the store holds."""
        off: dict[str, Mapping[str, str]] = {}
        blocked: dict[str, str] = {}
        allowed: dict[str, set[str]] = {}
        for row in rows:
            match row.kind:
                case "off":
                    off[row.name] = _texts(row.value)
                case "block":
                    blocked[row.name] = row.value
                case "allow":
                    flow, _, number = row.name.partition(" ")
                    allowed.setdefault(flow, set()).add(number)
        trials = {flow: frozenset(numbers) for flow, numbers in allowed.items()}
        self._put(State(off, blocked, trials, announcement))

    def _put(self, state: State) -> None:
        self.state = state
        self.idle = state.quiet

    def carry_out(self, batch: Batch, order: Order, who: str) -> None:
        """Do an order with this batch; it is in force at once. Raises RefusedError, and nothing is done."""
        act = ACTS.get(order.act)
        if act is None:
            raise RefusedError(f'there is no order "{order.act}"; the orders are {", ".join(ACTS)}')
        before = self.state
        change = Change(batch, before, self._build(), order, who[:WHO_MOST] or "unknown")
        after, thing, detail = act(change)
        change.group.audit(AuditRow(batch.now, change.who, order.act, thing, detail))
        self._counters[f"switch_orders.{order.act}"] += 1
        batch.on_failure(lambda: self._put(before))
        self._put(after)


class Change:
    """One order while it is carried out: checks what it needs, writes its rows."""

    def __init__(self, batch: Batch, state: State, flows: FlowSet, order: Order, who: str) -> None:
        self._batch = batch
        self.state = state
        self._flows = flows
        self.order = order
        self.who = who
        self.group = batch.stored.group()

    def put(self, kind: str, name: str, value: str) -> None:
        """Store a switch."""
        self.group.switch(SwitchRow(kind, name, value, self._batch.now, self.who))

    def flow(self) -> str:
        """Return the flow that is meant, one that begins sessions."""
        name, flows = self.order.flow, self._flows
        if name not in flows.flows:
            raise RefusedError(f'there is no flow "{name}"{did_you_mean(name, flows.flows)}')
        if not begins_sessions(flows, name):
            outer = ", ".join(runs_inside(flows, name)) or "none that starts"
            raise RefusedError(f'nothing starts "{name}" by itself; the flows that run it: {outer}')
        return name

    def number(self) -> str:
        """Return the number that is meant, as an MSISDN."""
        number = phone(self.order.number, self._flows.project.country)
        if number is None:
            raise RefusedError("that is no phone number: 10 to 15 digits are expected")
        return number

    def text(self) -> str:
        """Return the text that was given."""
        text = self.order.text.strip()
        if len(text) > TEXT_MOST:
            raise RefusedError(f"the text has {len(text)} characters, at most {TEXT_MOST} fit")
        if not all(sign.isprintable() or sign == "\n" for sign in text):
            raise RefusedError("the text has control characters")
        return text


Done = tuple[State, str, str]
"""What an act makes: the next state, the object of the act and its details for the audit."""


def _off(change: Change) -> Done:
    flow, text, channel, state = change.flow(), change.text(), change.order.channel, change.state
    if channel and channel not in CHANNELS:
        raise RefusedError(f'there is no channel "{channel}"; the channels are {", ".join(CHANNELS)}')
    texts = {**state.off.get(flow, {}), channel: text}
    change.put(OFF, flow, msgspec.json.encode(texts).decode())
    off = {**state.off, flow: texts}
    return msgspec.structs.replace(state, off=off), flow, f"{channel} {text}".strip()


def _on(change: Change) -> Done:
    flow, state = change.order.flow, change.state
    if flow not in state.off:
        raise RefusedError(f'the flow "{flow}" is not off')
    change.group.unswitch(OFF, flow)
    off = {name: texts for name, texts in state.off.items() if name != flow}
    return msgspec.structs.replace(state, off=off), flow, ""


def _block(change: Change) -> Done:
    number, text, state = change.number(), change.text(), change.state
    change.put(BLOCK, number, text)
    return msgspec.structs.replace(state, blocked={**state.blocked, number: text}), number, text


def _unblock(change: Change) -> Done:
    number, state = change.number(), change.state
    if number not in state.blocked:
        raise RefusedError("the number is not blocked")
    change.group.unswitch(BLOCK, number)
    blocked = {one: text for one, text in state.blocked.items() if one != number}
    return msgspec.structs.replace(state, blocked=blocked), number, ""


def _allow(change: Change) -> Done:
    flow, number, state = change.flow(), change.number(), change.state
    change.put(ALLOW, f"{flow} {number}", "")
    numbers = state.allowed.get(flow, frozenset()) | {number}
    return msgspec.structs.replace(state, allowed={**state.allowed, flow: numbers}), flow, number


def _disallow(change: Change) -> Done:
    """Take one number out of a trial; the trial goes on, for nobody if he was the last."""
    flow, number, state = change.order.flow, change.number(), change.state
    numbers = state.allowed.get(flow, frozenset())
    if number not in numbers:
        raise RefusedError("the number is not on the list of this flow")
    change.group.unswitch(ALLOW, f"{flow} {number}")
    rest = numbers - {number}
    if not rest:
        raise RefusedError(f"he is the last on the list; open the flow to everybody: open {flow}")
    return msgspec.structs.replace(state, allowed={**state.allowed, flow: rest}), flow, number


def _open(change: Change) -> Done:
    flow, state = change.order.flow, change.state
    if flow not in state.allowed:
        raise RefusedError(f'the flow "{flow}" has no list of numbers: everybody reaches it')
    for number in state.allowed[flow]:
        change.group.unswitch(ALLOW, f"{flow} {number}")
    allowed = {name: numbers for name, numbers in state.allowed.items() if name != flow}
    return msgspec.structs.replace(state, allowed=allowed), flow, ""


def _announce(change: Change) -> Done:
    text = change.text()
    change.group.meta(ANNOUNCEMENT, text.encode())
    return msgspec.structs.replace(change.state, announcement=text), "", text


ACTS: Mapping[str, Callable[[Change], Done]] = {
    "off": _off,
    "on": _on,
    "block": _block,
    "unblock": _unblock,
    "allow": _allow,
    "disallow": _disallow,
    "open": _open,
    "announce": _announce,
}
"""Every order by its word."""
