"""The settings of one link: where the centre is, who we are, how fast and how patient we may be.

Values that SMPP cannot carry are refused here, with a sentence, and never cut (SMPP 3.4, 5.2). How the
settings are written in a file is the host's affair.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from smpp.pdu.status import Policy

MAX_SYSTEM_ID = 15
MAX_PASSWORD = 8
MAX_SYSTEM_TYPE = 12
MAX_ADDRESS_RANGE = 40


class Secret:
    """A text that shows itself to nobody by accident: `repr`, `str` and formatting print stars."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The text itself, for the one place that sends it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))


class Mode(Enum):
    """How a link binds: each bind is one connection both ways, or a pair of one-way connections."""

    TRANSCEIVER = "transceiver"
    PAIR = "transmitter+receiver"


@dataclass(frozen=True, slots=True)
class Timers:
    """Time limits in milliseconds (SMPP 3.4, 7.2); 0 switches enquire_link or inactivity off."""

    bind_ms: int = 10_000
    response_ms: int = 30_000
    enquire_after_ms: int = 30_000
    enquire_answer_ms: int = 10_000
    inactivity_ms: int = 120_000
    rest_of_pdu_ms: int = 10_000
    unbind_pending_ms: int = 5_000
    unbind_answer_ms: int = 5_000

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            lowest = 0 if name in {"enquire_after_ms", "inactivity_ms", "unbind_pending_ms"} else 1
            if value < lowest:
                raise ValueError(f"{name} is at least {lowest}, not {value}")


@dataclass(frozen=True, slots=True)
class Tls:
    """TLS of a link: the certificate is always checked; `server_name` defaults to the host."""

    ca_file: str | None = None
    server_name: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """One SMSC or USSD centre. `rate` is messages a second over all binds, None for no limit of our own."""

    host: str
    port: int = 2775
    system_id: str = ""
    password: Secret = field(default_factory=lambda: Secret(""))
    system_type: str = ""
    mode: Mode = Mode.TRANSCEIVER
    binds: int = 1
    window: int = 10
    rate: float | None = None
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: str = ""
    interface_version: int = 0x34
    timers: Timers = field(default_factory=Timers)
    connect_ms: int = 10_000
    queue: int = 10_000
    """Messages that may wait here for a place, a token or the end of throttling."""
    sticky_wait_ms: int = 10_000
    """A USSD page that was throttled is tried again for so long; the answer limit of a dialogue."""
    unbound_wait_ms: int = 60_000
    """Waiting messages are handed back as `unsent` when the link has been down for so long."""
    reconnect_first_ms: int = 1_000
    reconnect_limit_ms: int = 60_000
    tls: Tls | None = None
    vendor: Mapping[int, Policy] = field(default_factory=dict)
    """What the statuses of this centre mean, where they differ from the usual."""

    def __post_init__(self) -> None:
        if not self.host:
            raise ValueError("host is missing")
        _within("port", self.port, 1, 65_535)
        _within("binds", self.binds, 1, 64)
        _within("window", self.window, 1, 10_000)
        _within("queue", self.queue, 0, 10_000_000)
        _within("addr_ton", self.addr_ton, 0, 255)
        _within("addr_npi", self.addr_npi, 0, 255)
        _within("interface_version", self.interface_version, 0, 255)
        for name in ("connect_ms", "reconnect_first_ms", "reconnect_limit_ms", "unbound_wait_ms"):
            _within(name, getattr(self, name), 1, 86_400_000)
        _within("sticky_wait_ms", self.sticky_wait_ms, 0, 86_400_000)
        if self.rate is not None and not self.rate > 0:
            raise ValueError(f"rate is above 0 messages a second, not {self.rate}")
        _fits("system_id", self.system_id, MAX_SYSTEM_ID)
        _fits("password", self.password.reveal(), MAX_PASSWORD, show=False)
        _fits("system_type", self.system_type, MAX_SYSTEM_TYPE)
        _fits("address_range", self.address_range, MAX_ADDRESS_RANGE)


def _within(name: str, value: int, lowest: int, highest: int) -> None:
    if not lowest <= value <= highest:
        raise ValueError(f"{name} is from {lowest} to {highest}, not {value}")


def _fits(name: str, value: str, longest: int, *, show: bool = True) -> None:
    """Refuse what the field of the bind PDU cannot hold; a secret is not repeated in the sentence."""
    shown = f", {value!r} has {len(value)}" if show else ""
    if len(value) > longest:
        raise ValueError(f"{name} has at most {longest} characters in SMPP{shown}")
    if not value.isascii() or "\0" in value:
        raise ValueError(f"{name} is plain ASCII in SMPP{shown}")
