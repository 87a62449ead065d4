"""What a project says in calls, as a script for the studio: text, file, length, where it is used.

Made from the flows as they are compiled: fixed words of every text that a call may reach, also in the
project's own blocks (`errors`, `operator`), the forms of what is counted, the words of the engine, and the
parts of numbers, money, days and terms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.flow import Step
from engine.flow_set import FlowSet
from engine.phrase import own_words
from engine.reading.checks.fragment import shown
from engine.reading.checks.survey import Survey, surveyed
from engine.reading.diagnostic import Place
from engine.steps.say import Say
from ivr.numerals import tongue
from ivr.sounds import text_name, value_name

LETTERS_A_SECOND = 14
"""How fast a speaker reads, for an estimate."""

TEXT, NOUN, ENGINE, VALUE = "text", "noun", "engine", "value"


@dataclass(frozen=True, slots=True)
class Line:
    """One recording. `name` is its path below the sounds without ending, `uses` where it is heard.

    `kind`: `text` of a flow, `noun` that is counted, `engine` for what every project says, `value` for a part
    of numbers, money, days and terms.
    """

    lang: str
    name: str
    text: str
    kind: str
    uses: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """How long it takes to say, about."""
        return max(0.4, round(len(self.text) / LETTERS_A_SECOND, 1))


def script(flows: FlowSet) -> tuple[Line, ...]:
    """Return everything that has to be recorded, texts of flows first, in the order of the flows' files."""
    survey = surveyed(flows)
    if not any(passage.channel == "voice" for passage in survey.passages.values()):
        return ()
    lines: dict[str, Line] = {}
    uses: dict[str, list[Place]] = {}
    for line, place in _texts(survey):
        lines.setdefault(line.name, line)
        uses.setdefault(line.name, []).append(place)
    for line in _always(flows):
        lines.setdefault(line.name, line)
    return tuple(_with_uses(line, uses.get(line.name, ())) for line in lines.values())


def _heard(survey: Survey) -> list[Step]:
    """Return every step that a call may reach, those of the flows first, then the project's."""
    own: list[Step] = []
    shared: list[Step] = []
    for passage in survey.passages.values():
        for number in passage.types if passage.channel == "voice" else ():
            step = passage.flow.program[number]
            if step.verb:
                (own if step.place.file == passage.flow.file else shared).append(step)
    return own + shared


def _texts(survey: Survey) -> Iterator[tuple[Line, Place]]:
    for step in _heard(survey):
        if isinstance(step, Say) and step.sound is not None:
            for template in shown(step, "voice"):
                name = f"{template.language}/{step.sound}"
                yield Line(template.language, name, template.constant or template.source, TEXT), step.place
            continue
        for template in shown(step, "voice"):
            lang = template.language
            for words in template.speech.phrases:
                yield Line(lang, text_name(lang, words), words, TEXT), step.place
            for forms in template.speech.nouns:
                for form in forms:
                    yield Line(lang, text_name(lang, form), form, NOUN), step.place


def _always(flows: FlowSet) -> Iterator[Line]:
    project = flows.project
    for lang in project.languages:
        for words in own_words(lang):
            yield Line(lang, text_name(lang, words), words, ENGINE)
        rules = tongue(lang)
        if rules is not None:
            for part, words in rules.script(project.currency).items():
                yield Line(lang, value_name(lang, part), words, VALUE)


def _with_uses(line: Line, places: Sequence[Place]) -> Line:
    found: Mapping[str, None] = dict.fromkeys(f"{place.file}:{place.line}" for place in places)
    return Line(line.lang, line.name, line.text, line.kind, tuple(found))
