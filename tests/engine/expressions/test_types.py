"""Static types: what is inferred, what is reported, and how conditions narrow."""

import pytest
from expression_samples import KNOWN, expression, text

from engine.expressions import narrowed_by
from engine.types import (
    ANY,
    BOOL,
    DATE,
    INT,
    MOMENT,
    MONEY,
    PHONE,
    PII,
    QUEUE,
    SECRET,
    TEXT,
    TIME,
    Choice,
    ListOf,
    Privacy,
    Record,
    Scalar,
    Type,
)

DURATION = Type(Scalar.DURATION)
TYPES = {
    "p": Type(
        Record(
            (
                ("tariff", TEXT),
                ("service", BOOL),
                ("fee", MONEY),
                ("balance", MONEY),
                ("period", Type(Choice(("month", "day")))),
                ("minutes", INT),
                ("until", DATE),
            )
        )
    ),
    "net": Type(Record((("area", TEXT), ("known", BOOL), ("until", Type(Scalar.TIME, optional=True))))),
    "a": Type(Record((("contract", PII), ("login", PII), ("password", SECRET)))),
    "mark": Type(Record((("call", Type(Scalar.INT, optional=True)),))),
    "scores": Type(
        Record((("service", Type(Scalar.INT, optional=True)), ("speed", Type(Scalar.INT, optional=True))))
    ),
    "slot": Type(Record((("start", MOMENT),))),
    "n": INT,
    "word": TEXT,
    "ready": BOOL,
    "line": QUEUE,
    "number": PHONE,
    "options": Type(ListOf(Type(Record((("id", TEXT), ("fee", MONEY)))))),
    "fees": Type(ListOf(MONEY)),
    "clock": TIME,
    "day": DATE,
    "bonus": Type(Scalar.MONEY, optional=True),
    "order": Type(Record((("by", MOMENT),)), optional=True),
}

INFERRED = [
    ("p.fee - p.balance", MONEY),
    ("n + 1", INT),
    ("n / 2", MONEY),
    ("n * p.fee", MONEY),
    ("n % 2", INT),
    ("word + 'x'", TEXT),
    ("p.fee < p.balance", BOOL),
    ("not p.service", BOOL),
    ("slot.start - hours(2)", MOMENT),
    ("now + days(1)", MOMENT),
    ("slot.start - now", DURATION),
    ("day + days(1)", DATE),
    ("-n", INT),
    ("p.period", Type(Choice(("month", "day")))),
    ("50 if ready else 0", INT),
    ("50 if ready else 0.5", MONEY),
    ("p.period if ready else word", TEXT),
    ("1 if ready else word", ANY),
    ("word if ready else none", Type(Scalar.TEXT, optional=True)),
    ("net.until", Type(Scalar.TIME, optional=True)),
    ("bonus or 0", MONEY),
    ("mark.call or 5", INT),
    ("lowest(scores)", Type(Scalar.INT, optional=True)),
    ("lowest(fees)", MONEY),
    ("average(scores)", Type(Scalar.MONEY, optional=True)),
    ("round(p.fee)", INT),
    ("round(p.fee, 1)", MONEY),
    ("max(n, p.fee)", MONEY),
    ("options[0].fee", MONEY),
    ("options|length", INT),
    ("a.password|length", INT),
    ("a.password == word", BOOL),
    ("a.login == 'x'", BOOL),
    ("a.login", PII),
    ("a.login + word", PII),
    ("a.password", SECRET),
    ("caller", PHONE),
    ("caller|phone", PII),
    ("p.fee|money", TEXT),
    ("memory.offer_seen", INT),
    ("open(line)", BOOL),
    ("expected_wait('support')", INT),
    ("recent('billing.promise')", Type(Choice(("done", "unknown")), optional=True)),
    ("channel == 'voice'", BOOL),
    ("refreshable", Type(ListOf(TEXT))),
    ("p.tariff in refreshable", BOOL),
    ("priority_fee", MONEY),
    ("unknown.any.path", ANY),
    ("event.fee", ANY),
    ("unknown + 1", ANY),
    ("number == caller and memory.identified", ANY),
    ("net.until and net.until < clock", Type(Scalar.ANY, optional=True)),
    ("[1, 2.5]", Type(ListOf(MONEY))),
    ("net.until is none", BOOL),
    ("clock if ready else net.until", Type(Scalar.TIME, optional=True)),
]


