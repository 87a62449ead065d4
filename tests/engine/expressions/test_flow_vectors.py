"""Every expression and text of the shipped flows compiles, has right types and gives the right thing."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import pytest
from expression_samples import NOW

from engine.expressions import Scope, Vocabulary, World, compile_expression, compile_template, question_key
from engine.reading.diagnostic import Place
from engine.types import (
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
    Choice,
    ListOf,
    Record,
    Scalar,
    Type,
)
from engine.values import Secret

TARIFFS = ["Smart", "Smart mini", "Smart Безлимитище", "X", "Наш Smart"]
KNOWN = Vocabulary(
    consts={"refreshable": TARIFFS, "operator": "Гудок", "priority_fee": Decimal("50.00")},
    languages=("ru", "tg", "en"),
    memory=("identified", "identity_try", "wrong_code", "offer_seen", "surveyed", "no_ads"),
    operations=("billing.refresh_package", "billing.promise"),
    queues=("support",),
    calendars=("office",),
)
OPTIONAL_INT, OPTIONAL_TIME = Type(Scalar.INT, optional=True), Type(Scalar.TIME, optional=True)
RESULT = Type(Choice(("solved", "unsolved", "escalate")), optional=True)


def record(**fields):
    return Type(Record(tuple(fields.items())))


DATA = {
    "p": (
        {
            "tariff": "Старый",
            "service": True,
            "fee": Decimal(490),
            "balance": Decimal("89.50"),
            "blocked": False,
            "unpaid": False,
            "period": "month",
            "minutes": 21,
            "sms": 5,
            "mb": 900,
            "until": date(2026, 12, 1),
            "day": date(2026, 11, 20),
            "sum": Decimal(300),
        },
        record(
            tariff=TEXT,
            service=BOOL,
            fee=MONEY,
            balance=MONEY,
            blocked=BOOL,
            unpaid=BOOL,
            period=Type(Choice(("month", "day"))),
            minutes=INT,
            sms=INT,
            mb=INT,
            until=DATE,
            day=DATE,
            sum=MONEY,
        ),
    ),
    "a": (
        {
            "contract": "780012345",
            "balance": Decimal(250),
            "pay_by": date(2026, 12, 1),
            "login": "ivan",
            "password": Secret("qwerty"),
        },
        record(contract=PII, balance=MONEY, pay_by=DATE, login=PII, password=SECRET),
    ),
    "scores": (
        {"service": 5, "readiness": 4, "politeness": None, "competence": 2},
        record(
            service=OPTIONAL_INT, readiness=OPTIONAL_INT, politeness=OPTIONAL_INT, competence=OPTIONAL_INT
        ),
    ),
    "mark": ({"call": 2, "shop": 5}, record(call=INT, shop=INT)),
    "skipped": ({"call": None}, record(call=OPTIONAL_INT)),
    "solved": (False, BOOL),
    "helped": (True, BOOL),
    "known": (False, BOOL),
    "wanted": (True, BOOL),
    "tries": (4, INT),
    "it": (Decimal(250), MONEY),
    "reason": ("Долго ждать", TEXT),
    "line": ("support", QUEUE),
    "points": (50, INT),
    "number": ("79161234567", PHONE),
    "words": ("Списали лишнее", TEXT),
    "address": ("Ленина 5, 12", TEXT),
    "sum": (Decimal(500), MONEY),
    "below": (Decimal(100), MONEY),
    "visit": ("v7", TEXT),
    "c": ({"segment": "premium"}, record(segment=Type(Choice(("premium", "mass"))))),
    "call": ({"result": "escalate"}, record(result=RESULT)),
    "offer": (
        {"id": "t5", "name": "Ultra", "minutes": 1000, "gb": 30, "fee": Decimal(990)},
        record(id=TEXT, name=TEXT, minutes=INT, gb=INT, fee=MONEY),
    ),
    "found": ({"answer": "Наберите *100#."}, record(answer=TEXT)),
    "report": ({"number": 512}, record(number=INT)),
    "net": (
        {"area": "Ленинский", "known": True, "until": time(18, 0)},
        record(area=TEXT, known=BOOL, until=OPTIONAL_TIME),
    ),
    "who": ({"same": False}, record(same=BOOL)),
    "t": (
        {"current": "Smart", "allowed": True, "sum": Decimal(200), "fee": Decimal(10), "days": 3},
        record(current=TEXT, allowed=BOOL, sum=MONEY, fee=MONEY, days=INT),
    ),
    "x": (
        {"id": "o3", "name": "Антиспам", "fee": Decimal(30), "on": False},
        record(id=TEXT, name=TEXT, fee=MONEY, on=BOOL),
    ),
    "h": (
        {"payments": [], "covered": False},
        record(payments=Type(ListOf(record(day=DATE, sum=MONEY))), covered=BOOL),
    ),
    "ap": ({"on": True, "sum": Decimal(500), "below": Decimal(100)}, record(on=BOOL, sum=MONEY, below=MONEY)),
    "paid": ({"sum": Decimal(300), "balance": Decimal("420.50")}, record(sum=MONEY, balance=MONEY)),
    "order": ({"number": 77, "by": datetime(2026, 11, 24, 15, 0, tzinfo=UTC)}, record(number=INT, by=MOMENT)),
    "shop": ({"id": "s1", "address": "Тверская 5"}, record(id=TEXT, address=TEXT)),
    "d": ({"day": date(2026, 11, 25)}, record(day=DATE)),
    "slot": ({"id": "a", "start": datetime(2026, 11, 25, 9, 30, tzinfo=UTC)}, record(id=TEXT, start=MOMENT)),
    "v": (
        {"state": "booked", "start": NOW, "address": "Тверская 5"},
        record(state=Type(Choice(("booked", "cancelled", "done"))), start=MOMENT, address=TEXT),
    ),
    "e": ({"office": "Тверская 5"}, record(office=TEXT)),
    "r": ({"number": 512}, record(number=INT)),
}
EVENT = {
    "done": True,
    "fee": Decimal(490),
    "shop": "на Арбате",
    "what": "repair",
    "topic": "internet",
    "note": "Низкая скорость",
    "operation": "billing.promise",
}
EVENT_TYPE = record(
    done=BOOL, fee=MONEY, shop=TEXT, what=TEXT, topic=TEXT, note=PII, operation=TEXT, phone=PHONE
)
ANSWERS = {
    "announcement": "",
    "expected_wait": 600,
    "open": True,
    "recent": "done",
    "surge": False,
    "repeat_contact": True,
    "memory": 3,
}

EXPRESSIONS = [
    ("recent('billing.refresh_package')", "done"),
    ("p.tariff not in refreshable", True),
    ("not p.service", False),
    ("p.blocked", False),
    ("p.unpaid", False),
    ("p.period != 'month'", False),
    ("p.fee == 0", False),
    ("p.balance < p.fee", True),
    ("p.fee", Decimal(490)),
    ("event.done", True),
    ("event.operation", "billing.promise"),
    ("not solved or lowest(scores) <= 2", True),
    ("mark.call <= 2", True),
    ("skipped.call <= 2", False),
    ("mark.shop <= 2", False),
    ("50 if c.segment == 'premium' else 25 if repeat_contact(topic, 7) else 0", 50),
    ("channel == 'ussd' or not open(line)", True),
    ("channel == 'sms'", False),
    ("expected_wait(line) < 60", False),
    ("priority_fee", Decimal("50.00")),
    ("100", 100),
    ("points", 50),
    ("call.result == 'escalate'", True),
    ("channel == 'voice' and (memory.offer_seen or memory.no_ads or surge('internet'))", False),
    ("offer.id", "t5"),
    ("yes", True),
    ("no", False),
    ("text", "вода"),
    ("found.answer", "Наберите *100#."),
    ("helped", True),
    ("net.until", time(18, 0)),
    ("net.known", True),
    ("net.area", "Ленинский"),
    ("'support'", "support"),
    ("memory.no_ads or memory.surveyed", 3),
    ("event.phone", None),
    ("called", "*929#"),
    ("announcement", ""),
    ("surge('internet')", False),
    ("repeat_contact('internet', 7)", True),
    ("number == caller and memory.identified", 3),
    ("tries > 3", True),
    ("not who.same", True),
    ("number == caller", True),
    ("not known", True),
    ("channel == 'voice'", False),
    ("x.on", False),
    ("x.id", "o3"),
    ("not h.payments", True),
    ("recent('billing.promise') == 'done'", True),
    ("not t.allowed", False),
    ("ap.on", True),
    ("it >= 100 and it <= 5000", True),
    ("sum", Decimal(500)),
    ("0", 0),
    ("memory.wrong_code >= 5", False),
    ("v.state != 'booked'", False),
    ("slot.start - hours(2)", datetime(2026, 11, 25, 7, 30, tzinfo=UTC)),
    ("not event.done", False),
    ("'tg'", "tg"),
    ("not h.covered", True),
]

TEXTS = [
    ("Не хватает {{ (p.fee - p.balance)|money }}. Пополните счёт.", "Не хватает 400,50 ₽. Пополните счёт."),
    (
        "Пакет обновлён, списано {{ p.fee|money }}. Остатки сохранены на месяц.",
        "Пакет обновлён, списано 490 ₽. Остатки сохранены на месяц.",
    ),
    ("Пакет обновлён, списано {{ event.fee|money }}.", "Пакет обновлён, списано 490 ₽."),
    ("Номер договора {{ a.contract }}", "Номер договора 780012345"),
    (
        "Баланс {{ a.balance|money }}, оплатить до {{ a.pay_by|date }}.",
        "Баланс 250 ₽, оплатить до 1 декабря.",
    ),
    ("Логин {{ a.login }}, пароль {{ a.password }}", Secret("Логин ivan, пароль qwerty")),
    (
        "Оценки {{ scores }}, вопрос решён — {{ solved }}",
        "Оценки service 5, readiness 4, politeness -, competence 2, вопрос решён — нет",
    ),
    ("Оценка {{ mark.call }}, причина — {{ reason }}", "Оценка 2, причина — Долго ждать"),
    (
        "Ждать примерно {{ expected_wait(line)|duration }}. Как вас соединить?",
        "Ждать примерно 10 минут. Как вас соединить?",
    ),
    ("Сразу, за {{ priority_fee|money }}", "Сразу, за 50 ₽"),
    ("{{ line }}", "support"),
    (
        "Для вас тариф {{ offer.name }}. {{ offer.minutes|count('минута|минуты|минут') }}",
        "Для вас тариф Ultra. 1000 минут",
    ),
    (
        "и {{ offer.gb|count('гигабайт|гигабайта|гигабайт') }} за {{ offer.fee|money }} в месяц.",
        "и 30 гигабайт за 990 ₽ в месяц.",
    ),
    (
        "{{ offer.name }}: {{ offer.gb }} ГБ, {{ offer.minutes }} мин, {{ offer.fee|money }}",
        "Ultra: 30 ГБ, 1000 мин, 990 ₽",
    ),
    ("{{ found.answer }}", "Наберите *100#."),
    ("В вашем районе авария, починим к {{ net.until|time }}.", "В вашем районе авария, починим к 18:00."),
    ("Заявка {{ report.number }} принята.", "Заявка 512 принята."),
    (
        "Здравствуйте! Это {{ operator }}. Вы были в салоне {{ event.shop }}.",
        "Здравствуйте! Это Гудок. Вы были в салоне на Арбате.",
    ),
    ("{{ announcement }}", ""),
    ("Номер {{ number|phone }}. Заблокировать?", "Номер +7 916 123-45-67. Заблокировать?"),
    (
        "{{ p.minutes|count('минута|минуты|минут') }}, {{ p.sms }} SMS, {{ p.mb }} МБ до {{ p.until|date }}.",
        "21 минута, 5 SMS, 900 МБ до 1 декабря.",
    ),
    ("Тариф {{ t.current }}. Сменить на", "Тариф Smart. Сменить на"),
    ("{{ x.name }}, {{ x.fee|money }}", "Антиспам, 30 ₽"),
    ("{{ x.name }}: {{ x.fee|money }} в месяц. Подключить?", "Антиспам: 30 ₽ в месяц. Подключить?"),
    ("{{ x.name }}: {{ 'есть' if x.on else 'нет' }}", "Антиспам: нет"),
    ("{{ p.day|date }}: {{ p.sum|money }}", "20 ноября: 300 ₽"),
    (
        "{{ t.sum|money }} на {{ t.days|count('день|дня|дней') }}, комиссия {{ t.fee|money }}",
        "200 ₽ на 3 дня, комиссия 10 ₽",
    ),
    (
        "Автоплатёж: {{ sum|money }} при балансе ниже {{ below|money }}.",
        "Автоплатёж: 500 ₽ при балансе ниже 100 ₽.",
    ),
    ("Зачислено {{ paid.sum|money }}. Баланс {{ paid.balance|money }}.", "Зачислено 300 ₽. Баланс 420,50 ₽."),
    ("{{ words }}", "Списали лишнее"),
    (
        "Жалоба {{ order.number }} принята. Ответим до {{ order.by|date }}.",
        "Жалоба 77 принята. Ответим до 24 ноября.",
    ),
    ("перезвоним до {{ order.by|time }}.", "перезвоним до 18:00."),
    ("Подключение, адрес {{ address }}", "Подключение, адрес Ленина 5, 12"),
    (
        "Ждём вас {{ slot.start|date }} в {{ slot.start|time }}, {{ shop.address }}.",
        "Ждём вас 25 ноября в 12:30, Тверская 5.",
    ),
    ("Время, {{ d.day|date }}", "Время, 25 ноября"),
    ("{{ slot.start|time }}", "12:30"),
    ("{{ e.office }}: {{ text }}", "Тверская 5: вода"),
    ("После работ ({{ event.what }}) не работает", "После работ (repair) не работает"),
    ("Не решено, тема «{{ event.topic }}». {{ event.note }}", "Не решено, тема «internet». Низкая скорость"),
]


def scope_for(compiled):
    world = World(
        moment=NOW,
        zone=timezone(timedelta(hours=3)),
        caller="79161234567",
        called="*929#",
        channel="ussd",
        topic="internet",
        text="вода",
        event={**EVENT, "phone": None},
    )
    scope = Scope({name: value for name, (value, _) in DATA.items()}, world)
    world.looked = {question_key(item): ANSWERS[item.kind] for item in compiled.questions(scope)}
    return scope


def types_for(narrow_until=True):
    types = {name: type_ for name, (_, type_) in DATA.items()} | {"event": EVENT_TYPE}
    if narrow_until:  # the flow tests it in front: `when: net.until:`
        return compile_expression("net.until", Place("a.yaml", 1, 1)).narrowed(types)
    return types


@pytest.mark.parametrize(("source", "wanted"), EXPRESSIONS)
def test_expression_of_a_flow(source, wanted):
    compiled = compile_expression(source, Place("a.yaml", 1, 1, 1 + len(source)), KNOWN)
    assert compiled.type_in(types_for(narrow_until=False)).problems == []
    assert compiled.evaluate(scope_for(compiled)) == wanted


@pytest.mark.parametrize(("source", "wanted"), TEXTS)
def test_text_of_a_flow(source, wanted):
    compiled = compile_template(source, Place("a.yaml", 1, 1, 1 + len(source)), KNOWN)
    assert compiled.type_in(types_for()).problems == []
    assert compiled.render(scope_for(compiled)) == wanted
