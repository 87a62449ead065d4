"""Receipts: recognised, read in any order, ids compared across notations, hostile texts harmless."""

import itertools
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smpp.pdu.message import DeliverSm
from smpp.receipts import TEXT_LIMIT, IdMode, MessageState, ids_match, is_receipt, normal_id, parse_receipt

STANDARD = (
    b"id:0123456789 sub:001 dlvrd:001 submit date:2611221145 done date:2611221146 "
    b"stat:DELIVRD err:000 text:Hello"
)


def sm(text: bytes = b"", esm_class: int = 0x04, **fields: object) -> DeliverSm:
    return DeliverSm(esm_class=esm_class, short_message=text, **fields)  # type: ignore[arg-type]


def utc(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp()) * 1000  # type: ignore[misc, arg-type]


def test_standard_receipt() -> None:
    receipt = parse_receipt(sm(STANDARD))
    assert receipt.message_id == b"0123456789"
    assert receipt.state is MessageState.DELIVERED
    assert receipt.final
    assert receipt.error == "000"
    assert receipt.submitted == utc(2026, 11, 22, 11, 45)
    assert receipt.done == utc(2026, 11, 22, 11, 46)


PARTS = [b"id:A7f", b"done date:261122114601", b"stat:UNDELIV", b"err:0x1F"]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_any_order_and_case(order: tuple[int, ...]) -> None:
    text = b" ".join(PARTS[place] for place in order)
    for variant in (
        text,
        text.replace(b"id:", b"ID:").replace(b"stat:", b"Stat: "),
        text.replace(b"date:", b"Date:"),
    ):
        receipt = parse_receipt(sm(variant))
        assert receipt.message_id == b"A7f"
        assert receipt.state is MessageState.UNDELIVERABLE
        assert receipt.error == "0x1F"
        assert receipt.done == utc(2026, 11, 22, 11, 46, 1)


@pytest.mark.parametrize(
    ("word", "state", "final"),
    [
        (b"ENROUTE", 1, False), (b"DELIVRD", 2, True), (b"delivrd", 2, True), (b"EXPIRED", 3, True),
        (b"DELETED", 4, True), (b"UNDELIV", 5, True), (b"ACCEPTD", 6, False), (b"UNKNOWN", 7, True),
        (b"REJECTD", 8, True), (b"REJECTED", 8, True), (b"WHATEVER", 7, True), (b"", 7, True),
    ],
)  # fmt: skip
def test_states(word: bytes, state: int, final: bool) -> None:
    receipt = parse_receipt(sm(b"id:1 stat:" + word + b" err:0"))
    assert (receipt.state, receipt.final) == (state, final)


def test_tlvs_win_over_the_text() -> None:
    tlvs = ((0x001E, b"F00D\0"), (0x0427, b"\5"), (0x0423, b"\3\0\x1b"))
    receipt = parse_receipt(sm(STANDARD, tlvs=tlvs))
    assert receipt.message_id == b"F00D"
    assert receipt.state is MessageState.UNDELIVERABLE
    assert (receipt.error, receipt.network_type) == ("27", 3)
    assert receipt.done == utc(2026, 11, 22, 11, 46)


@pytest.mark.parametrize("value", [b"\2", b"\0\2", b"\0\0\0\2"])
def test_state_tlv_of_odd_length(value: bytes) -> None:
    assert parse_receipt(sm(tlvs=((0x0427, value),))).state is MessageState.DELIVERED


@pytest.mark.parametrize(("value", "error"), [(b"\7", "7"), (b"\0\7", "7"), (b"\3\0\7\xff", "7"), (b"", "")])
def test_network_error_of_odd_length(value: bytes, error: str) -> None:
    assert parse_receipt(sm(tlvs=((0x0423, value),))).error == error


def test_an_empty_tlv_leaves_the_text() -> None:
    receipt = parse_receipt(sm(STANDARD, tlvs=((0x001E, b""), (0x0427, b""))))
    assert (receipt.message_id, receipt.state) == (b"0123456789", MessageState.DELIVERED)


def test_text_is_ascii_whatever_data_coding_says_and_may_be_a_payload() -> None:
    assert parse_receipt(sm(STANDARD, data_coding=8)).state is MessageState.DELIVERED
    assert parse_receipt(sm(tlvs=((0x0424, STANDARD),))).message_id == b"0123456789"


def test_a_quoted_text_cannot_change_the_receipt() -> None:
    receipt = parse_receipt(sm(b"id:1 stat:UNDELIV err:1 text:id:2 stat:DELIVRD done date:2611221146"))
    assert (receipt.message_id, receipt.state) == (b"1", MessageState.UNDELIVERABLE)


def test_keys_behind_the_text_still_count_when_missing() -> None:
    assert parse_receipt(sm(b"text:hello id:7 stat:EXPIRED")).state is MessageState.EXPIRED


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        (b"2611221146", utc(2026, 11, 22, 11, 46)),
        (b"261122114659", utc(2026, 11, 22, 11, 46, 59)),
        (b"20261122114659", utc(2026, 11, 22, 11, 46, 59)),
        (b"2602301200", None),
        (b"2611222460", None),
        (b"261122114660", None),
        (b"00000000000000", None),
        (b"26112211465", None),
        (b"26112", None),
        (b"9" * 900, None),
        (b"-1-1-1-1-1", None),
        ("２６１１２２１１４６".encode(), None),
        (b"", None),
    ],
)
def test_dates(date: bytes, expected: int | None) -> None:
    assert parse_receipt(sm(b"id:1 stat:DELIVRD done date:" + date)).done == expected