@pytest.mark.parametrize(("source", "wanted"), INFERRED)
def test_inferred(source, wanted):
    typed = expression(source).type_in(TYPES)
    assert [item.message for item in typed.problems] == []
    assert typed.type == wanted


REPORTED = [
    ("p.balanse", 'no-field p has no field "balanse"; did you mean "balance"?'),
    ("word.size", "no-field word is text and has no fields"),
    ("options.fee", "no-field options is a list and has no fields"),
    ("p.fee < 'abc'", "expr-type p.fee < 'abc': money is compared with text"),
    ("p.service == 1", "expr-type p.service == 1: bool is compared with int"),
    (
        "p.period == 'mont'",
        'expr-type p.period == \'mont\': "mont" is not one of month, day; did you mean "month"?',
    ),
    (
        "p.period in ['month', 'week']",
        "expr-type p.period in ['month', 'week']: \"week\" is not one of month, day",
    ),
    ("channel == 'phone'", "expr-type channel == 'phone': \"phone\" is not one of voice, ussd, sms, event"),
    (
        "recent('billing.promise') == 'ok'",
        "expr-type recent('billing.promise') == 'ok': \"ok\" is not one of done, unknown",
    ),
    ("p.service < yes", "expr-type p.service < yes: bool has no order"),
    ("options == fees", "expr-type options == fees: a list is compared with a list"),
    ("day < now", "expr-type day < now: date is compared with moment"),
    ("n == none", "expr-type n == none: a comparison with an empty value is always false"),
    ("n in refreshable", "expr-type n in refreshable: int in a list of text"),
    ("word in p", "expr-type word in p: a record is no list"),
    ("n in word", "expr-type n in word: int cannot be in a text"),
    ("p.fee + 'abc'", "expr-type p.fee + 'abc': money and text cannot be added"),
    ("word * n", "expr-type word * n: text and int cannot be multiplied"),
    ("word - n", "expr-type word - n: text and int cannot be subtracted"),
    ("ready + 1", "expr-type ready + 1: bool and int cannot be added"),
    ("now + 1", "expr-type now + 1: moment and int cannot be added"),
    ("now + now", "expr-type now + now: moment and moment cannot be added"),
    ("unknown * word", "expr-type unknown * word: any and text cannot be multiplied"),
    ("-word", "expr-type -word: text has no sign"),
    ("fees[word]", "expr-type fees[word]: an element of a list is chosen by int, not text"),
    ("n[0]", "expr-type n is int and has no elements"),
    ("word|money", "expr-type word|money: money takes a number, not text"),
    ("p.fee|date", "expr-type p.fee|date: date takes a date or a moment, not money"),
    ("ready|count('а|б|в')", "expr-type ready|count('а|б|в'): count takes a number, not bool"),
    ("n|length", "expr-type n|length: length takes a text or a list, not int"),
    ("hours(word)", "expr-type hours(word): hours takes a number, not text"),
    ("open(word)", "expr-type open(word): open takes a queue, not text"),
    ("surge(n)", "expr-type surge(n): surge takes a text, not int"),
    ("round(word)", "expr-type round(word): round takes a number, not text"),
    ("lowest(n)", "expr-type lowest(n): lowest takes a list or several values"),
    ("average([word])", "expr-type average([word]): average takes numbers, not text"),
    ("max(n, day)", "expr-type max(n, day): int is compared with date"),
    ("net.until|time", "may-be-empty net.until may be empty here: test it first (if: net.until)"),
    ("mark.call + 1", "may-be-empty mark.call may be empty here: test it first (if: mark.call)"),
    ("order.by", "may-be-empty order may be empty here: test it first (if: order)"),
    (
        "net.until|time if ready else ''",
        "may-be-empty net.until may be empty here: test it first (if: net.until)",
    ),
    ("ready or net.until|time", "may-be-empty net.until may be empty here: test it first (if: net.until)"),
    (
        "a.password + 'x'",
        "expr-type a.password is secret: it can only be compared (== !=), measured (length) or said",
    ),
    (
        "a.password|digits",
        "expr-type a.password is secret: it can only be compared (== !=), measured (length) or said",
    ),
    ("a.password < 'x'", "expr-type a.password < 'x': a secret can only be compared by == and !="),
    ("a.password in ['x']", "expr-type a.password in ['x']: a secret can only be compared by == and !="),
    (
        "a.password[0]",
        "expr-type a.password is secret: it can only be compared (== !=), measured (length) or said",
    ),
]


