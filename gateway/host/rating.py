"""Ratings: each answer is stored with the turn that gave it, so a hang-up loses nothing."""

from __future__ import annotations

from engine.effects import Rate
from gateway.host.batch import Batch
from gateway.host.conversation import Conversation
from gateway.host.host import Host
from gateway.store.record import RatingRow


def rate(host: Host, batch: Batch, conversation: Conversation, effect: Rate) -> None:
    """Store one answer of a rating; a question without an answer is stored as such, not as a zero."""
    session = conversation.session
    row = RatingRow(
        at=batch.now,
        flow=effect.flow,
        topic=effect.topic,
        score=effect.score,
        low=effect.low,
        high=effect.high,
        channel=session.channel,
        who=session.caller,
    )
    batch.touch(conversation).rating(row)
    host.counters["ratings" if effect.score is not None else "ratings_unanswered"] += 1
