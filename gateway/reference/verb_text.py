"""What is said of each verb beside its field table: what it does, and what an author has to know."""

from __future__ import annotations

from collections.abc import Mapping

DOES: Mapping[str, str] = {
    "answer": "Answers a call now, where the flow says `answer: late`.",
    "ask": (
        "Asks one question and waits for an answer of a type. A wrong answer or silence repeats "
        "it; `hint` stands above the repeated question."
    ),
    "callback": "Orders a call by people: a task with a deadline. Goes on at once.",
    "connect": "Transfers the call to another number.",
    "end": "Says the last text and leaves this flow: back to the flow that ran it, or the session ends.",
    "for": "Does a block for each element of a list, at most `max` times.",
    "forget": "Deletes a memory of the subscriber.",
    "go": "Jumps to a scene of this file and never comes back by itself.",
    "hangup": "Says the last text and ends the whole session.",
    "if": "Does one block when a condition is true, the other when it is not.",
    "log": "Writes a line to the log, with numbers masked.",
    "menu": "Shows lines with keys, or the elements of a list, and waits for a choice.",
    "queue": "Hands the subscriber to people and comes back when they have let go of him.",
    "rate": "Asks for a score on each of several topics. Each answer is stored at once.",
    "record": "Records what the caller says.",
    "refuse": "Says the text of the first true condition and leaves the flow. Each refusal is counted.",
    "remember": "Adds one to a memory of the subscriber, stored before anything later leaves.",
    "repeat": "Does a block up to N times, until a condition is true.",
    "request": "Asks a back end and waits for its answer. A charge must handle the outcome `unknown`.",
    "return": "Leaves the flow with a value, silently.",
    "run": "Runs another flow and comes back with its result.",
    "say": "Shows a text together with the next question or the end.",
    "schedule": "Starts a flow later. Goes on at once.",
    "set": "Sets variables of this run of the flow, or `lang` of the session.",
    "sms": "Queues an SMS and goes on at once.",
    "split": "Does one of several blocks by weight; the same subscriber always gets the same one.",
    "switch": "Does the block of a value; meant for enums.",
    "wait": "Pauses a call, or a flow that runs in the background.",
    "when": "Does the block of the first true condition.",
}
"""One or two sentences for each verb."""

