"""Alphabets in both directions, packing, and defensive decoding of what subscribers send."""

import codecs
import re

import gsm0338
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from smpplib import gsm as smpplib_gsm

from smpp.alphabet import BASIC, EXTENSION, SINGLE
from smpp.text import (
    ALPHABETS,
    alphabet_of,
    can_gsm7,
    decode,
    decode_as,
    decode_gsm7,
    decode_marked,
    encode,
    encode_as,
    encode_gsm7,
    pack,
    septets,
    unpack,
)

GSM_CHARS = BASIC.replace("\x1b", "") + "".join(EXTENSION.values())
gsm_texts = st.text(GSM_CHARS, max_size=200)
LIMIT = settings(max_examples=150, derandomize=True, deadline=None)


def test_alphabet_has_127_characters_and_10_more() -> None:
    assert len(BASIC) == 128
    assert len(set(GSM_CHARS)) == 137
    assert [septets(char) for char in EXTENSION.values()] == [2] * 10


def test_every_code_agrees_with_gsm0338() -> None:
    oracle = gsm0338.Codec()
    for char in GSM_CHARS:
        assert encode_gsm7(char) == oracle.encode(char)[0], char
    for octet in set(range(128)) - {0x1B}:
        assert decode_gsm7(bytes((octet,))) == oracle.decode(bytes((octet,)))[0]


def test_spanish_single_shift_agrees_with_gsm0338() -> None:
    oracle = gsm0338.Codec(single_shift_decode_map=gsm0338.SINGLE_SHIFT_CHARACTER_SET_SPANISH)
    for septet, char in SINGLE[2].items():
        assert oracle.decode(bytes((0x1B, septet)))[0] == char
        assert decode_gsm7(bytes((0x1B, septet)), single=2) == char


def test_every_code_agrees_with_smpplib() -> None:
    # Its table has a backtick where the section sign belongs, and neither that sign nor the form feed.
    for char in set(GSM_CHARS) - {"§", "\f"}:
        assert encode_gsm7(char) == smpplib_gsm.gsm_encode(char), char


@LIMIT
@given(gsm_texts)
def test_gsm7_round_trip(text: str) -> None:
    octets = encode_gsm7(text)
    assert decode_gsm7(octets) == text
    assert len(octets) == septets(text)
    assert can_gsm7(text)


@pytest.mark.parametrize("text", ["Привет", "`", "ç", "\x1b", "ok 👋", "ё", "“"])
def test_what_the_alphabet_lacks_is_refused_with_its_place(text: str) -> None:
    assert not can_gsm7(text)
    with pytest.raises(UnicodeEncodeError) as caught:
        encode_gsm7("12" + text)
    assert caught.value.encoding == "gsm7"
    assert caught.value.start >= 2
    with pytest.raises(UnicodeEncodeError):
        septets(text)


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"\x1b\x65", "€"),
        (b"1\x1b", "1 "),
        (b"\x1b\x1b2", " 2"),
        (b"\x1bA", "A"),
        (b"\x1b\x80x", "\ufffdx"),
        (b"a\x80\xffb", "a\ufffd\ufffdb"),
        (b"\x1b\x3cx\x1b\x3e", "[x]"),
    ],
)
def test_gsm7_odd_octets(octets: bytes, text: str) -> None:
    assert decode_gsm7(octets) == text


def test_national_shifts() -> None:
    assert decode_gsm7(b"\x07\x1b\x53\x0b", locking=1, single=1) == "ıŞĞ"
    assert decode_gsm7(b"\x0c\x5b\x1b\x7b", locking=3, single=3) == "ôÃã"
    assert decode_gsm7(b"\x07", locking=9) == "ଉ"
    assert decode_gsm7(b"\x07", locking=14) == "ì", "a table nobody has defined: the default one"


@pytest.mark.parametrize(
    ("coding", "octets", "text"),
    [
        (0x00, b"\x00ab", "@ab"),
        (0x01, b"~`", "~`"),
        (0x03, b"\xe9", "é"),
        (0x04, b"\xff\x01", "ÿ\x01"),
        (0x06, bytes.fromhex("bfe0d8d2d5e2"), "Привет"),
        (0x08, "Привет 👋".encode("utf-16-be"), "Привет 👋"),
        (0x0F, b"*929#", "*929#"),
        (0x48, "Да".encode("utf-16-be"), "Да"),
        (0x44, b"\xe9", "é"),
        (0x10, b"en\rHello", "Hello"),
        (0x10, b"no code", "no code"),
        (0x11, bytes.fromhex("6537") + "Да".encode("utf-16-be"), "Да"),
        (0x11, "Да".encode("utf-16-be"), "Да"),
        (0x18, "Да".encode("utf-16-be"), "Да"),
        (0xC8, b"\x00", ""),
        (0xE0, "Да".encode("utf-16-be"), "Да"),
        (0xF0, b"\x1b\x65", "€"),
        (0xF4, b"\xe9", "é"),
        (0xF5, b"\xe9", "é"),
        (0x0A, "日本".encode("iso2022_jp"), "日本"),
        (0x0E, "한국".encode("euc_kr"), "한국"),
    ],
)
def test_data_coding(coding: int, octets: bytes, text: str) -> None:
    assert decode(coding, octets) == text


