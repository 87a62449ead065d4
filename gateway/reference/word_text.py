"""What is said of each word of expressions: its form, its meaning, and an example with its result.

`given` of an example are the variables of `EXAMPLE_GIVEN`; the tests evaluate all examples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """A word: how it is written, what it is, a text with it, and what a subscriber reads of it."""

    form: str
    means: str
    text: str = ""
    shown: str = ""
    more: str = ""


VARIABLES: Mapping[str, Word] = {
    "announcement": Word(
        "announcement",
        "What staff have put at the head of the line now; empty if nothing.",
        "{{ announcement }}",
        "Сегодня работаем до 18:00.",
        "It is set by `gudok switch announce`: [switches](../../how-to/switches.md).",
    ),
    "called": Word(
        "called",
        ("The dialled number or code, or the short code a message came to."),
        "{{ called }}",
        "*929#",
    ),
    "caller": Word(
        "caller",
        "The subscriber's number. It is personal data: logs hide it.",
        "{{ caller|phone }}",
        "+7 916 123-45-67",
    ),
    "channel": Word(
        "channel",
        "`voice`, `ussd`, `sms` or `event`.",
        "{{ 'по SMS' if channel == 'sms' else 'здесь' }}",
        "здесь",
        (
            "A condition on it is understood by `gudok check`: what stands under it is looked at for "
            "that channel only."
        ),
    ),
    "event": Word(
        "event",
        "What came with an event; its fields are typed by `events:` of the back end.",
        "{{ event.fee|money }}",
        "490 ₽",
    ),
    "lang": Word(
        "lang",
        "The language of the session.",
        "{{ lang }}",
        "ru",
        "Set by `set: { lang: \"'tg'\" }`, and kept for later sessions by `memory: { lang: forever }`.",
    ),
    "memory": Word(
        "memory.name",
        "How many of a declared memory are kept of this subscriber; 0 if none.",
        "{{ memory.wrong_code }}",
        "2",
        (
            "Declared in `memory:` of the project, counted by [`remember`](../verbs/remember.md), "
            "deleted by [`forget`](../verbs/forget.md). Read afresh in front of the step that uses "
            "it."
        ),
    ),
    "now": Word("now", "This moment.", "{{ (now + minutes(30))|time }}", "15:30"),
    "text": Word("text", "The words of the message that started the session.", "{{ text }}", "баланс"),
    "today": Word("today", "The subscriber's day.", "{{ today|date }}", "22 ноября"),
    "topic": Word("topic", "The topic of the innermost flow that declares one.", "{{ topic }}", "packages"),
}
FUNCTIONS: Mapping[str, Word] = {
    "average": Word(
        "average(list)",
        "The mean of a list or of the scores of `rate`; empty scores are left out.",
        "{{ average(scores) }}",
        "3",
    ),
    "days": Word("days(n)", "A term of n days.", "{{ (today + days(9))|date }}", "1 декабря"),
    "expected_wait": Word(
        "expected_wait('queue')",
        "How long the next in this queue will wait, in seconds.",
        "{{ expected_wait('support')|duration }}",
        "10 минут",
    ),
    "hours": Word("hours(n)", "A term of n hours.", "{{ (slot.start - hours(2))|time }}", "16:30"),
    "lowest": Word(
        "lowest(list)",
        "The least of a list or of the scores of `rate`; empty scores are left out.",
        "{{ lowest(scores) }}",
        "2",
    ),
    "max": Word("max(a, b, …)", "The greatest of its arguments, or of one list.", "{{ max(3, 7) }}", "7"),
    "min": Word("min(a, b, …)", "The least of its arguments, or of one list.", "{{ min(3, 7) }}", "3"),
    "minutes": Word("minutes(n)", "A term of n minutes.", "{{ minutes(90)|duration }}", "1 час 30 минут"),
    "open": Word(
        "open('name')",
        "Whether a queue or a calendar is open now.",
        "{{ 'Ждём вас' if open('office') else 'Закрыто' }}",
        "Ждём вас",
        "An input of type `queue` may stand for the name.",
    ),
    "position": Word(
        "position('queue')",
        "Which place the next in this queue would have.",
        "{{ position('support') }}",
        "4",
    ),
    "recent": Word(
        "recent('back_end.operation')",
        "How the caller's last order inside `once` ended: `done`, `unknown`, or empty.",
        "{{ 'Уже обновлён' if recent('billing.refresh_package') == 'done' else 'Ещё нет' }}",
        "Уже обновлён",
        (
            "Ask it before refusals that the charge itself makes true, so that who dials again reads "
            "the truth."
        ),
    ),
    "repeat_contact": Word(
        "repeat_contact('topic', days)",
        "Whether the subscriber was here with this topic within so many days.",
        "{{ 'снова' if repeat_contact('internet', 7) else 'впервые' }}",
        "снова",
    ),
    "round": Word(
        "round(x), round(x, 2)",
        "The nearest whole number, or with so many decimals; a half goes away from zero.",
        "{{ round(2.5) }}",
        "3",
        "A division is not rounded by itself.",
    ),
    "surge": Word(
        "surge('topic')",
        "Whether many more than usual come with this topic now.",
        "{{ 'авария' if surge('internet') else 'как обычно' }}",
        "авария",
    ),
    "workdays": Word(
        "workdays(n)",
        "The time until the end of the n-th working day from today, by the first calendar.",
        "{{ workdays(2)|duration }}",
        "3 дня",
    ),
}
FILTERS: Mapping[str, Word] = {
    "count": Word(
        "n|count('минута|минуты|минут')",
        "A number with the right form of its noun.",
        "{{ 22|count('день|дня|дней') }}",
        "22 дня",
        "As many forms as the language has (CLDR): Russian three, English two, Tajik one.",
    ),
    "date": Word(
        "x|date", "A date or a moment, in the project's zone.", "{{ slot.start|date }}", "23 ноября"
    ),
    "digits": Word("x|digits", "Digits one by one; read out so in a call.", "{{ '0890'|digits }}", "0890"),
    "duration": Word("x|duration", "A term, or a number of seconds.", "{{ 600|duration }}", "10 минут"),
    "length": Word("x|length", "How many elements or characters.", "{{ scores|length }}", "3"),
    "money": Word(
        "x|money",
        "A number as money of the project's country.",
        "{{ p.balance|money }}",
        "89,50 ₽",
        "Money is an exact decimal number; `p.balance / p.fee` is how many times the fee is there.",
    ),
    "phone": Word("x|phone", "A number in groups.", "{{ '2021111'|phone }}", "202-11-11"),
    "time": Word("x|time", "The time of day, in the project's zone.", "{{ slot.start|time }}", "18:30"),
}
