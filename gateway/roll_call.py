"""Callers who were led on and are not in their Asterisk any more: they left while nobody could tell us.

The dialplan tells that a caller has hung up, but a gateway that is down hears nothing of it. So while callers
are in queues, every Asterisk is asked for its channels now and then, soon after a start for the first time. A
caller is looked for in the Asterisk whose address brought the call; where that is not certain, nobody is
given up (`gateway.host.voice_wait` does so after hours).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial

from gateway.asterisk import Asterisks
from gateway.host.voice import VoiceLane
from ivr.peer import peer_address

EVERY_MS = 30_000
"""So often an Asterisk is asked while callers are led on."""


class RollCall:
    """Ends the sessions of callers who have left unnoticed. `now` is the clock in UTC milliseconds."""

    def __init__(self, asterisks: Asterisks, lane: VoiceLane, now: Callable[[], int]) -> None:
        self._asterisks = asterisks
        self._lane = lane
        self._now = now
        self._asked: dict[str, int] = {}

    def tend(self) -> None:
        """About once a second: ask who has not been asked for a while."""
        if not self._lane.aways:
            return
        now = self._now()
        places = {name: same_form(peer) for name, peer in self._asterisks.peers().items()}
        count = Counter(places.values())
        for name, address in places.items():
            # Two behind one address cannot be told apart by it.
            if count[address] == 1 and now >= self._asked.get(name, 0) + EVERY_MS:
                self._asked[name] = now
                self._asterisks.channels(name, partial(self._answered, address, now))

    def _answered(self, address: str, asked_at: int, channels: frozenset[str] | None) -> None:
        if channels is not None:
            for session, away in self._lane.aways.before(asked_at):
                if same_form(away.peer) == address and away.channel not in channels:
                    self._lane.missing(session, away)


def same_form(address: str) -> str:
    """Return an address as it is compared, "" for what is none."""
    try:
        return str(peer_address(address))
    except ValueError:
        return ""
