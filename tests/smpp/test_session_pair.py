"""Two sessions back to back: each event is checked on both sides, in one piece and octet by octet."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smpp.event import Accepted, Answered, BindRefused, Bound, Closed, Failed, Inbound
from smpp.pdu.command import CommandId
from smpp.pdu.wire import HEADER
from smpp.state import State
from tests.smpp.session_pair import RX, TRX, TX, Pair, bound_esme, pdu, read, singly


@pytest.fixture(params=[False, True], ids=["one piece", "octet by octet"])
def piecewise(request):
    return request.param


@pytest.mark.parametrize(
    ("command", "state"),
    [(TRX, State.BOUND_TRX), (TX, State.BOUND_TX), (RX, State.BOUND_RX)],
    ids=["transceiver", "transmitter", "receiver"],
)
def test_bind_is_asked_accepted_and_known_on_both_sides(command, state, piecewise):
    pair = Pair(command, piecewise=piecewise)
    assert pair.bind() == [Bound(b"centre", 0x34)]
    assert pair.esme.state is pair.smsc.state is state


def test_a_centre_that_names_no_version_speaks_3_3():
    assert Pair().bind(version=None) == [Bound(b"centre", 0x33)]


def test_a_refused_bind_tells_the_status_and_ends_the_session(piecewise):
    pair = Pair(piecewise=piecewise)
    pair.esme.start_bind(TRX, b"", pair.now)
    (asked,) = pair.to_smsc()
    pair.smsc.refuse_bind(asked.sequence, asked.command_id, 0x0E)
    refused, closed = pair.to_esme()
    assert refused == BindRefused(0x0E)
    assert isinstance(closed, Closed)
    assert pair.esme.closed
    assert pair.smsc.closed


def test_messages_and_their_answers_pass_both_ways(piecewise):
    pair = bound_esme(piecewise=piecewise)
    for n in range(3):
        assert pair.smsc.request(CommandId.DELIVER_SM, b"unit %d" % n, n, pair.now) == n + 1
        assert pair.esme.submit(b"page %d" % n, f"page {n}", pair.now) == n + 2
    units = pair.to_esme()
    assert units == [Inbound(3, 7, n + 1, CommandId.DELIVER_SM, b"unit %d" % n) for n in range(3)]
    pages = pair.to_smsc()
    assert [page.body for page in pages] == [b"page 0", b"page 1", b"page 2"]
    for unit in units:
        pair.esme.respond(unit.sequence)
    pair.smsc.respond(
        0, 0, b"".join(pdu(0x80000004, page.sequence, b"id%d\0" % n) for n, page in enumerate(pages))
    )
    assert [(a.token, a.status) for a in pair.to_smsc()] == [(0, 0), (1, 0), (2, 0)]
    answers = pair.to_esme()
    assert [(a.token, a.status, a.message_id, a.bind) for a in answers] == [
        ("page 0", 0, b"id0", 3),
        ("page 1", 0, b"id1", 3),
        ("page 2", 0, b"id2", 3),
    ]
    assert not len(pair.esme.window)
    assert not len(pair.smsc.window)


def test_a_deliver_sm_right_behind_the_bind_response_is_processed(piecewise):
    pair = Pair(piecewise=piecewise)
    pair.esme.start_bind(TRX, b"", pair.now)
    pair.sent()
    events = pair.give(pdu(0x80000009, 1, b"c\0") + pdu(0x05, 9, b"unit"))
    assert events == [Bound(b"c", 0x33), Inbound(3, 7, 9, 5, b"unit")]


def test_data_sm_is_handed_on_and_answered_as_data_sm():
    pair = bound_esme()
    (came,) = pair.give(pdu(0x0103, 0xFFFFFFFF, b"x"))
    assert came == Inbound(3, 7, 0xFFFFFFFF, 0x0103, b"x")
    pair.esme.respond(came.sequence, 0x64)
    assert pair.sent() == [(0x80000103, 0x64, 0xFFFFFFFF, b"\0")]


@pytest.mark.parametrize("sequence", [0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_a_response_repeats_the_sequence_number_that_came(sequence):
    pair = bound_esme()
    pair.give(pdu(0x05, sequence, b"x"))
    pair.esme.respond(sequence)
    assert pair.sent() == [(0x80000005, 0, sequence, b"\0")]


def test_answers_for_the_link_leave_ahead_of_traffic():
    pair = bound_esme()
    pair.esme.submit(b"page", None, pair.now)
    pair.give(pdu(0x05, 1, b"x") + pdu(0x15, 2))
    pair.esme.respond(1)
    assert [command for command, *_ in pair.sent()] == [0x80000015, 0x04, 0x80000005]


def test_everything_of_one_batch_is_one_piece_to_write():
    pair = bound_esme()
    for n in range(5):
        pair.esme.submit(b"x" * n, n, pair.now)
    assert len(read(pair.esme.data_to_send())) == 5
    assert pair.esme.data_to_send() == b""


def test_a_full_window_takes_nothing_until_an_answer_comes():
    pair = bound_esme(window=2)
    assert pair.esme.submit(b"", "a", pair.now) == 2
    assert pair.esme.submit(b"", "b", pair.now) == 3
    assert pair.esme.submit(b"", "c", pair.now) is None
    pair.give(pdu(0x80000004, 2, b"id\0"))
    assert pair.esme.submit(b"", "c", pair.now) == 4


def test_answers_in_any_order_find_their_requests():
    pair = bound_esme()
    for n in range(4):
        pair.esme.submit(b"", n, pair.now)
    events = pair.give(b"".join(pdu(0x80000004, sequence, b"%d\0" % sequence) for sequence in (4, 2, 5, 3)))
    assert [(event.token, event.message_id) for event in events] == [
        (2, b"4"),
        (0, b"2"),
        (3, b"5"),
        (1, b"3"),
    ]


def test_a_successful_answer_without_a_body_is_taken_without_an_id():
    pair = bound_esme()
    pair.esme.submit(b"", "a", pair.now)
    (event,) = pair.give(pdu(0x80000004, 2))
    assert (event.token, event.status, event.message_id) == ("a", 0, b"")


def test_unbind_of_the_peer_is_answered_and_what_was_pending_has_no_known_outcome(piecewise):
    pair = bound_esme(piecewise=piecewise)
    pair.esme.submit(b"", "a", pair.now)
    pair.esme.data_to_send()
    failed, closed = pair.give(pdu(0x06, 77))
    assert (failed.token, failed.reason) == ("a", "closed")
    assert isinstance(closed, Closed)
    assert pair.sent() == [(0x80000006, 0, 77, b"")]
    assert pair.give(pdu(0x05, 78, b"late")) == []


def test_our_unbind_waits_for_pending_answers_then_for_its_own(piecewise):
    pair = bound_esme(piecewise=piecewise)
    pair.esme.submit(b"", "a", pair.now)
    pair.esme.unbind(pair.now)
    assert [command for command, *_ in pair.sent()] == [0x04]
    assert pair.esme.submit(b"", "late", pair.now) is None
    (answered,) = pair.give(pdu(0x80000004, 2, b"id\0"))
    assert isinstance(answered, Answered)
    assert [command for command, *_ in pair.sent()] == [0x06]
    assert pair.give(pdu(0x80000006, 3)) == [Closed("unbound")]


def test_a_message_that_crosses_our_unbind_is_sent_back_for_later():
    pair = bound_esme()
    pair.esme.unbind(pair.now)
    pair.sent()
    assert pair.give(pdu(0x05, 9, b"x")) == []
    assert pair.sent() == [(0x80000005, 0x64, 9, b"\0")]


def test_both_sides_may_unbind_at_once():
    pair = bound_esme()
    pair.esme.unbind(pair.now)
    pair.smsc.unbind(pair.now)
    pair.to_esme()
    pair.to_smsc()
    assert pair.esme.closed
    assert pair.smsc.closed


def test_a_lost_connection_fails_everything_pending_once():
    pair = bound_esme()
    for n in range(3):
        pair.esme.submit(b"", n, pair.now)
    events = pair.esme.lost("reset by peer")
    assert [(e.token, e.reason) for e in events[:-1]] == [(0, "closed"), (1, "closed"), (2, "closed")]
    assert events[-1] == Closed("reset by peer")
    assert pair.esme.lost("again") == []
    assert pair.esme.next_deadline() is None


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    bodies=st.lists(st.binary(max_size=300), min_size=1, max_size=12),
    cuts=st.lists(st.integers(1, 400), min_size=1, max_size=20),
)
def test_where_the_stream_is_cut_changes_nothing(bodies, cuts):
    stream = b"".join(pdu(0x05, n + 1, body) for n, body in enumerate(bodies))
    whole = bound_esme().give(stream)
    pair, events, at, turn = bound_esme(), [], 0, 0
    while at < len(stream):
        step = cuts[turn % len(cuts)]
        events += pair.give(stream[at : at + step])
        at, turn = at + step, turn + 1
    assert events == whole
    assert [event.body for event in events] == bodies


@settings(max_examples=150, derandomize=True, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.sampled_from([int(command) for command in CommandId]), st.integers(0, 0xFFFFFFFF)),
            st.integers(0, 0xFFFFFFFF),
            st.integers(0, 12),
            st.binary(max_size=40),
        ),
        max_size=30,
    )
)
def test_no_sequence_of_sound_pdus_makes_a_session_raise_or_lose_a_request(frames):
    pair = bound_esme()
    tokens = [object() for _ in range(5)]
    for token in tokens:
        pair.esme.submit(b"", token, pair.now)
    events = []
    for command_id, status, sequence, body in frames:
        events += pair.give(HEADER.pack(16 + len(body), command_id, status, sequence) + body)
    if not pair.esme.closed:
        events += pair.esme.lost("end")
    ends = [event.token for event in events if isinstance(event, Answered | Failed)]
    assert sorted(map(id, ends)) == sorted(map(id, tokens))
    assert sum(isinstance(event, Closed) for event in events) == 1


def test_pages_that_the_centre_takes_are_reported_by_the_write_they_left_with():
    pair = bound_esme()
    way = (3, 7)
    first = [(b"page %d" % n, n, way, b"79161234567") for n in range(4)]
    assert pair.esme.submit_all(first, 0, 1_000) == 4
    later = [(b"page %d" % n, n, way, b"79161234567") for n in range(4, 6)]
    assert pair.esme.submit_all([*later, (b"elsewhere", 6, (4, 7), b"")], 0, 2_000) == 2
    numbers = [number for _, _, number, _ in pair.sent()]
    events = pair.give(
        pdu(0x80000004, numbers[0], b"a\0")
        + pdu(CommandId.DELIVER_SM, 1, b"key")
        + pdu(0x80000004, numbers[1], b"\0")
        + pdu(0x80000004, numbers[2], b"c\0", status=8)
        + pdu(0x80000004, numbers[3], b"d\0\4\x28\0\1\x63")
        + pdu(0x80000004, numbers[4])
        + pdu(0x80000004, numbers[5], b"no end")
        + pdu(0x80000004, numbers[0], b"a\0")
    )
    assert events[:2] == [Accepted(3, 7, 1_000, [0, 1]), Inbound(3, 7, 1, CommandId.DELIVER_SM, b"key")]
    assert [(event.token, event.status, event.message_id) for event in events[2:]] == [
        (first[2], 8, b"c"),
        (first[3], 0, b"d"),
        (later[0], 0, b""),
        (later[1], 0, b"no end"),
    ]
    assert pair.esme.counters["unknown_response"] == 1
    assert not len(pair.esme.window)


def response(number: int, kind: int) -> bytes:
    """A submit_sm_resp to a number: as is usual, and the ways in which it can be otherwise."""
    status = 8 if kind == 1 else 0
    command_id = 0x80000103 if kind == 2 else 0x80000004
    bodies = {3: b"", 4: b"no end", 5: b"d\0\4\x28\0\1\x63", 6: b"\0", 7: b"e" * 300 + b"\0"}
    return pdu(command_id, number, bodies.get(kind, b"%x\0" % number), status)


def request(number: int, kind: int) -> bytes:
    """A deliver_sm, or something else that comes in between."""
    if kind == 1:
        return pdu(CommandId.DATA_SM, number, b"data")
    if kind == 2:
        return pdu(CommandId.ENQUIRE_LINK, number)
    if kind == 3:
        return pdu(0x999, number, b"?")
    body = {4: bytes(300), 5: b"", 6: b"\0"}.get(kind, b"key %d" % number)
    return pdu(CommandId.DELIVER_SM, number, body, 8 if kind == 7 else 0)


def told(events: list) -> tuple[list, dict]:
    """What events say: requests in their order, and what came of each page."""
    requests, pages = [], {}
    for event in singly(events):
        if isinstance(event, Accepted):
            pages |= dict.fromkeys(event.tokens, (0, event.sent_at))
        elif isinstance(event, Answered):
            pages[event.token[1]] = (event.status, event.sent_at)
        elif isinstance(event, Failed):
            pages[event.token[1]] = (event.reason, event.status, event.sent_at)
        else:
            requests.append(event)
    return requests, pages


@settings(max_examples=150, derandomize=True)
@given(
    rows=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    units=st.lists(
        st.one_of(
            st.tuples(st.just(response), st.integers(0, 15), st.sampled_from([0, 0, 0, 0, *range(8)])),
            st.tuples(st.just(request), st.integers(1, 9), st.sampled_from([0, 0, 0, 0, *range(8)])),
        ),
        max_size=30,
    ),
    cut=st.integers(0, 60),
)
def test_a_read_of_many_pdus_says_what_they_would_one_by_one(rows, units, cut):
    together, singly_read = bound_esme(window=20), bound_esme(window=20)
    for pair in (together, singly_read):
        tokens = iter(range(100))
        for now, size in enumerate(rows):
            row = [(b"page", next(tokens), (3, 7), b"") for _ in range(size)]
            assert pair.esme.submit_all(row, 0, now) == size
        pair.sent()
    octets = [make(number, kind) for make, number, kind in units]
    data = b"".join(octets)
    events = together.esme.receive_data(data[:cut], 9) + together.esme.receive_data(data[cut:], 9)
    one_by_one = [event for one in octets for event in singly_read.esme.receive_data(one, 9)]
    assert told(events) == told(one_by_one)
    assert together.esme.counters == singly_read.esme.counters
    assert len(together.esme.window) == len(singly_read.esme.window)
    assert together.sent() == singly_read.sent()
    left = together.esme.lost("end")
    assert told(left) == told(singly_read.esme.lost("end"))
    assert len(told(left)[1]) + len(told(events)[1]) == sum(rows)
