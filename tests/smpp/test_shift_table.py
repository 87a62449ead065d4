"""National shift tables: places of letters by TS 23.038 annex A, texts there and back, parts saved."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp.alphabet import decode_gsm7, shifted_or_none
from smpp.pdu.message import Sm
from smpp.segments import Joined, Joiner, split
from smpp.shift_table import BASIC, ESCAPE, LANGUAGES, LOCKING, SINGLE
from smpp.udh import read_udh

LOCKED = {
    1: "04:20AC 07:0131 0B:011E 1D:015F 60:00E7",
    3: "12:00AA 15:221E 18:20AC 40:00CD 5C:00D5",
    4: (
        "00:0981 03:0985 0B:098C 0F:098F 10:0990 13:0993 1A:099A 1C:099B 22:099F 27:09A4 2A:09A5 2D:09A7 "
        "2F:09A8 3D:09AA 40:09AC 44:09B0 46:09B2 4A:09B6 4D:09B9 4E:09BC 56:09C4 59:09C7 5D:09CB 5F:09CD "
        "60:09CE 7B:09D7 7C:09DC 7F:09F1"
    ),
    5: (
        "00:0A81 0C:0A8D 0F:0A8F 11:0A91 13:0A93 44:0AB0 46:0AB2 47:0AB3 49:0AB5 57:0AC5 59:0AC7 5B:0AC9 "
        "5D:0ACB 60:0AD0 7B:0AE0 7E:0AE3 7F:0AF1"
    ),
    6: (
        "00:0901 09:090B 0C:090D 0E:090E 1A:091A 1F:091E 3C:0929 3E:092B 40:092C 4D:0939 4E:093C 5F:094D "
        "60:0950 7B:0972 7C:097B 7F:097F"
    ),
    7: (
        "01:0C82 10:0C90 12:0C92 24:0CA1 45:0CB1 47:0CB3 49:0CB5 4A:0CB6 4E:0CBC 56:0CC4 58:0CC6 5C:0CCA "
        "60:0CD5 7F:0CE3"
    ),
    8: "01:0D02 12:0D12 3D:0D2A 48:0D34 4F:0D3D 58:0D46 5C:0D4A 60:0D57 7B:0D60 7F:0D79",
    9: "00:0B01 0B:0B0C 0F:0B0F 13:0B13 46:0B32 47:0B33 49:0B35 59:0B47 5D:0B4B 60:0B56 7B:0B57 7F:0B63",
    10: (
        "00:0A01 08:0A0A 0F:0A0F 13:0A13 44:0A30 46:0A32 49:0A35 4A:0A36 4C:0A38 4E:0A3C 50:0A3E 54:0A42 "
        "59:0A47 5D:0A4B 60:0A51 7B:0A70 7F:0A74"
    ),
    11: (
        "01:0B82 08:0B8A 0E:0B8E 12:0B92 15:0B95 19:0B99 1D:0B9C 1F:0B9E 22:0B9F 26:0BA3 27:0BA4 2F:0BA8 "
        "3C:0BA9 42:0BAE 4D:0BB9 50:0BBE 58:0BC6 5C:0BCA 5F:0BCD 60:0BD0 7F:0BF9"
    ),
    12: "00:0C01 10:0C10 12:0C12 47:0C33 49:0C35 4F:0C3D 58:0C46 5C:0C4A 60:0C55 7B:0C56 7F:0C63",
    13: (
        "00:0627 09:067F 0B:0679 0E:067A 1A:062F 1C:068C 1F:068A 22:068F 27:0693 2A:0699 2D:0696 2F:0698 "
        "3C:069A 3E:0634 40:0635 4A:06AF 50:06BA 54:06C4 57:06BE 5F:0657 60:0654 7B:0655 7F:0670"
    ),
}
"""Septet:letter, at both ends of every run between two gaps of a locking table."""
BEHIND_ESCAPE = {
    1: "47:011E 73:015F",
    2: "09:00E7 75:00FA",
    3: "0B:00D4 7F:00E2",
    4: "00:0040 13:00A1 18:002A 19:09E6 1A:09E7 1C:09E8 23:09EF 24:09DF 2A:09E3 34:09FA",
    5: "19:0964 25:0AEF",
    6: "26:0951 2C:0958 2F:005C 3A:0971 3C:005B",
    7: "2A:0CF2",
    8: "2E:0D7A 34:0D7F",
    9: "2C:0B71",
    10: "2D:0A75",
    11: "24:0BEE 2E:0BFA",
    12: "1C:0C66 22:0C6C 32:0C7F",
    13: "19:0600 26:060C 3B:06CD 3F:06D4 41:0041 5A:005A 65:20AC",
}
"""The same for the single shift tables."""


def places(table: dict[int, str]) -> list[tuple[int, int, str]]:
    """List (language, septet, letter)."""
    return [
        (language, int(one[:2], 16), chr(int(one[3:], 16)))
        for language, written in table.items()
        for one in written.split()
    ]


TEXTS = {
    "turkish": "İşlemler için ĞÜŞ ığdır şöyle çok güzel",
    "spanish": "Está aquí: compró un camión más útil, acción única",
    "portuguese": "Promoção válida até amanhã: ligações grátis, informações à parte",
    "bengali": "আপনার ব্যালেন্স ৫০ টাকা",
    "hindi": "आपका बैलेंस ५० रुपये है।",
    "tamil": "உங்கள் இருப்பு 50 ரூபாய்",
    "telugu": "మీ బ్యాలెన్స్ 50 రూపాయలు",
    "urdu": "آپ کا بیلنس ۵۰ روپے ہے۔",
}


@pytest.mark.parametrize(("language", "septet", "letter"), places(LOCKED))
def test_the_places_of_letters_in_the_locking_tables(language: int, septet: int, letter: str) -> None:
    assert decode_gsm7(bytes((septet,)), locking=language) == letter


@pytest.mark.parametrize(("language", "septet", "letter"), places(BEHIND_ESCAPE))
def test_the_places_of_letters_behind_an_escape(language: int, septet: int, letter: str) -> None:
    assert decode_gsm7(bytes((ESCAPE, septet)), single=language) == letter


def test_every_table_is_whole() -> None:
    assert set(SINGLE) == set(LANGUAGES.values())
    assert set(LOCKING) == set(LANGUAGES.values()) - {LANGUAGES["spanish"]}
    for table in LOCKING.values():
        assert len(table) == 128
        assert table[ESCAPE] == chr(ESCAPE)
        assert table[0x20] == " "
        assert (table[0x0A], table[0x0D]) == ("\n", "\r")
        assert table[0x30:0x3A] == "0123456789"
        assert table[0x61:0x7B] == BASIC[0x61:0x7B]


@given(st.data(), st.sampled_from([0, *LOCKING]), st.sampled_from([0, *SINGLE]))
def test_what_two_tables_hold_comes_back(data: st.DataObject, locking: int, single: int) -> None:
    letters = set(LOCKING.get(locking, BASIC)) | set(SINGLE.get(single, {}).values())
    text = data.draw(st.text(st.sampled_from(sorted(letters - {chr(ESCAPE)}))))
    octets = shifted_or_none(text, locking, single)
    assert octets is not None
    assert decode_gsm7(octets, locking, single) == text


@pytest.mark.parametrize("mode", ["udh8", "udh16"])
@pytest.mark.parametrize("alphabet", ["gsm7", "gsm7-packed"])
@pytest.mark.parametrize("language", TEXTS)
@pytest.mark.parametrize("times", [1, 3, 12])
def test_a_text_needs_fewer_parts_and_arrives_whole(mode, alphabet, language, times) -> None:
    text = TEXTS[language] * times
    plain = split(text, mode, 7, default_alphabet=alphabet)
    parts = split(text, mode, 7, default_alphabet=alphabet, languages=(LANGUAGES[language],))
    assert len(parts) <= len(plain)
    if times == 12:
        assert len(parts) < len(plain)
        assert all(part.data_coding == 0 for part in parts)
    joiner, joined = Joiner(default_alphabet=alphabet), None
    for part in reversed(parts):
        sm = Sm(b"", 1, 1, b"1", 1, 1, b"2", part.esm_class, data_coding=part.data_coding,
                short_message=part.short_message)  # fmt: skip
        joined = joiner.add("g", sm, 0)
    assert isinstance(joined, Joined)
    assert joined.text(alphabet) == text


def test_a_header_says_which_tables_and_a_part_keeps_to_its_octets() -> None:
    text = TEXTS["hindi"] * 12
    parts = split(text, "udh8", 9, default_alphabet="gsm7-packed", languages=(6,))
    for number, part in enumerate(parts, 1):
        assert len(part.short_message) <= 140
        udh = read_udh(part.short_message)
        assert udh is not None
        assert (udh.locking, udh.single) == (6, 6)
        assert udh.element(0x00) == bytes((9, len(parts), number))


def test_a_text_of_the_default_alphabet_never_gets_a_header() -> None:
    assert split("Hello {€}", languages=(1, 6)) == split("Hello {€}")


def test_a_text_no_table_holds_goes_as_it_would_without_tables() -> None:
    assert split("Привет İ" * 20, languages=(1,)) == split("Привет İ" * 20)


def test_modes_without_a_header_take_no_tables() -> None:
    for mode in ("sar", "payload"):
        assert split(TEXTS["hindi"] * 5, mode, languages=(6,)) == split(TEXTS["hindi"] * 5, mode)


def test_a_letter_at_the_end_of_a_message_is_no_filling() -> None:
    """Septet 0 is a letter of the Bengali table; in the default alphabet centres fill with it."""
    (part,) = split("ক" * 80 + "\u0981", languages=(4,))
    joined = Joiner().add("g", Sm(esm_class=part.esm_class, short_message=part.short_message), 0)
    assert isinstance(joined, Joined)
    assert joined.text() == "ক" * 80 + "\u0981"
