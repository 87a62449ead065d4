"""The store against a model of dictionaries: any order of batches, losses, failures and restarts."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gateway.store.batch import StoreBatch
from gateway.store.error import StoreError
from gateway.store.record import JournalRow, MessageState, OutboxRow
from gateway.store.sealing import Sealer
from gateway.store.sqlite import SqliteStore

KEYS = st.sampled_from(["a", "b", "c", "д"])
NAMES = st.sampled_from(["seen", "tries"])
NOW = 1_000

TURN = st.fixed_dictionaries(
    {
        "key": KEYS,
        "stale": st.booleans(),
        "drop": st.booleans(),
        "ready": st.booleans(),
        "sealed": st.booleans(),
        "data": st.binary(max_size=40),
        "remember": st.lists(st.tuples(KEYS, NAMES, st.sampled_from([None, 900, 2_000])), max_size=2),
        "forget": st.lists(st.tuples(KEYS, NAMES), max_size=1),
        "event": st.none() | st.integers(0, 3),
        "message": st.none() | st.tuples(st.integers(0, 3), st.sampled_from(list(MessageState))),
    }
)


class StoreModel(RuleBasedStateMachine):
    """What must be true of every adapter."""

    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gudok-model-"))
        self.sessions: dict[str, tuple[int, bytes]] = {}
        self.memory: dict[tuple[str, str], list[int | None]] = {}
        self.events: set[str] = set()
        self.outbox: dict[str, MessageState] = {}
        self.journal = 0
        self.store = self._opened()

    def _opened(self) -> SqliteStore:
        return SqliteStore(self.folder / "gudok.db", Sealer(bytes(32)), reserve_size=0)

    @rule(
        turns=st.lists(TURN, min_size=1, max_size=6, unique_by=lambda turn: turn["key"]), fails=st.booleans()
    )
    def commit(self, turns: list[dict[str, object]], fails: bool) -> None:
        batch = self.store.batch()
        before = (
            dict(self.sessions),
            {pair: list(untils) for pair, untils in self.memory.items()},
            set(self.events),
            dict(self.outbox),
            self.journal,
        )
        lost_by_model = sum(self._take(batch, turn) for turn in turns)
        if fails:
            size = self.store._write.execute("PRAGMA page_count").fetchone()[0]
            self.store._write.execute(f"PRAGMA max_page_count = {size}")
            batch.group().journal(JournalRow(NOW, "big", "big", bytes(50_000)))
            try:
                self.store.commit_now(batch)
            except StoreError:
                pass
            else:
                raise AssertionError("a full disk was not noticed")
            self.store._write.execute("PRAGMA max_page_count = 1073741823")
            self.sessions, self.memory, self.events, self.outbox, self.journal = before
        else:
            assert len(self.store.commit_now(batch)) == lost_by_model

    def _take(self, batch: StoreBatch, turn: dict[str, object]) -> bool:
        group = batch.group()
        key = turn["key"]
        present = self.sessions.get(key)
        version = present[0] if present else 0
        given = version + 7 if turn["stale"] else version
        if turn["drop"]:
            group.drop_session(key, given)
        else:
            group.put_session(key, given, turn["data"], NOW, turn["sealed"])
        ready = turn["ready"] and turn["event"] is None and not (turn["remember"] or turn["forget"])
        if not ready:
            group.journal(JournalRow(NOW, key, "turn"))
        event = None if turn["event"] is None else str(turn["event"])
        if event is not None:
            group.once_id("event", event, NOW)
        for subject, name, until in turn["remember"]:
            group.remember(subject, name, NOW, until)
        for subject, name in turn["forget"]:
            group.forget(subject, name)
        if turn["message"] is not None:
            number, state = turn["message"]
            group.outbox(OutboxRow(str(number), "7916", "9290", "text", NOW, NOW, NOW, state))
        if ready:  # as a host has it of a session that does nothing but go on or end
            batch.groups.remove(group)
            entry = (group.sessions[0], (NOW, key, "turn", [], None), group.rows)
            (batch.ended if turn["drop"] else batch.kept).append(entry)
        if turn["stale"] or event in self.events:
            return True
        if turn["drop"]:
            self.sessions.pop(key, None)
        else:
            self.sessions[key] = (version + 1, turn["data"])
        if event is not None:
            self.events.add(event)
        for subject, name, until in turn["remember"]:
            self.memory.setdefault((subject, name), []).append(until)
        for subject, name in turn["forget"]:
            self.memory[subject, name] = []
        if turn["message"] is not None:
            self.outbox[str(number)] = state
        self.journal += 1
        return False

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.store = self._opened()

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "store"):
            return
        for key in ("a", "b", "c", "д"):
            assert self.store.get_session(key) == self.sessions.get(key)
            for name in ("seen", "tries"):
                untils = self.memory.get((key, name), [])
                alive = sum(1 for until in untils if until is None or until > NOW)
                assert self.store.count_memory(key, name, NOW) == alive
        loaded = self.store.load(NOW)
        assert {item.key: item.version for item in loaded.sessions} == {
            key: version for key, (version, _) in self.sessions.items()
        }
        open_states = {MessageState.WAITING, MessageState.SENT, MessageState.ACCEPTED}
        assert {row.id: row.state for row in loaded.outbox} == {
            id_: state for id_, state in self.outbox.items() if state in open_states
        }
        assert {event for event in "0123" if self.store.seen("event", event)} == self.events
        numbers = [number for number, _ in self.store.journal_after(0, 10_000)]
        assert numbers == list(range(1, self.journal + 1))
        assert self.store._memory._entries == {}

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            shutil.rmtree(self.folder)


StoreModel.TestCase.settings = settings(
    max_examples=25, stateful_step_count=12, deadline=None, derandomize=True
)
TestStoreModel = StoreModel.TestCase
