"""Long messages: parts that are never cut in the wrong place, and joining that is bounded and forgiving."""

import random
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smpp.alphabet import BASIC, EXTENSION
from smpp.pdu.message import DeliverSm, encode_sm_body
from smpp.segments import Dropped, Joined, Joiner, Mode, Part, split
from smpp.text import decode, encode_gsm7

MODES: list[Mode] = ["udh8", "udh16", "sar"]
HEADER = {"udh8": 6, "udh16": 7, "sar": 0, "payload": 0}
LIMIT = settings(max_examples=80, derandomize=True, deadline=None)
# Short texts are what hypothesis likes; a random repeat makes most of them long enough to be cut.
gsm_texts = st.builds(
    str.__mul__,
    st.text(BASIC.replace("\x1b", "") + "".join(EXTENSION.values()) * 3, min_size=1, max_size=40),
    st.integers(1, 40),
)
wide_texts = st.builds(str.__mul__, st.text("ЖёлтыйABC 👋🎉日", min_size=1, max_size=20), st.integers(1, 40))


def carry(part: Part, **fields: Any) -> DeliverSm:
    """The deliver_sm in which a part arrives."""
    return DeliverSm(
        source=b"79161234567",
        dest=b"929",
        esm_class=part.esm_class,
        data_coding=part.data_coding,
        short_message=part.short_message,
        tlvs=part.tlvs,
        **fields,
    )


def join(joiner: Joiner, parts: list[Part]) -> Joined:
    results = [joiner.add("smsc", carry(part), 0) for part in parts]
    whole = [result for result in results if isinstance(result, Joined)]
    assert len(whole) == 1
    assert isinstance(results[-1], Joined | Dropped)
    return whole[0]


def text_of(part: Part, mode: Mode) -> bytes:
    return part.short_message[HEADER[mode] if part.esm_class & 0x40 else 0 :]


@pytest.mark.parametrize(
    ("char", "mode", "single", "piece"),
    [
        ("x", "udh8", 160, 153), ("x", "udh16", 160, 152), ("x", "sar", 160, 153),
        ("ж", "udh8", 70, 67), ("ж", "udh16", 70, 66), ("ж", "sar", 70, 67),
    ],
)  # fmt: skip
def test_limits(char: str, mode: Mode, single: int, piece: int) -> None:
    assert len(split(char * single, mode)) == 1
    assert len(split(char * (single + 1), mode)) == 2
    assert len(split(char * piece * 2, mode)) == 2
    assert len(split(char * (piece * 2 + 1), mode)) == 3
    units = 1 if char == "x" else 2
    assert len(text_of(split(char * 500, mode)[0], mode)) == piece * units


@pytest.mark.parametrize(("mode", "piece"), [("udh8", 134), ("udh16", 133)])
def test_octet_limits(mode: Mode, piece: int) -> None:
    assert len(split("é" * 140, mode, default_alphabet="latin1")) == 1
    parts = split("é" * 141, mode, default_alphabet="latin1")
    assert [len(text_of(part, mode)) for part in parts] == [piece, 141 - piece]


def test_headers_as_specified() -> None:
    first, second = split("x" * 200, "udh8", 0x1FF)
    assert first.short_message[:6] == bytes.fromhex("050003FF0201")
    assert second.short_message[:6] == bytes.fromhex("050003FF0202")
    assert {first.esm_class, second.esm_class} == {0x40}
    first, second = split("x" * 200, "udh16", 0x1FF)
    assert first.short_message[:7] == bytes.fromhex("06080401FF0201")
    first, second = split("x" * 200, "sar", 0x1FF)
    assert (first.esm_class, first.tlvs) == (0, ((0x020C, b"\1\xff"), (0x020E, b"\2"), (0x020F, b"\1")))
    assert second.tlvs[2] == (0x020F, b"\2")


def test_payload_mode_is_one_message() -> None:
    text = "Длинный текст. " * 40
    (part,) = split(text, "payload")
    assert (part.short_message, part.esm_class, part.data_coding) == (b"", 0, 8)
    assert part.tlvs == ((0x0424, text.encode("utf-16-be")),)
    assert split("short", "payload") == [Part(b"short", 0, 0)]
    with pytest.raises(ValueError, match="message_payload"):
        split("x" * 65_536, "payload")


