"""Hostile centres: broken octets of all kinds; the link answers, binds again and serves on."""

import asyncio
import os
import random
from collections import Counter

import pytest

from smpp.event import Closed, Failed
from smpp.pdu.command import CommandId
from smpp.settings import Timers
from smpp.testing.centre import Centre
from smpp.testing.dialog import DialogError
from smpp.testing.faults import Faults
from tests.smpp.link_owner import Owner, make_link
from tests.smpp.session_pair import bound_esme, pdu

CASES = int(os.environ.get("GUDOK_FUZZ_CASES", "2000"))
SEED = 20_240_611
COMMANDS = [int(command) for command in CommandId]


def hostile(rng: random.Random) -> bytes:
    """A few PDUs, one of them spoilt."""
    parts = []
    for _ in range(rng.randint(1, 4)):
        body = rng.randbytes(rng.choice((0, 1, 5, 40, 300)))
        parts.append(
            pdu(rng.choice(COMMANDS), rng.getrandbits(32), body, rng.choice((0, 0, 0x58, 0xFFFFFFFF)))
        )
    data = bytearray(b"".join(parts))
    match rng.randint(0, 5):
        case 0:
            data[rng.randrange(len(data))] ^= 1 << rng.randint(0, 7)
        case 1:
            del data[rng.randrange(len(data)) :]
        case 2:
            data[0:4] = rng.choice((0, 1, 15, 16, 17, 70_000, 70_001, 1 << 31)).to_bytes(4, "big")
        case 3:
            data[rng.randrange(len(data)) : 0] = rng.randbytes(rng.randint(1, 20))
        case 4:
            data = bytearray(rng.randbytes(rng.randint(1, 200)))
        case _:
            pass
    return bytes(data)


def test_no_octets_make_a_session_raise_hang_or_grow():
    rng = random.Random(SEED)
    for _ in range(CASES):
        pair = bound_esme()
        tokens = list(range(3))
        for token in tokens:
            pair.esme.submit(b"", token, pair.now)
        pair.sent()
        events = []
        for _ in range(3):
            events += pair.give(hostile(rng))
            assert pair.esme._framer.pending <= 70_000
            assert len(pair.esme.data_to_send()) < 100_000
            pair.now += rng.randint(0, 20_000)
            events += pair.esme.on_time(pair.now)
        if not pair.esme.closed:
            events += pair.esme.lost("end")
        done = [event.token for event in events if hasattr(event, "token")]
        assert sorted(done) == tokens, "each request ends exactly once"
        assert sum(isinstance(event, Closed) for event in events) == 1


def test_a_centre_survives_the_same_from_an_esme():
    rng = random.Random(SEED + 1)
    for _ in range(CASES // 4):
        pair = bound_esme()
        pair.smsc.request(CommandId.DELIVER_SM, b"", "unit", pair.now)
        events = []
        for _ in range(3):
            events += pair.smsc.receive_data(hostile(rng), pair.now)
        if not pair.smsc.closed:
            events += pair.smsc.lost("end")
        assert sum(isinstance(event, Failed) or hasattr(event, "message_id") for event in events) == 1


@pytest.mark.parametrize("seed", range(6))
async def test_after_whatever_a_centre_sends_the_next_dialogue_works(seed):
    rng = random.Random(seed)
    owner = Owner()
    async with Centre(retry_ms=1) as centre:
        link = make_link(owner, centre.port)
        link.start()
        await centre.bound()
        for n in range(10):
            await owner.until(lambda: link.bound)
            centre.write(hostile(rng))
            centre.reset()
            await owner.until(lambda: bool(owner.downs))
            owner.downs.clear()
            await owner.until(lambda: link.bound)
            dialog = await centre.dial(f"7916{n:07d}", "*929#")
            assert dialog.screen == "echo *929#"
        assert link.counters["owner_errors"] == 0
        await link.close(0.2)


async def test_all_faults_together_lose_no_message_and_show_no_wrong_page():
    """Throttling, late and lost answers, broken PDUs and broken connections, all at once."""
    faults = Faults(
        throttle=0.05,
        malformed=0.02,
        drop_response=0.02,
        delay_ms=2,
        reorder=0.5,
        close_after=150,
        empty_response=0.2,
    )
    owner = Owner()
    timers = Timers(response_ms=400)
    async with Centre(faults=faults, retry_ms=5) as centre:
        link = make_link(owner, centre.port, binds=3, window=20, timers=timers)
        link.start()
        await centre.bound(3)

        async def subscriber(number: int) -> int:
            served = 0
            for round_ in range(8):
                dialog = centre.call(f"7916{number:07d}", "*929#")
                for count, text in enumerate((f"{round_}", f"{number}", "0"), 1):
                    try:
                        await dialog.shown(count, limit_s=1.0)
                        dialog.type(text)
                    except DialogError:
                        break
                    served += 1
                shown = [screen.text for screen in dialog.screens]
                assert set(shown) <= {"echo *929#", f"echo {round_}", f"echo {number}", "echo 0"}
                dialog.hang_up()
            return served

        served = sum(await asyncio.gather(*(subscriber(number) for number in range(1, 25))))
        assert served >= 0.8 * 24 * 8 * 3
        assert len(owner.downs) >= 3
        faults.close_after = 0
        await owner.until(lambda: link.state()["queue"] == 0 or bool(owner.answered))
        outcomes = Counter(failed.reason for failed in owner.failed.values())
        assert set(outcomes) <= {"closed", "timeout", "unsent"}
        assert link.counters["owner_errors"] == 0
        await link.close(0.5)
