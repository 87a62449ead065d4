"""Our link with an smpp34 centre, and our test centre with an smpp34 client (PyPI `smpp34`)."""

import asyncio

import pytest
import smpp34

from smpp.testing.centre import Centre
from smpp.testing.dialect import CentreDialect
from smpp.testing.faults import Faults
from tests.smpp.link_owner import Owner, make_link, sms


@pytest.fixture
async def linked(unused_tcp_port):
    """An smpp34 server with our link bound to it: (server, esme handle, link, owner)."""
    server = smpp34.Server("127.0.0.1", unused_tcp_port, system_id="rust")
    await server.start()
    owner = Owner()
    link = make_link(owner, unused_tcp_port)
    link.start()
    esme = await asyncio.wait_for(server.next(), 10)
    assert isinstance(esme, smpp34.Esme)
    await owner.until(lambda: owner.ups)
    yield server, esme, link, owner
    await link.close(0.5)
    await server.stop()


async def test_a_whole_dialogue_with_an_smpp34_centre(linked):
    server, esme, _, owner = linked
    for unit, (op, text, answer_op) in enumerate(((1, b"*929#", 2), (18, b"1", 2), (18, b"0", 17))):
        info = bytes((7, unit << 1))
        answer = await esme.deliver_sm(
            "929",
            text,
            source_addr="79161234567",
            service_type="USSD",
            tlvs=[smpp34.Tlv(0x0501, bytes((op,))), smpp34.Tlv(0x1383, info)],
        )
        assert answer.is_success
        page = await asyncio.wait_for(server.next(), 10)
        tlvs = {tlv.tag: tlv.value for tlv in page.tlvs}
        assert page.short_message == b"echo " + text
        assert tlvs == {0x0501: bytes((answer_op,)), 0x1383: info}
        assert (page.source_addr, page.destination_addr) == ("929", "79161234567")
        page.accept(f"rust-{unit}")
        await owner.until(lambda unit=unit: len(owner.answered) == unit + 1)
    assert [answer.message_id for answer in owner.answered.values()] == [b"rust-0", b"rust-1", b"rust-2"]


async def test_smpp34_throttles_and_the_message_comes_again(linked):
    server, _, link, owner = linked
    link.submit(sms("again"), "a")
    link.flush()
    (await asyncio.wait_for(server.next(), 10)).reject(smpp34.ESME_RTHROTTLED)
    second = await asyncio.wait_for(server.next(), 10)
    assert second.short_message == b"again"
    second.accept("id")
    await owner.until(lambda: "a" in owner.answered)
    assert owner.answered["a"].status == 0


async def test_smpp34_refuses_for_good(linked):
    server, _, link, owner = linked
    link.submit(sms("x"), "a")
    link.flush()
    (await asyncio.wait_for(server.next(), 10)).reject(smpp34.ESME_RINVDSTADR)
    await owner.until(lambda: "a" in owner.answered)
    assert owner.answered["a"].status == 0x0B


async def test_an_unbind_of_smpp34_is_followed_by_a_new_bind(linked):
    server, esme, _, owner = linked
    await esme.unbind()
    while not isinstance(await asyncio.wait_for(server.next(), 10), smpp34.Esme):
        pass
    await owner.until(lambda: len(owner.ups) == 2)


async def test_our_centre_and_an_smpp34_client_hold_a_dialogue():
    async with Centre(accounts={"rust": "secret"}) as centre:
        client = smpp34.Client("127.0.0.1", centre.port, "rust", "secret", bind_type="TRX")
        smsc = await client.connect()
        await centre.bound()
        dialog = centre.call("79161234567", "*929#")
        came = await asyncio.wait_for(smsc.next(), 10)
        tlvs = {tlv.tag: tlv.value for tlv in came.tlvs}
        assert (came.short_message, came.service_type, tlvs[0x0501]) == (b"*929#", "USSD", b"\x01")
        answer = await smsc.submit_sm(
            came.source_addr,
            b"1. balance",
            source_addr=came.destination_addr,
            service_type="USSD",
            tlvs=[smpp34.Tlv(0x0501, b"\x02"), smpp34.Tlv(0x1383, tlvs[0x1383])],
        )
        assert answer.is_success
        assert (await dialog.shown(1)).text == "1. balance"
        dialog.type("1")
        came = await asyncio.wait_for(smsc.next(), 10)
        assert (came.short_message, came.tlvs[0].value) == (b"1", b"\x12")
        assert came.tlvs[1].value == bytes((tlvs[0x1383][0], 0x02))
        await smsc.unbind()


async def test_our_centre_turns_a_wrong_password_away():
    async with Centre(accounts={"rust": "secret"}) as centre:
        with pytest.raises(Exception, match=r"(?i)bind"):
            await smpp34.Client("127.0.0.1", centre.port, "rust", "wrong", connect_timeout_ms=500).connect()
        assert centre.ledger.counters["binds_refused"] == 1


async def test_our_centre_sends_an_smpp34_client_its_receipt():
    async with Centre(dialect=CentreDialect(receipt_tlvs=False)) as centre:
        smsc = await smpp34.Client("127.0.0.1", centre.port, "rust", "x", bind_type="TRX").connect()
        answer = await smsc.submit_sm("79161234567", b"hello", source_addr="9290", registered_delivery=1)
        receipt = await asyncio.wait_for(smsc.next(), 10)
        assert receipt.esm_class == 4
        assert receipt.short_message.startswith(f"id:{answer.message_id} ".encode())
        assert b"stat:DELIVRD" in receipt.short_message
        assert (await centre.next_sms("79161234567")).text == "hello"
        await smsc.unbind()


async def test_our_centre_throttles_an_smpp34_client():
    async with Centre(faults=Faults(throttle=1.0)) as centre:
        smsc = await smpp34.Client("127.0.0.1", centre.port, "rust", "x", bind_type="TRX").connect()
        answer = await smsc.submit_sm("79161234567", b"hello", source_addr="9290")
        assert answer.command_status == smpp34.ESME_RTHROTTLED
        assert centre.submitted == []
        await smsc.unbind()
