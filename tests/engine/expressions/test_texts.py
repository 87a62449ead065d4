"""Texts: filters and their forms in each language, branches, hostile data, secrets, limits."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from expression_samples import KNOWN, NOW, expression, problems, scope, text, world

from engine.expressions import ExpressionFailed, Scope, Vocabulary
from engine.values import Secret

TEXTS = [
    ("Привет", "Привет"),
    ("", ""),
    ("a\nb\n", "a\nb\n"),
    ("100% {x} } }} #", "100% {x} } }} #"),
    ("{{ word }}", "слово"),
    ("{{ n }} и {{ money }}", "7 и 12.50"),
    ("{{ yes }}/{{ p.blocked }}", "да/нет"),
    ("{{ 7 * 7 }}", "49"),
    ("{{ 0.1 + 0.2 }}", "0.3"),
    ("Это {{ operator }}.", "Это Гудок."),
    ("{{ -n }}", "-7"),
    ("{{ list }}; {{ scores }}", "1, 2, 3; service 5, speed -, manners 2"),
    ("{{ p.items }}{{ p.keys }}", "34"),
    ("{{ day }} {{ clock }} {{ slot.start }} {{ term }}", "1 декабря 09:05 23 ноября 18:30 1 час 30 минут"),
    ("{{ a }}{{ b }}{{ c }}", "123"),
    ("{{ (p.fee - p.balance)|money }}", "400,50 ₽"),
    ("{{ p.fee|money }}", "490 ₽"),
    ("{{ zero|money }}", "0 ₽"),
    ("{{ -12.345|money }}", "-12,35 ₽"),
    ("{{ 0.999|money }}", "1 ₽"),
    ("{{ -0.001|money }}", "0 ₽"),
    ("{{ 9999|money }}", "9999 ₽"),
    ("{{ 12345.6|money }}", "12 345,60 ₽"),
    ("{{ 1234567|money }}", "1 234 567 ₽"),
    ("{{ priority_fee|money }}", "50 ₽"),
    ("{{ day|date }}", "1 декабря"),
    ("{{ slot.start|date }} в {{ slot.start|time }}", "23 ноября в 18:30"),
    ("{{ clock|time }}", "09:05"),
    ("{{ (today + days(400))|date }}", "27 декабря 2027 г."),
    ("{{ (now + hours(10))|date }}", "23 ноября"),
    ("{{ expected_wait(line)|duration }}", "10 минут"),
    ("{{ 20|duration }}", "20 секунд"),
    ("{{ 90|duration }}", "1 минута 30 секунд"),
    ("{{ term|duration }}", "1 час 30 минут"),
    ("{{ 3600|duration }}", "1 час"),
    ("{{ 3601|duration }}", "1 час"),
    ("{{ 200000|duration }}", "2 дня 7 часов"),
    ("{{ 0|duration }}", "0 секунд"),
    ("{{ -5|duration }}", "0 секунд"),
    ("{{ caller|phone }}", "+7 916 123-45-67"),
    ("{{ '992901234567'|phone }}", "+992 90 123-45-67"),
    ("{{ '9161234567'|phone }}", "916 123-45-67"),
    ("{{ '2021111'|phone }}", "202-11-11"),
    ("{{ '0890'|digits }} {{ n|digits }}", "0890 7"),
    ("{{ n|count('минута|минуты|минут') }}", "7 минут"),
    ("{{ 1|count('день|дня|дней') }}", "1 день"),
    ("{{ 22|count('день|дня|дней') }}", "22 дня"),
    ("{{ 11|count('день|дня|дней') }}", "11 дней"),
    ("{{ 112|count('день|дня|дней') }}", "112 дней"),
    ("{{ 1001|count('день|дня|дней') }}", "1001 день"),
    ("{{ 2.5|count('день|дня|дней') }}", "2,5 дня"),
    ("{{ big|count('день|дня|дней') }}", "100000000000000000000 дней"),
    ("{{ 'есть' if n else 'нет' }}", "есть"),
    ("{% if n %}a{% endif %}b", "ab"),
    ("{% if zero %}a{% endif %}", ""),
    ("{% if zero %}a{% elif n == 7 %}{{ word }}{% else %}c{% endif %}", "слово"),
    ("{% if zero %}a{% else %}c{{ n }}{% endif %}!", "c7!"),
    ("a {%- if n %} b {% endif -%} c", "a b c"),
    ("{# никто не видит #}x", "x"),
    ("{% if n %}{% if zero %}a{% else %}{{ n }}{% endif %}{% endif %}", "7"),
]


@pytest.mark.parametrize(("source", "wanted"), TEXTS)
def test_text(source, wanted):
    given = scope()
    assert text(source).render(Scope({**given.variables, "a": 1, "b": 2, "c": 3}, given.world)) == wanted


LANGUAGES = [
    ("ru", "{{ m|money }}", "12 345,50 ₽"),
    ("en", "{{ m|money }}", "12,345.50 RUB"),
    ("tg", "{{ m|money }}", "12 345,50 ₽"),
    ("en", "Charged {{ m|money }}", "Charged 12,345.50 RUB"),
    ("en", "«Pay» {{ m|money }}", "«Pay» 12,345.50 ₽"),
    ("en", "{{ name }}: {{ m|money }}", "Наш Smart: 12,345.50 ₽"),
    ("ru", "X {{ m|money }}", "X 12 345,50 ₽"),
    ("en", "{% if m %}Pay {{ m|money }}{% endif %}", "Pay 12,345.50 RUB"),
    ("uz", "{{ m|money }}", "12 345,50 RUB"),
    ("az", "{{ m|money }}", "12.345,50 RUB"),
    ("ru", "{{ d|date }}", "1 декабря"),
    ("en", "{{ d|date }}", "December 1"),
    ("tg", "{{ d|date }}", "1 декабр"),
    ("uz", "{{ d|date }}", "1-dekabr"),
    ("kk", "{{ d|date }}", "1 желтоқсан"),
    ("uk", "{{ d|date }}", "1 грудня"),
    ("xx", "{{ d|date }}", "December 1"),
    ("", "{{ d|date }}", "December 1"),
    ("en", "{{ 600|duration }}", "10 minutes"),
    ("tg", "{{ 600|duration }}", "10 дақиқа"),
    ("uz", "{{ 5400|duration }}", "1 soat 30 daqiqa"),
    ("de", "{{ 5400|duration }}", "1 h 30 min"),
    ("en", "{{ yes }}", "yes"),
    ("tg", "{{ no }}", "не"),
    ("en", "{{ t|time }}", "18:30"),
]


@pytest.mark.parametrize(("lang", "source", "wanted"), LANGUAGES)
def test_language_of_the_session(lang, source, wanted):
    variables = {
        "m": Decimal("12345.5"),
        "name": "Наш Smart",
        "d": NOW.date() + timedelta(days=9),
        "t": datetime(2026, 11, 23, 15, 30, tzinfo=UTC),
    }
    assert text(source).render(Scope(variables, world(lang=lang))) == wanted


PLURALS = [
    (
        "ru",
        "одна|две|пять",
        {1: "одна", 2: "две", 5: "пять", 11: "пять", 21: "одна", 104: "две", 111: "пять", 0: "пять"},
    ),
    ("uk", "a|b|c", {1: "a", 3: "b", 12: "c", 22: "b", 1000: "c", 5111: "c"}),
    ("en", "a|b", {1: "a", 0: "b", 2: "b", 21: "b", 1001: "b"}),
    ("uz", "a|b", {1: "a", 2: "b"}),
    ("tg", "рӯз", {1: "рӯз", 5: "рӯз", 1_000_000: "рӯз"}),
    ("fr", "a|b|c", {0: "a", 1: "a", 2: "c", 1_000_000: "b"}),
    ("ar", "a|b|c|d|e|f", {0: "a", 1: "b", 2: "c", 3: "d", 11: "e", 100: "f", 103: "d"}),
]


@pytest.mark.parametrize(("lang", "forms", "cases"), PLURALS)
def test_plural_form_is_that_of_the_text_and_not_of_the_session(lang, forms, cases):
    compiled = text("{{ n|count('" + forms + "') }}", language=lang)
    for number, form in cases.items():
        assert compiled.render(Scope({"n": number}, world(lang="en"))) == f"{number} {form}"


@pytest.mark.parametrize(
    ("lang", "forms", "message"),
    [
        ("ru", "день|дня", "ru needs 3 forms in count, 2 given"),
        ("tg", "рӯз|рӯз", "tg needs 1 form in count, 2 given"),
        ("en", "day", "en needs 2 forms in count, 1 given"),
    ],
)
def test_number_of_plural_forms(lang, forms, message):
    source = "Ещё {{ n|count('" + forms + "') }}"
    assert problems(source, lambda given: text(given, language=lang)) == [f"10 plural-forms {message}"]


def test_phone_is_plain_in_a_call():
    assert text("Номер {{ caller|phone }}").render(scope(channel="voice")) == "Номер 79161234567"


@pytest.mark.parametrize(
    "data",
    [
        "{{ 7*7 }}",
        "{% for x in y %}",
        "{{ ''.__class__.__mro__ }}",
        "{# x #}",
        "${7*7}",
        "%s %(a)s {0}",
        "__class__",
        "{{",
        "'\"\\",
        "<b>&amp;</b>",
        "'; DROP TABLE x; --",
    ],
)
def test_data_are_shown_as_they_are(data):
    given = Scope({"x": data, "y": {"z": data}}, world(text=data, looked={"announcement::": data}))
    assert text("{{ x }}|{{ y.z }}|{{ text }}|{{ announcement }}").render(given) == "|".join([data] * 4)
    assert text("{{ x + y.z }}").render(given) == data * 2
    assert text("{{ y }}").render(given) == f"z {data}"


def test_control_and_direction_characters_of_data_do_not_reach_a_screen():
    given = Scope({"x": "a\x00b\x1b[31m\u202ec\r\nd\u00a0e 🙂"}, world())
    assert text("{{ x }}").render(given) == "a b [31m c \nd\u00a0e 🙂"


def test_python_attributes_of_data_are_out_of_reach():
    given = Scope({"d": {"items": 3, "keys": 4, "get": 5}, "s": "x", "f": {}}, world())
    assert text("{{ d.items }} {{ d.keys }} {{ d['get'] }}").render(given) == "3 4 5"
    for source in ("{{ s.upper }}", "{{ s.format }}", "{{ f.values }}", "{{ f.items }}", "{{ d.pop }}"):
        with pytest.raises(ExpressionFailed):
            text(source).render(given)


def test_a_secret_makes_the_whole_text_secret():
    shown = "Логин ivan, пароль qwerty"
    for source in (
        "Логин {{ login }}, пароль {{ code }}",
        "{% if n %}Логин {{ login }}, пароль {{ code }}{% endif %}",
        "Логин ivan{{ comma }} {{ empty }}пароль {{ code }}",
    ):
        variables = {**scope().variables, "login": "ivan", "comma": ",", "empty": ""}
        rendered = text(source).render(Scope(variables, world()))
        assert isinstance(rendered, Secret)
        assert rendered.reveal() == shown
        assert "qwerty" not in f"{rendered}{rendered!r}"
    assert isinstance(text("{{ code }}").render(scope()), Secret)
    assert isinstance(text("код {{ code }}").render(scope()), Secret)


def test_no_message_shows_a_value():
    canary = "q7Zx-canary"
    variables = {
        "code": Secret(canary),
        "word": canary,
        "n": 1,
        "r": {"a": Secret(canary)},
        "list": [Secret(canary)],
    }
    given = Scope(variables, world(text=canary, event={"pin": Secret(canary)}))
    sources = [
        "code + word",
        "word * n",
        "code < word",
        "code|money",
        "word|money",
        "word.x",
        "code.x",
        "n + word",
        "r.a|phone",
        "-code",
        "lowest(list)",
        "average(list)",
        "round(code)",
        "word|date",
        "text|time",
        "event.pin|digits",
        "hours(word)",
        "min(code, n)",
        "code in word",
        "open(word)",
        "r[word]",
        "list[word]",
        "code|count('а|б|в')",
        "repeat_contact(word, word)",
    ]
    for source in sources:
        with pytest.raises(ExpressionFailed) as caught:
            expression(source).evaluate(given)
        chain = [caught.value, caught.value.__cause__, caught.value.__context__]
        assert canary not in "".join(f"{item}{item!r}" for item in chain)
    for source in ("{{ r }}", "{{ list }}", "{{ event }}"):
        with pytest.raises(ExpressionFailed) as caught:
            text(source).render(given)
        assert canary not in str(caught.value)
    assert canary not in f"{given!r}{given.world!r}{expression('code == word')!r}{text('{{ code }}')!r}"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ long }}{{ long }}", "the text is longer than 2000 characters"),
        ("{{ many }}", "many: it has more than 1000 elements"),
        ("a {{ nothing }}", "nothing: it is empty"),
        ("a {{ net.until|time }}", "net.until|time: it is empty"),
        ("{{ [p] }}", "[p]: it has lists or records inside"),
        ("{{ huge }}", "huge: the number is too large"),
        ("{{ nan }}", "nan: the number is too large"),
        ("{{ word|money }}", "word|money: money is a number"),
        ("{{ n|phone }}", "n|phone: a phone is written in digits"),
        ("{{ '٧٩١٦١٢٣٤٥٦٧'|phone }}", "'٧٩١٦١٢٣٤٥٦٧'|phone: a phone is written in digits"),
        ("{{ word|date }}", "word|date: a date is a day or a moment"),
        ("{{ n|time }}", "n|time: a time is a time of day or a moment"),
        ("{{ word|duration }}", "word|duration: a duration is a term or a number of seconds"),
        ("{{ word|count('а|б|в') }}", "word|count('а|б|в'): count needs a number"),
        ("{{ huge|count('а|б|в') }}", "huge|count('а|б|в'): the number is too large"),
        ("{{ unknown }}", "unknown: it is unknown here"),
    ],
)
def test_text_that_cannot_be_made(source, message):
    compiled = text(source)
    with pytest.raises(ExpressionFailed) as caught:
        compiled.render(scope())
    assert caught.value.message == message


def test_constant_text():
    assert text("Гудок").constant == "Гудок"
    assert text("Это {{ operator }}, {{ most }} и {{ 1 + 1 }}").constant == "Это Гудок, 3 и 2"
    assert text("Это {{ operator }}").render(scope()) == "Это Гудок"
    for source in ("{{ n }}", "{{ priority_fee|money }}", "{{ yes }}", "{{ caller }}"):
        assert text(source).constant is None


def test_what_a_text_uses():
    compiled = text(
        "{{ p.fee|money }} {{ net.until.x }} {{ operator }} {% if n and caller %}{{ event.fee }}{% endif %}"
    )
    assert [use.path for use in compiled.uses] == [("p", "fee"), ("net", "until", "x"), ("n",)]
    assert [use.name for use in compiled.uses] == ["p", "net", "n"]
    assert compiled.uses[1].place.column == 5 + compiled.source.index("net")
    assert compiled.words == {"p", "net", "operator", "n", "caller", "event"}


def test_questions_are_asked_once_and_only_those_that_can_be():
    compiled = text("{{ expected_wait(line)|duration }}{% if memory.no_ads or memory.no_ads %}{% endif %}")
    asked = [(item.kind, item.name, item.subject) for item in compiled.questions(scope())]
    assert asked == [("expected_wait", "support", ""), ("memory", "no_ads", "79161234567")]
    assert [item.kind for item in compiled.questions(Scope({}, world(caller="")))] == ["memory"]
    asked = expression(
        "repeat_contact(topic, 7) or recent('billing.promise') or surge('x') or open('office')"
    ).questions(scope())
    assert [(item.kind, item.name, item.subject) for item in asked] == [
        ("repeat_contact", "internet:7", "79161234567"),
        ("recent", "billing.promise", "79161234567"),
        ("surge", "x", ""),
        ("open", "office", ""),
    ]
    assert expression("n == 1").asks == ()
    assert expression("n == 1").questions(scope()) == ()


def test_language_of_the_project_is_that_of_the_texts():
    known = Vocabulary(languages=("en", "ru"))
    assert text("{{ n|count('day|days') }}", known).render(scope()) == "7 days"
    assert KNOWN.reserved_name("memory") == KNOWN.reserved_name("lowest") == "a built-in word"
    assert KNOWN.reserved_name("operator") == "a constant of the project"
    assert KNOWN.reserved_name("sum") is None
