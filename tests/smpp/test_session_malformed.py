"""Malformed input (reference, section 3) as far as a session meets it: what is answered, what lives on."""

import pytest

from smpp.event import Answered, Closed, Failed, Inbound
from smpp.pdu.wire import HEADER
from smpp.settings import Timers
from smpp.state import State
from tests.smpp.session_pair import BIND_BODY, RX, TRX, TX, Pair, bound_esme, pdu, read

GOOD = pdu(0x05, 99, b"after")
NACK = 0x80000000

# What comes; what is answered (command, status, sequence, body); which counter tells of it.
LIVES = {
    "unknown command": (pdu(0x0777, 5, b"x"), [(NACK, 0x03, 5, b"")], "unknown_command"),
    "unknown command with an odd number": (pdu(0x0777, 0, b""), [(NACK, 0x03, 0, b"")], "unknown_command"),
    "unknown response": (pdu(0x80000777, 5, b"x"), [], "unknown_command"),
    "generic_nack for nothing": (pdu(NACK, 0, status=3), [], "unknown_response"),
    "generic_nack with a number never used": (pdu(NACK, 4711, status=3), [], "unknown_response"),
    "answer that nobody waits for": (pdu(0x80000004, 4711, b"id\0"), [], "unknown_response"),
    "enquire_link_resp that nobody waits for": (pdu(0x80000015, 4711), [], "unknown_response"),
    "submit_sm from a centre": (pdu(0x04, 6, b"x"), [(0x80000004, 0x04, 6, b"")], "wrong_state"),
    "bind from a centre": (pdu(0x09, 6, BIND_BODY), [(0x80000009, 0x04, 6, b"")], "wrong_state"),
    "alert_notification": (pdu(0x102, 6, b"x"), [], "notification"),
    "outbind while bound": (pdu(0x0B, 6, b"a\0b\0"), [], "notification"),
    "enquire_link with a body": (pdu(0x15, 6, b"junk"), [(0x80000015, 0, 6, b"")], "enquire_link"),
}


@pytest.mark.parametrize("case", LIVES)
@pytest.mark.parametrize("piecewise", [False, True], ids=["one piece", "octet by octet"])
def test_one_odd_pdu_costs_itself_and_nothing_else(case, piecewise):
    data, answers, counter = LIVES[case]
    pair = bound_esme(piecewise=piecewise)
    assert pair.give(data + GOOD) == [Inbound(3, 7, 99, 5, b"after")]
    assert pair.sent() == answers
    assert pair.esme.counters[counter] == 1
    assert pair.esme.state is State.BOUND_TRX


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (b"\0\0\0\0", "outside"),
        (b"\0\0\0\x02", "outside"),
        (b"\0\0\0\x0f", "outside"),
        ((70_001).to_bytes(4, "big"), "outside"),
        (b"\x80\0\0\0", "outside"),
        (b"\xff\xff\xff\xff", "outside"),
        (b"HTTP/1.1 400 Bad Request\r\n", "HTTP"),
        (b"AMQP\0\0\x09\x01", "AMQP"),
        (b"\x16\x03\x01\x02\0\x01\0\x01\xfc", "TLS"),
    ],
)
@pytest.mark.parametrize("piecewise", [False, True], ids=["one piece", "octet by octet"])
def test_a_bad_length_is_nacked_with_sequence_0_and_closes(start, said, piecewise):
    pair = bound_esme(piecewise=piecewise)
    pair.esme.submit(b"", "a", pair.now)
    pair.sent()
    unit, failed, closed = pair.give(GOOD + start + bytes(20))
    assert isinstance(unit, Inbound)
    assert (failed.token, failed.reason) == ("a", "closed")
    assert said in closed.reason
    assert pair.sent() == [(NACK, 0x02, 0, b"")]
    assert pair.esme.closed


def test_the_longest_pdu_passes_and_the_rest_of_the_stream_with_it():
    pair = bound_esme()
    big = pdu(0x05, 1, bytes(70_000 - 16))
    assert [len(event.body) for event in pair.give(big + GOOD)] == [69_984, 5]


