"""Calls: prompts, keys, waits and hang-ups, against a scripted Asterisk."""

from __future__ import annotations

import asyncio

import pytest

from ivr.agi.error import AGIAppError, AGIHangup, ForgedReplyError
from ivr.fastagi import FastAgiServer, Line
from ivr.prompt import Heard, Prompt
from ivr.testing.call import Call
from ivr.testing.channel import Channel
from ivr.typed import FULL
from ivr.voice import Recorded, VoiceLine, VoiceSettings
from tests.ivr.stage import MENU, NAMES, NOW, NUMBER, PIN, Clock, stage


async def test_the_variables_come_from_asterisk_and_not_from_the_environment():
    forged = {"agi_callerid": "79160000000", "agi_uniqueid": "x"}
    async with stage(fields=forged) as one:
        assert one.voice.variables == {
            "CALLERID(num)": "79161234567",
            "CHANNEL(name)": "PJSIP/trunk-00000001",
            "UNIQUEID": "1795000000.1",
        }
        assert len(one.call.commands) == 2
        assert await one.voice.trusted(("QUEUESTATUS",)) == {"QUEUESTATUS": ""}


@pytest.mark.parametrize(
    "caller", ["7916|79160000000|x", "x)\n200 result=1 (7", "${SHELL(id)}", "anonymous", ""]
)
async def test_of_a_hostile_caller_only_digits_come_through(caller):
    async with stage(caller="1", variables={"CALLERID(num)": caller}) as one:
        number = one.voice.variables["CALLERID(num)"]
        assert number == "".join(key for key in caller if key in "0123456789+")


async def test_values_that_cannot_be_told_apart_are_refused():
    async with stage(opened=False, variables={"UNIQUEID": "a|b"}) as one:
        with pytest.raises(AGIAppError):
            await one.voice.trusted(("UNIQUEID", "CHANNEL(name)"))


async def test_a_menu_is_one_read_of_all_files_and_a_key_answers_it():
    async with stage() as one:
        task = asyncio.ensure_future(one.voice.collect(MENU))
        prompt = await one.call.prompt()
        assert (prompt.application, prompt.files, prompt.max_digits) == ("Read", MENU.files, 1)
        assert prompt.seconds[0] == 8
        one.call.press("2")
        assert await task == Heard("2", "ok")
        assert len(one.call.commands) == 2 + 3


async def test_a_prompt_straight_behind_another_needs_two_commands():
    async with stage(clock=Clock(1)) as one:
        for _ in range(3):
            await one.during(one.voice.collect(MENU), lambda: one.call.press("2"))
        assert len(one.call.commands) == 2 + 3 * 2


@pytest.mark.parametrize("key", ["#", "*", "0"])
async def test_every_key_of_a_menu_is_an_answer(key):
    async with stage() as one:
        assert await one.during(one.voice.collect(MENU), lambda: one.call.press(key)) == Heard(key, "ok")


async def test_a_number_ends_by_its_terminator_its_length_or_the_time():
    async with stage() as one:
        press = one.call.press
        assert await one.during(one.voice.collect(NUMBER), lambda: press("12#")) == Heard("12", "ok")
        assert await one.during(one.voice.collect(NUMBER), lambda: press("1234")) == Heard("1234", "ok")

        def slow():
            press("56")
            one.call.silence()

        assert await one.during(one.voice.collect(NUMBER), slow) == Heard("56", "timeout")
        assert await one.during(one.voice.collect(NUMBER), one.call.silence) == Heard("", "timeout")
        assert await one.during(one.voice.collect(NUMBER), lambda: press("#")) == Heard("", "ok")
        assert one.call.audio[-1].seconds == (6, 3)
        assert sum("TIMEOUT" in line for line in one.call.commands) == 2


