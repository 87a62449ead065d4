"""How a call of an operation ended, in the words of flow-language 2.5."""

from __future__ import annotations

import msgspec

from engine.values import Value

DONE = "done"
UNAVAILABLE = "unavailable"
TIMEOUT = "timeout"
UNKNOWN = "unknown"
BAD_ANSWER = "bad_answer"

ENGINE_ERRORS = frozenset({UNAVAILABLE, TIMEOUT, UNKNOWN, BAD_ANSWER})
"""The error names that the engine itself gives; all others are mapped domain errors."""


class Outcome(msgspec.Struct, frozen=True):
    """`name` is `done` or the name of an error; `value` is what a success returned.

    `detail` says for the log what exactly happened; it never holds a value, a number or a secret.
    """

    name: str
    value: Value = None
    detail: str = ""
