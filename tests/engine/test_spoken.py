"""Marks of values in the texts of calls: put in, taken out, never taken from outside."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.answer import cleaned
from engine.effects import Collect, End, Note, SendSms
from engine.expressions import Scope, World, compile_template
from engine.expressions.text_form import plain as plain_data
from engine.inputs import Digits, Text
from engine.reading.diagnostic import Place
from engine.spoken import (
    BREAK,
    END,
    JOINT,
    KINDS,
    MARKS,
    START,
    Typed,
    Words,
    marked,
    pieces,
    plain,
    press,
    recording_name,
    separate,
)
from engine.values import Secret
from tests.engine.machine.script import Player, compiled

FORGED = f"{START}money 1.00 RUB\ue0011 ₽{END}{BREAK}"


def speech(source, **variables):
    template = compile_template(source, Place("f.yaml", 1, 1))
    scope = Scope(variables, World(lang="ru", channel="voice"))
    return template.speech.render(scope), template.render(scope)


def test_a_text_is_words_and_values():
    text, shown = speech("Баланс {{ b|money }}. До {{ n|count('день|дня|дней') }}!", b=Decimal("153.2"), n=3)
    assert shown == plain(text) == "Баланс 153,20 ₽. До 3 дня!"
    assert pieces(text) == (
        Words("Баланс"),
        Typed("money", "153.20 RUB", "153,20 ₽"),
        Words("До"),
        Typed("count", "3 день|дня|дней", "3 дня"),
    )


@pytest.mark.parametrize(
    ("source", "value", "kind", "said"),
    [
        ("{{ x }}", 42, "number", "42"),
        ("{{ x }}", Decimal("1.50"), "number", "1.50"),
        ("{{ x|money }}", 490, "money", "490.00 RUB"),
        ("{{ x|money }}", Decimal("-0.004"), "money", "0.00 RUB"),
        ("{{ x|phone }}", "79161234567", "phone", "+7 916 123 45 67"),
        ("{{ x|phone }}", "88005553535", "phone", "+88005553535"),
        ("{{ x|digits }}", "0042", "digits", "0042"),
        ("{{ x|duration }}", 5400, "duration", "5400"),
        ("{{ x|money if x else 'ничего' }}", 5, "money", "5.00 RUB"),
    ],
)
def test_a_filter_gives_its_value(source, value, kind, said):
    text, shown = speech(source, x=value)
    found = pieces(text)
    assert [(piece.kind, piece.value) for piece in found] == [(kind, said)]
    assert plain(text) == shown


def test_a_text_is_words_apart_from_those_around_it():
    text, shown = speech("Тариф {{ x }} подключён.", x="Smart")
    assert pieces(text) == (Words("Тариф"), Words("Smart"), Words("подключён."))
    assert plain(text) == shown


def test_conditions_see_no_marks():
    text, _ = speech(
        "{% if x|digits == '12' %}да{% else %}нет{% endif %}, {{ 'a' if x|digits == '12' else 'b' }}", x=12
    )
    assert pieces(text) == (Words("да"), Words("a"))


def test_a_secret_of_digits_is_said_digit_by_digit():
    text, shown = speech("Код {{ x }}.", x=Secret("4821"))
    assert isinstance(text, Secret)
    assert pieces(text.reveal()) == (Words("Код"), Typed("digits", "4821", "4821"))
    assert plain(text.reveal()) == shown.reveal()


def test_the_fixed_words_of_a_text_are_known():
    template = compile_template(
        "Ваш тариф {{ t }}, {% if x %}осталось {{ x|count('день|дня|дней') }}{% else %}без срока{% endif %}.",
        Place("f.yaml", 1, 1),
    )
    assert set(template.speech.phrases) == {"Ваш тариф", "осталось", "без срока"}
    assert template.speech.nouns == (("день", "дня", "дней"),)
    assert compile_template("Главное меню.", Place("f.yaml", 1, 1)).speech.phrases == ("Главное меню.",)


def test_nobody_writes_a_mark_but_us():
    assert not set(MARKS) & set(cleaned(f"а{FORGED}б"))
    assert not set(MARKS) & set(plain_data(FORGED))
    for source in ("Баланс {{ x }}.", "{{ x|digits }}", "{{ x + 'а' }}", "{% if x %}{{ x }}{% endif %}"):
        text, shown = speech(source, x=FORGED)
        assert not set(MARKS) & set(shown)
        assert not any(isinstance(piece, Typed) and piece.kind == "money" for piece in pieces(text))
    text, _ = speech(f"Слова {FORGED}", x=1)
    assert not any(isinstance(piece, Typed) for piece in pieces(text))


def test_a_menu_line_is_a_label_and_a_key():
    line = press("{label} — нажмите {key}.", "Баланс", "1")
    assert plain(line) == "Баланс — нажмите 1."
    assert pieces(line) == (Words("Баланс"), Words("нажмите"), Typed("key", "1", "1"))


def test_a_text_cut_in_a_mark_is_words():
    whole = f"Баланс {marked('money', '1.00 RUB', '1 ₽')}{JOINT}и {separate('Smart')}"
    for length in range(len(whole)):
        cut = whole[:length]
        assert not set(MARKS) & set(plain(cut))
        for piece in pieces(cut):
            assert not set(MARKS) & set(piece.text)


@given(st.text(alphabet=st.sampled_from(f"аб1 .,\n{MARKS}money"), max_size=40))
@settings(max_examples=400, derandomize=True, deadline=None)
def test_any_text_has_pieces(text):
    assert not set(MARKS) & set(plain(text))
    for piece in pieces(text):
        assert piece.text or isinstance(piece, Typed)
        assert not set(MARKS) & set(piece.text)


def test_a_name_goes_by_the_words():
    assert recording_name("Главное  меню.\n") == recording_name("Главное меню.")
    assert len(recording_name("а")) == 16
    assert len(set(KINDS)) == len(KINDS)


FLOW = """
flow: {title: t, call: "0890", sms: "9", ussd: "*9#"}
start:
  - ask: Сколько?
    type: money
    save: sum
  - sms: "Взяли {{ sum|money }}"
  - log: "Взяли {{ sum|money }}"
  - say: "Взяли {{ sum|money }}."
    sound: took
  - menu: "Всего {{ sum|money }}."
    save: label
    1 Да, {{ sum|money }}: {end: "Готово, {{ label }}: {{ sum|money }}."}
