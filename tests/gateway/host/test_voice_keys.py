"""Which keys answer a question of the shipped flows, and which of them must not have been pressed ahead."""

from pathlib import Path

import pytest

from engine.flow_set import FlowSet
from gateway.host.voice_keys import Charges, Keys, Risk, keys_of
from gateway.host.voice_sound import Sounds
from gateway.library import Library
from tests.gateway.host.question_place import at

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def flows() -> FlowSet:
    return Library(ROOT).current


@pytest.mark.parametrize(
    ("flow", "number", "keys"),
    [
        ("contact_center", 0, Keys(1)),
        ("rate_call", 0, Keys(1)),
        ("identify", 0, Keys(4, "#")),
        ("block_sim", 0, Keys(16, "#")),
    ],
)
def test_an_answer_has_as_many_keys_as_the_question_takes(flows: FlowSet, flow: str, number: int, keys: Keys):
    assert keys_of(flows, at(flows, flow, number)) == keys


@pytest.mark.parametrize(
    ("flow", "number", "outside", "risk"),
    [
        ("contact_center", 0, (), Risk(keys=frozenset("2"))),  # a package is renewed without another question
        ("rate_call", 0, (), Risk()),
        ("my_account", 0, (), Risk()),
        ("block_sim", 1, (), Risk(keys=frozenset("1"))),
        ("marketing_offer", 0, (("contact_center", "marketing_offer"),), Risk(keys=frozenset("1"))),
    ],
)
def test_a_key_that_leads_straight_to_a_charge_is_known(flows: FlowSet, flow, number, outside, risk):
    charges = Charges()
    session = at(flows, flow, number, *outside)
    assert charges.of(flows, session) == risk
    assert charges.of(flows, session) == risk


class Sayer:
    def __init__(self, *files: str) -> None:
        self.said = files
        self.forgotten: list[str] = []

    async def files(self, text, lang):
        return self.said

    def forget(self, files):
        self.forgotten += files


async def test_asterisk_is_told_names_and_never_a_path_of_ours(tmp_path: Path):
    sayer = Sayer(f"{tmp_path}/sounds/ru/greeting", f"{tmp_path}/made/ru/private-1", "beep")
    sounds = Sounds(sayer, ((tmp_path / "sounds", "gudok"), (tmp_path / "made", "gudok-made")))
    names = await sounds.of("", "ru")
    assert names == ("gudok/ru/greeting", "gudok-made/ru/private-1", "beep")
    sounds.forget(names)
    assert sayer.forgotten == list(sayer.said)