async def test_keys_pressed_during_a_wait_answer_the_next_prompts_unplayed():
    async with stage() as one:
        one.call.press("12")
        one.call.press("34#5")
        assert await one.voice.collect(MENU) == Heard("1", "ok")
        assert await one.voice.collect(NUMBER) == Heard("234", "ok")
        assert await one.voice.collect(MENU) == Heard("5", "ok")
        assert one.call.played == []
        assert await one.during(one.voice.collect(MENU), lambda: one.call.press("6")) == Heard("6", "ok")


async def test_a_number_that_was_begun_ahead_is_gone_on_with_without_words():
    async with stage() as one:
        one.call.press("12")
        assert await one.during(one.voice.collect(NUMBER), lambda: one.call.press("34")) == Heard(
            "1234", "ok"
        )
        assert one.call.played == []
        assert one.call.audio[-1].max_digits == 2
        assert one.call.audio[-1].seconds[0] == NUMBER.between_s


async def test_keys_are_told_in_their_order_even_if_read_saw_only_the_last():
    """A key between the look at the keys and the start of Read is in the store only."""
    async with stage(clock=Clock(1)) as one:
        one.call.press("1")
        assert await one.during(one.voice.collect(NUMBER), lambda: one.call.press("23#")) == Heard(
            "123", "ok"
        )


async def test_type_ahead_is_dropped_where_it_may_do_harm():
    async with stage() as one:
        one.call.press("11")
        await one.voice.drop_ahead()
        heard = await one.during(one.voice.collect(MENU), lambda: one.call.press("2"))
        assert heard == Heard("2", "ok")
        assert one.call.played == list(MENU.files)


async def test_a_secret_takes_nothing_typed_ahead_and_leaves_nothing_behind():
    async with stage() as one:
        one.call.press("9999")
        heard = await one.during(one.voice.collect(PIN), lambda: one.call.press("1234"))
        assert heard == Heard("1234", "ok")
        assert one.call.played == ["pin"]
        assert not [
            value for value in one.call.variables.values() if "1234" in value and value != "79161234567"
        ]
        assert not [line for line in one.call.commands if '"1234' in line]
        one.call.press("5")
        assert await one.voice.collect(MENU) == Heard("5", "ok")


async def test_a_hang_up_behind_a_secret_loses_nothing():
    async with stage(channel=Channel(hangup_line="now")) as one:

        def enter():
            one.call.press("1234")
            one.call.hang_up()

        assert await one.during(one.voice.collect(PIN), enter) == Heard("1234", "ok")
        assert one.voice.hungup


async def test_a_terminator_behind_a_full_number_belongs_to_it():
    async with stage(clock=Clock(10)) as one:
        assert await one.during(one.voice.collect(NUMBER), lambda: one.call.press("1234")) == Heard(
            "1234", "ok"
        )
        heard = await one.during(
            one.voice.collect(MENU), lambda: one.call.press("#"), lambda: one.call.press("2")
        )
        assert heard == Heard("2", "ok")
        one.call.press("1234#3")
        assert await one.voice.collect(NUMBER) == Heard("1234", "ok")
        assert await one.voice.collect(MENU) == Heard("3", "ok")


async def test_a_terminator_pressed_much_later_is_an_answer():
    async with stage(clock=Clock(4_000)) as one:
        await one.during(one.voice.collect(NUMBER), lambda: one.call.press("1234"))
        assert await one.during(one.voice.collect(MENU), lambda: one.call.press("#")) == Heard("#", "ok")


async def test_without_barge_in_the_prompt_is_heard_and_its_keys_are_dropped():
    strict = Prompt(("law",), barge_in=False)
    async with stage() as one:

        def impatient():
            one.call.press("1")
            one.call.silence()

        heard = await one.during(one.voice.collect(strict), impatient, lambda: one.call.press("2"))
        assert heard == Heard("2", "ok")
        assert [audio.application for audio in one.call.audio] == ["Playback", "Read"]


