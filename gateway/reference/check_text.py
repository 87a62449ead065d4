"""What is said of each code that `gudok check` prints: what is wrong, and why it matters."""

from __future__ import annotations

from collections.abc import Mapping

CODES: Mapping[str, str] = {
    "channel": (
        "A step stands where its channel cannot carry it out: a question in a background flow, "
        "`queue` over USSD. Under `if: channel == 'voice'` a step is looked at for that channel "
        "only."
    ),
    "charge-fallback": (
        "`fallback:` stands at an operation that changes something for good. A made-up result is "
        "no answer to whether money was taken."
    ),
    "charge-in-loop": (
        "A charge stands inside `repeat` or `for`: it would be one order for all rounds, or "
        "several by chance."
    ),
    "charge-repeat": (
        "A charge has no window in which a second dial is the same order: `once:` of the "
        "operation, or `key:` of the step."
    ),
    "charge-unknown": (
        "A charge says nothing for the outcome `unknown`: sent, and no answer came. Nobody may "
        "be told that it failed."
    ),
    "charset-flip": (
        "One character takes a text in Latin letters out of the GSM alphabet, and a page from "
        "182 septets to 80 characters."
    ),
    "dead-end": "A way through the flow ends a session without a word.",
    "dialect": "A dialect says things that exclude each other; the message names the field.",
    "dup-key": "A key is written twice in one table; YAML would keep the last one without a word.",
    "env": "A setting names a variable that the environment does not have.",
    "error-unhandled": (
        "An operation declares an error, and the request says nothing about it: the project's "
        "apology is heard."
    ),
    "expr": "An expression cannot be read, has `{{ }}` round it, or uses what expressions do not have.",
    "expr-type": "Values of types that do not go together: money and text, a moment and a number.",
    "hash-key": "YAML reads ` #` as the beginning of a remark, so a menu key or label would be lost.",
    "head-start": (
        "A priority so high that everybody else in the queue waits for this subscriber all the time."
    ),
    "hours": "A call at night, or a queue that is closed and says nothing of it.",
    "list-empty": "A menu of elements has no `empty:` and so shows nothing when its list is empty.",
    "loop": "A circle of steps in which nobody is asked: it would never end.",
    "may-be-empty": (
        "An optional value is shown without having been tested: the subscriber would read nothing."
    ),
    "menu-depth": "People stand behind too many menus.",
    "menu-key": (
        "A menu line sits on a key that has a meaning everywhere: back, main, the operator, repeat."
    ),
    "menu-size": "A menu has more lines than a person can choose from, or than there are keys.",
    "missing-field": "A table lacks a field that it needs.",
    "no-dialect": "A centre names a dialect that is not in `config/dialects/`.",
    "no-error": "A block is written for an error that the operation does not declare.",
    "no-event": "No back end declares the event.",
    "no-field": "A record has no such field.",
    "no-flow": "There is no flow of that name.",
    "no-memory": "The project declares no such memory.",
    "no-op": "No back end declares the operation.",
    "no-operator": "From a call nobody ever comes to a person.",
    "no-queue": "The project has no such queue.",
    "no-recording": "A call says what nobody has recorded; it is synthesized.",
    "no-recording-notice": ("A call comes to a queue with `record: yes`, and the caller has not been told."),
    "no-return": "A flow with `returns` can be left without a value.",
    "no-scene": "There is no scene of that name.",
    "no-translation": "A text is missing in a language that its flow offers.",
    "not-allowed": "`connect` leads to a number that `connect: allow:` of the project does not match.",
    "not-read": (
        "A file lies where flows or settings are read and is not read: its name or ending is wrong."
    ),
    "page-overflow": (
        "A USSD screen may need several pages, or has a word that no page can hold. Measured "
        "with every value as long as its type allows, in every language."
    ),
    "pii-leak": "Personal data is on the way to a place that may not have it, such as a log.",
    "plural-forms": (
        "`count` has another number of forms than the language: Russian three, English two, Tajik one."
    ),
    "recursion": "Flows run each other without a question between.",
    "redial": (
        "A refusal comes true by the charge itself: who dials again is told a falsehood. "
        "`recent()` in front gives the true outcome."
    ),
    "reserved-name": "A variable takes the name of a built-in word or of a constant.",
    "result-unused": "The result of a flow with `returns` is not saved.",
    "secret-leak": "A secret is on the way to a place that may not have it.",
    "settled-missing": (
        "No flow tells the subscriber how an `unknown` charge ended: nothing starts on its `_settled` event."
    ),
    "silent-person": "A question in front of the main menu sends everybody who says nothing to people.",
    "slow": "Requests in a row may take longer than a USSD dialog can wait for its screen.",
    "sms-parts": "A message may take more parts than the project allows; each part is paid for.",
    "stale-translation": "A translation of a text that no flow has any more.",
    "style": "Right here, and read otherwise by other YAML tools. `gudok fmt --fix` puts the quotes.",
    "survey-end": "A survey that nobody is asked, because its flow also runs where there is no talk.",
    "switch-missing": "A value that a `switch` has no case for, or a case that can never be.",
    "text-cut": "YAML would end a text early without a word, at ` #` or at a quote.",
    "translation-vars": "A translation has other values in `{{ }}` than its source.",
    "trigger-conflict": "Two flows wait for the same dials or messages.",
    "trigger-shadow": "A message that another flow takes before the one that waits for it.",
    "type": "A value is not what its field takes.",
    "undefined": "A variable is read where some way has not set it, or that nothing sets at all.",
    "unknown-field": "A table has a field that there is not.",
    "unknown-step": "The first key of a step is no verb.",
    "unreachable": "A scene that nothing leads to, or a step behind one that leads away.",
    "unused": "Declared and never used: a variable, an operation, a constant, a flow, a recording.",
    "voice-long": "A spoken menu of which the first lines are forgotten when the last one comes.",
    "yaml": "The file is no YAML; the message says what to quote.",
    "yaml-alias": "Anchors and aliases of YAML are not used in these files: use `consts:` or `run`.",
    "yaml-tag": "Tags of YAML are not used in these files.",
}
"""Every code, with what it means."""
