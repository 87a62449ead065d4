"""Mutated PDUs against the link of a running gateway: no crash, no stall, memory flat.

A short run is part of the suite; GUDOK_FUZZ_CASES=200000 asks for a long one, GUDOK_FUZZ_SEED repeats a run.
The length of every PDU is true: what a false one does is in `test_dialog_hazards`.
"""

import asyncio
import os
import sys
from pathlib import Path
from random import Random, SystemRandom
from typing import Any

from engine.session import Waiting
from gateway.app import Gateway
from gateway.demo.billing import start
from smpp.pdu.command import CommandId
from smpp.pdu.message import Sm, encode_sm_body
from smpp.pdu.wire import HEADER, HEADER_LENGTH
from smpp.segments import split
from smpp.testing.centre import Centre
from smpp.testing.dialect import PSSR_INDICATION, STANDARD, USSR_CONFIRM, CentreDialect
from tests.end_to_end.child import Child
from tests.end_to_end.stage import RICH, lay_out, staged

CASES = int(os.environ.get("GUDOK_FUZZ_CASES", "4000"))
SEED = int(os.environ.get("GUDOK_FUZZ_SEED", "0")) or SystemRandom().randrange(1, 1 << 31)
CHUNK = 200
STALL_S = 5.0
GROWTH_KIB = 24 * 1024
"""Beyond the sessions and messages that mutated PDUs rightly begin; a leak of 200 octets a PDU shows."""

ONE_FAST_BIND = {
    "SMPP__MAIN__BINDS": "1",
    "SMPP__MAIN__WINDOW": "1000",
    "SMPP__MAIN__RATE": "100000/s",  # or the farewells to strays are what everybody waits behind
}
_DELIVER = int(CommandId.DELIVER_SM)
_ENQUIRE = int(CommandId.ENQUIRE_LINK)
_ENDS = frozenset({int(CommandId.UNBIND), int(CommandId.UNBIND) | 0x80000000})
"""Commands that rightly end the connection."""
_COMMANDS = tuple(int(one) for one in CommandId if int(one) not in _ENDS)
SPICE = (
    b"\0", b"\xff", b"\x7f\xff\xff\xff", b"\x05\0\x03\x01\x02\x01", b"\x06\x08\x04\0\x01\x02\x02", b"\x1b",
    b"\x04\x24\xff\xff", b"\x05\x01\0\x01", b"\x13\x83\0\x02\xff\xff", b"\xd8\0", b"id:1 stat:DELIVRD ",
    b"\x02\x0c\0\x02\0\x01\x02\x0e\0\x01\x02\x02\x0f\0\x01\x01", b"*929#", b"{{7*7}}", b"USSD\0",
)  # fmt: skip


def corpus(dialect: CentreDialect = STANDARD) -> list[tuple[int, bytes]]:
    """Return sound PDUs of a centre as (command, body): dials, input, SMS, parts, receipts, requests."""
    phone = "79169990001"

    def written(to: bytes, octets: bytes, **given: Any) -> Sm:
        return Sm(source_ton=1, source=phone.encode(), dest=to, short_message=octets, **given)

    messages = [
        dialect.ussd(PSSR_INDICATION, phone, "929", "*929#", 7, 0),
        dialect.ussd(PSSR_INDICATION, phone, "105", "*105#", 8, 0),
        dialect.ussd(USSR_CONFIRM, phone, "105", "1", 8, 1),
        dialect.ussd(0x81, phone, "105", "", 8, 2),
        written(b"9290", b"hello"),
        written(b"000500", "совет".encode("utf-16-be"), data_coding=8),
        written(b"9290", b"id:7 stat:DELIVRD err:000", esm_class=4),
        *(written(b"9290", one.short_message, esm_class=0x40) for one in split("x" * 400, "udh8", 7)),
    ]
    return [
        *((_DELIVER, encode_sm_body(one)) for one in messages),
        (int(CommandId.SUBMIT_SM) | 0x80000000, b"id-1\0"),
        (_ENQUIRE, b""),
        (int(CommandId.GENERIC_NACK), b""),
    ]


def mutated(rng: Random, command: int, body: bytes) -> bytes:
    """Return a PDU of true length whose inside is damaged."""
    data = bytearray(body)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(6):
            case 0:
                del data[at : at + rng.randint(1, 12)]
            case 1:
                data[at:at] = rng.choice(SPICE) * rng.choice((1, 1, 1, 7, 60))
            case 2 if at < len(data):
                data[at] = rng.randrange(256)
            case 3:
                data[at:at] = data[at : at + rng.randint(1, 40)]
            case 4:
                del data[at:]
            case _:
                data[at:at] = rng.randbytes(rng.randint(1, 20))
    if rng.random() < 0.15:
        command = rng.choice(_COMMANDS) if rng.random() < 0.8 else rng.getrandbits(32)
    if command in _ENDS:
        command = _DELIVER
    status = 0 if rng.random() < 0.9 else rng.getrandbits(32)
    # Not those that the centre uses itself: an answer to one of ours would pass for an answer to its own.
    sequence = rng.choice(
        (0, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 30 | rng.getrandbits(30), 1 << 30 | rng.getrandbits(8))
    )
    return HEADER.pack(HEADER_LENGTH + len(data), command, status, sequence) + bytes(data)


