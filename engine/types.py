"""Static types of the flow language: what a value may be, known before any flow runs.

They come from `backends.yaml` (`returns`, `takes`, `events`), from `ask … type`, from trigger patterns and
from expressions, and drive the checks (`expr-type`, `no-field`, `may-be-empty`, `secret-leak`). The values
themselves are in `engine.values`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Scalar(Enum):
    """A type without parts. `value` is the word used in YAML and in messages."""

    TEXT = "text"
    INT = "int"
    BOOL = "bool"
    MONEY = "money"
    DATE = "date"
    TIME = "time"
    MOMENT = "moment"
    DURATION = "duration"
    PHONE = "phone"
    QUEUE = "queue"
    ANY = "any"


class Privacy(Enum):
    """How far a value may travel (flow-language 2.8). Order: public < personal < secret."""

    PUBLIC = 0
    PERSONAL = 1
    SECRET = 2


@dataclass(frozen=True, slots=True)
class Choice:
    """An enumeration: `month | day`."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list whose elements are all of one type."""

    element: Type


@dataclass(frozen=True, slots=True)
class Record:
    """A mapping with declared fields: what an operation returns, an element of a list, an event."""

    fields: tuple[tuple[str, Type], ...]

    def field(self, name: str) -> Type | None:
        """Return the type of a field, or None if there is no such field."""
        return next((type_ for key, type_ in self.fields if key == name), None)


@dataclass(frozen=True, slots=True)
class Type:
    """A shape, whether it may be empty (`time?`) and how private it is (`pii`, `secret`)."""

    shape: Scalar | Choice | ListOf | Record
    optional: bool = False
    privacy: Privacy = Privacy.PUBLIC


TEXT = Type(Scalar.TEXT)
INT = Type(Scalar.INT)
BOOL = Type(Scalar.BOOL)
MONEY = Type(Scalar.MONEY)
DATE = Type(Scalar.DATE)
TIME = Type(Scalar.TIME)
MOMENT = Type(Scalar.MOMENT)
DURATION = Type(Scalar.DURATION)
PHONE = Type(Scalar.PHONE, privacy=Privacy.PERSONAL)
QUEUE = Type(Scalar.QUEUE)
PII = Type(Scalar.TEXT, privacy=Privacy.PERSONAL)
SECRET = Type(Scalar.TEXT, privacy=Privacy.SECRET)
ANY = Type(Scalar.ANY)

NAMED: dict[str, Type] = {
    "text": TEXT,
    "int": INT,
    "bool": BOOL,
    "money": MONEY,
    "date": DATE,
    "time": TIME,
    "moment": MOMENT,
    "phone": PHONE,
    "queue": QUEUE,
    "pii": PII,
    "secret": SECRET,
}
"""The type words that may stand in `returns:`, `takes:` and `events:`."""
