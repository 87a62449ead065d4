"""The link against the test centre, over real sockets."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from smpp.settings import Mode, Secret, Timers
from smpp.state import State
from smpp.testing.centre import Centre
from smpp.testing.dialog import DialogError
from smpp.testing.faults import Faults
from tests.smpp.link_owner import QUICK, HandClock, Owner, make_link, sms


@asynccontextmanager
async def running(*, centre=None, binds=1, clock=None, **changes):
    """A centre, a link bound to it, and the link's owner."""
    owner = Owner()
    async with centre or Centre() as c:
        link = make_link(owner, c.port, clock=clock, binds=binds, **changes)
        link.start()
        connections = binds * (2 if changes.get("mode") is Mode.PAIR else 1)
        await c.bound(connections)
        await owner.until(lambda: len(owner.ups) >= connections)
        try:
            yield c, link, owner
        finally:
            await link.close(0.2)


@pytest.mark.parametrize("mode", [Mode.TRANSCEIVER, Mode.PAIR])
async def test_a_dialogue_runs_from_the_first_screen_to_its_end(mode):
    async with running(binds=2, mode=mode) as (centre, _, owner):
        dialog = await centre.dial("79161234567", "*929#")
        assert dialog.screen == "echo *929#"
        assert dialog.wants_input
        assert await dialog.send("1") == "echo 1"
        assert await dialog.send("0") == "echo 0"
        assert (dialog.open, dialog.ended_by) == (False, "esme")
        assert [delivery.status for delivery in centre.ledger.delivered] == [0, 0, 0]
        assert owner.lost_pages == 0


async def test_one_read_is_one_batch_and_a_message_gets_its_id_and_status():
    async with running(window=50) as (centre, link, owner):
        for n in range(50):
            assert link.submit(sms(f"hello {n}"), n)
        assert link.capacity == 0
        link.flush()
        await owner.until(lambda: len(owner.answered) == 50)
        assert [message.text for message in centre.submitted] == [f"hello {n}" for n in range(50)]
        ids = [owner.answered[n].message_id for n in range(50)]
        assert ids == [message.message_id for message in centre.submitted]
        assert link.capacity == 50
        answers = [batch for batch in owner.batches if any(hasattr(event, "message_id") for event in batch)]
        assert len(answers) <= 5


async def test_a_refused_message_is_answered_with_its_status():
    async with running(centre=Centre(faults=Faults(refuse=1.0, refuse_status=0x0B))) as (_, link, owner):
        link.submit(sms("x"), "a")
        link.flush()
        await owner.until(lambda: "a" in owner.answered)
        assert owner.answered["a"].status == 0x0B


async def test_a_page_leaves_on_the_connection_that_brought_the_question():
    async with running(binds=3, mode=Mode.PAIR) as (centre, _link, owner):
        for n in range(9):
            await centre.dial(f"7916000000{n}", "*929#")
        await owner.until(lambda: len(owner.answered) == 9)
        receivers = {event.bind for event, _ in owner.inbound}
        assert receivers == {0, 2, 4}
        pages = {token: answer.bind for token, answer in owner.answered.items()}
        assert set(pages.values()) == {1, 3, 5}
        for number, (event, _) in enumerate(owner.inbound, 1):
            assert pages["page", number] == event.bind + 1


async def test_a_page_for_a_connection_that_is_gone_is_refused_at_once():
    async with running(binds=2) as (centre, link, owner):
        owner.answers = False
        centre.call("79161234567", "*929#")
        await owner.until(lambda: owner.inbound)
        event, _ = owner.inbound[0]
        way = (event.bind, event.connection)
        assert not link.submit(b"", "wrong", prefer=(event.bind, event.connection + 99), sticky=True)
        assert not link.submit(b"", "none", sticky=True)
        centre.disconnect()
        await owner.until(lambda: len(owner.downs) == 2)
        assert not link.submit(b"", "late", prefer=way, sticky=True)
        await owner.until(lambda: len(owner.ups) == 4)
        assert not link.submit(b"", "later", prefer=way, sticky=True)


async def test_a_full_window_makes_messages_wait_and_pages_go_first():
    async with running(centre=Centre(faults=Faults(delay_ms=30)), window=2, queue=10) as (
        centre,
        link,
        owner,
    ):
        for n in range(6):
            assert link.submit(sms(f"bulk {n}"), n)
        assert link.submit(sms("urgent"), "u", urgent=True)
        assert link.state()["queue"] == 5
        link.flush()
        dialog = await centre.dial("79161234567", "*929#")
        assert dialog.screen == "echo *929#"
        await owner.until(lambda: len(owner.answered) == 8)
        order = [message.text for message in centre.submitted]
        assert order.index("echo *929#") < order.index("bulk 3")
        assert order.index("urgent") < order.index("bulk 2")
        assert [text for text in order if text.startswith("bulk")] == [f"bulk {n}" for n in range(6)]


