"""Keys pressed before a prompt: which answer it, and which never may."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.prompt import Heard, Prompt, take
from ivr.testing.call import Call
from ivr.testing.channel import Channel
from ivr.typed import TypedKeys
from ivr.voice import VoiceSettings
from tests.ivr.stage import MENU, NUMBER, PIN, Clock, stage

COSTS = Prompt(("menu/main",), risky=frozenset("2"))
LONG = Prompt(("menu/long",), max_digits=2, risky=frozenset({"12"}))
CONFIRM = Prompt(("confirm",), fresh=True)


class Hasty(Call):
    """Presses `keys` when Read has been sent and has not begun: the keys were looked at just before."""

    keys = ""

    def _take(self, line):
        if line.startswith('EXEC "Read"') and self.keys:
            pressed, self.keys = self.keys, ""
            self.press(pressed)
        super()._take(line)


async def test_a_risky_answer_pressed_ahead_is_asked_anew():
    async with stage() as one:
        one.call.press("2")
        heard = await one.during(one.voice.collect(COSTS), lambda: one.call.press("2"))
        assert heard == Heard("2", "ok")
        assert not heard.ahead
        assert one.call.played == ["menu/main"]


async def test_whatever_was_pressed_behind_a_risky_key_is_void_with_it():
    async with stage() as one:
        one.call.press("221")
        assert await one.during(one.voice.collect(COSTS), lambda: one.call.press("3")) == Heard("3", "ok")
        assert await one.during(one.voice.collect(MENU), lambda: one.call.press("4")) == Heard("4", "ok")


async def test_an_answer_without_risk_is_taken_ahead_of_a_risky_prompt():
    async with stage() as one:
        one.call.press("12")
        heard = await one.voice.collect(COSTS)
        assert heard == Heard("1", "ok")
        assert heard.ahead
        assert one.call.played == []


async def test_a_risky_key_in_the_prompt_is_taken_at_once():
    async with stage() as one:
        heard = await one.during(one.voice.collect(COSTS), lambda: one.call.press("2"))
        assert heard == Heard("2", "ok")
        assert not heard.ahead
        assert one.call.played == ["menu/main"]


async def test_an_answer_of_several_keys_that_began_ahead_is_asked_anew():
    async with stage() as one:
        one.call.press("1")
        heard = await one.during(
            one.voice.collect(LONG), lambda: one.call.press("2"), lambda: one.call.press("12")
        )
        assert heard == Heard("12", "ok")
        assert not heard.ahead
        assert one.call.played == ["menu/long"]


async def test_an_answer_that_began_ahead_and_has_no_risk_is_one_answer():
    async with stage() as one:
        one.call.press("1")
        heard = await one.during(one.voice.collect(LONG), lambda: one.call.press("3"))
        assert heard == Heard("13", "ok")
        assert heard.ahead


async def test_a_risky_key_between_the_look_and_read_is_no_key_of_the_prompt():
    async with stage(made=Hasty) as one:
        one.call.keys = "2"
        heard = await one.during(one.voice.collect(COSTS), one.call.silence, lambda: one.call.press("1"))
        assert heard == Heard("1", "ok")
        assert one.call.played == ["menu/main"] * 2


async def test_an_old_look_does_not_make_a_key_of_before_one_of_the_prompt():
    """The clock stands still: without a new look the key would be found only behind Read."""
    async with stage(clock=Clock(0)) as one:
        await one.during(one.voice.collect(MENU), lambda: one.call.press("1"))
        one.call.press("2")
        heard = await one.during(one.voice.collect(COSTS), lambda: one.call.press("3"))
        assert heard == Heard("3", "ok")


async def test_a_key_pressed_before_and_once_more_in_the_prompt_was_meant():
    async with stage(made=Hasty) as one:
        one.call.keys = "2"
        heard = await one.during(one.voice.collect(COSTS), lambda: one.call.press("2"))
        assert heard == Heard("2", "ok")
        assert one.call.played == ["menu/main"]


async def test_a_fresh_prompt_takes_its_own_keys_only():
    async with stage(made=Hasty) as one:
        one.call.press("1")
        one.call.keys = "1"
        heard = await one.during(one.voice.collect(CONFIRM), lambda: one.call.press("2"))
        assert heard == Heard("2", "ok")
        assert not heard.ahead
        one.call.keys = "1"
        assert await one.during(one.voice.collect(CONFIRM), one.call.silence) == Heard("", "timeout")


async def test_a_secret_is_not_spoilt_by_a_key_of_a_moment_before():
    async with stage(made=Hasty) as one:
        one.call.keys = "9"
        assert await one.during(one.voice.collect(PIN), lambda: one.call.press("12#")) == Heard("12", "ok")
        one.call.keys = "1"
        assert await one.during(one.voice.collect(PIN), lambda: one.call.press("1234")) == Heard("1234", "ok")


async def test_keys_behind_the_answer_of_a_fresh_prompt_are_kept():
    async with stage() as one:

        def hurry():
            one.call.press("15")

        assert await one.during(one.voice.collect(CONFIRM), hurry) == Heard("1", "ok")
        assert await one.voice.collect(MENU) == Heard("5", "ok")


async def test_a_terminator_behind_a_full_number_answers_no_fresh_prompt():
    async with stage(clock=Clock(10)) as one:
        await one.during(one.voice.collect(NUMBER), lambda: one.call.press("1234"))
        heard = await one.during(
            one.voice.collect(CONFIRM), lambda: one.call.press("#"), lambda: one.call.press("2")
        )
        assert heard == Heard("2", "ok")


async def test_a_prompt_that_must_be_heard_is_heard_whatever_was_pressed_before():
    law = Prompt(("law",), barge_in=False, risky=frozenset("1"))
    async with stage() as one:
        one.call.press("1")
        heard = await one.during(one.voice.collect(law), one.call.silence, lambda: one.call.press("1"))
        assert heard == Heard("1", "ok")
        assert one.call.played == ["law"]


@pytest.mark.parametrize("prompt", [CONFIRM, Prompt(("a", "b", "c"), risky=frozenset("7"))])
async def test_a_key_in_an_early_part_of_a_long_prompt_is_its_own(prompt):
    files = tuple(f"digits/{number}" for number in range(20))
    long = Prompt(files, fresh=prompt.fresh, risky=prompt.risky)
    async with stage(settings=VoiceSettings(group_octets=60)) as one:
        heard = await one.during(one.voice.collect(long), lambda: one.call.press("7"))
        assert heard == Heard("7", "ok")
        assert not heard.ahead
        assert len(one.call.played) < 10


async def test_a_key_of_the_moment_of_patience_is_ahead_even_where_asterisk_keeps_no_keys():
    async with stage(channel=Channel(stores=False)) as one:
        await one.during(one.voice.play(("moment",), interruptible=True), lambda: one.call.press("2"))
        heard = await one.during(one.voice.collect(COSTS), lambda: one.call.press("3"))
        assert heard == Heard("3", "ok")


@settings(max_examples=200, derandomize=True, deadline=None)
@given(
    st.text("12#*A", max_size=4),
    st.text("12#*A", max_size=3),
    st.text("12#*A", max_size=4),
    st.integers(1, 3),
    st.sampled_from(["", "#"]),
)
def test_what_is_not_ahead_was_pressed_in_the_prompt(before, between, own, most, terminator):
    prompt = Prompt((), max_digits=most, terminator=terminator)
    typed = TypedKeys()
    typed.text = before
    typed.begin()
    typed.text += between + own
    typed.came(own, only=False)
    digits = typed.take(prompt).digits
    if not typed.ahead(prompt, digits):
        assert not before
        assert take(prompt, own).digits == digits
    typed.came(own, only=True)
    assert typed.text[typed.position :] == own


class HandClock:
    def __init__(self) -> None:
        self.now = 1_795_000_000_000

    def __call__(self) -> int:
        return self.now


@pytest.mark.parametrize(
    ("prompt", "first", "last"),
    [
        (COSTS, "2", "2"),
        (CONFIRM, "1", "2"),
        (Prompt(("number",), 4, terminator="#", fresh=True), "123#", "45#"),
        (Prompt(tuple(f"digits/{number}" for number in range(20)), risky=frozenset("2")), "2", "2"),
    ],
)
async def test_a_key_in_the_first_moment_of_a_prompt_was_on_its_way_before_it(prompt, first, last):
    """Nobody has heard a word of it: where it matters, the prompt is played once more."""
    clock = HandClock()
    settings = VoiceSettings(reaction_s=0.5, group_octets=60)

    def press(keys, after_ms):
        def act():
            clock.now += after_ms
            one.call.press(keys)

        return act

    async with stage(settings=settings, clock=clock) as one:
        heard = await one.during(one.voice.collect(prompt), press(first, 499), press(last, 500))
        assert heard == Heard(last.rstrip("#"), "ok")


async def test_a_key_without_risk_is_taken_in_the_first_moment_too():
    async with stage(settings=VoiceSettings(reaction_s=0.5), clock=HandClock()) as one:
        assert await one.during(one.voice.collect(COSTS), lambda: one.call.press("1")) == Heard("1", "ok")
        assert await one.during(one.voice.collect(MENU), lambda: one.call.press("2")) == Heard("2", "ok")


async def test_an_entry_that_matters_is_taken_key_by_key_and_loses_none():
    amount = Prompt(("amount",), 4, terminator="#", first_s=6, between_s=3, fresh=True)
    async with stage(made=Hasty) as one:

        def first():
            one.call.press("1")
            one.call.keys = "2"  # comes before the second Read has begun

        heard = await one.during(one.voice.collect(amount), first, lambda: one.call.press("3#"))
        assert heard == Heard("123", "ok")
        assert [audio.max_digits for audio in one.call.audio] == [1, 3]
        assert [audio.seconds[0] for audio in one.call.audio] == [6, 3]

        def slow():
            one.call.press("7")
            one.call.silence()

        heard = await one.during(one.voice.collect(amount), slow, one.call.silence)
        assert heard == Heard("7", "timeout")


async def test_keys_that_go_on_coming_are_waited_out():
    clock = HandClock()
    async with stage(settings=VoiceSettings(reaction_s=0.5), clock=clock) as one:

        def press():
            clock.now += 150
            one.call.press("2")

        def late():
            clock.now += 2_000
            one.call.press("2")

        heard = await one.during(one.voice.collect(COSTS), press, press, press, late)
        assert heard == Heard("2", "ok")
        assert one.call.played == ["menu/main"] * 4


async def test_a_key_behind_a_prompt_that_was_heard_to_its_end_is_never_too_soon():
    law = Prompt(("law",), barge_in=False, fresh=True)
    async with stage(settings=VoiceSettings(reaction_s=0.5), clock=HandClock()) as one:
        heard = await one.during(one.voice.collect(law), one.call.silence, lambda: one.call.press("1"))
        assert heard == Heard("1", "ok")


async def test_a_key_in_the_last_part_of_a_long_prompt_is_not_too_soon():
    clock = HandClock()
    files = tuple(f"digits/{number}" for number in range(8))
    async with stage(settings=VoiceSettings(reaction_s=0.5, group_octets=60), clock=clock) as one:

        def heard_out():
            clock.now += 5_000
            one.call.silence()

        work = one.voice.collect(Prompt(files, risky=frozenset("2")))
        heard = await one.during(work, heard_out, lambda: one.call.press("2"))
        assert heard == Heard("2", "ok")
        assert one.call.played == list(files)
