"""Our link with a centre made of Perl's Net::SMPP: a third codec, one that names no version at the bind."""

import shutil

import pytest

from smpp.profile import SmsProfile
from smpp.receipts import MessageState, is_receipt, parse_receipt
from smpp.segments import Joined, Joiner, split
from smpp.sms import SmsChannel
from smpp.sms_arrival import Receipted
from tests.smpp.link_owner import Owner, make_link
from tests.smpp.peer_process import PEERS, peer_process

pytestmark = pytest.mark.perl

NUMBER, CODE = "79161234567", "9290"
LONG = "Ваш пакет обновлён, остатки сохранены на месяц. " * 5


@pytest.fixture(params=["", "3.4"], ids=["no version", "3.4"])
async def perl_centre(request):
    perl = shutil.which("perl")
    assert perl is not None
    async with peer_process(perl, str(PEERS / "perl_centre.pl"), request.param) as centre:
        centre.version = request.param
        yield centre


async def bound(centre, **changes):
    port = (await centre.hear("listening"))["port"]
    owner = Owner()
    link = make_link(owner, port, **changes)
    link.start()
    told = await centre.hear("bound")
    assert (told["system_id"], told["password"]) == ("gudok", "secret")
    await owner.until(lambda: owner.ups)
    return link, owner


async def test_messages_of_subscribers_arrive_and_are_answered(perl_centre):
    link, owner = await bound(perl_centre)
    perl_centre.tell(do="sms", msisdn=NUMBER, to=CODE, hex=b"balance".hex())
    assert (await perl_centre.hear("answered"))["status"] == 0
    _, sm = owner.inbound[0]
    assert (sm.source, sm.dest, sm.payload) == (NUMBER.encode(), CODE.encode(), b"balance")
    await link.close(0.5)


async def test_a_long_message_in_each_direction(perl_centre):
    link, owner = await bound(perl_centre)
    for part in split(LONG, "udh8", 7):
        perl_centre.tell(
            do="sms", msisdn=NUMBER, to=CODE, hex=part.short_message.hex(), esm_class=part.esm_class
        )
        assert (await perl_centre.hear("answered"))["status"] == 0
    joiner, joined = Joiner(), None
    for _, sm in owner.inbound:
        joined = joiner.add("g", sm, 0)
    assert isinstance(joined, Joined)
    assert (joined.total, joined.missing) == (4, ())

    bodies = SmsChannel(SmsProfile(), "g", run=0).submit(NUMBER, CODE, LONG, now=0, valid_until=3_600_000)
    for number, body in enumerate(bodies):
        link.submit(body, number)
    link.flush()
    parts = [await perl_centre.hear("submit") for _ in bodies]
    assert [part["hex"][:12] for part in parts] == [
        f"050003{parts[0]['hex'][6:8]}04{n:02x}" for n in range(1, 5)
    ]
    text = b"".join(bytes.fromhex(part["hex"])[6:] for part in parts).decode("utf-16-be")
    assert text == LONG
    assert {(part["esm_class"], part["coding"], part["receipt"]) for part in parts} == {(0x40, 8, 1)}
    assert {part["validity"] for part in parts} == {"000000010000000R"}
    await owner.until(lambda: len(owner.answered) == 4)
    await link.close(0.5)


async def test_a_receipt_finds_its_message(perl_centre):
    link, owner = await bound(perl_centre)
    channel = SmsChannel(SmsProfile(), "g", run=0)
    (body,) = channel.submit(NUMBER, CODE, "balance", now=0, valid_until=3_600_000)
    link.submit(body, "a")
    link.flush()
    await owner.until(lambda: "a" in owner.answered)
    channel.submitted(owner.answered["a"].message_id, "message", NUMBER, 0)
    submit = await perl_centre.hear("submit")
    perl_centre.tell(do="receipt", msisdn=NUMBER, to=CODE, id=submit["id"], state="DELIVRD")
    assert (await perl_centre.hear("answered", what="receipt"))["status"] == 0
    event, sm = owner.inbound[0]
    assert is_receipt(sm)
    assert parse_receipt(sm).state is MessageState.DELIVERED
    arrival = channel.receive(sm, connection=(0, 1), sequence=event.sequence, now=1)
    assert isinstance(arrival, Receipted)
    assert arrival.key == "message"
    await link.close(0.5)


async def test_a_dialogue(perl_centre):
    link, _ = await bound(perl_centre)
    for unit, (op, text, answer) in enumerate(((1, "*929#", 2), (18, "1", 2), (18, "0", 17))):
        info = f"07{unit << 1:02x}"
        perl_centre.tell(do="unit", op=op, msisdn=NUMBER, to="929", hex=text.encode().hex(), info=info)
        page = await perl_centre.hear("submit")
        assert bytes.fromhex(page["hex"]) == b"echo " + text.encode()
        assert (page["op"], page["info"]) == (answer, info)
    await link.close(0.5)


async def test_the_link_is_asked_after_and_left_politely(perl_centre):
    link, owner = await bound(perl_centre)
    perl_centre.tell(do="enquire")
    await perl_centre.hear("alive")
    perl_centre.tell(do="unbind")
    await perl_centre.hear("bound")
    await owner.until(lambda: len(owner.ups) == 2)
    await link.close(1.0)
    await perl_centre.hear("unbound")
