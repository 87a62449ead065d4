"""`dead-end`: a way on which a session ends without a word, so the subscriber looks at nothing.

For each flow and channel it is found out whether something has been said since the last question when the
flow is left; what a flow says goes on to the flow that ran it. Who is written to without having asked for it
waits for nothing until he is asked, and whoever does not answer an SMS need not get another one.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.flow import Step
from engine.reading.checks.passage import Passage, is_question
from engine.reading.checks.survey import TEXT_CHANNELS, Key, Survey
from engine.reading.diagnostic import Report
from engine.steps.end import End
from engine.steps.for_ import For, ForStart
from engine.steps.queue import Queue
from engine.steps.refuse import Refuse
from engine.steps.return_ import Return
from engine.steps.run_ import Run
from engine.steps.say import Say
from engine.target import Leave, Quit
from engine.wording import Wording

CODES = ("dead-end",)

Mood = frozenset[bool]
"""Whether something has been said, on the ways to a step: True, False, or both."""

Summary = Mapping[tuple[Key, bool], Mood]
"""For a flow in a channel, entered silent or not: how it is left."""


def check(survey: Survey, report: Report) -> None:
    """Follow what is said from the triggers to the ends."""
    summary = _summaries(survey)
    for key, passage in survey.passages.items():
        if passage.channel not in TEXT_CHANNELS or key[0] in survey.unstarted:
            continue
        top = survey.starts[key].trigger
        moods = _moods(passage, top and not _asked_for(passage), summary)
        for number, step, _ in passage.steps():
            if number not in moods:
                continue
            for label, mood, target in _behind(passage, number, moods[number], summary):
                last = passage.flow.program[target]
                ends = isinstance(last, Quit) or (top and isinstance(last, Leave))
                if ends and False in mood:
                    branch = f" ({label})" if label and len(passage.ways(number)) > 1 else ""
                    report.warning(
                        "dead-end",
                        f"this way{branch} ends without saying anything (channel {passage.channel})",
                        step,
                        help="end: with a last word",
                    )
            if top and isinstance(step, End) and False in moods[number] and not _says(step.text, passage):
                report.warning(
                    "dead-end",
                    f"this end has no text for channel {passage.channel}",
                    step,
                    help="write text: for USSD and SMS",
                )


def _asked_for(passage: Passage) -> bool:
    """Whether the subscriber begins the session himself."""
    flow = passage.flow
    return bool(flow.ussd if passage.channel == "ussd" else flow.sms)


def _says(text: Wording, passage: Passage) -> bool:
    return any(channel == passage.channel for channel, _ in text.forms)


def _behind(passage: Passage, number: int, mood: Mood, summary: Summary) -> list[tuple[str, Mood, int]]:
    """Return for each way out of a step what has been said behind it."""
    step = passage.flow.program[number]
    found = []
    for label, target, _ in passage.ways(number):
        if isinstance(step, ForStart):
            # The way past an empty list is the business of a condition in front of the loop.
            head = passage.flow.program[target]
            assert isinstance(head, For)
            target = head.body
        found.append((label, _after(passage, step, label, mood, summary), target))
    return found


def _after(passage: Passage, step: Step, label: str, mood: Mood, summary: Summary) -> Mood:
    if isinstance(step, Say) and _says(step.text, passage):
        return frozenset({True})
    if is_question(step) and label != "empty":
        return frozenset({label == "no_input" and passage.channel == "sms"})
    if isinstance(step, Queue) and label == "answered":
        return frozenset({True})  # people have said enough
    if isinstance(step, Run):
        inner = (step.flow, passage.channel)
        return frozenset(said for entered in mood for said in summary.get((inner, entered), frozenset()))
    return mood


def _moods(passage: Passage, said: bool, summary: Summary) -> dict[int, Mood]:
    moods: dict[int, Mood] = {passage.flow.entry: frozenset({said})}
    work = [passage.flow.entry]
    while work:
        number = work.pop()
        for _, mood, target in _behind(passage, number, moods[number], summary):
            merged = moods.get(target, frozenset()) | mood
            if target not in moods or merged != moods[target]:
                moods[target] = merged
                work.append(target)
    return moods


def _summaries(survey: Survey) -> Summary:
    summary: dict[tuple[Key, bool], Mood] = {}
    changed = True
    while changed:
        changed = False
        for key, passage in survey.passages.items():
            for said in (False, True):
                left = _left(passage, _moods(passage, said, summary))
                if left != summary.get((key, said), frozenset()):
                    summary[key, said] = left
                    changed = True
    return summary


def _left(passage: Passage, moods: Mapping[int, Mood]) -> Mood:
    found: set[bool] = set()
    for number, mood in moods.items():
        step = passage.flow.program[number]
        if isinstance(step, End):
            found |= {True} if _says(step.text, passage) else mood
        elif isinstance(step, Refuse):
            found.add(True)
        elif isinstance(step, Leave | Return):
            found |= mood
    return frozenset(found)
