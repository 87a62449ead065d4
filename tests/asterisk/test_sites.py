"""Two sites: an agent of the other one is rung when nobody here is there, and known to be busy when so."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest

from tests.asterisk.peer.phone import Phone
from tests.asterisk.place import Place
from tests.asterisk.server import SHIPPED, Asterisk, ports

pytestmark = pytest.mark.asterisk

NORTH, SOUTH = "127.0.0.2", "127.0.0.3"


@dataclass(frozen=True)
class Pair:
    """Both sites run; `caller` and `agent201` are ports of telephones."""

    north: Asterisk
    south: Asterisk
    north_sip: tuple[str, int]
    south_sip: tuple[str, int]
    agent201: int


def site(name: str, north: Place, south: Place, own: Place, agent: int) -> dict[str, str]:
    """Return the shipped files of a site with the addresses of this machine and what they leave open."""
    files = {path.name: path.read_text("utf-8") for path in (SHIPPED / "site").iterdir()}
    files |= {path.name: path.read_text("utf-8") for path in (SHIPPED / "sites" / name).iterdir()}
    for key, text in files.items():
        text = text.replace("10.0.1.10:5060", f"{NORTH}:{north.sip}").replace("10.0.1.10", NORTH)
        files[key] = text.replace("10.0.2.10:5060", f"{SOUTH}:{south.sip}").replace("10.0.2.10", SOUTH)
    files["globals.conf"] = re.sub(r":4573", f":{own.first}", files["globals.conf"])
    number = {"north": "101", "south": "201"}[name]
    files["pjsip.conf"] += "\n".join(
        (
            "[network](gudok-trunk)",
            "[network](gudok-trunk-identify)\nendpoint = network\nmatch = 127.0.0.1",
            f"[agent{number}](gudok-agent)\naors = agent{number}",
            f"[agent{number}](gudok-agent-aor)\nqualify_frequency = 0",
        )
    )
    if agent:
        files["pjsip.conf"] += f"\ncontact = sip:agent{number}@127.0.0.1:{agent}\n"
    return files


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with ports() as one, ports() as two:
        north, south = Place(one), Place(two)
        agent = south.agents[0]
        servers = []
        for name, place, entity, port in (
            ("north", north, "02:00:00:00:00:0a", 0),
            ("south", south, "02:00:00:00:00:0b", agent),
        ):
            folder = tmp_path_factory.mktemp(name)
            files = site(name, north, south, place, port)
            servers.append(Asterisk(folder, files, place.ami, place.rtp, entity))
        try:
            for server in servers:
                server.start()
            yield Pair(*servers, (NORTH, north.sip), (SOUTH, south.sip), agent)
        finally:
            for server in servers:
                server.stop()


@pytest.fixture
async def vera(pair: Pair) -> AsyncIterator[Phone]:
    """Agent 201 of the south."""
    phone = await Phone.open(pair.south_sip, pair.agent201)
    yield phone
    await phone.close()


async def told(server: Asterisk, state: str, within: float = 8) -> None:
    """Wait until a site believes this of agent 201."""
    until = time.monotonic() + within
    while True:
        said = await asyncio.to_thread(server.cli, "queue show support")
        line = next(one for one in said.splitlines() if "agent201" in one)
        if state in line:
            return
        assert time.monotonic() < until, line


async def test_an_agent_of_the_other_site_takes_the_call_and_is_known_to_be_busy(pair: Pair, vera: Phone):
    phone = await Phone.open(pair.north_sip)
    try:
        call = await phone.call("0890")
        await call.answered()
        line = await vera.rings(15)
        await line.answer()
        line.talk("agent")
        call.talk("caller")
        await call.reaches("agent")
        await line.hears("caller")
        await told(pair.south, "(Busy)")
        await told(pair.north, "(Busy)")
        line.hang_up()
        await call.ended()
        await told(pair.north, "(Not in use)")
    finally:
        await phone.close()