async def test_a_long_prompt_goes_in_groups_and_a_key_stops_all_of_it():
    files = tuple(f"digits/{number}" for number in range(20))
    async with stage(settings=VoiceSettings(group_octets=60)) as one:
        task = asyncio.ensure_future(one.voice.collect(Prompt(files)))
        assert (await one.call.question()).application == "Read"
        one.call.press("1")
        assert await task == Heard("1", "ok")
        assert one.call.played == list(files)
        one.call.played.clear()
        heard = await one.during(one.voice.collect(Prompt(files)), lambda: one.call.press("7"))
        assert heard == Heard("7", "ok")
        assert len(one.call.played) < 10


async def test_a_prompt_whose_last_file_is_missing_still_waits_for_a_key():
    async with stage(channel=Channel(missing=frozenset({"gone"}))) as one:
        heard = await one.during(one.voice.collect(Prompt(("menu", "gone"))), lambda: one.call.press("1"))
        assert heard == Heard("1", "ok")
        assert one.voice.missing == 1
        assert one.voice.hungup is False


async def test_where_asterisk_keeps_no_keys_prompts_work_all_the_same():
    async with stage(channel=Channel(stores=False), settings=VoiceSettings(moment=("moment",))) as one:
        assert not one.voice.type_ahead
        assert await one.during(one.voice.collect(NUMBER), lambda: one.call.press("12#")) == Heard("12", "ok")
        assert await one.during(one.voice.collect(MENU), lambda: one.call.press("#")) == Heard("#", "ok")
        assert await one.during(one.voice.collect(MENU), one.call.silence) == Heard("", "timeout")
        played = await one.during(one.voice.play(("news",), interruptible=True), lambda: one.call.press("4"))
        assert played == "ok"
        assert await one.during(one.voice.collect(NUMBER), lambda: one.call.press("5#")) == Heard("45", "ok")
        assert await one.during(one.voice.collect(PIN), lambda: one.call.press("1234")) == Heard("1234", "ok")


async def test_a_store_that_was_removed_is_noticed():
    async with stage() as one:
        one.call.channel.execute('EXEC "StoreDTMF" "remove"')
        assert await one.during(one.voice.collect(NUMBER), lambda: one.call.press("12#")) == Heard("12", "ok")
        assert not one.voice.type_ahead


async def test_keys_outlive_the_size_of_the_store():
    async with stage() as one:
        for _ in range(40):
            assert await one.during(
                one.voice.collect(NUMBER), lambda: one.call.press("123456789"[:4])
            ) == Heard("1234", "ok")
            one.call.press("#5*8")
            assert await one.voice.collect(MENU) == Heard("5", "ok")
            assert await one.voice.collect(MENU) == Heard("*", "ok")
            assert await one.voice.collect(MENU) == Heard("8", "ok")
        assert one.voice.type_ahead
        assert len(one.call.variables["IVR_TYPED"]) < FULL + 20


async def test_a_second_gateway_does_not_take_the_keys_that_the_first_has_used():
    channel = Channel()
    async with stage(channel=channel) as one:
        await one.during(one.voice.collect(MENU), lambda: one.call.press("1"))
    async with stage(channel=channel) as two:
        assert await two.during(two.voice.collect(MENU), lambda: two.call.press("2")) == Heard("2", "ok")


@pytest.mark.parametrize("line", ["now", "next", "never"])
async def test_a_hang_up_during_a_prompt_is_a_hang_up(line):
    async with stage(channel=Channel(hangup_line=line)) as one:
        assert await one.during(one.voice.collect(MENU), one.call.hang_up) == Heard("", "hungup")
        assert await one.voice.collect(MENU) == Heard("", "hungup")
        assert await one.voice.play(("bye",)) == "hungup"
        assert not await one.voice.alive()
        await one.voice.leave("done")
        assert one.call.variables["IVR_NEXT"] == "done"


