"""Amounts on a real Asterisk: the right recordings in the right order, each of them to its end."""

import asyncio
from pathlib import Path

import pytest

from tests.asterisk.peer.phone import Phone
from tests.asterisk.place import Place
from tests.asterisk.server import Asterisk
from tests.asterisk.service import Service, served

pytestmark = pytest.mark.asterisk

SPOKEN = {
    "153.20": ("100 50 3 rubles-2 20 kopecks-5", "сто пятьдесят три рубля двадцать копеек"),
    "1.00": ("1 rubles-1", "один рубль"),
    "21.01": ("20 1 rubles-1 1f kopecks-1", "двадцать один рубль одна копейка"),
    "2000.02": ("2f thousand-2 rubles-5 2f kopecks-2", "две тысячи рублей две копейки"),
    "111000.11": (
        "100 11 thousand-5 rubles-5 11 kopecks-5",
        "сто одиннадцать тысяч рублей одиннадцать копеек",
    ),
}
"""Files below `values/`, and the words of their recordings."""


async def spoken(service: Service, phone: Phone, caller: str) -> tuple[str, str]:
    """Return the files of the balance of a caller, and what they say."""
    ear = await service.menu(phone, caller)
    await ear.call.press("1")
    await ear.hears("Баланс")
    await ear.hears("Советы нажмите")
    names = ear.files()
    head = next(at for at, name in enumerate(names) if service.recordings.texts[name] == "Баланс")
    end = next(at for at, name in enumerate(names) if service.recordings.texts[name].startswith("Остатки"))
    assert not [name for name in ear.cut() if name in names[head:end]]
    said = " ".join(service.recordings.texts[name] for name in names[head + 1 : end])
    ear.call.hang_up()
    return " ".join(name.removeprefix("gudok/ru/values/") for name in names[head + 1 : end]), said


async def test_a_balance_is_heard_as_the_right_row_of_recordings(
    tmp_path: Path, caller: Phone, place: Place, asterisk: Asterisk
):
    async with served(tmp_path, place, asterisk) as service:
        numbers = {f"7916500002{at}": balance for at, balance in enumerate(SPOKEN)}
        for number, balance in numbers.items():
            service.stage.person(number, balance=balance)
        found = await asyncio.gather(*(spoken(service, caller, number) for number in numbers))
        assert dict(zip(numbers.values(), found, strict=True)) == SPOKEN
        await service.over()