def test_a_generic_nack_fails_its_request_and_is_never_answered():
    pair = bound_esme()
    pair.esme.submit(b"", "a", pair.now)
    pair.sent()
    (failed,) = pair.give(pdu(NACK, 2, status=0x58))
    assert (failed.token, failed.reason, failed.status) == ("a", "nack", 0x58)
    assert pair.sent() == []


@pytest.mark.parametrize("command", [0x80000003, 0x80000008, 0x80000103, 0x80000005])
def test_an_answer_of_another_command_fails_that_request(command):
    pair = bound_esme()
    pair.esme.submit(b"", "a", pair.now)
    (failed,) = pair.give(pdu(command, 2, b"x\0"))
    assert (failed.token, failed.reason) == ("a", "wrong_response")
    assert not len(pair.esme.window)


@pytest.mark.parametrize("body", [b"", b"no NUL", b"\xff" * 300, b"id\0\x04\x27\0\xff", b"id\0\x00"])
def test_whatever_the_body_of_an_answer_the_request_is_answered(body):
    pair = bound_esme()
    pair.esme.submit(b"", "a", pair.now)
    (answered,) = pair.give(pdu(0x80000004, 2, body))
    assert isinstance(answered, Answered)
    assert answered.token == "a"


@pytest.mark.parametrize("body", [b"", b"no NUL", b"x" * 200 + b"\0", b"c\0\x02\x10\0\x05\x34", b"c\0\x02"])
def test_whatever_the_body_of_a_bind_response_we_are_bound(body):
    pair = Pair()
    pair.esme.start_bind(TRX, b"", pair.now)
    pair.give(pdu(0x80000009, 1, body))
    assert pair.esme.state is State.BOUND_TRX


def test_a_bind_that_is_nacked_or_answered_with_another_command_is_refused():
    for answer in (pdu(NACK, 1, status=0x0D), pdu(0x80000001, 1, b"c\0")):
        pair = Pair()
        pair.esme.start_bind(TRX, b"", pair.now)
        refused, closed = pair.give(answer)
        assert refused.status in (0x0D, 0x03)
        assert isinstance(closed, Closed)


@pytest.mark.parametrize("command", [TX, None])
def test_a_message_in_the_wrong_state_is_answered_4(command):
    pair = bound_esme(command) if command else Pair()
    pair.esme.data_to_send()
    assert pair.give(pdu(0x05, 8, b"x")) == []
    assert pair.sent() == [(0x80000005, 0x04, 8, b"")]


def test_enquire_link_before_the_bind_is_a_wrong_state():
    pair = Pair()
    pair.give(pdu(0x15, 8))
    assert pair.sent() == [(0x80000015, 0x04, 8, b"")]


def test_a_second_bind_on_the_same_connection_is_already_bound():
    pair = bound_esme()
    pair.smsc.receive_data(pdu(0x09, 44, BIND_BODY), pair.now)
    assert read(pair.smsc.data_to_send()) == [(0x80000009, 0x05, 44, b"")]


def test_submit_sm_on_a_receiver_bind_is_a_wrong_state_for_the_centre():
    pair = bound_esme(RX)
    assert pair.esme.submit(b"", "a", pair.now) is None
    assert pair.smsc.receive_data(pdu(0x04, 44, b"x"), pair.now) == []
    assert read(pair.smsc.data_to_send()) == [(0x80000004, 0x04, 44, b"")]


def test_a_late_answer_after_the_time_limit_is_dropped():
    pair = bound_esme(timers=Timers(response_ms=1_000))
    pair.esme.submit(b"", "a", pair.now)
    (failed,) = pair.esme.on_time(pair.now + 1_000)
    assert isinstance(failed, Failed)
    assert failed.reason == "timeout"
    assert pair.give(pdu(0x80000004, 2, b"id\0")) == []
    assert pair.esme.counters["unknown_response"] == 1


def test_half_a_header_is_neither_answered_nor_lost():
    pair = bound_esme()
    data = HEADER.pack(17, 5, 0, 1) + b"x"
    assert pair.give(data[:7]) == []
    assert pair.sent() == []
    assert len(pair.give(data[7:])) == 1
