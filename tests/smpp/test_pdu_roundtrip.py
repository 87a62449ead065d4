"""Every family: any record that can be encoded comes back equal, and its octets encode to themselves."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smpp.pdu import codec
from smpp.pdu.command import CommandId
from smpp.pdu.submit_multi import Destination, DistributionList, Unsuccessful
from smpp.pdu.wire import Framer

octet = st.integers(0, 255)


def cstring(limit: int) -> st.SearchStrategy[bytes]:
    return st.binary(max_size=limit).map(lambda value: value.replace(b"\0", b"0"))


tlvs = st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=40)), max_size=6).map(tuple)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "service_type": cstring(5),
    "source": cstring(20),
    "dest": cstring(20),
    "esme": cstring(20),
    "schedule": cstring(16),
    "validity": cstring(16),
    "final_date": cstring(16),
    "message_id": cstring(64),
    "system_id": cstring(15),
    "password": cstring(8),
    "system_type": cstring(12),
    "address_range": cstring(40),
    "short_message": st.binary(max_size=254),
    "tlvs": tlvs,
    "oddities": st.just(0),
    "destinations": st.lists(
        st.builds(Destination, octet, octet, cstring(20)) | st.builds(DistributionList, cstring(20)),
        min_size=1,
        max_size=20,
    ).map(tuple),
    "unsuccessful": st.lists(
        st.builds(Unsuccessful, octet, octet, cstring(20), st.integers(0, 0xFFFFFFFF)), max_size=20
    ).map(tuple),
}


def records(record: type[Any]) -> st.SearchStrategy[Any]:
    return st.builds(record, **{name: FIELDS.get(name, octet) for name in record.__struct_fields__})


@pytest.mark.parametrize("command_id", codec.FAMILIES, ids=lambda c: CommandId(c).name.lower())
def test_round_trip(command_id: int) -> None:
    family = codec.FAMILIES[command_id]

    @settings(max_examples=60, derandomize=True, deadline=None)
    @given(records(family.record), st.integers(0, 0xFFFFFFFF), st.integers(0, 0x4FF))
    def check(record: Any, sequence: int, status: int) -> None:
        octets = codec.encode(record, sequence, status)
        (frame,) = Framer().feed(octets)
        assert frame[:3] == (command_id, status, sequence)
        back = codec.decode(*frame)
        assert back == record
        assert codec.encode(back, sequence, status) == octets
        assert "\n" not in codec.describe(back)

    check()
