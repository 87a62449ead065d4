"""How a turn of the terminal handset looks: left the phone with its keys, right what the flow did.

Everything here is text in, text out; colours are put on only when they are asked for.
"""

from __future__ import annotations

import re
import textwrap
from datetime import datetime
from itertools import zip_longest

from engine.capabilities import Capabilities, Channel
from engine.flow_set import FlowSet
from engine.masking import masked_number
from engine.reading.checks.room import sms_parts, units
from engine.values import Value
from gateway.authoring.handset import Heard, Turn

INNER = 30
"""Characters of a line on the phone."""

LEAST_ROWS = 6
_LEFT = INNER + 4
_KEY = re.compile(r"([0-9*#]{1,4}) \S")
_SPOKEN_KEY = re.compile(r"(?:нажмите|press|пахш кунед) ([0-9*#]{1,4})")
_PHONE = re.compile(r"(?<!\d)\d{11,12}(?!\d)", re.ASCII)
_NAMES = {"ussd": "USSD", "sms": "SMS", "voice": "Call", "event": "Event"}
_DIM, _BOLD, _RED, _PLAIN = "\x1b[2m", "\x1b[1m", "\x1b[31m", "\x1b[0m"


def turn_text(turn: Turn, flows: FlowSet, width: int, *, colours: bool) -> str:
    """Return one turn for people, `width` characters wide."""
    left = phone(turn, flows)
    room = max(30, width - _LEFT - 2)
    right = [piece for line in log(turn, flows) for piece in _cut(line, room)]
    rows = []
    for one, other in zip_longest(left, right, fillvalue=""):
        rows.append(f"{one}{' ' * (_LEFT - len(one))}  {_painted(other, colours)}".rstrip())
    return "\n".join(rows)


def turn_data(turn: Turn, flows: FlowSet) -> dict[str, object]:
    """Return one turn for programs."""
    return {
        "line": _masked(turn.line),
        "channel": turn.channel,
        "called": turn.called,
        "time": _clock(turn, flows).isoformat(timespec="seconds"),
        "state": turn.state,
        "screen": turn.screen,
        "pages": turn.pages,
        "log": log(turn, flows),
        "messages": [
            {"to": masked_number(message.to), "from": message.sender, "text": message.text}
            for message in turn.messages
        ],
        "fault": turn.fault or None,
    }


# The phone


def phone(turn: Turn, flows: FlowSet) -> list[str]:
    """Return the left side: the screen, its size, the keys that mean something, messages that came in."""
    rows: list[str] = []
    if turn.screen is not None and turn.channel != "sms":
        title = f"{_NAMES.get(turn.channel, '')} {turn.called}"
        rows += _frame(turn.screen, title, _clock(turn, flows).strftime("%H:%M"), LEAST_ROWS)
        rows += _below(turn, flows)
    for message in turn.messages:
        to = "" if turn.channel == "sms" else f" to {masked_number(message.to)}"
        rows += _frame(message.text, f"SMS {message.sender}{to}", "", 1)
        parts = sms_parts(message.text)
        rows.append(f"  {parts} part{'' if parts == 1 else 's'}")
    rows += textwrap.wrap(f"({turn.state})", _LEFT)
    return rows


def _frame(text: str, title: str, clock: str, least: int) -> list[str]:
    title = title.strip()[: INNER - len(clock) - 1]
    top = f"┌ {title} {'─' * (INNER - len(title) - len(clock) - 1)}{f' {clock}' if clock else '─'}┐"
    rows = [piece for line in text.split("\n") for piece in textwrap.wrap(line, INNER) or [""]]
    rows += [""] * (least - len(rows))
    return [top[: INNER + 3] + "┐", *(f"│ {row:<{INNER}} │" for row in rows), f"└{'─' * (INNER + 2)}┘"]


def _below(turn: Turn, flows: FlowSet) -> list[str]:
    assert turn.screen is not None
    keys = flows.channels.get(turn.channel)
    rows = []
    if keys is not None and keys.pages is not None:
        size, room = units(turn.screen, keys.pages)
        pages = f", {turn.pages} pages" if turn.pages > 1 else ""
        rows.append(f"  {size} of {room} units{pages}")
    if keys is not None and turn.state != "ended":
        rows += textwrap.wrap("  keys: " + " ".join(_keys(turn, keys)), _LEFT, subsequent_indent="  ")
    return rows


