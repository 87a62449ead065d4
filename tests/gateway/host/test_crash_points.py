"""Every point of a talk at which the process may die, the commit may fail or the connection may break.

The talk is played once to count its points and then once for each of them. The ledgers of billing, handset
and store must agree each time: nothing lost, nothing charged twice, the outcome told.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.gateway.host.simulation import PHONE, Simulation, World, audit, lay_out

CONCAT = 0x40


def dial(world: World) -> None:
    world.dial("*7#")


def dial_lost(world: World) -> None:
    world.replies = ["lost"]
    world.dial("*7#")


def dial_lost_twice(world: World) -> None:
    world.replies = ["lost", "lost"]
    world.dial("*7#")


def menu(world: World) -> None:
    world.keys = {"Заказать?": "1", "Что ещё?": "1"}
    world.dial("*8#")


def menu_quick(world: World) -> None:
    world.eager = True
    menu(world)


def menu_left(world: World) -> None:
    world.keys = {"Заказать?": "1", "Что ещё?": "hang up"}
    world.dial("*8#")


def menu_silent(world: World) -> None:
    world.keys = {"Заказать?": "1"}
    world.dial("*8#")


def menu_forgotten(world: World) -> None:
    world.first = 200
    menu_silent(world)


def gone_while_charging(world: World) -> None:
    world.dial("*7#")
    world.hang_up()


def sms(world: World) -> None:
    world.sms(b"hi")


def sms_parts(world: World) -> None:
    for number in (1, 2, 3):
        world.sms(bytes((5, 0, 3, 7, 3, number)) + b"part", esm_class=CONCAT)


def both_at_once(world: World) -> None:
    world.dial("*7#")
    world.sms(b"hi")


TALKS: dict[str, Callable[[World], None]] = {
    one.__name__: one
    for one in (
        dial,
        dial_lost,
        dial_lost_twice,
        menu,
        menu_quick,
        menu_forgotten,
        menu_left,
        menu_silent,
        gone_while_charging,
        sms,
        sms_parts,
        both_at_once,
    )
}


MENUS = (menu, menu_quick, menu_left, menu_silent, menu_forgotten)


def play(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    talk: Callable[[World], None],
    kind: str,
    at: int,
    then: int = 0,
) -> World:
    """Play a talk to its end and compare the ledgers; returns the world."""
    lay_out(root)
    world = World(root, kind, at, then)

    async def run() -> None:
        simulation = Simulation(world, monkeypatch)
        await simulation.start()
        try:
            talk(world)
            await simulation.to_the_end(world.first)
            # Who never sees the menu never says yes; everybody else has asked for it already.
            audit(simulation, charged=None if talk in MENUS else 1)
        finally:
            await simulation.stop()

    try:
        asyncio.run(run())
    except Exception as fault:
        fault.add_note(f"points {at} {then}: {world.happened or 'nothing happened'}")
        raise
    return world


@pytest.mark.parametrize("talk", TALKS.values(), ids=TALKS)
@pytest.mark.parametrize("kind", ["kill", "fail", "cut"])
def test_every_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, talk: Callable[[World], None], kind: str
) -> None:
    points = play(tmp_path / "0", monkeypatch, talk, kind, 0).points
    assert points > 5
    wrong = []
    for at in range(1, points + 1):
        try:
            play(tmp_path / str(at), monkeypatch, talk, kind, at)
        except AssertionError as difference:
            wrong.append(f"{difference} {difference.__notes__}")
    assert not wrong, "\n".join(wrong)
    assert PHONE not in str(wrong)


@pytest.mark.parametrize("talk", [dial_lost, menu, sms_parts], ids=lambda talk: talk.__name__)
def test_a_recovery_that_dies_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, talk: Callable[[World], None]
) -> None:
    points = play(tmp_path / "0", monkeypatch, talk, "kill", 0).points
    for at in range(3, points + 1, 3):
        for later in (1, 2, 4):
            play(tmp_path / f"{at}-{later}", monkeypatch, talk, "kill", at, at + later)
