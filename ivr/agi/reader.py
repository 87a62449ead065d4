"""Octets of a FastAGI connection into what they mean, in any portions.

The rules (measured on Asterisk 22): first come `key: value` lines up to an empty one; then one reply for each
command. `HANGUP` is a line of its own that may stand in front of a reply and never replaces it. A block that
begins `520-` ends with `520 `. A value may hold a line feed; then its line has an opening bracket and does
not end with a closing one, and the reply goes on. A reply below 200 tells that work goes on and is none.

What cannot be told apart here is a value that ends its own line and goes on with a whole reply of its own:
that is one reply too many, and whoever counts commands sees it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from ivr.agi.reply import Reply, read_reply

LINE_OCTETS = 65_536
"""A longer line is an attack or a fault; the connection is given up."""

ENVIRONMENT_LINES = 100
USAGE_LINES = 200
VALUE_LINES = 64
_CLOSED = re.compile(r"\)(?: endpos=[0-9]+)?\Z")


@dataclass(frozen=True, slots=True)
class Environment:
    """What Asterisk tells at the beginning, by name.

    Everything in it may have been chosen by the caller: it is a claim and not a fact.
    """

    fields: Mapping[str, str]

    @property
    def script(self) -> str:
        """Path and query behind the host, without the leading slash; empty if there is none."""
        return self.fields.get("agi_network_script", "")

    @property
    def arguments(self) -> tuple[str, ...]:
        """`agi_arg_1` and so on."""
        found: list[str] = []
        while (name := f"agi_arg_{len(found) + 1}") in self.fields:
            found.append(self.fields[name])
        return tuple(found)


@dataclass(frozen=True, slots=True)
class HangupLine:
    """The caller has gone. The reply that is owed still comes."""


@dataclass(frozen=True, slots=True)
class Broken:
    """The octets follow no rule; nothing after this can be told apart. `reason` is for the log."""

    reason: str


Heard: TypeAlias = Environment | Reply | HangupLine | Broken

_LONG = Broken(f"a line of more than {LINE_OCTETS} octets")


class Reader:
    """Feed it what was read; it returns what is complete. After `Broken` it stays silent."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._environment: dict[str, str] | None = {}
        self._count = 0
        self._open: list[str] = []
        self._octets = 0
        self._usage: list[str] = []
        self._broken = False

    def feed(self, data: bytes) -> list[Heard]:
        """Take octets in; return what they complete, in order."""
        found: list[Heard] = []
        if self._broken:
            return found
        if self._rest:
            self._rest += data
            if b"\n" not in data and len(self._rest) <= LINE_OCTETS:
                return found
            data = bytes(self._rest)
            self._rest.clear()
        *lines, rest = data.split(b"\n")
        for line in lines:
            if len(line) > LINE_OCTETS:
                one: Heard | None = _LONG
            elif self._environment is None:
                one = self._line(line.decode("utf-8", "replace"))
            else:
                text = line.decode("utf-8", "replace").removesuffix("\r")
                one = self._environment_line(self._environment, text)
            if one is not None:
                found.append(one)
                if isinstance(one, Broken):
                    self._broken = True
                    return found
        if len(rest) > LINE_OCTETS:
            self._broken = True
            found.append(_LONG)
        else:
            self._rest += rest
        return found

    def _line(self, line: str) -> Heard | None:
        if self._usage:
            return self._usage_line(line)
        if self._open:
            return self._value_line(line)
        if line == "HANGUP":
            return HangupLine()
        if line.startswith("520-"):
            self._usage = [line]
            return None
        reply = read_reply(line)
        if reply is None:
            return Broken("a line that is no reply")
        if reply.code == 200 and "(" in line and not _CLOSED.search(line):
            self._open, self._octets = [line], len(line)
            return None
        return None if reply.code < 200 else reply

    def _environment_line(self, fields: dict[str, str], line: str) -> Heard | None:
        if not line:
            self._environment = None
            return Environment(fields)
        self._count += 1
        name, colon, value = line.partition(":")
        if not colon or self._count > ENVIRONMENT_LINES:
            return Broken("the environment is not one of Asterisk")
        if name in fields:
            return Broken("the environment has a name twice")
        fields[name] = value.removeprefix(" ")
        return None

    def _usage_line(self, line: str) -> Heard | None:
        self._usage.append(line)
        if line.startswith("520 "):
            text, self._usage = "\n".join(self._usage), []
            return Reply(520, "", None, None, text)
        return Broken("a usage text without an end") if len(self._usage) > USAGE_LINES else None

    def _value_line(self, line: str) -> Heard | None:
        self._open.append(line)
        self._octets += len(line)
        if len(self._open) > VALUE_LINES or self._octets > LINE_OCTETS:
            return Broken("a value without an end")
        if not _CLOSED.search(line):
            return None
        reply, self._open = read_reply("\n".join(self._open)), []
        return reply
