"""What is written down of a dialog that has ended: its length, its operations, who ended it and why.

The record names nobody: the MSISDN is masked, of a dialled string that no flow has taken only the code is
kept. What is done with records (EDR files, metrics) is not decided here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

import msgspec

from smpp.msisdn import masked
from ussd.dialect import MEANINGS
from ussd.dialog import Dialog


class Origin(StrEnum):
    """Who began a dialog."""

    SUBSCRIBER = "subscriber"
    NETWORK = "network"


class Who(StrEnum):
    """Who ended a dialog."""

    FLOW = "flow"
    SUBSCRIBER = "subscriber"
    CENTRE = "centre"
    GATEWAY = "gateway"


class Why(StrEnum):
    """Why a dialog ended.

    `completed`: the flow had said everything. `refused`, `flow_failed`, `limit`: the flow ended it early.
    `silence`: the subscriber answered no more. `aborted`: the network says that it is over, without a cause
    (the subscriber hung up, the radio link broke). `closed_by_input`: closed with the last input.
    `superseded`: the subscriber dialled anew. `total`: the time of a whole dialog was over. `late`: the flow
    did not answer in time, a closing text was shown. `lost`: the bind that the dialog came by is gone.
    `no_flow`: nothing begins with the dialled string. `switched_off`: the service is off for now, or not open
    to this subscriber. `closing_down`: the gateway takes no new dialogs.
    `unconfirmed`: the last page was sent, but the centre did not answer to it.
    The rest are what the centre says of a page that it did not show.
    """

    COMPLETED = "completed"
    REFUSED = "refused"
    FLOW_FAILED = "flow_failed"
    LIMIT = "limit"
    SILENCE = "silence"
    ABORTED = "aborted"
    CLOSED_BY_INPUT = "closed_by_input"
    SUPERSEDED = "superseded"
    TOTAL = "total"
    LATE = "late"
    LOST = "lost"
    NO_FLOW = "no_flow"
    SWITCHED_OFF = "switched_off"
    CLOSING_DOWN = "closing_down"
    UNCONFIRMED = "unconfirmed"
    GONE = "gone"
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"
    BLOCKED = "blocked"
    TOO_LONG = "too_long"
    LOCKED = "locked"
    MISMATCH = "mismatch"
    CHARGING_REFUSED = "charging_refused"
    HANDSET_FULL = "handset_full"
    THROTTLED = "throttled"
    TEMPORARY = "temporary"
    NOT_SHOWN = "not_shown"


class DialogRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One ended dialog.

    `bind` is the number of the bind that it came by last, -1 if none. `code` is what was dialled, or the code
    of a dialog that we began; `service` the address it was sent to. `reference` is the session id in hex, as
    it came last. `opened_at` and `closed_at` are UTC milliseconds. `turns` counts messages of the subscriber,
    `pages` our answers; `operations` counts both by kind: `dialled`, `input`, `confirmed` from the handset,
    `menu` and the closing kind (`end`, `push`, `notify`, `notify_last`, `end_bit`, `release`) to it. `detail`
    is the engine's reason (`End.reason`) where the flow ended it.
    """

    group: str
    bind: int
    origin: Origin
    msisdn: str
    service: str
    code: str
    service_type: str
    reference: str
    opened_at: int
    closed_at: int
    turns: int
    pages: int
    operations: Mapping[str, int]
    ended_by: Who
    reason: Why
    detail: str = ""

    @property
    def duration_ms(self) -> int:
        """How long the dialog was open."""
        return max(0, self.closed_at - self.opened_at)

    @property
    def succeeded(self) -> bool:
        """Tell whether the subscriber has come to the end of the flow."""
        return self.reason in (Why.COMPLETED, Why.UNCONFIRMED)


_FLOW_ENDS = {
    "end": Why.COMPLETED, "return": Why.COMPLETED, "hangup": Why.COMPLETED, "left": Why.COMPLETED,
    "refused": Why.REFUSED, "failed": Why.FLOW_FAILED, "limit": Why.LIMIT,
}  # fmt: skip
_ENDS: dict[str, tuple[Who, Why]] = {
    **{reason: (Who.FLOW, why) for reason, why in _FLOW_ENDS.items()},
    **{meaning: (Who.CENTRE, Why(meaning)) for meaning in MEANINGS if meaning != "failed"},
    "not_shown": (Who.CENTRE, Why.NOT_SHOWN),
    "network": (Who.CENTRE, Why.ABORTED),
    "last_input": (Who.CENTRE, Why.CLOSED_BY_INPUT),
    "no_answer": (Who.SUBSCRIBER, Why.SILENCE),
    "superseded": (Who.SUBSCRIBER, Why.SUPERSEDED),
    "late": (Who.GATEWAY, Why.LATE),
    "total": (Who.GATEWAY, Why.TOTAL),
    "lost": (Who.GATEWAY, Why.LOST),
    "no_flow": (Who.GATEWAY, Why.NO_FLOW),
    "switched_off": (Who.GATEWAY, Why.SWITCHED_OFF),
    "closing_down": (Who.GATEWAY, Why.CLOSING_DOWN),
    "unconfirmed": (Who.FLOW, Why.UNCONFIRMED),
}
WELL = frozenset(reason for reason, why in _FLOW_ENDS.items() if why is Why.COMPLETED)
"""The engine's reasons of a flow that has come to its end."""
_CODE = re.compile(r"[*#]*[0-9]{1,6}")


def record_of(dialog: Dialog, reason: str, now: int, *, taken: bool = True, detail: str = "") -> DialogRecord:
    """Make the record of a dialog that ends at `now` (UTC ms) unless it says itself when it has ended.

    `reason` is the engine's (`End.reason`), the channel's (a meaning of the dialect, `lost`) or one of the
    host's (`last_input`, `superseded`, `late`, `total`, `no_flow`, `switched_off`, `closing_down`). `taken`
    tells that a flow has seen the dialled string and hidden the secrets in it.
    """
    who, why = _ENDS.get(reason, (Who.FLOW, Why.FLOW_FAILED))
    found = None if taken else _CODE.match(dialog.called)
    code = dialog.called if taken else ("" if found is None else found.group() + "…")
    return DialogRecord(
        group=dialog.group,
        bind=max(-1, dialog.connection[0]),
        origin=Origin.NETWORK if dialog.ours else Origin.SUBSCRIBER,
        msisdn=masked(dialog.msisdn),
        service=dialog.dest.decode("ascii", "replace"),
        code=code,
        service_type=dialog.service_type.decode("ascii", "replace"),
        reference=dialog.octets.hex(),
        opened_at=dialog.opened_at,
        closed_at=dialog.ended_at or now,
        turns=dialog.turns,
        pages=dialog.page,
        operations=_operations(dialog),
        ended_by=who,
        reason=why,
        detail=detail,
    )


def _operations(dialog: Dialog) -> dict[str, int]:
    """Count what was exchanged: what closes nothing is a menu of ours or an input of theirs."""
    # A last text that waits for its confirmation, to be released then, is a notification so far.
    closing = "notify" if dialog.releasing else dialog.last_kind
    counts = {
        "dialled": 0 if dialog.ours else min(1, dialog.turns),
        "input": dialog.turns if dialog.ours else max(0, dialog.turns - 1),
        "confirmed": dialog.acks,
        "menu": dialog.page - bool(closing),
    }
    if closing:
        counts[closing] = 1
    return {name: count for name, count in counts.items() if count}
