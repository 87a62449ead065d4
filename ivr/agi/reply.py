"""One reply of Asterisk: `200 result=1 (value)` and its relatives."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE = re.compile(r"([1-9][0-9]{2}) (.*)", re.DOTALL)
_RESULT = re.compile(r"result=([^ (\n]*)(.*)", re.DOTALL)
_ENDPOS = re.compile(r" endpos=([0-9]+)")
_NUMBER = re.compile(r"-?[0-9]{1,18}")

OK, INVALID, DEAD, USAGE = 200, 510, 511, 520


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply as it was read.

    `result` is the text behind `result=`, empty where there is none: a number, an ASCII code, or digits as
    they were typed. `value` is what stood in brackets, everything between the first and the last one; None if
    there were none. `endpos` is how much was heard, in samples (8000 a second). `text` is the whole line.
    """

    code: int
    result: str
    value: str | None
    endpos: int | None
    text: str

    @property
    def number(self) -> int | None:
        """The result as a number, None if it is none."""
        return int(self.result) if _NUMBER.fullmatch(self.result) else None

    @property
    def digit(self) -> str:
        """The digit whose ASCII code is the result; empty for none (0 or below)."""
        number = self.number
        if number is None or not 0 < number < 128:
            return ""
        digit = chr(number)
        return digit if digit in "0123456789*#ABCD" else ""

    @property
    def timed_out(self) -> bool:
        """Whether a collection of digits ended by its time; digits may have come all the same."""
        return self.value == "timeout"

    @property
    def dead(self) -> bool:
        """Whether the command was refused because the caller has gone."""
        return self.code == DEAD


_USUAL = {line: Reply(OK, line[-1], None, None, line) for line in ("200 result=0", "200 result=1")}
"""What nearly every command is answered with."""


def read_reply(line: str) -> Reply | None:
    """Return the reply a line is, None if it is none."""
    usual = _USUAL.get(line)
    if usual is not None:
        return usual
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    code, rest = int(found[1]), found[2]
    result = _RESULT.match(rest)
    if code != OK or result is None:
        return Reply(code, "", None, None, line)
    behind = result[2]
    first, last = behind.find("("), behind.rfind(")")
    value = behind[first + 1 : last] if 0 <= first < last else None
    endpos = _ENDPOS.search(behind) if value is None else _ENDPOS.search(behind[last + 1 :])
    return Reply(code, result[1], value, None if endpos is None else int(endpos[1]), line)
