"""What expressions give: every operator, function and built-in word."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from expression_samples import NOW, expression, scope

from engine.expressions import ExpressionFailed
from engine.values import Secret

VALUES = [
    ("n", 7),
    ("p.fee", Decimal(490)),
    ("p['fee']", Decimal(490)),
    ("list[0]", 1),
    ("list.2", 3),
    ("p.items + p.keys", 7),
    ("'a'", "a"),
    ('"it\'s"', "it's"),
    (r"'a\'b\n\\'", "a'b\n\\"),
    ("'a' 'b'", "ab"),
    ("1_000", 1000),
    ("490.50", Decimal("490.50")),
    ("yes", True),
    ("no", False),
    ("true", True),
    ("none", None),
    ("[1, 'a', n]", [1, "a", 7]),
    ("[]", []),
    # arithmetic
    ("1 + 2", 3),
    ("n - 10", -3),
    ("n * 2", 14),
    ("n / 2", Decimal("3.5")),
    ("10 / 5", Decimal(2)),
    ("n % 4", 3),
    ("-n", -7),
    ("+n", 7),
    ("- - n", 7),
    ("0.1 + 0.2", Decimal("0.3")),
    ("p.fee - p.balance", Decimal("400.50")),
    ("money * 2", Decimal("25.00")),
    ("2 + 3 * 4", 14),
    ("(2 + 3) * 4", 20),
    ("'a' + word", "aслово"),
    ("-term", timedelta(minutes=-90)),
    # comparison
    ("n == 7", True),
    ("n != 7", False),
    ("n < 8", True),
    ("n <= 7", True),
    ("n > 7", False),
    ("n >= 7", True),
    ("1 < n < 10", True),
    ("1 < n < 5", False),
    ("1 < n == 7 <= 8", True),
    ("money == 12.5", True),
    ("'а' < 'б'", True),
    ("day < today", False),
    ("slot.start > now", True),
    ("clock == clock", True),
    ("word in ['слово', 'x']", True),
    ("n in list", False),
    ("2 in list", True),
    ("2 not in list", False),
    ("'ло' in word", True),
    ("p.tariff in refreshable", True),
    ("p.tariff not in refreshable", False),
    ("n in refreshable", False),
    # an empty value: every comparison is false
    ("nothing == none", False),
    ("nothing != none", False),
    ("nothing == 1", False),
    ("nothing != 1", False),
    ("1 == nothing", False),
    ("1 != nothing", False),
    ("nothing < 1", False),
    ("1 >= nothing", False),
    ("nothing in list", False),
    ("nothing not in list", False),
    ("1 in nothing", False),
    ("1 not in nothing", False),
    ("nothing in refreshable", False),
    ("net.until == 'x'", False),
    ("not nothing", True),
    ("nothing is none", True),
    ("nothing is not none", False),
    ("n is none", False),
    ("n is not none", True),
    # logic
    ("n and 0", 0),
    ("0 or word", "слово"),
    ("n and word and 3", 3),
    ("zero or blank or bare or 4", 4),
    ("not n", False),
    ("not zero", True),
    ("not n == 7", False),
    ("true_ and not p.blocked", True),
    ("zero and unknown", 0),
    ("n or unknown", 7),
    ("1 and 0 and unknown", 0),
    ("0 or 2 or unknown", 2),
    ("'a' if n else 'b'", "a"),
    ("'a' if zero else 'b'", "b"),
    ("50 if zero else 25 if n else 0", 25),
    # moments and terms
    ("slot.start - hours(2)", datetime(2026, 11, 23, 13, 30, tzinfo=UTC)),
    ("now + days(1)", NOW + timedelta(days=1)),
    ("minutes(30) + now", NOW + timedelta(minutes=30)),
    ("minutes(1.5)", timedelta(seconds=90)),
    ("day + days(1)", date(2026, 12, 2)),
    ("slot.start - now", timedelta(days=1, hours=3, minutes=30)),
    ("day - today", timedelta(days=9)),
    ("hours(1) + minutes(1)", timedelta(minutes=61)),
    ("hours(1) - minutes(1)", timedelta(minutes=59)),
    ("days(n) > hours(1)", True),
    ("today", date(2026, 11, 22)),
    ("now + workdays(2)", NOW + timedelta(days=3)),
    # functions
    ("lowest(scores)", 2),
    ("lowest(list)", 1),
    ("lowest([3, none, 2])", 2),
    ("lowest(skipped)", None),
    ("lowest(skipped) <= 2", False),
    ("average(scores)", Decimal("3.5")),
    ("average([1, 2])", Decimal("1.5")),
    ("average(skipped)", None),
    ("min(3, n)", 3),
    ("max(3, n, 5)", 7),
    ("min(list)", 1),
    ("max(scores)", 5),
    ("max(day, today)", date(2026, 12, 1)),
    ("round(2.5)", 3),
    ("round(-2.5)", -3),
    ("round(12.345, 2)", Decimal("12.35")),
    ("round(n)", 7),
    ("round(n / 2)", 4),
    # what is looked up
    ("memory.offer_seen", 2),
    ("memory.offer_seen or memory.no_ads", 2),
    ("memory.no_ads > 0", False),
    ("recent('billing.promise') == 'done'", True),
    ("recent('billing.refresh_package')", None),
    ("open('support')", True),
    ("not open(line)", False),
    ("expected_wait(line) < 60", False),
    ("position('support')", 4),
    ("repeat_contact('internet', 7)", True),
    ("repeat_contact(topic, 7)", True),
    ("surge('internet')", False),
    ("surge(topic)", False),
    # words
    ("caller", "79161234567"),
    ("called", "*929#"),
    ("lang", "ru"),
    ("channel == 'ussd'", True),
    ("topic", "internet"),
    ("text", "привет"),
    ("event.fee", Decimal(490)),
    ("event.done", True),
    ("announcement", ""),
    ("operator", "Гудок"),
    ("priority_fee + 1", Decimal("51.00")),
    # filters in expressions
    ("word|length", 5),
    ("list|length == 3", True),
    ("code|length", 6),
    ("scores|length", 3),
    ("p.fee|money", "490 ₽"),
    # secrets
    ("code == 'qwerty'", True),
    ("'qwerty' == code", True),
    ("code != 'qwerty'", False),
    ("code == 'x'", False),
    ("code != 'x'", True),
    ("code == code", True),
    ("code", Secret("qwerty")),
    ("not code", False),
]


@pytest.mark.parametrize(("source", "wanted"), VALUES)
def test_value(source, wanted):
    value = expression(source).evaluate(scope())
    assert value == wanted or (value is None and wanted is None)
    assert type(value) is type(wanted)


FAILURES = [
    ("unknown", "unknown: it is unknown here"),
    ("unknown.fee", "unknown: it is unknown here"),
    ("p.balanse", 'p.balanse: there is no field "balanse"'),
    ("n.fee", "n.fee: int has no fields"),
    ("word.upper", "word.upper: text has no fields"),
    ("net.until.hour", "net.until: it is empty here"),
    ("code.reveal", "code.reveal: a secret has no fields"),
    ("list[3]", "list[3]: the list has no such element"),
    ("list[-1]", "list[-1]: the list has no such element"),
    ("list[true_]", "list[true_]: a list has no elements by bool"),
    ("word[0]", "word[0]: text has no elements by int"),
    ("p[word]", "p[word]: there is no such field"),
    ("money + word", "money + word: money and text cannot be added"),
    ("n + true_", "n + true_: int and bool cannot be added"),
    ("word * n", "word * n: text and int cannot be multiplied"),
    ("list + list", "list + list: a list and a list cannot be added"),
    ("word % n", "word % n: text and int cannot be divided"),
    ("n - word", "n - word: text cannot be taken from int"),
    ("n + nothing", "n + nothing: int and an empty value cannot be added"),
    ("code + word", "code + word: a secret and text cannot be added"),
    ("-word", "-word: text has no sign"),
    ("n / zero", "n / zero: division by zero"),
    ("money / zero", "money / zero: division by zero"),
    ("n % zero", "n % zero: division by zero"),
    ("money % zero", "money % zero: division by zero"),
    ("big * big", "big * big: the number is too large"),
    ("huge * huge", "huge * huge: the number is too large"),
    ("n < word", "n < word: int is compared with text"),
    ("code < word", "code < word: a secret is compared with text"),
    ("nan < 1", "nan < 1: money is compared with int"),
    ("n in word", "n in word: int cannot be in a text"),
    ("n in p", "n in p: a record is no list"),
    ("n in many", "n in many: a list of more than 1000 elements"),
    ("lowest(bare)", "lowest(bare): the list has no elements"),
    ("lowest(n)", "lowest(n): int is no list"),
    ("lowest(texts)", "lowest(texts): these values have no order"),
    ("average(texts)", "average(texts): text is no number"),
    ("average(many)", "average(many): a list of more than 1000 elements"),
    ("min(n, nothing)", "min(n, nothing): an argument is empty"),
    ("min(n, day)", "min(n, day): these values have no common order"),
    ("round(word)", "round(word): text is no number"),
    ("round(n, 9)", "round(n, 9): decimals are 0 to 6"),
    ("hours(word)", "hours(word): text is no number"),
    ("days(big)", "days(big): a term is at most a hundred years"),
    ("day + hours(1)", "day + hours(1): a date moves by whole days; use now for hours"),
    ("long + long", "long + long: the text is longer than 2000 characters"),
    ("n|length", "n|length: int has no length"),
    ("code|money", "code|money: a secret has no such form"),
    ("nothing|money", "nothing|money: it is empty"),
    ("huge|money", "huge|money: the number is too large"),
    ("nan|money", "nan|money: the number is too large"),
    ("open(word)", "open(word): it has not been looked up"),
    ("open(n)", "open(n): the name is no text, or is empty"),
    ("repeat_contact(topic, zero)", "repeat_contact(topic, zero): days are a whole number from 1 to 3660"),
    ("memory.wrong_code", "memory.wrong_code: it has not been looked up"),
]


@pytest.mark.parametrize(("source", "message"), FAILURES)
def test_failure(source, message):
    compiled = expression(source)
    with pytest.raises(ExpressionFailed) as caught:
        compiled.evaluate(scope())
    assert caught.value.message == message
    assert (caught.value.place.file, caught.value.place.line) == ("flows/a.yaml", 3)


def test_failure_points_to_the_part_that_failed():
    compiled = expression("n == 7 and p.balanse > 1")
    with pytest.raises(ExpressionFailed) as caught:
        compiled.evaluate(scope())
    assert (caught.value.place.column, caught.value.place.end_column) == (18, 19)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("2 * 3 + 1", 7),
        ("'a' in ['a']", True),
        ("operator", "Гудок"),
        ("most > 2 and yes", True),
        ("none", None),
    ],
)
def test_what_needs_no_scope_is_computed_once(source, value):
    compiled = expression(source)
    assert compiled.fixed
    assert compiled.constant == value


def test_what_depends_on_the_turn_is_no_constant():
    for source in ("n", "now", "channel", "memory.no_ads", "surge('internet')", "priority_fee|money"):
        assert not expression(source).fixed


def test_constant_of_the_world_serves_a_name_unknown_at_load():
    assert expression("fee_of_env + 1").evaluate(scope(consts={"fee_of_env": 2})) == 3


@pytest.mark.parametrize(
    ("source", "wanted"), [("n", True), ("zero", False), ("blank", False), ("net.until", False)]
)
def test_truth(source, wanted):
    assert expression(source).truth(scope()) is wanted
