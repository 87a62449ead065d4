"""A message that is known by how it begins does exactly what it does when it is decoded.

Two gateways on paper get the same messages; one of them is watched, and so takes the long way every time.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.flow_set import FlowSet
from engine.key_turn import key_turn
from engine.session import Session
from gateway.host import ussd_known
from gateway.host.batch import Batch
from gateway.host.conversation import Conversation, read_record
from gateway.host.host import Host
from gateway.host.ussd_known import KnownMessages
from gateway.switch import Order
from smpp.pdu.message import Sm
from smpp.testing.dialect import PSSR_INDICATION, STANDARD, USSR_CONFIRM
from tests.gateway.host.rig import Rig, failing, lay_out, rigged

FLOWS = {
    "menus": """\
flow:
  title: Меню
  ussd: "*5#"

start:
  - set: { price: 90 }
  - menu: Ваш номер {{ caller }}
    1 Цена: price
    2 Код: secret
price:
  - menu: "{{ price }} за месяц"
    1 Снова: price
    2 Конец: done
secret:
  - ask: Код?
    type: digits
    save: code
    secret: yes
  - menu: Принято
    1 Цена: price
done:
  - end: Всё
""",
    "greeting": """\
flow:
  title: Приветствие
  ussd: "*6#"

start:
  - say: Здравствуйте
  - menu: Что?
    1 Конец: done
done:
  - end: Всё
""",
}
STEPS = 120
ABORT = 0x81
JUMPS = (0, 5, 300, 3_000, 3_000, 30_000)


def state(rig: Rig) -> dict[str, Any]:
    """Return all that a gateway knows and has said, but for the keyed digests and the moments of its file."""
    lane = rig.gateway.ussd
    dialogs = {}
    for key, dialog in lane.dialogs.by_key.items():
        seen = [msgspec.structs.replace(one, digest=b"") for one in (*dialog.seen, *dialog.older)]
        dialogs[key] = (msgspec.structs.astuple(msgspec.structs.replace(dialog, seen=(), older=())), seen)
    return {
        "conversations": {key: known(one) for key, one in rig.gateway.host.conversations.items()},
        "of dialog": {key: one.key for key, one in lane.ties.sessions.items()},
        "dialogs": dialogs,
        "live": lane.dialogs.live,
        "pages": [(page.sm, page.sticky) for page in rig.link.pages],
        "responses": rig.link.responses,
        "counts": lane.ties.ways["main"].channel.counts,
        "counters": {name: count for name, count in rig.gateway.host.counters.items() if "fail" not in name},
        "stored": [
            (row.key, row.due, stored(rig.gateway.store.get_session(row.key)))
            for row in sorted(rig.gateway.store.load(rig.clock.now()).sessions, key=lambda row: row.key)
        ],
        # Within a transaction the sessions come in any order.
        "journal": sorted(
            (
                (row.at, row.session, row.kind, inputs_of(row.data), row.answer)
                for _, row in rig.gateway.store.journal_after(0, 10_000)
            ),
            key=lambda row: row[:2],
        ),
    }


def known(one: Conversation) -> tuple[object, ...]:
    return one.session, one.version, one.tally, one.hides_input, one.due, one.closing, one.held, one.recorded


def stored(found: tuple[int, bytes] | None) -> object:
    """Return what the store has of a session, without the keyed digests and the moments of the file."""
    assert found is not None
    version, data = found
    record = read_record(data)
    session = msgspec.structs.astuple(record.session)
    dialog = record.dialog
    assert dialog is not None
    dialog = msgspec.structs.replace(dialog, seen=(), older=())
    return version, session, msgspec.structs.astuple(dialog), record.call, record.closing, record.tally


def inputs_of(data: bytes) -> object:
    """Return what came in, of a row of the journal: each gateway has its own key for digests in dialogs."""
    return msgspec.msgpack.decode(data)[1]


class Handset:
    """A subscriber in a dialog, as the centre numbers it."""

    def __init__(self, phone: str, code: str, session: int) -> None:
        self.phone = phone
        self.code = code
        self.session = session
        self.unit = 0

    def say(self, operation: int, text: str) -> Sm:
        return STANDARD.ussd(operation, self.phone, self.code, text, self.session, self.unit)


class Handsets:
    """A few subscribers who dial, type, hang up and have copies delivered, all at random."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._count = 0
        self._live: list[Handset] = []
        self._last: list[Sm] = []

    def messages(self) -> list[Sm]:
        """Return what one read of the link brings."""
        rng = self._rng
        if self._last and rng.random() < 0.1:
            return self._last  # delivered again
        self._last = [self._message() for _ in range(rng.choice((1, 1, 2, 4)))]
        return self._last

    def _message(self) -> Sm:
        rng = self._rng
        act = rng.random()
        if act < 0.3 or not self._live:
            again = rng.choice(self._live).phone if self._live and act < 0.1 else ""
            self._count += 1
            one = Handset(again or f"7916{self._count:07d}", rng.choice("55556789"), self._count % 100)
            self._live = [*self._live[-3:], one]
            return one.say(PSSR_INDICATION, f"*{one.code}#")
        one = rng.choice(self._live)
        one.unit += 1
        if act < 0.35:
            return one.say(ABORT, "")
        return one.say(USSR_CONFIRM, rng.choice(("1", "1", "1", "2", "2", "7", "4321")))


