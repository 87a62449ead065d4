"""The language kept from session to session: what is remembered of a choice, and what is made of it."""

from zoneinfo import ZoneInfo

import pytest

from engine.chosen_language import chosen_language, keep_language
from engine.effects import Forget, Remember
from engine.flow import Project

PHONE = "79161234567"
HOUR_MS = 3_600_000


def project(memory: dict[str, int | None], *languages: str) -> Project:
    return Project(languages=languages or ("ru", "tg", "en"), zone=ZoneInfo("UTC"), memory=memory)


def after(*choices: str, memory: dict[str, int | None]) -> dict[str, int]:
    """Return what is kept after these choices."""
    kept: dict[str, int] = {}
    for choice in choices:
        for effect in keep_language(project(memory), PHONE, choice):
            assert effect.subject == PHONE
            if isinstance(effect, Forget):
                kept.pop(effect.name, None)
            else:
                kept[effect.name] = kept.get(effect.name, 0) + 1
    return kept


@pytest.mark.parametrize("choices", [("tg",), ("ru",), ("ru", "en"), ("en", "tg", "en"), ("tg", "ru")])
def test_the_last_choice_is_found_again_and_leaves_two_rows(choices: tuple[str, ...]) -> None:
    kept = after(*choices, memory={"lang": None})
    assert chosen_language(project({"lang": None}), lambda name: kept.get(name, 0)) == choices[-1]
    assert kept == {"lang": 1, f"lang:{choices[-1]}": 1}


def test_it_is_kept_as_long_as_declared() -> None:
    effects = keep_language(project({"lang": HOUR_MS}), PHONE, "tg")
    assert {effect.keep_ms for effect in effects if isinstance(effect, Remember)} == {HOUR_MS}


@pytest.mark.parametrize("memory", [{}, {"lang": 0}, {"seen": None}])
def test_a_project_that_keeps_none_asks_nothing(memory: dict[str, int | None]) -> None:
    def never(name: str) -> int:
        raise AssertionError(name)

    assert keep_language(project(memory), PHONE, "tg") == ()
    assert chosen_language(project(memory), never) == ""


def test_nothing_is_kept_of_a_hidden_number() -> None:
    assert keep_language(project({"lang": None}), "", "tg") == ()


def test_who_never_chose_costs_one_look_up() -> None:
    asked: list[str] = []

    def none(name: str) -> int:
        asked.append(name)
        return 0

    assert chosen_language(project({"lang": None}), none) == ""
    assert asked == ["lang"]


def test_a_language_the_project_has_given_up_is_none() -> None:
    kept = after("tg", memory={"lang": None})
    assert chosen_language(project({"lang": None}, "ru", "en"), lambda name: kept.get(name, 0)) == ""
