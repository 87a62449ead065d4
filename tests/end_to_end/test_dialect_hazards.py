"""Every shipped dialect under fire: hostile texts, broken and mutated PDUs, session ids that are none.

GUDOK_FUZZ_CASES and GUDOK_FUZZ_SEED ask for more, or for others, as in `test_fuzz`.
"""

import os
from pathlib import Path
from random import Random

import msgspec
import pytest

from smpp.pdu.message import Sm
from smpp.pdu.tlv import Tag
from smpp.testing.dialect import PSSR_INDICATION, SHIPPED, USSR_CONFIRM
from smpp.testing.faults import BROKEN_PDUS
from tests.end_to_end.stage import RICH, staged
from tests.end_to_end.test_dialog_hazards import FILES, TEXTS, echo, visible
from tests.end_to_end.test_fuzz import CHUNK, answered, corpus, mutated

CHUNKS = int(os.environ.get("GUDOK_FUZZ_CASES", "600")) // CHUNK
SEED = os.environ.get("GUDOK_FUZZ_SEED", "1")
PHONE = "79165000001"
ODD_IDS = (b"", b"\x01", b"\xff\xff", b"\0\0", b"\x07\x00\x01", b"\xff" * 8, b"x" * 300)
ODD_OPS = (b"", b"\x00", b"\x7f", b"\xff", b"\x01\x12")
ODD_TYPES = (b"", b"P2", b"ussd", b"BR", b"ZZ", b"C")


@pytest.mark.parametrize("name", list(SHIPPED))
async def test_hostile_texts_come_back_letter_by_letter(tmp_path: Path, name: str):
    async with staged(tmp_path, files=FILES, speaks=name, dialect=SHIPPED[name]) as stage:
        for number, (kind, text) in enumerate(TEXTS.items()):
            phone = f"7916500{number:04d}"
            wanted = visible(text)
            if wanted:
                told = await echo(stage, phone, text)
                assert "".join(told.split()) == "".join(f"{phone}: {wanted}".split()), kind


@pytest.mark.parametrize("name", list(SHIPPED))
async def test_broken_and_mutated_pdus_cost_nothing_but_themselves(tmp_path: Path, name: str):
    rng, sound = Random(f"{name}{SEED}"), corpus(SHIPPED[name])
    async with staged(tmp_path, speaks=name, dialect=SHIPPED[name], audit=False) as stage:
        for pdu in BROKEN_PDUS:
            stage.centre.write(pdu)
        for _ in range(CHUNKS):
            stage.centre.write(b"".join(mutated(rng, *rng.choice(sound)) for _ in range(CHUNK)))
            await answered(stage.centre)
        await stage.gateway.host.idle()
        assert stage.centre.ledger.counters["binds"] == 1, "the link fell"
        assert (await stage.centre.dial(RICH, "*100#")).screen.startswith("Баланс")
        assert stage.counted("faults") == 0, stage.logs.getvalue()


def odd(sound: Sm, tag: int) -> list[Sm]:
    """Return a sound message with every part of the dialect in turn made strange, doubled, or left out."""
    made = [msgspec.structs.replace(sound, tlvs=())]
    for changed, values in ((tag, ODD_IDS), (int(Tag.USSD_SERVICE_OP), ODD_OPS)):
        rest = tuple(pair for pair in sound.tlvs if pair[0] != changed)
        for value in values:
            made.append(msgspec.structs.replace(sound, tlvs=(*rest, (changed, value))))
            made.append(msgspec.structs.replace(sound, tlvs=(*sound.tlvs, (changed, value))))
    made += [msgspec.structs.replace(sound, service_type=value) for value in ODD_TYPES]
    return made


@pytest.mark.parametrize("name", list(SHIPPED))
async def test_signs_of_a_session_that_are_none_are_answered_and_harm_nobody(tmp_path: Path, name: str):
    dialect = SHIPPED[name]
    async with staged(tmp_path, speaks=name, dialect=dialect, audit=False) as stage:
        dialog = await stage.centre.dial(RICH, "*100#")
        for op, text in ((PSSR_INDICATION, "*100#"), (USSR_CONFIRM, "1")):
            sound = dialect.ussd(op, PHONE, "100", text, 77, 0)
            sent = [stage.centre.deliver("odd", one) for one in odd(sound, dialect.session_tag)]
            await stage.centre.wait_for(
                lambda sent=sent: all(one.status is not None for one in sent), what="an answer to each"
            )
        await stage.gateway.host.idle()
        assert "МБ до" in await dialog.send("1"), "the dialog of somebody else"
        assert stage.centre.ledger.counters["binds"] == 1
        assert stage.counted("faults") == 0, stage.logs.getvalue()
