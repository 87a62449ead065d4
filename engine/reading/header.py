"""The header of a flow file, `flow:`: title, topic, triggers, inputs, the result, blocks of the whole flow.

Triggers are read here and put together for all flows in `engine.reading.flow_set`, where conflicts show. The
blocks (`operator`, `hangup`, `errors`, `missed`) are handed on as nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.expressions import Expression
from engine.flow import EventTrigger, OutboundTrigger, SmsTrigger, UssdTrigger
from engine.reading.diagnostic import Place
from engine.reading.fields import (
    ANY,
    BLOCK,
    BOOLEAN,
    DURATION,
    EXPRESSION,
    HOURS,
    HOURS_OR_NAME,
    NAME,
    STRING,
    TABLE,
    TYPE,
    Field,
    choice,
    list_of,
    map_of,
    read_fields,
    whole_number,
)
from engine.reading.pattern import Pattern, read_code, read_pattern
from engine.reading.suggestion import did_you_mean
from engine.reading.tree import Node, Sequence, Table, Text
from engine.reading.workshop import Workshop
from engine.reading.written import written
from engine.trigger import Parameter, words_of
from engine.types import PHONE, Record, Type

HEADER = "flow"
"""The only reserved key at the beginning of a line."""

FIELDS = (
    Field("title", STRING, doc="the name of the flow for people and statistics"),
    Field("topic", NAME, doc="statistics and alarms by topic (the file's name)"),
    Field("ussd", list_of(STRING), default=(), doc='dialled codes: "*929#", "*100*{amount:money}#"'),
    Field("sms", ANY, doc='numbers and words: "9290", or { to: "000500", words: [сбой] }'),
    Field("call", list_of(STRING), default=(), doc="called numbers"),
    Field("event", ANY, doc="events that start it in the background"),
    Field("dial_ahead", BOOLEAN, default=True, doc="whether keys behind the code are answers"),
    Field("takes", map_of(TYPE), default={}, doc="typed inputs"),
    Field("returns", TYPE, doc="the type of its result"),
    Field("operator", BLOCK, doc="where the word operator leads from here"),
    Field("keep", DURATION, doc="how long a silent session is kept"),
    Field("hangup", BLOCK, doc="what is done after the other side has left"),
    Field("errors", TABLE, doc="blocks by channel where a step handles no error"),
    Field("languages", list_of(STRING), doc="languages of this flow"),
    Field("resume", DURATION, doc="how long a session that broke off may be taken up again"),
    Field("answer", choice("yes", "late"), default="yes", doc="late: a call is answered when it is needed"),
    Field("outbound", ANY, doc="when we call or write by ourselves"),
)
SMS_TABLE = (
    Field("to", STRING, required=True, doc="the number"),
    Field("words", list_of(STRING), default=(), doc="words or phrases that start the flow"),
    Field("text", STRING, doc="a pattern of the whole message"),
)
EVENT_TABLE = (
    Field("on", list_of(STRING), required=True, doc="the event"),
    Field("each", EXPRESSION, doc="one session per element: event.reports as r"),
    Field("to", EXPRESSION, doc="whom it is about (event.phone)"),
    Field("hours", HOURS, doc="outside these hours the sessions wait"),
)
OUTBOUND_TABLE = (
    Field("on", STRING, doc="the event after which we call"),
    Field("campaign", NAME, doc="or the name of a campaign, whose numbers are loaded"),
    Field("to", EXPRESSION, doc="whom (event.phone)"),
    Field("after", DURATION, default=0, doc="not earlier than so long after the event"),
    Field("within", DURATION, doc="not later"),
    Field("hours", HOURS_OR_NAME, doc="only inside these hours, or those of a calendar"),
    Field("tries", whole_number(1, 20), default=1, doc="how often each channel is tried"),
    Field("every", DURATION, default=600_000, doc="how long after a try the next one is made"),
    Field(
        "over",
        list_of(choice("voice", "sms", "ussd")),
        default=(),
        doc="the channels, one after the other (voice)",
    ),
    Field("skip", EXPRESSION, doc="asked before every try: if it is true, nobody is called"),
    Field("missed", BLOCK, doc="what is done when nobody was reached"),
)
CAMPAIGN = Record((("phone", PHONE),))
"""What `event` is in the flow of a campaign."""


@dataclass(frozen=True, slots=True)
class Code:
    """A USSD trigger with its pattern."""

    trigger: UssdTrigger
    pattern: Pattern


@dataclass(frozen=True, slots=True)
class Message:
    """An SMS trigger; `phrases` are its words to compare, `pattern` that of `text:`."""

    trigger: SmsTrigger
    phrases: tuple[tuple[str, ...], ...]
    pattern: tuple[tuple[str, ...] | Parameter, ...]


@dataclass(frozen=True, slots=True)
class Header:
    """What stands under `flow:`; `values` are the typed fields without parts of their own."""

    values: dict[str, Any]
    nodes: dict[str, Node | None]
    codes: tuple[Code, ...]
    messages: tuple[Message, ...]
    calls: tuple[tuple[str, Place], ...]
    events: tuple[EventTrigger, ...]
    takes: dict[str, Type]
    outbound: OutboundTrigger | None
    missed: Node | None


def read_header(table: Table, shop: Workshop, events: dict[str, Record]) -> Header:
    """Read the header; what is wrong is reported and left out."""
    report = shop.report
    fields = read_fields(table, FIELDS, report, HEADER)
    takes = {}
    for name, field in fields["takes"].value.items():
        hidden = shop.around.known.reserved_name(name)
        if hidden is not None:
            report.error("reserved-name", f"{name} hides {hidden}; choose another name", field.key or table)
        takes[name] = field.value
    outbound, missed = _outbound(fields["outbound"].node, shop, events)
    codes = []
    for item in fields["ussd"].value or ():
        if isinstance(item.node, Text):
            pattern = read_code(item.node, report)
            if pattern is not None:
                parameters = _parameters(pattern, shop, item.node)
                codes.append(Code(UssdTrigger(item.node.value, parameters, item.node.place), pattern))
    return Header(
        values={name: field.value for name, field in fields.items()},
        nodes={name: field.node for name, field in fields.items()},
        codes=tuple(codes),
        messages=tuple(_messages(fields["sms"].node, shop)),
        calls=tuple((item.value, (item.node or table).place) for item in fields["call"].value or ()),
        events=tuple(_events(fields["event"].node, shop, events)),
        takes=takes,
        outbound=outbound,
        missed=missed,
    )


def _parameters(pattern: tuple[object, ...], shop: Workshop, node: Text) -> tuple[tuple[str, Type], ...]:
    found = []
    for part in pattern:
        if isinstance(part, Parameter):
            hidden = shop.around.known.reserved_name(part.name)
            if hidden is not None:
                shop.report.error("reserved-name", f"{part.name} hides {hidden}; choose another name", node)
            found.append((part.name, part.type))
    return tuple(found)


def _messages(node: Node | None, shop: Workshop) -> list[Message]:
    if node is None:
        return []
    if isinstance(node, Sequence):
        return [message for item in node for message in _messages(item, shop)]
    if not isinstance(node, Table):
        number = written(node, shop.report, "sms", "a number")
        if number is None or not _is_number(number, node, shop):
            return []
        return [Message(SmsTrigger(number, (), "", (), node.place), (), ())]
    values = read_fields(node, SMS_TABLE, shop.report, "sms")
    to, text = values["to"].value, values["text"]
    if to is None or not _is_number(to, values["to"].node or node, shop):
        return []
    words = tuple(item.value for item in values["words"].value or ())
    phrases = tuple(words_of(word) for word in words)
    for item, phrase in zip(values["words"].value or (), phrases, strict=True):
        if not phrase:
            shop.report.error("type", f'"{item.value}" has no letters or digits', item.node or node)
    pattern: list[tuple[str, ...] | Parameter] = []
    parameters: tuple[tuple[str, Type], ...] = ()
    if isinstance(text.node, Text):
        read = read_pattern(text.node, shop.report) or ()
        parameters = _parameters(read, shop, text.node)
        pattern = [part if isinstance(part, Parameter) else words_of(part) for part in read]
        if words:
            shop.report.error("type", "words: and text: exclude each other", text.key or node)
    pattern_text = text.value or ""
    trigger = SmsTrigger(to, words, pattern_text, parameters, node.place)
    return [Message(trigger, tuple(filter(None, phrases)), tuple(part for part in pattern if part != ()))]


def _is_number(number: str, node: Node, shop: Workshop) -> bool:
    if number.isascii() and number.isdigit() and len(number) <= 15:
        return True
    shop.report.error(
        "type", f'"{number}" is not a number that takes messages', node, help='write it as "9290"'
    )
    return False


def _events(node: Node | None, shop: Workshop, known: dict[str, Record]) -> list[EventTrigger]:
    if node is None:
        return []
    if isinstance(node, Sequence):
        return [event for item in node for event in _events(item, shop, known)]
    if isinstance(node, Table):
        values = read_fields(node, EVENT_TABLE, shop.report, "event")
        each, name = _each(values["each"].value, shop)
        to = shop.expression(values["to"].value)
        hours = values["hours"].value
        window = None if hours is None else (hours.start, hours.end)
        return [
            EventTrigger(event, place, to, each, name, window)
            for item in values["on"].value or ()
            for event, place in _named(item.node, shop, known)
        ]
    return [EventTrigger(event, place) for event, place in _named(node, shop, known)]


def _named(node: Node | None, shop: Workshop, known: dict[str, Record]) -> list[tuple[str, Any]]:
    if not isinstance(node, Text):
        if node is not None:
            written(node, shop.report, "event", "the name of an event: billing.refresh_package_settled")
        return []
    if node.value not in known:
        shop.report.error(
            "no-event",
            f'there is no event "{node.value}"{did_you_mean(node.value, known)}',
            node,
            help="events: of a back end declares them; operations that may end unknown have <name>_settled",
        )
        return []
    return [(node.value, node.place)]


def _each(node: Text | None, shop: Workshop) -> tuple[Expression | None, str]:
    if node is None:
        return None, ""
    source, word, name = node.value.rpartition(" as ")
    if not word:
        shop.report.error("expr", "the name of the element is missing", node, help=f"write {node.value} as r")
        return None, ""
    variable = shop.variable(Text(name.strip(), node.part(len(source) + 4), node.quoted))
    return shop.expression(Text(source, node.part(0, len(source)), node.quoted)), variable or ""


def _outbound(
    node: Node | None, shop: Workshop, known: dict[str, Record]
) -> tuple[OutboundTrigger | None, Node | None]:
    """Read `outbound:`; the block `missed` is handed on as a node."""
    if node is None:
        return None, None
    if not isinstance(node, Table):
        shop.report.error(
            "type", "outbound: expected a table", node, help="outbound: { on: shop.visit_closed, … }"
        )
        return None, None
    values = read_fields(node, OUTBOUND_TABLE, shop.report, "outbound")
    on, campaign = values["on"], values["campaign"]
    if on.written is campaign.written:
        shop.report.error(
            "type" if on.written else "missing-field",
            "outbound needs on: or campaign:, one of the two",
            node,
            help="on: shop.visit_closed",
        )
        return None, None
    name = f"campaign.{campaign.value}" if campaign.written else ""
    if not name:
        named = _named(on.node, shop, known)
        name = named[0][0] if named else ""
    hours = values["hours"].value
    calendars = shop.around.project.calendars
    if isinstance(hours, str) and hours not in calendars:
        shop.report.error(
            "type",
            f'there is no calendar "{hours}"{did_you_mean(hours, calendars)}',
            values["hours"].node or node,
            help="write hours as 09:00-21:00 or name a calendar",
        )
        hours = None
    within, after = values["within"].value, values["after"].value
    if within is not None and within < after:
        shop.report.error(
            "type",
            "outbound ends (within:) before it begins (after:)",
            values["within"].node or node,
            help="both are counted from the event",
        )
    trigger = OutboundTrigger(
        name,
        node.place,
        shop.expression(values["to"].value),
        after,
        within,
        hours if hours is None or isinstance(hours, str) else (hours.start, hours.end),
        values["tries"].value,
        values["every"].value,
        tuple(dict.fromkeys(item.value for item in values["over"].value)) or ("voice",),
        shop.expression(values["skip"].value),
    )
    return trigger if name else None, values["missed"].node
