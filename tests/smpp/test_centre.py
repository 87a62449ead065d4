"""The test centre itself: what it does as a good centre, what it does wrong on order, what it remembers."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from smpp.pdu.message import Sm, encode_sm_body
from smpp.receipts import is_receipt, parse_receipt
from smpp.segments import Joiner, split
from smpp.testing.centre import Centre, CentreError, Limits
from smpp.testing.dialect import COMVERSE, PLAIN, UCS2, CentreDialect
from smpp.testing.dialog import DialogError
from smpp.testing.faults import Faults
from tests.smpp.link_owner import Owner, make_link, sms


@asynccontextmanager
async def served(centre=None, **changes):
    """A centre with an echoing link."""
    owner = Owner()
    async with centre or Centre() as c:
        link = make_link(owner, c.port, **changes)
        link.start()
        await c.bound(changes.get("binds", 1))
        await owner.until(lambda: link.bound)
        try:
            yield c, link, owner
        finally:
            await link.close(0.2)


@pytest.mark.parametrize(
    ("dialect", "coding", "octets", "has_info"),
    [
        (CentreDialect(), 0x00, b"*929#", True),
        (PLAIN, 0x0F, b"*929#", False),
        (UCS2, 0x08, "*929#".encode("utf-16-be"), True),
    ],
    ids=["standard", "plain", "ucs2"],
)
async def test_each_dialect_sends_the_code_its_own_way(dialect, coding, octets, has_info):
    async with served(Centre(dialect=dialect)) as (centre, _, owner):
        owner.answers = False
        centre.call("79161234567", "*929#")
        await owner.until(lambda: owner.inbound)
        _, sm = owner.inbound[0]
        assert (sm.data_coding, sm.payload, sm.tlv(0x0501)) == (coding, octets, b"\x01")
        assert (sm.tlv(0x1383) is not None) is has_info
        assert (sm.source, sm.dest, sm.service_type) == (b"79161234567", b"929", b"USSD")


async def test_units_are_counted_and_keep_their_session_number():
    async with served() as (centre, _, owner):
        first = await centre.dial("79160000001", "*929#")
        await centre.dial("79160000002", "*929#")
        await first.send("1")
        await first.send("2")
        infos = [sm.tlv(0x1383) for _, sm in owner.inbound if sm.source == b"79160000001"]
        assert [info[1] >> 1 for info in infos] == [0, 1, 2]
        assert len({info[0] for info in infos}) == 1
        assert owner.inbound[1][1].tlv(0x1383)[0] != infos[0][0]


async def test_dialling_again_supersedes_the_open_dialogue():
    async with served() as (centre, _, _owner):
        old = await centre.dial("79161234567", "*929#")
        new = await centre.dial("79161234567", "*929#")
        assert (old.open, old.ended_by, new.open) == (False, "superseded", True)
        with pytest.raises(DialogError, match="superseded"):
            await old.send("1")


@pytest.mark.parametrize(
    ("dialect", "op", "end"),
    [(CentreDialect(), None, None), (COMVERSE, 0x81, 0), (CentreDialect(abort="end_bit"), 0x12, 1)],
    ids=["silent", "release", "end bit"],
)
async def test_hanging_up_is_heard_as_the_dialect_has_it(dialect, op, end):
    async with served(Centre(dialect=dialect)) as (centre, _, owner):
        dialog = await centre.dial("79161234567", "*929#")
        dialog.hang_up()
        assert dialog.ended_by == "subscriber"
        await centre.sms("79161234567", "9290", "marker")
        heard = [sm for _, sm in owner.inbound[1:] if sm.tlv(0x0501)]
        if op is None:
            assert heard == []
        else:
            assert heard[0].tlv(0x0501) == bytes((op,))
            assert heard[0].tlv(0x1383)[1] & 1 == end


async def test_a_page_for_a_dialogue_that_is_gone_is_refused():
    async with served() as (centre, link, owner):
        owner.answers = False
        dialog = centre.call("79161234567", "*929#")
        await owner.until(lambda: owner.inbound)
        event, sm = owner.inbound[0]
        dialog.hang_up()
        body = encode_sm_body(
            Sm(dest=sm.source, short_message=b"late", tlvs=((0x0501, b"\x02"), (0x1383, sm.tlv(0x1383))))
        )
        link.submit(body, "late", prefer=(event.bind, event.connection), sticky=True)
        link.flush()
        await owner.until(lambda: "late" in owner.answered)
        assert owner.answered["late"].status == 0x407
        assert centre.submitted == []


async def test_a_request_without_a_dialogue_begins_one_from_the_network():
    shown = []
    async with served(Centre(on_screen=lambda dialog, screen: shown.append((dialog, screen)))) as (
        c,
        link,
        _owner,
    ):
        body = Sm(source=b"929", dest=b"79161234567", short_message=b"rate us", tlvs=((0x0501, b"\x02"),))
        link.submit(encode_sm_body(body), "push")
        link.flush()
        await c.wait_for(lambda: bool(c.dialogs))
        (dialog,) = c.dialogs
        assert (dialog.origin, dialog.screen, dialog.wants_input) == ("network", "rate us", True)
        assert await dialog.send("5") == "echo 5"
        assert [screen.text for _, screen in shown] == ["rate us", "echo 5"]
        assert shown[0][0] is dialog


async def test_a_notification_is_confirmed():
    async with served() as (_centre, link, owner):
        body = Sm(source=b"929", dest=b"79161234567", short_message=b"paid", tlvs=((0x0501, b"\x03"),))
        link.submit(encode_sm_body(body), "push")
        link.flush()
        await owner.until(lambda: owner.inbound)
        _, sm = owner.inbound[0]
        assert (sm.tlv(0x0501), sm.payload) == (b"\x13", b"")


@pytest.mark.parametrize("mode", ["udh8", "udh16", "sar", "payload"])
async def test_a_long_sms_arrives_in_parts_that_join_to_it(mode):
    text = "Привет, " * 30
    async with served() as (centre, _, owner):
        deliveries = await centre.sms("79161234567", "9290", text, parts=mode)
        assert all(delivery.acked for delivery in deliveries)
        joiner = Joiner()
        joined = [joiner.add("x", sm, 0) for _, sm in owner.inbound]
        assert joined[-1].text() == text
        assert len(deliveries) == (1 if mode == "payload" else 4)


async def test_parts_of_the_esme_become_one_message_in_the_handset():
    text = "слово " * 40
    got = []
    async with served(Centre(on_sms=got.append), window=20) as (centre, link, _):
        for part in split(text, "udh8", 77):
            body = Sm(
                source=b"9290",
                dest=b"79161234567",
                esm_class=part.esm_class,
                data_coding=part.data_coding,
                short_message=part.short_message,
            )
            link.submit(encode_sm_body(body), part)
        link.flush()
        message = await centre.next_sms("79161234567")
        assert (message.text, message.parts, message.source) == (text, 4, "9290")
        assert message.message_ids == tuple(taken.message_id for taken in centre.submitted)
        assert got == [message]
        assert centre.messages("79161234567") == [message]


@pytest.mark.parametrize(
    ("dialect", "state"),
    [
        (CentreDialect(), "DELIVRD"),
        (CentreDialect(receipt_tlvs=False), "UNDELIV"),
        (CentreDialect(message_ids="hex", receipt_ids="decimal"), "EXPIRED"),
    ],
)
async def test_a_receipt_comes_when_it_is_asked_for(dialect, state):
    async with served(Centre(dialect=dialect, receipt=state)) as (_centre, link, owner):
        link.submit(sms("quiet"), "no")
        link.submit(sms("x", receipt=1), "yes")
        link.flush()
        await owner.until(lambda: len(owner.answered) == 2 and owner.inbound)
        ((_, sm),) = owner.inbound
        assert is_receipt(sm)
        receipt = parse_receipt(sm)
        own = owner.answered["yes"].message_id
        expected = b"%d" % int(own, 16) if dialect.receipt_ids == "decimal" else own
        assert receipt.message_id == expected
        assert receipt.final


async def test_only_failures_are_reported_when_only_they_are_asked_for():
    async with served() as (centre, link, owner):
        link.submit(sms("x", receipt=2), "a")
        link.flush()
        await owner.until(lambda: "a" in owner.answered)
        centre.receipt = "UNDELIV"
        link.submit(sms("y", receipt=2), "b")
        link.flush()
        await owner.until(lambda: owner.inbound)
        assert len(owner.inbound) == 1


async def test_an_undelivered_message_comes_again_on_the_next_bind():
    async with served() as (centre, _, owner):
        owner.answers = False
        (delivery,) = await centre.sms("79161234567", "9290", "keep me", wait=False)
        await owner.until(lambda: owner.inbound)
        owner.answers = True
        centre.disconnect()
        await centre.wait_for(lambda: delivery.acked)
        assert [attempt.outcome for attempt in delivery.attempts] == ["closed", "answered"]
        assert [sm.payload for _, sm in owner.inbound] == [b"keep me", b"keep me"]
        assert centre.ledger.counters["redelivered"] == 1


async def test_a_message_without_a_receiver_waits_for_one():
    async with Centre() as centre:
        (delivery,) = await centre.sms("79161234567", "9290", "early", wait=False)
        assert centre.describe()["waiting"] == 1
        owner = Owner()
        link = make_link(owner, centre.port)
        link.start()
        await centre.wait_for(lambda: delivery.acked)
        await link.close(0.2)


async def test_not_now_is_tried_again_and_never_is_final():
    async with served(Centre(retry_ms=1)) as (centre, link, owner):
        owner.answers = False
        answers = iter([0x64, 0x14, 0])
        (delivery,) = await centre.sms("79161234567", "9290", "x", wait=False)
        for count in (1, 2, 3):
            await owner.until(lambda count=count: len(owner.inbound) == count)
            event, _ = owner.inbound[-1]
            link.respond(event.bind, event.connection, event.sequence, next(answers))
            link.flush()
        await centre.wait_for(lambda: delivery.acked)
        (refused,) = await centre.sms("79161234567", "9290", "y", wait=False)
        await owner.until(lambda: len(owner.inbound) == 4)
        event, _ = owner.inbound[-1]
        link.respond(event.bind, event.connection, event.sequence, 0x65)
        link.flush()
        await centre.wait_for(lambda: refused.status == 0x65)
        assert len(owner.inbound) == 4


@pytest.mark.parametrize("fault", ["duplicate", "duplicate_same", "lose"])
async def test_a_repeated_delivery_has_the_octets_of_the_first(fault):
    faults = Faults(**{fault: 1.0})
    async with served(Centre(faults=faults)) as (centre, _, owner):
        await centre.sms("79161234567", "9290", "twice", wait=False)
        await owner.until(lambda: len(owner.inbound) >= 2)
        setattr(faults, fault, 0.0)
        (first, one), (second, two) = owner.inbound[:2]
        assert one == two
        assert (first.sequence == second.sequence) is (fault == "duplicate_same")


async def test_a_receipt_can_overtake_the_response():
    faults = Faults(delay_ms=20, receipt_first=True)
    async with served(Centre(faults=faults)) as (_, link, owner):
        link.submit(sms("x", receipt=1), "a")
        link.flush()
        await owner.until(lambda: owner.inbound)
        assert "a" not in owner.answered
        await owner.until(lambda: "a" in owner.answered)


async def test_a_real_limit_takes_so_many_a_second():
    now = [1_700_000_000_000]
    async with served(Centre(faults=Faults(limit=5.0), clock=lambda: now[0]), window=50) as (
        centre,
        link,
        _owner,
    ):
        for n in range(20):
            link.submit(sms(str(n)), n)
        link.flush()
        await centre.wait_for(lambda: centre.ledger.counters["throttled_or_refused"] >= 15)
        assert len(centre.submitted) == 5


async def test_the_listener_has_limits():
    limits = Limits(connections=2, binds_per_account=1)
    async with Centre(limits=limits) as centre:
        one, two = Owner(), Owner()
        first, second = make_link(one, centre.port), make_link(two, centre.port)
        first.start()
        await centre.bound()
        second.start()
        await two.until(lambda: two.downs)
        assert two.downs[0].status == 0x05
        await first.close(0.2)
        await second.close(0.2)


async def test_too_many_connections_are_cut():
    async with Centre(limits=Limits(connections=1)) as centre:
        _reader, writer = await asyncio.open_connection("127.0.0.1", centre.port)
        other, second = await asyncio.open_connection("127.0.0.1", centre.port)
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await asyncio.wait_for(other.readexactly(1), 5)
        assert centre.ledger.counters["connections_refused"] == 1
        writer.close()
        second.close()


async def test_a_client_that_never_binds_is_put_out():
    now = [1_700_000_000_000]
    async with Centre(clock=lambda: now[0]) as centre:
        reader, writer = await asyncio.open_connection("127.0.0.1", centre.port)
        now[0] += 10_000
        assert await asyncio.wait_for(reader.read(10), 5) == b""
        writer.close()


async def test_a_foreign_protocol_is_nacked_and_cut():
    async with Centre() as centre:
        reader, writer = await asyncio.open_connection("127.0.0.1", centre.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(100), 5)
        assert answer == bytes.fromhex("00000010 80000000 00000002 00000000")
        assert await asyncio.wait_for(reader.read(10), 5) == b""
        writer.close()


async def test_a_restart_keeps_messages_and_dialogues():
    async with served() as (centre, _, _owner):
        dialog = await centre.dial("79161234567", "*929#")
        await centre.restart()
        await centre.bound()
        assert await dialog.send("1") == "echo 1"


async def test_the_ledger_file_tells_another_process_the_same(tmp_path):
    path = tmp_path / "ledger.jsonl"
    async with served(Centre(ledger_file=path)) as (centre, _, _owner):
        await centre.dial("79161234567", "*929#")
        await centre.wait_for(lambda: not centre.ledger.unacked())
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert sorted(line["event"] for line in lines) == ["answered", "delivered", "submitted"]
    told = {line["event"]: line for line in lines}
    assert told["answered"]["status"] == 0
    assert told["submitted"]["text"] == "echo *929#"
    assert told["submitted"]["op"] == 2
    assert bytes.fromhex(told["delivered"]["text"]) == b"*929#"


async def test_a_long_life_keeps_only_the_newest_records_and_all_counts():
    async with served(Centre(keep=10)) as (centre, _, _owner):
        for n in range(30):
            await centre.dial(f"7916{n:07d}", "*929#")
        assert len(centre.ledger.delivered) == len(centre.submitted) == 10
        assert centre.ledger.counters["deliver_sm"] == centre.ledger.counters["submitted"] == 30


async def test_waiting_in_vain_says_what_there_was():
    async with served() as (centre, _, owner):
        owner.answers = False
        with pytest.raises(DialogError, match=r"screen 1 of \*929# did not come within 0.05 s"):
            await centre.dial("79161234567", "*929#", limit_s=0.05)
        with pytest.raises(CentreError, match=r"waited 0\.05 s for the moon; so far"):
            await centre.wait_for(lambda: False, what="the moon", limit_s=0.05)


async def test_records_show_no_subscriber_number():
    async with served() as (centre, _, _owner):
        await centre.dial("79161234567", "*929#")
        assert "79161234567" not in repr(centre.ledger.delivered[0])
        assert "79161234567" not in repr(centre.submitted[0])


async def test_the_same_seed_makes_the_same_faults():
    async def run():
        async with served(Centre(seed=9, faults=Faults(refuse=0.5))) as (_, link, owner):
            for n in range(10):
                link.submit(sms(str(n)), n)
            link.flush()
            await owner.until(lambda: len(owner.answered) == 10)
            return [owner.answered[n].status for n in range(10)]

    first = await run()
    assert first == await run()
    assert len(set(first)) == 2
