"""Subscriber numbers: one form, ASCII digits only."""

from __future__ import annotations

import pytest

from smpp.msisdn import Country, masked, normal_msisdn

RUSSIA = Country("7", "8", 10)
TAJIKISTAN = Country("992", "", 9)


@pytest.mark.parametrize(
    ("raw", "ton", "country", "number"),
    [
        (b"79161234567", 1, RUSSIA, "79161234567"),
        (b"+79161234567", 0, RUSSIA, "79161234567"),
        (b"+79161234567", 1, RUSSIA, "79161234567"),
        (b"0079161234567", 0, RUSSIA, "79161234567"),
        (b"0079161234567", 1, RUSSIA, "79161234567"),
        (b"89161234567", 0, RUSSIA, "79161234567"),
        (b"89161234567", 2, RUSSIA, "79161234567"),
        (b"9161234567", 0, RUSSIA, "79161234567"),
        (b"9161234567", 2, RUSSIA, "79161234567"),
        (b"79161234567", 0, RUSSIA, "79161234567"),
        (b"380501234567", 0, RUSSIA, "380501234567"),
        (b"66977091205", 1, RUSSIA, "66977091205"),
        (b"918123456", 0, TAJIKISTAN, "992918123456"),
        (b"992918123456", 0, TAJIKISTAN, "992918123456"),
        (b"79161234567", 0, Country(), "79161234567"),
        (b"9290", 0, RUSSIA, None),
        (b"9290", 1, RUSSIA, None),
        (b"1234567", 1, RUSSIA, None),
        (b"1234567890123456", 1, RUSSIA, None),
        (b"79161234567", 5, RUSSIA, None),
        (b"79161234567", 3, RUSSIA, None),
        (b"79161234567", 6, RUSSIA, None),
        (b"Gudok", 0, RUSSIA, None),
        (b"", 1, RUSSIA, None),
        (b"+", 1, RUSSIA, None),
        (b"++79161234567", 1, RUSSIA, None),
        ("７９１６１２３４５６７".encode(), 1, RUSSIA, None),
        ("٧٩١٦١٢٣٤٥٦٧".encode(), 1, RUSSIA, None),
        (b"\xb2\xb3\xb9\xb2\xb3\xb9\xb2\xb3\xb9", 1, RUSSIA, None),
        (b"7916 1234567", 1, RUSSIA, None),
    ],
)
def test_the_form_of_a_number(raw: bytes, ton: int, country: Country, number: str | None) -> None:
    assert normal_msisdn(raw, ton, 1, country) == number


def test_a_normal_number_stays_itself() -> None:
    for raw in (b"79161234567", b"380501234567"):
        number = normal_msisdn(raw, 1, 1, RUSSIA)
        assert number is not None
        assert normal_msisdn(number.encode(), 1, 1, RUSSIA) == number


@pytest.mark.parametrize(
    ("code", "trunk", "length"),
    [("+7", "8", 10), ("7", "x", 10), ("７", "", 10), ("7", "8", 3), ("7", "8", 15)],
)
def test_a_country_that_cannot_be_is_refused(code: str, trunk: str, length: int) -> None:
    with pytest.raises(ValueError, match="digits"):
        Country(code, trunk, length)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("79161234567", "7916***4567"),
        ("992918123456", "9929***3456"),
        ("12345678", "***5678"),
        ("9290", "9290"),
    ],
)
def test_a_number_is_masked_for_logs(number: str, shown: str) -> None:
    assert masked(number) == shown
