"""A session: one subscriber in one flow, as plain data.

It is immutable and serialisable; `machine.advance` returns a new one. The same inputs give the same
sessions, which is what replay, tests, exploration and crash recovery rest on.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from engine.values import holds_secret, pack, unpack_extension


class Waiting(StrEnum):
    """What the session waits for; any other input leaves it untouched."""

    BEGIN = "begin"
    ANSWER = "answer"
    READING = "reading"
    BACKEND = "backend"
    LOOK = "look"
    ENDED = "ended"


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """One running flow: where it is and its own variables.

    `pc` is the number of a step in the compiled flow, valid for the session's build only. `counters` hold
    the tries of a question and the place of a loop, by step number.
    """

    flow: str
    pc: int
    variables: Mapping[str, Any]
    counters: Mapping[int, int] = {}


class Session(msgspec.Struct, frozen=True, array_like=True):
    """The whole state of one conversation.

    Times are UTC in milliseconds of the host's one clock. `frames` is the stack, the innermost last.
    `said` waits to be shown with the next question or the end. `history` keeps the stacks of earlier
    questions for `back`, `first` that of the first question for `main`, `asked` that of the last question
    until the next one is asked. `call` numbers back-end calls. `shown` are the first element, the number of
    elements of the list page on the screen, and the number of pages; `by_ahead` tells that a dial-ahead key answered last.
    `charged` is true from the charging request to the first answer after its outcome; `final` is the text
    shown meanwhile, or the one that is being read page by page; `reason` is that of the coming `End`.
    `detached` is true once there is no screen any more, `gone` once the subscriber has left,
    `farewell` is the `hangup` block that runs when the flow has said by SMS what it had to say.
    """

    build: str
    channel: str
    caller: str
    called: str
    lang: str
    started: int
    text: str = ""
    frames: tuple[Frame, ...] = ()
    waiting: Waiting = Waiting.BEGIN
    deadline: int | None = None
    page: int = 1
    call: int = 0
    steps: int = 0
    said: tuple[tuple[str, bool], ...] = ()
    ahead: tuple[str, ...] = ()
    history: tuple[tuple[Frame, ...], ...] = ()
    first: tuple[Frame, ...] = ()
    looked: Mapping[str, Any] = {}
    memory: Mapping[str, int] = {}
    charged: bool = False
    detached: bool = False
    event: Mapping[str, Any] = {}
    final: str = ""
    asked: tuple[Frame, ...] = ()
    shown: tuple[int, int, int] = (0, 0, 1)
    reason: str = ""
    by_ahead: bool = False
    gone: bool = False
    farewell: tuple[Frame, ...] = ()


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Session, ext_hook=unpack_extension)


def _pack_stack(stack: tuple[Frame, ...]) -> tuple[Frame, ...]:
    return tuple(
        Frame(
            frame.flow, frame.pc, {key: pack(value) for key, value in frame.variables.items()}, frame.counters
        )
        for frame in stack
    )


def dump(session: Session) -> bytes:
    """Return the session as MessagePack; secrets are inside in clear, so seal what `is_secret` names."""
    return _encoder.encode(
        msgspec.structs.replace(
            session,
            frames=_pack_stack(session.frames),
            history=tuple(map(_pack_stack, session.history)),
            first=_pack_stack(session.first),
            asked=_pack_stack(session.asked),
            farewell=_pack_stack(session.farewell),
            looked=pack(session.looked),
            event=pack(session.event),
        )
    )


def load(data: bytes) -> Session:
    """Read a session back; equal to the one that was dumped. Raises msgspec.DecodeError on damage."""
    return _decoder.decode(data)


def is_secret(session: Session) -> bool:
    """Tell whether any stored value of the session is secret, so that the record must be sealed.

    Dial-ahead keys longer than a menu key count as secret: nobody knows yet what they will answer.
    """
    if any(secret for _, secret in session.said) or any(len(keys) > AHEAD_KEY for keys in session.ahead):
        return True
    if holds_secret(session.event) or holds_secret(session.looked):
        return True
    stacks = (session.frames, session.asked, session.first, session.farewell, *session.history)
    return any(holds_secret(frame.variables) for stack in stacks for frame in stack)
