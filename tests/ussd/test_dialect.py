"""Dialect files: the shipped ones, every setting, and errors that show their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.capabilities import Capabilities, Channel, PageBudget
from engine.reading.diagnostic import Report
from engine.reading.fields import fields_schema
from smpp.pdu.status import Policy
from ussd.dialect import Dialect
from ussd.dialect_file import FIELDS, parse_number, read_dialect
from ussd.operation import Event

from .conftest import SHIPPED

FOLDER = Path(__file__).parents[2] / "config" / "dialects"


def read(source: str) -> tuple[Dialect | None, list[str]]:
    report = Report()
    dialect = read_dialect(source, "config/dialects/mine.yaml", report)
    return dialect, [f"{one.place.line}: {one.message} [{one.code}]" for one in report.diagnostics]


def made(source: str) -> Dialect:
    dialect, findings = read(source)
    assert findings == []
    assert dialect is not None
    return dialect


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_dialects_are_clean(name: str) -> None:
    report = Report()
    dialect = read_dialect((FOLDER / f"{name}.yaml").read_text("utf-8"), f"{name}.yaml", report)
    assert not report.diagnostics
    assert dialect is not None
    assert dialect.name == name
    project = Capabilities(Channel.USSD, True, PageBudget(182, 80), idle_ms=60_000, total_ms=180_000)
    assert dialect.tighter_than(project) == []


def test_the_standard_dialect_is_the_specification() -> None:
    report = Report()
    shipped = read_dialect((FOLDER / "standard.yaml").read_text("utf-8"), "standard.yaml", report)
    plain = Dialect()
    assert shipped is not None
    for name in (
        "op_in",
        "op_out",
        "session_id",
        "status",
        "room",
        "answer_ms",
        "idle_ms",
        "total_ms",
        "ni_end",
    ):
        assert getattr(shipped, name) == getattr(plain, name), name


def test_smpp_plus_releases_and_reads_its_own_session_id() -> None:
    report = Report()
    shipped = read_dialect((FOLDER / "smpp_plus.yaml").read_text("utf-8"), "smpp_plus.yaml", report)
    assert shipped is not None
    assert (shipped.session_id.tag, shipped.session_id.width, shipped.session_id.id_mask) == (
        0x1501,
        4,
        0xFFFFFFFF,
    )
    assert (shipped.op_out.release, shipped.op_out.notify_last, shipped.ni_end) == (0x80, 0x83, "release")
    assert shipped.op_in[0x92] is Event.INPUT


def test_an_empty_file_is_the_specification() -> None:
    assert made("").op_in == Dialect().op_in


def test_settings_are_read() -> None:
    dialect = made(
        """
country: { code: 992, digits: 9 }
ussd:
  detect: { tlv: no, service_types: [USSD, P2], dialled: yes }
  op_in: { new: [0x01, 5], notify_ack: 19 }
  op_out: { menu: 0x96, end: 131 }
  id_mask: 0xFFFE
  end_bit: 0x0001
  end_bit_polarity: clear
  code_field: destination_addr
  dcs_in: { 0x0F: 0x08 }
  dcs_gsm7_out: 15
  service_type_out: PSSR
  dest_ton_out: 0
  page_chars: { ucs2: 70 }
  status: { 0x410: gone, 1031: failed, 1200: throttled }
  answer: 25s
  total: 5m
  farewell: Bye
sms:
  alphabet_in: latin1
  part_mode: udh16
  receipts: failures
  receipt_ids: hex-to-dec
  validity: 2h
