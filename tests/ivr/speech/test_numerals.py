"""Numbers, money, days and years in words: equal to those of num2words, and to vectors."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from num2words import num2words

from engine.spoken import Typed, pieces
from ivr.numerals import MOST, TONGUES, tongue
from ivr.numerals.tongue import NotSpokenError
from ivr.speech import value_words

VECTORS = yaml.safe_load((Path(__file__).parent / "values.yaml").read_text(encoding="utf-8"))
NUMBERS = [
    *range(2_000),
    *(random.Random(7).randrange(10**size) for size in range(4, 13) for _ in range(300)),
]


def said(lang, parts):
    return " ".join(TONGUES[lang].every_word[part] for part in parts)


def test_russian_numbers_are_those_of_num2words():
    for number in NUMBERS:
        assert said("ru", TONGUES["ru"].whole(number)) == num2words(number, lang="ru")


def test_english_numbers_are_those_of_num2words():
    for number in NUMBERS:
        expected = num2words(number, lang="en").replace(",", "").replace("-", " ")
        assert said("en", TONGUES["en"].whole(number)) == expected


def test_rubles_and_kopecks_are_those_of_num2words():
    hundredths = random.Random(8)
    for number in NUMBERS[1:]:
        amount = number + Decimal(hundredths.randrange(100)) / 100
        expected = num2words(amount, lang="ru", to="currency", currency="RUB").replace(",", "")
        assert said("ru", TONGUES["ru"].money(amount, "RUB")) == expected.removesuffix(" ноль копеек")


def test_days_and_years_are_the_ordinals_of_num2words():
    russian = TONGUES["ru"]
    for day in range(1, 32):
        expected = num2words(day, lang="ru", to="ordinal", case="g", gender="n")
        assert said("ru", russian.date(5, day, None)) == f"{expected} мая"
    for year in range(1900, 2200):
        expected = num2words(year, lang="ru", to="ordinal", case="g", gender="m")
        assert said("ru", russian.date(1, 1, year)) == f"первого января {expected} года"


def test_decimals_are_those_of_num2words():
    for hundredths in range(1, 2_500):
        value = Decimal(hundredths) / 100
        if value != int(value):
            assert said("ru", TONGUES["ru"].number(value)) == num2words(value, lang="ru")


@pytest.mark.parametrize(
    "vector", VECTORS, ids=lambda vector: f"{vector['lang']} {vector['kind']} {vector['value']}"
)
def test_a_value_is_said(vector):
    piece = Typed(vector["kind"], vector["value"], "shown")
    assert value_words(piece, vector["lang"]) == vector["said"]


@pytest.mark.parametrize("lang", sorted(TONGUES))
def test_all_parts_of_all_values_have_words(lang):
    rules = TONGUES[lang]
    for number in NUMBERS:
        for gender in "mfn":
            assert all(part in rules.words for part in rules.whole(number, gender))
    for hour in range(24):
        for minute in range(60):
            assert all(part in rules.words for part in rules.time(hour, minute))
    for month in range(1, 13):
        for day in range(1, 32):
            assert all(part in rules.words for part in rules.date(month, day, 2000 + day))
    for currency in rules.currencies:
        assert all(part in rules.script(currency) for part in rules.money(Decimal("1122.33"), currency))


@pytest.mark.parametrize("lang", sorted(TONGUES))
def test_names_of_recordings_are_file_names(lang):
    for name, word in TONGUES[lang].every_word.items():
        assert name.isascii()
        assert name.replace("-", "").isalnum()
        assert word.strip() == word != ""


@pytest.mark.parametrize("lang", sorted(TONGUES))
def test_two_different_words_have_two_recordings(lang):
    """No two numbers are said alike: a balance is never another one."""
    rules = TONGUES[lang]
    whole = [said(lang, rules.whole(number)) for number in range(20_000)]
    assert len(set(whole)) == len(whole)


@given(number=st.integers(-MOST - 10, MOST + 10))
@settings(max_examples=300, derandomize=True, deadline=None)
def test_a_number_is_said_or_refused(number):
    for rules in TONGUES.values():
        if abs(number) > MOST:
            with pytest.raises(NotSpokenError):
                rules.bounded(number)
        else:
            assert all(part in rules.words for part in rules.bounded(number))


@given(text=st.text(max_size=30))
@settings(max_examples=300, derandomize=True, deadline=None)
def test_any_value_is_said_somehow(text):
    for lang in (*TONGUES, "uz"):
        for kind in ("money", "date", "time", "duration", "phone", "digits", "key", "number", "count", "odd"):
            assert value_words(Typed(kind, text, "как есть"), lang)


def test_a_language_without_rules_is_known_as_such():
    assert tongue("uz") is None
    assert tongue("ru-RU") is TONGUES["ru"]
    assert pieces("") == ()