KNOW: Mapping[str, tuple[str, ...]] = {
    "answer": ("An answered call stays answered; a second `answer` does nothing.",),
    "ask": (
        "`yes_no` takes 1 and 2 and the words of the session's language, and tells the keys by itself.",
        "In `check` the answer is called `it`: `check: it >= 100`.",
        (
            "Wrong answers and silence have one counter. After the last try the step's `no_input` or "
            "`no_match` runs; with `default` the flow goes on with that value instead."
        ),
        "Type `text` needs a keyboard: in a call it is an error.",
    ),
    "callback": (
        (
            "One open order for each number and queue, or for each `key`: ordered again it is the "
            "same order with the same number, and its note is added."
        ),
        (
            "The deadline is counted in the hours of the queue. Without `within` it is four of them; "
            "with `at` alone the moment itself."
        ),
        "The task is worked with `gudok queue`: [hand-off and tasks](../../how-to/tasks.md).",
    ),
    "connect": (
        (
            "Only numbers that `connect: allow:` of the project matches can be reached, whatever the "
            "flow computes."
        ),
    ),
    "end": (
        (
            "A USSD session ends with this screen. A text longer than a page is paged, and the "
            "session is kept until its last page has been read."
        ),
    ),
    "for": ("Elements behind `max` are left out. For many receivers use `each:` of an event instead.",),
    "forget": ("`to` names another subscriber, or the thing that is counted.",),
    "go": ("To come back, use `run` with a flow of its own.",),
    "hangup": ("Flows that ran this one do not go on. `end` leaves only this flow.",),
    "if": ("A block left out goes on with the next step.", 'Empty is false, and so are `0`, `""` and `[]`.'),
    "log": ("Secrets and personal data are refused by `gudok check`.",),
    "menu": (
        (
            "A line is `KEY label: block`; the key is digits, `*` or `#`. After its block the step "
            "behind the menu runs."
        ),
        "A line whose `show` is false is neither shown nor accepted.",
        (
            "With `each` the elements are numbered anew on every page, at most 8 of them; lines with "
            "the keys `0`, `*`, `#` may stand beside it."
        ),
        "A long menu pages by itself: [a paged menu](../../how-to/paged-menu.md).",
    ),
    "queue": (
        (
            "Over SMS it is a stored task: the subscriber's further messages are added to it, and "
            "people answer with `gudok queue`. Over USSD use `callback`."
        ),
        "What was dialled, chosen and answered goes along by itself; secrets and personal data never do.",
        (
            "`save: call` gives `call.result` (`solved`, `unsolved`, `escalate`, or empty), "
            "`call.topic`, `call.note` and `call.waited` in seconds."
        ),
        "Where `closed`, `full` or `no_agent` has no block, the flow's `errors:` apply.",
        ("`priority: 50` is a head start of 50 steps of the queue, five minutes with the usual `step: 6s`."),
    ),
    "rate": (
        "After `tries` a question is skipped: its score is empty, which is not a zero.",
        "A subscriber who leaves in the middle has given the answers before.",
    ),
    "record": (
        "`max` is the longest recording; `save` takes its name, which goes along to people or a back end.",
    ),
    "refuse": (
        (
            "The count is by flow and condition: metric `gudok_refusals_total`, field `refused` of a "
            "session's record."
        ),
        "A condition that the charge itself makes true must be asked with `recent` first.",
    ),
    "remember": (
        (
            "The memory is declared in `memory:` of the project with the time it is kept; each "
            "`remember` has a term of its own."
        ),
        "A limit that protects something counts on the thing: `to: number`, not on the caller.",
    ),
    "repeat": ("`until` is asked after each round.",),
    "request": (
        "`phone`, `lang` and `channel` go along by themselves.",
        (
            "A block under `errors` that comes to its end goes on with the next step; the saved "
            "variable is unknown there."
        ),
        (
            "Blocks are looked for in this order: the step's `errors`, its `else`, its `fallback`, "
            "the flow's `errors`, those of the project."
        ),
        "A charge: [how to write one](../../how-to/charge.md).",
    ),
    "return": ("A flow with `returns` can be left only by `return`, `hangup` or `operator`.",),
    "run": ("Flows may run each other eight deep. A flow with `returns` is run with `save`.",),
    "say": (
        "Over USSD and SMS it is joined with what follows by a line break; in a call it starts at once.",
        "`notice: recording` is said once a session, however many flows have it.",
    ),
    "schedule": (
        "It survives a restart and starts exactly once.",
        "Nothing cancels it: the later flow asks first whether it is still wanted.",
        (
            "`over: ussd` opens a dialog from our side; where the handset is busy the flow comes by "
            "SMS if it can."
        ),
    ),
    "set": (
        "A variable belongs to this run of this flow. `lang` takes a language of the project: `\"'tg'\"`.",
        "Where the project declares `memory: { lang: forever }`, the next sessions are in that language too.",
    ),
    "sms": (
        "With `secret: yes` it is sent at most once and kept nowhere in clear.",
        (
            "A message to the caller from a flow he has started is an answer; any other is unasked: "
            "[quiet hours and STOP](../../how-to/events.md) apply to it."
        ),
    ),
    "split": ("A key is a weight, with a word behind it where two are equal: `50 new:`.",),
    "switch": ("A value that has no case is an error of the check, unless there is `else`.",),
    "wait": ("A caller can be kept waiting for ten seconds at most.",),
    "when": (
        (
            "The keys are conditions, asked in order; `else` stands last. With none true the next "
            "step follows."
        ),
    ),
}
"""Rules that the field table does not show."""

NOT_IN_BACKGROUND = frozenset({"ask", "menu", "rate", "say"})
"""Verbs that need somebody who reads or hears them."""