"""
    )
    assert dialect.name == "mine"
    assert not dialect.detect_tlv
    assert dialect.detect_dialled
    assert dialect.detect_service_types == {b"USSD", b"P2"}
    assert {code for code, event in dialect.op_in.items() if event is Event.NEW} == {1, 5}
    assert dialect.op_in[0x12] is Event.INPUT
    assert (dialect.op_out.menu, dialect.op_out.end, dialect.op_out.notify) == (0x96, 0x83, 0x03)
    assert (dialect.session_id.id_mask, dialect.session_id.unit_mask) == (0xFFFE, 0)
    assert not dialect.session_id.end_when_set
    assert (dialect.code_field, dict(dialect.dcs_in), dialect.dcs_gsm7_out) == (
        "destination_addr",
        {15: 8},
        15,
    )
    assert (dialect.service_type_out, dialect.dest_ton_out, dialect.source_ton_out) == (b"PSSR", 0, None)
    assert dialect.room == (182, 70)
    assert (dialect.status[0x410], dialect.status[1031], dialect.status[1032]) == (
        "gone",
        "failed",
        "too_long",
    )
    assert dialect.vendor[1200] is Policy.THROTTLE
    assert (dialect.answer_ms, dialect.total_ms, dialect.farewell) == (25_000, 300_000, "Bye")
    sms = dialect.sms
    assert (sms.alphabet_in, sms.part_mode, sms.registered_delivery) == ("latin1", "udh16", 2)
    assert (sms.receipt_ids, sms.validity_ms, sms.country.code) == ("hex-to-dec", 7_200_000, "992")
    assert sms.status[1200] is Policy.THROTTLE


def test_letters_have_a_usual_table() -> None:
    dialect = made("ussd: { session_id: service_type_letters }")
    assert dialect.letters
    assert (dialect.op_in[b"BR"], dialect.op_in[b"CA"]) == (Event.NEW, Event.INPUT)
    assert (dialect.op_out.menu, dialect.op_out.end) == (b"CR", b"EF")


@pytest.mark.parametrize(
    ("carrier", "tag", "width"),
    [
        ("none", 0, 2),
        ("user_message_reference", 0x0204, 2),
        ("tlv:0x1501", 0x1501, 4),
        ("tlv:5377", 0x1501, 4),
    ],
)
def test_carriers_of_the_session_id(carrier: str, tag: int, width: int) -> None:
    session_id = made(f"ussd: {{ session_id: '{carrier}' }}").session_id
    assert (session_id.tag, session_id.width, session_id.unit_mask, session_id.end_bit) == (tag, width, 0, 0)
    assert session_id.id_mask == (1 << 8 * width) - 1


@pytest.mark.parametrize(
    ("source", "finding"),
    [
        ("ussd:\n  detct: {}\n", '2: "detct" is not a field of ussd; did you mean "detect"? [unknown-field]'),
        ("ussd:\n  op_in: { new: 1, input: 1 }\n", "2: op_in: 1 means both new and input [dialect]"),
        (
            "ussd:\n  op_out: { menu: CR }\n",
            "2: op_out must be of the same kind as op_in: numbers, or two letters",
        ),
        (
            "ussd:\n  op_out: { menu: 300 }\n",
            "2: menu: expected an operation: 0x11, 17, or two capital letters",
        ),
        (
            "ussd:\n  answer: 10s\n  ni_end: release\n",
            "3: ni_end is release, but op_out has no release [dialect]",
        ),
        ("ussd:\n  op_out: { push: BN }\n", "2: op_out must be of the same kind as op_in"),
        (
            "ussd:\n  session_id: none\n  ni_id: ours\n",
            "3: ni_id is ours, but the session id has no bits that name a session [dialect]",
        ),
        ("ussd:\n  session_id: sms\n", "2: session_id: expected none, its_session_info"),
        ("ussd:\n  id_mask: 0xFF01\n", "2: id_mask, unit_mask and end_bit must not share bits [dialect]"),
        ("ussd:\n  id_mask: 0x1FF00\n", "a mask has more bits than the 2 octets of the session id"),
        (
            "ussd:\n  service_type_out: TOOLONG\n",
            "2: service_type_out is at most 5 ASCII characters [dialect]",
        ),
        ("ussd:\n  language: rus\n", "2: language is two letters [dialect]"),
        ("ussd:\n  status: { 1031: lost }\n", "lost"),
        ("ussd:\n  answer: 5m\n", "answer and idle are above zero and at most total"),
        ("sms:\n  part_mode: udh7\n", "udh7"),
        ("country: { code: +7 }\n", "code of a country is digits"),
        ("country:\n  digits: 15\n  code: 992\n", "a national number has 4 to 12 digits"),
        ("just a text\n", "expected a table with country, ussd, sms"),
    ],
)
def test_errors_show_their_place(source: str, finding: str) -> None:
    dialect, findings = read(source)
    assert dialect is None
    assert any(finding in one for one in findings), findings


def test_a_dialect_tighter_than_the_project_is_told() -> None:
    project = Capabilities(Channel.USSD, True, PageBudget(182, 80), idle_ms=60_000, total_ms=180_000)
    assert Dialect().tighter_than(project) == []
    tight = Dialect(name="tight", page_ucs2=70, dcs_gsm7_out=0x10, idle_ms=30_000)
    assert tight.tighter_than(project) == [
        "dialect tight: a page holds 179 gsm7 characters, the project assumes 182",
        "dialect tight: a page holds 70 ucs2 characters, the project assumes 80",
        "dialect tight: idle is 30 s, the project counts on 60 s",
    ]


@pytest.mark.parametrize(
    ("text", "number"),
    [("17", 17), ("0x11", 17), ("0X11", 17), ("0x", None), ("-1", None), ("x", None), ("1_0", None)],
)
def test_numbers_are_decimal_or_hex(text: str, number: int | None) -> None:
    assert parse_number(text) == number


def test_every_field_is_documented() -> None:
    def undocumented(schema: object, path: str) -> list[str]:
        found = []
        if isinstance(schema, dict):
            for name, inner in schema.get("properties", {}).items():
                where = f"{path}.{name}"
                if inner.get("description", "") in ("", None):
                    found.append(where)
                found += undocumented(inner, where)
        return found

    assert all(field.doc for field in FIELDS)
    assert undocumented(fields_schema(FIELDS), "") == []


def test_what_sms_of_a_centre_carry_beside_the_text() -> None:
    sms = made(
        "sms: { priority: 1, languages: [turkish, urdu], echo_tlvs: [0x1402],\n"
        "  tlvs: { 0x1401: 0x01ff, 5123: vas } }\n"
    ).sms
    assert (sms.priority, sms.languages) == (1, (1, 13))
    assert sms.tlvs == ((0x1401, b"\x01\xff"), (0x1403, b"vas"))
    assert sms.echo_tlvs == {0x1402}


@pytest.mark.parametrize(
    "wrong",
    [
        "sms: { priority: 4 }",
        "sms: { languages: [russian] }",
        "sms: { tlvs: { 0x1401: 0x0 } }",
        "sms: { tlvs: { 0x0424: text } }",
        "sms: { tlvs: { 70000: text } }",
        "sms: { tlvs: { five: text } }",
        "sms: { echo_tlvs: [0] }",
        "sms: { part_mode: payload, languages: [hindi] }",
    ],
)
def test_what_sms_cannot_carry_is_told_at_its_place(wrong: str) -> None:
    dialect, findings = read(wrong)
    assert dialect is None
    assert len(findings) == 1
    assert findings[0].startswith("1: ")
