"""The standard dialect is there without a file; any other one is not."""

from pathlib import Path

import pytest

from engine.reading.diagnostic import Report
from gateway.centre_settings import Centre
from gateway.dialects import Dialects
from smpp.msisdn import normal_msisdn
from smpp.settings import LinkSettings, Secret
from ussd.dialect_file import read_dialect

ROOT = Path(__file__).parents[2]
NATIONAL = 2


def centre(dialect: str = "standard") -> Centre:
    return Centre("main", LinkSettings("127.0.0.1", 2775, "gudok", Secret("secret")), dialect)


def test_the_built_in_standard_is_the_shipped_one(tmp_path: Path):
    report = Report()
    file = "config/dialects/standard.yaml"
    shipped = read_dialect((ROOT / file).read_text(encoding="utf-8"), file, report)
    assert Dialects(tmp_path).load(centre(), report, {}) == shipped
    assert not report.diagnostics


@pytest.mark.parametrize(
    ("country", "written", "number"),
    [
        ("RU", b"9161234567", "79161234567"),
        ("KZ", b"87011234567", "77011234567"),
        ("TJ", b"921234567", "992921234567"),
        ("UZ", b"901234567", "998901234567"),
        ("KG", b"0700123456", "996700123456"),
        ("AM", b"091123456", "37491123456"),
        ("BY", b"80291234567", "375291234567"),
        ("FR", b"612345678", "612345678"),
    ],
)
def test_numbers_are_written_as_in_the_country_of_the_project(
    tmp_path: Path, country: str, written: bytes, number: str
):
    dialect = Dialects(tmp_path, country=country).load(centre(), Report(), {})
    assert dialect is not None
    assert normal_msisdn(written, NATIONAL, 1, dialect.sms.country) == number


def test_a_file_of_that_name_is_what_counts(tmp_path: Path):
    (tmp_path / "config" / "dialects").mkdir(parents=True)
    (tmp_path / "config" / "dialects" / "standard.yaml").write_text("ussd: { page_chars: { ucs2: 70 } }\n")
    dialect = Dialects(tmp_path).load(centre(), Report(), {})
    assert dialect is not None
    assert dialect.page_ucs2 == 70


def test_another_dialect_without_a_file_is_an_error_that_knows_the_standard(tmp_path: Path):
    report = Report()
    assert Dialects(tmp_path).load(centre("standart"), report, {}) is None
    assert 'did you mean "standard"?' in report.diagnostics[0].message