def test_date_with_the_clock_of_the_smsc() -> None:
    assert parse_receipt(sm(STANDARD), offset_minutes=180).done == utc(2026, 11, 22, 8, 46)


def test_intermediate_is_not_final() -> None:
    receipt = parse_receipt(sm(b"id:1 stat:DELIVRD", esm_class=0x20))
    assert not receipt.final
    assert parse_receipt(sm(esm_class=0x20)).state is MessageState.ENROUTE


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (sm(b"", 0x04), True),
        (sm(b"", 0x20), True),
        (sm(b"", 0x05), True),
        (sm(b"x", 0x00, tlvs=((0x001E, b"1"),)), True),
        (sm(STANDARD, 0x00), True),
        (sm(STANDARD.upper().replace(b"ID:", b"Id:"), 0x00), True),
        (sm(STANDARD, 0x40), False),
        (sm(STANDARD, 0x08), False),
        (sm(b"id:5", 0x00), False),
        (sm(b"id:5 stat:soon", 0x00), False),
        (sm(b"my id:5 stat:DELIVRD done date:2611221146", 0x00), False),
        (sm(b"*929#", 0x00), False),
        (sm(b"hello", 0x40), False),
    ],
)
def test_is_receipt(message: DeliverSm, expected: bool) -> None:
    assert is_receipt(message) is expected


def test_only_the_first_1024_octets_are_looked_at() -> None:
    near, far = b"id:1 text:" + b"x" * 900, b"id:1 text:" + b"x" * 1100
    assert parse_receipt(sm(tlvs=((0x0424, near + b" stat:DELIVRD"),))).state is MessageState.DELIVERED
    assert parse_receipt(sm(tlvs=((0x0424, far + b" stat:DELIVRD"),))).state is MessageState.UNKNOWN


@pytest.mark.parametrize(
    "text",
    [
        b"done date:" * 6000,
        b"id" + b" " * 60_000,
        b"submit date:" + b"9" * 60_000,
        b"id:" * 20_000,
        b" text" * 12_000,
        b"done" + b" \t" * 30_000 + b"date:1",
        b"\0" * 60_000,
        b"stat:" + b"\xff" * 60_000,
    ],
)
def test_hostile_texts_end_soon(text: bytes) -> None:
    started = time.thread_time()
    for esm_class in (0, 4):
        message = sm(esm_class=esm_class, tlvs=((0x0424, text),))
        is_receipt(message)
        receipt = parse_receipt(message)
        assert len(receipt.message_id) <= TEXT_LIMIT
    assert time.thread_time() - started < 0.1


@settings(max_examples=200, derandomize=True, deadline=None)
@given(
    st.lists(
        st.sampled_from([b"id", b"stat", b"done date", b"text", b":", b" ", b"\0", b"2611221146", b"DELIVRD"])
        | st.binary(max_size=5),
        max_size=40,
    ).map(b"".join),
    st.lists(st.tuples(st.sampled_from([0x1E, 0x427, 0x423, 0x424]), st.binary(max_size=9)), max_size=4).map(
        tuple
    ),
    st.integers(0, 255),
)
def test_never_raises(text: bytes, tlvs: tuple[tuple[int, bytes], ...], esm_class: int) -> None:
    message = sm(text, esm_class, tlvs=tlvs)
    is_receipt(message)
    assert parse_receipt(message).state in MessageState


@pytest.mark.parametrize(
    ("mode", "ours", "theirs", "same"),
    [
        ("exact", b"00A7", b"a7", True),
        ("exact", b"A7", b"167", False),
        ("exact", b"0", b"000", True),
        ("exact", b"", b"", False),
        ("exact", b"7", b"", False),
        ("hex-to-dec", b"167", b"A7", True),
        ("hex-to-dec", b"0000000167", b"000000a7", True),
        ("dec-to-hex", b"A7", b"167", True),
        ("dec-to-hex", b"00a7", b"0000000167", True),
        ("dec-to-hex", b"xyz", b"XYZ", True),
        ("hex-to-dec", b"1_0", b"1_0", True),
        ("hex-to-dec", b"16", b"+10", False),
        ("dec-to-hex", b"f" * 64, b"9" * 64, False),
        ("exact", b"x" * 300, b"X" * 300, True),
    ],
)
def test_ids(mode: IdMode, ours: bytes, theirs: bytes, same: bool) -> None:
    assert ids_match(mode)(ours, theirs) is same


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.integers(0, 2**128), st.integers(0, 10))
def test_ids_match_in_both_notations_with_any_zeros(number: int, zeros: int) -> None:
    decimal, digits = b"0" * zeros + b"%d" % number, b"%X" % number
    assert ids_match("hex-to-dec")(decimal, digits)
    assert ids_match("dec-to-hex")(digits, decimal)
    assert normal_id(decimal) == b"%d" % number
