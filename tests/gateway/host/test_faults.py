"""Faults of our own in the middle of a batch, of a recovery, of a deadline: they harm nobody else."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from engine.effects import End
from engine.inputs import BackendReplied, Input, Text
from engine.machine import advance
from engine.session import Session
from engine.values import Secret
from gateway.host import stepper
from gateway.host.batch import Batch
from tests.gateway.host.simulation import DIALECT, INPUT, PHONE, Simulation, audit, simulated

Play = Callable[[Simulation], Awaitable[None]]


def play(
    root: Path, monkeypatch: pytest.MonkeyPatch, steps: Play, files: dict[str, str] | None = None
) -> None:
    async def run() -> None:
        async with simulated(root, monkeypatch, files) as simulation:
            await steps(simulation)

    asyncio.run(run())


def break_step(monkeypatch: pytest.MonkeyPatch, broken: Callable[[Session, Input], bool]) -> list[Session]:
    """Have the interpreter fail on some inputs; returns the sessions it failed on."""
    met: list[Session] = []

    def failing(flows: Any, session: Session, given: Input, now: int, trace: Any = None) -> Any:
        if broken(session, given):
            met.append(session)
            raise ValueError("a fault of ours")
        return advance(flows, session, given, now, trace)

    monkeypatch.setattr(stepper, "advance", failing)
    return met


def open_orders(simulation: Simulation) -> list[tuple[str, str]]:
    rows = simulation.gateway.store._read.execute("SELECT operation, state FROM ledger WHERE open = 1")
    return rows.fetchall()


def test_a_fault_takes_back_only_what_its_own_input_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def steps(simulation: Simulation) -> None:
        simulation.world.dial("*8#")
        await simulation.settle()
        host = simulation.gateway.host
        (conversation,) = host.conversations.values()
        left: list[str] = []

        def first(batch: Batch, _: object) -> None:
            batch.touch(conversation).remember(PHONE, "first", batch.now, None)
            conversation.order = "kept"
            batch.leave(left.append, "first")

        def second(batch: Batch, _: object) -> None:
            group = batch.touch(conversation)
            group.remember(PHONE, "second", batch.now, None)
            conversation.order = "lost"
            batch.leave(left.append, "second")
            raise ValueError("a fault of ours")

        host.take_later(first, None)
        host.take_later(second, None)
        await simulation.settle()
        assert conversation.order == "kept"
        assert left == ["first"]
        store, now = simulation.gateway.store, simulation.world.clock.now()
        assert store.count_memory(PHONE, "first", now) == 1
        assert store.count_memory(PHONE, "second", now) == 0
        conversation.order = None

    play(tmp_path, monkeypatch, steps)


def test_an_outcome_is_stored_although_its_session_cannot_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    met = break_step(monkeypatch, lambda _, given: isinstance(given, BackendReplied))

    async def steps(simulation: Simulation) -> None:
        simulation.world.dial("*7#")
        await simulation.settle()
        assert met
        assert open_orders(simulation) == []
        monkeypatch.setattr(stepper, "advance", advance)
        simulation.world.dial("*7#")
        await simulation.settle()
        assert "Куплено раньше." in simulation.world.screens
        assert len(simulation.world.charges) == 1

    play(tmp_path, monkeypatch, steps)


def test_one_broken_session_does_not_hold_up_the_recovery_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def steps(simulation: Simulation) -> None:
        world = simulation.world
        world.replies = ["lost", "lost"]
        world.keys = {"Заказать?": "1"}
        world.dial("*8#")
        await simulation.settle()
        world.sms(b"hi")
        world.kind, world.at = "kill", world.points + 4
        met = break_step(
            monkeypatch,
            lambda session, given: (
                session.channel == "sms" and isinstance(given, BackendReplied) and simulation.starts > 1
            ),
        )
        await simulation.to_the_end()
        assert simulation.starts == 2, world.happened
        assert met, world.happened
        assert open_orders(simulation) == []
        assert len(world.charges) == 2
        assert len([text for text in world.inbox if "оплата прошла" in text]) == 2

    play(tmp_path, monkeypatch, steps)


def test_a_recovery_that_cannot_be_stored_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def steps(simulation: Simulation) -> None:
        world = simulation.world
        world.dial("*7#")
        world.kind, world.at = "kill", world.points + 5
        while not world.dead:
            await asyncio.sleep(0)
            world.deliver()
        assert world.happened == "kill at charge; "
        world.failing = 3
        await simulation.to_the_end()
        audit(simulation, charged=1)

    play(tmp_path, monkeypatch, steps)


def test_a_deadline_whose_turn_failed_comes_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def steps(simulation: Simulation) -> None:
        simulation.world.dial("*8#")
        await simulation.settle()
        met = break_step(monkeypatch, lambda _, given: not isinstance(given, Text))
        await simulation.pass_time(200)
        assert met
        assert simulation.gateway.host.conversations
        monkeypatch.setattr(stepper, "advance", advance)
        await simulation.pass_time(61)
        assert not simulation.gateway.host.conversations

    play(tmp_path, monkeypatch, steps)


def test_an_answer_with_which_the_network_closes_the_dialog_gets_its_outcome_by_sms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def steps(simulation: Simulation) -> None:
        world = simulation.world
        world.keys = {"Заказать?": "1", "Что ещё?": "1"}
        world.dial("*8#")
        await simulation.settle()
        world.screens.clear()
        world.keys = {}
        world.dial("*8#")
        await simulation.settle()
        world.say(INPUT, "1", last=True)
        world.dialog = 0
        await simulation.to_the_end()
        assert world.inbox == ["Заказано."]
        audit(simulation, charged=1)

    play(tmp_path, monkeypatch, steps)


def test_a_secret_on_the_last_page_is_not_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def steps(simulation: Simulation) -> None:
        simulation.world.dial("*8#")
        await simulation.settle()
        gateway = simulation.gateway
        (conversation,) = gateway.host.conversations.values()

        def end(batch: Batch, _: object) -> None:
            batch.touch(conversation)
            batch.touched[conversation.key].inputs.append(("Text", "2"))
            conversation.session = advance(
                conversation.flows, conversation.session, Text("2"), batch.now
            ).session
            gateway.ussd.end(batch, conversation, End(Secret("hunter2canary"), "left", False))

        gateway.host.take(end, None)
        await simulation.settle()
        assert "hunter2canary" in simulation.world.screens
        rows = (
            sqlite3.connect(gateway.store.path).execute("SELECT kind, data, answer FROM journal").fetchall()
        )
        assert any(kind == "last_turn" for kind, *_ in rows)
        assert not [kind for kind, *octets in rows if any(b"canary" in (one or b"") for one in octets)]

    play(tmp_path, monkeypatch, steps)


def test_a_message_without_a_receipt_is_not_kept_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"config/dialects/standard.yaml": DIALECT + "sms:\n  receipts: none\n"}

    async def steps(simulation: Simulation) -> None:
        simulation.world.sms(b"hi")
        await simulation.settle()
        assert simulation.world.inbox == ["Куплено."]
        assert len(simulation.gateway.outbox) == 0

    play(tmp_path, monkeypatch, steps, files)
