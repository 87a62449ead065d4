"""The link and the test centre on every event loop that is installed: asyncio's own, and uvloop."""

import asyncio
import importlib
import importlib.util

import pytest

from smpp.testing.centre import Centre
from smpp.testing.faults import Faults
from tests.smpp.link_owner import Owner, make_link, sms

LOOPS = {"asyncio": asyncio.new_event_loop}
if importlib.util.find_spec("uvloop") is not None:
    LOOPS["uvloop"] = importlib.import_module("uvloop").new_event_loop


async def scenario() -> None:
    owner = Owner()
    async with Centre(faults=Faults(throttle=0.1)) as centre:
        link = make_link(owner, centre.port, binds=2, window=5, queue=200)
        link.start()
        await centre.bound(2)
        dialog = await centre.dial("79161234567", "*929#")
        assert await dialog.send("1") == "echo 1"
        for n in range(100):
            assert link.submit(sms(str(n)), n)
        link.flush()
        await owner.until(lambda: all(n in owner.answered for n in range(100)))
        centre.disconnect()
        await owner.until(lambda: len(owner.ups) == 4)
        centre.silence()
        centre.silence(silent=False)
        assert await dialog.send("0") == "echo 0"
        await link.close(0.5)


@pytest.mark.parametrize("name", LOOPS)
def test_dialogues_messages_and_rebinds_work(name):
    with asyncio.Runner(loop_factory=LOOPS[name]) as runner:
        runner.run(scenario())
