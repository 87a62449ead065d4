"""`slow`: requests in a row that may take longer than a USSD dialog can wait for its screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine.reading.checks.passage import Passage, is_question
from engine.reading.checks.survey import Key, Survey
from engine.reading.diagnostic import Report
from engine.steps.request import Request
from engine.steps.run_ import Run

CODES = ("slow",)


@dataclass(frozen=True, slots=True)
class Row:
    """Requests with nothing shown between them: how long they may take, and how many they are."""

    time_ms: int = 0
    number: int = 0

    def after(self, other: Row) -> Row:
        """Return both rows together."""
        return Row(self.time_ms + other.time_ms, self.number + other.number)


@dataclass(frozen=True, slots=True)
class Flowing:
    """A flow as its callers see it: the longest row up to its first question, and one up to its end."""

    first: Row
    through: Row


def check(survey: Survey, report: Report) -> None:
    """Add up the longest rows of requests from every screen to the next."""
    limit = survey.flows.project.ussd_reply_ms
    flowing: dict[Key, Flowing] = {}
    for key in _inner_first(survey):
        passage = survey.passages[key]
        rows = _rows(passage, flowing)
        flowing[key] = Flowing(rows[0][passage.flow.entry], rows[1][passage.flow.entry])
        for start in _starts(passage, survey):
            row = rows[0][start]
            if row.time_ms > limit:
                _slow(passage, start, row, limit, rows[0], report)


def _slow(
    passage: Passage, start: int, row: Row, limit: int, rows: Mapping[int, Row], report: Report
) -> None:
    program = passage.flow.program
    number, seen = start, {start}
    while not isinstance(program[number], Request | Run) or rows[number].time_ms < row.time_ms:
        ahead = [target for _, target, _ in passage.ways(number) if target in rows and target not in seen]
        if not ahead:
            break
        number = max(ahead, key=lambda target: rows[target].time_ms)
        seen.add(number)
    step = program[number]
    if step.place.file != passage.flow.file or not step.verb:
        return
    many = f"{row.number} requests in a row" if row.number > 1 else "this request"
    report.warning(
        "slow",
        f"{many} may take {_seconds(row.time_ms)}; USSD answers within {_seconds(limit)}",
        step,
        help="ask something between them, give them a shorter timeout:, or answer by sms:",
    )


def _seconds(time_ms: int) -> str:
    return f"{time_ms / 1000:g} s"


def _starts(passage: Passage, survey: Survey) -> Iterator[int]:
    """Return where a row begins: at a dialled code, and behind every question."""
    if survey.starts[passage.flow.id, passage.channel].trigger:
        yield passage.flow.entry
    for number, step, _ in passage.steps():
        if is_question(step):
            yield from dict.fromkeys(target for _, target, _ in passage.ways(number))


def _rows(passage: Passage, flowing: Mapping[Key, Flowing]) -> tuple[dict[int, Row], dict[int, Row]]:
    """Return for each step the longest row from it to a screen, and from it to the end of the flow."""
    first: dict[int, Row] = {}
    through: dict[int, Row] = {}
    for number in _last_first(passage):
        step = passage.flow.program[number]
        if is_question(step):
            first[number] = through[number] = Row()
            continue
        targets = [target for _, target, _ in passage.ways(number)]
        ahead = max((first.get(target, Row()) for target in targets), key=_time, default=Row())
        behind = max((through.get(target, Row()) for target in targets), key=_time, default=Row())
        if isinstance(step, Request):
            own = Row(step.operation.timeout_ms if step.timeout_ms is None else step.timeout_ms, 1)
            ahead, behind = own.after(ahead), own.after(behind)
        elif isinstance(step, Run):
            inner = flowing.get((step.flow, passage.channel), Flowing(Row(), Row()))
            ahead = max(inner.first, inner.through.after(ahead), key=_time)
            behind = inner.through.after(behind)
        first[number], through[number] = ahead, behind
    return first, through


def _time(row: Row) -> int:
    return row.time_ms


def _last_first(passage: Passage) -> list[int]:
    """Return the steps of a passage so that what follows a step comes before it, circles cut open."""
    order: list[int] = []
    seen: set[int] = set()
    for root in passage.types:
        if root in seen:
            continue
        seen.add(root)
        work = [(root, iter(passage.ways(root)))]
        while work:
            number, rest = work[-1]
            way = next((way for way in rest if way[1] not in seen and way[1] in passage.types), None)
            if way is None:
                order.append(number)
                work.pop()
            else:
                seen.add(way[1])
                work.append((way[1], iter(passage.ways(way[1]))))
    return order


def _inner_first(survey: Survey) -> list[Key]:
    """Return the USSD passages so that a flow comes before those that run it."""
    order: list[Key] = []
    seen: set[Key] = set()
    for root in survey.passages:
        if root[1] != "ussd" or root in seen:
            continue
        seen.add(root)
        work = [(root, iter(_inner(survey, root)))]
        while work:
            key, rest = work[-1]
            inner = next((one for one in rest if one not in seen), None)
            if inner is None:
                order.append(key)
                work.pop()
            else:
                seen.add(inner)
                work.append((inner, iter(_inner(survey, inner))))
    return order


def _inner(survey: Survey, key: Key) -> list[Key]:
    passage = survey.passages[key]
    steps = (passage.flow.program[number] for number in passage.types)
    found = ((step.flow, key[1]) for step in steps if isinstance(step, Run))
    return [inner for inner in found if inner in survey.passages]
