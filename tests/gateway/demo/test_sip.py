"""The private Asterisk of the demo, without one: which is found, what its place is, what is refused."""

from __future__ import annotations

import re
import socket
import wave
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli.demo import demo
from gateway.demo.sip.hold import hold_music
from gateway.demo.sip.installed import Installed, NoAsteriskError, find
from gateway.demo.sip.server import AsteriskError, PrivateAsterisk, lent_ports
from gateway.demo.sip.site import Ports, Site

ROOT = Path(__file__).resolve().parents[3]
GLOBALS = (ROOT / "asterisk-dialplan/site/globals.conf").read_text(encoding="utf-8")
PORTS = Ports(5060, 10_002, 10_003, (10_100, 10_999))


def program(path: Path, says: str) -> Path:
    """Lay out a program that prints this, whatever it is asked."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{says}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def a_tree(folder: Path, version: str) -> Path:
    """Lay out what looks like a tree; its loader does not load, but tells a version."""
    lib = folder / "usr/lib/x86_64-linux-gnu"
    program(lib / "ld-linux-x86-64.so.2", f"echo 'Asterisk {version}'")
    program(folder / "usr/sbin/asterisk", "exit 1")
    (lib / "asterisk/modules").mkdir(parents=True)
    (lib / "asterisk/modules/res_pjsip.so").touch()
    (folder / "usr/share/asterisk/documentation").mkdir(parents=True)
    return folder


def test_a_tree_is_run_by_its_own_loader(tmp_path: Path) -> None:
    folder = a_tree(tmp_path / "tree", "22.10.1+dfsg-1")
    found = find(str(folder), {})
    assert found.version == "22.10.1+dfsg-1"
    assert found.command[0].endswith("ld-linux-x86-64.so.2")
    assert found.command[-1] == str(folder / "usr/sbin/asterisk")
    assert found.modules == folder / "usr/lib/x86_64-linux-gnu/asterisk/modules"
    assert found.shared == folder / "usr/share/asterisk"
    assert find("", {"ASTERISK_TREE": str(folder)}) == found


def test_what_make_asterisk_has_left_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.demo.sip.installed.PLACES", str(tmp_path / "nowhere"))
    folder = a_tree(tmp_path / ".cache/asterisk", "22.1.0")
    assert find("", {}, (tmp_path / "other", tmp_path)).command[-1].startswith(str(folder))


@pytest.mark.parametrize("version", ["20.9.3", "18.1"])
def test_an_old_one_is_refused(tmp_path: Path, version: str) -> None:
    with pytest.raises(
        NoAsteriskError, match=rf"is Asterisk {re.escape(version)}, too old.*install Asterisk 22"
    ):
        find(str(a_tree(tmp_path, version)), {})


def test_one_that_says_nothing_or_lacks_its_modules_is_refused(tmp_path: Path) -> None:
    folder = a_tree(tmp_path, "22.1.0")
    (folder / "usr/lib/x86_64-linux-gnu/asterisk/modules/res_pjsip.so").unlink()
    with pytest.raises(NoAsteriskError, match=r"its modules \(res_pjsip\.so\) not"):
        find(str(folder), {})
    program(folder / "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", "echo broken >&2; exit 127")
    with pytest.raises(NoAsteriskError, match=r"does not tell its version \['broken'\]"):
        find(str(folder), {})


def test_where_there_is_none_the_remedy_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.demo.sip.installed.PLACES", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("ASTERISK_TREE", raising=False)
    monkeypatch.chdir(tmp_path)
    given = ["--port", "0", "--project", str(ROOT / "gateway/.."), "--data", str(tmp_path / "data")]
    done = CliRunner().invoke(demo, [*given, "--asterisk", str(tmp_path)])
    assert done.exit_code == 1
    assert "has no Asterisk (usr/sbin/asterisk); install Asterisk 22 or newer" in done.output
    assert "Traceback" not in done.output
    with pytest.raises(NoAsteriskError, match="no Asterisk was found; install Asterisk 22 or newer"):
        find("", {}, (tmp_path,))


def site(subscribers: tuple[str, ...] = ("79160000001",), queues: tuple[str, ...] = ("sales",)) -> Site:
    return Site(PORTS, subscribers, queues, "pass", "token1", "secret1")


def test_the_place_is_on_loopback_and_each_account_is_its_number() -> None:
    files = site().files(GLOBALS)
    assert "GUDOK_FIRST = 127.0.0.1:10003\n" in files["globals.conf"]
    assert "GUDOK_SECOND = \n" in files["globals.conf"]
    assert "GUDOK_TOKEN = token1\n" in files["globals.conf"]
    assert "bind = 127.0.0.1:5060\n" in files["pjsip.conf"]
    assert (
        "[79160000001](subscriber)\nauth = 79160000001\naors = 79160000001\ncallerid = <79160000001>\n"
        in (files["pjsip.conf"])
    )
    assert files["pjsip.conf"].count("password = pass\n") == 2
    assert "exten => 79160000001,1,Set(GUDOK_DIAL=PJSIP/79160000001)" in files["numbers.conf"]
    for queue in ("[support](gudok-default-queue)\n", "[sales](gudok-queue)\n"):
        assert queue in files["queues.conf"]
    assert "secret = secret1\n" in files["manager.conf"]


def test_names_that_would_be_something_else_in_a_file_are_left_out() -> None:
    hostile = ("7\n[evil]", "79160000001\n", "٠٨٩٠")
    files = site(hostile, ("a]\n[general]\nx=", "sup port", "support")).files(GLOBALS)
    assert "evil" not in "".join(files.values())
    assert "[general]" not in files["queues.conf"]
    assert files["queues.conf"].count("[") == 1
    assert "٠" not in "".join(files.values())


def test_ports_are_lent_to_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with lent_ports() as first, lent_ports() as second:
        assert not {first.ami, first.agi, *first.rtp} & {second.ami, second.agi, *second.rtp}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as usual:
        usual.bind(("127.0.0.1", 0))
        port = usual.getsockname()[1]
        monkeypatch.setattr("gateway.demo.sip.server.SIP_PORT", port)
        with lent_ports() as ports:
            assert ports.agi < ports.sip < ports.rtp[0]  # the usual one is somebody's


def test_ports_that_a_dead_demo_has_left_taken_are_not_lent() -> None:
    with lent_ports() as ports:
        pass
    with socket.socket() as orphan:
        orphan.bind(("127.0.0.1", ports.ami))
        orphan.listen()
        with lent_ports() as others:
            assert others.ami != ports.ami


async def test_an_asterisk_that_does_not_start_tells_why(tmp_path: Path) -> None:
    dead = program(tmp_path / "asterisk", "echo 'no modules, no calls'; exit 1")
    (tmp_path / "shared").mkdir()
    installed = Installed((str(dead),), tmp_path, tmp_path / "shared", "22.0")
    one = PrivateAsterisk(installed, tmp_path / "data", ROOT / "asterisk-dialplan", {})
    with pytest.raises(AsteriskError, match="Asterisk did not start:\nno modules, no calls"):
        await one.start(site())
    assert not one.running
    await one.stop()


def test_what_is_heard_in_a_queue_is_a_wav_for_asterisk(tmp_path: Path) -> None:
    hold_music(tmp_path)
    with wave.open(str(tmp_path / "waiting.wav")) as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (8_000, 2, 1)
        assert len(set(file.readframes(8_000))) > 20