async def answered(centre: Centre) -> None:
    """Ask the gateway with an enquire_link whether it lives, and wait for its answer."""
    (peer,) = centre.binds
    heard: list[Any] = []
    real = centre._post.answered
    centre._post.answered = lambda event: heard.append(event) if event.token == "probe" else real(event)  # type: ignore[method-assign]
    try:
        assert peer.live.session.request(_ENQUIRE, b"", "probe", centre.now()) is not None
        centre.touch(peer)
        await centre.wait_for(lambda: bool(heard), what="an answer to enquire_link", limit_s=STALL_S)
    finally:
        centre._post.answered = real  # type: ignore[method-assign]


async def test_mutated_pdus_neither_stop_nor_swell_a_running_gateway(tmp_path: Path):
    rng, sound = Random(SEED), corpus()
    sys.stdout.write(f"GUDOK_FUZZ_SEED={SEED} GUDOK_FUZZ_CASES={CASES}\n")
    lay_out(tmp_path)
    billing = await start(tmp_path / "billing" / "billing.db")
    async with Centre() as centre:
        child = Child(tmp_path, centre, billing.url, LOG="info", **ONE_FAST_BIND)
        try:
            await child.start()
            warm = 0
            for chunk in range(max(1, CASES // CHUNK)):
                centre.write(b"".join(mutated(rng, *rng.choice(sound)) for _ in range(CHUNK)))
                await answered(centre)
                if chunk == CASES // CHUNK // 4:
                    warm = child.rss_kib()
            swollen = child.rss_kib() - warm
            sys.stdout.write(f"memory {warm} KiB after a quarter, {swollen:+d} KiB at the end\n")
            assert centre.ledger.counters["binds"] == 1, "the link fell"
            screen = (await centre.dial(RICH, "*100#")).screen
            assert screen.startswith("Баланс")
            await asyncio.wait_for(child.stop(), 40)
        finally:
            child.end()
            await billing.close()
    log = child.log.read_text(encoding="utf-8", errors="replace")
    assert '"fault"' not in log, child.tail(60)
    assert "Traceback" not in log, child.tail(60)
    assert swollen < GROWTH_KIB + CASES * 2 // 10


async def test_what_mutated_pdus_have_begun_is_forgotten_in_time(tmp_path: Path):
    """Sessions, dialogues, parts, copies: everything that they leave in memory has an end."""
    rng, sound = Random(SEED), corpus()
    async with staged(tmp_path, audit=False) as stage:
        # How many of the mutated PDUs begin a dialogue is chance; these do, and are forgotten as well.
        for number in range(5):
            await stage.centre.dial(f"7916000010{number}", "*105#")
        for _ in range(min(CASES, 4000) // CHUNK):
            stage.centre.write(b"".join(mutated(rng, *rng.choice(sound)) for _ in range(CHUNK)))
            await answered(stage.centre)
        gateway = stage.gateway
        await gateway.host.idle()
        channel = gateway.sms.channel(gateway.links["main"])
        assert channel is not None
        assert len(channel.duplicates) > 10
        assert len(gateway.ussd.dialogs) >= 5
        for _ in range(12):  # a question that waits for people ends after three days
            stage.jump(25 * 3_600_000)
            gateway.tend(stage.clock.now())
            await stage.until(lambda: not _busy(gateway), "the end of all that waits for a back end")
            await stage.quiet()
        await stage.bound(1)
        assert (await stage.centre.dial(RICH, "*105#")).screen.startswith("Что рассказать?")
        await stage.centre.sms(RICH, "1", "никуда")
        await gateway.host.idle()
        assert len(gateway.host.conversations) == len(gateway.ussd.ties.sessions) == 1
        assert len(gateway.ussd.dialogs) == 1
        assert len(channel.duplicates) <= 1 + channel.counts["incomplete"]
        assert (len(channel.parts), len(gateway.outbox), gateway.ussd.dialogs.live) == (0, 0, 1)
        assert stage.counted("faults") == 0, stage.logs.getvalue()


def _busy(gateway: Gateway) -> bool:
    """Tell whether a session waits for a back end: what it holds may begin another one."""
    return any(one.session.waiting is Waiting.BACKEND for one in gateway.host.conversations.values())
