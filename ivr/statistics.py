"""Figures of a queue in an hour, as the operators publish them, each with what it is a share of.

`offered` counts the callers who came to the queue and whose wait has ended, without those whom we led on
ourselves (callback, another queue). Shares are of 1; waits are in seconds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import median

from ivr.queue_picture import Wait

HOUR_MS = 3_600_000
Z95 = 1.959964


@dataclass(frozen=True, slots=True)
class HourFigures:
    """One queue in one hour that begins at `hour` (UTC ms), by the arrival of the callers.

    The waits are those of the answered; `answered_share` is of the offered, `in_time_of_answered` and
    `in_time_of_offered` are both printed because operators mean now the one and now the other. None: there
    was nobody to measure.
    """

    queue: str
    hour: int
    offered: int
    answered: int
    abandoned: int
    led_on: int
    mean_wait_s: float | None
    median_wait_s: float | None
    p90_wait_s: float | None
    longest_wait_s: float | None
    in_time_of_answered: float | None
    in_time_of_offered: float | None
    mean_talk_s: float | None


@dataclass(frozen=True, slots=True)
class Fives:
    """Share of the highest mark: of the valid answers, with its 95 % interval (Wilson), and who answered."""

    asked: int
    answered: int
    highest: int
    share: float | None
    low: float | None
    high: float | None
    response_rate: float | None


def hours(waits: Iterable[Wait], within_s: float) -> tuple[HourFigures, ...]:
    """Return the figures of every queue and hour, in order. `within_s` is the time that counts as in time."""
    groups: defaultdict[tuple[int, str], list[Wait]] = defaultdict(list)
    for wait in waits:
        groups[wait.arrival // HOUR_MS * HOUR_MS, wait.queue].append(wait)
    return tuple(_hour(queue, hour, group, within_s) for (hour, queue), group in sorted(groups.items()))


def _hour(queue: str, hour: int, group: Sequence[Wait], within_s: float) -> HourFigures:
    answered = sorted(one.waited_ms / 1000 for one in group if one.end == "answered")
    talks = [one.talk_ms / 1000 for one in group if one.end == "answered"]
    abandoned = sum(1 for one in group if one.end == "abandoned")
    offered = len(answered) + abandoned
    in_time = sum(1 for one in answered if one <= within_s)
    return HourFigures(
        queue,
        hour,
        offered,
        len(answered),
        abandoned,
        len(group) - offered,
        _share(sum(answered), len(answered)),
        median(answered) if answered else None,
        percentile(answered, 90),
        answered[-1] if answered else None,
        _share(in_time, len(answered)),
        _share(in_time, offered),
        _share(sum(talks), len(talks)),
    )


def percentile(ordered: Sequence[float], percent: int) -> float | None:
    """Return the smallest value that so many per cent do not exceed (nearest rank); None of nothing."""
    if not ordered:
        return None
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def fives(scores: Iterable[int | None], highest: int = 5) -> Fives:
    """Return the share of the highest mark. None is a question without an answer, which is not a zero."""
    given = list(scores)
    valid = [score for score in given if score is not None]
    count, best = len(valid), sum(1 for score in valid if score == highest)
    low, high = wilson(best, count)
    return Fives(len(given), count, best, _share(best, count), low, high, _share(count, len(given)))


def wilson(hits: int, count: int) -> tuple[float | None, float | None]:
    """Return the 95 % interval of a share (E. B. Wilson, J. Amer. Statist. Assoc. 22, 1927)."""
    if count == 0:
        return None, None
    share, square = hits / count, Z95 * Z95
    middle = (share + square / (2 * count)) / (1 + square / count)
    half = Z95 * sqrt(share * (1 - share) / count + square / (4 * count * count)) / (1 + square / count)
    return max(0.0, middle - half), min(1.0, middle + half)


def _share(part: float, whole: int) -> float | None:
    return None if whole == 0 else part / whole
