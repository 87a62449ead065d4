"""Pages of the fields of `flow:`, each with a header that uses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.reading import header
from engine.reading.fields import Field
from gateway.reference.markdown import Page, code, default, index, page, sentence, table, written

EXAMPLES: Mapping[str, tuple[str, str]] = {
    "title": ("title: Обнови пакет", "The first thing an operator looks for in records and statistics."),
    "topic": (
        "topic: packages",
        (
            "`repeat_contact` and `surge` count by topic; a session's record has that of the "
            "innermost flow that declares one."
        ),
    ),
    "ussd": (
        'ussd: ["*929#", "*100*{amount:money}#"]',
        (
            "A pattern has typed parameters, which are inputs of the flow: `int`, `money`, `phone`, "
            "`date`, `digits(4)`, `secret(14)`, `text`. A dial that does not fit the type is tried "
            "on the next pattern. Of two that match the one with more literal characters wins; "
            "equals are an error."
        ),
    ),
    "sms": (
        'sms: { to: "000500", words: [сбой, нет связи] }',
        (
            "Words are compared as whole words, without regard to case and ё. A pattern goes before "
            "words, and words before any text to the same number."
        ),
    ),
    "call": ('call: ["0890", "88002500890"]', "The numbers as the exchange hands them over."),
    "event": (
        "event: { on: network.repaired, each: event.reports as r, to: r.phone, hours: 08:00-22:00 }",
        (
            "Nobody is on the line. `event` holds the payload as `events:` of the back end types it. "
            "With `each` every element is a session of its own, stored by itself, so a restart "
            "neither loses nor repeats one."
        ),
    ),
    "dial_ahead": (
        "dial_ahead: no",
        "With `yes`, `*202*3#` dials `*202#` and presses 3. It never presses a key into a charge.",
    ),
    "takes": (
        "takes: { number: phone, line: queue }",
        "All of them are needed where the flow is run. `queue` is the name of a queue of the project.",
    ),
    "returns": (
        "returns: bool",
        "Whoever runs the flow saves its result; see [`return`](../verbs/return.md).",
    ),
    "operator": (
        "operator: { run: specialist, with: { line: \"'support'\" } }",
        "The project's, if not written.",
    ),
    "keep": ("keep: 2h", "The usual time of the channel, if not written."),
    "hangup": (
        "hangup: { log: ушёл }",
        ("Only silent steps: `request`, `sms`, `callback`, `schedule`, `remember`, `forget`, `set`, `log`."),
    ),
    "errors": (
        "errors: { text: { end: Позже. } }",
        (
            "By channel: `ussd`, `sms`, `voice`, or `text` for the first two. Without it the "
            "project's blocks apply."
        ),
    ),
    "languages": ("languages: [ru, tg]", "A session in another language is served in the first of them."),
    "resume": (
        "resume: 5m",
        (
            "Who dials the same again within that time is asked whether to go on. Never across a "
            "charge, and never in another version of the flows."
        ),
    ),
    "answer": (
        "answer: late",
        (
            "Prompts are heard before the call is answered; `queue`, `connect`, `record` and "
            "`answer` answer it."
        ),
    ),
    "outbound": (
        (
            "outbound: { on: shop.visit_closed, to: event.phone, within: 30m, hours: 09:00-21:00, "
            "over: [sms] }"
        ),
        (
            "We begin. `skip` is asked before every try; when `tries` are used up the next channel "
            "of `over` follows, then `missed`."
        ),
    ),
}
"""An example of each field, and what its one sentence leaves open."""

_TABLES: Mapping[str, Sequence[Field]] = {
    "sms": header.SMS_TABLE,
    "event": header.EVENT_TABLE,
    "outbound": header.OUTBOUND_TABLE,
}
_INTRO = "`flow:` is the only reserved key of a flow file; everything else at the margin is a scene."


def pages() -> list[Page]:
    """Return the page of each field and their index."""
    found = [_page(field) for field in header.FIELDS]
    return [index("header/index.md", "Header fields", found, _INTRO), *found]


def _page(field: Field) -> Page:
    example, more = EXAMPLES[field.name]
    about = sentence(field.doc)
    inner = _TABLES.get(field.name)
    how = f"Written as: {written(field)}."
    return page(
        f"header/{field.name}.md",
        f"`{field.name}`",
        about,
        code("yaml", f"flow:\n  {example}"),
        more,
        "As a table:\n\n" + table(inner) if inner else how,
        f"Not written: `{default(field)}`." if default(field) else "",
        about=about,
    )
