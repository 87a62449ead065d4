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
    """

    text: str | Secret | None
    reason: str = "end"
    constant: bool = False


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


class Note(msgspec.Struct, frozen=True, gc=False):
    """Something to count or log: `refused`, `log`, `error`, `no_match`, … with where it happened.

    `text` has personal data and secrets already masked.
    """

    event: str
    flow: str
    line: int
    text: str = ""


Effect: TypeAlias = Collect | End | CallBackend | Look | SendSms | Remember | Forget | Note
