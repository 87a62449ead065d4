"""Several centres: one dies in the middle of the traffic, the other takes over, the ledgers are compared."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.app import Gateway
from gateway.centre_settings import Centre as CentreSettings
from gateway.settings import Settings
from smpp.settings import LinkSettings, Mode, Secret, Timers
from smpp.testing.centre import Centre
from smpp.testing.ledger import Submitted
from tests.gateway.host.rig import lay_out

SENDERS = 300
FLOW = """\
flow:
  title: Ответ
  sms: "7"

start:
  - sms: Ответ 12345
    secret: %s
  - end: Конец.
"""


def link(centre: Centre, **changes: object) -> LinkSettings:
    settings: dict[str, object] = {
        "system_id": "gudok",
        "password": Secret("secret"),
        "reconnect_first_ms": 20,
        "reconnect_limit_ms": 50,
        "window": 20,
        "timers": Timers(unbind_pending_ms=300, unbind_answer_ms=300),
    }
    return LinkSettings("127.0.0.1", centre.port, **{**settings, **changes})


@asynccontextmanager
async def over(root: Path, *centres: CentreSettings) -> AsyncIterator[Gateway]:
    """Run a gateway over real links."""
    lay_out(root)
    gateway = Gateway(root, Settings(centres=centres, drain_ms=200), {}, web=False)
    await gateway.start()
    try:
        yield gateway
    finally:
        await gateway.close()


def phone(number: int) -> str:
    return f"7916{number:07}"


def to_whom(messages: list[Submitted]) -> Counter[str]:
    return Counter(one.sm.dest.decode() for one in messages if one.text == "Ответ 12345")


@pytest.mark.parametrize("secret", ["no", "yes"])
async def test_a_centre_that_dies_under_load_loses_and_doubles_nothing_but_what_is_in_doubt(
    tmp_path: Path, secret: str
) -> None:
    """Main answers late, so that some answers never come; the reserve brings the questions."""
    async with Centre() as main, Centre() as reserve:
        main.faults.delay_ms = 30
        lay_out(tmp_path)
        (tmp_path / "flows/answer.yaml").write_text(FLOW % secret, encoding="utf-8")
        links = (CentreSettings("main", link(main)), CentreSettings("reserve", link(reserve)))
        async with over(tmp_path, *links) as gateway:
            await main.bound()
            await reserve.bound()
            for number in range(SENDERS):
                await reserve.sms(phone(number), "7", "дай", wait=False)
            await main.wait_for(lambda: len(to_whom(main.submitted)) >= SENDERS // 4, what="a part of it")
            await main.stop()
            everybody = {phone(number) for number in range(SENDERS)}
            counters = gateway.host.counters

            def settled() -> bool:
                told = to_whom(main.submitted).keys() | to_whom(reserve.submitted).keys()
                missing = everybody - told
                # A secret that may have been sent is not sent again: it may also be lost.
                return len(missing) <= (counters["sms_in_doubt"] if secret == "yes" else 0)

            await reserve.wait_for(settled, what="a message to everybody", limit_s=30)
            # What is still to come is sent within the second after which all is tried again.
            done = len(reserve.received) + 1
            await reserve.sms(phone(SENDERS), "7", "дай")
            await reserve.wait_for(lambda: len(reserve.received) >= done, what="the last answer")
            assert gateway.bound, "one centre is enough"
            first, second = to_whom(main.submitted), to_whom(reserve.submitted)
            assert max(first.values()) == max(second.values()) == 1
            twice = first.keys() & second.keys()
            if secret == "yes":
                assert twice == set(), "a secret leaves once"
            else:
                # Only what was in flight when the centre died may have come twice: its answers were due.
                assert len(twice) <= 20
            assert gateway.host.counters["sms_rerouted"] > 0, "what had not left went on at once"


async def test_replies_of_a_pair_leave_on_its_transmitter_and_a_dialogue_stays_with_its_pair(
    tmp_path: Path,
) -> None:
    async with Centre() as centre:
        settings = CentreSettings("main", link(centre, mode=Mode.PAIR, binds=2))
        async with over(tmp_path, settings) as gateway:
            await centre.bound(4)
            kinds = {peer.number: peer.command_id for peer in centre.binds}
            await centre.wait_for(lambda: gateway.bound, what="the gateway's view")
            for number in range(20):
                dialog = await centre.dial(phone(number), "*2#")
                assert dialog.screen == "Первый?"
                await dialog.send("а")
                assert dialog.screen == "Второй?"
            await centre.sms(phone(99), "2", "привет")
            await centre.next_sms(phone(99))
            assert {kinds[one.connection] for one in centre.submitted} == {2}
            assert {kinds[one.attempts[0].connection] for one in centre.ledger.delivered} == {1}
            assert len({one.connection for one in centre.submitted}) == 2, "both pairs are used"


async def test_a_dialogue_whose_pair_lost_its_transmitter_is_not_continued_elsewhere(tmp_path: Path) -> None:
    async with Centre() as centre:
        settings = CentreSettings("main", link(centre, mode=Mode.PAIR))
        async with over(tmp_path, settings):
            await centre.bound(2)
            dialog = await centre.dial(phone(1), "*2#")
            (transmitter,) = [peer for peer in centre.binds if peer.command_id == 2]
            transmitter.live.abort()
            await centre.wait_for(lambda: centre.ledger.counters["binds"] == 3, what="a new transmitter")
            again = await centre.dial(phone(1), "*2#")
            assert again.screen == "Первый?"
            assert not dialog.open
