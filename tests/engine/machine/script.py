"""Plays a script against the machine: inputs behind `>`, and what came out of each, one line an effect.

    ? screen            a question; `[2/3]` behind it are the pages, `(more)` that only a key is awaited
    = text [reason]     the end; `= - [reason]` without a text
    @ op {arguments}    a back-end call; answered by `> ~done {value}` or `> ~error name`
    sms to from: text   an SMS
    + name of owner     something is remembered;  `- name of owner` forgotten
    ! event text        a note
    queue name field=…  handed over; answered by `> ~agent answered solved waited=5 topic=… note=… left`
    call to queue …     a callback; answered by `> ~ordered number`
    later flow to over at {arguments}
    rate topic score of low-high
    record, connect     answered by `> ~line outcome value`
    pause ms, answer

Line breaks of a screen are written as ` / `. Questions about the world (`Look`) are answered from `looked`.
After each input the session is written and read back, so every wait is a restart.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from engine import spoken
from engine.effects import (
    Answer,
    CallBackend,
    Collect,
    Connect,
    Effect,
    End,
    Enqueue,
    Forget,
    Look,
    Note,
    OrderCallback,
    Pause,
    Rate,
    Record,
    Remember,
    Schedule,
    SendSms,
)
from engine.expressions import question_key
from engine.flow_set import FlowSet
from engine.inputs import (
    AgentLeft,
    BackendReplied,
    Begin,
    HungUp,
    Input,
    Late,
    LineReplied,
    Looked,
    Reopened,
    Silence,
    Text,
    Unshown,
)
from engine.machine import advance, begin, reopen
from engine.reading.diagnostic import Report
from engine.reading.flow_set import load_project
from engine.reading.plain import plain
from engine.reading.report import report_text
from engine.reading.yaml_text import read_tree
from engine.session import Session, Waiting, dump, load
from engine.types import Type
from engine.values import Secret

ROOT = Path(__file__).parents[3]
CALLER = "79161234567"
PROJECT = """
language: 1
languages: [ru, en]
country: RU
timezone: Europe/Moscow
consts: { company: Гудок, rates: [Smart, Ultra] }
ussd: { idle: 60s, session: 180s }
sms: { from: "000500" }
errors:
  ussd: { end: Позже. }
  sms: { end: Позже. }
memory: { seen: 7d, known: session, stop: forever }
calendars: { office: { days: Mon-Fri, hours: 09:00-18:00, holidays: [2026-11-23] } }
queues:
  support: { skills: [bill] }
  day: { hours: 09:00-21:00 }
  office: { hours: office }
connect: { allow: [749576601xx, "8800*"] }
"""
BACKENDS = """
b:
  url: http://b
  look: { get: "/look/{phone}", returns: { sum: money, items: [text] }, errors: { 404: none_found } }
  buy:
    post: /buy
    takes: { fee: money }
    returns: { left: money }
    charge: yes
    once: 10m
    keys: 24h
    settle: repeat
    errors: { 402: low }
  tell: { post: /tell, takes: { word: text, pin: "secret?" } }
  events:
    done: { phone: phone, sum: money }
