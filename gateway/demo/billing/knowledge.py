"""The back end `knowledge` of the demo: the first line of an SMS question, by the words in it.

An empty answer means that people have to say something.
"""

from __future__ import annotations

import msgspec

from gateway.demo.billing.entry import Entry

ANSWERS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("обещан",), "Обещанный платёж: *100*4*3#."),
    (("пополн", "оплат", "карт"), "Пополнить счёт: *100*код карты#, приложение, терминал, салон."),
    (("обнов",), "Обновить пакет: *929# или любое SMS на 9290."),
    (("остат", "минут", "гигабайт", "трафик"), "Остатки пакета: *100*1#."),
    (("баланс", "счет", "деньг"), "Баланс: наберите *100#."),
    (("тариф",), "Ваш тариф и смена тарифа: *100*2#."),
    (("опци", "услуг", "отключ", "подпис"), "Опции и услуги: *100*3#."),
    (("роуминг", "границ"), "В роуминге звоните 74957660166 бесплатно."),
    (("салон", "адрес"), "Запись в салон: *150#."),
    (("логин", "пароль", "договор"), "Договор, логин и пароль: *202#."),
    (("потерял", "украл", "блокир"), "Заблокировать номер: *891# или звонок 0891."),
)
"""Beginnings of words, and what is answered to a question that has one of them; the first match holds."""


class Asked(msgspec.Struct, frozen=True):
    """The argument of `knowledge.answer`."""

    question: str


class Found(msgspec.Struct, frozen=True):
    """The answer of `knowledge.answer`; empty if nothing is known."""

    answer: str


def answer(entry: Entry, _: str, asked: Asked) -> Found:
    """`POST /answer`."""
    question = asked.question.casefold().replace("ё", "е")
    for stems, text in ANSWERS:
        if any(stem in question for stem in stems):
            return Found(text)
    return Found("")
