"""A test file as data: cases with their steps, rows already put in; nodes keep their places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.reading.diagnostic import Place
from engine.reading.tree import Node


@dataclass(frozen=True, slots=True)
class Action:
    """One step of a case: its word, what stands behind it, and its further fields."""

    word: str
    value: Node
    fields: Mapping[str, Node]
    place: Place


@dataclass(frozen=True, slots=True)
class Case:
    """One case, or one row of a table case. `answers` are the back ends' as the case begins."""

    name: str
    place: Place
    actions: tuple[Action, ...]
    answers: Mapping[str, Node] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Suite:
    """All cases of a file."""

    file: str
    cases: tuple[Case, ...]
