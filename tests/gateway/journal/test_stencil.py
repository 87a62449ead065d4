"""Lines with gaps are those that are written field by field, whatever a subscriber calls himself."""

import csv
import io
import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.journal.detail import FIELDS, OWN
from gateway.journal.safe_csv import cell
from gateway.journal.stencil import Lines, as_csv, as_json, records
from gateway.store.detail import Portion

NOW = 1_795_345_200_000
SHARED = {name: name == "self_served" or name for name in FIELDS if name not in ("number", *OWN)}
OWN_VALUES = [b"\1\xff", NOW - 1_234, NOW, "7916***4567", b"\2", "*100#"]


def written(portion: Portion) -> list[list[str]]:
    table, _ = Lines().of(portion)
    return list(csv.reader(io.StringIO(table.decode(), newline=""), strict=True))


def check(portion: Portion) -> None:
    made = list(records(portion))
    lines = "".join(map(as_csv, made)), "".join(map(as_json, made))
    assert Lines().of(portion) == tuple(map(str.encode, lines))


def test_what_the_lines_say() -> None:
    portion = Portion(41, [msgspec.json.encode(SHARED)], [(0, NOW, OWN_VALUES)])
    table, objects = Lines().of(portion)
    record = json.loads(objects)
    assert tuple(record) == FIELDS
    assert {name: record[name] for name in ("number", *OWN)} == {
        "number": 41,
        "session": "01ff",
        "started": "2026-11-22T10:59:58.766+00:00",
        "ended": "2026-11-22T11:00:00.000+00:00",
        "duration_ms": 1_234,
        "handling_ms": 1_234,
        "subscriber": "7916***4567",
        "subscriber_key": "02",
        "called": "*100#",
    }
    (row,) = csv.reader(io.StringIO(table.decode(), newline=""), strict=True)
    assert dict(zip(FIELDS, row, strict=True)) == {name: cell(value) for name, value in record.items()}


hostile = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
texts = st.one_of(
    hostile, st.sampled_from(["7916***4567", "*100#", "", "%s", '"', "\\", "+7", "=1", "\t", "я"])
)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(
    common=st.lists(
        st.dictionaries(st.sampled_from(sorted(SHARED)), texts, max_size=4), min_size=1, max_size=3
    ),
    own=st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 5_000), st.integers(-9, 5_000), texts, texts), min_size=1
    ),
)
def test_lines_with_gaps_are_those_written_field_by_field(
    common: list[dict[str, str]], own: list[tuple[int, int, int, str, str]]
) -> None:
    entries = [
        (place % len(common), NOW + ended, [b"\1", NOW + started, NOW + ended, caller, b"", called])
        for place, ended, started, caller, called in own
    ]
    check(Portion(7, [msgspec.json.encode(SHARED | one) for one in common], entries))


@pytest.mark.parametrize("caller", ["=1+1", "+7916***4567", "-", "@a", "\tb", "\rc", 'say "x"', "d,e\nf"])
def test_a_subscriber_is_never_a_formula(caller: str) -> None:
    own = [*OWN_VALUES[:3], caller, b"", caller]
    portion = Portion(1, [msgspec.json.encode(SHARED)], [(0, NOW, own), (0, NOW, OWN_VALUES)])
    first, second = written(portion)
    shown = dict(zip(FIELDS, first, strict=True))
    assert shown["subscriber"] == shown["called"] == cell(caller)
    assert second[FIELDS.index("subscriber")] == "7916***4567"
    check(portion)


def test_a_common_part_without_a_column_leaves_it_empty() -> None:
    portion = Portion(1, [b'{"topic":"100%"}'], [(0, NOW, OWN_VALUES)])
    (row,) = written(portion)
    shown = dict(zip(FIELDS, row, strict=True))
    assert (shown["topic"], shown["flow"], shown["called"]) == ("100%", "", "*100#")
    check(portion)


@pytest.mark.parametrize(
    "record", [{"session": 'a"\\\n я', "inputs": 2, "self_served": True}, {}, {"x": None}]
)
def test_a_record_of_an_older_version_is_written_as_it_was_stored(record: dict[str, object]) -> None:
    portion = Portion(7, [msgspec.json.encode(record)], [(0, NOW, [])])
    _, objects = Lines().of(portion)
    assert json.loads(objects) == {"number": 7, **record}
    check(portion)
