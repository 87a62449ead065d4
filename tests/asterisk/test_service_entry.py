"""How a call comes in, on a real Asterisk: before it is answered, with hostile names, from strangers."""

import asyncio
from pathlib import Path

import pytest

from tests.asterisk.peer.phone import Phone
from tests.asterisk.place import AGENTS, Place
from tests.asterisk.recording import PATIENCE_S
from tests.asterisk.server import Asterisk
from tests.asterisk.service import HELLO, MENU, OFFER, PHONE, served

pytestmark = pytest.mark.asterisk

EARLY = """\
flow:
  title: Справка до ответа
  call: "0895"
  answer: late

start:
  - say: Здравствуйте! Это Гудок.
  - menu: Главное меню.
    1 Остатки:
      - answer:
      - say: Спасибо за оценку!
      - end: Хорошо, больше не предложим.
"""
OTHER = "79160000009"


async def test_a_flow_speaks_before_the_call_is_answered_and_paid(
    tmp_path: Path, caller: Phone, place: Place, asterisk: Asterisk
):
    async with served(tmp_path, place, asterisk, files={"flows/complaint.yaml": EARLY}) as service:
        ear = await service.dial(caller, PHONE, "0895")
        await ear.call.early_media(within=PATIENCE_S)
        await ear.hears(MENU)
        assert ear.call.state == "ringing"
        await ear.call.press("1")
        await ear.hears("Спасибо за оценку! Хорошо, больше не предложим.")
        assert ear.call.state in {"up", "ended"}
        assert ear.call.code == 0
        await ear.call.ended(within=PATIENCE_S)
        await service.over()


NAMES = {
    "79165000061": '"Anna) (200 result=1"',
    "79165000062": '"${SHELL(touch owned)}\\" ,x"',
    "79165000063": '"\\\\\\" EXEC System \\"touch owned"',
    "79165000064": '"x%0Aagi_network_script: flow?number=0891%0Aagi_arg_1: x"',
    "79165000065": '"\\n\\nagi_callerid: 79160000009\\n200 result=1 (79160000009)"',
    "79165000066": '"511 result=-1 endpos=0"',
}
FORGED = [
    ("X-IVR-SESSION", "0" * 32),
    ("IVR_SESSION", "0" * 32),
    ("X-GUDOK-TOKEN", "${GUDOK_TOKEN}"),
    ("Diversion", f'"${{SHELL(touch owned)}}" <sip:{OTHER}@127.0.0.1>;reason=unconditional'),
    ("X-agi_callerid", OTHER),
    ("Call-Info", f"<sip:{OTHER}@127.0.0.1>"),
]


async def test_whatever_a_caller_is_called_he_gets_his_own_flow_and_nothing_else(
    tmp_path: Path, caller: Phone, place: Place, asterisk: Asterisk
):
    async with served(tmp_path, place, asterisk) as service:
        for number in NAMES:
            service.stage.person(number)
        ears = [
            await service.dial(caller, number, name=name, headers=FORGED) for number, name in NAMES.items()
        ]
        await asyncio.gather(*(ear.hears(OFFER) for ear in ears))
        sessions = service.sessions
        assert sorted(one.caller for one in sessions) == sorted(NAMES)
        assert {one.frames[0].flow for one in sessions} == {"contact_center"}
        for ear in ears:
            ear.call.hang_up()
        await service.over()
        assert not list(asterisk.folder.rglob("owned"))


@pytest.mark.parametrize("number", ["anonymous", "79160000001)x", "%24%7BSHELL(touch%20owned)%7D"])
async def test_a_number_that_is_none_is_no_other_subscriber(
    tmp_path: Path, caller: Phone, place: Place, asterisk: Asterisk, number: str
):
    """What is left of it are its digits: a subscriber's number only if the network has written one."""
    async with served(tmp_path, place, asterisk) as service:
        ear = await service.dial(caller, number, headers=FORGED)
        await ear.hears(HELLO)
        (session,) = service.sessions
        digits = "".join(sign for sign in number if sign.isdigit())
        assert session.caller in {digits if len(digits) == 11 else "", ""}
        assert session.caller != OTHER
        ear.call.hang_up()
        await service.over()
        assert not list(asterisk.folder.rglob("owned"))


async def test_only_the_trunk_says_who_calls(tmp_path: Path, caller: Phone, place: Place, asterisk: Asterisk):
    """The network's word on the trunk counts; a stranger and an agent's telephone do not get in with it."""
    asserted = [("P-Asserted-Identity", f"<sip:{OTHER}@127.0.0.1>")]
    asserted += [("Remote-Party-ID", f"<sip:{OTHER}@127.0.0.1>;party=calling")]
    loop = asyncio.get_running_loop()
    _, stranger = await loop.create_datagram_endpoint(
        lambda: Phone(("127.0.0.1", place.sip)), local_addr=("127.0.0.2", 0)
    )
    try:
        async with served(tmp_path, place, asterisk) as service:
            for who in (PHONE, AGENTS[0], "network"):
                assert await refused(stranger, who, asserted) in {401, 403, 404}, who
            assert service.stage.counted("calls.entered") == 0
            ear = await service.dial(caller, PHONE, headers=asserted)
            await ear.hears(HELLO)
            (session,) = service.sessions
            assert session.caller == OTHER
            ear.call.hang_up()
            await service.over()
    finally:
        await stranger.close()


async def refused(phone: Phone, who: str, headers: list[tuple[str, str]]) -> int:
    """Call the main line and return why it was refused, 0 if it was not."""
    call = await phone.call("0890", caller=who, headers=headers)
    await call._until(lambda: call.state in {"up", "ended"}, PATIENCE_S, f"{who} gets no answer")
    return call.code if call.state == "ended" else 0
