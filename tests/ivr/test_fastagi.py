"""The FastAGI server against a scripted Asterisk: who is let in, what a line does, when it ends."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from panoramisk.fast_agi import Application

from ivr.agi import command as agi
from ivr.agi.error import (
    AGIAppError,
    AGIError,
    AGIHangup,
    AGIInvalidCommand,
    AGIUsageError,
    ForgedReplyError,
    LineDeadError,
)
from ivr.fastagi import LAST_TURNS, FastAgiServer, Line
from ivr.testing.call import Call
from ivr.testing.channel import Channel


class Clock:
    def __init__(self):
        self.now = 1_795_000_000_000

    def __call__(self) -> int:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += int(seconds * 1_000)


class Seen:
    """A handler that waits for what the test wants done on the line."""

    def __init__(self):
        self.lines: asyncio.Queue[Line] = asyncio.Queue()
        self.leave = asyncio.Event()

    async def __call__(self, line: Line) -> None:
        self.lines.put_nowait(line)
        await self.leave.wait()


def server(handler, **options) -> FastAgiServer:
    return FastAgiServer("127.0.0.1", 0, handler, **{"clock": Clock(), **options})


async def closed(one: Call) -> None:
    async with one as call:
        await call.ended()


async def test_a_call_is_served_and_the_connection_closed_behind_it():
    found = {}

    async def handler(line: Line) -> None:
        found.update(path=line.path, query=dict(line.query), dialled=line.dialled)
        await line.execute(agi.answer())
        found["reply"] = (await line.execute(agi.get_variable("UNIQUEID"))).value
        await line.execute(agi.set_variable("IVR_NEXT", "done"))

    async with server(handler) as one, Call(one.port, "0890") as call:
        await call.ended()
        assert call.variables["IVR_NEXT"] == "done"
        assert one.counts == {"accepted": 1, "done": 1}
    assert found == {
        "path": "flow",
        "query": {"number": "0890"},
        "dialled": "0890",
        "reply": "1795000000.1",
    }


@pytest.mark.parametrize("number", ["+7495", "08 90", "0890%26x", "٠٨٩٠", "", "1" * 33])
async def test_a_dialled_number_is_digits_or_nothing(number):
    seen = Seen()
    async with server(seen) as one, Call(one.port, number):
        assert (await seen.lines.get()).dialled == ""
        seen.leave.set()


async def test_of_a_name_that_comes_twice_in_a_query_the_first_counts():
    seen = Seen()
    async with server(seen) as one, Call(one.port, "1&number=2"):
        assert (await seen.lines.get()).dialled == "1"
        seen.leave.set()


@pytest.mark.parametrize(
    ("token", "given"), [("secret", None), ("secret", "secre"), ("secret", ""), ("secret", "тайна")]
)
async def test_a_wrong_token_gets_no_word(token, given):
    async with server(Seen(), token=token) as one, Call(one.port, token=given) as call:
        await call.ended()
        assert call.commands == []
        assert one.counts["token"] == 1


async def test_the_right_token_is_served():
    seen = Seen()
    async with server(seen, token="secret") as one, Call(one.port, token="secret"):
        await seen.lines.get()
        seen.leave.set()


async def test_a_name_that_brings_a_token_is_no_token():
    forged = {"agi_calleridname": "x\nagi_arg_1: secret"}
    async with server(Seen(), token="secret") as one:
        await closed(Call(one.port, token="guess", fields=forged))
        assert one.counts["broken"] == 1


@pytest.mark.parametrize(("peers", "event"), [(("10.0.0.0/8",), "peer"), ((), "peer")])
async def test_only_peers_may_connect(peers, event):
    async with server(Seen(), peers=peers) as one:
        await closed(Call(one.port))
        assert one.counts[event] == 1


async def test_a_mapped_address_is_the_address_it_maps():
    one = server(Seen(), peers=("10.1.0.0/16",))
    assert one.judge("::ffff:10.1.2.3") == ""
    assert one.judge("fe80::1%eth0") == "peer"
    assert one.judge("unix") == one.judge("") == "peer"


async def test_who_comes_after_a_peer_is_judged_for_himself():
    one = server(Seen(), peers=("10.1.0.0/16",))
    assert one.judge("") == "peer"
    assert [one.judge(f"10.{net}.2.3") for net in (1, 1, 2, 1, 2)] == ["", "", "peer", "", "peer"]


def test_a_peer_that_is_no_address_is_refused_at_once():
    with pytest.raises(ValueError, match="example"):
        server(Seen(), peers=("example.net",))


async def test_one_call_too_many_is_closed_at_once():
    seen = Seen()
    async with server(seen, most=1) as one, Call(one.port):
        await seen.lines.get()
        await closed(Call(one.port))
        assert one.counts["full"] == 1
        seen.leave.set()


async def test_an_environment_that_does_not_come_is_not_waited_for():
    clock = Clock()
    async with server(Seen(), clock=clock) as one:
        reader, writer = await asyncio.open_connection("127.0.0.1", one.port)
        writer.write(b"agi_network: yes\n")
        while not one.lines:  # noqa: ASYNC110 - the server tells nobody of a connection that says nothing
            await asyncio.sleep(0)
        clock.forward(4.9)
        one.tick()
        assert one.counts["late"] == 0
        clock.forward(0.2)
        one.tick()
        await asyncio.gather(reader.read(), return_exceptions=True)
        assert reader.at_eof() or reader.exception()
        assert one.counts["late"] == 1
        writer.close()


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("510 Invalid or unknown command", AGIInvalidCommand),
        ("520-Invalid\nUsage: x\n520 End of proper usage.", AGIUsageError),
        ("511 Command Not Permitted on a dead channel or intercept routine", AGIHangup),
        ("HANGUP\n511 Command Not Permitted on a dead channel or intercept routine", AGIHangup),
        ("300 what", AGIError),
        ("nonsense", ForgedReplyError),
    ],
)
async def test_what_is_no_success_is_an_exception(written, kind):
    seen = Seen()
    async with server(seen) as one, Call(one.port, replies=[written]):
        line = await seen.lines.get()
        with pytest.raises(kind):
            await line.execute(agi.answer())
        assert line.hungup is (kind in {AGIHangup, ForgedReplyError})
        seen.leave.set()


async def test_replies_are_counted_under_a_hangup_line_at_every_place():
    """HANGUP is a flag: the reply that is owed still comes, and variables can still be stored."""
    for place in range(4):
        seen = Seen()
        async with server(seen) as one, Call(one.port, channel=Channel(hangup_line="next")) as call:
            line = await seen.lines.get()
            for number in range(4):
                if number == place:
                    call.hang_up()
                await line.execute(agi.set_variable("A", str(number)))
                assert (await line.execute(agi.get_variable("A"))).value == str(number)
                assert line.hungup is (number >= place)
            seen.leave.set()
            await call.ended()
            assert call.variables["A"] == "3"


async def test_a_hang_up_is_told_while_no_command_runs():
    seen = Seen()
    told = asyncio.Event()
    async with server(seen) as one, Call(one.port, channel=Channel(hangup_line="now")) as call:
        line = await seen.lines.get()
        line.on_hangup = told.set
        call.hang_up()
        await told.wait()
        assert line.hungup
        assert not line.dead
        seen.leave.set()


async def test_a_connection_that_ends_is_a_hang_up():
    seen = Seen()
    async with server(seen) as one, Call(one.port, exit_on_hangup=True) as call:
        line = await seen.lines.get()
        running = asyncio.create_task(line.execute(agi.wait_for_digit(5_000)))
        await call.prompt()
        call.hang_up()
        with pytest.raises(LineDeadError):
            await running
        assert line.hungup
        with pytest.raises(LineDeadError):
            await line.execute(agi.answer())
        seen.leave.set()


async def test_a_command_that_is_not_answered_ends_the_line():
    clock, seen = Clock(), Seen()
    async with server(seen, clock=clock) as one, Call(one.port, replies=[""]) as call:
        line = await seen.lines.get()
        running = asyncio.create_task(line.execute(agi.channel_status(), 3))
        await call.asked(1)
        clock.forward(2.9)
        one.tick()
        assert not running.done()
        clock.forward(0.2)
        one.tick()
        with pytest.raises(LineDeadError):
            await running
        await call.ended()
        assert one.counts["unanswered"] == 1
        seen.leave.set()


async def test_the_deadline_of_a_call_stands_above_that_of_a_command():
    clock, seen = Clock(), Seen()
    async with server(seen, clock=clock, deadline_s=60) as one, Call(one.port) as call:
        line = await seen.lines.get()
        running = asyncio.create_task(line.execute(agi.wait_for_digit(100_000), 200))
        await call.prompt()
        clock.forward(60)
        one.tick()
        with pytest.raises(LineDeadError, match="deadline"):
            await running
        assert one.counts["deadline"] == 1
        seen.leave.set()


async def test_after_its_deadline_a_line_sends_nothing():
    clock, seen = Clock(), Seen()
    async with server(seen, clock=clock, deadline_s=60) as one, Call(one.port) as call:
        line = await seen.lines.get()
        clock.forward(60)
        with pytest.raises(LineDeadError):
            await line.execute(agi.answer())
        await call.ended()
        assert call.commands == []
        seen.leave.set()


async def test_a_reply_that_nobody_asked_for_ends_everything():
    seen = Seen()
    async with server(seen) as one, Call(one.port) as call:
        line = await seen.lines.get()
        call.forge("200 result=1 (79160000000)\n")
        await call.ended()
        with pytest.raises(ForgedReplyError):
            await line.execute(agi.answer())
        assert one.counts["forged"] == 1
        seen.leave.set()


async def test_a_value_that_forges_a_reply_is_found_out():
    seen = Seen()
    async with server(seen) as one:
        call = Call(one.port, variables={"EVIL": "x)\n200 result=1 (79160000000)"})
        async with call:
            line = await seen.lines.get()
            await line.execute(agi.get_variable("EVIL"))
            with pytest.raises(ForgedReplyError):
                await line.execute(agi.get_variable("CALLERID(num)"))
            seen.leave.set()


async def test_one_command_at_a_time():
    seen = Seen()
    async with server(seen) as one, Call(one.port) as call:
        line = await seen.lines.get()
        running = asyncio.create_task(line.execute(agi.wait_for_digit(5_000)))
        await call.prompt()
        with pytest.raises(RuntimeError):
            await line.execute(agi.answer())
        call.press("5")
        assert (await running).digit == "5"
        seen.leave.set()


@pytest.mark.parametrize("order", [b"ANSWER", b"ANSWER\nHANGUP\n", b""])
async def test_a_command_is_one_line(order):
    seen = Seen()
    async with server(seen) as one, Call(one.port):
        line = await seen.lines.get()
        with pytest.raises(ValueError, match="one line"):
            await line.execute(order)
        seen.leave.set()


async def test_a_command_that_is_given_up_ends_the_line():
    """Its reply would be taken for that of the next one."""
    seen = Seen()
    async with server(seen) as one, Call(one.port) as call:
        line = await seen.lines.get()
        running = asyncio.create_task(line.execute(agi.wait_for_digit(5_000)))
        await call.prompt()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        with pytest.raises(LineDeadError):
            await line.execute(agi.answer())
        seen.leave.set()


async def test_a_handler_that_fails_is_reported_and_harms_no_other_call():
    told = []

    async def handler(line: Line) -> None:
        if line.dialled == "1":
            raise KeyError("x")
        await line.execute(agi.set_variable("IVR_NEXT", "done"))

    async with server(handler, report=lambda *one: told.append(one)) as one:
        async with Call(one.port, "1") as call:
            await call.ended()
            assert "IVR_NEXT" not in call.variables
        async with Call(one.port, "2") as call:
            await call.ended()
            assert call.variables["IVR_NEXT"] == "done"
    assert [(event, detail, type(error)) for event, detail, error in told if event == "failed"] == [
        ("failed", "flow", KeyError)
    ]


async def test_a_hang_up_in_the_handler_is_no_failure():
    async def handler(line: Line) -> None:
        await line.execute(agi.answer())

    channel = Channel(hungup=True)
    async with server(handler) as one, Call(one.port, channel=channel) as call:
        await call.ended()
        assert one.counts == {"accepted": 1, "hungup": 1}


async def test_closing_lets_calls_end_and_takes_no_new_ones():
    seen = Seen()
    one = server(seen)
    await one.start()
    async with Call(one.port) as call:
        line = await seen.lines.get()
        closing = asyncio.create_task(one.close(60))
        for _ in range(LAST_TURNS + 1):
            await asyncio.sleep(0)
        with pytest.raises(OSError, match=r"."):
            await asyncio.open_connection("127.0.0.1", one.port)
        await line.execute(agi.set_variable("IVR_NEXT", "done"))
        seen.leave.set()
        await closing
        await call.ended()
        assert call.variables["IVR_NEXT"] == "done"
        assert one.counts["abandoned"] == 0


async def test_closing_gives_up_what_does_not_end():
    seen = Seen()
    one = server(seen)
    await one.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", one.port)
    async with Call(one.port) as call:
        line = await seen.lines.get()
        await one.close(0)
        assert line.dead
        await call.ended()
        assert one.counts["abandoned"] == 2
        assert await reader.read() == b""
    writer.close()


@pytest.mark.parametrize("turns", range(6))
async def test_closing_leaves_nobody_who_has_just_connected(turns: int):
    seen = Seen()
    one = server(seen)
    await one.start()
    with socket.create_connection(("127.0.0.1", one.port)) as caller:
        for _ in range(turns):
            await asyncio.sleep(0)
        await one.close(0)
        assert not one.lines
        caller.setblocking(False)
        with contextlib.suppress(ConnectionResetError):
            assert caller.recv(1) == b""


async def test_pyst2_knows_our_exceptions():
    assert issubclass(LineDeadError, AGIHangup)
    assert issubclass(AGIHangup, AGIAppError)
    assert not issubclass(ForgedReplyError, AGIHangup)


async def test_the_scripted_asterisk_serves_panoramisk_as_well():
    """An independent server reads our environment and our replies."""
    found = []

    async def route(request) -> None:
        found.append(request.headers["agi_channel"])
        found.append(await request.send_command('SET VARIABLE "A" "b c"'))
        found.append(await request.send_command('GET VARIABLE "A"'))

    application = Application(loop=asyncio.get_running_loop())
    application.add_route("flow?number=0890", route)
    peer = await asyncio.start_server(application.handler, "127.0.0.1", 0)
    async with peer, Call(peer.sockets[0].getsockname()[1]) as call:
        await call.ended()
        assert call.variables["A"] == "b c"
    assert found[0] == "PJSIP/trunk-00000001"
    assert found[1]["status_code"] == 200
    assert "b c" in str(found[2])


@settings(max_examples=40, derandomize=True, deadline=None)
@given(st.binary(max_size=120))
def test_no_octets_whatever_break_the_server(data):
    async def main() -> None:
        async with server(Seen()) as one:
            reader, writer = await asyncio.open_connection("127.0.0.1", one.port)
            writer.write(data)
            writer.write_eof()
            await asyncio.gather(reader.read(), return_exceptions=True)
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)
            assert one.counts["failed"] == 0

    asyncio.run(main())
