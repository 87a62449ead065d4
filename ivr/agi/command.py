"""Commands as lines that cannot be anything but one command.

Asterisk takes 8191 octets at a time, the line feed among them, and executes the rest of a longer line as the
next command; of a command it takes 127 words and drops the others in silence; a line feed cannot be quoted.
So a command that does not fit, or has a control character, is refused here and never written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

LINE_OCTETS = 8_190
"""Octets of a line, without its line feed, that Asterisk 22 reads as one command."""

WORDS = 127
"""Words of a command; Asterisk drops what is beyond."""

_FORBIDDEN = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]")
_WORDS = re.compile("[A-Z]+(?: [A-Z]+)*")
_SAME = 256
"""So many different lines of one command are kept: what is said in every call is put together once."""


class CommandError(ValueError):
    """An argument that cannot be sent; the message names it without showing it."""


def quoted(argument: str) -> str:
    """Return an argument in quotes, with quotes and backslashes escaped. Raises CommandError."""
    if (found := _FORBIDDEN.search(argument)) is not None:
        if found[0] >= "\ud800":
            raise CommandError("half of a surrogate pair cannot be sent to Asterisk")
        raise CommandError(f"a control character (U+{ord(found[0]):04X}) cannot be sent to Asterisk")
    return '"' + argument.replace("\\", "\\\\").replace('"', '\\"') + '"'


def command(name: str, *arguments: str | int) -> bytes:
    """Return the line of a command, with its line feed.

    `name` is one of ours: capital words such as `SET VARIABLE`. Every argument is quoted, whole numbers are
    written as they are. Raises CommandError for what would not arrive as one command.
    """
    if _WORDS.fullmatch(name) is None:
        raise CommandError(f"{name!r} is not a command")
    if name.count(" ") + 1 + len(arguments) > WORDS:
        raise CommandError(f"a command has at most {WORDS} words")
    parts = [str(one) if type(one) is int else quoted(str(one)) for one in arguments]
    line = " ".join((name, *parts)).encode()
    if len(line) > LINE_OCTETS:
        raise CommandError(f"a command has at most {LINE_OCTETS} octets, this one has {len(line)}")
    return line + b"\n"


def set_variable(name: str, value: str) -> bytes:
    """`SET VARIABLE`: the value is taken literally, `${...}` in it is not expanded."""
    return command("SET VARIABLE", name, value)


def get_variable(name: str) -> bytes:
    """`GET VARIABLE`: of a variable or function whose value has no free text."""
    return command("GET VARIABLE", name)


_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\([a-z]+\))?")
SEPARATOR = "|"
"""Stands between the values of `get_variables`."""


def get_variables(names: Iterable[str]) -> bytes:
    """`GET FULL VARIABLE` of several variables in one round trip, their values joined by SEPARATOR.

    `GET FULL VARIABLE` evaluates its text as the dialplan does, so only plain names and functions of one
    plain word are taken; of `CALLERID(num)`, which the caller chooses, only digits and `+` come through.
    Raises CommandError.
    """
    return _full(tuple(names))


@lru_cache(_SAME)
def _full(names: tuple[str, ...]) -> bytes:
    parts = []
    for name in names:
        if _NAME.fullmatch(name) is None:
            raise CommandError("a variable has a plain name or is a function of one word")
        parts.append("${FILTER(0-9+,${CALLERID(num)})}" if name == "CALLERID(num)" else f"${{{name}}}")
    return command("GET FULL VARIABLE", SEPARATOR.join(parts))


@lru_cache(_SAME)
def channel_status() -> bytes:
    """`CHANNEL STATUS`: 4 ringing, 6 up, 511 when the caller has gone."""
    return command("CHANNEL STATUS")


@lru_cache(_SAME)
def answer() -> bytes:
    """`ANSWER` the call."""
    return command("ANSWER")


def hangup() -> bytes:
    """`HANGUP` the call."""
    return command("HANGUP")


def wait_for_digit(ms: int) -> bytes:
    """`WAIT FOR DIGIT`: its ASCII code, 0 after `ms`."""
    return command("WAIT FOR DIGIT", ms)


def record_file(name: str, escape: str, max_ms: int, *, beep: bool, silence_s: int | None) -> bytes:
    """`RECORD FILE` as 8 kHz WAV, ended by a digit of `escape`, by `max_ms` or by silence.

    `name` is relative to the folder of recordings. Raises CommandError.
    """
    sounds((name,))
    arguments: list[str | int] = [name, "wav", escape, max_ms, 0]
    if beep:
        arguments.append("BEEP")
    if silence_s is not None:
        arguments.append(f"s={silence_s}")
    return command("RECORD FILE", *arguments)


_SEPARATORS = frozenset(",&|^()[]{}$\"'\\; ")
_KEYS = frozenset("0123456789*#")


def _argument(text: str) -> str:
    """Return part of an application's arguments; those are parsed again, so nothing may separate."""
    if not text or not _SEPARATORS.isdisjoint(text):
        raise CommandError("an application's argument has a character that would be read as a separator")
    return text


