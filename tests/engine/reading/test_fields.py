"""Field tables: what is read, what is reported, and that tables are data for schemas too."""

from decimal import Decimal

import pytest

from engine.reading.diagnostic import Report
from engine.reading.fields import (
    BLOCK,
    BOOLEAN,
    DURATION,
    EXPRESSION,
    MONEY,
    NAME,
    NUMBER_RANGE,
    SPOKEN,
    STRING,
    TEMPLATE,
    TYPE,
    URL,
    Field,
    by_shape,
    choice,
    env_or,
    fields_schema,
    list_of,
    map_of,
    nested,
    read_fields,
    whole_number,
    word_or,
)
from engine.reading.scalars import EnvReference, NumberRange
from engine.reading.tree import Empty, Table, Text
from engine.reading.yaml_text import read_tree
from engine.types import MONEY as MONEY_TYPE

ASK = (
    Field("ask", SPOKEN, required=True, doc="what the subscriber is asked"),
    Field("save", NAME),
    Field("type", choice("text", "digits", "yes_no"), default="text"),
    Field("digits", NUMBER_RANGE),
    Field("check", EXPRESSION),
    Field("hint", TEMPLATE),
    Field("tries", whole_number(1, 9), default=3),
    Field("timeout", DURATION),
    Field("no_input", BLOCK),
    Field("secret", BOOLEAN, default=False),
    Field("with", map_of(EXPRESSION)),
    Field("words", list_of(STRING)),
    Field("fee", MONEY),
)


def read(source, fields=ASK, what="ask", **options):
    report = Report()
    table = read_tree(source, "f.yaml", report)
    assert isinstance(table, Table)
    values = read_fields(table, fields, report, what, **options)
    return (
        values,
        [f"{d.place.line}:{d.place.column} {d.code}: {d.message}" for d in report.diagnostics],
        report,
    )


def test_fields_are_typed_and_keep_their_nodes():
    values, found, _ = read(
        "ask: Код?\nsave: code\ndigits: 6-12\ncheck: it > 0\ntimeout: 10s\nsecret: yes\n"
        'with: { a: p.x, b: "1" }\n'
        "words: [сбой, авария]\nfee: 89.50\nno_input:\n"
    )
    assert found == []
    assert values["save"].value == "code"
    assert values["save"].key.place.line == 2
    assert values["digits"].value == NumberRange(6, 12)
    assert values["check"].value.value == "it > 0"
    assert values["timeout"].value == 10_000
    assert values["timeout"].node.place.line == 5
    assert values["secret"].value is True
    assert {key: item.value.value for key, item in values["with"].value.items()} == {"a": "p.x", "b": "1"}
    assert [item.value for item in values["words"].value] == ["сбой", "авария"]
    assert values["fee"].value == Decimal("89.50")
    assert isinstance(values["no_input"].value, Empty)
    assert values["no_input"].written


def test_what_is_not_written_has_its_default():
    values, _, _ = read("ask: Код?\n")
    assert values["tries"].value == 3
    assert values["type"].value == "text"
    assert not values["tries"].written
    assert values["save"].value is None


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("ask: x\ndigit: 6", '2:1 unknown-field: "digit" is not a field of ask; did you mean "digits"?'),
        ("ask: x\nzzz: 6", '2:1 unknown-field: "zzz" is not a field of ask'),
        ("save: x", '1:1 missing-field: ask needs the field "ask"'),
        ("ask: x\ntimeout: 10", '2:10 type: timeout: "10" needs a unit: 10s, 5m'),
        ("ask: x\ntries: 0", '2:8 type: tries: "0" is out of range'),
        ("ask: x\ntype: digit", '2:7 type: type: "digit" is not known here; did you mean "digits"?'),
        ("ask: x\nsave:", "2:6 type: save: the value is missing"),
        ("ask: x\nsave: [a]", "2:7 type: save: expected a name, not a list"),
        ("ask: x\ncheck: '{{ it }} > 0'", "2:9 expr: an expression is written without {{ }}"),
        ("ask: x\ncheck: [1]", "2:8 type: check: expected an expression, not a list"),
        (
            "ask: x\nwith: { A: b }",
            '2:9 type: "A" is not a name: small Latin letters, digits and _, a letter first',
        ),
        ("ask: x\nwith: a", "2:7 type: with: expected a table (key: value), not a text"),
        ("ask: x\nwith: { a: '{{ b }}' }", "2:13 expr: an expression is written without {{ }}"),
        ("ask: { vioce: a, text: b }", '1:8 unknown-field: "vioce" is not a channel; did you mean "voice"?'),
        ("ask: [a]", "1:6 type: ask: expected a text, not a list"),
        ("ask: x\nhint: { a: b }", "2:7 type: hint: expected a text, not a table (key: value)"),
    ],
)
def test_a_fault_is_said_at_its_place(source, expected):
    _, found, _ = read(source)
    assert found == [expected]