async def test_never_more_than_the_window_is_in_flight():
    async with running(centre=Centre(faults=Faults(delay_ms=20)), window=3, queue=100) as (
        centre,
        link,
        owner,
    ):
        (peer,) = centre.binds
        most = 0
        for n in range(20):
            link.submit(sms(str(n)), n)
        link.flush()
        while len(owner.answered) < 20:
            done = len(owner.answered)
            await owner.until(lambda done=done: len(owner.answered) > done)
            most = max(most, peer.in_flight)
        assert most <= 3


async def test_a_full_queue_is_said_at_once_and_nothing_is_reported_later():
    async with running(centre=Centre(faults=Faults(delay_ms=50)), window=1, queue=2) as (_, link, owner):
        taken = [link.submit(sms(str(n)), n) for n in range(5)]
        assert taken == [True, True, True, False, False]
        link.flush()
        await owner.until(lambda: len(owner.answered) == 3)
        assert set(owner.answered) == {0, 1, 2}
        assert link.counters["queue_full"] == 2


async def test_without_a_bind_nothing_is_taken():
    owner = Owner()
    link = make_link(owner, 1)
    assert not link.submit(sms("x"), "a")
    assert not link.bound
    assert link.capacity == 0


async def test_messages_without_answer_when_the_connection_ends_have_no_known_outcome():
    faults = Faults(drop_response=1.0)
    async with running(centre=Centre(faults=faults), window=5) as (centre, link, owner):
        for n in range(5):
            link.submit(sms(str(n)), n)
        link.flush()
        await centre.wait_for(lambda: len(centre.submitted) == 5)
        faults.drop_response = 0.0
        centre.disconnect()
        await owner.until(lambda: len(owner.failed) == 5)
        assert {failed.reason for failed in owner.failed.values()} == {"closed"}
        await owner.until(lambda: len(owner.ups) == 2)
        link.submit(sms("after"), "after")
        link.flush()
        await owner.until(lambda: "after" in owner.answered)


async def test_what_still_waited_when_the_connection_ended_leaves_on_the_next():
    faults = Faults(drop_response=1.0)
    async with running(centre=Centre(faults=faults), window=1, queue=10) as (centre, link, owner):
        for n in range(4):
            assert link.submit(sms(str(n)), n)
        link.flush()
        await centre.wait_for(lambda: len(centre.submitted) == 1)
        faults.drop_response = 0.0
        centre.disconnect()
        await owner.until(lambda: len(owner.answered) == 3)
        assert set(owner.failed) == {0}
        assert [message.text for message in centre.submitted] == ["0", "1", "2", "3"]


async def test_an_answer_that_does_not_come_is_a_timeout_and_the_place_is_free_again():
    faults = Faults(drop_response=1.0)
    async with running(centre=Centre(faults=faults), window=1, timers=QUICK) as (_, link, owner):
        link.submit(sms("x"), "a")
        link.flush()
        await owner.until(lambda: "a" in owner.failed)
        assert owner.failed["a"].reason == "timeout"
        faults.drop_response = 0.0
        assert link.submit(sms("y"), "b")
        link.flush()
        await owner.until(lambda: "b" in owner.answered)


@pytest.mark.parametrize(
    ("faults", "reason"),
    [
        (Faults(nack=1.0), "nack"),
        (Faults(wrong_command=1.0), "wrong_response"),
        (Faults(wrong_sequence=1.0), "timeout"),
    ],
)
async def test_wrong_answers_fail_their_message_and_keep_the_link(faults, reason):
    async with running(centre=Centre(faults=faults), timers=QUICK) as (_centre, link, owner):
        link.submit(sms("x"), "a")
        link.flush()
        await owner.until(lambda: "a" in owner.failed)
        assert owner.failed["a"].reason == reason
        assert link.bound
        assert owner.downs == []


