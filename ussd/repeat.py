"""Re-delivery: is a message a copy of one that was accepted already? (smpp-ussd.md 1.5, rule 6)

The usual causes are a deliver_sm_resp that was lost or carried a wrong sequence number. Equal text alone is
no copy: a subscriber answers `1` to two screens within a second.
"""

from __future__ import annotations

from ussd.dialog import Dialog, Seen

OPENING_MS = 5_000
"""A dialled string that comes again within this time of the first is a copy."""
UNANSWERED_MS = 2_000
"""An equal input so much later, while our page has no submit_sm_resp, is a copy."""
KEPT = 4
"""Accepted messages of a dialog that copies are recognised of, the opening and the newest among them."""


def find_original(
    dialog: Dialog, connection: tuple[int, int], sequence: int, digest: bytes, unit: int, now: int
) -> Seen | None:
    """Return the accepted message that this one is a copy of, or None if it is new.

    `dialog` is the subscriber's, alive or lately ended, and its session id does not contradict the
    message's. `unit` is the number of the dialogue unit, -1 without one.
    """
    seen = dialog.seen
    newest = seen[-1] if seen else None
    for one in reversed(seen):
        if one.digest != digest:
            continue
        if one.sequence == sequence and one.connection == connection:
            return one
        moved = dialog.unit_moves and unit >= 0
        # An ended dialog proves nothing about a dial: small session numbers come round again.
        if moved and one.unit == unit and not (one.opening and dialog.ended_at):
            return one
        if one.opening:
            if now - one.at <= OPENING_MS:
                return one
        elif (
            one is newest
            and not dialog.answered
            and not (moved and one.unit != unit)
            and (one.connection != connection or now - one.at >= UNANSWERED_MS)
        ):
            return one
    for one in dialog.older:
        if one.digest == digest and one.sequence == sequence and one.connection == connection:
            return one
    return None


def with_seen(seen: tuple[Seen, ...], one: Seen) -> tuple[Seen, ...]:
    """Return the accepted messages with a further one: the opening stays, the oldest of the rest goes."""
    if len(seen) < KEPT:
        return (*seen, one)
    return (seen[0], *seen[2:], one)
