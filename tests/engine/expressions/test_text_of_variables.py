"""A text with nothing but variables in it is joined in one call; it says what the general way says."""

from __future__ import annotations

import itertools

import pytest

from engine.expressions import ExpressionFailed, Scope, Template, World, compile_template, text
from engine.expressions.text_form import MAX_NUMBER
from engine.reading.diagnostic import Place
from engine.values import Secret, Value

TEXTS = ("{{ a }}", "Осталось {{ a }} из 100% у {{ b }}", "Две\nстроки {{ a }}", "{{ a }}{{ b }}")
VALUES: tuple[Value, ...] = (
    0,
    -17,
    MAX_NUMBER - 1,
    MAX_NUMBER,
    -MAX_NUMBER,
    1 - MAX_NUMBER,
    10**5_000,
    True,
    None,
    "Мир",
    "",
    "две\nстроки",
    "\u202eнаоборот",
    "%s",
    "д" * 30,
    "д" * 2_100,
    Secret("1234"),
    [1],
    {"a": 1},
)


def outcome(template: Template, scope: Scope) -> tuple[str, str]:
    try:
        said = template.render(scope)
    except ExpressionFailed as failure:
        return "failed", failure.message
    return ("secret", said.reveal()) if isinstance(said, Secret) else ("said", said)


@pytest.mark.parametrize("source", TEXTS)
def test_both_ways_say_the_same(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place("a.yaml", 1, 1)
    quick = compile_template(source, place)
    monkeypatch.setattr(text, "_of_variables", lambda parts, names, render: render)
    general = compile_template(source, place)
    for a, b in itertools.product(VALUES, VALUES):
        scope = Scope({"a": a, "b": b}, World())
        assert outcome(quick, scope) == outcome(general, scope)
    assert outcome(quick, Scope({}, World())) == outcome(general, Scope({}, World()))
