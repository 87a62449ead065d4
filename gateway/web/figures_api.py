"""`/api/queue/figures`: queues of calls now, their figures of the last day by the hour, and ratings.

Figures are `ivr.statistics`'s; nothing here tells of a subscriber.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from aiohttp import web

from gateway.asterisk import IN_TIME_S, KEPT_MS
from gateway.store.record import RatingRow
from gateway.web.access import Access
from gateway.web.watched import Watched
from ivr.statistics import fives, hours

MOST_RATINGS = 100_000


class FiguresApi:
    """The figures of one gateway."""

    def __init__(self, gateway: Watched) -> None:
        self._gateway = gateway

    def add_to(self, app: web.Application, access: Access) -> None:
        """Join the route, for those who may."""
        app.router.add_get("/api/queue/figures", access.guarded(self.get))

    async def get(self, request: web.Request) -> web.Response:
        """Return the figures; the time within which an answer counts as in time may be given (`within`)."""
        within = request.query.get("within", str(int(IN_TIME_S)))
        if not (within.isascii() and within.isdigit() and 1 <= len(within) <= 4):
            raise web.HTTPBadRequest(reason="within is a number of seconds")
        gateway = self._gateway
        waits = gateway.asterisks.waits
        since = gateway.clock.now() - KEPT_MS
        ratings = gateway.store.ratings(since, MOST_RATINGS)
        # A day of a big centre takes a while to sort; calls go on meanwhile.
        figures, rated = await asyncio.gather(
            asyncio.to_thread(hours, waits, float(within)), asyncio.to_thread(_rated, ratings)
        )
        now = {
            name: dict(zip(("waiting", "staffed", "free"), counts, strict=True))
            for name, counts in gateway.asterisks.state().items()
        }
        shown = [asdict(one) for one in figures]
        return web.json_response({"now": now, "within_s": int(within), "hours": shown, "ratings": rated})


def _rated(ratings: Iterable[RatingRow]) -> list[dict[str, Any]]:
    """Return the share of the highest mark of each question of each topic."""
    scores: defaultdict[tuple[str, str, int], list[int | None]] = defaultdict(list)
    for row in ratings:
        scores[row.flow, row.topic, row.high].append(row.score)
    return [
        {"flow": flow, "topic": topic, "highest": high, **_shares(given, high)}
        for (flow, topic, high), given in sorted(scores.items())
    ]


def _shares(given: list[int | None], high: int) -> dict[str, Any]:
    found = asdict(fives(given, high))
    found["of_highest"] = found.pop("highest")
    return found
