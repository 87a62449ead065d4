"""kill -9 while the last words of a call are heard: what was charged is told, and no session stays."""

import sqlite3
from contextlib import AsyncExitStack
from pathlib import Path

from gateway.demo.billing import start
from ivr.testing.call import Call
from smpp.testing.centre import Centre
from tests.end_to_end.child import Child, free_port
from tests.end_to_end.stage import DONE, PATIENT, REFRESH_KINDS, RICH, lay_out
from tests.end_to_end.telephone import recorded, words

NUMBER = {"flows/refresh_package.yaml": {'  ussd: "*929#"\n': '  ussd: "*929#"\n  call: "0777"\n'}}


async def test_what_was_charged_is_told_by_sms_when_the_last_words_were_cut(tmp_path: Path):
    silent = {f"flows/sounds/{name.removeprefix('gudok/')}.wav": "" for name in recorded()}
    lay_out(tmp_path, silent, {**PATIENT, **NUMBER})
    billing = await start(tmp_path / "billing" / "billing.db")
    port = free_port()
    async with Centre() as centre, AsyncExitStack() as stack:
        stack.push_async_callback(billing.close)
        child = Child(tmp_path, centre, billing.url, AGI__LISTEN=f"127.0.0.1:{port}", AGI__SPEECH="none")
        stack.callback(child.end)
        await child.start()
        one = await stack.enter_async_context(Call(port, "0777", caller=RICH))
        assert words((await one.prompt()).files).startswith("Пакет обновлён, списано")
        await child.kill()
        await one.ended()
        await child.start()
        assert (await centre.next_sms(RICH)).text == DONE
        assert len(list(billing.desk.book.movements(phone=RICH, kinds=REFRESH_KINDS, limit=10))) == 1
        await child.stop()
    store = sqlite3.connect(tmp_path / "data" / "gudok.db")
    assert store.execute("SELECT key FROM session").fetchall() == []
    store.close()