async def test_malformed_pdus_in_between_cost_no_message_and_no_bind():
    async with running(centre=Centre(faults=Faults(malformed=0.5)), window=100) as (centre, link, owner):
        for n in range(100):
            link.submit(sms(str(n)), n)
        link.flush()
        for n in range(20):
            assert (await centre.dial(f"7916{n:07d}", "*929#")).screen == "echo *929#"
        await owner.until(lambda: len(owner.answered) == 120)
        assert centre.ledger.counters["malformed"] > 30
        assert owner.downs == []
        assert owner.failed == {}


async def test_five_per_cent_throttled_messages_all_arrive_once_and_in_order_per_subscriber():
    async with running(centre=Centre(faults=Faults(throttle=0.05)), window=20, queue=1000) as (
        c,
        link,
        owner,
    ):
        for n in range(400):
            subscriber = b"7916%07d" % (n % 200)
            assert link.submit(sms(str(n), subscriber.decode()), n, subscriber=subscriber)
        link.flush()
        await owner.until(lambda: len(owner.answered) == 400)
        assert all(answer.status == 0 for answer in owner.answered.values())
        assert sorted(int(message.text) for message in c.submitted) == list(range(400))
        assert link.counters["throttled"] > 5


async def test_a_throttled_page_is_sent_again_on_its_own_connection():
    faults = Faults(throttle=1.0)
    async with running(centre=Centre(faults=faults), binds=2) as (centre, _link, owner):
        dialog = centre.call("79161234567", "*929#")
        await centre.wait_for(lambda: centre.ledger.counters["throttled_or_refused"] == 1)
        faults.throttle = 0.0
        await dialog.shown(1)
        await owner.until(lambda: owner.answered)
        (event, _), (answer,) = owner.inbound[0], owner.answered.values()
        assert (answer.bind, answer.connection) == (event.bind, event.connection)


async def test_a_page_throttled_longer_than_its_dialogue_waits_is_answered_with_the_status():
    faults = Faults(throttle=1.0)
    async with running(centre=Centre(faults=faults), sticky_wait_ms=0) as (centre, _, owner):
        centre.call("79161234567", "*929#")
        await owner.until(lambda: owner.answered)
        (answer,) = owner.answered.values()
        assert answer.status == 0x58


async def test_a_message_refused_for_the_state_of_the_bind_leaves_after_a_rebind():
    faults = Faults(refuse=1.0, refuse_status=0x04)
    async with running(centre=Centre(faults=faults)) as (_centre, link, owner):
        link.submit(sms("x"), "a")
        link.flush()
        await owner.until(lambda: owner.downs)
        faults.refuse = 0.0
        await owner.until(lambda: "a" in owner.answered)
        assert owner.answered["a"].status == 0
        assert len(owner.ups) == 2


async def test_a_rate_of_our_own_holds_over_all_binds():
    clock = HandClock()
    async with running(binds=2, rate=100.0, window=1000, queue=1000, clock=clock) as (centre, link, owner):
        for n in range(300):
            assert link.submit(sms(str(n)), n)
        link.flush()
        await owner.until(lambda: len(owner.answered) == 10)
        assert link.state()["queue"] == 290
        for step in range(1, 21):
            clock.now += 50
            link.on_time()
            await owner.until(lambda step=step: len(owner.answered) == 10 + 5 * step)
        assert len(centre.submitted) == 110


async def test_the_link_hands_back_what_waits_when_it_stays_down():
    clock = HandClock()
    faults = Faults(drop_response=1.0)
    async with running(
        centre=Centre(faults=faults), window=1, queue=10, clock=clock, unbound_wait_ms=60_000
    ) as (centre, link, owner):
        for n in range(3):
            link.submit(sms(str(n)), n)
        link.flush()
        await centre.wait_for(lambda: len(centre.submitted) == 1)
        faults.refuse_bind = 0x08
        centre.disconnect()
        await owner.until(lambda: 0 in owner.failed)
        clock.now += 59_000
        link.on_time()
        assert set(owner.failed) == {0}
        clock.now += 2_000
        link.on_time()
        assert {token: failed.reason for token, failed in owner.failed.items()} == {
            0: "closed",
            1: "unsent",
            2: "unsent",
        }
        assert not link.submit(sms("x"), "no")


async def test_wrong_credentials_raise_an_alarm_and_are_not_tried_for_a_minute():
    clock = HandClock()
    owner = Owner()
    async with Centre(accounts={"gudok": "other"}) as centre:
        link = make_link(owner, centre.port, clock=clock)
        link.start()
        await owner.until(lambda: owner.downs)
        down = owner.downs[0]
        assert (down.status, down.alarm) == (0x0E, True)
        assert 60_000 <= down.retry_ms <= 120_000
        assert "password is invalid" in link.alarm
        assert "secret" not in str(link.state())
        clock.now += 59_000
        link.on_time()
        assert centre.ledger.counters["binds_refused"] == 1
        await centre.wait_for(lambda: not centre.describe()["connections"])
        clock.now += 62_000
        link.on_time()
        await owner.until(lambda: len(owner.downs) == 2)
        await link.close(0.1)