def _keys(turn: Turn, keys: Capabilities) -> list[str]:
    screen = turn.screen or ""
    found = [match[1] for line in screen.split("\n") if (match := _KEY.match(line))]
    if keys.channel is Channel.VOICE:
        found = _SPOKEN_KEY.findall(screen)
    own = {keys.back: "back", keys.main: "main", keys.repeat: "repeat", keys.operator: "operator"}
    common = [f"{key}={word}" for key, word in own.items() if key and key not in found]
    return [*dict.fromkeys(found), *common]


# The log


def log(turn: Turn, flows: FlowSet) -> list[str]:
    """Return the right side: the steps with what came of each, answers below their requests."""
    left = [line for line in turn.lines if not line.startswith(("<", ">", "■"))]
    heard = list(turn.heard)
    rows = [f"> {_masked(turn.line)}"] if turn.line else []
    for flow, number, branches in _steps(turn.steps):
        step = flows.flows[flow].program[number]
        if not step.verb:
            continue
        way = f" → {', '.join(branches)}" if branches else ""
        at = step.place.file.removeprefix("flows/")
        rows.append(f"{at}:{step.line} {step.verb}{way}")
        for line in list(left):
            if line.startswith((f"· {step.verb} ", f"! {_FAULTS.get(step.verb, step.verb)} ")):
                left.remove(line)
                rows += _told(line, heard)
                break
    for line in left:
        rows += _told(line, heard)
    if turn.fault:
        rows.append(f"! {turn.fault}")
    return rows


_FAULTS = {"refuse": "refused"}


def _steps(trace: tuple[tuple[str, int, str], ...]) -> list[tuple[str, int, list[str]]]:
    """Return the trace with the branches of each step at the step."""
    found: list[tuple[str, int, list[str]]] = []
    for flow, number, branch in trace:
        same = bool(found) and found[-1][:2] == (flow, number)
        if same and branch:
            found[-1][2].append(branch)
        elif same and not found[-1][2]:
            continue  # the step was entered anew with what it had to look up
        else:
            found.append((flow, number, [branch] if branch else []))
    return found


def _told(line: str, heard: list[Heard]) -> list[str]:
    rows = [f"  {_masked(line)}"]
    if line.startswith("· request ") and heard:
        answer = heard.pop(0)
        if answer.value:
            rows.append(f"    {_masked(_shown(answer.value))}")
        if answer.made_up:
            rows.append("    (made up: no test file answers; given … changes it)")
    return rows


def _shown(value: Value) -> str:
    """Return a value as a test writes it; secrets show only dots."""
    match value:
        case bool():
            return "yes" if value else "no"
        case dict():
            return "{ " + ", ".join(f"{name}: {_shown(inner)}" for name, inner in value.items()) + " }"
        case list() | tuple():
            return "[" + ", ".join(map(_shown, value)) + "]"
        case None:
            return "none"
    return str(value)


def _masked(line: str) -> str:
    return _PHONE.sub(lambda match: masked_number(match[0]), line)


def _cut(line: str, room: int) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.wrap(line, room, subsequent_indent=indent, drop_whitespace=True) or [""]


def _painted(line: str, colours: bool) -> str:
    if not colours or not line:
        return line
    mark = line.lstrip()[:1]
    paint = {"!": _RED, ">": _BOLD, "·": "", "(": _DIM}.get(mark, _DIM)
    return f"{paint}{line}{_PLAIN}" if paint else line


def _clock(turn: Turn, flows: FlowSet) -> datetime:
    return datetime.fromtimestamp(turn.now / 1000, flows.project.zone)


def triggers(flows: FlowSet) -> list[str]:
    """Return what may be dialled, called and written, with the titles of the flows."""
    rows = []
    for flow in flows.flows.values():
        ways = [code.pattern for code in flow.ussd]
        ways += [f"call {number}" for number in flow.call]
        for message in flow.sms:
            words = ", ".join(message.words) or message.pattern or "any text"
            ways.append(f"sms {message.to} {words}")
        ways += [f"event {trigger.event}" for trigger in flow.events]
        if flow.outbound is not None:
            ways.append(f"event {flow.outbound.event}")
        rows.append(f"{flow.id:<20} {'; '.join(ways) or f'run {flow.id}'}  ({flow.title})")
    return rows
