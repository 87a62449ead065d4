"""A connection that is kept up, over real sockets."""

import asyncio
from random import Random

import pytest

from ivr.ami.client import AmiClient
from ivr.ami.message import ActionError
from ivr.ami.originate import Attempt, headers, result
from ivr.testing.ami_server import TestManager


class Watched:
    """A client with what it has told."""

    def __init__(self, manager, secret="secret"):
        self.events = asyncio.Queue()
        self.ready = asyncio.Queue()
        self.client = AmiClient(
            "main", "127.0.0.1", manager.port, "gudok", secret,
            clock=lambda: 0, random=Random(1),
            on_event=self.events.put_nowait, on_ready=lambda: self.ready.put_nowait(True),
        )  # fmt: skip

    async def __aenter__(self):
        self.client.start()
        return self

    async def __aexit__(self, *_):
        await self.client.close()


async def test_it_logs_in_asks_and_hears_events():
    async with TestManager() as manager, Watched(manager) as watched:
        await watched.ready.get()
        manager.answers["QueueStatus"] = [
            [("Response", "Success"), ("EventList", "start")],
            [("Event", "QueueMember"), ("ActionID", "{id}"), ("Queue", "support")],
            [("Event", "QueueStatusComplete"), ("ActionID", "{id}"), ("EventList", "Complete")],
        ]
        outcome = await watched.client.ask("QueueStatus")
        assert [one.get("Queue") for one in outcome.events] == ["support"]
        manager.say(("Event", "QueueCallerJoin"), ("Queue", "support"), ("Uniqueid", "1.1"))
        event = await watched.events.get()
        assert event.event == "QueueCallerJoin"


async def test_after_a_cut_it_connects_again_and_says_so():
    async with TestManager() as manager, Watched(manager) as watched:
        await watched.ready.get()
        manager.drop()
        await watched.ready.get()
        assert len([one for one in manager.actions if one.get("Action") == "Login"]) == 2
        assert watched.client.reconnects == 1


async def test_while_it_is_not_booted_nothing_is_sent():
    async with TestManager() as manager:
        manager.booted = False
        async with Watched(manager) as watched:
            await manager.received("Login")
            outcome = await watched.client.ask("Ping")
            assert outcome.error == "not connected"
            manager.say(("Event", "FullyBooted"))
            await watched.ready.get()
            assert (await watched.client.ask("Ping")).done


async def test_a_wrong_secret_never_becomes_ready_and_is_tried_again():
    async with TestManager() as manager, Watched(manager, secret="other") as watched:
        await manager.received("Login", 2)
        assert not watched.client.ready
        assert watched.ready.empty()


ATTEMPT = Attempt("survey-42-1", "79161234567", "gudok-out", "0890", (("IVR_SESSION", "ab12"),))


async def test_a_call_of_ours_and_what_comes_of_it():
    async with TestManager() as manager, Watched(manager) as watched:
        await watched.ready.get()
        manager.answers["Originate"] = [
            [("Response", "Success"), ("Message", "Originate successfully queued")],
            [("Event", "OriginateResponse"), ("ActionID", "{id}"), ("Response", "Failure"), ("Reason", "3")],
        ]
        told = asyncio.get_running_loop().create_future()
        watched.client.send("Originate", headers(ATTEMPT), told.set_result, late=True)
        assert result(await told) == "no_answer"
        sent = await manager.received("Originate")
        assert sent.get("Channel") == "Local/79161234567@gudok-dial/n"
        assert (sent.get("Context"), sent.get("Exten")) == ("gudok-out", "0890")
        assert sent.get("ChannelId") == "survey-42-1"
        assert sent.get("Variable") == "IVR_SESSION=ab12"
        assert sent.get("Application") == ""


@pytest.mark.parametrize(
    "attempt",
    [
        Attempt("a", "7916123&SIP/evil", "gudok-out", ""),
        Attempt("a", "", "gudok-out", ""),
        Attempt("a", "anonymous", "gudok-out", ""),
        Attempt("a b", "79161234567", "gudok-out", ""),
        Attempt("a", "79161234567", "gudok-out,s,1", ""),
        Attempt("a", "79161234567", "gudok-out", "x\r\nAction: Command"),
        Attempt("a", "79161234567", "gudok-out", "", (("SHELL(id)", "1"),)),
        Attempt("a", "79161234567", "gudok-out", "", (("X", "${SHELL(id)}"),)),
    ],
)
def test_nothing_but_a_number_and_plain_names_is_dialled(attempt):
    with pytest.raises(ActionError):
        headers(attempt)
