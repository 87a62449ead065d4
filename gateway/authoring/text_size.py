"""How large the texts of a project are in each language, with values as long as their types allow."""

from __future__ import annotations

from dataclasses import dataclass

from engine.capabilities import Channel, PageBudget
from engine.expressions.narrowing import Types
from engine.flow_set import FlowSet
from engine.prompts import Footer, paginate
from engine.reading.checks.fragment import every_wording
from engine.reading.checks.room import Longest, sms_parts, units
from engine.reading.checks.survey import surveyed
from engine.wording import Wording


@dataclass(frozen=True, slots=True)
class Size:
    """Units of the alphabet the text needs, the room of a USSD page in them, pages, and parts of an SMS."""

    units: int
    room: int
    pages: int
    parts: int


Sizes = dict[tuple[str, str], Size]
"""By (source text, language)."""


def text_sizes(flows: FlowSet) -> Sizes:
    """Measure every text in every language it is written in; of two places the larger one counts."""
    budget = flows.project.capabilities[Channel.USSD].pages or PageBudget()
    found: Sizes = {}
    for passage, _, step, types in surveyed(flows).steps():
        main = passage.flow.languages[0]
        for wording in every_wording(step):
            _measure(wording, passage.channel, main, types, budget, found)
    for text in (flows.project.ussd_late, flows.project.ussd_unknown, flows.project.sms_stopped):
        found[text.strip(), flows.project.languages[0]] = _size(text, budget)
        for language, texts in flows.project.translated.items():
            if text in texts:
                found[text.strip(), language] = _size(texts[text], budget)
    return found


def _measure(
    wording: Wording, channel: str, main: str, types: Types, budget: PageBudget, found: Sizes
) -> None:
    own = wording.forms.get((channel, main))
    if own is None:
        return
    source = own.template.source.strip()
    for (where, language), form in wording.forms.items():
        if where != channel or form.lang != language:
            continue
        size = _size(Longest(form.template, types).text(), budget)
        known = found.get((source, language))
        if known is None or (size.pages, size.units) > (known.pages, known.units):
            found[source, language] = size


def _size(text: str, budget: PageBudget) -> Size:
    size, room = units(text, budget)
    pages = len(paginate(text, (), (), budget, Footer(), 0))
    return Size(size, room, pages, sms_parts(text))
