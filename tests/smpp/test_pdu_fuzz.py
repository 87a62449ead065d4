"""Mutated PDUs: only PduError may come out, in bounded time and memory.

A short run is part of the suite; GUDOK_FUZZ_CASES=200000 asks for a long one, GUDOK_FUZZ_SEED repeats a run.
"""

import gc
import importlib.util
import os
import random
import sys
import time
import tracemalloc
from pathlib import Path
from types import ModuleType

from smpp.pdu import codec
from smpp.pdu.message import Sm, SubmitTemplate, decode_submit_resp
from smpp.pdu.wire import Framer, PduError
from smpp.receipts import is_receipt, parse_receipt
from smpp.segments import Joined, Joiner
from smpp.text import decode_marked

LONG_RUN = "GUDOK_FUZZ_CASES" in os.environ
CASES = int(os.environ.get("GUDOK_FUZZ_CASES", "4000"))
# The suite repeats itself; a long run looks for something new unless it is told its seed.
SEED = int(os.environ.get("GUDOK_FUZZ_SEED", "0")) or (
    random.SystemRandom().getrandbits(32) if LONG_RUN else 929
)
SLOWEST_S = 0.25
GROWTH = 512 * 1024

# Octets that have broken parsers before: string ends, length limits, UDH and TLV heads, escapes.
SPICE = [
    b"\0", b"\xff", b"\x7f\xff\xff\xff", b"\x05\0\x03\x01\x02\x01", b"\x06\x08\x04\0\x01\x02\x02", b"\x1b",
    b"\x04\x24\xff\xff", b"\x05\x01\0\x01", b"\x02\x0e\0\x01\xff", b"\xd8\0", b"id:1 stat:", b" submit date:",
    b"id:0 stat:DELIVRD done date:9913", b"\x02\x0c\0\x02\0\x01\x02\x0e\0\x01\x02\x02\x0f\0\x01\x01",
]  # fmt: skip


def vectors() -> ModuleType:
    """The vector module beside this one (tests are no package)."""
    spec = importlib.util.spec_from_file_location(
        "pdu_vectors", Path(__file__).with_name("test_pdu_vectors.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def corpus() -> list[bytes]:
    module = vectors()
    octets = [module.octets_of(vector["octets"]) for vector in module.VECTORS]
    receipt = (
        b"id:0123456789 sub:001 dlvrd:001 submit date:2611221145 done date:2611221146 "
        b"stat:DELIVRD err:000 text:hi"
    )
    for sm in (
        Sm(source=b"7", dest=b"929", esm_class=4, short_message=receipt),
        Sm(source=b"7", dest=b"929", esm_class=0x40, short_message=b"\x05\0\x03\x07\x02\x01part one"),
        Sm(source=b"7", dest=b"929", data_coding=8, short_message="Привет 👋".encode("utf-16-be")),
    ):
        body = SubmitTemplate(sm).reply(sm)
        octets.append((16 + len(body)).to_bytes(4, "big") + b"\0\0\0\5\0\0\0\0\0\0\0\1" + body)
    return octets


def mutate(rng: random.Random, octets: bytes) -> bytes:
    data = bytearray(octets)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(7):
            case 0:
                del data[at : at + rng.randint(1, 12)]
            case 1:
                data[at:at] = rng.choice(SPICE) * rng.choice((1, 1, 1, 7, 60))
            case 2 if at < len(data):
                data[at] = rng.randrange(256)
            case 3 if at < len(data):
                data[at] ^= 1 << rng.randrange(8)
            case 4:
                data[at:at] = data[at : at + rng.randint(1, 40)]
            case 5:
                del data[at:]
            case _:
                data[at:at] = rng.randbytes(rng.randint(1, 20))
    if len(data) >= 8 and rng.random() < 0.85:
        # Most cases keep a true length, or nothing behind the framer would ever be reached.
        data[:4] = len(data).to_bytes(4, "big")
        if rng.random() < 0.5:
            data[4:8] = rng.choice(list(codec.FAMILIES)).to_bytes(4, "big")
    return bytes(data)


def expect(holds: bool, error: Exception) -> None:
    if not holds:
        raise AssertionError("an error that breaks its own rules") from error


def use(pdu: object, joiner: Joiner, now: int) -> None:
    """Do with a decoded PDU what the gateway does: nothing of this may raise anything."""
    assert "\n" not in codec.describe(pdu)
    repr(pdu)
    if isinstance(pdu, Sm):
        for coding in (pdu.data_coding, 0, 8, 0x10, 0x11):
            decode_marked(coding, pdu.payload)
        decode_marked(0, pdu.payload, "gsm7-packed")
        is_receipt(pdu)
        parse_receipt(pdu)
        SubmitTemplate(Sm()).reply(pdu)
        joined = joiner.add("smsc", pdu, now)
        if isinstance(joined, Joined):
            joined.text()
        for incomplete in joiner.expired(now):
            incomplete.text()
    try:
        octets = codec.encode(pdu, 1)
    except ValueError as error:
        # Two things are accepted that may not be sent: a short_message of 255 and an id above 64 octets.
        expect("short_message" in str(error) or "message_id" in str(error), error)
        return
    again = codec.decode(*Framer().feed(octets)[0])
    assert codec.encode(again, 1) == octets


def run_case(octets: bytes, cut: int, joiner: Joiner, now: int) -> int:
    """Feed one mutation through everything; returns how many PDUs of it were decoded."""
    decoded = 0
    framer = Framer()
    frames = []
    try:
        frames += framer.feed(octets[:cut])
        frames += framer.feed(octets[cut:])
    except PduError as error:
        expect(error.fatal and error.status == 0x02, error)
    for command_id, status, sequence, body in frames:
        decode_submit_resp(body, status)
        try:
            pdu = codec.decode(command_id, status, sequence, body)
        except PduError as error:
            expect(not error.fatal and error.sequence == sequence and error.status > 0, error)
            continue
        use(pdu, joiner, now)
        decoded += 1
    return decoded


def test_mutations() -> None:
    sys.stdout.write(f"GUDOK_FUZZ_SEED={SEED} GUDOK_FUZZ_CASES={CASES}\n")
    rng = random.Random(SEED)
    seeds = corpus()
    joiner = Joiner(max_sets=50, max_octets=100_000, ttl_ms=100)
    slowest = 0.0
    decoded = 0
    baseline = 0
    tracemalloc.start()
    try:
        for case in range(CASES):
            octets = mutate(rng, rng.choice(seeds))
            cut = rng.randrange(len(octets) + 1)
            started = time.thread_time()
            try:
                decoded += run_case(octets, cut, joiner, case)
            except Exception as error:
                error.add_note(f"seed {SEED}, case {case}, cut {cut}: {octets.hex()}")
                raise
            slowest = max(slowest, time.thread_time() - started)
            if case == CASES // 4:
                gc.collect()
                baseline = tracemalloc.get_traced_memory()[0]
        joiner.expired(CASES + 1000)
        assert joiner.octets == 0
        assert len(joiner) == 0
        gc.collect()
        growth = tracemalloc.get_traced_memory()[0] - baseline
    finally:
        tracemalloc.stop()
    assert decoded > CASES // 5, f"only {decoded} of {CASES} cases got behind the codec (seed {SEED})"
    assert slowest < SLOWEST_S, f"the slowest case took {slowest:.3f} s of CPU (seed {SEED})"
    assert growth < GROWTH, f"{growth} octets more after {CASES} cases (seed {SEED})"