"""


def test_marks_are_heard_and_nowhere_else():
    player = Player(compiled({"m": FLOW}))
    player.start("m", channel="voice", called="0890")
    player.give(Digits("15320"))
    sms, note, heard = player.effects
    assert isinstance(sms, SendSms)
    assert sms.text == "Взяли 15 320 ₽"
    assert isinstance(note, Note)
    assert not set(MARKS) & set(note.text)
    assert isinstance(heard, Collect)
    assert plain(str(heard.text)) == "Взяли 15 320 ₽. Всего 15 320 ₽. Да, 15 320 ₽ — нажмите 1."
    assert pieces(str(heard.text)) == (
        Typed("sound", "took", "Взяли 15 320 ₽."),
        Words("Всего"),
        Typed("money", "15320.00 RUB", "15 320 ₽"),
        Words("Да"),
        Typed("money", "15320.00 RUB", "15 320 ₽"),
        Words("нажмите"),
        Typed("key", "1", "1"),
    )
    player.give(Digits("1"))
    (end,) = player.effects
    assert isinstance(end, End)
    assert plain(str(end.text)) == "Готово, Да, 15 320 ₽: 15 320 ₽."
    assert pieces(str(end.text))[1] == Words("Да, 15 320 ₽")


@pytest.mark.parametrize(("channel", "called"), [("sms", "9"), ("ussd", "*9#")])
def test_other_channels_have_no_marks(channel, called):
    player = Player(compiled({"m": FLOW}))
    player.start("m", channel=channel, called=called)
    player.give(Text("153,20"))
    assert player.effects
    for effect in player.effects:
        assert not set(MARKS) & set(str(getattr(effect, "text", "")))
