"""«Обнови пакет», all 384 cases: refusals in every combination, every kind of tariff, USSD and SMS.

The cases are made from the law of the service, in its order: G1 R4 R2 R6 R3 R5 R1. Each has a subscriber of
its own; what he is told and what the billing's ledger holds are compared for each.
"""

import asyncio
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.stage import Stage, staged

REFUSALS = {
    "R4": "На вашем номере нет услуги для обновления пакета.",
    "R2": "Номер заблокирован. Снимите блокировку и повторите.",
    "R6": "Плата за тариф ещё не списана. Повторите завтра.",
    "R3": "Пакет обновляется только при оплате за месяц.",
    "R5": "У вас скидка 100%, обновлять пакет не нужно.",
    "R1": "Не хватает {missing} ₽. Пополните счёт.",
}
NOT_LISTED = "На вашем тарифе нельзя обновить пакет."
TARIFFS = {
    "listed": ("smart", "490", "19,60"),
    "archived": ("smart_2014", "450", "18"),
    "not_listed": ("per_second", "150", "6"),
}
"""Kind -> id in the billing, monthly fee, daily fee, as texts show them."""


@dataclass(frozen=True)
class Case:
    """A subscriber, and what he must be told."""

    phone: str
    rules: frozenset[str]
    tariff: str

    @property
    def name(self) -> str:
        return "+".join([self.tariff, *sorted(self.rules)])

    @property
    def refused(self) -> bool:
        return bool(self.rules) or self.tariff == "not_listed"

    @property
    def text(self) -> str:
        fee = TARIFFS[self.tariff][1]
        if self.tariff == "not_listed":
            return NOT_LISTED
        for rule, text in REFUSALS.items():
            if rule in self.rules:
                return text.format(missing=f"{int(fee) - 100},50")
        return f"Пакет обновлён, списано {fee} ₽. Остатки сохранены на месяц."

    def fields(self) -> dict[str, Any]:
        rules = self.rules
        return {
            "tariff": TARIFFS[self.tariff][0],
            "service": "R4" not in rules,
            "blocks": ("voluntary",) if "R2" in rules else (),
            "unpaid": "R6" in rules,
            "period": "day" if "R3" in rules else "month",
            "discount": 100 if "R5" in rules else 0,
            # A fee of zero is not covered by a debt only.
            "balance": ("-5.00" if rules & {"R3", "R5"} else "99.50") if "R1" in rules else "2000.00",
        }


AT_ONCE = 8
"""On a slow disk the last of many at once would wait longer for the billing than a centre waits for us."""


def cases(tariff: str, base: int) -> list[Case]:
    """All 64 combinations of the six refusals."""
    combinations = product((False, True), repeat=len(REFUSALS))
    return [
        Case(f"7916{base + n:07d}", frozenset(r for r, on in zip(REFUSALS, row, strict=True) if on), tariff)
        for n, row in enumerate(combinations)
    ]


async def told(stage: Stage, entry: str, case: Case) -> str:
    """Order the renewal and return what the subscriber was told."""
    if entry == "ussd":
        dialog = await stage.centre.dial(case.phone, "*929#")
        assert not dialog.open, f"{case.name}: the dialogue stayed open"
        return dialog.screen
    await stage.centre.sms(case.phone, "9290", "обнови")
    message = await stage.centre.next_sms(case.phone)
    assert message.source == "9290"
    return message.text


def test_there_are_384_cases():
    every = [
        (entry, case.tariff, case.rules)
        for entry in ("ussd", "sms")
        for tariff in TARIFFS
        for case in cases(tariff, 0)
    ]
    assert len(every) == len(set(every)) == 384


@pytest.mark.parametrize("entry", ["ussd", "sms"])
@pytest.mark.parametrize("tariff", list(TARIFFS))
async def test_the_first_refusal_that_applies_or_one_charge(tmp_path: Path, entry: str, tariff: str):
    async with staged(tmp_path) as stage:
        wanted = cases(tariff, 5_000_000)
        for case in wanted:
            stage.person(case.phone, **case.fields())
        answers: list[str] = []
        for some in (wanted[at : at + AT_ONCE] for at in range(0, len(wanted), AT_ONCE)):
            answers += await asyncio.gather(*(told(stage, entry, case) for case in some))
        wrong = {
            case.name: (answer, case.text)
            for case, answer in zip(wanted, answers, strict=True)
            if answer != case.text
        }
        assert not wrong
        await stage.quiet()
        for case in wanted:
            charges = stage.charges(case.phone)
            assert len(charges) == (0 if case.refused else 1), case.name
            if entry == "ussd":
                assert stage.inbox(case.phone) == [], case.name
            else:
                assert len(stage.inbox(case.phone)) == 1, case.name
        refused = sum(case.refused for case in wanted)
        assert stage.counted("note.refused") == refused
        assert (
            sum(n for name, n in stage.gateway.host.counters.items() if name.startswith("refused."))
            == refused
        )
