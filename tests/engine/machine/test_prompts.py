"""Pages: room by alphabet, breaks, footers; nothing is lost and no page is too long."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.capabilities import PageBudget
from engine.prompts import Footer, Page, fits, in_gsm7, paginate

BUDGET = PageBudget()
FOOTER = Footer("9 Ещё", "0 Назад")
ROOM = [
    ("a" * 182, True), ("a" * 183, False), ("€" * 91, True), ("€" * 92, False), ("я" * 80, True),
    ("я" * 81, False), ("a" * 79 + "₽", True), ("a" * 80 + "₽", False), ("😀" * 40, True), ("😀" * 41, False),
    ("Charged 490\u00a0RUB" + "a" * 70, False), ("", True), ("\ud800" * 81, False),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), ROOM)
def test_room_of_a_page(text: str, expected: bool) -> None:
    assert fits(text, BUDGET) is expected


def test_the_ten_options_of_the_catalogue() -> None:
    names = [
        "Безлимитные соцсети: нет", "Определитель номера: есть", "Антиспам: нет", "Второй номер: нет",
        "Гудок с мелодией: нет", "Роуминг Плюс: нет", "Вам звонили: есть", "Мобильное ТВ: нет", "Музыка: нет",
        "Книги: нет",
    ]  # fmt: skip
    pages = paginate("Ваши опции", names, (), BUDGET, FOOTER, 8)
    assert [page.text.split("\n") for page in pages[:2]] == [
        ["Ваши опции", "1 Безлимитные соцсети: нет", "2 Определитель номера: есть", "9 Ещё"],
        ["1 Антиспам: нет", "2 Второй номер: нет", "3 Гудок с мелодией: нет", "0 Назад", "9 Ещё"],
    ]
    assert [(page.first, page.count) for page in pages] == [(0, 2), (2, 3), (5, 3), (8, 2)]


def test_at_most_eight_elements_a_page_without_a_budget() -> None:
    pages = paginate("Список", [str(number) for number in range(20)], ("0 Отмена",), None, FOOTER, 8)
    assert [(page.first, page.count) for page in pages] == [(0, 8), (8, 8), (16, 4)]
    assert all("0 Отмена" in page.text for page in pages)


def test_a_last_text_offers_nothing_on_its_last_page() -> None:
    pages = paginate("слово " * 30, (), (), BUDGET, Footer("9 Ещё", "0 Назад", ends=True), 0)
    assert "9 Ещё" in pages[0].text
    assert "0 Назад" not in pages[-1].text


TEXTS = st.text(alphabet="abя ё€\n😀{", max_size=400)


@given(
    head=TEXTS, elements=st.lists(st.text(alphabet="abя 😀€", max_size=90), max_size=30), fixed=st.booleans()
)
@settings(max_examples=300, derandomize=True, deadline=None)
def test_every_page_has_room_and_nothing_is_lost(head: str, elements: list[str], fixed: bool) -> None:
    below = ("* Выход",) if fixed else ()
    pages = paginate(head, elements, below, BUDGET, FOOTER, 8)
    assert all(fits(page.text, BUDGET) for page in pages)
    assert all(page.count <= 8 for page in pages)
    shown = [number for page in pages for number in range(page.first, page.first + page.count)]
    assert shown == list(range(len(elements)))[: len(shown)]
    assert len(shown) == len(elements) or len(pages) == 50
    footers = {"9 Ещё", "0 Назад", *below}
    words = "".join(
        line for page in pages for line in page.text.split("\n") if line not in footers and page.count == 0
    )
    if not elements:
        assert words.replace(" ", "") == head.replace("\n", "").replace(" ", "")


@given(TEXTS)
@settings(max_examples=100, derandomize=True, deadline=None)
def test_the_alphabet_is_that_of_the_specification(text: str) -> None:
    assert in_gsm7(text) == all(character in "ab €\n{" for character in text)


def test_a_page_is_plain_data() -> None:
    assert Page("x") == Page("x", 0, 0)
