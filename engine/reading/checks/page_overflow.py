"""`page-overflow`: a USSD screen that needs several pages at best, or a word that no page can hold."""

from __future__ import annotations

from collections.abc import Iterator

from engine.capabilities import Channel, PageBudget
from engine.flow import Step
from engine.phrase import phrases
from engine.prompts import Footer, fits, paginate
from engine.reading.checks.room import shortest, size_in, units
from engine.reading.checks.survey import Survey
from engine.reading.diagnostic import Report
from engine.steps.ask import Ask
from engine.steps.end import End
from engine.steps.hangup import HangUp
from engine.steps.menu import Menu
from engine.steps.refuse import Refuse
from engine.wording import Wording

CODES = ("page-overflow",)


def check(survey: Survey, report: Report) -> None:
    """Measure every screen in every language of the project, with values as short as can be."""
    keys = survey.flows.project.capabilities[Channel.USSD]
    if keys.pages is None:
        return
    for passage, _, step, _ in survey.steps():
        if passage.channel != "ussd":
            continue
        for language in survey.flows.project.languages:
            words = phrases(language)
            footer = Footer(f"{keys.more} {words.more}", f"{keys.back} {words.back}" if keys.back else "")
            for screen, last, written in _screens(step, language):
                _measure(survey, step, written, screen, last, keys.pages, footer, report)


def _measure(
    survey: Survey,
    step: Step,
    language: str,
    screen: str,
    last: bool,
    budget: PageBudget,
    footer: Footer,
    report: Report,
) -> None:
    if fits(screen, budget):
        return
    place = survey.place_of(step, screen)
    size, room = units(screen, budget)
    longest = max(screen.split(), key=lambda word: size_in(word, screen), default="")
    if last and not fits(f"{longest}\n{footer.more}", budget):
        needed = size_in(longest, screen)
        beside = "" if needed > room else "beside the line for the next page it "
        report.error(
            "page-overflow",
            f"a word of {len(longest)} characters is {needed} of {room} units, "
            f"{beside}does not fit a page and would be cut",
            place,
            help="shorten it, or send it by sms:",
        )
        return
    pages = len(paginate(screen, (), (), budget, footer, 0))
    report.warning(
        "page-overflow",
        f"screen needs {pages} pages in {language} ({size} of {room} units); pages break between lines",
        place,
        help="shorten it, or send the long part by sms:",
    )


def _screens(step: Step, language: str) -> Iterator[tuple[str, bool, str]]:
    """Return the screens of a step, each with whether it is a last one, and the language it is written in.

    A text without a translation is shown as it stands in the flow.
    """
    match step:
        case End(text=text) | HangUp(text=text):
            yield _text(text, language), True, _language(text, language)
        case Refuse(rules=rules):
            for _, text in rules:
                yield _text(text, language), True, _language(text, language)
        case Ask(text=text):
            yield _text(text, language), False, _language(text, language)
        case Menu(text=text, lines=lines, elements=None):
            shown = [f"{line.key} {_text(line.label, language)}" for line in lines if line.show is None]
            yield "\n".join([_text(text, language), *shown]), False, _language(text, language)


def _text(wording: Wording, language: str) -> str:
    form = wording.forms.get(("ussd", language))
    return "" if form is None else shortest(form.template)


def _language(wording: Wording, language: str) -> str:
    form = wording.forms.get(("ussd", language))
    return language if form is None else form.lang
