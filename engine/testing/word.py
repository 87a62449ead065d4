"""The words of the test language and what each may have beside it."""

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
    table: bool = False
    """Whether the value is a table, not a text."""


WORDS: dict[str, Word] = {
    word.name: word
    for word in (
        Word("given", table=True),
        Word("dial", ("from", "lang")),
        Word("text", ("to", "from", "lang"), text=True),
        Word("event", ("with", "over", "no answer", "busy")),
        Word("run", ("with", "over", "from", "lang")),
        Word("press"),
        Word("say", text=True),
        Word("silence", value="none"),
        Word("hangup", value="none"),
        Word("busy", value="none"),
        Word("no answer", value="none"),
        Word("agent", ("topic", "note")),
        Word("wait"),
        Word("see", text=True),
        Word("hear", text=True),
        Word("pages"),
        Word("sms", ("to", "from"), text=True),
        Word("no sms", ("to",), value="may", text=True),
        Word("request", ("with",)),
        Word("no request", value="may"),
        Word("queue", ("priority", "skills", "note")),
        Word("no queue", value="may"),
        Word("callback", ("note", "by", "at", "to", "number")),
        Word("no callback", value="may"),
        Word("scheduled", ("at", "over", "to", "with")),
        Word("no scheduled", value="may"),
        Word("rated", table=True),
        Word("no rated", value="may"),
        Word("connect", ("note",)),
        Word("no connect", value="may"),
        Word("remembered"),
        Word("no remembered"),
        Word("log hides"),
        Word("ended", value="none"),
        Word("waiting", value="none"),
    )
}
"""Every word, by its name."""

CASE_FIELDS = ("each", "given", "steps")
FILE_FIELDS = ("backends", "tests")
