"""What is told to the telephone of an agent: text, and nothing that anything on the way reads otherwise."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.ami.message import ActionError, encode
from ivr.ami.placeholder import Placeholder, headers
from ivr.handover import NOTE_LENGTH, note_words, orders, skill_words

HOSTILE = set(",'\"\\$|&()[]{}<>=`^*~#@%/")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Оценка 2, причина — Вопрос не решён", "Оценка 2; причина — Вопрос не решён"),
        ("  two\n lines\tof text ", "two lines of text"),
        ("${SHELL(id)}", "SHELL id"),
        ('say "yes" & go', "say yes go"),
        ("a\r\nX-Evil: 1", "a X-Evil: 1"),
        ("right\u202eto left\u2028line\x85line", "right to left line line"),
        ("", ""),
    ],
)
def test_a_note_is_one_line_of_plain_words(text: str, words: str):
    assert note_words(text) == words


def test_a_long_note_is_cut():
    found = note_words("слово " * 100)
    assert len(found) <= NOTE_LENGTH
    assert found.endswith("…")


def test_skills_are_names():
    assert skill_words(("tariffs", "b c", "in-ter_net", "x,y", "", "интернет")) == "tariffs in-ter_net"
    assert len(skill_words(f"skill-{number}" for number in range(100))) <= NOTE_LENGTH


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300), st.lists(st.text(max_size=50), max_size=10))
def test_whatever_is_written_arrives_as_text_or_not_at_all(text: str, skills: list[str]):
    note, names = note_words(text), skill_words(skills)
    assert not HOSTILE & set(note + names)
    assert note.isprintable()
    assert len(note) <= NOTE_LENGTH
    for line in orders("queue", {"IVR_NOTE": note, "IVR_SKILLS": names}):
        assert line.count(b"\n") == 1
    place = Placeholder("123456789012", "support", 1_971_800_000, "79161234567", note, names)
    block = encode((("Action", "Originate"), *headers(place))).decode("utf-8", "surrogatepass")
    assert block.count("\r\n") == len(headers(place)) + 2
    assert "," not in block


@pytest.mark.parametrize("name", ["IVR_NOTE", "IVR_SKILLS"])
@pytest.mark.parametrize("value", ["a,b", "${X}", "a\nb", "a&b", "a|b", "a" * 161])
def test_what_was_not_cleaned_is_not_told(name: str, value: str):
    with pytest.raises(ValueError, match=name):
        orders("queue", {name: value})


@pytest.mark.parametrize(
    "change",
    [
        {"identity": "12"},
        {"identity": "12&34567890"},
        {"queue": "support,c"},
        {"queue": ""},
        {"priority": 0},
        {"priority": 10**10},
        {"number": "+79161234567"},
        {"number": "7916&SIP"},
        {"note": "a,CB_NUMBER=112"},
        {"skills": "${X}"},
    ],
)
def test_a_placeholder_of_anything_else_is_not_ordered(change: dict[str, object]):
    given = {"identity": "123456789012", "queue": "support", "priority": 5, "number": "79161234567"}
    with pytest.raises(ActionError):
        headers(Placeholder(**{**given, **change}))  # type: ignore[arg-type]
