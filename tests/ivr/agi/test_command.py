"""Commands: what is written, that it is what Asterisk would read, and that it is always one."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from asterisk.agi import AGI
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.agi import command as agi
from ivr.agi.command import LINE_OCTETS, CommandError, command
from ivr.testing.words import lines, words

CASES = yaml.safe_load((Path(__file__).parents[2] / "agi" / "commands.yaml").read_text(encoding="utf-8"))


def made(case) -> bytes:
    arguments = [tuple(one) if isinstance(one, list) else one for one in case.get("arguments", [])]
    return getattr(agi, case["call"])(*arguments, **case.get("named", {}))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["wire"])
def test_a_command_is_written(case):
    assert made(case).decode() == case["wire"] + "\n"


def test_every_command_has_a_case():
    ours = {
        name
        for name, one in vars(agi).items()
        if callable(one) and getattr(one, "__module__", "") == agi.__name__ and not name.startswith("_")
    }
    assert ours - {"CommandError", "command", "quoted", "sounds"} == {case["call"] for case in CASES}


class Recorder(AGI):
    """pyst2's commands without its input and output: what it would write."""

    def __init__(self):
        self.line = ""

    def execute(self, name, *arguments):
        self.line = " ".join([name, *map(str, arguments)]).strip()
        return {"result": ("0", "")}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (agi.answer(), lambda one: one.answer()),
        (agi.hangup(), lambda one: one.hangup()),
        (agi.channel_status(), lambda one: one.channel_status()),
        (agi.wait_for_digit(4_000), lambda one: one.wait_for_digit(4_000)),
        (agi.set_variable("A", "b c"), lambda one: one.set_variable("A", "b c")),
        (agi.get_variable("A"), lambda one: one.get_variable("A")),
        (agi.get_variables(("A", "B")), lambda one: one.get_full_variable("${A}|${B}")),
        (agi.playback(("a", "b")), lambda one: one.appexec("Playback", "a&b")),
        (agi.read("D", ("a",), 4, 5.0), lambda one: one.exec_command("Read", "D", "a", 4, "", 1, 5)),
        (
            agi.record_file("f", "#", 9_000, beep=True, silence_s=3),
            lambda one: one.record_file("f", "wav", "#", 9_000, 0, "BEEP", 3),
        ),
    ],
)
def test_the_order_of_arguments_is_that_of_pyst2(ours, theirs):
    recorder = Recorder()
    theirs(recorder)
    assert words(ours.decode().rstrip("\n")) == words(recorder.line)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.lists(st.text(max_size=30), max_size=5))
def test_no_argument_whatever_makes_two_commands_or_another_word(arguments):
    try:
        line = command("SET VARIABLE", *arguments)
    except CommandError:
        return
    buffer = bytearray(line)
    (read,) = lines(buffer)
    assert not buffer
    assert words(read) == ["SET", "VARIABLE", *arguments]


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.lists(st.text(alphabet="ab/&,|${}()\"'\\ #\n", max_size=8), min_size=1, max_size=3))
def test_no_file_name_whatever_makes_another_argument(files):
    try:
        line = agi.read("D", tuple(files), 1, 5)
    except CommandError:
        return
    *_, text = words(line.decode().rstrip("\n"))
    assert text.split(",")[1].split("&") == files
    assert len(text.split(",")) == 6
    assert "$" not in text


@pytest.mark.parametrize("bad", ['a"\nEXEC System "id"', "a\rb", "a\0b", "a\x7f", "\ud800"])
def test_what_cannot_be_quoted_is_refused_and_not_shown(bad):
    with pytest.raises(CommandError) as caught:
        command("SET VARIABLE", "X", bad)
    assert "System" not in str(caught.value)


def test_a_line_of_8191_octets_is_the_longest():
    room = LINE_OCTETS - len('SET VARIABLE "X" ""')
    line = command("SET VARIABLE", "X", "a" * room)
    buffer = bytearray(line)
    assert len(line) == 8_191
    assert len(lines(buffer)) == 1
    with pytest.raises(CommandError, match="8190 octets"):
        command("SET VARIABLE", "X", "a" * (room + 1))
    with pytest.raises(CommandError):
        command("SET VARIABLE", "X", "я" * (room // 2 + 1))


def test_a_command_has_127_words():
    assert len(words(command("NOOP", *["a"] * 126).decode())) == 127
    with pytest.raises(CommandError, match="127 words"):
        command("NOOP", *["a"] * 127)


@pytest.mark.parametrize("name", ["", "noop", "NOOP\n", "SET  VARIABLE", "EXEC System"])
def test_a_command_is_one_of_ours(name):
    with pytest.raises(CommandError):
        command(name)


@pytest.mark.parametrize("name", ["${SHELL(id)}", "A}${B", "SHELL(id -u)", "A|B", "", "EVAL(${X})"])
def test_only_plain_names_are_evaluated(name):
    with pytest.raises(CommandError):
        agi.get_variables((name,))


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a&b", "http://host/x", "a,b", "a b", "", "${X}"])
def test_a_sound_file_is_one_file_below_the_sounds(name):
    with pytest.raises(CommandError):
        agi.playback((name,))
    with pytest.raises(CommandError):
        agi.record_file(name, "#", 1_000, beep=False, silence_s=None)


@pytest.mark.parametrize("arguments", [(0, 5.0, "#"), (256, 5.0, "#"), (1, 5.0, "##"), (1, 5.0, ")")])
def test_read_takes_only_what_it_can(arguments):
    digits, seconds, terminator = arguments
    with pytest.raises(CommandError):
        agi.read("D", (), digits, seconds, terminator)
