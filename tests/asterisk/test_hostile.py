"""Whoever calls, and whoever sits in the gateway's place, gets no command out of Asterisk."""

import re

import pytest

from ivr.prompt import Heard, Prompt
from tests.asterisk.gateway import Visit, serve
from tests.asterisk.manager import log_in
from tests.asterisk.peer.phone import Phone
from tests.asterisk.place import Place
from tests.asterisk.server import SHIPPED, Asterisk

pytestmark = pytest.mark.asterisk

NAMES = {
    "a command": '"x\\"\\nEXEC System \\"touch owned\\""',
    "a variable": '"${SHELL(touch owned)}"',
    "an environment line": '"x%0Aagi_arg_1: other"',
    "an end of the environment": '"\\n\\n200 result=0"',
    "separators": '"a,b|c&d^e:f;g"',
    "long": '"' + "n" * 900 + '"',
    "Russian": '"Анна «Ночная» (смена)"',
    "octets": '"\x01\x02\x7f"',
}


async def say_goodbye(visit: Visit) -> None:
    await visit.voice.answer()
    heard = await visit.voice.collect(Prompt(("tone/wrong",), 1, first_s=5))
    assert heard == Heard("5", "ok")
    assert await visit.get("CALLERID(name)") == ""
    await visit.voice.leave("done")


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
async def test_a_name_chosen_by_the_caller_reaches_nobody(
    caller: Phone, place: Place, asterisk: Asterisk, name: str
):
    async with serve(place.first, flow=say_goodbye) as gateway:
        call = await caller.call("0890", name=name)
        await call.hears("wrong")
        await call.press("5")
        await call.ended()
    (visit,) = gateway.visits
    assert visit.variables["CALLERID(num)"] == "79161234567"
    assert visit.line.environment.fields["agi_calleridname"] in {"", "unknown"}
    assert not list(asterisk.folder.rglob("owned"))


@pytest.mark.parametrize(
    "number",
    [
        "7916%0A1234567",
        "79161234567,%24%7BSHELL(id)%7D",
        "'79161234567'",
        "79161234567&PJSIP",
        "-7-916-1234567",
    ],
)
async def test_a_number_that_is_none_arrives_as_its_digits(caller: Phone, place: Place, number: str):
    async def flow(visit: Visit) -> None:
        digits = visit.variables["CALLERID(num)"]
        assert digits == "" or digits.isdigit()
        await visit.voice.leave("done")

    async with serve(place.first, flow=flow) as gateway:
        call = await caller.call("0890", caller=number)
        await call.ended()
    assert len(gateway.visits) <= 1


async def test_headers_of_the_caller_set_nothing(caller: Phone, place: Place):
    async def flow(visit: Visit) -> None:
        for name in ("IVR_NEXT", "IVR_QUEUE", "IVR_PRIO", "IVR_SESSION"):
            assert await visit.get(name) == ""
        await visit.voice.leave("done")

    headers = [
        ("IVR_NEXT", "done"),
        ("X-IVR_QUEUE", "sales"),
        ("X-Variable", "IVR_PRIO=9999999999"),
        ("Diversion", '"${SHELL(id)}" <sip:0890@evil>;reason=unconditional'),
        ("Reason", 'Q.850;cause=16;text="x"'),
    ]
    async with serve(place.first, flow=flow) as gateway:
        call = await caller.call("0890", headers=headers)
        await call.ended()
    assert len(gateway.visits) == 1


@pytest.mark.parametrize(
    "number", ["0890&PJSIP%2F1", "0890,1", "79161234567", "s", "h", "T", "102", "cb-queue", "08901", "+"]
)
async def test_what_is_not_a_number_of_ours_is_refused(caller: Phone, place: Place, number: str):
    async with serve(place.first, flow=say_goodbye) as gateway:
        call = await caller.call(number)
        await call.ended()
    assert call.code in {404, 484}
    assert not gateway.visits


@pytest.mark.parametrize(
    "function", ["SHELL(touch owned)", "ENV(PATH)", "FILE(/etc/passwd)", "CURL(http://x)"]
)
async def test_a_text_that_looks_like_a_function_does_nothing_even_for_the_gateway(
    caller: Phone, place: Place, asterisk: Asterisk, function: str
):
    """The modules behind them are not loaded, so not even a gateway that was taken over has them."""
    found: list[str] = []

    async def flow(visit: Visit) -> None:
        found.append(await visit.do("GET FULL VARIABLE", "${" + function + "}"))
        found.append(await visit.do("SET VARIABLE", "IVR_QUEUE", "${" + function + "}"))
        found.append(await visit.get("IVR_QUEUE"))
        await visit.voice.leave("done")

    async with serve(place.first, flow=flow):
        call = await caller.call("0890")
        await call.ended()
    assert found[0] in {"200 result=0", "200 result=1 ()"}
    assert found[2] == "${" + function + "}"
    assert not list(asterisk.folder.rglob("owned"))


