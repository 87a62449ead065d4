"""One line of the terminal handset as a step of a test: `sms 9290 баланс`, `wait 31m`, `1`.

What is typed is read by the words of the test language, so that everything learnt at the handset can be
written into a test. This module does not know sessions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.reading.diagnostic import Place, Report
from engine.reading.tree import Empty, Entry, Node, Table, Text
from engine.reading.yaml_text import read_tree
from engine.testing.case import Action

PLACE = Place("phone", 1, 1)
CODE = re.compile(r"[*#][0-9*#]*#")
"""What a subscriber dials for USSD; a lone `#` is a key."""

HELP = """\
*100#  or  dial 0890             dial a code, call a number
1  or  press 1, text …           answer what is asked; in a call, say … speaks
sms 9290 words                   send a message
silence, hangup, wait 31m        nobody answers; leave; time goes by
given billing.package balance=10     change some fields of an answer
given billing.package unknown        let it fail; or a whole answer { … }
given queue.support closed           also memory.x, recent.x, expected_wait.x, now, announcement
agent solved, busy, no answer    people: answer, hangup, solved, unsolved, escalate
event name field=value           something has happened
run flow input=value over=voice  start a flow without a trigger
from 79161234567                 be another subscriber
flows, help, quit"""

_PLAIN = frozenset({"silence", "hangup", "busy", "no answer"})
_TEXTS = frozenset({"press", "say", "wait", "agent"})
_PAIR = re.compile(r"([A-Za-z_][A-Za-z0-9_.]*)=")


class CommandError(Exception):
    """A line that is no command; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Given:
    """`given`: a name, and either a whole answer or some of its fields."""

    name: str
    whole: Node | None
    fields: tuple[Entry, ...]


def text_node(value: str) -> Text:
    """Return a text as a node of a test."""
    return Text(value, PLACE, quoted=True)


def action(word: str, value: str = "", fields: dict[str, Node] | None = None) -> Action:
    """Return a step of a test."""
    return Action(word, text_node(value) if value else Empty(PLACE), fields or {}, PLACE)


def deed(line: str, caller: str) -> Action | None:
    """Return what a line does, None if it is no command but an answer. Raises CommandError."""
    word, _, rest = line.partition(" ")
    rest = rest.strip()
    who: dict[str, Node] = {"from": text_node(caller)}
    if CODE.fullmatch(line):
        return action("dial", line, who)
    if line in _PLAIN:
        return action(line)
    if word in ("dial", "call"):
        return action("dial", _needed(rest, f"{word} *100#"), who)
    if word == "sms":
        to, _, text = rest.partition(" ")
        fields = {"to": text_node(_needed(to, "sms 9290 words")), **who}
        return Action("text", text_node(text.strip()), fields, PLACE)
    if word == "text":
        return Action("text", text_node(rest), dict(who), PLACE)
    if word in _TEXTS:
        return action(word, _needed(rest, f"{word} …"))
    if word in ("event", "run"):
        return _started(word, _needed(rest, f"{word} name field=value"))
    return None


def _started(word: str, rest: str) -> Action:
    name, _, tail = rest.partition(" ")
    entries = pairs(tail)
    fields: dict[str, Node] = {entry.key.value: entry.value for entry in entries if entry.key.value == "over"}
    inner = tuple(entry for entry in entries if entry.key.value != "over")
    if inner:
        fields["with"] = Table(inner, PLACE, flow=True)
    return action(word, name, fields)


def given(rest: str) -> Given:
    """Read what stands behind `given`. Raises CommandError."""
    name, _, tail = _needed(rest, "given billing.package balance=10").partition(" ")
    tail = tail.strip()
    if not tail:
        raise CommandError(
            f"given {name} needs an answer: {{ field: value }}, field=value or an error's name"
        )
    if _PAIR.match(tail):
        return Given(name, None, pairs(tail))
    return Given(name, value_node(tail), ())


def pairs(text: str) -> tuple[Entry, ...]:
    """Read `tariff=Smart fee=490 name=Наш Smart`; a value goes on to the next name. Raises CommandError."""
    text = text.strip()
    if not text:
        return ()
    starts = list(re.finditer(rf"(?:^|(?<=\s)){_PAIR.pattern}", text))
    if not starts or starts[0].start():
        raise CommandError(f'"{text}" is not written as field=value')
    ends = [*(match.start() for match in starts[1:]), len(text)]
    return tuple(
        Entry(Text(match[1], PLACE), value_node(text[match.end() : end].strip()))
        for match, end in zip(starts, ends, strict=True)
    )


def value_node(text: str) -> Node:
    """Read a value: `{ }` and `[ ]` as in a file, everything else as a text. Raises CommandError."""
    if text[:1] not in ("{", "["):
        return text_node(text.strip('"')) if text else Empty(PLACE)
    report = Report()
    tree = read_tree(text, "phone", report)
    if tree is None or report.has_errors:
        raise CommandError(report.diagnostics[0].message)
    return tree


def _needed(text: str, example: str) -> str:
    if not text:
        raise CommandError(f"something is missing: {example}")
    return text
