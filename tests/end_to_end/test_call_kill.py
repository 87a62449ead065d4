"""SIGKILL in the middle of calls: nobody is kept on the line, nobody pays twice, and who paid is told."""

from contextlib import AsyncExitStack
from pathlib import Path

from gateway.demo.billing import Fault, start
from ivr.testing.call import Call
from smpp.testing.centre import Centre
from tests.end_to_end.child import Child, free_port
from tests.end_to_end.stage import CHECKING, PATIENT, REFRESH_KINDS, RICH, lay_out

CALLS = 8
REFRESH = "billing.refresh_package"


async def test_a_gateway_killed_in_the_middle_of_calls(tmp_path: Path):
    lay_out(tmp_path, changes=PATIENT)
    billing = await start(tmp_path / "billing" / "billing.db")
    port = free_port()
    async with Centre() as centre, AsyncExitStack() as stack:
        stack.push_async_callback(billing.close)
        calls = {"AGI__LISTEN": f"127.0.0.1:{port}", "AGI__SPEECH": "none", "AGI__REACTION": "0s"}
        child = Child(tmp_path, centre, billing.url, **calls)
        stack.callback(child.end)
        await child.start()
        number = billing.board.add(Fault(operation=REFRESH, kind="delay", after=2_000, count=1, phone=RICH))
        phones = [RICH, *(f"7916000100{at}" for at in range(1, CALLS))]
        lines = [await stack.enter_async_context(Call(port, caller=phone)) for phone in phones]
        for one in lines:
            await one.question()
        payer = lines[0]
        payer.press("2")  # the personal offer is put off
        await payer.question()
        payer.press("2")
        await centre.wait_for(lambda: billing.board.standing[number].fired >= 1, what="the charge")
        await child.kill()
        for one in lines:
            await one.ended()
            assert "IVR_NEXT" not in one.variables  # the dialplan goes to the next gateway
        await child.start()
        assert (await centre.next_sms(RICH)).text == CHECKING
        told = await centre.next_sms(RICH, after=1, limit_s=30)
        assert told.text.startswith("Пакет обновлён")
        assert len(list(billing.desk.book.movements(phone=RICH, kinds=REFRESH_KINDS, limit=10))) == 1
        async with Call(port, caller=RICH) as again:
            await again.question()
            again.hang_up()
        await child.stop()