@pytest.mark.parametrize(
    "application", ["System", "TrySystem", "ExternalIVR", "Exec", "TryExec", "Originate"]
)
async def test_the_gateway_has_no_application_that_runs_programs(
    caller: Phone, place: Place, application: str
):
    found: list[str] = []

    async def flow(visit: Visit) -> None:
        found.append(await visit.do("EXEC", application, "touch owned"))
        await visit.voice.leave("done")

    async with serve(place.first, flow=flow):
        call = await caller.call("0890")
        await call.ended()
    assert found == ["200 result=-2"]


HOSTILE = 'sales,c,,,1)${SHELL(touch owned)}&PJSIP/1" | x'


async def test_hostile_values_of_the_gateway_name_no_other_queue_and_dial_nothing(
    caller: Phone, network: Phone, place: Place, asterisk: Asterisk
):
    async def flow(visit: Visit) -> None:
        await visit.voice.answer()
        for name in ("IVR_QUEUE", "IVR_PRIO", "IVR_QTIMEOUT", "IVR_RECORD_NOTICE"):
            await visit.do("SET VARIABLE", name, HOSTILE)
        await visit.do("SET VARIABLE", "IVR_RECORD", "yes")
        await visit.do("SET VARIABLE", "IVR_NEXT", "queue")

    async def after(visit: Visit) -> None:
        if visit.status == "UNKNOWN":
            await visit.do("SET VARIABLE", "IVR_CONNECT", HOSTILE)
            await visit.do("SET VARIABLE", "IVR_CTIMEOUT", HOSTILE)
            await visit.voice.leave("connect")
        else:
            await visit.voice.leave("done")

    async with serve(place.first, flow=flow, after=after) as gateway:
        call = await caller.call("0890")
        await call.ended()
    assert [one.status for one in gateway.paths("after")] == ["UNKNOWN", "INVALIDARGS"]
    assert not network.has_rung
    assert not list(asterisk.folder.rglob("owned"))


REFUSED = {
    "command": ("Command", "Command: core show version"),
    "read the secrets": ("GetConfig", "Filename: manager.conf"),
    "write the configuration": ("UpdateConfig", "SrcFilename: manager.conf", "DstFilename: manager.conf"),
    "list files": ("ListCategories", "Filename: ../../etc/passwd"),
    "reload": ("Reload",),
    "load a module": ("ModuleLoad", "LoadType: load", "Module: app_system.so"),
    "set a variable": ("Setvar", "Variable: X", "Value: 1"),
    "read by a shell": ("Getvar", "Variable: SHELL(id)"),
    "end a call": ("Hangup", "Channel: PJSIP/x"),
    "redirect a call": ("Redirect", "Channel: PJSIP/x", "Context: gudok-in", "Exten: 0890", "Priority: 1"),
    "write the database": ("DBPut", "Family: a", "Key: b", "Val: c"),
    "run AGI": ("AGI", "Channel: PJSIP/x", "Command: EXEC System id"),
}
ORIGINATES = {
    "System": "Application: System\r\nData: touch owned",
    "Exec": "Application: Exec\r\nData: System(touch owned)",
    "MixMonitor": "Application: MixMonitor\r\nData: x.wav,,touch owned",
    "AGI": "Application: AGI\r\nData: owned",
    "SHELL": "Application: Set\r\nData: X=${SHELL(touch owned)}",
    "FILE": "Application: Set\r\nData: FILE(/owned)=x",
}


@pytest.mark.parametrize("action", REFUSED.values(), ids=REFUSED)
async def test_the_gateways_ami_user_is_refused(place: Place, asterisk: Asterisk, action: tuple[str, ...]):
    async with log_in(place.ami) as manager:
        assert manager.login["Response"] == "Success"
        reply = await manager.ask(*action)
    assert reply["Response"] == "Error"
    assert re.search("ermission|Forbidden|Invalid", reply["Message"])


@pytest.mark.parametrize("lines", ORIGINATES.values(), ids=ORIGINATES)
async def test_the_gateways_ami_user_can_originate_nothing_that_runs(
    place: Place, asterisk: Asterisk, lines: str
):
    async with log_in(place.ami) as manager:
        reply = await manager.ask("Originate", "Channel: Local/79161234567@gudok-dial", lines)
    assert reply["Response"] == "Error"
    assert not list(asterisk.folder.rglob("owned"))


async def test_nobody_logs_in_without_a_secret(place: Place, asterisk: Asterisk):
    for user, secret in (("gudok", ""), ("gudok", "gudok"), ("admin", "admin")):
        async with log_in(place.ami, user, secret) as manager:
            assert manager.login["Response"] == "Error"


async def test_the_shipped_samples_let_nobody_in():
    """A copy that was never edited has no user with a secret, no agent with a password, no open trunk."""
    for name in ("manager.conf", "pjsip.conf"):
        lines = (SHIPPED / "site" / name).read_text("utf-8").splitlines()
        live = [line for line in lines if not line.startswith(";")]
        assert not [line for line in live if line.startswith(("secret", "password"))]
        assert not [line for line in live if "gudok-trunk" in line or "gudok-agent" in line]