def test_empty_text_is_one_empty_part() -> None:
    assert split("") == [Part(b"", 0, 0)]


def test_what_cannot_be_split_is_refused() -> None:
    assert len(split("x" * 153 * 255)) == 255
    with pytest.raises(ValueError, match="256 parts"):
        split("x" * (153 * 255 + 1))
    with pytest.raises(ValueError, match="unknown mode"):
        split("x", "udh32")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="different"):
        split("x", default_coding=8)


@LIMIT
@given(
    gsm_texts,
    st.sampled_from(MODES),
    st.sampled_from(["gsm7", "gsm7-packed"]),
    st.randoms(use_true_random=False),
)
def test_gsm7_escape_pairs_stay_together(text: str, mode: Mode, alphabet: str, rng: random.Random) -> None:
    parts = split(text, mode, 7, default_alphabet=alphabet)
    for part in parts:
        assert len(part.short_message) <= (140 if alphabet == "gsm7-packed" else 160)
        if alphabet == "gsm7":
            assert not text_of(part, mode).endswith(b"\x1b")
        encode_sm_body(carry(part))
    check_joins(parts, text, rng, alphabet)


@LIMIT
@given(wide_texts, st.sampled_from(MODES), st.randoms(use_true_random=False))
def test_surrogate_pairs_and_octet_pairs_stay_together(text: str, mode: Mode, rng: random.Random) -> None:
    parts = split(text + "ж", mode, 7)
    for part in parts:
        octets = text_of(part, mode)
        assert len(octets) % 2 == 0
        assert len(part.short_message) <= 140
        octets.decode("utf-16-be")  # strict: half a pair would raise
    check_joins(parts, text + "ж", rng)


@LIMIT
@given(wide_texts, st.sampled_from(MODES), st.randoms(use_true_random=False))
def test_utf8_sequences_stay_together(text: str, mode: Mode, rng: random.Random) -> None:
    parts = split(text, mode, 7, default_alphabet="utf8")
    for part in parts:
        text_of(part, mode).decode("utf-8")
    check_joins(parts, text, rng, "utf8")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("before", range(145, 162))
@pytest.mark.parametrize("alphabet", ["gsm7", "gsm7-packed"])
def test_an_escape_pair_at_every_place_around_the_cut(before: int, mode: Mode, alphabet: str) -> None:
    text = "x" * before + "€" * 90 + "y" * before + "end"
    parts = split(text, mode, default_alphabet=alphabet)
    for number, piece in enumerate(parts):
        if alphabet == "gsm7":
            octets = text_of(piece, mode)
            assert not octets.endswith(b"\x1b"), f"part {number} ends in half a pair"
            assert not octets.startswith(b"\x65"), f"part {number} begins with half a pair"
    if alphabet == "gsm7":
        assert b"".join(text_of(piece, mode) for piece in parts) == encode_gsm7(text)
    joined = join(Joiner(default_alphabet=alphabet), parts[::-1])
    got = joined.text(alphabet, strip=False)
    # Seven bits to spare behind packed septets are filled with a CR, the wire has no count of septets.
    assert (got.removesuffix("\r") if alphabet == "gsm7-packed" else got) == text


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("before", range(60, 72))
def test_a_surrogate_pair_at_every_place_around_the_cut(before: int, mode: Mode) -> None:
    text = "ж" * before + "👋" * 40 + "ж" * before
    parts = split(text, mode)
    assert len(parts) > 1
    assert "".join(text_of(piece, mode).decode("utf-16-be") for piece in parts) == text
    assert join(Joiner(), parts[::-1]).text() == text


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("before", range(128, 142))
def test_a_utf8_sequence_at_every_place_around_the_cut(before: int, mode: Mode) -> None:
    text = "x" * before + "👋" * 40
    parts = split(text, mode, default_alphabet="utf8")
    assert len(parts) > 1
    assert "".join(text_of(piece, mode).decode("utf-8") for piece in parts) == text


