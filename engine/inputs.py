"""Everything that may come into a flow. `machine.advance` takes one of these and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from engine.values import Value


class Begin(msgspec.Struct, frozen=True, tag=True, gc=False):
    """A session starts at the first scene of `flow`, or at its block `missed` (`outbound:`).

    `arguments` are its typed inputs (trigger parameters, `takes`, `event`), `ahead` the dial-ahead keys
    still to be used as answers, `charged_from` nothing: a fresh session has no history. `block` is empty or
    `missed`.
    """

    flow: str
    arguments: Mapping[str, Value] = {}
    ahead: tuple[str, ...] = ()
    block: str = ""


class Text(msgspec.Struct, frozen=True, tag=True, gc=False):
    """What the subscriber typed: a USSD answer or an SMS, already decoded, at most 1 600 characters."""

    text: str


class Digits(msgspec.Struct, frozen=True, tag=True, gc=False):
    """Keys pressed in a call, without the terminator."""

    digits: str


class Silence(msgspec.Struct, frozen=True, tag=True, gc=False):
    """Nobody answered within the time-out of the question."""


class HungUp(msgspec.Struct, frozen=True, tag=True, gc=False):
    """The other side left: USSD release or abort, a call that ended, the session's total time is over."""

    reason: str


class Late(msgspec.Struct, frozen=True, tag=True, gc=False):
    """The answer time of the dialog has run out while a back end is asked; the channel has closed it.

    From here the flow goes on without a screen: what it says up to its next question goes by SMS.
    """


class Unshown(msgspec.Struct, frozen=True, tag=True, gc=False):
    """The last screen did not reach the subscriber (negative response, bind lost); reason for the journal."""

    reason: str


class BackendReplied(msgspec.Struct, frozen=True, tag=True, gc=False):
    """The outcome of call number `call`: `done` with a value, or the name of an error.

    Names: a mapped domain error, `unavailable`, `timeout`, `unknown`, `bad_answer` (flow-language 2.5).
    """

    call: int
    outcome: str
    value: Value = None


class Looked(msgspec.Struct, frozen=True, tag=True, gc=False):
    """The answers to the last `Look` effect, in its order."""

    values: tuple[Value, ...]


class AgentLeft(msgspec.Struct, frozen=True, tag=True, gc=False):
    """What came of `Enqueue` number `call`.

    `outcome`: `answered` (people have talked to the subscriber and left), `closed`, `full`, `no_agent`,
    `timeout` (the subscriber has waited `timeout_ms` in vain), `waiting` (`callback_after_ms` is over, the
    place in the queue stands). `result` is what the specialist said: `solved`, `unsolved`, `escalate` or
    empty; `topic` and `note` likewise; `waited_s` is the wait in seconds. `stayed` is false when the
    subscriber left first: a survey then goes by SMS.
    """

    call: int
    outcome: str = "answered"
    result: str = ""
    topic: str = ""
    note: str = ""
    waited_s: int = 0
    stayed: bool = True


class LineReplied(msgspec.Struct, frozen=True, tag=True, gc=False):
    """What came of `Record` or `Connect` number `call`: `done` (with a value), `busy`, `no_answer`, `failed`.

    The value of a recording is its name.
    """

    call: int
    outcome: str
    value: Value = None


class Reopened(msgspec.Struct, frozen=True, tag=True, gc=False):
    """A session that broke off is taken up again (`flow.resume`): offer to go on or to begin anew."""


Input: TypeAlias = (
    Begin
    | Text
    | Digits
    | Silence
    | HungUp
    | Late
    | Unshown
    | BackendReplied
    | Looked
    | AgentLeft
    | LineReplied
    | Reopened
)