"""


def compiled(flows: dict[str, str], project: str = PROJECT, backends: str = BACKENDS) -> FlowSet:
    """Compile flows given as texts; fail with the report if there is an error."""
    files = {f"flows/{name}.yaml": text for name, text in flows.items()}
    files |= {"config/project.yaml": project, "config/backends.yaml": backends}
    return read(files)


def read(files: dict[str, str]) -> FlowSet:
    """Compile a project given as texts; fail with the report if there is an error."""
    flow_set, report = load_project(files)
    assert flow_set is not None, report_text(report, files)
    return flow_set


def shipped() -> FlowSet:
    """Compile the flows of the product."""
    files = {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for folder in ("flows", "config")
        for path in sorted((ROOT / folder).rglob("*.yaml"))
    }
    return read(files)


def shown(value: Any) -> str:
    """Write a value or text as a script does."""
    if isinstance(value, Secret):
        return f"<{value.reveal()}>"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {shown(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(shown, value)) + "]"
    if isinstance(value, Decimal):
        return str(value)
    return str(value).replace("\n", " / ")


def said(text: str | Secret) -> str:
    """Write what is seen or heard, without the marks of calls."""
    return shown(Secret(spoken.plain(text.reveal())) if isinstance(text, Secret) else spoken.plain(text))


def line_of(effect: Effect) -> str:
    """Write an effect as a line of a script."""
    match effect:
        case Collect():
            pages = f" [{effect.page}/{effect.pages}]" if effect.pages > 1 else ""
            return f"? {said(effect.text)}{pages}{' (more)' if effect.reading else ''}"
        case End():
            again = f" resume={effect.resume_ms}" if effect.resume_ms else ""
            return f"= {'-' if effect.text is None else said(effect.text)} [{effect.reason}]{again}"
        case CallBackend():
            key = f" key={effect.key}" if effect.key else ""
            return f"@ {effect.operation} {shown(dict(effect.arguments))}{key}"
        case SendSms():
            return (
                f"sms {effect.to} {effect.sender}: {shown(effect.text)}{' (secret)' if effect.secret else ''}"
            )
        case Remember():
            return f"+ {effect.name} of {effect.subject}"
        case Forget():
            return f"- {effect.name} of {effect.subject}"
        case Note():
            return f"! {effect.event} {effect.text}".rstrip()
    return handed_over(effect)


def handed_over(effect: Effect) -> str:
    """Write an effect that concerns people or the line."""
    match effect:
        case Enqueue():
            return _fields(f"queue {effect.queue}", effect, "call", "queue")
        case OrderCallback():
            return _fields(
                f"call {effect.to} {effect.queue} by {moment(effect.by)}", effect, "call", "queue", "to", "by"
            )
        case Schedule():
            what = f" {shown(dict(effect.arguments))}" if effect.arguments else ""
            return f"later {effect.flow} {effect.to} {effect.over} {moment(effect.at)}{what}"
        case Rate():
            return f"rate {effect.topic} {effect.score} of {effect.low}-{effect.high} in {effect.flow}"
        case Record():
            return f"record {effect.max_ms}: {said(effect.text)}"
        case Connect():
            return _fields(
                f"connect {effect.number} {effect.timeout_ms}", effect, "call", "number", "timeout_ms"
            )
        case Pause():
            return f"pause {effect.ms} {said(effect.text)}".rstrip()
        case Answer():
            return "answer"
    return repr(effect)


def moment(at: int) -> str:
    """Write a moment in UTC."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M")


def _fields(head: str, effect: Any, *without: str) -> str:
    """Write the fields of an effect that are not as by default."""
    names = [name for name in effect.__struct_fields__ if name not in without]
    defaults = dict(
        zip(reversed(effect.__struct_fields__), reversed(effect.__struct_defaults__), strict=False)
    )
    parts = [head]
    for name in names:
        value = getattr(effect, name)
        if value == defaults.get(name):
            continue
        write = {"at": moment, "text": said}.get(name, shown)
        parts.append(f"{name}={write(value)}")
    return " ".join(parts)


