"""The same services with centres of other habits: alphabets, session numbers, binds, kinds of parts."""

from pathlib import Path
from typing import Any

import pytest

from smpp.settings import Mode
from smpp.testing.dialect import COMVERSE, PLAIN, STANDARD, UCS2, CentreDialect
from tests.end_to_end.stage import ALREADY, DONE, RICH, Stage, staged

CENTRES = {
    "standard": STANDARD,
    "ucs2": UCS2,
    "plain": PLAIN,
    "comverse": COMVERSE,
    "version_3.3": CentreDialect(sc_version=None),
    "no_service_type": CentreDialect(service_type=b""),
    "hex_ids": CentreDialect(message_ids="hex", receipt_tlvs=False),
    "sar_parts": CentreDialect(part_mode="sar"),
}


async def use(stage: Stage) -> None:
    """Use everything once: a charge, a menu with pages, an SMS, a long SMS."""
    assert (await stage.centre.dial(RICH, "*929#")).screen == DONE
    dialog = await stage.centre.dial(RICH, "*100#")
    await dialog.send("3")
    await dialog.send("9")
    assert dialog.screen.endswith("0 Назад")
    await dialog.send("1")
    await dialog.send("2")
    assert (dialog.screen, dialog.open) == ("Ничего не изменилось.", False)
    await stage.centre.sms(RICH, "9290", "да")
    assert (await stage.centre.next_sms(RICH)).text == ALREADY
    await stage.centre.sms(RICH, "9290", "пожалуйста " * 20)
    assert (await stage.centre.next_sms(RICH, after=1)).text == ALREADY
    await stage.quiet()
    assert stage.counted("sms_delivered") == 2
    assert len(stage.charges(RICH)) == 1


@pytest.mark.parametrize("name", list(CENTRES))
async def test_a_centre_of_other_habits(tmp_path: Path, name: str):
    async with staged(tmp_path, dialect=CENTRES[name]) as stage:
        await use(stage)


@pytest.mark.parametrize(
    "link",
    [{"mode": Mode.PAIR}, {"binds": 3}, {"mode": Mode.PAIR, "binds": 2}, {"window": 1}, {"rate": 50.0}],
    ids=["pair", "three_binds", "two_pairs", "window_of_one", "rate"],
)
async def test_other_binds(tmp_path: Path, link: dict[str, Any]):
    async with staged(tmp_path, link=link) as stage:
        wanted = link.get("binds", 1) * (2 if "mode" in link else 1)
        await stage.centre.bound(wanted)
        await use(stage)


async def test_a_release_of_the_smpp_plus_dialect(tmp_path: Path):
    """Sessions in TLV 0x1501, releases of the centre by 0x81."""
    changes = {"config/gateway.yaml": {"dialect: standard": "dialect: smpp_plus"}}
    async with staged(tmp_path, changes=changes, dialect=COMVERSE) as stage:
        dialog = await stage.centre.dial(RICH, "*100#")
        dialog.hang_up()
        await stage.until(lambda: not stage.gateway.host.conversations, "the end of the session")
        assert (await stage.centre.dial(RICH, "*929#")).screen == DONE