def check_joins(parts: list[Part], text: str, rng: random.Random, alphabet: str = "gsm7") -> None:
    """Any order, every part but the last one twice: the same text comes out once and nothing stays."""
    order = list(parts)
    rng.shuffle(order)
    joiner = Joiner(default_alphabet=alphabet)
    arrivals = [part for part in order[:-1] for _ in range(2 if len(parts) > 1 else 1)] + order[-1:]
    joined = join(joiner, arrivals)
    assert joined.total == len(parts)
    assert not joined.missing
    got = joined.text(alphabet, strip=False)
    if alphabet == "gsm7-packed" and got != text:
        # Seven bits to spare at the very end: a CR, which every reader leaves out.
        assert got == text + "\r"
    else:
        assert got == text
    assert (len(joiner), joiner.octets) == (0, 0)


def part(number: int, total: int = 2, reference: int = 1, text: bytes = b"text", **fields: Any) -> DeliverSm:
    udh = b"\x05\0\x03" + bytes((reference, total, number))
    defaults: dict[str, Any] = {
        "source": b"7916",
        "dest": b"929",
        "esm_class": 0x40,
        "short_message": udh + text,
    }
    return DeliverSm(**defaults | fields)


def test_single_message_passes_at_once() -> None:
    joiner = Joiner()
    joined = joiner.add("smsc", DeliverSm(short_message=b"hi"), 0)
    assert isinstance(joined, Joined)
    assert (joined.payload, joined.total, joined.text()) == (b"hi", 1, "hi")
    assert len(joiner) == 0


def test_udh_without_concatenation_is_taken_off() -> None:
    sm = DeliverSm(esm_class=0x40, short_message=b"\x06\x05\x04\x0b\x84\x23\xf0data")
    joined = Joiner().add("smsc", sm, 0)
    assert isinstance(joined, Joined)
    assert (joined.payload, joined.broken) == (b"data", False)


def test_national_shift_is_read() -> None:
    sm = DeliverSm(esm_class=0x40, short_message=b"\x06\x24\x01\x01\x25\x01\x01\x0b\x1b\x53")
    joined = Joiner().add("smsc", sm, 0)
    assert isinstance(joined, Joined)
    assert (joined.locking, joined.single, joined.text()) == (1, 1, "ĞŞ")


@pytest.mark.parametrize(
    "payload",
    [
        b"\xff",
        b"\x05\0\x03\x01\x02",
        b"\x05\0\x09\x01\x02\x01text",
        b"\x01\0text",
        b"\x06\0\x03\x01\x02\x01\0x",
        b"",
    ],
)
def test_broken_udh_keeps_the_payload_whole_and_marked(payload: bytes) -> None:
    joined = Joiner().add("smsc", DeliverSm(esm_class=0x40, short_message=payload), 0)
    assert isinstance(joined, Joined)
    assert joined.broken
    assert joined.payload == payload


@pytest.mark.parametrize(("number", "total"), [(0, 2), (3, 2), (0, 0), (1, 0), (255, 254), (2, 1), (0, 1)])
def test_part_number_outside_the_total_is_refused(number: int, total: int) -> None:
    joiner = Joiner()
    assert joiner.add("smsc", part(number, total), 0) == Dropped("part_number")
    assert len(joiner) == 0


def test_sar_of_odd_lengths() -> None:
    def sar(number: bytes, total: bytes = b"\0\2") -> DeliverSm:
        return DeliverSm(short_message=number, tlvs=((0x020C, b"\7"), (0x020E, total), (0x020F, number)))

    joiner = Joiner()
    assert joiner.add("smsc", sar(b"\0\2"), 0) is None
    joined = joiner.add("smsc", sar(b"\1"), 0)
    assert isinstance(joined, Joined)
    assert joined.payload == b"\1\0\2"
    assert joiner.add("smsc", sar(b"\1", b"\xff" * 40), 0) == Dropped("part_number")
    assert joiner.add("smsc", sar(b"\xff" * 40), 0) == Dropped("part_number")


