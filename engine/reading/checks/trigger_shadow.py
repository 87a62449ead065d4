"""`trigger-shadow`: a message that another flow takes before the one that waits for it.

A text pattern goes before words, and words before "any text" (flow-language 2.2), so a wide pattern may leave
nothing for them.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.flow import SmsTrigger
from engine.reading.checks.survey import Survey
from engine.reading.diagnostic import Place, Report
from engine.trigger import Mailbox, Parameter, SmsTable, words_of
from engine.types import Scalar

CODES = ("trigger-shadow",)

Pattern = tuple[tuple[str, ...] | Parameter, ...]

_REMEDY = "give the pattern a word of its own in front, or another number"


def check(survey: Survey, report: Report) -> None:
    """Look at all numbers that take messages by a pattern."""
    table = survey.flows.messages
    triggers: dict[str, list[tuple[str, SmsTrigger]]] = {}
    for flow in survey.flows.flows.values():
        for trigger in flow.sms:
            triggers.setdefault(trigger.to, []).append((flow.id, trigger))
    for number, box in table.boxes.items():
        if box.patterns:
            _patterns(number, box, triggers.get(number, []), report)
            _words(number, box, table, triggers.get(number, []), report)


def _patterns(number: str, box: Mailbox, triggers: list[tuple[str, SmsTrigger]], report: Report) -> None:
    for at, (pattern, flow) in enumerate(box.patterns):
        own = _written(triggers, flow, pattern)
        for earlier, other in box.patterns[:at]:
            first = _written(triggers, other, earlier)
            if own is not None and first is not None and _covers(earlier, pattern):
                _shadowed(number, own.pattern, own.place, first, report)
                break


def _words(
    number: str, box: Mailbox, table: SmsTable, triggers: list[tuple[str, SmsTrigger]], report: Report
) -> None:
    for _, trigger in triggers:
        if trigger.pattern:
            continue
        for word in trigger.words or ("",):
            for pattern, other in box.patterns:
                first = _written(triggers, other, pattern)
                if first is None:
                    continue
                if _is_all(pattern):
                    _shadowed(number, word, trigger.place, first, report)
                    break
                if word and table.fit(pattern, word) is not None:
                    report.warning(
                        "trigger-shadow",
                        f'sms {number} "{word}" alone is taken by "{first.pattern}" '
                        f"({first.place.file}:{first.place.line})",
                        trigger.place,
                        help=_REMEDY,
                    )
                    break


def _shadowed(number: str, text: str, place: Place, first: SmsTrigger, report: Report) -> None:
    shown = f'"{text}"' if text else "(any text)"
    report.warning(
        "trigger-shadow",
        f'sms {number} {shown} is never reached: "{first.pattern}" '
        f"({first.place.file}:{first.place.line}) takes it",
        place,
        help=_REMEDY,
    )


def _written(triggers: list[tuple[str, SmsTrigger]], flow: str, pattern: Pattern) -> SmsTrigger | None:
    """Return the trigger that a compiled pattern was read from."""
    names = [part.name for part in pattern if isinstance(part, Parameter)]
    words = [word for part in pattern if isinstance(part, tuple) for word in part]
    for id_, trigger in triggers:
        if id_ == flow and trigger.pattern and [name for name, _ in trigger.parameters] == names:
            written = words_of(trigger.pattern)
            if all(word in written for word in words):
                return trigger
    return None


def _is_wide(part: object, last: bool) -> bool:
    return last and isinstance(part, Parameter) and part.type.shape is Scalar.TEXT and part.length is None


def _is_all(pattern: Pattern) -> bool:
    return len(pattern) == 1 and _is_wide(pattern[0], True)


def _groups(pattern: Pattern) -> list[str | Parameter]:
    found: list[str | Parameter] = []
    for part in pattern:
        found += [part] if isinstance(part, Parameter) else list(part)
    return found


def _covers(first: Pattern, second: Pattern) -> bool:
    """Tell whether every message that fits the second pattern fits the first one too."""
    wide, narrow = _groups(first), _groups(second)
    return _fits(wide, narrow, bool(narrow) and _is_wide(narrow[-1], True))


def _fits(wide: Sequence[str | Parameter], narrow: Sequence[str | Parameter], endless: bool) -> bool:
    for at, part in enumerate(wide):
        if at >= len(narrow):
            return False
        if _is_wide(part, at == len(wide) - 1):
            return True
        if endless and at == len(narrow) - 1:
            return False
        if not _takes(part, narrow[at]):
            return False
    return len(wide) == len(narrow)


def _takes(part: str | Parameter, other: str | Parameter) -> bool:
    """Tell whether one word or value of a pattern takes whatever another one takes."""
    if isinstance(part, str):
        return part == other
    if part.type.shape is Scalar.TEXT and part.length is None:
        return True
    return isinstance(other, Parameter) and (part.type, part.length) == (other.type, other.length)