def sounds(files: tuple[str, ...]) -> str:
    """Return files joined for one application. Raises CommandError for a name that is not one file.

    A name is relative to the sounds folder: no leading slash, no `..` and nothing that looks like an address,
    which Asterisk would fetch.
    """
    for name in files:
        if name.startswith("/") or ".." in name or ":" in name:
            raise CommandError("a sound file is named relative to the sounds folder")
    return "&".join(_argument(name) for name in files)


@lru_cache(_SAME)
def read(
    variable: str,
    files: tuple[str, ...],
    digits: int,
    seconds: float | None,
    terminator: str = "#",
    *,
    answer_call: bool = True,
) -> bytes:
    """`EXEC Read`: play the files, stop at a digit, collect up to `digits` (1 to 255) into `variable`.

    `seconds` counts from the end of the prompt and from each digit; None takes TIMEOUT(response) and
    TIMEOUT(digit) of the channel. `terminator` is one key or empty: then only the number of digits and
    the time end the entry. One try: repeating is the flow's.
    """
    if not 1 <= digits <= 255:
        raise CommandError("Read collects 1 to 255 digits")
    if len(terminator) > 1 or not _KEYS.issuperset(terminator):
        raise CommandError("a terminator is one key")
    options = "" if answer_call else "n"
    if terminator != "#":
        # With one digit `e` takes a lone `#` as that digit; with more of them an empty list ends by no key.
        options += "e" if digits == 1 and not terminator else f"t({terminator})"
    time = "" if seconds is None else f"{seconds:.3f}".rstrip("0").rstrip(".")
    parts = [_argument(variable), sounds(files), str(digits), options, "1", time]
    return command("EXEC", "Read", ",".join(parts))


@lru_cache(_SAME)
def background(files: tuple[str, ...], *, answer_call: bool = True) -> bytes:
    """`EXEC Background`: play the files; any digit stops them and is the result (ASCII)."""
    return command("EXEC", "Background", sounds(files) + ("" if answer_call else ",n"))


@lru_cache(_SAME)
def playback(files: tuple[str, ...], *, answer_call: bool = True) -> bytes:
    """`EXEC Playback`: play the files to their end; digits are lost."""
    return command("EXEC", "Playback", sounds(files) + ("" if answer_call else ",noanswer"))


@lru_cache(_SAME)
def store_digits(variable: str, most: int = 250) -> bytes:
    """`EXEC StoreDTMF`: keep every digit that is received from now on in `variable`, whatever runs."""
    return command("EXEC", "StoreDTMF", f"RX,{_argument(variable)},{most}")


@lru_cache(_SAME)
def forget_digits() -> bytes:
    """`EXEC StoreDTMF`: keep no more digits."""
    return command("EXEC", "StoreDTMF", "remove")
