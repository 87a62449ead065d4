"""The shell round a session, on a transport that a test holds in its hand."""

from smpp.client import LINGER_MS, Connection
from smpp.event import Closed
from smpp.session import Session
from smpp.state import Role
from tests.smpp.session_pair import BIND_BODY, TRX, pdu, read, singly


class Transport:
    """Keeps what was written; reads only as long as it is asked to."""

    def __init__(self):
        self.writes: list[bytes] = []
        self.reading, self.closing, self.aborted = True, False, False

    def get_extra_info(self, name, default=None):
        return default

    def write(self, data):
        self.writes.append(data)

    def is_closing(self):
        return self.closing

    def close(self):
        self.closing = True

    def abort(self):
        self.closing = self.aborted = True

    def is_reading(self):
        return self.reading

    def pause_reading(self):
        self.reading = False

    def resume_reading(self):
        self.reading = True


def stand(on_events=lambda connection, events: None):
    """A bound connection, its transport and its clock."""
    clock = [1_000]
    transport = Transport()
    connection = Connection(lambda now: Session(Role.ESME, now), on_events, lambda: clock[0])
    connection.connection_made(transport)
    connection.session.start_bind(TRX, BIND_BODY, clock[0])
    connection.flush()
    connection.data_received(pdu(0x80000009, 1, b"c\0"))
    transport.writes.clear()
    return connection, transport, clock


def test_everything_answered_in_one_batch_leaves_with_one_write():
    def answer(connection, events):
        for event in singly(events):
            if hasattr(event, "command_id"):
                connection.session.respond(event.sequence)
                connection.session.submit(b"page", None, 1_000)

    connection, transport, _ = stand(answer)
    connection.data_received(b"".join(pdu(0x05, n, b"x") for n in range(1, 6)))
    (data,) = transport.writes
    assert len(read(data)) == 10


def test_nothing_to_say_writes_nothing():
    connection, transport, _ = stand()
    connection.data_received(pdu(0x80000004, 77, b"id\0"))
    connection.flush()
    assert transport.writes == []


def test_a_peer_that_does_not_read_is_not_read_either():
    told = []
    connection, transport, _ = stand(lambda connection, events: told.append(list(events)))
    told.clear()
    connection.pause_writing()
    assert connection.congested
    assert not transport.reading
    connection.resume_writing()
    assert not connection.congested
    assert transport.reading
    assert told == [[]], "the owner hears that messages may leave again"


def test_a_closed_session_writes_its_last_octets_then_closes_then_is_cut():
    connection, transport, clock = stand()
    connection.data_received(b"HTTP/1.1 400 Bad Request")
    assert [read(data) for data in transport.writes] == [[(0x80000000, 0x02, 0, b"")]]
    assert transport.closing
    assert not transport.aborted
    assert connection.next_deadline() == clock[0] + LINGER_MS
    clock[0] += LINGER_MS
    connection.on_time(clock[0])
    assert transport.aborted


def test_the_end_of_the_connection_is_told_once_with_everything_pending():
    told = []
    connection, _, _ = stand(lambda connection, events: told.extend(events))
    connection.session.submit(b"", "a", 1_000)
    told.clear()
    connection.connection_lost(ConnectionResetError("reset"))
    failed, closed = told
    assert (failed.token, failed.reason) == ("a", "closed")
    assert closed == Closed("connection lost: reset")
    connection.flush()
