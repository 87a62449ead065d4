"""Texts on the wire: alphabets, prefixes, packing, what handsets leave at the end (smpp-ussd.md 1.3, 1.8)."""

from __future__ import annotations

import pytest

from smpp.pdu.message import decode_sm
from smpp.text import unpack
from ussd.arrival import Answered, Dialled
from ussd.dialect import Dialect
from ussd.screen import Screens

from .conftest import Centre


def opened(centre: Centre, **fields: object) -> Dialled:
    arrival = centre.dial(**fields)  # type: ignore[arg-type]
    assert isinstance(arrival, Dialled)
    return arrival


@pytest.mark.parametrize(
    ("dialect", "text", "data_coding", "octets"),
    [
        (Dialect(), "Balance 490", 0x00, b"Balance 490"),
        (Dialect(dcs_gsm7_out=0x0F), "Hi", 0x0F, b"Hi"),
        (Dialect(), "a@b {1}", 0x00, b"a\0b \x1b(1\x1b)"),
        (Dialect(), "Меню", 0x08, "Меню".encode("utf-16-be")),
        (Dialect(dcs_ucs2_out=0x48), "Да", 0x48, "Да".encode("utf-16-be")),
        (Dialect(dcs_gsm7_out=0x10, language="en"), "Hi", 0x10, b"en\rHi"),
        (Dialect(dcs_ucs2_out=0x11), "Да", 0x11, b"\xf2\x3a" + "Да".encode("utf-16-be")),
        (Dialect(packed=True), "1234567", 0x00, bytes.fromhex("31d98c56b3dd1a")),
        (Dialect(), "", 0x00, b""),
    ],
)
def test_a_page_is_encoded_as_the_dialect_wants(
    dialect: Dialect, text: str, data_coding: int, octets: bytes
) -> None:
    centre = Centre(dialect)
    sm = centre.show(opened(centre).dialog, text).sm
    assert (sm.data_coding, sm.short_message) == (data_coding, octets)


def test_a_packed_page_of_seven_characters_is_filled_with_a_return() -> None:
    centre = Centre(Dialect(packed=True))
    sm = centre.show(opened(centre).dialog, "1234567").sm
    assert unpack(sm.short_message, ussd=False) == b"1234567\r"


def test_a_full_page_fits_the_short_message(centre: Centre) -> None:
    dialog = opened(centre).dialog
    assert len(centre.show(dialog, "a" * 182).sm.short_message) == 182
    assert len(centre.show(dialog, "я" * 80).sm.short_message) == 160


def test_a_longer_text_is_never_cut(centre: Centre) -> None:
    text = "я" * 200
    shown = centre.show(opened(centre).dialog, text)
    assert shown.sm.short_message == b""
    assert shown.text == text
    assert shown.op == 2


@pytest.mark.parametrize(
    ("data_coding", "octets", "text"),
    [
        (0x00, b"*929#", "*929#"),
        (0x0F, b"*929#\r", "*929#"),
        (0x00, b"1\0\0", "1"),
        (0x08, "Да".encode("utf-16-be"), "Да"),
        (0x48, "Да".encode("utf-16-be"), "Да"),
        (0x08, b"123", "123"),  # odd length: no UCS-2
        (0x08, b"*929#1", "*929#1"),  # would be CJK
        (0x10, b"ru\r*929#", "*929#"),
        (0x11, b"\xf2\x3a" + "Да".encode("utf-16-be"), "Да"),
        (0x00, b"\x00\x11", "@_"),
        (0x00, b"", ""),
    ],
)
def test_input_is_read_defensively(data_coding: int, octets: bytes, text: str) -> None:
    assert Screens(Dialect()).read(data_coding, octets) == text


def test_a_dialect_may_say_what_a_data_coding_really_is() -> None:
    screens = Screens(Dialect(dcs_in={0x0F: 0x08, 0x00: 0x08}))
    assert screens.read(0x0F, "Да".encode("utf-16-be")) == "Да"
    assert screens.read(0x00, "1 ".encode("utf-16-be")) == "1 "


