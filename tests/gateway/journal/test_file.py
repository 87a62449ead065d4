"""Files of records: nothing missing and nothing twice, wherever it breaks off; nothing a spreadsheet runs."""

import csv
import io
import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.journal.file import DetailFiles, Position
from gateway.journal.safe_csv import cell, line
from gateway.store.detail import Row


def ended(first: int, count: int = 1) -> Row:
    """The records of `count` sessions that ended together."""
    own = [b"\1\2", 1_000, 2_000, "7916***4567", b"\3\4", "*100#"]
    return first, b'[{"channel":"ussd","inputs":2}]', msgspec.msgpack.encode([(0, 2_000, own)] * count)


def numbers(folder: Path, suffix: str) -> list[int]:
    found = []
    for path in sorted(folder.glob(f"edr-*{suffix}*")):
        with path.open(encoding="utf-8", newline="") as file:
            read = csv.DictReader(file) if suffix == ".csv" else map(json.loads, file)
            found += [int(row["number"]) for row in read]
    return found


def files(folder: Path, *, size: int = 1 << 20, every_ms: int = 3_600_000) -> DetailFiles:
    made = DetailFiles(folder, size=size, every_ms=every_ms)
    made.restore(Position())
    return made


def test_both_files_hold_the_same_records(tmp_path: Path):
    made = files(tmp_path)
    position = made.write(Position(), [ended(1, 2)], 0)
    position = made.write(position, [ended(3)], 0)
    assert numbers(tmp_path, ".csv") == numbers(tmp_path, ".jsonl") == [1, 2, 3]
    assert position.number == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "edr-000000000001.csv.part",
        "edr-000000000001.jsonl.part",
    ]


def test_of_a_row_only_what_is_not_written_yet_is_written(tmp_path: Path):
    made = files(tmp_path)
    position = made.write(Position(number=4), [ended(3, 4), ended(7)], 0)
    assert (position.first, position.number) == (5, 7)
    assert made.write(position, [], 0) == position
    assert numbers(tmp_path, ".csv") == numbers(tmp_path, ".jsonl") == [5, 6, 7]


def test_a_closed_file_is_renamed_and_the_next_begins(tmp_path: Path):
    made = files(tmp_path, every_ms=1_000)
    position = made.write(Position(), [ended(1)], 0)
    assert not made.is_full(position, 999)
    assert made.is_full(position, 1_000)
    position = made.close(made.closing(position))
    position = made.write(position, [ended(2)], 2_000)
    assert (tmp_path / "edr-000000000001.csv").exists()
    assert (tmp_path / "edr-000000000002.jsonl.part").exists()
    assert numbers(tmp_path, ".csv") == [1, 2]


def test_a_file_that_has_grown_too_large_is_full(tmp_path: Path):
    made = files(tmp_path, size=10)
    assert made.is_full(made.write(Position(), [ended(1)], 0), 0)


def test_a_file_taken_before_it_was_whole_is_written_again(tmp_path: Path):
    made = files(tmp_path)
    position = made.write(Position(), [ended(1, 2)], 0)
    (tmp_path / "edr-000000000001.csv.part").unlink()
    again = made.restore(position)
    assert again == Position(number=0)
    made.write(again, [ended(1, 2)], 0)
    assert numbers(tmp_path, ".csv") == numbers(tmp_path, ".jsonl") == [1, 2]


def test_nobody_else_may_read_them(tmp_path: Path):
    folder = tmp_path / "edr"
    files(folder).write(Position(), [ended(1)], 0)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in folder.iterdir())


class CrashError(Exception):
    """The process ends here."""


STEPS = st.lists(
    st.tuples(st.integers(1, 4), st.sampled_from(["", "file", "position", "closing", "renamed"]))
)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(steps=STEPS)
def test_numbers_have_no_gap_and_no_double_wherever_it_breaks_off(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, str]]
):
    """Each step writes some records and dies at a point, or does not; the store knows what was stored."""
    folder = tmp_path_factory.mktemp("edr")
    stored, last = Position(), 0
    for count, crash in [*steps, (1, "")]:
        made = DetailFiles(folder, size=400, every_ms=1 << 60)
        last += count
        try:
            position = made.restore(stored)
            waiting = [ended(number) for number in range(position.number + 1, last)]
            waiting += [ended(last)] if position.number < last else []
            position = made.write(position, waiting, 0)
            if crash == "file":
                raise CrashError
            stored = position
            if crash == "position":
                raise CrashError
            if made.is_full(position, 0):
                stored = position = made.closing(position)
                if crash == "closing":
                    raise CrashError
                position = made.close(position)
                if crash == "renamed":
                    raise CrashError
                stored = position
        except CrashError:
            pass
    assert numbers(folder, ".csv") == numbers(folder, ".jsonl") == list(range(1, last + 1))


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_is_never_a_formula(begin: str):
    assert cell(f"{begin}1+1") == f"'{begin}1+1"


@settings(derandomize=True, max_examples=100, deadline=None)
@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1))
def test_a_line_reads_back_as_it_was_but_for_formulas(texts: list[str]):
    (row,) = csv.reader(io.StringIO(line(texts), newline=""), strict=True)
    assert row == [cell(one) for one in texts]
    assert not any(one.startswith(("=", "+", "-", "@", "\t", "\r")) for one in row)


def test_a_line_of_csv_is_what_the_library_writes_with_every_cell_in_quotes() -> None:
    values = [
        None,
        True,
        False,
        0,
        -5,
        "",
        "a",
        'say "x"',
        "=1+1",
        "+7",
        "-",
        "@a",
        "\tb",
        "\rc",
        "d,e\nf",
        "я€",
    ]
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow([cell(one) for one in values])
    assert line(values) == out.getvalue()
