"""One message of the manager interface: a block of `Key: value` lines, and its octets.

Keys may come several times (`Variable`, `ChanVariable`, `Output`) and are read without regard to case; values
may hold `: `, so a line is cut at the first colon only. A value that we send has no control character: a
line end in it would begin a header of somebody else's choice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

BLOCK_OCTETS = 256 * 1024
"""A longer block is an attack or a fault; the connection is given up."""


class ActionError(ValueError):
    """An action that cannot be sent; the message names the key and not the value."""


@dataclass(frozen=True, slots=True)
class Message:
    """Headers in their order. `get` is the first of a name, `all` every one."""

    headers: tuple[tuple[str, str], ...]

    def get(self, name: str, default: str = "") -> str:
        """Return the first value of a name."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), default)

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a name, in order."""
        wanted = name.lower()
        return tuple(value for key, value in self.headers if key.lower() == wanted)

    def number(self, name: str) -> int | None:
        """Return a value as a whole number of at most 18 digits, None if it is none."""
        text = self.get(name).strip()
        digits = text.removeprefix("-")
        return int(text) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else None

    @property
    def event(self) -> str:
        """The name of the event, empty for a reply."""
        return self.get("Event")

    @property
    def action_id(self) -> str:
        """The action this belongs to, empty if to none."""
        return self.get("ActionID")


def encode(headers: Iterable[tuple[str, str]]) -> bytes:
    """Return an action as octets. Raises ActionError for what would not arrive as these headers."""
    lines = []
    for name, value in headers:
        if not name.replace("-", "").isalnum() or not name.isascii():
            raise ActionError(f"{name!r} is not a key")
        if any(ord(sign) < 32 or ord(sign) in (127, 0x85, 0x2028, 0x2029) for sign in value):
            raise ActionError(f"{name} has a control character")
        lines.append(f"{name}: {value}\r\n")
    lines.append("\r\n")
    try:
        return "".join(lines).encode()
    except UnicodeEncodeError:
        raise ActionError("half of a surrogate pair cannot be sent to Asterisk") from None


class Blocks:
    """Octets in any portions into messages; the banner comes as a message with the one key `Banner`."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._seen_banner = False
        self.broken = ""

    def feed(self, data: bytes) -> list[Message]:
        """Take octets in; return what they complete. When `broken` is set, nothing more comes."""
        found: list[Message] = []
        if self.broken:
            return found
        self._buffer += data
        if not self._seen_banner:
            end = self._buffer.find(b"\n")
            if end < 0:
                return self._bounded(found)
            banner = self._buffer[:end].decode("utf-8", "replace").strip("\r")
            if not banner.startswith("Asterisk Call Manager/"):
                self.broken = "this is no Asterisk manager interface"
                return found
            self._seen_banner = True
            del self._buffer[: end + 1]
            found.append(Message((("Banner", banner),)))
        start = 0
        while (end := self._buffer.find(b"\r\n\r\n", start)) >= 0:
            found.append(_message(self._buffer[start:end].decode("utf-8", "replace")))
            start = end + 4
        del self._buffer[:start]
        return self._bounded(found)

    def _bounded(self, found: list[Message]) -> list[Message]:
        if len(self._buffer) > BLOCK_OCTETS:
            self.broken = f"a block of more than {BLOCK_OCTETS} octets"
            self._buffer.clear()
        return found


def _message(block: str) -> Message:
    headers = []
    for line in block.split("\r\n"):
        name, colon, value = line.partition(":")
        if colon and name:
            headers.append((name.strip(), value.removeprefix(" ")))
    return Message(tuple(headers))
