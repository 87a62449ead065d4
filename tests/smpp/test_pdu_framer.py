"""Cutting the stream: partial PDUs, limits, and peers that do not speak SMPP."""

import struct
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smpp.pdu.link import encode_enquire_link, encode_generic_nack, next_sequence
from smpp.pdu.wire import MAX_PDU, Framer, PduError


def pdu(body: bytes, command_id: int = 5, sequence: int = 1) -> bytes:
    return struct.pack(">IIII", 16 + len(body), command_id, 0, sequence) + body


@pytest.mark.parametrize("length", [0, 1, 2, 15, MAX_PDU + 1, 0x7FFFFFFF, 0xFFFFFFFF])
def test_bad_length_is_fatal_0x02_with_sequence_0(length: int) -> None:
    framer = Framer()
    with pytest.raises(PduError) as caught:
        framer.feed(struct.pack(">IIII", length, 5, 0, 77))
    assert (caught.value.status, caught.value.sequence, caught.value.fatal) == (0x02, 0, True)
    assert str(length) in caught.value.reason
    assert encode_generic_nack(caught.value.sequence, caught.value.status) == bytes.fromhex(
        "00000010 80000000 00000002 00000000"
    )


def test_bad_length_is_seen_with_its_fourth_octet() -> None:
    framer = Framer()
    assert framer.feed(b"\0\0\0") == []
    with pytest.raises(PduError):
        framer.feed(b"\x02")


def test_a_pdu_that_is_too_long_is_refused_though_it_is_complete() -> None:
    with pytest.raises(PduError):
        Framer().feed(pdu(bytes(MAX_PDU + 1 - 16)))


@pytest.mark.parametrize("length", [16, MAX_PDU])
def test_shortest_and_longest_pdu(length: int) -> None:
    body = bytes(length - 16)
    assert Framer().feed(pdu(body)) == [(5, 0, 1, body)]


@pytest.mark.parametrize(
    ("hello", "says"),
    [
        (b"GET / HTTP/1.1\r\n", "HTTP"),
        (b"POST /api HTTP/1.1\r\n", "HTTP"),
        (b"HTTP/1.1 400 Bad Request\r\n", "HTTP"),
        (b"AMQP\x00\x00\x09\x01", "AMQP"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01", "TLS"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH"),
    ],
)
def test_foreign_hello_is_named(hello: bytes, says: str) -> None:
    with pytest.raises(PduError, match=says) as caught:
        Framer().feed(hello)
    assert caught.value.fatal


def test_good_pdus_before_a_bad_length_are_returned_then_the_error_comes() -> None:
    framer = Framer()
    good = pdu(b"a", sequence=1) + pdu(b"bc", sequence=2)
    assert [frame[2] for frame in framer.feed(good + b"\0\0\0\x03rest")] == [1, 2]
    assert framer.error is not None
    assert framer.error.fatal
    for more in (b"", pdu(b"a")):
        with pytest.raises(PduError):
            framer.feed(more)


def test_pending_counts_the_octets_of_an_unfinished_pdu() -> None:
    framer = Framer()
    octets = pdu(b"0123456789")
    assert framer.feed(octets[:20]) == []
    assert framer.pending == 20
    assert len(framer.feed(octets[20:] + octets[:5])) == 1
    assert framer.pending == 5


def test_a_long_pdu_octet_by_octet_is_not_quadratic() -> None:
    framer = Framer()
    octets = memoryview(pdu(bytes(MAX_PDU - 16)))
    frames = []
    for at in range(len(octets)):
        frames += framer.feed(octets[at : at + 1])
    assert len(frames) == 1
    assert framer.pending == 0


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=8), st.lists(st.integers(0, 600), max_size=12))
def test_cuts_never_matter(bodies: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(pdu(body, sequence=number) for number, body in enumerate(bodies))
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    framer = Framer()
    frames = [frame for a, b in pairwise(edges) for frame in framer.feed(stream[a:b])]
    assert frames == [(5, 0, number, body) for number, body in enumerate(bodies)]


def test_sequence_numbers_run_from_1_to_0x7fffffff_and_begin_again() -> None:
    assert next_sequence(0) == 1
    assert next_sequence(1) == 2
    assert next_sequence(0x7FFFFFFE) == 0x7FFFFFFF
    assert next_sequence(0x7FFFFFFF) == 1
    assert encode_enquire_link(0x7FFFFFFF).hex() == "0000001000000015000000007fffffff"
