"""What the gateway and the billing do, as the page tells it: the running line, calls, money, findings.

It only looks on: at the host's observers and the library's reports; the billing's side is `books`. Typed
answers and secret arguments are never taken up.
"""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec
import structlog

from engine.effects import CallBackend, Collect, End, Note, SendSms
from engine.flow_set import FlowSet
from engine.machine import Turn
from engine.reading.diagnostic import Diagnostic, Severity, as_json
from engine.session import Session
from engine.spoken import plain
from engine.values import Secret, Value
from gateway.demo.billing import Running
from gateway.demo.books import Books
from gateway.library import Library

Told = Callable[[str, object, str], None]

MOST_ROWS = 120
MOST_FINDINGS = 60
SHORT = 80
"""Characters of a value or text in the list of what happens."""

_COUNTED = frozenset(("outcome",))
"""Notes of the engine that only repeat what a call's row says."""


class Run(Protocol):
    """A session as the host keeps it (`gateway.host.conversation`)."""

    key: str
    flows: FlowSet
    session: Session


class Row(msgspec.Struct):
    """One thing that happened.

    `kind`: subscriber, flow, call, billing, world, note; `state`: running, good, bad, or none.
    """

    id: int
    at: int
    kind: str
    text: str
    detail: str = ""
    state: str = ""
    ms: int | None = None


class Scene:
    """What is known of one subscriber: where the flow is, and what happened."""

    def __init__(self) -> None:
        self.flow: dict[str, Any] | None = None
        self.rows: deque[Row] = deque(maxlen=MOST_ROWS)
        self.calls: dict[tuple[str, str], Row] = {}


