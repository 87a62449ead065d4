"""Whatever stands in a file: the compiler reports it with a place, and never falls over."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from engine.reading.flow_set import load_project
from tests.engine.machine.script import BACKENDS, PROJECT, compiled

FLOW = """
flow:
  title: t
  topic: a
  ussd: "*55*{a:int}#"
  sms: { to: "1", words: [слово] }
  event: { on: b.done, each: event.x as r, to: r, hours: 08:00-22:00 }
  takes: { q: text }
  returns: bool
  operator: { say: x }
  hangup: { sms: y }
  errors: { text: { say: z } }
  keep: 2h
  languages: [ru]
  dial_ahead: no
start:
  - ask: a
    save: b
    type: digits
    digits: 4-6
    check: it
    hint: h
    tries: 2
    timeout: 3s
    no_input: again
    no_match: { say: x }
    default: "5555"
    secret: yes
  - menu: { text: a, voice: b }
    each: rates as x
    item: "{{ x }}"
    empty: end
    0 Да: back
    show: { 0: yes }
    save: l
  - request: b.buy
    with: { fee: 1 }
    save: r
    errors: { unknown: end, else: again }
    timeout: 3s
    key: "{{ q }}"
  - when: { q: end, else: main }
  - switch: q
    cases: { x: end, else: { hangup: f } }
  - repeat: 3
    until: q
    do: [ { log: x } ]
  - for: y
    in: rates
    max: 3
    do: { say: "{{ y }}" }
  - set: { c: 1, lang: "'ru'" }
  - remember: stop
    to: caller
    save: n
  - forget: stop
  - run: m
    with: { a: 1 }
    save: g
  - sms: x
    to: caller
    from: "1"
    secret: yes
  - refuse: { q: { text: x } }
  - return: yes
"""
FILES = {"flows/m.yaml": FLOW, "config/project.yaml": PROJECT, "config/backends.yaml": BACKENDS}
VALUES: list[Any] = [
    "", [], {}, "x", "5", ["a", "b"], {"a": "b"}, [["a"]], {"say": "x"}, [{"say": "x"}], [{}], [None],
    {"a": {"b": {"c": "d"}}}, "{{ x }}", "{{", "a b c", "as", "x as y", "-", "1-", "5s", "again", "end", None,
]  # fmt: skip
KEYS = ["x", "5", "menu", "if", "else", "1 a", "#", "flow", "end", "", " "]


def paths(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(node, dict):
        for key, value in node.items():
            yield from paths(value, (*path, key))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from paths(value, (*path, number))


def mutated(tree: Any, chance: random.Random) -> Any:
    tree = copy.deepcopy(tree)
    for _ in range(chance.randint(1, 3)):
        path = chance.choice(list(paths(tree)) or [()])
        if not path:
            break
        parent = tree
        for part in path[:-1]:
            parent = parent[part]
        if isinstance(parent, list) or chance.random() < 0.8:
            parent[path[-1]] = copy.deepcopy(chance.choice(VALUES))
        else:
            parent[chance.choice(KEYS)] = parent.pop(path[-1])
    return tree


def test_the_flow_that_is_mutated_is_right() -> None:
    assert compiled({"m": FLOW}).flows["m"].entry


@pytest.mark.parametrize("seed", range(6))
def test_other_shapes(seed: int) -> None:
    chance = random.Random(seed)
    trees = {name: yaml.load(text, Loader=yaml.BaseLoader) for name, text in FILES.items()}
    for _ in range(40):
        name = chance.choice(list(FILES))
        text = yaml.safe_dump(mutated(trees[name], chance), allow_unicode=True, sort_keys=False)
        flows, report = load_project(FILES | {name: text})
        assert (flows is None) == report.has_errors
        assert all(found.place.line >= 1 and found.message for found in report.diagnostics)


@pytest.mark.parametrize("seed", range(6))
def test_other_characters(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(40):
        name = chance.choice(list(FILES))
        text = FILES[name]
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(text))
            text = (
                text[:at]
                + chance.choice(["", "{", "]", ":", "- ", '"', "\n", "#", "é", "\x00"])
                + text[at + 1 :]
            )
        flows, report = load_project(FILES | {name: text})
        assert (flows is None) == report.has_errors
