"""Data that several test modules use: a project, a scope, and short ways to compile."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

from engine.expressions import (
    ExpressionProblems,
    Scope,
    Template,
    Vocabulary,
    World,
    compile_expression,
    compile_template,
)
from engine.reading.diagnostic import Place
from engine.values import Secret

KNOWN = Vocabulary(
    consts={"refreshable": ["Smart", "X"], "operator": "Гудок", "priority_fee": Decimal("50.00"), "most": 3},
    languages=("ru", "tg", "en"),
    memory=("offer_seen", "no_ads", "identified", "wrong_code"),
    operations=("billing.refresh_package", "billing.promise"),
    queues=("support", "sales"),
    calendars=("office",),
)
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
VARIABLES = {
    "p": {
        "tariff": "Smart",
        "service": True,
        "fee": Decimal(490),
        "balance": Decimal("89.50"),
        "blocked": False,
        "period": "month",
        "minutes": 5,
        "items": 3,
        "keys": 4,
    },
    "n": 7,
    "big": 10**20,
    "zero": 0,
    "money": Decimal("12.50"),
    "word": "слово",
    "blank": "",
    "true_": True,
    "nothing": None,
    "list": [1, 2, 3],
    "texts": ["a", "b"],
    "bare": [],
    "net": {"until": None},
    "scores": {"service": 5, "speed": None, "manners": 2},
    "skipped": {"a": None},
    "day": date(2026, 12, 1),
    "clock": time(9, 5),
    "term": timedelta(minutes=90),
    "slot": {"start": datetime(2026, 11, 23, 15, 30, tzinfo=UTC)},
    "code": Secret("qwerty"),
    "line": "support",
    "huge": Decimal("1E+999999"),
    "nan": Decimal("NaN"),
    "long": "я" * 1500,
    "many": [1] * 1001,
}
LOOKED = {
    "memory:offer_seen:79161234567": 2,
    "memory:no_ads:79161234567": 0,
    "recent:billing.promise:79161234567": "done",
    "recent:billing.refresh_package:79161234567": None,
    "open:support:": True,
    "expected_wait:support:": 600,
    "repeat_contact:internet:7:79161234567": True,
    "surge:internet:": False,
    "position:support:": 4,
    "workdays:2:": timedelta(days=3),
    "announcement::": "",
}


def world(**changes):
    given = {
        "moment": NOW,
        "zone": timezone(timedelta(hours=3)),
        "caller": "79161234567",
        "called": "*929#",
        "lang": "ru",
        "channel": "ussd",
        "topic": "internet",
        "text": "привет",
        "event": {"done": True, "fee": Decimal(490)},
        "looked": LOOKED,
    }
    return World(**{**given, **changes})


def scope(**changes):
    return Scope(VARIABLES, world(**changes))


def place_of(source):
    return Place("flows/a.yaml", 3, 5, 5 + len(source))


def expression(source, known=KNOWN):
    return compile_expression(source, place_of(source), known)


def text(source, known=KNOWN, language=None) -> Template:
    return compile_template(source, place_of(source), known, language)


def problems(source, compile_):
    """Return the diagnostics of a source that is to be refused, as `column code message`."""
    try:
        compile_(source)
    except ExpressionProblems as error:
        return [f"{item.place.column - 4} {item.code} {item.message}" for item in error.diagnostics]
    return []


VALUES_OF_EVERY_TYPE = [
    None,
    True,
    False,
    0,
    -1,
    7,
    10**40,
    "",
    "a",
    "{{ 7 * 7 }}",
    "я" * 1999,
    "79161234567",
    Decimal(0),
    Decimal("-0.005"),
    Decimal("12.30"),
    Decimal("1E+999999"),
    Decimal("1E-999999"),
    Decimal("NaN"),
    Decimal("sNaN"),
    Decimal("-Infinity"),
    date.min,
    date.max,
    date(2026, 2, 28),
    time(0, 0),
    time(9, 5, tzinfo=UTC),
    datetime.max.replace(tzinfo=UTC),
    datetime.min.replace(tzinfo=UTC),
    datetime(2026, 1, 1),
    NOW,
    timedelta(0),
    timedelta.max,
    timedelta.min,
    Secret("qwerty"),
    1.5,
]
