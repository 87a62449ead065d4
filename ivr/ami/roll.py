"""Which channels an Asterisk has: the answer to `CoreShowChannels`; the right `reporting` will do."""

from __future__ import annotations

from ivr.ami.session import Outcome

ACTION = "CoreShowChannels"


def channels(outcome: Outcome) -> frozenset[str] | None:
    """Return the ids (UNIQUEID) of all channels; None where the answer is not the whole list."""
    if not outcome.done:
        return None
    return frozenset(event.get("Uniqueid") for event in outcome.events if event.event == "CoreShowChannel")
