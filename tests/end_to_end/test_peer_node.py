"""The whole gateway with a USSD centre made of the npm package `smpp`: another codec, another session."""

from pathlib import Path

import pytest

from tests.end_to_end.stage import ALREADY, DONE, RICH, gateway_at
from tests.smpp.peer_process import PeerProcess
from tests.smpp.test_peers_node import node_centre

__all__ = ["node_centre"]

pytestmark = pytest.mark.node


async def dialled(centre: PeerProcess, text: str, *, op: int = 1, session: int = 7, unit: int = 0) -> dict:
    """Say one unit and return the page that answers it."""
    centre.tell(do="unit", op=op, msisdn=RICH, to="929", text=text, info=f"{session:02x}{unit << 1:02x}")
    page = await centre.hear("submit")
    assert (page["to"], page["from"], page["service_type"]) == (RICH, "929", "USSD")
    assert page["info"][:2] == f"{session:02x}"
    return page


async def test_the_gateway_serves_a_centre_of_another_maker(tmp_path: Path, node_centre: PeerProcess):
    port = (await node_centre.hear("listening"))["port"]
    async with gateway_at(tmp_path, port) as (_, billing):
        assert (await node_centre.hear("bound"))["system_id"] == "gudok"
        page = await dialled(node_centre, "*929#")
        assert (page["text"], page["op"]) == (DONE, 17)
        page = await dialled(node_centre, "*100#", session=8)
        assert (page["text"].split("\n")[0], page["op"]) == ("Баланс 1010 ₽", 2)
        page = await dialled(node_centre, "3", op=18, session=8, unit=1)
        assert page["text"].startswith("Ваши опции")
        page = await dialled(node_centre, "9", op=18, session=8, unit=2)
        assert page["text"].endswith("0 Назад")
        node_centre.tell(do="sms", msisdn=RICH, to="9290", text="refresh")
        message = await node_centre.hear("submit")
        assert (message["text"], message["from"], message.get("op")) == (ALREADY, "9290", None)
        node_centre.tell(do="enquire")
        await node_centre.hear("alive")
        answers = [event for event in node_centre.events if event["event"] == "answered"]
        assert {answer["status"] for answer in answers} == {0}
        assert len(billing.desk.book.movements(phone=RICH, kinds=("refresh_fee",))) == 1
    await node_centre.hear("unbound")


async def test_the_gateway_binds_again_to_a_node_centre_and_goes_on(tmp_path: Path, node_centre: PeerProcess):
    port = (await node_centre.hear("listening"))["port"]
    async with gateway_at(tmp_path, port):
        await node_centre.hear("bound")
        await dialled(node_centre, "*100#", session=9)
        node_centre.tell(do="close")
        await node_centre.hear("bound")
        page = await dialled(node_centre, "1", op=18, session=9, unit=1)
        assert "МБ до" in page["text"]
