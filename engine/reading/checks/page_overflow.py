"""`page-overflow`: a USSD screen that needs several pages, or a word that no page can hold.

A screen is measured as it is when every value is as long as its type allows, in every language. Where it
takes a long text from outside to fill the page, that is a hint.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.capabilities import Channel, PageBudget
from engine.expressions import narrowed_by
from engine.expressions.narrowing import Types
from engine.flow import Step
from engine.phrase import phrases
from engine.prompts import Footer, fits, paginate
from engine.reading.checks.room import TEXT_LENGTH, Longest, shortest, size_in, units
from engine.reading.checks.survey import Survey
from engine.reading.diagnostic import Report
from engine.steps.ask import Ask
from engine.steps.end import End
from engine.steps.hangup import HangUp
from engine.steps.menu import Menu
from engine.steps.rate import Rate
from engine.steps.refuse import Refuse
from engine.wording import Wording

CODES = ("page-overflow",)


@dataclass(frozen=True, slots=True)
class Screen:
    """A screen at its shortest, and at its longest with short and with long texts from outside.

    `guessed` is such a text.
    """

    least: str
    bounded: str
    most: str
    guessed: str
    last: bool
    language: str


def check(survey: Survey, report: Report) -> None:
    """Measure every screen in every language of the project."""
    keys = survey.flows.project.capabilities[Channel.USSD]
    if keys.pages is None:
        return
    for passage, _, step, types in survey.steps():
        if passage.channel != "ussd":
            continue
        for language in survey.flows.project.languages:
            words = phrases(language)
            footer = Footer(f"{keys.more} {words.more}", f"{keys.back} {words.back}" if keys.back else "")
            for screen in screens(step, language, types):
                _measure(survey, step, screen, keys.pages, footer, report)


def _measure(
    survey: Survey, step: Step, screen: Screen, budget: PageBudget, footer: Footer, report: Report
) -> None:
    if fits(screen.most, budget):
        return
    place = survey.place_of(step, screen.least)
    size, room = units(screen.least, budget)
    longest = max(screen.least.split(), key=lambda word: size_in(word, screen.least), default="")
    if screen.last and not fits(f"{longest}\n{footer.more}", budget):
        needed = size_in(longest, screen.least)
        beside = "" if needed > room else "beside the line for the next page it "
        report.error(
            "page-overflow",
            f"a word of {len(longest)} characters is {needed} of {room} units, "
            f"{beside}does not fit a page and would be cut",
            place,
            help="shorten it, or send it by sms:",
        )
        return
    sure, known = not fits(screen.least, budget), not fits(screen.bounded, budget)
    shown = screen.least if sure else screen.bounded if known else screen.most
    size, room = units(shown, budget)
    pages = len(paginate(shown, (), (), budget, footer, 0))
    when = " at its longest" if known else f" when {screen.guessed} has {TEXT_LENGTH} characters"
    say = report.warning if sure or known else report.hint
    say(
        "page-overflow",
        f"screen {'needs' if sure else 'may need'} {pages} pages in {screen.language} "
        f"({size} of {room} units){'' if sure else when}; pages break between lines",
        place,
        help="shorten it, or send the long part by sms:",
    )


def screens(step: Step, language: str, types: Types) -> Iterator[Screen]:
    """Return the screens of a step.

    A text without a translation is shown as it stands in the flow.
    """
    match step:
        case End(text=text) | HangUp(text=text):
            yield _screen(text, language, types, last=True)
        case Refuse(rules=rules):
            for test, text in rules:
                yield _screen(text, language, narrowed_by(test, types, True), last=True)
                types = narrowed_by(test, types, False)
        case Ask(text=text, kind=kind):
            words = phrases(language)
            below = (f"1 {words.yes}", f"2 {words.no}") if kind == "yes_no" else ()
            yield _screen(text, language, types, below)
        case Rate(text=text):
            yield _screen(text, language, types)
        case Menu(text=text, lines=lines, elements=None):
            shown = [line for line in lines if line.show is None]
            labels = [_screen(line.label, language, types) for line in shown]
            head = _screen(text, language, types)
            keys = [line.key for line in shown]
            yield Screen(
                _listed(head.least, keys, [label.least for label in labels]),
                _listed(head.bounded, keys, [label.bounded for label in labels]),
                _listed(head.most, keys, [label.most for label in labels]),
                next((one.guessed for one in (head, *labels) if one.guessed), ""),
                False,
                head.language,
            )


def _listed(head: str, keys: list[str], labels: list[str]) -> str:
    return "\n".join([head, *(f"{key} {label}" for key, label in zip(keys, labels, strict=True))])


def _screen(
    wording: Wording, language: str, types: Types, below: tuple[str, ...] = (), *, last: bool = False
) -> Screen:
    form = wording.forms.get(("ussd", language))
    if form is None:
        nothing = "\n".join(below)
        return Screen(nothing, nothing, nothing, "", last, language)
    longest, bounded = Longest(form.template, types), Longest(form.template, types, unknown=1)
    least, between, most = (
        "\n".join((text, *below)) for text in (shortest(form.template), bounded.text(), longest.text())
    )
    return Screen(least, between, most, next(iter(longest.guessed), ""), last, form.lang)
