"""Texts to typed values: every scalar a field may hold.

Each reader has the form `(node, report, name) -> value | None`: None means that the reason is in the
report, as `type`, at the value, with a remedy. `name` is the field's name for the message. What is about
time is in `engine.reading.times` and is offered here too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from engine.reading.diagnostic import Report
from engine.reading.suggestion import did_you_mean
from engine.reading.times import (
    DateRange,
    Hours,
    Kept,
    Workdays,
    date,
    date_range,
    duration,
    hours_range,
    keeping,
    local_moment,
    moment,
    term,
    time_of_day,
    weekdays,
)
from engine.reading.tree import Node, Text
from engine.reading.written import written, wrong

__all__ = [
    "Address",
    "DateRange",
    "EnvReference",
    "Hours",
    "Kept",
    "NumberRange",
    "Rate",
    "Workdays",
    "address",
    "boolean",
    "date",
    "date_range",
    "decimal",
    "duration",
    "env_reference",
    "hours_range",
    "integer",
    "is_name",
    "keeping",
    "local_moment",
    "moment",
    "name",
    "number_range",
    "one_of",
    "rate",
    "size",
    "string",
    "term",
    "time_of_day",
    "url",
    "weekdays",
]

_TRUTH = {"yes": True, "true": True, "no": False, "false": False}
_TRUTH_LIKE = {
    "y": "yes", "on": "yes", "1": "yes", "да": "yes", "n": "no", "off": "no", "0": "no", "нет": "no",
}  # fmt: skip


def boolean(node: Node, report: Report, name: str = "") -> bool | None:
    """Read `yes`, `no`, `true`, `false` in small letters."""
    text = written(node, report, name, "yes or no")
    if text is None or not isinstance(node, Text):
        return None
    if text in _TRUTH:
        return _TRUTH[text]
    folded = text.casefold()
    remedy = folded if folded in _TRUTH else _TRUTH_LIKE.get(folded)
    wrong(
        node, report, name, "is neither yes nor no", help=f"write {remedy}" if remedy else "write yes or no"
    )
    return None


_INTEGER = re.compile(r"-?[0-9]{1,15}")


def integer(
    node: Node, report: Report, name: str = "", low: int | None = None, high: int | None = None
) -> int | None:
    """Read a whole number of at most 15 digits between `low` and `high`, both included."""
    text = written(node, report, name, "a whole number")
    if text is None or not isinstance(node, Text):
        return None
    if not _INTEGER.fullmatch(text):
        digits = re.sub(r"[ _\u00a0\u202f]", "", text)
        remedy = f"write {digits}" if _INTEGER.fullmatch(digits) else "write digits only"
        wrong(node, report, name, "is not a whole number", help=remedy)
        return None
    value = int(text)
    if not _fits(node, value, low, high, report, name):
        return None
    return value


def _fits(
    node: Text, value: int | Decimal, low: int | None, high: int | None, report: Report, name: str
) -> bool:
    if (low is None or value >= low) and (high is None or value <= high):
        return True
    if low is not None and high is not None:
        limits = f"from {low} to {high}"
    else:
        limits = f"{low} or more" if low is not None else f"{high} or less"
    wrong(node, report, name, "is out of range", help=f"write a number {limits}")
    return False


_DECIMAL = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,6})?")


def decimal(
    node: Node, report: Report, name: str = "", low: int | None = None, high: int | None = None
) -> Decimal | None:
    """Read a number with a decimal point, `490` or `89.50`, exactly; at most six decimals."""
    text = written(node, report, name, "a number: 490 or 89.50")
    if text is None or not isinstance(node, Text):
        return None
    if not _DECIMAL.fullmatch(text):
        plain = re.sub(r"[ _\u00a0\u202f₽]|RUB|руб\.?", "", text).replace(",", ".")
        remedy = f"write {plain}" if _DECIMAL.fullmatch(plain) else "write digits and a decimal point"
        wrong(node, report, name, "is not a number", help=remedy)
        return None
    value = Decimal(text)
    return value if _fits(node, value, low, high, report, name) else None


_NAME = re.compile(r"[a-z][a-z0-9_]*")
_MAX_NAME = 64


def is_name(text: str) -> bool:
    """Tell whether a text may be the name of a scene, a variable, a flow: `[a-z][a-z0-9_]*`, up to 64."""
    return len(text) <= _MAX_NAME and _NAME.fullmatch(text) is not None


def name(node: Node, report: Report, name: str = "") -> str | None:
    """Read a name: small Latin letters, digits and `_`, a letter first, up to 64 characters."""
    text = written(node, report, name, "a name")
    if text is None or not isinstance(node, Text):
        return None
    if is_name(text):
        return text
    close = re.sub(r"[^a-z0-9_]+", "_", text.casefold()).strip("_")
    remedy = f"write {close}" if is_name(close) else None
    if text.startswith("{{"):
        wrong(node, report, name, "stands where a name is expected: a text is not computed here")
        return None
    wrong(
        node,
        report,
        name,
        "is not a name: small Latin letters, digits and _, a letter first",
        help=remedy or "for example: refresh_package",
    )
    return None


def string(node: Node, report: Report, name: str = "") -> str | None:
    """Read a text as it is, without templates; it must not be empty unless it is quoted."""
    return written(node, report, name, "a text")


def one_of(node: Node, report: Report, name: str = "", words: tuple[str, ...] = ()) -> str | None:
    """Read one of a few words."""
    text = written(node, report, name, " or ".join(words))
    if text is None or not isinstance(node, Text):
        return None
    if text in words:
        return text
    near = did_you_mean(text, words)
    wrong(node, report, name, f"is not known here{near}", help=f"write one of: {', '.join(words)}")
    return None


@dataclass(frozen=True, slots=True)
class NumberRange:
    """Whole numbers from `low` to `high`, both included."""

    low: int
    high: int


_RANGE = re.compile(r"([0-9]{1,9})(?: *[-–] *([0-9]{1,9}))?")


def number_range(node: Node, report: Report, name: str = "") -> NumberRange | None:
    """Read `6` or `6-12`."""
    text = written(node, report, name, "a number or a range: 6 or 6-12")
    if text is None or not isinstance(node, Text):
        return None
    match = _RANGE.fullmatch(text)
    if match is None:
        wrong(node, report, name, "is neither a number nor a range: 6 or 6-12")
        return None
    low, high = int(match[1]), int(match[2] or match[1])
    if high < low:
        wrong(node, report, name, "ends before it begins", help=f"write {high}-{low}")
        return None
    return NumberRange(low, high)


@dataclass(frozen=True, slots=True)
class Rate:
    """So many things in so many milliseconds."""

    count: int
    per_ms: int

    @property
    def per_second(self) -> float:
        """How many in a second."""
        return self.count * 1000 / self.per_ms


_RATE = re.compile(r"([0-9]{1,9})/(s|m|h)")
_RATE_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000}


def rate(node: Node, report: Report, name: str = "") -> Rate | None:
    """Read `500/s`, `30/m`, `100/h`; at least one."""
    text = written(node, report, name, "a rate: 500/s")
    if text is None or not isinstance(node, Text):
        return None
    match = _RATE.fullmatch(text)
    if match is None:
        fault = f"needs a unit: {text}/s" if re.fullmatch("[0-9]+", text) else "is not a rate: 500/s, 30/m"
        wrong(node, report, name, fault)
        return None
    if int(match[1]) == 0:
        wrong(node, report, name, "lets nothing through", help="write 1/s or more")
        return None
    return Rate(int(match[1]), _RATE_MS[match[2]])


_SIZE = re.compile(r"([0-9]{1,12}) ?(B|KiB|MiB|GiB)")
_SIZE_BYTES = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


def size(node: Node, report: Report, name: str = "") -> int | None:
    """Read `256KiB`, `64 MiB`, `1GiB` as bytes."""
    text = written(node, report, name, "a size: 64MiB")
    if text is None or not isinstance(node, Text):
        return None
    match = _SIZE.fullmatch(text)
    if match is None:
        wrong(node, report, name, "is not a size: 256KiB, 64MiB", help="the units are B, KiB, MiB, GiB")
        return None
    return int(match[1]) * _SIZE_BYTES[match[2]]


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen or to connect; `host` is a name or an address without brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


_ADDRESS = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):([0-9]{1,5})")


def address(node: Node, report: Report, name: str = "") -> Address | None:
    """Read `127.0.0.1:8080`, `smsc.example:2775`, `[::1]:8080`; ports 0 to 65535."""
    text = written(node, report, name, "an address: 127.0.0.1:8080")
    if text is None or not isinstance(node, Text):
        return None
    match = _ADDRESS.fullmatch(text)
    if match is None or int(match[3]) > 65_535:
        wrong(node, report, name, "is not an address: 127.0.0.1:8080", help="host, colon, port (0 to 65535)")
        return None
    return Address(match[1] or match[2], int(match[3]))


_URL = re.compile(r"https?://(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?(?:/[^\s]*)?")


def url(node: Node, report: Report, name: str = "") -> str | None:
    """Read an `http://` or `https://` address without a user or a password in it."""
    text = written(node, report, name, "a URL: https://billing.example/api")
    if text is None or not isinstance(node, Text):
        return None
    if not _URL.fullmatch(text):
        # The text is not shown: it may hold a password.
        remedy = "a user and a password do not belong into it" if "@" in text else None
        report.error(
            "type", f"{name}: this is not an http or https URL" if name else "not a URL", node, remedy
        )
        return None
    return text


@dataclass(frozen=True, slots=True)
class EnvReference:
    """`env.BILLING_URL`: the value is in the environment and is put in when the program starts."""

    variable: str


_ENV = re.compile(r"env\.([A-Za-z_][A-Za-z0-9_]*)")


def env_reference(node: Node) -> EnvReference | None:
    """Return the reference if one is written here (`env.NAME`), else None; reports nothing."""
    if isinstance(node, Text) and (match := _ENV.fullmatch(node.value)):
        return EnvReference(match[1])
    return None