class Watch:
    """Looks on and tells. `tell(topic, data, phone)` goes to the pages.

    `ahead_ms` is how far the gateway's day is ahead of real time.
    """

    def __init__(self, billing: Running, tell: Told) -> None:
        self._tell = tell
        self._scenes: dict[str, Scene] = {}
        self._ids = itertools.count(1)
        self._trails: dict[str, list[tuple[str, int]]] = {}
        self._faults = 0
        self.ahead_ms = 0
        self.books = Books(billing, tell, self.add)

    def start_over(self) -> None:
        """Forget everything; the books are as they are now."""
        self._scenes.clear()
        self._trails.clear()
        self.books.start_over()

    def scene(self, phone: str) -> Scene:
        """Return what is known of a subscriber."""
        return self._scenes.setdefault(phone, Scene())

    def add(self, phone: str, kind: str, text: str, detail: str = "", state: str = "") -> Row:
        """Add a row to what happened."""
        row = Row(next(self._ids), self._now(), kind, text[:SHORT], detail[: 2 * SHORT], state)
        self.scene(phone).rows.append(row)
        self._tell("row", row, phone)
        return row

    def _now(self) -> int:
        return time.time_ns() // 1_000_000 + self.ahead_ms

    # The gateway

    def observe(self, event: str, run: Run | None, detail: Any) -> None:
        """Take an event of the host. Never raises: a fault of ours must not touch a session.

        `trace`, where the host gives it before `turn`, is the list that `machine.advance` fills: with it
        every executed line is marked and not only the one where the session waits.
        """
        if run is None:
            return
        try:
            if event == "turn":
                self._turn(run, detail)
            elif event == "backend":
                self._replied(run, *detail)
            elif event == "trace":
                self._trails[run.key] = [(flow, step) for flow, step, branch in detail if not branch]
        except Exception:
            self._faults += 1
            if self._faults <= 3:
                structlog.get_logger().error("watch_fault", exc_info=True)

    def _turn(self, run: Run, turn: Turn) -> None:
        session = turn.session
        phone = session.caller
        scene = self.scene(phone)
        where = _place(run.flows, session)
        trail = self._trails.pop(run.key, [])
        if where is not None or trail:
            scene.flow = self._position(run, session, where, trail)
            self._tell("flow", scene.flow, phone)
        elif scene.flow is not None and scene.flow["key"] == run.key:
            # An ended session has no place any more: the last one stays marked.
            noted = [one.line for one in turn.effects if isinstance(one, Note) and one.line]
            line = noted[-1] if noted else scene.flow["line"]
            scene.flow = {**scene.flow, "waiting": str(session.waiting), "line": line}
            self._tell("flow", scene.flow, phone)
        for effect in turn.effects:
            self._effect(run, phone, effect)

    def _position(
        self, run: Run, session: Session, where: tuple[str, int] | None, trail: Sequence[tuple[str, int]]
    ) -> dict[str, Any]:
        flows = run.flows.flows
        flow_id, step = where or trail[-1]
        flow = flows[flow_id]
        steps = [(flows[name].program[number].place, flows[name]) for name, number in trail]
        return {
            "key": run.key,
            "channel": str(session.channel),
            "title": flow.title,
            "file": flow.program[step].place.file,
            "line": flow.program[step].place.line,
            "trail": [[place.file, place.line] for place, one in steps if place.file == one.file][-100:],
            "build": run.flows.build,
            "waiting": str(session.waiting),
            "stack": [frame.flow for frame in session.frames],
        }

    def _effect(self, run: Run, phone: str, effect: object) -> None:
        match effect:
            case CallBackend():
                row = self.add(phone, "call", effect.operation, arguments(effect.arguments), "running")
                self.scene(phone).calls[run.key, effect.operation] = row
            case Collect():
                pages = f"page {effect.page} of {effect.pages}" if effect.pages > 1 else "asks"
                self.add(phone, "flow", pages, shown(effect.text))
            case End(text=text, reason=reason):
                self.add(phone, "flow", reason, "" if text is None else shown(text))
            case SendSms():
                self.add(phone, "flow", "SMS", shown(effect.text))
            case Note(event=event, line=line, text=text):
                if event not in _COUNTED:
                    where = f"line {line}  " if line else ""
                    self.add(
                        phone,
                        "note",
                        event.replace("_", " "),
                        where + text,
                        "bad" if event == "error" else "",
                    )

    def _replied(self, run: Run, operation: str, outcome: str) -> None:
        self.books.look()
        phone = run.session.caller
        row = self.scene(phone).calls.pop((run.key, operation), None)
        if row is None:
            row = self.add(phone, "call", operation)
        row.ms = max(0, self._now() - row.at)
        row.detail = f"{outcome}, {row.ms} ms" + (f" · {row.detail}" if row.detail else "")
        row.state = "good" if outcome == "done" else "bad"
        self._tell("row", row, phone)

    # The flows on disk

    def report(self, library: Library) -> dict[str, Any]:
        """Return the build in force and what was found in the files as they are on disk."""
        found = library.report.diagnostics
        ordered = sorted(found, key=lambda one: one.severity is not Severity.ERROR)
        current = library.current
        return {
            "build": current.build,
            "errors": sum(one.severity is Severity.ERROR for one in found),
            "total": len(found),
            "problem": library.problem,
            "found": [self._finding(one, library.sources) for one in ordered[:MOST_FINDINGS]],
            "flows": [
                {"file": flow.file, "title": flow.title, "starts": starts(flow)}
                for flow in current.flows.values()
                if flow.file in current.sources
            ],
            "codes": list(current.short_codes)[:40],
        }

    def published(self, library: Library) -> None:
        """Tell of a look that found a change."""
        self._tell("report", self.report(library), "")

    def _finding(self, one: Diagnostic, sources: Mapping[str, str]) -> dict[str, object]:
        lines = sources.get(one.place.file, "").split("\n")
        line = lines[one.place.line - 1] if one.place.line <= len(lines) else ""
        return {**as_json(one), "source": line[:400]}


def _place(flows: FlowSet, session: Session) -> tuple[str, int] | None:
    """Where a session is: the innermost frame of its stack."""
    if not session.frames:
        return None
    frame = session.frames[-1]
    flow = flows.flows.get(frame.flow)
    return (frame.flow, frame.pc) if flow is not None and 0 <= frame.pc < len(flow.program) else None


def shown(text: str | Secret) -> str:
    """Return a text for the list of what happens; secrets as dots, long ones cut."""
    line = plain(str(text)).replace("\n", " ⏎ ")
    return line if len(line) <= SHORT else line[: SHORT - 1] + "…"


def arguments(given: Mapping[str, Value]) -> str:
    """Return the arguments of a call in one line; a secret is shown as dots."""
    return ", ".join(f"{name} {str(value)[:24]}" for name, value in given.items() if name != "phone")


def starts(flow: Any) -> list[str]:
    """Return how a flow is started, in a word each."""
    ussd = [trigger.pattern for trigger in flow.ussd]
    sms = [f"SMS {trigger.to}" for trigger in flow.sms]
    return [*ussd, *dict.fromkeys(sms), *(f"call {number}" for number in flow.call)][:6]


def dialled(code: str) -> str:
    """Return a dialled code for the list: only its first group, what follows may be a secret."""
    head, star, _ = code.strip("*#").partition("*")
    return f"*{head}*…#" if star else f"*{head}#"