async def test_already_bound_is_tried_again_after_half_a_minute_to_a_minute():
    owner = Owner()
    async with Centre(faults=Faults(refuse_bind=0x05)) as centre:
        link = make_link(owner, centre.port)
        link.start()
        await owner.until(lambda: owner.downs)
        assert 30_000 <= owner.downs[0].retry_ms <= 60_000
        assert not owner.downs[0].alarm
        await link.close(0.1)


async def test_a_centre_that_is_not_there_is_tried_again_until_it_is(unused_tcp_port):
    owner = Owner()
    link = make_link(owner, unused_tcp_port)
    link.start()
    await owner.until(lambda: len(owner.downs) >= 3)
    assert "cannot connect" in owner.downs[0].reason
    async with Centre(port=unused_tcp_port):
        await owner.until(lambda: owner.ups)
        assert link.bound
        await link.close(0.2)


async def test_a_half_open_centre_is_noticed_by_enquire_link_and_left():
    timers = Timers(enquire_after_ms=60, enquire_answer_ms=60)
    async with running(timers=timers, window=5) as (centre, link, owner):
        link.submit(sms("x"), "before")
        link.flush()
        await owner.until(lambda: "before" in owner.answered)
        centre.silence()
        link.submit(sms("y"), "during")
        link.flush()
        await owner.until(lambda: owner.downs)
        assert owner.downs[0].reason == "no answer to enquire_link"
        assert owner.failed["during"].reason == "closed"
        await owner.until(lambda: len(owner.ups) == 2)


async def test_a_connection_cut_in_the_middle_of_a_pdu_is_made_again():
    faults = Faults(cut=1.0)
    async with running() as (centre, link, owner):
        centre.faults = faults
        link.submit(sms("x"), "a")
        link.flush()
        await owner.until(lambda: owner.downs)
        centre.faults = Faults()
        assert owner.failed["a"].reason == "closed"
        await owner.until(lambda: len(owner.ups) == 2)


async def test_dialogues_survive_a_centre_that_closes_every_few_messages():
    async with running(centre=Centre(faults=Faults(close_after=7), retry_ms=5), binds=2) as (
        centre,
        _link,
        owner,
    ):
        for n in range(30):
            try:
                await centre.dial(f"7916{n:07d}", "*929#", limit_s=0.5)
            except DialogError:
                assert owner.lost_pages or owner.failed
        await centre.wait_for(lambda: not [d for d in centre.ledger.unacked() if d.dialog and d.dialog.open])
        assert len(owner.ups) >= 4


async def test_close_waits_for_pending_answers_and_unbinds():
    async with running(centre=Centre(faults=Faults(delay_ms=60)), window=10) as (_centre, link, owner):
        for n in range(10):
            link.submit(sms(str(n)), n)
        link.flush()
        await link.close(2.0)
        assert len(owner.answered) == 10
        assert owner.failed == {}
        assert owner.downs[-1].reason == "unbound"
        assert not link.submit(sms("late"), "late")


async def test_close_hands_back_what_never_left():
    async with running(centre=Centre(faults=Faults(drop_response=1.0)), window=1, timers=QUICK) as (
        _,
        link,
        owner,
    ):
        for n in range(3):
            link.submit(sms(str(n)), n)
        link.flush()
        await link.close(0.05)
        assert {token: failed.reason for token, failed in owner.failed.items()} == {
            0: "closed",
            1: "unsent",
            2: "unsent",
        }


async def test_close_ends_even_if_the_centre_says_nothing_any_more():
    async with running(timers=QUICK) as (centre, link, owner):
        centre.silence()
        async with asyncio.timeout(3):
            await link.close(0.05)
        assert owner.downs


async def test_an_unbind_from_the_centre_is_followed_by_a_new_bind():
    async with running(binds=2) as (centre, _link, owner):
        centre.unbind()
        await owner.until(lambda: len(owner.ups) == 4)
        assert {down.reason for down in owner.downs} == {"unbound by the peer"}


