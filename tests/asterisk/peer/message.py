"""SIP messages (RFC 3261), as much as a telephone needs."""

from __future__ import annotations

from dataclasses import dataclass, field

SHORT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length"}


@dataclass
class Message:
    """A request (`method`, `uri`) or a response (`status`). Header names are kept as they are written."""

    method: str = ""
    uri: str = ""
    status: int = 0
    reason: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: str = ""

    def get(self, name: str) -> str:
        """Return the first header of a name, empty if there is none."""
        return next(iter(self.every(name)), "")

    def every(self, name: str) -> list[str]:
        """Return all headers of a name in their order."""
        return [value for key, value in self.headers if SHORT.get(key.lower(), key.lower()) == name.lower()]

    @property
    def sequence(self) -> tuple[int, str]:
        """CSeq."""
        number, _, method = self.get("cseq").partition(" ")
        return int(number), method.strip()

    def encode(self) -> bytes:
        """Return the datagram."""
        first = f"SIP/2.0 {self.status} {self.reason}" if self.status else f"{self.method} {self.uri} SIP/2.0"
        lines = [first, *(f"{name}: {value}" for name, value in self.headers)]
        if self.body:
            lines.append("Content-Type: application/sdp")
        lines.append(f"Content-Length: {len(self.body.encode())}")
        return "\r\n".join([*lines, "", self.body]).encode()


def parse(datagram: bytes) -> Message:
    """Read a datagram. Raises ValueError for what is no message."""
    head, _, body = datagram.decode("utf-8", "replace").partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    message = Message(body=body)
    if first.startswith("SIP/2.0 "):
        _, status, message.reason = (first + " ").split(" ", 2)
        message.status = int(status)
    else:
        message.method, message.uri, _ = first.split(" ", 2)
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise ValueError(f"a header without a colon: {line!r}")
        message.headers.append((name.strip(), value.strip()))
    return message


def tag(address: str) -> str:
    """Return the tag of a From or To header, empty if it has none."""
    for part in address.partition(">")[2].split(";"):
        name, _, value = part.partition("=")
        if name.strip() == "tag":
            return value.strip()
    return ""


def target(contact: str) -> str:
    """Return the URI in a Contact header."""
    return contact.partition("<")[2].partition(">")[0] or contact.partition(";")[0].strip()


def describe(port: int, *, event: int = 101) -> str:
    """Return an SDP offer or answer: A-law and RFC 4733 digits on a port of loopback."""
    lines = (
        "v=0",
        f"o=- {port} 1 IN IP4 127.0.0.1",
        "s=-",
        "c=IN IP4 127.0.0.1",
        "t=0 0",
        f"m=audio {port} RTP/AVP 8 {event}",
        "a=rtpmap:8 PCMA/8000",
        f"a=rtpmap:{event} telephone-event/8000",
        f"a=fmtp:{event} 0-16",
        "a=ptime:20",
        "a=sendrecv",
    )
    return "\r\n".join(lines) + "\r\n"


def media(sdp: str) -> tuple[str, int, int]:
    """Return address, port and payload type of digits from the other side's SDP."""
    address, port, event = "127.0.0.1", 0, 101
    for line in sdp.splitlines():
        if line.startswith("c=IN IP4 "):
            address = line.split()[2]
        elif line.startswith("m=audio "):
            port = int(line.split()[1])
        elif "telephone-event" in line:
            event = int(line.removeprefix("a=rtpmap:").split()[0])
    return address, port, event
