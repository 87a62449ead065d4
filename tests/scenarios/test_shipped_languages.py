"""The shipped flows in every language of the project: each case is played again in each of them.

What a subscriber sees is looked at, not what the case expects: that is written in the first language.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from engine.background import EventFailedError
from engine.capabilities import Channel
from engine.expressions import ExpressionFailed
from engine.flow_set import FlowSet
from engine.phrase import phrases
from engine.prompts import Footer, fits, paginate
from engine.reading.checks.page_overflow import screens
from engine.reading.checks.project import load_checked
from engine.reading.checks.survey import surveyed
from engine.reading.diagnostic import Report
from engine.reading.tree import Node, Sequence, Table, Text
from engine.testing.case import Action, Case
from engine.testing.case_file import read_suite
from engine.testing.coverage import covered
from engine.testing.player import Player
from engine.testing.step_failure import StepFailedError
from engine.testing.surroundings import NoAnswerError
from engine.testing.talk import RestartError, Talk, open_text
from engine.values import Secret
from gateway.project_files import read_project

ROOT = Path(__file__).parents[2]
LANGUAGES = ("ru", "tg", "en")
LOOKS = re.compile(
    "see|hear|pages|log hides|ended|waiting"
    "|(no )?(sms|request|queue|callback|scheduled|rated|connect|remembered)"
)
"""The words of a case that expect something; the others do something."""
ANSWERS = {"tg": {"да": "ҳа", "нет": "не"}, "en": {"да": "yes", "нет": "no"}}
CYRILLIC = re.compile(r"[а-яёғӣқӯҳҷ]+(?:-[а-яёғӣқӯҳҷ]+)*", re.IGNORECASE)
LANGUAGE_NAMES = frozenset({"язык", "забон", "русский", "тоҷикӣ"})
"""Words of the menu of languages, which is the same in all of them."""
SAME_WORDS = frozenset({"тариф"})
"""Words that are the same in Russian and Tajik."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A text that reached a subscriber: one screen, a sentence of a call, a message."""

    case: str
    channel: str
    text: str


@dataclass(slots=True)
class Watched(Talk):
    """A talk that notes what it shows, as long as nobody chooses another language in it."""

    language: str = ""
    note: Callable[[str, str], None] = print

    def show(self, text: str | Secret, pages: int) -> None:
        Talk.show(self, text, pages)
        if self.session.lang == self.language:
            self.note(self.session.channel, open_text(text))

    def send(self, to: str, sender: str, text: str | Secret) -> None:
        Talk.send(self, to, sender, text)
        if self.session.lang == self.language:
            self.note("sms", open_text(text))


@dataclass(slots=True)
class Subscriber(Player):
    """Somebody who does what a case says, in a language of his own."""

    language: str = ""
    seen: list[tuple[str, str]] = field(default_factory=list)

    def asked_language(self, action: Action) -> str:
        return self.language

    def chosen(self, subscriber: str) -> str:
        return Player.chosen(self, subscriber) or self.language

    def open(self, channel: str, called: str, text: str = "", **more: Any) -> Talk:
        begun = Player.open(self, channel, called, text, **more)
        self.talk = Watched(self.flows, self.world, self.people, self.ledger, begun.session)
        self.talk.language, self.talk.note = self.language, lambda *pair: self.seen.append(pair)
        self.talks[-1] = self.talk
        return self.talk

    def type(self, talk: Talk, text: str, *, spoken: bool = False) -> None:
        Player.type(self, talk, ANSWERS.get(self.language, {}).get(text.lower(), text), spoken=spoken)


@dataclass(slots=True)
class Tour:
    """All cases in one language. `broken` are those that cannot be played to their end."""

    shown: list[Shown] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    trace: list[tuple[str, int, str]] = field(default_factory=list)


@cache
def shipped() -> tuple[FlowSet, tuple[Case, ...]]:
    project = read_project(ROOT)
    flows, _ = load_checked(project.texts)
    assert flows is not None
    report = Report()
    cases = [
        case for name, text in project.tests.items() for case in read_suite(text, name, flows, report).cases
    ]
    assert not report.has_errors
    return flows, tuple(cases)


