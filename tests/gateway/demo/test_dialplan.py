"""The ways of the dialplan as the exchange goes them: words of the gateway in, queues and reports out."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gateway.demo.exchange.dialplan import APOLOGY, ROUNDS, dialplan
from gateway.demo.exchange.floor import Left
from gateway.demo.exchange.sound import Heard
from gateway.demo.exchange.telephone import Telephone
from ivr.queue_key import EPOCH_MS, HIGHEST

NOW = EPOCH_MS + 1_000_000
SESSION = {"IVR_SESSION": "0f" * 16}
ANSWERED = Left("CONTINUE", "PJSIP/demo-anna", 12, 30, "solved")


class Scripted:
    """A call whose gateway says these words, one AGI session after the other."""

    def __init__(self, words: list[Mapping[str, str]], ends: list[Left], number: str = "0890") -> None:
        self.telephone = Telephone("1.1", number, "79160000001", lambda _: Heard(), lambda: None)
        self.priority = 0
        self.done: list[str] = []
        self.seen: list[dict[str, str]] = []
        self._words, self._ends = iter(words), iter(ends)
        self.leaves = False

    async def agi(self, path: str, query: str) -> None:
        self.done.append(f"{path}?{query}")
        variables = self.telephone.channel.variables
        self.seen.append(dict(variables))
        variables.update(next(self._words, {}))

    async def stand(self, queue: str, priority: int, limit_s: float | None, *, outside: bool) -> Left:
        self.done.append(f"{'dial' if outside else 'queue'} {queue} {priority} {limit_s}")
        if self.leaves:
            self.telephone.hang_up()
        return next(self._ends)

    def remark(self, text: str) -> None:
        self.done.append(text)


def queue(**more: str) -> dict[str, str]:
    return {
        "IVR_NEXT": "queue",
        "IVR_QUEUE": "support",
        "IVR_PRIO": "77",
        "IVR_QTIMEOUT": "120",
        **SESSION,
        **more,
    }


async def run(call: Scripted) -> list[str]:
    await dialplan(call, lambda: NOW)
    return call.done


async def test_a_call_that_needs_nobody() -> None:
    assert await run(Scripted([{"IVR_NEXT": "done"}], [])) == ["flow?number=0890"]


async def test_the_talk_is_reported_and_the_caller_comes_back() -> None:
    call = Scripted([queue(), {"IVR_NEXT": "done"}], [ANSWERED])
    assert await run(call) == ["flow?number=0890", "queue support 77 120", "after?status=CONTINUE"]
    told = call.seen[1]
    names = ("QUEUESTATUS", "QEHOLDTIME", "MEMBERINTERFACE", "ANSWEREDTIME", "IVR_RESULT", "IVR_NEXT")
    assert [told[name] for name in names] == ["CONTINUE", "12", "PJSIP/demo-anna", "30", "solved", ""]


async def test_what_one_talk_has_left_is_not_there_in_the_next_wait() -> None:
    call = Scripted([queue(), queue(IVR_QUEUE="experts"), {"IVR_NEXT": "done"}], [ANSWERED, Left("TIMEOUT")])
    done = await run(call)
    assert done[3:] == ["queue experts 77 120", "after?status=TIMEOUT"]
    told = call.seen[2]
    assert (told["QUEUESTATUS"], told["MEMBERINTERFACE"], told["IVR_RESULT"]) == ("TIMEOUT", "", "")


async def test_what_the_gateway_has_set_is_filtered() -> None:
    wild = queue(IVR_QUEUE="sup,port&x", IVR_PRIO="7a7", IVR_QTIMEOUT="", IVR_NEXT="que9ue")
    done = await run(Scripted([wild, {"IVR_NEXT": "done"}], [ANSWERED], "08-90"))
    assert done[:2] == ["flow?number=0890", "queue supportx 77 None"]


@pytest.mark.parametrize("word", ["", "again"])
async def test_a_gateway_that_is_dead_or_mad_costs_an_apology(word: str) -> None:
    done = await run(Scripted([{"IVR_NEXT": word}], [Left("TIMEOUT")]))
    assert done == ["flow?number=0890", APOLOGY, f"queue support {HIGHEST - 1000} 300"]


async def test_a_gateway_that_dies_in_the_wait_keeps_the_place_of_the_caller() -> None:
    done = await run(Scripted([queue(IVR_QUEUE="sales"), {}], [Left("TIMEOUT"), ANSWERED]))
    assert done[1:] == ["queue sales 77 120", "after?status=TIMEOUT", APOLOGY, "queue support 77 300"]


async def test_who_has_had_his_talk_needs_no_apology() -> None:
    assert (await run(Scripted([queue(), {}], [ANSWERED])))[-1] == "after?status=CONTINUE"


async def test_a_hang_up_in_the_queue_is_reported() -> None:
    call = Scripted([queue()], [Left("")])
    call.leaves = True
    assert (await run(call))[-1] == "hangup?status="


async def test_a_hang_up_in_the_flow_is_the_flows_own_matter() -> None:
    call = Scripted([{}], [])
    call.telephone.hang_up()
    assert await run(call) == ["flow?number=0890"]


@pytest.mark.parametrize(
    ("left", "status"), [(ANSWERED, "ANSWER"), (Left("TIMEOUT"), "NOANSWER"), (None, "INVALIDARGS")]
)
async def test_a_connection_tells_how_it_ended(left: Left | None, status: str) -> None:
    number = "" if left is None else "88001000890"
    given = {"IVR_NEXT": "connect", "IVR_CONNECT": number, "IVR_CTIMEOUT": "20", **SESSION}
    call = Scripted([given, {"IVR_NEXT": "done"}], [] if left is None else [left])
    done = await run(call)
    assert done[-1] == f"after?status={status}"
    assert call.seen[1]["DIALSTATUS"] == status
    assert call.seen[1]["QUEUESTATUS"] == ""
    if left is not None:
        assert done[1] == f"dial 88001000890 {HIGHEST - 1000} 20"


async def test_a_gateway_that_sends_a_call_round_for_ever_loses_it() -> None:
    done = await run(Scripted([queue()] * 100, [Left("TIMEOUT")] * 100))
    assert sum(one.startswith("queue support") for one in done) <= ROUNDS + 1
    assert done[-2] == APOLOGY
