"""Our link with a USSD centre made of the npm package `smpp`: another codec, another session."""

import os
import shutil
from contextlib import asynccontextmanager

import pytest

from smpp.settings import Mode, Tls
from tests.smpp.link_owner import Owner, make_link, sms
from tests.smpp.peer_process import PEERS, peer_process
from tests.smpp.test_link_tls import LOCAL, Authority

pytestmark = pytest.mark.node


@asynccontextmanager
async def running(**environment):
    """Run the centre of tests/peers/node_centre.js."""
    node = shutil.which("node")
    assert node is not None
    modules = os.environ.get("GUDOK_NODE_MODULES") or str(PEERS / "node_modules")
    script = str(PEERS / "node_centre.js")
    async with peer_process(node, script, GUDOK_NODE_MODULES=modules, **environment) as centre:
        yield centre


@pytest.fixture
async def node_centre():
    async with running() as centre:
        yield centre


@pytest.fixture
async def linked(node_centre):
    port = (await node_centre.hear("listening"))["port"]
    owner = Owner()
    link = make_link(owner, port)
    link.start()
    bound = await node_centre.hear("bound")
    assert (bound["system_id"], bound["version"]) == ("gudok", 0x34)
    await owner.until(lambda: owner.ups)
    yield node_centre, link, owner
    await link.close(0.5)


async def test_a_whole_dialogue_with_op_and_session_number(linked):
    centre, _, owner = linked
    for unit, (op, text, answer_op) in enumerate(((1, "*929#", 2), (18, "1", 2), (18, "0", 17))):
        info = f"07{unit << 1:02x}"
        centre.tell(do="unit", op=op, msisdn="79161234567", to="929", text=text, info=info)
        page = await centre.hear("submit")
        assert page["text"] == f"echo {text}"
        assert page["op"] == answer_op
        assert (page["info"], page["to"], page["from"]) == (info, "79161234567", "929")
        assert page["service_type"] == "USSD"
    answers = [event for event in centre.events if event["event"] == "answered"]
    assert [(answer["text"], answer["status"]) for answer in answers[:2]] == [("*929#", 0), ("1", 0)]
    assert owner.lost_pages == 0


async def test_throttled_messages_arrive_in_the_end_and_their_ids_are_read(linked):
    centre, link, owner = linked
    centre.tell(do="throttle", count=3)
    await centre.hear("ready")
    for n in range(6):
        link.submit(sms(f"text {n}"), n)
    link.flush()
    await owner.until(lambda: len(owner.answered) == 6)
    assert {answer.status for answer in owner.answered.values()} == {0}
    assert {answer.message_id for answer in owner.answered.values()} == {b"node-%d" % n for n in range(1, 7)}
    assert link.counters["throttled"] == 3


async def test_an_sms_and_an_enquire_link_are_answered(linked):
    centre, _, owner = linked
    centre.tell(do="sms", msisdn="79161234567", to="9290", text="balance")
    answer = await centre.hear("answered")
    assert answer["status"] == 0
    assert owner.inbound[0][1].payload == b"balance"
    centre.tell(do="enquire")
    await centre.hear("alive")


@pytest.mark.parametrize("how", ["unbind", "close"])
async def test_after_the_centre_leaves_we_bind_again(linked, how):
    centre, _, owner = linked
    centre.tell(do=how)
    await centre.hear("bound")
    await owner.until(lambda: len(owner.ups) == 2)


async def test_close_unbinds_politely(linked):
    centre, link, owner = linked
    await link.close(1.0)
    await centre.hear("unbound")
    assert owner.downs[-1].reason in {"unbound", "closed by the peer"}


async def test_a_pair_of_binds_sends_on_the_transmitter_and_receives_on_the_receiver(node_centre):
    port = (await node_centre.hear("listening"))["port"]
    owner = Owner()
    link = make_link(owner, port, mode=Mode.PAIR)
    link.start()
    hows = {(await node_centre.hear("bound"))["how"] for _ in range(2)}
    assert hows == {"bind_receiver", "bind_transmitter"}
    await owner.until(lambda: len(owner.ups) == 2)
    link.submit(sms("x"), "a")
    link.flush()
    assert (await node_centre.hear("submit"))["text"] == "x"
    await link.close(0.5)


async def test_a_dialogue_over_tls_and_no_word_to_a_centre_without_its_certificate(tmp_path):
    authority = Authority(tmp_path, "operator")
    certificate, key = authority.issue("centre", LOCAL)
    async with running(GUDOK_TLS_KEY=key, GUDOK_TLS_CERT=certificate) as centre:
        port = (await centre.hear("listening"))["port"]
        stranger = Authority(tmp_path, "stranger")
        deceived = Owner()
        wrong = make_link(deceived, port, tls=Tls(ca_file=str(stranger.file)))
        wrong.start()
        await deceived.until(lambda: deceived.downs)
        assert "certificate verify failed" in deceived.downs[0].reason
        await wrong.close(0.1)

        owner = Owner()
        link = make_link(owner, port, tls=Tls(ca_file=str(authority.file)))
        link.start()
        assert (await centre.hear("bound"))["system_id"] == "gudok"
        centre.tell(do="unit", op=1, msisdn="79161234567", to="929", text="*929#", info="0700")
        assert (await centre.hear("submit"))["text"] == "echo *929#"
        await link.close(0.5)
        await centre.hear("unbound")
