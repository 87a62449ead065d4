"""The capture of a link: what is written, what is not, how long it grows, and how it is read again."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.capture import Capture
from gateway.cli import main
from smpp.pdu import codec
from smpp.pdu.bind import BindTransceiver
from smpp.pdu.link import EnquireLink
from smpp.pdu.message import DeliverSm
from smpp.testing.centre import Centre
from tests.smpp.link_owner import HandClock, Owner, make_link

BIND = codec.encode(BindTransceiver(b"gudok", b"hunter2"), 1)
DELIVER = codec.encode(DeliverSm(source=b"79161234567", dest=b"929", short_message=b"PIN 4321"), 2)


def capture(path: Path, **changes: int) -> Capture:
    return Capture(path, "main", HandClock(), **changes)


def decode(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["link", "decode", *arguments])
    return result.exit_code, result.output


def test_a_line_for_each_pdu_however_it_was_read(tmp_path: Path) -> None:
    path = tmp_path / "data" / "main.cap"
    tap = capture(path)
    tap(0, 17, True, BIND)
    for octet in DELIVER:
        tap(0, 17, False, bytes((octet,)))
    tap.close()
    first, second = path.read_text().splitlines()
    assert first.startswith("2023-11-14T22:13:20.000Z main 0/17 > 0000")
    assert " main 0/17 < " in second
    assert path.stat().st_mode & 0o777 == 0o600
    for hidden in (b"hunter2", b"4321", b"79161234567"):
        assert hidden.hex() not in path.read_text()


def test_what_was_captured_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "main.cap"
    tap = capture(path)
    tap(0, 17, True, BIND)
    tap(0, 17, False, DELIVER)
    tap.close()
    status, shown = decode(str(path))
    assert status == 0
    assert "bind_transceiver  2023-11-14T22:13:20.000Z main 0/17 >" in shown
    assert "'7916***4567'" in shown
    assert "text: 'XXX 0000'" in shown
    status, shown = decode("--json", str(path))
    told = [json.loads(line) for line in shown.splitlines()]
    assert [one["command"] for one in told] == ["bind_transceiver", "deliver_sm"]
    length = told[1]["items"][0]
    assert (length["offset"], length["name"], length["value"]) == (0, "command_length", str(len(DELIVER)))


def test_the_file_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "main.cap"
    tap = capture(path, size=400, files=3)
    for _ in range(100):
        tap(0, 17, True, codec.encode(EnquireLink(), 1))
    tap.close()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["main.cap", "main.cap.1", "main.cap.2"]
    assert all(one.stat().st_size <= 400 for one in tmp_path.iterdir())


def test_octets_that_are_no_pdu_are_kept_in_their_shape(tmp_path: Path) -> None:
    path = tmp_path / "main.cap"
    tap = capture(path)
    tap(0, 17, False, b"HTTP/1.1 400 Bad Request")
    tap.close()
    assert " ! " in path.read_text()
    status, shown = decode(str(path))
    assert status == 1
    assert "ERROR" in shown


def test_a_disk_that_refuses_ends_the_capture_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    tap = capture(tmp_path / "file" / "main.cap")
    tap(0, 17, True, BIND)
    tap(0, 17, True, BIND)


@pytest.mark.parametrize(
    "written",
    [BIND.hex(), BIND.hex(" "), "0x" + BIND.hex(), BIND.hex(":").upper()],
)
def test_hexadecimal_in_every_form(written: str) -> None:
    status, shown = decode(written)
    assert status == 0
    assert "system_id                'gudok'" in shown
    assert "hunter2" not in shown


def test_a_file_of_plain_octets_and_one_of_lines(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(BIND + DELIVER + b"\xff\xff")
    status, shown = decode(str(tmp_path / "plain"))
    assert status == 1, "two octets are left over"
    assert "a header has 16 octets, 2 are there" in shown
    (tmp_path / "lines").write_text(f"# from the operator\n{BIND.hex(' ')}\n\n{DELIVER.hex()}\n")
    status, shown = decode(str(tmp_path / "lines"))
    assert (status, shown.count("command_id")) == (0, 2)
    (tmp_path / "wrong").write_text(f"{BIND.hex()}\nhello\n")
    status, shown = decode(str(tmp_path / "wrong"))
    assert "wrong:2: neither a line of a capture nor hexadecimal octets" in shown


def test_only_errors_if_asked() -> None:
    assert decode("--errors", BIND.hex()) == (0, "")
    assert decode("no such file")[0] == 1


async def test_a_link_under_capture(tmp_path: Path) -> None:
    path = tmp_path / "main.cap"
    owner = Owner()
    async with Centre() as centre:
        link = make_link(owner, centre.port)
        link.tap = tap = capture(path)
        link.start()
        await centre.bound()
        await centre.sms("79161234567", "9290", "balance")
        await link.close(0.5)
    tap.close()
    lines = [line.split() for line in path.read_text().splitlines()]
    commands = [(line[3], int(line[4][8:16], 16)) for line in lines]
    assert commands[:4] == [(">", 9), ("<", 0x80000009), ("<", 5), (">", 0x80000005)]