@pytest.mark.parametrize("exit_on_hangup", [True, False])
async def test_a_hang_up_before_every_command_ends_in_a_hang_up(exit_on_hangup):
    """Whatever step a caller leaves at, the call ends by its own rules and no exception is unknown."""

    async def flow(voice: VoiceLine) -> str:
        try:
            await voice.open(NAMES)
            await voice.answer()
            if (await voice.collect(MENU)).outcome == "hungup":
                return "hungup"
            if await voice.play(("news",), interruptible=True) == "hungup":
                return "hungup"
            if (await voice.collect(PIN)).outcome == "hungup":
                return "hungup"
            if (await voice.record("calls/1", 30)).outcome == "hungup":
                return "hungup"
            if await voice.play(("bye",)) == "hungup":
                return "hungup"
            await voice.leave("done")
        except AGIHangup:
            return "hungup"
        return "done"

    class Leaver(Call):
        leave_at = 0

        def _take(self, line):
            if len(self.commands) == self.leave_at:
                self.hang_up()
            super()._take(line)
            if self.channel.pending is not None:
                self.press("1234") if self.channel.pending.application == "Read" else self.silence()

    outcomes = []
    for place in range(40):
        done = asyncio.get_running_loop().create_future()

        async def handler(line: Line, done=done) -> None:
            done.set_result(await flow(VoiceLine(line, VoiceSettings(), Clock())))

        async with FastAgiServer("127.0.0.1", 0, handler, clock=lambda: NOW) as server:
            leaver = Leaver(server.port, exit_on_hangup=exit_on_hangup)
            leaver.leave_at = place
            async with leaver as call:
                outcomes.append(await done)
                await call.ended()
            assert server.counts["failed"] == 0
        if not call.channel.hungup:
            break
    assert outcomes[-1] == "done"
    assert 12 < len(outcomes) < 40
    assert outcomes[:10] == ["hungup"] * 10


async def test_result_minus_one_is_no_hang_up():
    async with stage(replies=[None, None, "200 result=-1", None]) as one:
        assert await one.voice.play(("gone",), interruptible=True) == "failed"
        assert not one.voice.hungup


async def test_a_missing_file_is_told_and_is_no_hang_up():
    async with stage(channel=Channel(missing=frozenset({"gone"}))) as one:
        assert await one.voice.play(("gone",), interruptible=True) == "failed"
        assert await one.voice.play(("gone",)) == "failed"
        assert one.voice.missing == 2
        assert not one.voice.hungup


async def test_keys_pressed_during_an_announcement_count_if_it_may_be_interrupted():
    async with stage() as one:
        press = one.call.press
        assert await one.during(one.voice.play(("a", "b"), interruptible=True), lambda: press("3")) == "ok"
        assert await one.voice.collect(MENU) == Heard("3", "ok")

        def impatient():
            press("4")
            one.call.silence()

        assert await one.during(one.voice.play(("a", "b")), impatient) == "ok"
        assert await one.during(one.voice.collect(MENU), lambda: press("5")) == Heard("5", "ok")


async def test_early_media_does_not_answer_the_call():
    async with stage(answered=False) as one:
        await one.during(one.voice.play(("news",)), one.call.silence)
        await one.during(one.voice.play(("news",), interruptible=True), one.call.silence)
        await one.during(one.voice.collect(MENU), one.call.silence)
        assert not one.call.channel.up
        await one.voice.answer()
        assert one.call.channel.up
        count = len(one.call.commands)
        await one.voice.answer()
        assert len(one.call.commands) == count


async def test_one_moment_is_said_while_a_back_end_is_slow():
    settings = VoiceSettings(moment=("moment",), moment_after_s=2, moment_every_s=7)
    waits = []

    async def ready(seconds: float) -> bool:
        waits.append(seconds)
        return len(waits) == 3

    async with stage(settings=settings) as one:
        assert await one.during(one.voice.hold(ready), one.call.silence, lambda: one.call.press("1"))
        assert waits == [2, 7, 7]
        assert one.call.played == ["moment", "moment"]
        assert await one.voice.collect(MENU) == Heard("1", "ok")