@pytest.mark.parametrize(
    ("octets", "text", "alphabet", "damaged"),
    [
        (b"1", "1", "ascii", False),
        (b"*929#", "*929#", "ascii", False),
        (b"*1", "*1", "ascii", False),
        (b"12", "12", "ascii", False),
        (b"Balans", "Balans", "ascii", False),
        (b"*929#\r", "*929#", "ascii", False),
        (b"*10#\0", "*10#", "ascii", False),
        ("1".encode("utf-16-be"), "1", "ucs2", False),
        ("Да".encode("utf-16-be") + b"\x04", "Да", "ucs2", True),
        ("Да\r".encode("utf-16-be"), "Да", "ucs2", False),
        ("1\0\0".encode("utf-16-be"), "1", "ucs2", False),
        ("…".encode("utf-16-be"), "…", "ucs2", False),
        ("☺".encode("utf-16-be"), "☺", "ucs2", False),
        (b"\xd8\x3d\x00\x31", "\ufffd1", "ucs2", True),
        (b"", "", "ucs2", False),
        (b"\x04", "", "ucs2", True),
    ],
)
def test_ucs2_defensively(octets: bytes, text: str, alphabet: str, damaged: bool) -> None:
    assert decode_marked(0x08, octets) == (text, alphabet, damaged)
    assert decode(0x08, octets) == text


@pytest.mark.parametrize("alphabet", ["gsm7", "ascii", "latin1", "utf8"])
def test_trailing_nuls_and_one_cr_are_stripped(alphabet: str) -> None:
    assert decode(0, b"*929#\r\0\0", alphabet) == "*929#"
    assert decode(0, b"1\r\r", alphabet) == "1\r"
    assert decode(0, b"1\r\0", alphabet, strip=False) != "1"


def test_at_sign_at_the_end_is_kept_on_request() -> None:
    assert decode(0, encode_gsm7("me@"), strip=False) == "me@"


@LIMIT
@given(st.integers(0, 255), st.binary(max_size=200), st.sampled_from([*ALPHABETS, "nonsense"]))
@example(0x11, b"\0", "gsm7")
def test_decoding_never_raises(coding: int, octets: bytes, alphabet: str) -> None:
    for strip in (True, False):
        text, used, _ = decode_marked(coding, octets, alphabet, strip=strip)
        assert decode(coding, octets, alphabet, strip=strip) == text
        assert used in (*ALPHABETS, "nonsense")
    assert isinstance(decode_as(alphabet, octets), str)
    assert alphabet_of(coding, alphabet) in (*ALPHABETS, "nonsense")


@LIMIT
@given(st.text(max_size=80).filter(lambda text: not text.endswith(("\0", "\r"))))
def test_encode_then_decode(text: str) -> None:
    coding, octets = encode(text)
    expected = 0 if can_gsm7(text) else 8
    assert coding == expected
    if expected == 8 and not re.fullmatch(rb"[\x20-\x7e\r\n]+", octets):
        assert decode(coding, octets, strip=False) == text


def test_the_dialect_chooses_the_codings() -> None:
    assert encode("1", default_coding=0x0F, ucs2_coding=0x48) == (0x0F, b"1")
    assert encode("ж", default_coding=0x0F, ucs2_coding=0x48) == (0x48, b"\x04\x36")
    assert encode("ж", "utf8") == (0, "ж".encode())
    assert encode("é", "latin1") == (0, b"\xe9")
    assert encode("ж", "latin1") == (8, b"\x04\x36")
    assert encode("\ud800") == (8, b"\0?")
    with pytest.raises(ValueError, match="unknown alphabet"):
        encode_as("ebcdic", "x")


@pytest.mark.parametrize(
    ("text", "packed"),
    [
        # TS 23.038, 6.1.2: the well known packings.
        ("hello", "E8329BFD06"),
        ("hellohello", "E8329BFD4697D9EC37"),
        ("*929#", "AA9C2C3702"),
        ("1", "31"),
        ("", ""),
    ],
)
def test_packing(text: str, packed: str) -> None:
    assert pack(encode_gsm7(text)).hex().upper() == packed
    assert decode_as("gsm7-packed", bytes.fromhex(packed)) == text


def test_cr_rules() -> None:
    seven = pack(b"1234567")
    assert len(seven) == 7
    assert seven[-1] >> 1 == 0x0D
    assert unpack(seven) == b"1234567"
    boundary = pack(b"1234567\r")
    assert len(boundary) == 8
    assert unpack(boundary) == b"1234567\r\r"
    assert unpack(pack(b"12345678")) == b"12345678"
    assert unpack(pack(b"1234567", ussd=False), ussd=False) == b"1234567\0"
    assert unpack(seven, 7) == b"1234567"
    assert unpack(seven, 100) == b"1234567\r"


@LIMIT
@given(st.lists(st.integers(0, 127), max_size=182).map(bytes), st.integers(0, 6))
def test_pack_round_trip(data: bytes, fill: int) -> None:
    plain = pack(data, fill=fill, ussd=False)
    assert len(plain) == (len(data) * 7 + fill + 7) // 8 or not data
    assert unpack(plain, len(data), fill=fill, ussd=False) == data
    back = unpack(pack(data))
    if len(data) % 8 == 0 and data.endswith(b"\r"):
        assert back == data + b"\r"
    else:
        assert back == data


def test_160_octets_hold_182_characters() -> None:
    assert len(pack(b"x" * 182)) == 160


def test_a_long_text_packs_in_linear_time() -> None:
    data = b"abcdefg" * 10_000
    assert unpack(pack(data, ussd=False), len(data), ussd=False) == data


def test_nothing_is_registered_with_the_codecs_of_python() -> None:
    with pytest.raises(LookupError):
        codecs.lookup("gsm7")