def test_a_wrong_value_leaves_the_default_and_the_node():
    values, _, _ = read("ask: x\ntries: many\n")
    assert values["tries"].value == 3
    assert isinstance(values["tries"].node, Text)


@pytest.mark.parametrize("note", ["  # конец", " # для повтора", " #100#", "   #note"])
def test_a_comment_behind_a_text_for_people_is_a_cut_text(note):
    _, found, _ = read(f"ask: Спасибо{note}\nsave: x{'  # comment'}\n")
    assert [line.split(":", 2)[:2] for line in found] == [
        ["1", str(len("ask: Спасибо") + note.index("#") + 1) + " text-cut"]
    ]


def test_a_text_that_is_all_comment_is_one_fault():
    for source in ("ask: #100#", "ask: # для повтора нажмите 1"):
        _, found, _ = read(source)
        assert found == [
            '1:6 text-cut: the value is empty: YAML takes "#…" for a comment; quote the whole text'
        ]


def test_a_text_by_channel_serves_each_channel():
    values, found, _ = read("ask: { voice: Скажите, text: Напишите }\nhint: x")
    spoken = values["ask"].value
    assert found == []
    assert [spoken.for_channel(channel).value for channel in ("voice", "ussd", "sms")] == [
        "Скажите", "Напишите", "Напишите",
    ]  # fmt: skip
    silent, _, _ = read("ask: { text: Напишите, sms: Ответьте }")
    assert silent["ask"].value.for_channel("voice") is None
    assert silent["ask"].value.for_channel("sms").value == "Ответьте"
    same, _, _ = read("ask: Код?")
    assert same["ask"].value.for_channel("sms").value == "Код?"


def test_keys_that_belong_to_the_caller_are_passed_over():
    _, found, _ = read("ask: x\n1 Да: y\nsav: z", rest=lambda key: key[0].isdigit())
    assert found == ['3:1 unknown-field: "sav" is not a field of ask; did you mean "save"?']


def test_tables_in_tables_lists_of_one_and_forms_by_shape():
    settings = (
        Field("url", env_or(URL), required=True),
        Field("limits", nested((Field("speech", DURATION),), "limits")),
        Field("sms", by_shape(text=STRING, table=nested((Field("to", STRING),), "sms"))),
        Field("settle", word_or(("repeat", "people"), nested((Field("ask", NAME),), "settle"))),
        Field("returns", TYPE),
    )
    values, found, _ = read(
        "url: env.BILLING_URL\nlimits: { speech: 30s }\nsms: { to: '000500' }\nsettle: repeat\n"
        "returns: money\n",
        settings,
        "billing",
    )
    assert found == []
    assert values["url"].value == EnvReference("BILLING_URL")
    assert values["limits"].value["speech"].value == 30_000
    assert values["sms"].value["to"].value == "000500"
    assert values["settle"].value == "repeat"
    assert values["returns"].value == MONEY_TYPE
    _, found, _ = read("url: x\nlimits: { speach: 1s }\nsms: [a]\nsettle: later", settings, "billing")
    assert found == [
        "1:6 type: url: this is not an http or https URL",
        '2:11 unknown-field: "speach" is not a field of limits; did you mean "speech"?',
        "3:6 type: sms: expected a text without {{ }}, or a table with to, not a list",
        "4:9 type: settle: expected a table (key: value), not a text",
    ]


def test_a_password_in_a_url_is_not_repeated():
    _, _, report = read("url: https://u:hunter2@x/", (Field("url", URL),), "billing")
    assert "hunter2" not in report.diagnostics[0].message + str(report.diagnostics[0].help)


def test_the_table_is_a_json_schema_too():
    schema = fields_schema(ASK)
    assert schema["required"] == ["ask"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["type"]["enum"] == ["text", "digits", "yes_no"]
    assert schema["properties"]["ask"]["description"] == "what the subscriber is asked"
    assert schema["properties"]["timeout"]["description"] == "a duration: 10s, 5m, 2h, 1d"
