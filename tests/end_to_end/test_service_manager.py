"""A gateway under a service manager: `sd_notify` with a real socket and a real process."""

import contextlib
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.service_manager import ServiceManager
from smpp.testing.centre import Centre
from tests.end_to_end.child import Child
from tests.end_to_end.stage import lay_out

SOON_S = 20.0
QUIET_S = 0.5


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
        one.bind(str(tmp_path / "notify"))
        one.settimeout(SOON_S)
        yield one


def told_until_quiet(manager: socket.socket) -> list[bytes]:
    """Return what is told until nothing comes any more."""
    manager.settimeout(QUIET_S)
    said: list[bytes] = []
    with contextlib.suppress(TimeoutError):
        while True:
            said.append(manager.recv(100))
    return said


async def test_it_is_told_that_the_gateway_serves_lives_and_stops(tmp_path: Path, manager: socket.socket):
    lay_out(tmp_path / "project")
    async with Centre() as centre:
        child = Child(tmp_path / "project", centre, "http://127.0.0.1:9")
        child.environment |= {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "200000"}
        try:
            await child.start()
            assert manager.recv(100) == b"READY=1"
            assert [manager.recv(100) for _ in range(3)] == [b"WATCHDOG=1"] * 3
            os.kill(child.pid, signal.SIGSTOP)
            told_until_quiet(manager)
            os.kill(child.pid, signal.SIGCONT)
            manager.settimeout(SOON_S)
            assert manager.recv(100) == b"WATCHDOG=1"
            await child.stop()
        finally:
            child.end()
        assert b"STOPPING=1" in told_until_quiet(manager)


@pytest.mark.parametrize(
    ("environment", "every_s"),
    [
        ({}, None),
        ({"NOTIFY_SOCKET": "/run/x"}, None),
        ({"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "30000000"}, 15.0),
        ({"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}, 15.0),
        ({"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"}, None),
        ({"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "30000000"}, None),
    ],
)
def test_signs_of_life_are_given_to_who_asks_this_process(environment: dict[str, str], every_s: float | None):
    environment["HOME"] = "/"
    assert ServiceManager(environment, 7).every_s == every_s
    assert environment == {"HOME": "/"}


def test_an_abstract_address_is_one_and_a_manager_that_has_gone_does_no_harm(tmp_path: Path):
    name = f"gudok-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
        one.bind(f"\0{name}")
        one.settimeout(SOON_S)
        told = ServiceManager({"NOTIFY_SOCKET": f"@{name}"}, 1)
        told.ready()
        assert one.recv(100) == b"READY=1"
    told.stopping()
    ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "nobody")}, 1).ready()