def test_input_is_bounded() -> None:
    screens = Screens(Dialect())
    assert len(screens.read(0, b"1" * 60_000)) == 1_600
    assert len(screens.read(8, b"\x04\x10" * 30_000)) == 1_600


def test_message_payload_is_read_where_short_message_is_empty(centre: Centre) -> None:
    sm = centre.message("", None, tlvs=((0x0501, b"\x01"), (0x0424, b"*929#")))
    arrival = centre.give(sm)
    assert isinstance(arrival, Dialled)
    assert arrival.text == "*929#"


@pytest.mark.parametrize(("dest", "code"), [(b"929", "*929#"), (b"*929*1#", "*929*1#"), (b"", "")])
def test_the_code_may_stand_in_the_destination(dest: bytes, code: str) -> None:
    centre = Centre(Dialect(code_field="destination_addr"))
    arrival = opened(centre, text="ignored", dest=dest)
    assert arrival.text == code
    centre.show(arrival.dialog)
    answer = centre.type("1", dest=dest)
    assert isinstance(answer, Answered)
    assert answer.text == "1"


@pytest.mark.parametrize(
    ("dialect", "service_type", "detected"),
    [
        (Dialect(), b"", True),  # the TLV
        (Dialect(detect_tlv=False), b"", False),
        (Dialect(detect_tlv=False), b"USSD", True),
        (Dialect(detect_tlv=False, detect_service_types=frozenset({b"P2"})), b"P2", True),
        (Dialect(detect_tlv=False, detect_service_types=frozenset(), detect_dialled=True), b"", True),
    ],
)
def test_what_makes_a_message_ussd(dialect: Dialect, service_type: bytes, detected: bool) -> None:
    centre = Centre(dialect)
    arrival = centre.give(centre.message("*929#", 1, service_type=service_type))
    assert isinstance(arrival, Dialled) is detected


@pytest.mark.parametrize("text", ["", "*", "#", "929", "*929", "hello#", "**", "*9 9#"])
def test_what_does_not_look_dialled(text: str) -> None:
    centre = Centre(Dialect(detect_dialled=True))
    arrival = centre.give(centre.message(text, None, service_type=b""))
    assert type(arrival).__name__ == "NotUssd"


def test_addresses_are_echoed_or_fixed() -> None:
    fixed = Dialect(
        service_type_out=b"PSSR", source_ton_out=6, source_npi_out=0, dest_ton_out=0, dest_npi_out=8
    )
    for dialect, service_type, numbers in (
        (Dialect(), b"USSD", (0, 1, 1, 1)),
        (fixed, b"PSSR", (6, 0, 0, 8)),
    ):
        centre = Centre(dialect)
        sm = centre.show(opened(centre).dialog).sm
        assert sm.service_type == service_type
        assert (sm.source_ton, sm.source_npi, sm.dest_ton, sm.dest_npi) == numbers


def test_an_answer_follows_the_address_of_the_latest_message(centre: Centre) -> None:
    centre.show(opened(centre, dest=b"929").dialog)
    arrival = centre.type("1", dest=b"7777")
    assert isinstance(arrival, Answered)
    assert centre.show(arrival.dialog).sender == "7777"


def test_constant_pages_are_the_same_octets(centre: Centre) -> None:
    dialog = opened(centre).dialog
    channel = centre.channel
    first = channel.reply(dialog, "Меню", True, 1, centre.dialogs, constant=True)
    second = channel.reply(dialog, "Меню", True, 2, centre.dialogs, constant=True)
    other = channel.reply(dialog, "Меню", True, 3, centre.dialogs)
    assert first == second == other
    assert first is not None
    assert decode_sm(first, 1, 4).tlv(0x0501) == b"\x02"
