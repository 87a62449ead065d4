"""Every verb has vectors as data; a verb without them fails here."""

from __future__ import annotations

from typing import Any

import pytest

from engine.flow import Step
from engine.reading.fields import Field
from engine.steps import VERBS
from tests.engine.machine.script import ROOT, cases, compiled, play

CASES = cases("steps")


@pytest.mark.parametrize("case", [case for _, case in CASES], ids=[name for name, _ in CASES])
def test_vector(case: dict[str, Any]) -> None:
    expected, actual = play(case)
    assert actual == expected


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_vectors(verb: str) -> None:
    path = ROOT / "tests" / "scenarios" / "steps" / f"{verb}.yaml"
    assert path.is_file(), f"{verb} has no vectors: write {path.relative_to(ROOT)}"
    assert any(f"- {verb}:" in text for name, case in CASES for text in case["flows"].values())


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_documented(verb: str) -> None:
    kind = VERBS[verb]
    assert issubclass(kind, Step)
    assert kind.FIELDS[0].name == verb
    assert kind.EXAMPLE.startswith(f"- {verb}:")
    assert all(isinstance(field, Field) and field.doc for field in kind.FIELDS)


EXAMPLE_FRAME = """
flow: {{ title: t, takes: {{ p: text, a: text, x: text, h: text, code: text, same: bool }} }}
start:
{example}
{scenes}
"""
SCENES = ("turn_off", "turn_on", "free", "poor", "pay", "monthly", "daily", "finish", "later")
BACKENDS = """
billing: { package: { get: /p } }
"""
PROJECT = """
language: 1
languages: [ru]
memory: { wrong_code: 1d }
queues: { support: {} }
connect: { allow: ["74957660166"] }
"""


@pytest.mark.parametrize("verb", VERBS)
def test_the_documented_example_compiles(verb: str) -> None:
    example = "\n".join(f"  {line}" for line in VERBS[verb].EXAMPLE.splitlines())
    scenes = "\n".join(f"{name}: [ {{ end: x }} ]" for name in SCENES)
    flows = {
        "m": EXAMPLE_FRAME.format(example=example, scenes=scenes),
        "top_up": "flow: { title: t, takes: { code: text } }\nstart: [ { end: x } ]\n",
        "identify": "flow: { title: t }\nstart: [ { end: x } ]\n",
    }
    flow = compiled(flows, PROJECT, BACKENDS).flows["m"]
    assert any(step.verb == verb for step in flow.program)


@pytest.mark.parametrize("case", [case for _, case in CASES], ids=[name for name, _ in CASES])
def test_a_session_that_is_never_written_takes_the_same_way(case: dict[str, Any]) -> None:
    expected, actual = play(case, restart=False)
    assert actual == expected
