"""Keys that cost something, in flows made for it: what a key pressed ahead never does."""

import msgspec
import pytest

from engine.capabilities import Channel
from engine.session import Waiting
from gateway.host.voice_keys import RISKY, SAFE, Charges, Risk
from gateway.library import Library
from tests.gateway.host.phone import BUYS, PROJECT, phones
from tests.gateway.host.question_place import at
from tests.gateway.host.rig import FILES

HEAD = "flow:\n  title: Звонок\n"
CALLED = HEAD + '  call: "100"\n'
MENU = "  - menu: Что?\n    1 Купить: buy\n    2 Слушать: listen\n"
LISTEN = "\nlisten:\n  - say: Музыка.\n  - go: start\n"
BUY = "\nbuy:\n" + BUYS
START = "\nstart:\n"
TEXTS = {
    "a key": CALLED + START + MENU + BUY + LISTEN,
    "the key of the operator": CALLED
    + "  operator: buy\n"
    + START
    + MENU.replace("buy", "listen")
    + BUY
    + LISTEN,
    "wrong keys": CALLED + START + MENU.replace("buy", "listen") + "    no_match: buy\n" + BUY + LISTEN,
    "a number": CALLED + START + "  - ask: Сколько?\n    type: int\n    save: n\n" + BUYS,
    "a number before a question": CALLED
    + START
    + "  - ask: Сколько?\n    type: int\n    save: n\n"
    + MENU
    + BUY
    + LISTEN,
    "a fault": CALLED
    + "  errors:\n    voice: buy\n"
    + START
    + MENU.replace("buy", "ask")
    + "\nask:\n  - request: shop.look\n    save: s\n  - go: start\n"
    + BUY
    + LISTEN,
    "a word that means people": CALLED
    + "  operator: buy\n"
    + START
    + "  - ask: Сколько?\n    type: int\n    save: n\n  - go: operator\n"
    + BUY,
}
RISKS = {
    "a key": Risk(keys=frozenset("1")),
    "the key of the operator": RISKY,  # three wrong keys lead to people as well
    "wrong keys": RISKY,
    "a number": RISKY,
    "a number before a question": SAFE,
    "a fault": Risk(keys=frozenset("1")),
    "a word that means people": RISKY,
}


def library(root, flow):
    files = {name: text for name, text in FILES.items() if not name.startswith("flows/") or "settled" in name}
    files |= {"config/project.yaml": PROJECT, "flows/a.yaml": flow}
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Library(root).current


@pytest.mark.parametrize("name", TEXTS)
def test_every_way_that_costs_something_is_seen(tmp_path, name):
    flows = library(tmp_path, TEXTS[name])
    assert Charges().of(flows, at(flows, "a", 0)) == RISKS[name]


def test_to_begin_a_broken_call_anew_may_cost_something(tmp_path):
    first = (
        CALLED + "  resume: 1h\n" + START + BUYS.replace("end: Куплено", "say: Куплено") + MENU + BUY + LISTEN
    )
    flows = library(tmp_path, first)
    session = msgspec.structs.replace(at(flows, "a", 0), waiting=Waiting.OFFER)
    assert Charges().of(flows, session) == Risk(keys=frozenset("2"))
    flows = library(tmp_path, CALLED + "  resume: 1h\n" + START + MENU + BUY + LISTEN)
    assert Charges().of(flows, at(flows, "a", 0)) == Risk(keys=frozenset("1"))
    session = msgspec.structs.replace(at(flows, "a", 0), waiting=Waiting.OFFER)
    assert Charges().of(flows, session) == SAFE


HELLO = CALLED + START + "  - say: Здравствуйте!\n" + MENU + BUY + LISTEN


async def test_a_key_in_the_greeting_is_the_answer_of_the_question_behind_it(tmp_path, monkeypatch):
    """Greeting and menu are one prompt: the key has interrupted the menu, and what it costs is meant."""
    async with phones(tmp_path, monkeypatch, {"a": HELLO}) as them, them.call("100") as one:
        prompt = await one.question()
        assert them.said(one).startswith("Здравствуйте! Что?")
        assert len(prompt.files) == 1
        one.press("1")
        await them.backend_asked()
        await them.rig.reply("done")
        await one.rest()
        assert len(them.rig.backend.calls) == 1


@pytest.mark.parametrize("keys", ["21", "#1", "91", "2121", "#221"])
async def test_a_key_behind_any_other_key_buys_nothing(tmp_path, monkeypatch, keys):
    async with phones(tmp_path, monkeypatch, {"a": HELLO}) as them, them.call("100") as one:
        await one.question()
        one.press(keys)
        while "Что?" not in them.said(one, 1):
            await one.question()
            await them.rig.idle()
        await them.rig.idle()
        assert them.rig.backend.calls == []
        one.press("1")
        await them.backend_asked()
        await them.rig.reply("done")
        await one.rest()
        assert len(them.rig.backend.calls) == 1


def test_the_project_has_a_key_for_people(tmp_path):
    flows = library(tmp_path, TEXTS["a key"])
    assert flows.channels[Channel.VOICE].operator == "0"