@asynccontextmanager
async def gateways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Rig, Rig]]:
    """Start two gateways with the flows of this module; the first takes the long way."""
    async with AsyncExitStack() as stack:
        rigs = []
        for name in ("long", "short"):
            root = tmp_path / name
            lay_out(root)
            for flow, text in FLOWS.items():
                (root / f"flows/{flow}.yaml").write_text(text, encoding="utf-8")
            rigs.append(await stack.enter_async_context(rigged(root, monkeypatch)))
        long, short = rigs
        long.gateway.host.observers.append(lambda *_: None)
        yield long, short


@pytest.mark.parametrize("seed", range(4))
async def test_both_ways_do_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    taken: Counter[str] = Counter()
    for name in ("_dialled", "_message"):
        real = getattr(KnownMessages, name)

        def noted(self: KnownMessages, *arguments: Any, real: Any = real, name: str = name) -> bool:
            done: bool = real(self, *arguments)
            taken[name] += done
            return done

        monkeypatch.setattr(KnownMessages, name, noted)
    rng = random.Random(seed)
    handsets = Handsets(rng)
    async with gateways(tmp_path, monkeypatch) as rigs:
        for number in range(STEPS):
            messages, jump, broken = handsets.messages(), rng.choice(JUMPS), rng.random() < 0.05
            confirmed = rng.random() < 0.7
            draining = number > STEPS - 10
            for rig in rigs:
                rig.gateway.host.draining = draining
                shown = len(rig.link.pages)
                with failing() if broken else nullcontext():
                    rig.link.bring(*messages)
                    await rig.idle()
                for page in rig.link.pages[shown:] if confirmed else ():
                    rig.link.accept(page)
                    await rig.idle()
                rig.jump(jump)
                await rig.idle()
            long, short = (state(rig) for rig in rigs)
            assert short == long
        assert taken["_dialled"] > STEPS / 20
        assert taken["_message"] > 2 * taken["_dialled"]


async def test_a_fault_on_the_short_way_costs_nobody_an_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    phones = [f"7916123450{n}" for n in range(4)]
    met: list[str] = []

    def failing_turn(flows: FlowSet, session: Session, text: str, now: int) -> Any:
        if session.caller == phones[2]:
            met.append(session.caller)
            raise ValueError("a fault of ours")
        return key_turn(flows, session, text, now)

    async with gateways(tmp_path, monkeypatch) as rigs:
        sets = [Handset(phone, "5", n) for n, phone in enumerate(phones)]
        for unit in range(3):
            monkeypatch.setattr(ussd_known, "key_turn", failing_turn if unit == 2 else key_turn)
            messages = []
            for one in sets:
                one.unit = unit
                messages.append(one.say(USSR_CONFIRM, "1") if unit else one.say(PSSR_INDICATION, "*5#"))
            for rig in rigs:
                rig.link.bring(*messages)
                await rig.idle()
        assert met == [phones[2]]
        long, short = (state(rig) for rig in rigs)
        assert short["counters"].pop("faults") == 1
        for name in (
            "conversations",
            "of dialog",
            "dialogs",
            "live",
            "pages",
            "responses",
            "journal",
            "counters",
        ):
            assert short[name] == long[name]


def switch(batch: Batch, item: tuple[Host, Order]) -> None:
    host, order = item
    host.switches.carry_out(batch, order, "test")


async def test_what_staff_have_switched_off_does_not_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with gateways(tmp_path, monkeypatch) as rigs:
        for rig in rigs:
            host = rig.gateway.host
            await rig.dial("*5#", "79161234567", 1)
            await rig.dial("*5#", "79161234568", 2)
            host.take(switch, (host, Order("off", "menus", text="Закрыто")))
            await rig.dial("*5#", "79161234569", 3)
            assert [text.splitlines()[0] for text in rig.texts] == [
                "Ваш номер 79161234567",
                "Ваш номер 79161234568",
                "Закрыто",
            ]
        assert state(rigs[0]) == state(rigs[1])


async def test_a_fault_in_the_second_message_of_a_read_leaves_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are of one session: what was ready to be stored of the first is opened again for the second."""
    real = Batch.before

    def faulty(self: Batch, conversation: Conversation) -> Any:
        first = self.latest is None
        before = real(self, conversation)
        if first and conversation.tally[0] == 3:
            raise RuntimeError("a fault of ours")
        return before

    phone = "79161234567"
    async with gateways(tmp_path, monkeypatch) as rigs:
        for rig in rigs:
            handset = Handset(phone, "5", 7)
            rig.link.bring(handset.say(PSSR_INDICATION, "*5#"))
            await rig.idle()
            keys = []
            for _ in range(4):
                handset.unit += 1
                keys.append(handset.say(USSR_CONFIRM, "1"))
            for key in keys[:2]:
                rig.link.accept(rig.link.pages[-1])
                rig.link.bring(key)
                await rig.idle()
            (conversation,) = rig.gateway.host.conversations.values()
            assert conversation.plain is conversation.session
            with monkeypatch.context() as patch:
                patch.setattr(Batch, "before", faulty)
                rig.link.bring(*keys[2:])
                await rig.idle()
            assert [status for *_, status in rig.link.responses] == [0, 0, 0, 0, 8]
            assert (conversation.version, conversation.tally[0]) == (4, 3)
            rig.link.bring(keys[3])
            await rig.idle()
            assert (conversation.version, conversation.tally[0]) == (5, 4)
            rig.link.bring(handset.say(USSR_CONFIRM, "2"), handset.say(ABORT, ""))
            await rig.idle()
        short, long = map(state, rigs)
        # A read whose messages are known is tried as a whole first, so its faults and inputs count twice.
        for one in (short, long):
            del one["counts"], one["counters"]
        assert short == long