async def test_an_alarm_stands_until_a_bind_succeeds():
    clock, owner = HandClock(), Owner()
    centre = Centre(faults=Faults(refuse_bind=0x0E))
    async with centre:
        link = make_link(owner, centre.port, clock=clock)
        link.start()
        await owner.until(lambda: owner.downs)
        centre.faults = Faults(refuse_bind=0x08)
        await centre.wait_for(lambda: not centre.describe()["connections"])
        clock.now += 120_000
        link.on_time()
        await owner.until(lambda: len(owner.downs) == 2)
        assert "password is invalid" in link.alarm
        assert [down.alarm for down in owner.downs] == [True, False]
        centre.faults = Faults()
        await centre.wait_for(lambda: not centre.describe()["connections"])
        clock.now += 120_000
        link.on_time()
        await owner.until(lambda: owner.ups)
        assert link.alarm == ""
        await link.close(0.2)


async def test_what_connections_counted_outlives_them():
    async with running() as (centre, link, owner):
        centre.write(bytes.fromhex("00000010 00000777 00000000 00000005"))
        centre.reset()
        await owner.until(lambda: len(owner.ups) == 2)
        assert link.counters["unknown_command"] == 1


async def test_congestion_of_the_centre_is_shown():
    async with running(centre=Centre(faults=Faults(drop_response=1.0))) as (centre, link, owner):
        link.submit(sms("x"), "a")
        link.flush()
        await centre.wait_for(lambda: len(centre.submitted) == 1)
        body = b"id\0" + bytes.fromhex("0428 0001 5a")
        centre.write((16 + len(body)).to_bytes(4, "big") + bytes.fromhex("80000004 00000000 00000002") + body)
        await owner.until(lambda: "a" in owner.answered)
        assert owner.answered["a"].message_id == b"id"
        assert link.state()["congestion"] == 90


async def test_an_owner_that_fails_does_not_deafen_the_link():
    async with running() as (centre, link, owner):
        seen = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: seen.append(context["exception"]))
        link._on_batch = lambda *_: 1 / 0
        centre.call("79160000001", "*929#")
        await centre.wait_for(lambda: bool(seen))
        link._on_batch = owner
        assert (await centre.dial("79160000002", "*929#")).screen == "echo *929#"
        assert isinstance(seen[0], ZeroDivisionError)


async def test_state_says_what_an_operator_wants_to_know_and_no_secret():
    async with running(binds=1, mode=Mode.PAIR, rate=50.0, password=Secret("hunter2")) as (_, link, _owner):
        state = link.state()
        assert state["bound"] is True
        assert [bind["kind"] for bind in state["binds"]] == ["receiver", "transmitter"]
        assert {bind["state"] for bind in state["binds"]} == {State.BOUND_RX.value, State.BOUND_TX.value}
        assert state["rate"] == 50.0
        assert "hunter2" not in repr(state)


async def test_binds_and_numbers_of_connections_never_repeat():
    async with running(binds=2) as (centre, _, owner):
        for round_ in range(1, 4):
            centre.disconnect()
            await owner.until(lambda round_=round_: len(owner.ups) == 2 + 2 * round_)
        numbers = [up.connection for up in owner.ups]
        assert len(set(numbers)) == len(numbers) == 8


async def test_a_message_throttled_while_the_link_closes_is_reported_and_not_kept():
    async with running(centre=Centre(faults=Faults(throttle=1.0, delay_ms=50))) as (_, link, owner):
        link.submit(sms("x"), "a")
        link.flush()
        await link.close(1.0)
        assert owner.answered["a"].status == 0x58


PATIENT = Timers(response_ms=500_000, enquire_after_ms=0, inactivity_ms=0)


async def test_a_page_that_waits_longer_than_its_dialogue_is_handed_back_and_an_sms_is_not():
    clock = HandClock()
    faults = Faults(drop_response=1.0)
    async with running(
        centre=Centre(faults=faults), clock=clock, window=1, queue=10, timers=PATIENT, sticky_wait_ms=10_000
    ) as (centre, link, owner):
        link.submit(sms("first"), "in flight")
        link.submit(sms("second"), "waits")
        centre.call("79161234567", "*929#")
        await owner.until(lambda: owner.inbound)
        assert link.state()["queue"] == 2
        clock.now += 9_000
        link.on_time()
        assert owner.failed == {}
        clock.now += 2_000
        link.on_time()
        ((token, failed),) = owner.failed.items()
        assert (token, failed.reason) == (("page", 1), "unsent")
        clock.now += 100_000
        link.on_time()
        assert link.state()["queue"] == 1