@pytest.mark.parametrize(("source", "wanted"), REPORTED)
def test_reported(source, wanted):
    found = expression(source).type_in(TYPES).problems
    assert f"{found[0].code} {found[0].message}" == wanted


def test_place_of_a_problem():
    found = expression("n == 1 and p.balanse > 1").type_in(TYPES).problems
    assert [(item.place.column, item.place.end_column) for item in found] == [(18, 25)]


ALLOWED = [
    "net.until and net.until < clock",
    "not net.until or net.until < clock",
    "net.until is not none and net.until|time == 'x'",
    "net.until|time if net.until else ''",
    "'' if not net.until else net.until|time",
    "net.until < clock and net.until|time != ''",
    "(ready and mark.call) and mark.call + 1 > 2",
    "order and order.by > now",
    "not order or not net.until or net.until|time == '1'",
    "mark.call <= 2",
    "net.until != clock",
    "mark.call in [1, 2]",
]


@pytest.mark.parametrize("source", ALLOWED)
def test_a_tested_value_is_not_empty(source):
    assert expression(source).type_in(TYPES).problems == []


@pytest.mark.parametrize(
    ("source", "codes"),
    [
        ("{% if net.until %}до {{ net.until|time }}{% endif %}", []),
        ("{% if not net.until %}{% else %}до {{ net.until|time }}{% endif %}", []),
        ("{% if ready %}{% elif net.until %}до {{ net.until|time }}{% endif %}", []),
        ("{% if ready %}до {{ net.until|time }}{% endif %}", ["may-be-empty"]),
        ("до {{ net.until }}", ["may-be-empty"]),
        ("{{ p.fee + word }} {{ p.x }}", ["expr-type", "no-field"]),
        ("{{ scores }} {{ p.service }} {{ a.password }}", []),
    ],
)
def test_types_in_texts(source, codes):
    assert [item.code for item in text(source).type_in(TYPES).problems] == codes


@pytest.mark.parametrize(
    ("source", "privacy"),
    [
        ("{{ p.fee|money }}", Privacy.PUBLIC),
        ("{{ a.login }}", Privacy.PERSONAL),
        ("{{ a.login }} {{ a.password }}", Privacy.SECRET),
        ("{% if ready %}{{ caller|phone }}{% endif %}", Privacy.PERSONAL),
        ("{{ a }}", Privacy.SECRET),
        ("{{ a.password|length }}", Privacy.PUBLIC),
    ],
)
def test_privacy_of_a_text(source, privacy):
    assert text(source).type_in(TYPES).type.privacy is privacy


def test_narrowing_for_the_code_behind_a_condition():
    after = narrowed_by(expression("not net.until or not mark.call"), TYPES, holds=False)
    assert expression("net.until|time + 'x'").type_in(after).problems == []
    assert expression("mark.call + 1").type_in(after).problems == []
    assert expression("bonus + 1").type_in(after).problems != []
    unknown = narrowed_by(expression("net.until or ready"), TYPES)
    assert expression("net.until|time").type_in(unknown).problems != []
    assert narrowed_by(expression("not_there.x"), TYPES) is TYPES
    filled = narrowed_by(expression("order.by > now"), TYPES)
    assert not filled["order"].optional
    assert TYPES["order"].optional


def test_type_of_the_event_comes_from_the_caller():
    event = Type(Record((("fee", MONEY), ("done", BOOL))))
    assert text("{{ event.fee|money }}").type_in({"event": event}).problems == []
    assert [item.code for item in text("{{ event.sum }}").type_in({"event": event}).problems] == ["no-field"]
    assert KNOWN.reserved_name("event")