@cache
def tour(language: str) -> Tour:
    flows, cases = shipped()
    made = Tour()
    for case in cases:
        one = Subscriber(flows, language=language)
        name = f"{case.place.file}: {case.name}"
        try:
            one.prepare(case.answers)
            for action in case.actions:
                if not LOOKS.fullmatch(action.word):
                    one.do(action)
        except (StepFailedError, NoAnswerError, RestartError, ExpressionFailed, EventFailedError) as failed:
            made.broken.append(f"{name}: {failed}")
        made.shown += [Shown(name, channel, text) for channel, text in one.seen]
        made.trace += one.ledger.trace
    return made


def words(node: Node) -> Iterator[str]:
    """Return the Russian words in a part of a case."""
    match node:
        case Text(value=value):
            yield from CYRILLIC.findall(value.lower())
        case Sequence(items=items):
            for item in items:
                yield from words(item)
        case Table(entries=entries):
            for entry in entries:
                yield from words(entry.key)
                yield from words(entry.value)


@cache
def names() -> frozenset[str]:
    """Return the words that come from outside: what back ends answer, what people write, our own name."""
    flows, cases = shipped()
    found = set(CYRILLIC.findall(str(flows.project.consts).lower()))
    for case in cases:
        nodes = [*case.answers.values()]
        for action in case.actions:
            if not LOOKS.fullmatch(action.word):
                nodes += [action.value, *action.fields.values()]
        for node in nodes:
            found.update(words(node))
    return frozenset(found)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_case_can_be_played_and_runs_every_step(language: str):
    flows, _ = shipped()
    assert tour(language).broken == []
    assert [str(unit) for unit in covered(flows, tour(language).trace).missing] == []


def test_no_russian_word_is_left_in_english():
    left = {
        (one.text, word)
        for one in tour("en").shown
        for word in CYRILLIC.findall(one.text.lower())
        if word not in names() | LANGUAGE_NAMES
    }
    assert left == set()


def test_no_line_is_left_in_russian_for_a_tajik():
    """Both are written in Cyrillic letters: what is the same in both was not translated."""
    russian = {line for one in tour("ru").shown for line in one.text.split("\n")}
    left = {
        line
        for one in tour("tg").shown
        for line in one.text.split("\n")
        if line in russian and set(CYRILLIC.findall(line.lower())) - names() - LANGUAGE_NAMES - SAME_WORDS
    }
    assert left == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_screen_that_a_case_shows_fits_its_page(language: str):
    flows, _ = shipped()
    pages = flows.project.capabilities[Channel.USSD].pages
    assert pages is not None
    screens_shown = [one for one in tour(language).shown if one.channel == "ussd"]
    assert len(screens_shown) > 100
    assert [one for one in screens_shown if not fits(one.text, pages)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_at_its_longest_is_cut_into_pages_that_fit_and_lose_nothing(language: str):
    flows, _ = shipped()
    keys = flows.project.capabilities[Channel.USSD]
    assert keys.pages is not None
    said = phrases(language)
    footer = Footer(f"{keys.more} {said.more}", f"{keys.back} {said.back}")
    count = 0
    for passage, _, step, types in surveyed(flows).steps():
        if passage.channel != "ussd":
            continue
        for screen in screens(step, language, types):
            assert screen.language == language, f"{step.place}: not translated"
            ends = Footer(footer.more, footer.back, ends=screen.last)
            cut = paginate(screen.most, (), (), keys.pages, ends, 8)
            over = [page.text for page in cut if not fits(page.text, keys.pages)]
            assert over == [], step.place
            kept = [
                line
                for page in cut
                for line in page.text.split("\n")
                if line not in (footer.more, footer.back)
            ]
            assert "".join(kept).replace(" ", "") == screen.most.replace("\n", "").replace(" ", ""), (
                step.place
            )
            count += 1
    assert count > 50
