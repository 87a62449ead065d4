"""A real Asterisk for these tests, started once for each worker, with the dialplan we ship."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.asterisk.peer.phone import Phone
from tests.asterisk.place import Place
from tests.asterisk.server import Asterisk, ports


@pytest.fixture(scope="session")
def place() -> Iterator[Place]:
    with ports() as base:
        yield Place(base)


@pytest.fixture(scope="session")
def running(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asterisk]:
    server = Asterisk(tmp_path_factory.mktemp("asterisk"), place.site(), place.ami, place.rtp)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def asterisk(running: Asterisk) -> AsyncIterator[Asterisk]:
    """The server; what a failed test has left behind in it is ended."""
    yield running
    if running.channels():
        running.cli("channel request hangup all")


@pytest.fixture
async def caller(asterisk: Asterisk, place: Place) -> AsyncIterator[Phone]:
    phone = await Phone.open(("127.0.0.1", place.sip))
    yield phone
    await phone.close()


@pytest.fixture
async def anna(asterisk: Asterisk, place: Place) -> AsyncIterator[Phone]:
    """The agent of the default queue."""
    phone = await Phone.open(("127.0.0.1", place.sip), place.agents[0])
    yield phone
    await phone.close()


@pytest.fixture
async def boris(asterisk: Asterisk, place: Place) -> AsyncIterator[Phone]:
    """The agent of the queue `sales`."""
    phone = await Phone.open(("127.0.0.1", place.sip), place.agents[1])
    yield phone
    await phone.close()


@pytest.fixture
async def network(asterisk: Asterisk, place: Place) -> AsyncIterator[Phone]:
    """Whom we call."""
    phone = await Phone.open(("127.0.0.1", place.sip), place.network)
    yield phone
    await phone.close()
