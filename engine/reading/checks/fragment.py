"""The texts and code fields of a step, each with the types that hold where it is evaluated.

The conditions of one step narrow the types of its later parts: what a `refuse` says, it says where its
condition is true.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace

from engine import answer
from engine.expressions import Expression, Template, narrowed_by
from engine.expressions.narrowing import Types
from engine.flow import Step
from engine.steps.ask import Ask
from engine.steps.end import End
from engine.steps.hangup import HangUp
from engine.steps.log import Log
from engine.steps.menu import Menu
from engine.steps.menu_line import Elements, Line
from engine.steps.rate import Rate
from engine.steps.record import Record
from engine.steps.refuse import Refuse
from engine.steps.request import Request
from engine.steps.say import Say
from engine.steps.set_ import Set
from engine.steps.sms import Sms
from engine.steps.when import When
from engine.types import ANY, SECRET, ListOf, Type
from engine.wording import Wording


@dataclass(frozen=True, slots=True)
class Fragment:
    """One expression or text of a step, with the types at it."""

    part: Expression | Template
    types: Types


def element_of(type_: Type) -> Type:
    """Return the type of the elements of a list."""
    if not isinstance(type_.shape, ListOf):
        return ANY
    return replace(type_.shape.element, optional=False)


def value_type(step: Ask) -> Type:
    """Return the type of the answer of a question."""
    return SECRET if step.secret else answer.TYPES[step.kind]


def fragments(step: Step, types: Types, channel: str) -> Iterator[Fragment]:
    """Return everything in a step that is evaluated in a channel, in the order of evaluation."""
    match step:
        case When(cases=cases):
            for test, _, _ in cases:
                yield Fragment(test, types)
                types = narrowed_by(test, types, False)
        case Refuse(rules=rules):
            for test, text in rules:
                yield Fragment(test, types)
                yield from _texts(text, channel, narrowed_by(test, types, True))
                types = narrowed_by(test, types, False)
        case Set(values=values):
            for name, value in values:
                yield Fragment(value, types)
                types = {**types, name: value.type_in(types).type}
        case Ask():
            for wording in (step.text, step.hint):
                yield from _texts(wording, channel, types)
            if step.check is not None:
                yield Fragment(step.check, {**types, "it": value_type(step)})
        case Menu():
            yield from _menu(step, types, channel)
        case _:
            for expression in step.expressions():
                yield Fragment(expression, types)
            for wording in every_wording(step):
                yield from _texts(wording, channel, types)


def _menu(step: Menu, types: Types, channel: str) -> Iterator[Fragment]:
    for expression in step.expressions():
        yield Fragment(expression, types)
    for wording in (step.text, *(line.label for line in step.lines)):
        yield from _texts(wording, channel, types)
    if step.elements is not None:
        element = element_of(step.elements.source.type_in(types).type)
        yield from _texts(step.elements.item, channel, {**types, step.elements.name: element})


def _texts(wording: Wording | None, channel: str, types: Types) -> Iterator[Fragment]:
    for template in templates(wording, channel):
        yield Fragment(template, types)


def templates(wording: Wording | None, channel: str) -> tuple[Template, ...]:
    """Return the texts of a wording in a channel, one for each language that has its own."""
    if wording is None:
        return ()
    found = {
        id(form.template): form.template for (where, _), form in wording.forms.items() if where == channel
    }
    return tuple(found.values())


def wordings(step: Step) -> tuple[Wording, ...]:
    """Return the texts of a step that is no question and has no conditions inside."""
    match step:
        case Say(text=text) | End(text=text) | HangUp(text=text) | Log(text=text) | Sms(text=text):
            return (text,)
        case Request(key=key) if key is not None:
            return (key,)
    return ()


def every_wording(step: Step) -> Iterator[Wording]:
    """Return all texts of a step, whatever its kind."""
    for item in fields(step):
        yield from _wordings_in(getattr(step, item.name))


def _wordings_in(value: object) -> Iterator[Wording]:
    if isinstance(value, Wording):
        yield value
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _wordings_in(item)
    elif isinstance(value, Line | Elements):
        yield from _wordings_in([getattr(value, item.name) for item in fields(value)])
    elif isinstance(value, Mapping):
        yield from _wordings_in(list(value.values()))


def every_template(step: Step) -> Iterator[Template]:
    """Return the texts of a step in all languages and channels, each once."""
    found = {
        id(form.template): form.template for wording in every_wording(step) for form in wording.forms.values()
    }
    yield from found.values()


def shown(step: Step, channel: str) -> tuple[Template, ...]:
    """Return the texts that the subscriber sees or hears of a step."""
    match step:
        case Say(text=text) | End(text=text) | HangUp(text=text) | Rate(text=text) | Record(text=text):
            found: tuple[Wording | None, ...] = (text,)
        case Refuse(rules=rules):
            found = tuple(text for _, text in rules)
        case Ask(text=text, hint=hint):
            found = (text, hint)
        case Menu(text=text, lines=lines, elements=elements):
            item = None if elements is None else elements.item
            found = (text, *(line.label for line in lines), item)
        case _:
            found = ()
    return tuple(template for wording in found for template in templates(wording, channel))
