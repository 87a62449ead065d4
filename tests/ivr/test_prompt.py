"""What keys mean to a prompt."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.prompt import Prompt, Taken, groups, take

MENU = Prompt(("menu",))
NUMBER = Prompt(("number",), max_digits=4, terminator="#")


@pytest.mark.parametrize(
    ("prompt", "typed", "taken"),
    [
        (MENU, "", Taken("", 0, complete=False)),
        (MENU, "1", Taken("1", 1, complete=True, full=True)),
        (MENU, "12", Taken("1", 1, complete=True, full=True)),
        (MENU, "#", Taken("#", 1, complete=True, full=True)),
        (MENU, "*", Taken("*", 1, complete=True, full=True)),
        (MENU, "A1", Taken("1", 2, complete=True, full=True)),
        (NUMBER, "12", Taken("12", 2, complete=False)),
        (NUMBER, "12#3", Taken("12", 3, complete=True)),
        (NUMBER, "#", Taken("", 1, complete=True)),
        (NUMBER, "12345", Taken("1234", 4, complete=True, full=True)),
        (NUMBER, "1*B", Taken("1*", 3, complete=False)),
    ],
)
def test_keys_answer_a_prompt(prompt, typed, taken):
    assert take(prompt, typed) == taken


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.text("0123456789*#ABCD", max_size=20), st.integers(1, 6), st.sampled_from(["", "#", "*"]))
def test_more_keys_never_change_an_answer_that_was_complete(typed, most, terminator):
    prompt = Prompt((), max_digits=most, terminator=terminator)
    for end in range(len(typed) + 1):
        early = take(prompt, typed[:end])
        assert early.used <= end
        assert len(early.digits) <= most
        if early.complete:
            assert take(prompt, typed) == early


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.lists(st.text("abя", min_size=1, max_size=12), max_size=30), st.integers(8, 60))
def test_groups_keep_every_file_in_order_and_fit(files, octets):
    found = groups(tuple(files), octets)
    assert [one for group in found for one in group] == files
    assert all(found)
    assert all(len("&".join(group).encode()) <= octets or len(group) == 1 for group in found)


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_digits": 0},
        {"max_digits": 256},
        {"first_s": 0},
        {"between_s": -1},
        {"first_s": float("nan")},
        {"terminator": "##"},
        {"terminator": "A"},
    ],
)
def test_a_prompt_that_nobody_could_answer_is_refused(wrong):
    with pytest.raises(ValueError, match="prompt"):
        Prompt((), **wrong)
