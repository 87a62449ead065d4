"""Octets of a FastAGI connection: every transcript that was seen, in any portions."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.agi.reader import ENVIRONMENT_LINES, LINE_OCTETS, Broken, Environment, HangupLine, Reader
from ivr.agi.reply import Reply

WIRE = Path(__file__).parents[2] / "agi"
REPLIES = yaml.safe_load((WIRE / "replies.yaml").read_text(encoding="utf-8"))
ENVIRONMENTS = yaml.safe_load((WIRE / "environment.yaml").read_text(encoding="utf-8"))


def reader() -> Reader:
    one = Reader()
    assert isinstance(one.feed(b"agi_network: yes\n\n")[0], Environment)
    return one


def told(found: list, expected: list) -> None:
    assert len(found) == len(expected), found
    for one, wanted in zip(found, expected, strict=True):
        if wanted == "hangup":
            assert isinstance(one, HangupLine)
        elif wanted == "broken":
            assert isinstance(one, Broken)
        else:
            assert isinstance(one, Reply)
            assert {name: getattr(one, name) for name in wanted} == wanted


@pytest.mark.parametrize("case", REPLIES, ids=lambda case: case["name"])
def test_a_transcript_is_read_as_it_was_meant(case):
    told(reader().feed(case["wire"].encode()), case["reads"])


@pytest.mark.parametrize("case", REPLIES, ids=lambda case: case["name"])
def test_a_transcript_is_read_the_same_octet_by_octet(case):
    one, found = reader(), []
    for octet in case["wire"].encode():
        found += one.feed(bytes([octet]))
    told(found, case["reads"])


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.lists(st.sampled_from(REPLIES), max_size=6), st.lists(st.integers(1, 40), max_size=20))
def test_portions_make_no_difference(cases, sizes):
    data = ENVIRONMENTS[0]["wire"].encode() + "".join(case["wire"] for case in cases).encode()
    whole = Reader().feed(data)
    one, found, position = Reader(), [], 0
    for size in sizes:
        found += one.feed(data[position : position + size])
        position += size
    found += one.feed(data[position:])
    assert found == whole


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.lists(st.booleans(), max_size=12))
def test_replies_are_counted_wherever_hangup_lines_stand(hangups):
    wire = "".join(("HANGUP\n" if gone else "") + f"200 result={n}\n" for n, gone in enumerate(hangups))
    found = reader().feed(wire.encode())
    assert [one.number for one in found if isinstance(one, Reply)] == list(range(len(hangups)))
    assert sum(isinstance(one, HangupLine) for one in found) == sum(hangups)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.binary(max_size=200))
def test_no_octets_whatever_break_the_reader(data):
    for one in (Reader(), reader()):
        one.feed(data)
        one.feed(b"\n200 result=0\n")


@pytest.mark.parametrize("case", ENVIRONMENTS, ids=lambda case: case["name"])
def test_an_environment_is_read(case):
    found = Reader().feed(case["wire"].encode())
    if case.get("broken"):
        assert isinstance(found[-1], Broken)
        return
    environment = found[0]
    assert isinstance(environment, Environment)
    assert environment.script == case["script"]
    assert list(environment.arguments) == case["arguments"]
    for name, value in case.get("fields", {}).items():
        assert environment.fields[name] == value


def test_an_environment_has_an_end():
    lines = "".join(f"agi_{n}: x\n" for n in range(ENVIRONMENT_LINES + 1))
    assert isinstance(Reader().feed(lines.encode())[-1], Broken)


@pytest.mark.parametrize("data", [b"x" * (LINE_OCTETS + 1), b"x" * (LINE_OCTETS + 1) + b"\n"])
def test_a_line_has_an_end(data):
    one = reader()
    assert [type(found) for found in one.feed(data)] == [Broken]
    assert one.feed(b"200 result=0\n") == []


def test_a_value_and_a_usage_have_an_end():
    assert isinstance(reader().feed(b"200 result=1 (x\n" + b"y\n" * 100)[-1], Broken)
    assert isinstance(reader().feed(b"200 result=1 (x\n" + (b"y" * 60_000 + b"\n") * 2)[-1], Broken)
    assert isinstance(reader().feed(b"520-x\n" + b"y\n" * 300)[-1], Broken)