async def test_a_caller_who_leaves_during_a_wait_is_told_but_the_wait_goes_on():
    waits = []

    async def ready(seconds: float) -> bool:
        waits.append(seconds)
        return len(waits) == 4

    async with stage(settings=VoiceSettings(moment=("moment",))) as one:
        assert not await one.during(one.voice.hold(ready), one.call.hang_up)
        assert len(waits) == 4
        assert one.call.played == ["moment"]


async def test_a_recording_tells_how_it_ended():
    async with stage() as one:
        record = one.voice.record
        assert await one.during(record("calls/1", 30), lambda: one.call.press("#")) == Recorded(
            "calls/1", 1, "ok"
        )
        assert one.call.audio[-1].seconds[0] == 30
        assert await one.during(record("calls/2", 30), one.call.silence) == Recorded("calls/2", 4, "ok")
        one.call.press("1")
        assert (await one.during(record("calls/3", 30), one.call.hang_up)) == Recorded("calls/3", 1, "hungup")


async def test_keys_of_a_recording_answer_nothing():
    async with stage() as one:
        await one.during(one.voice.record("calls/1", 30), lambda: one.call.press("12#"))
        assert await one.during(one.voice.collect(MENU), lambda: one.call.press("4")) == Heard("4", "ok")


async def test_a_recording_that_cannot_be_written_is_no_hang_up():
    replies = [None, None, "200 result=-1 (writefile) endpos=0"]
    async with stage(replies=replies) as one:
        assert await one.voice.record("calls/1", 30) == Recorded("calls/1", 0, "failed")


async def test_leaving_tells_the_dialplan_and_says_how_to_go_on_last():
    told = {"IVR_SESSION": "0f" * 16, "IVR_QUEUE": "support", "IVR_PRIO": "1999971640", "IVR_SURVEY": "yes"}
    async with stage() as one:
        await one.voice.leave("queue", told)
        assert {name: one.call.variables[name] for name in told} == told
        assert one.call.commands[-1] == 'SET VARIABLE "IVR_NEXT" "queue"'
        assert 'EXEC "StoreDTMF" "remove"' in one.call.commands


async def test_the_dialplan_knows_three_ways():
    async with stage() as one:
        with pytest.raises(ValueError, match="dialplan"):
            await one.voice.leave("System")


@pytest.mark.parametrize(
    "told",
    [
        {"IVR_QUEUE": "support,ct,,,1"},
        {"IVR_QUEUE": "a&b"},
        {"IVR_PRIO": "-1"},
        {"IVR_PRIO": "1" * 11},
        {"IVR_CONNECT": "+7495"},
        {"IVR_CONNECT": "1@evil"},
        {"IVR_SESSION": "x"},
        {"IVR_RECORD_NOTICE": "a&b"},
        {"IVR_RECORD_NOTICE": "/etc/passwd"},
        {"IVR_RECORD_NOTICE": "a/../b"},
        {"IVR_NEXT": "done"},
        {"CALLERID(num)": "1"},
        {"IVR_QUEUE": "a\n"},
    ],
)
async def test_the_dialplan_is_told_nothing_that_it_would_read_otherwise(told):
    async with stage() as one:
        with pytest.raises(ValueError, match="dialplan"):
            await one.voice.leave("queue", told)
        assert "IVR_NEXT" not in one.call.variables


async def test_a_forged_reply_is_no_answer_and_no_hang_up():
    async with stage() as one:
        task = asyncio.ensure_future(one.voice.collect(MENU))
        await one.call.prompt()
        one.call.forge("200 result=0\n200 result=1 (OK|1|1)\n")
        with pytest.raises(ForgedReplyError):
            await task


async def test_keys_that_are_no_keys_are_refused():
    async with stage() as one:
        one.call.variables["IVR_TYPED"] = "1 & rm"
        with pytest.raises(AGIAppError):
            await one.voice.collect(MENU)
