"""A session: one subscriber in one flow, as plain data.

It is immutable and serialisable; `machine.advance` returns a new one. The same inputs give the same
sessions, which is what replay, tests, exploration and crash recovery rest on.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from engine.values import holds_secret, is_plain, pack, unpack_extension

AHEAD_KEY = 2
"""A dial-ahead group of more characters may be a code or a password; it is treated as a secret."""


class Waiting(StrEnum):
    """What the session waits for; any other input leaves it untouched."""

    BEGIN = "begin"
    ANSWER = "answer"
    READING = "reading"
    BACKEND = "backend"
    LOOK = "look"
    PEOPLE = "people"
    LINE = "line"
    PAUSE = "pause"
    OFFER = "offer"
    ENDED = "ended"


class Frame(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One running flow: where it is and its own variables.

    `pc` is the number of a step in the compiled flow, valid for the session's build only. `counters` hold
    the tries of a question and the place of a loop, by step number.
    """

    flow: str
    pc: int
    variables: Mapping[str, Any]
    counters: Mapping[int, int] = {}


class Session(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The whole state of one conversation.

    Times are UTC in milliseconds of the host's one clock. `frames` is the stack, the innermost last.
    `said` waits to be shown with the next question or the end. `history` keeps the stacks of earlier
    questions for `back`, `first` that of the first question for `main`, `asked` that of the last question
    until the next one is asked; while an answer is awaited, an empty `first` or `asked` stands for `frames`,
    so that no stack is stored twice in one turn. `call` numbers back-end calls. `shown` are the first
    element, the number of elements of the list page on the screen, and the number of pages; `by_ahead` is
    the stack of the question that a dial-ahead key answered last, as long as nobody was asked since.
    `charged` is true from a charging (or other irreversible) request to the first answer after its outcome;
    `final` is the text shown meanwhile, or the one that is being read page by page; `reason` is that of the
    coming `End`. `detached` is true once there is no screen any more, `gone` once the subscriber has left,
    `farewell` is the `hangup` block that runs when the flow has said by SMS what it had to say. `trail` is
    what the subscriber dialled, chose and answered, masked, for the people he may be handed over to.
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
    by_ahead: tuple[Frame, ...] = ()
    gone: bool = False
    farewell: tuple[Frame, ...] = ()
    trail: tuple[str, ...] = ()


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(Session, ext_hook=unpack_extension)


def _unplain(session: Session) -> dict[int, Mapping[str, Any]]:
    """Return the variables that MessagePack cannot write as they are, each map once, by its identity.

    Stacks of one session mostly share their variables, and most variables are plain.
    """
    found: dict[int, Mapping[str, Any]] = {}
    last: Mapping[str, Any] | None = None
    frames = session.frames + session.first + session.asked
    if session.history:
        frames = sum(session.history, frames)
    if session.by_ahead or session.farewell:
        frames += session.by_ahead + session.farewell
    for frame in frames:
        variables = frame.variables
        if variables is not last:
            last = variables
            if not is_plain(variables.values()):
                found[id(variables)] = variables
    return found


_STACKS = tuple(map(Session.__struct_fields__.index, ("frames", "first", "asked", "farewell", "by_ahead")))
_HISTORY = Session.__struct_fields__.index("history")
_MAPPINGS = tuple(map(Session.__struct_fields__.index, ("looked", "event")))


def _packed(stack: tuple[Frame, ...], packed: Mapping[int, object]) -> list[list[Any]]:
    """Return a stack in a form MessagePack can write; it is read back as frames."""
    return [
        [frame.flow, frame.pc, packed.get(id(frame.variables), frame.variables), frame.counters]
        for frame in stack
    ]


def form_judged(session: Session) -> tuple[Session | list[Any], bool]:
    """Return what MessagePack can write of a session, and whether `is_secret` is true of it.

    Secrets are in clear. What is read back as a `Session` is equal to this one.
    """
    unplain = _unplain(session)
    if not (unplain or session.looked or session.event):
        return session, bool(session.said or session.ahead) and _shows_secret(session)
    secret = _shows_secret(session) or any(map(holds_secret, unplain.values()))
    fields: list[Any] = list(msgspec.structs.astuple(session))
    if unplain:
        packed = {key: pack(variables) for key, variables in unplain.items()}
        done: dict[int, list[list[Any]]] = {}  # the stack of a question often stands in several fields
        for index in _STACKS:
            stack = fields[index]
            if stack:
                if id(stack) not in done:
                    done[id(stack)] = _packed(stack, packed)
                fields[index] = done[id(stack)]
        if session.history:
            fields[_HISTORY] = [_packed(stack, packed) for stack in session.history]
    for index in _MAPPINGS:
        if fields[index]:
            fields[index] = pack(fields[index])
    return fields, secret


def dump(session: Session) -> bytes:
    """Return the session as MessagePack; secrets are inside in clear, so seal what `is_secret` names."""
    return _encode(form_judged(session)[0])


def load(data: bytes) -> Session:
    """Read a session back; equal to the one that was dumped. Raises msgspec.DecodeError on damage."""
    return _decoder.decode(data)


def is_secret(session: Session) -> bool:
    """Tell whether any stored value of the session is secret, so that the record must be sealed.

    Dial-ahead keys longer than a menu key count as secret: nobody knows yet what they will answer.
    """
    return _shows_secret(session) or any(map(holds_secret, _unplain(session).values()))


def _shows_secret(session: Session) -> bool:
    """Whether a secret is outside the variables: in what is said, dialled ahead, looked up or came in."""
    if session.said and any(secret for _, secret in session.said):
        return True
    if session.ahead and any(len(keys) > AHEAD_KEY for keys in session.ahead):
        return True
    if not (session.event or session.looked):
        return False
    return holds_secret(session.event) or holds_secret(session.looked)
