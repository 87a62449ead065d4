"""Every PDU family against PDUs written field by field in tests/wire, in both directions."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from smpp.pdu import codec
from smpp.pdu.command import CommandId
from smpp.pdu.submit_multi import Destination, DistributionList, Unsuccessful
from smpp.pdu.wire import Framer

WIRE = Path(__file__).parent.parent / "wire"
_TOKEN = re.compile(r"'([^']*)'|([0-9A-Fa-f]+)")


def octets_of(text: str) -> bytes:
    out = b""
    for line in text.splitlines():
        for quoted, digits in _TOKEN.findall(line.split(None, 1)[1]):
            out += quoted.encode("ascii") if quoted else bytes.fromhex(digits)
    return out


def value_of(name: str, value: Any) -> Any:
    if name == "tlvs":
        return tuple((tag, bytes.fromhex(digits)) for tag, digits in value)
    if name == "destinations":
        return tuple(
            DistributionList(one["name"].encode())
            if "name" in one
            else Destination(one["ton"], one["npi"], one["address"].encode())
            for one in value
        )
    if name == "unsuccessful":
        return tuple(
            Unsuccessful(one["ton"], one["npi"], one["address"].encode(), one["status"]) for one in value
        )
    if isinstance(value, str):
        return bytes.fromhex(value[4:]) if value.startswith("hex:") else value.encode("ascii")
    return value


def load() -> list[dict[str, Any]]:
    return [vector for path in sorted(WIRE.glob("*.yaml")) for vector in yaml.safe_load(path.read_text())]


VECTORS = load()


def record_of(vector: dict[str, Any]) -> Any:
    family = codec.FAMILIES[CommandId[vector["command"].upper()]]
    return family.record(**{name: value_of(name, value) for name, value in vector["record"].items()})


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v['command']}: {v['name']}")
def test_vector(vector: dict[str, Any]) -> None:
    octets = octets_of(vector["octets"])
    record = record_of(vector)
    status = vector.get("status", 0)
    (frame,) = Framer().feed(octets)
    assert frame[:3] == (CommandId[vector["command"].upper()], status, vector["sequence"])
    assert codec.decode(*frame) == record
    assert codec.encode(record, vector["sequence"], status) == octets


@pytest.mark.parametrize("command_id", codec.FAMILIES, ids=lambda c: CommandId(c).name.lower())
def test_every_registered_command_has_a_vector(command_id: int) -> None:
    name = CommandId(command_id).name.lower()
    assert any(vector["command"] == name for vector in VECTORS), f"no vector for {name} in tests/wire"


def test_every_command_but_broadcast_is_registered() -> None:
    missing = {command for command in CommandId if command not in codec.FAMILIES}
    assert all("BROADCAST" in command.name for command in missing)


def test_all_vectors_in_one_stream_come_out_in_order_at_every_cut() -> None:
    stream = b"".join(octets_of(vector["octets"]) for vector in VECTORS)
    whole = Framer().feed(stream)
    assert len(whole) == len(VECTORS)
    for step in (1, 2, 3, 7, 16, 17, 61, 500):
        framer = Framer()
        frames = [
            frame
            for start in range(0, len(stream), step)
            for frame in framer.feed(stream[start : start + step])
        ]
        assert frames == whole
        assert framer.pending == 0