class Player:
    """One subscriber; `lines` is the transcript so far."""

    def __init__(self, flows: FlowSet, *, restart: bool = True, **looked: Any) -> None:
        self.flows = flows
        self.now = 1_795_334_400_000
        self.looked = looked
        self.restart = restart
        self.lines: list[str] = []
        self.trace: list[tuple[str, int, str]] = []
        self.session: Session | None = None
        self.effects: list[Effect] = []
        self.before: Session | None = None
        self.order: OrderCallback | None = None

    def start(self, flow: str, **options: Any) -> list[str]:
        """Begin a session."""
        given = options.pop("with", {})
        ahead = tuple(options.pop("ahead", ()))
        options = {"channel": "ussd", "caller": CALLER, "called": "*1#", "lang": "ru"} | options
        self.session = begin(self.flows, now=self.now, **options)
        return self.give(Begin(flow, given, ahead))

    def dial(self, code: str, **options: Any) -> list[str]:
        """Dial a code."""
        found = self.flows.dial(code)
        assert found is not None, f"{code} starts nothing"
        return self.start(
            found.flow, called=found.called, ahead=found.ahead, **{"with": dict(found.arguments)}, **options
        )

    def give(self, given: Input) -> list[str]:
        """Give one input; return the lines it made."""
        assert self.session is not None
        made: list[str] = []
        self.effects = []
        self.before = self.session
        while True:
            session = load(dump(self.session)) if self.restart else self.session
            assert session == self.session
            turn = advance(self.flows, session, given, self.now, self.trace)
            self.session = turn.session
            self.effects += turn.effects
            for effect in turn.effects:
                self.order = effect if isinstance(effect, OrderCallback) else self.order
            made += [line_of(effect) for effect in turn.effects if not isinstance(effect, Look)]
            if turn.session.waiting is not Waiting.LOOK or isinstance(given, Late | HungUp):
                break
            asked = turn.effects[-1]
            assert isinstance(asked, Look)
            given = Looked(tuple(self.answer(question_key(question)) for question in asked.questions))
        self.lines += made
        return made

    def answer(self, key: str) -> Any:
        kind, name, _ = key.split(":", 2)
        return self.looked.get(f"{kind}.{name}", 0 if kind == "memory" else None)

    def type(self, line: str) -> list[str]:
        """Give the input of a script line."""
        word, _, rest = line.partition(" ")
        match word:
            case "~silence":
                self.now = max(self.now, (self.session and self.session.deadline) or self.now)
                return self.give(Silence())
            case "~hangup":
                return self.give(HungUp("test"))
            case "~agent":
                return self.give(self.agent(rest))
            case "~line":
                outcome, _, value = rest.partition(" ")
                return self.give(
                    LineReplied(self.session.call if self.session else 0, outcome, value or None)
                )
            case "~ordered":
                order = self.order
                assert order is not None
                by = datetime.fromtimestamp(order.by / 1000, UTC)
                return self.give(BackendReplied(order.call, "done", {"number": int(rest), "by": by}))
            case "~reopen":
                assert self.before is not None
                self.session = reopen(self.flows, load(dump(self.before)), self.now)
                return self.give(Reopened())
            case "~wait":
                self.now += int(rest)
                return []
            case "~late":
                return self.give(Late())
            case "~unshown":
                return self.give(Unshown("test"))
            case "~error":
                return self.give(BackendReplied(self.session.call if self.session else 0, rest))
            case "~done":
                return self.give(
                    BackendReplied(self.session.call if self.session else 0, "done", self.typed(rest))
                )
        return self.give(Text(line))

    def agent(self, words: str) -> AgentLeft:
        """Read what people did: `answered solved waited=5 topic=internet left`."""
        outcome, *others = words.split()
        fields: dict[str, Any] = {}
        for word in others:
            name, mark, value = word.partition("=")
            if mark:
                fields["waited_s" if name == "waited" else name] = int(value) if value.isdigit() else value
            elif word == "left":
                fields["stayed"] = False
            else:
                fields["result"] = word
        return AgentLeft(self.session.call if self.session else 0, outcome, **fields)

    def typed(self, text: str) -> Any:
        """Type the value of the operation that waits by its `returns`."""
        assert self.session is not None
        if not self.session.frames:
            return {}
        frame = self.session.frames[-1]
        step: Any = self.flows.flows[frame.flow].program[frame.pc]
        if not text or step.operation.returns is None:
            return {}
        report = Report()
        node = read_tree(text, "value", report)
        assert node is not None
        value = plain(node, Type(step.operation.returns), report, "value")
        assert not report.has_errors, report.diagnostics
        return value


def play(case: dict[str, Any], *, restart: bool = True) -> tuple[list[str], list[str]]:
    """Play a case; return (expected, actual) transcripts."""
    flows = compiled(case["flows"], case.get("project", PROJECT), case.get("backends", BACKENDS))
    player = Player(flows, restart=restart, **case.get("looked", {}))
    expected = [line.strip() for line in case["script"].strip().splitlines()]
    actual: list[str] = []
    options = dict(case.get("begin", {}))
    if "event" in options:
        options["event"] = dict(options["event"])
    if "dial" in options:
        actual += player.dial(options.pop("dial"), **options)
    else:
        actual += player.start(options.pop("flow", next(iter(case["flows"]))), **options)
    for line in expected:
        if line.startswith(">"):
            actual.append(line)
            actual += player.type(line[1:].strip())
    return expected, [" ".join(line.split()) for line in actual]


def cases(folder: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the cases of all files of a folder of tests/scenarios as (name, case)."""
    found = []
    for path in sorted((ROOT / "tests" / "scenarios" / folder).glob("*.yaml")):
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
        found.extend((f"{path.stem}: {case['name']}", case) for case in loaded)
    return found


def files_of(case: dict[str, Any]) -> dict[str, str]:
    """Return the files of a compile case: flows, project and back ends as texts."""
    files = {f"flows/{name}.yaml": text for name, text in case["flows"].items()}
    files |= {
        "config/project.yaml": case.get("project", PROJECT),
        "config/backends.yaml": case.get("backends", BACKENDS),
    }
    return files
