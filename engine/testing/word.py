"""The words of the test language: what each may have beside it, and which belong to channels to come."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a test step. `value` tells whether something must, may or must not stand behind it."""

    name: str
    fields: tuple[str, ...] = ()
    value: str = "must"
    text: bool = False
    """Whether people read the value, so that a cut text is an error."""


WORDS: dict[str, Word] = {
    word.name: word
    for word in (
        Word("given"),
        Word("dial", ("from",)),
        Word("text", ("to", "from"), text=True),
        Word("event", ("with",)),
        Word("run", ("with", "over", "from")),
        Word("press"),
        Word("silence", value="none"),
        Word("hangup", value="none"),
        Word("wait"),
        Word("see", text=True),
        Word("pages"),
        Word("sms", ("to", "from"), text=True),
        Word("no sms", ("to",), value="may", text=True),
        Word("request", ("with",)),
        Word("no request", value="may"),
        Word("remembered"),
        Word("no remembered"),
        Word("log hides"),
        Word("ended", value="none"),
        Word("waiting", value="none"),
    )
}
"""Every word that works, by its name."""

LATER = frozenset({
    "hear", "agent", "queue", "no queue", "callback", "no callback", "scheduled", "no scheduled", "rated",
    "no rated", "say", "no answer", "busy",
})  # fmt: skip
"""Words of the language for calls and queues of people, which this version does not have."""

CASE_FIELDS = ("each", "given", "steps")
FILE_FIELDS = ("backends", "tests")
