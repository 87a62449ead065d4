"""Everything a flow may ask of the world. `machine.advance` returns a tuple of these, in order.

The host commits the session and these effects in one transaction and only then carries them out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from engine.values import Secret, Value


class Collect(msgspec.Struct, frozen=True, gc=False):
    """Show a screen (or send an SMS, play a prompt) and wait for the subscriber.

    `timeout_ms` is counted from now to the `Silence` input; `secret` tells that the answer must not be
    recorded anywhere; `page`/`pages` count from 1; `reading` is true when only a "more" key is awaited.
    `constant` is true when the text is the same in every session, so that a channel may keep its octets.
    """

    text: str | Secret
    timeout_ms: int
    secret: bool = False
    page: int = 1
    pages: int = 1
    reading: bool = False
    constant: bool = False


class End(msgspec.Struct, frozen=True, gc=False):
    """The session is over. `text` is the last screen, None if there is nothing to show.

    `reason`: `end`, `return`, `hangup`, `refused`, `left` (the last step was passed), `failed` (a project
    error), `no_answer` (all tries of a question are used up), `gone` (the subscriber left), `late` (a
    question came up when there was no screen any more), `limit` (step budget or stack depth).
    `resume_ms` is above 0 when the subscriber may go on where he was within so long: the host then keeps the
    session as it was before this input, for `machine.reopen`.
    """

    text: str | Secret | None
    reason: str = "end"
    constant: bool = False
    resume_ms: int = 0


class CallBackend(msgspec.Struct, frozen=True, gc=False):
    """Ask an operation; answered by `BackendReplied(call, …)`.

    `key` is the business key of the step, None for the automatic one. `within_ms` is the step's own limit.
    """

    call: int
    operation: str
    arguments: Mapping[str, Value]
    key: str | None = None
    within_ms: int | None = None


class Question(msgspec.Struct, frozen=True, gc=False):
    """One thing to look up: `recent` an operation, `memory` a name (of `subject`), `open` a queue…"""

    kind: str
    name: str
    subject: str = ""


class Look(msgspec.Struct, frozen=True, gc=False):
    """Built-in functions that ask about the world; the host answers in the same batch with `Looked`."""

    questions: tuple[Question, ...]


class SendSms(msgspec.Struct, frozen=True, gc=False):
    """Queue an SMS. `sender` is the short code it comes from; `secret` ones are sent at most once."""

    to: str
    sender: str
    text: str | Secret
    secret: bool = False


class Remember(msgspec.Struct, frozen=True, gc=False):
    """Add one to the memory `name` of `subject` (MSISDN); `keep_ms` None means for ever, 0 the session."""

    name: str
    subject: str
    keep_ms: int | None


class Forget(msgspec.Struct, frozen=True, gc=False):
    """Remove all of the memory `name` of `subject`."""

    name: str
    subject: str


class Enqueue(msgspec.Struct, frozen=True, gc=False):
    """Hand the subscriber over to people; answered by `AgentLeft(call, …)`, which may be long after.

    `priority` is a head start in steps of the queue; `trail` is what was dialled, chosen and answered so far,
    masked, the oldest first, and goes to the specialist with `note`. `survey` is the flow that asks about the
    talk, empty if none: the engine runs it itself while the subscriber is there. `callback_after_ms` is how
    long to wait before a callback is offered (`AgentLeft.outcome` is `waiting` then), `timeout_ms` how long
    the subscriber may stand in the queue at all. A second `Enqueue` of a session for the same queue, after
    `waiting`, is the same place in it. `text` is said in a call before it is put into the queue; in a text
    channel what was said has left as `SendSms` before.
    """

    call: int
    queue: str
    priority: int = 0
    skills: tuple[str, ...] = ()
    note: str = ""
    trail: tuple[str, ...] = ()
    survey: str = ""
    callback_after_ms: int | None = None
    timeout_ms: int | None = None
    text: str | Secret = ""


class OrderCallback(msgspec.Struct, frozen=True, gc=False):
    """A task for people: call `to` by `by` (UTC ms), not before `at` if it is given.

    Answered in the same batch by `BackendReplied(call, "done", {"number": int, "by": moment})`. While an
    order of the same queue and phone (or of the same `key`) is open, a repeat is that order and adds its
    note.
    """

    call: int
    queue: str
    to: str
    by: int
    at: int | None = None
    note: str = ""
    key: str | None = None
    trail: tuple[str, ...] = ()


class Schedule(msgspec.Struct, frozen=True, gc=False):
    """Start `flow` for `to` (MSISDN) at `at` (UTC ms) over `sms`, `ussd` or `voice`, with these inputs."""

    flow: str
    at: int
    to: str
    over: str
    arguments: Mapping[str, Value] = {}


class Rate(msgspec.Struct, frozen=True, gc=False):
    """One answer of a rating, to be stored at once. `score` lies in `low`..`high`; None: asked, no answer."""

    topic: str
    score: int | None
    low: int
    high: int
    flow: str


class Record(msgspec.Struct, frozen=True, gc=False):
    """Record what the caller says (voice); answered by `LineReplied(call, "done", name of the recording)`."""

    call: int
    text: str | Secret
    max_ms: int


class Connect(msgspec.Struct, frozen=True, gc=False):
    """Transfer the call (voice); answered by `LineReplied(call, "busy" | "no_answer" | "done")`.

    `text` is said before.
    """

    call: int
    number: str
    timeout_ms: int
    note: str = ""
    text: str | Secret = ""


class Answer(msgspec.Struct, frozen=True, gc=False):
    """Answer a call that has only had early media so far (voice)."""


class Pause(msgspec.Struct, frozen=True, gc=False):
    """Do nothing for `ms`; ended by `Silence` at the session's deadline (voice and background flows).

    `text` is said before, in a call.
    """

    ms: int
    text: str | Secret = ""


class Note(msgspec.Struct, frozen=True, gc=False):
    """Something to count or log: `refused`, `log`, `error`, `no_match`, … with where it happened.

    `text` has personal data and secrets already masked.
    """

    event: str
    flow: str
    line: int
    text: str = ""


Effect: TypeAlias = (
    Collect
    | End
    | CallBackend
    | Look
    | SendSms
    | Remember
    | Forget
    | Enqueue
    | OrderCallback
    | Schedule
    | Rate
    | Record
    | Connect
    | Answer
    | Pause
    | Note
)
