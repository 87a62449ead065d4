"""Blocks of the manager interface, in any portions; actions that cannot be anything but one action."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.ami.message import ActionError, Blocks, Message, encode

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
WIRE = (
    BANNER + b"Response: Success\r\nActionID: a-1\r\nMessage: Authentication accepted\r\n\r\n"
    b"Event: QueueCallerJoin\r\nQueue: support\r\nCallerIDName: Anna: night\r\n"
    b"ChanVariable: X=1\r\nChanVariable: Y=2\r\nUniqueid: 17.1\r\nPosition: 1\r\n\r\n"
)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
def test_a_stream_reads_the_same_in_any_portions(size):
    blocks = Blocks()
    found = [
        message for start in range(0, len(WIRE), size) for message in blocks.feed(WIRE[start : start + size])
    ]
    banner, reply, event = found
    assert banner.get("Banner") == "Asterisk Call Manager/11.0.0"
    assert reply.get("response") == "Success"
    assert reply.action_id == "a-1"
    assert event.event == "QueueCallerJoin"
    assert event.get("CallerIDName") == "Anna: night"
    assert event.all("chanvariable") == ("X=1", "Y=2")
    assert event.number("Position") == 1
    assert event.number("Uniqueid") is None


@pytest.mark.parametrize("number", ["", "x", "1.5", "٣", "9" * 19, "1 2", "--1"])
def test_what_is_no_number_is_none(number):
    assert Message((("N", number),)).number("N") is None


def test_another_service_is_told_at_once():
    blocks = Blocks()
    assert blocks.feed(b"SSH-2.0-OpenSSH_9.2\r\n") == []
    assert "no Asterisk manager interface" in blocks.broken
    assert blocks.feed(BANNER) == []


def test_a_block_without_an_end_is_given_up():
    blocks = Blocks()
    blocks.feed(BANNER)
    for _ in range(300):
        blocks.feed(b"x" * 1024)
    assert "more than" in blocks.broken


@pytest.mark.parametrize(
    "value", ["a\r\nAction: Command", "a\nb", "a\0b", "a\rb", "\x7f", "\u2028", "\ud800"]
)
def test_a_value_cannot_begin_another_header(value):
    with pytest.raises(ActionError) as error:
        encode((("Action", "Originate"), ("Exten", value)))
    assert value not in str(error.value)


def test_a_key_is_a_word():
    with pytest.raises(ActionError):
        encode((("Action: Ping\r\nX", "1"),))


@given(
    st.lists(st.tuples(st.from_regex(r"[A-Za-z]{1,12}", fullmatch=True), st.text(max_size=40)), max_size=8)
)
def test_what_is_sent_is_read_as_exactly_these_headers(headers):
    try:
        data = encode((("Action", "Ping"), *headers))
    except ActionError:
        return
    blocks = Blocks()
    blocks.feed(BANNER)
    (message,) = blocks.feed(data)
    assert message.headers == (("Action", "Ping"), *headers)
