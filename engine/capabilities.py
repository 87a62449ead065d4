"""What a channel can do, declared as data, so that flows are checked against it before anyone calls."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Channel(StrEnum):
    """How the subscriber is connected. `EVENT` is a background flow: nobody is on the line."""

    USSD = "ussd"
    SMS = "sms"
    VOICE = "voice"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class PageBudget:
    """Room of one screen: GSM 03.38 septets, or UTF-16 units if one character is outside that alphabet."""

    gsm7: int = 182
    ucs2: int = 80


@dataclass(frozen=True, slots=True)
class Capabilities:
    """A channel as the engine sees it.

    `pages` is None where a text has no screen to fit (SMS is split into parts by the channel). `more`,
    `back` and `main` are the keys of `config/project.yaml`, in a call also `repeat` and `operator`; empty
    where the channel has none. `idle_ms` is how long a question waits when the flow does not say; `total_ms`
    bounds the session. `tries` is how often a question is asked that does not say it itself.
    """

    channel: Channel
    asks: bool
    pages: PageBudget | None = None
    more: str = ""
    back: str = ""
    main: str = ""
    list_keys: int = 8
    idle_ms: int = 60_000
    total_ms: int | None = None
    repeat: str = ""
    operator: str = ""
    tries: int = 3
