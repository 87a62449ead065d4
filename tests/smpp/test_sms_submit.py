"""What leaves: addresses, parts, validity (smpp-ussd.md 2.5)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.values import Secret
from smpp.pdu.message import DeliverSm, Sm, decode_sm
from smpp.profile import SmsProfile
from smpp.segments import Joined, Joiner
from smpp.sms import SmsChannel

from .sms_sender import CODE, MSISDN, RUN, Sender

NOW = 1_795_341_600_000  # 2026-11-22 10:00:00 UTC
DAY = 86_400_000


def sent(text: str | Secret, profile: SmsProfile | None = None, **options: object) -> list[Sm]:
    channel = SmsChannel(profile or SmsProfile(), "main", run=RUN)
    options = {"now": NOW, "valid_until": NOW + DAY, **options}
    to = str(options.pop("to", MSISDN))
    sender = str(options.pop("sender", CODE))
    return [decode_sm(body, 1, 4) for body in channel.submit(to, sender, text, **options)]  # type: ignore[arg-type]


def test_an_answer_comes_from_the_number_that_was_written_to() -> None:
    (sm,) = sent("Пакет обновлён")
    assert (sm.source, sm.source_ton, sm.source_npi) == (b"9290", 0, 1)
    assert (sm.dest, sm.dest_ton, sm.dest_npi) == (MSISDN.encode(), 1, 1)
    assert (sm.data_coding, sm.esm_class, sm.registered_delivery) == (8, 0, 1)
    assert sm.short_message.decode("utf-16-be") == "Пакет обновлён"


@pytest.mark.parametrize(
    ("sender", "profile", "expected"),
    [
        ("000500", SmsProfile(short_code_ton=3, short_code_npi=0), (b"000500", 3, 0)),
        ("Gudok", SmsProfile(), (b"Gudok", 5, 0)),
        ("+78001234567", SmsProfile(short_code_ton=6), (b"78001234567", 1, 1)),
        ("+700", SmsProfile(), (b"700", 1, 1)),
    ],
)
def test_senders(sender: str, profile: SmsProfile, expected: tuple[bytes, int, int]) -> None:
    (sm,) = sent("Hi", profile, sender=sender)
    assert (sm.source, sm.source_ton, sm.source_npi) == expected


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"sender": "TwelveLetter"}, "at most 11"),
        ({"sender": "Гудок"}, "ASCII"),
        ({"sender": ""}, "not empty"),
        ({"to": "1" * 21}, "at most 20 digits"),
    ],
)
def test_an_address_that_does_not_fit_is_told_and_never_cut(
    options: dict[str, object], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        sent("Hi", **options)


@pytest.mark.parametrize(
    ("text", "mode", "count"),
    [
        ("a" * 160, "udh8", 1),
        ("a" * 161, "udh8", 2),
        ("a" * 306, "udh8", 2),
        ("a" * 307, "udh8", 3),
        ("a" * 306, "udh16", 3),
        ("я" * 70, "udh8", 1),
        ("я" * 71, "sar", 2),
        ("я" * 600, "payload", 1),
        ("", "udh8", 1),
    ],
)
def test_the_number_of_parts(text: str, mode: str, count: int) -> None:
    assert len(sent(text, SmsProfile(part_mode=mode))) == count


def test_a_text_of_too_many_parts_is_told_and_never_cut() -> None:
    with pytest.raises(ValueError, match="needs 4 parts, at most 3"):
        sent("я" * 250, SmsProfile(parts=3))


@settings(max_examples=80, derandomize=True, deadline=None)
@given(
    st.text(
        st.sampled_from("aЯ€{^😀\n5 é") | st.characters(exclude_categories=["Cs"], max_codepoint=0x10FFFF),
        max_size=500,
    ),
    st.sampled_from(["udh8", "udh16", "sar", "payload"]),
)
def test_what_was_split_joins_to_the_same_text(text: str, mode: str) -> None:
    joiner = Joiner()
    joined = None
    for sm in sent(text, SmsProfile(part_mode=mode, parts=255)):
        joined = joiner.add(
            "main", DeliverSm(**{name: getattr(sm, name) for name in sm.__struct_fields__}), 1
        )
    assert isinstance(joined, Joined)
    assert joined.text(strip=False) == text


def test_reference_numbers_count_up_per_pair_and_begin_elsewhere_after_a_restart() -> None:
    def references(channel: SmsChannel, to: str, times: int) -> list[int]:
        return [
            decode_sm(
                channel.submit(to, CODE, "я" * 100, now=NOW, valid_until=NOW + DAY)[0], 1, 4
            ).short_message[3]
            for _ in range(times)
        ]

    channel = SmsChannel(SmsProfile(), "main", run=RUN)
    first, second, third = references(channel, MSISDN, 3)
    assert (second - first) % 256 == (third - second) % 256 == 1
    assert references(channel, "79990000001", 1) == [first]
    later = SmsChannel(SmsProfile(), "main", run=RUN + 60_000)
    assert references(later, MSISDN, 1) != [first]


@pytest.mark.parametrize(
    ("form", "valid_ms", "written"),
    [
        ("relative", DAY, b"000001000000000R"),
        ("relative", 2 * 3_600_000, b"000000020000000R"),
        ("relative", 15 * 60_000 + 1_500, b"000000001501000R"),
        ("relative", 45 * DAY, b"000115000000000R"),
        ("relative", -5, b"000000000001000R"),
        ("absolute", DAY, b"261123100000000+"),
        ("none", DAY, b""),
    ],
)
def test_validity(form: str, valid_ms: int, written: bytes) -> None:
    (sm,) = sent("Hi", SmsProfile(validity_form=form), valid_until=NOW + valid_ms)
    assert sm.validity == written


def test_a_message_with_a_secret_is_worth_sending_for_a_shorter_time() -> None:
    channel = SmsChannel(SmsProfile(), "main", run=RUN)
    assert channel.valid_for(NOW, secret=False) == NOW + DAY
    assert channel.valid_for(NOW, secret=True) == NOW + 15 * 60_000


def test_a_secret_text_leaves_in_clear_only_here() -> None:
    (sm,) = sent(Secret("qwerty"))
    assert sm.short_message == b"qwerty"


def test_flash_and_our_own_reference() -> None:
    (sm,) = sent("Hi", flash=True, user_reference=0x12345)
    assert (sm.tlv(0x0005), sm.tlv(0x0204)) == (b"\x01", b"\x23\x45")


def test_priority_shift_tables_and_tlvs_of_the_centre_go_out() -> None:
    profile = SmsProfile(priority=2, languages=(1,), tlvs=((0x1401, b"\x01"), (0x1403, b"abc")))
    (sm,) = sent("İşlem tamam, ığdır " * 5, profile)
    assert (sm.priority, sm.data_coding, sm.esm_class) == (2, 0, 0x40)
    assert sm.tlvs == ((0x1401, b"\x01"), (0x1403, b"abc"))
    assert len(sent("İşlem tamam, ığdır " * 5)) == 2


def test_an_answer_carries_back_what_its_question_brought() -> None:
    sender = Sender(SmsProfile(echo_tlvs=frozenset({0x1402})))

    def answer(to: str = MSISDN) -> Sm:
        (body,) = sender.channel.submit(to, CODE, "да", now=NOW, valid_until=NOW + DAY)
        return decode_sm(body, 1, 4)

    sender.arrive("раз", tlvs=((0x1402, b"a"), (0x1402, b"b"), (0x1404, b"c")))
    assert answer().tlvs == ((0x1402, b"a"),)
    assert answer("79160000000").tlvs == ()
    sender.arrive("два")
    assert answer().tlvs == ()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"priority": 4}, "priority is from 0 to 3"),
        ({"languages": (14,)}, "languages are from 1 to 13"),
        ({"languages": (1,), "part_mode": "sar"}, "languages need part_mode udh8 or udh16"),
        ({"tlvs": ((0x0424, b"x"),)}, "tlvs: 0x0424 is set by the gateway itself"),
        ({"echo_tlvs": frozenset({0x10000})}, "echo_tlvs: a tag is from 0x0001 to 0xFFFF"),
    ],
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        SmsProfile(**wrong)  # type: ignore[arg-type]