@pytest.mark.parametrize(
    "other",
    [
        ("other", part(2)),
        ("smsc", part(2, source=b"7917")),
        ("smsc", part(2, dest=b"930")),
        ("smsc", part(2, reference=2)),
        ("smsc", part(2, total=3)),
        ("smsc", part(2, short_message=b"\x06\x08\x04\0\x01\x02\x02text")),
    ],
)
def test_parts_of_different_messages_are_never_mixed(other: tuple[str, DeliverSm]) -> None:
    joiner = Joiner()
    assert joiner.add("smsc", part(1), 0) is None
    assert joiner.add(*other, 0) is None
    assert len(joiner) == 2


def test_same_number_with_another_text_begins_a_new_message_and_loses_nothing() -> None:
    joiner = Joiner()
    assert joiner.add("smsc", part(1, text=b"old"), 0) is None
    assert joiner.add("smsc", part(1, text=b"old"), 0) == Dropped("duplicate")
    assert joiner.add("smsc", part(1, text=b"new"), 0) is None
    assert joiner.next_deadline() == 0
    joined = joiner.add("smsc", part(2, text=b"er"), 0)
    assert isinstance(joined, Joined)
    assert joined.payload == b"newer"
    (old,) = joiner.expired(0)
    assert (old.payload, old.missing) == (b"old", (2,))
    assert (len(joiner), joiner.octets) == (0, 0)


def test_what_is_incomplete_comes_out_when_its_time_is_over() -> None:
    joiner = Joiner(ttl_ms=1000)
    assert joiner.next_deadline() is None
    joiner.add("smsc", part(3, 3, 1, b"c"), 100)
    joiner.add("smsc", part(1, 3, 1, b"a"), 900)
    joiner.add("smsc", part(1, 2, 2, b"z"), 200)
    assert joiner.next_deadline() == 1100
    assert joiner.expired(1099) == []
    (first,) = joiner.expired(1100)
    assert (first.payload, first.missing, first.total) == (b"ac", (2,), 3)
    (second,) = joiner.expired(5000)
    assert second.missing == (2,)
    assert joiner.octets == 0


def test_sets_are_bounded_and_the_refused_part_is_told() -> None:
    joiner = Joiner(max_sets=2)
    assert joiner.add("smsc", part(1, reference=1), 0) is None
    assert joiner.add("smsc", part(1, reference=2), 0) is None
    assert joiner.add("smsc", part(1, reference=3), 0) == Dropped("full")
    assert joiner.add("smsc", part(1, reference=2, text=b"another"), 0) == Dropped("full")
    assert isinstance(joiner.add("smsc", part(2, reference=1), 0), Joined)
    assert joiner.add("smsc", part(1, reference=3), 0) is None


def test_octets_are_bounded_in_truth() -> None:
    joiner = Joiner(max_sets=1_000_000, max_octets=2_000_000)
    padding = ((0x1FFF, b"x" * 500), *[(0x1FFE, bytes((n,))) for n in range(20)])
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        full = 0
        for number in range(4000):
            source = b"%d" % number
            sm = part(
                1, 200, source=source, tlvs=tuple((tag, bytes(bytearray(value))) for tag, value in padding)
            )
            full += isinstance(joiner.add("smsc", sm, 0), Dropped)
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert full > 0
    assert joiner.octets <= 2_000_000
    assert held < 2_500_000


def test_message_payload_may_carry_the_udh() -> None:
    joiner = Joiner()
    for number, expected in ((1, None), (2, b"onetwo")):
        text = {1: b"one", 2: b"two"}[number]
        sm = part(
            number, short_message=b"", tlvs=((0x0424, b"\x05\0\x03\x01\x02" + bytes((number,)) + text),)
        )
        result = joiner.add("smsc", sm, 0)
        assert (result.payload if isinstance(result, Joined) else None) == expected


def test_a_pair_cut_by_the_sender_is_healed() -> None:
    octets = "👋".encode("utf-16-be")
    joiner = Joiner()
    joiner.add("smsc", part(1, text=octets[:2], data_coding=8), 0)
    joined = joiner.add("smsc", part(2, text=octets[2:], data_coding=8), 0)
    assert isinstance(joined, Joined)
    assert joined.text() == "👋"
    assert decode(8, joined.payload) == "👋"
