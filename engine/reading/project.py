"""`config/project.yaml`: languages, constants, channels and their keys, limits, memory, queues, calendars.

The blocks in it (`errors`, `operator`) belong to flows: they are handed on as nodes and compiled into each
flow. This module does not know back ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.capabilities import Capabilities, Channel, PageBudget
from engine.expressions import BUILT_IN
from engine.flow import Calendar, Project, Queue
from engine.limits import LEAST_STEPS, Limits
from engine.reading.diagnostic import Report
from engine.reading.fields import (
    ANY,
    BLOCK,
    BOOLEAN,
    DATE_RANGE,
    DURATION,
    HOURS,
    KEEPING,
    NAME,
    STRING,
    TABLE,
    WEEKDAYS,
    Field,
    FieldValue,
    choice,
    list_of,
    map_of,
    nested,
    read_fields,
    whole_number,
    word_or,
)
from engine.reading.plain import guessed
from engine.reading.scalars import Hours, Kept
from engine.reading.suggestion import did_you_mean
from engine.reading.tree import Node, Sequence, Table, Text

FILE = "config/project.yaml"
"""Where the project is declared."""

USSD_LATE = "Ответ пришлём в SMS."
SMS_STOP = "no_ads"
MONEY_QUEUE = "outgoing"
"""The queue of money tasks where the project names none."""
SMS_STOPPED = "Больше не пишем вам без вашего запроса."
USSD_UNKNOWN = "Такого номера нет. Проверьте и наберите ещё раз."

CHANNEL_WORDS = ("voice", "ussd", "sms")
"""Channels that `errors:` may name; `text` stands for `ussd` and `sms`."""

USSD = (
    Field("gsm7", whole_number(20, 182), default=182, doc="septets of a page in GSM 03.38"),
    Field("ucs2", whole_number(20, 182), default=80, doc="UTF-16 units of any other page"),
    Field("session", DURATION, default=180_000, doc="the longest session the centre allows"),
    Field("idle", DURATION, default=60_000, doc="how long an answer is awaited"),
    Field("reply", DURATION, default=10_000, doc="how long we may take to answer"),
    Field("more", STRING, default="9", doc="the key of the next page"),
    Field("back", STRING, default="0", doc="the key of the page or question before"),
    Field("main", STRING, default="00", doc="the key of the first question"),
    Field(
        "late",
        STRING,
        default=USSD_LATE,
        doc="the last screen when a back end is late; the rest comes by SMS",
    ),
    Field("unknown", STRING, default=USSD_UNKNOWN, doc="the screen for a code that no flow has"),
)
VOICE = (
    Field("tries", whole_number(1, 9), default=3, doc="how often a question is asked"),
    Field("no_input", DURATION, default=7_000, doc="how long an answer is awaited"),
    Field("between_digits", DURATION, default=3_000, doc="how long the next digit is awaited"),
    Field("barge_in", BOOLEAN, default=True, doc="whether keys interrupt a prompt"),
    Field("repeat", STRING, default="#", doc="the key that repeats the question"),
    Field("back", STRING, default="*", doc="the key of the question before"),
    Field("operator", STRING, default="0", doc="the key of the operator"),
)
SMS = (
    Field("from", STRING, default="", doc="the number texts come from that nobody asked for"),
    Field("reply", DURATION, default=86_400_000, doc="how long an answer is awaited"),
    Field("parts", whole_number(1, 10), default=3, doc="the most parts of a message"),
    Field("stop", NAME, default=SMS_STOP, doc="the memory of who wants nothing unasked: the stop list"),
    Field("stopped", STRING, default=SMS_STOPPED, doc="the answer to STOP where no flow has that word"),
    Field("quiet", HOURS, doc="when nothing unasked is sent; it waits for the end of these hours"),
)
LIMITS = (
    Field(
        "steps_without_input", whole_number(LEAST_STEPS, 100_000), default=500, doc="steps between two inputs"
    ),
    Field("menu_items", whole_number(1, 50), default=9, doc="lines of a menu before a warning"),
    Field("menu_depth", whole_number(1, 20), default=4, doc="menus on the way to a person before a warning"),
    Field("speech", DURATION, default=30_000, doc="the length of a spoken menu before a warning"),
)
QUEUE = (
    Field("skills", list_of(NAME), default=(), doc="what its agents can do"),
    Field("hours", word_or((), HOURS), default=Hours(0, 1440), doc="a window of the day, or a calendar"),
    Field("record", BOOLEAN, default=False, doc="whether talks are recorded"),
    Field("step", DURATION, default=6_000, doc="the head start one point of priority gives"),
)
CALENDAR = (
    Field("days", WEEKDAYS, required=True, default=(0, 1, 2, 3, 4), doc="working days"),
    Field("hours", HOURS, required=True, default=Hours(540, 1080), doc="working hours"),
    Field("holidays", list_of(DATE_RANGE), default=(), doc="days off"),
    Field("zones", choice("by region"), doc="hours are those of the subscriber's region"),
)
CONNECT = (
    Field(
        "allow",
        list_of(STRING),
        required=True,
        default=(),
        doc="numbers: digits, x for any digit, * at the end for any rest",
    ),
)
FIELDS = (
    Field("language", whole_number(1, 1), required=True, default=1, doc="version of the flow language"),
    Field("languages", list_of(STRING), required=True, doc="languages, that of the flows first"),
    Field("country", STRING, default="RU", doc="ISO code: phone format and currency"),
    Field("timezone", STRING, default="UTC", doc="time zone by its IANA name"),
    Field("consts", TABLE, doc="constants of all flows"),
    Field("ussd", nested(USSD, "ussd"), doc="screens and keys of USSD"),
    Field("voice", nested(VOICE, "voice"), doc="keys and times of calls"),
    Field("sms", nested(SMS, "sms"), doc="numbers and times of SMS"),
    Field("limits", nested(LIMITS, "limits"), doc="bounds of flows"),
    Field("operator", BLOCK, doc="where the word operator leads"),
    Field("errors", TABLE, doc="blocks by channel where a flow handles no error"),
    Field(
        "memory",
        map_of(KEEPING),
        default={},
        doc="what is remembered of a subscriber, and how long; lang: the language he has chosen",
    ),
    Field("calendars", map_of(nested(CALENDAR, "calendar")), default={}, doc="working days and hours"),
    Field("queues", map_of(ANY), default={}, doc="queues of people"),
    Field(
        "money",
        NAME,
        doc="the queue of who clears up charges of unknown outcome; else `outgoing`, else the first",
    ),
    Field("connect", nested(CONNECT, "connect"), doc="numbers that calls may be transferred to"),
)

_CURRENCY = {"RU": "RUB", "TJ": "TJS", "UZ": "UZS", "KZ": "KZT", "KG": "KGS", "AM": "AMD", "BY": "BYN"}


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """The project, and its blocks as written."""

    project: Project
    errors: Table | None
    operator: Node | None


def read_project(tree: Node | None, report: Report) -> ProjectFile | None:
    """Read the file; None if it is no table. What is wrong is reported and has its default."""
    if not isinstance(tree, Table):
        if tree is not None:
            report.error("type", "expected the project's fields: language, languages, …", tree)
        return None
    values = read_fields(tree, FIELDS, report, "the project")
    calendars = _calendars(values["calendars"].value)
    ussd, voice, sms = (_section(values[name].value) for name in ("ussd", "voice", "sms"))
    limits = _section(values["limits"].value)
    queues = _queues(values["queues"].value, calendars, report)
    project = Project(
        languages=_languages(values["languages"], report),
        zone=_zone(values["timezone"], report),
        country=values["country"].value,
        currency=_CURRENCY.get(values["country"].value, "RUB"),
        consts=_constants(values["consts"].value, report),
        memory=_memory(values["memory"].value, report),
        capabilities=_capabilities(ussd, voice, sms),
        ussd_reply_ms=ussd.get("reply", 10_000),
        ussd_late=ussd.get("late", USSD_LATE),
        ussd_unknown=ussd.get("unknown", USSD_UNKNOWN),
        voice_between_ms=voice.get("between_digits", 3_000),
        voice_barge_in=voice.get("barge_in", True),
        sms_from=sms.get("from", ""),
        sms_parts=sms.get("parts", 3),
        sms_stop=_stop_list(values["sms"].value, values["memory"].value, report),
        sms_stopped=sms.get("stopped", SMS_STOPPED),
        sms_quiet=None if sms.get("quiet") is None else (sms["quiet"].start, sms["quiet"].end),
        limits=Limits(
            limits.get("steps_without_input", 500),
            limits.get("menu_items", 9),
            limits.get("menu_depth", 4),
            limits.get("speech", 30_000),
        ),
        queues=queues,
        calendars=calendars,
        connect_allow=_allowed(values["connect"].value, report),
        money_queue=_money_queue(values["money"], queues, values["queues"].value, report),
    )
    operator = values["operator"].node
    return ProjectFile(project, values["errors"].value, operator)


def _section(value: Mapping[str, FieldValue] | None) -> dict[str, Any]:
    return {} if value is None else {name: field.value for name, field in value.items()}


def _allowed(section: Mapping[str, FieldValue] | None, report: Report) -> tuple[str, ...]:
    found = []
    for item in () if section is None else section["allow"].value:
        head = item.value.removesuffix("*").replace("x", "0")
        if head.isascii() and head.isdigit() and len(head) <= 15:
            found.append(item.value)
        else:
            report.error(
                "type",
                f'"{item.value}" is not a number: digits, x for any digit, * at the end',
                item.node,
                help='a lone "*" would allow every number, dear ones too',
            )
    return tuple(found)


def _languages(field: FieldValue, report: Report) -> tuple[str, ...]:
    languages = tuple(dict.fromkeys(item.value for item in field.value or ()))
    for item in field.value or ():
        letters = item.value.replace("-", "")
        if not (2 <= len(item.value) <= 8 and letters.isalpha() and letters.isascii()):
            report.error("type", f'"{item.value}" is not a language code: ru, tg, en', item.node)
    return languages or ("ru",)


def _zone(field: FieldValue, report: Report) -> ZoneInfo:
    try:
        return ZoneInfo(field.value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        if field.node is not None:
            report.error(
                "type", f'there is no time zone "{field.value}"', field.node, help="for example Europe/Moscow"
            )
        return ZoneInfo("UTC")


def _stop_list(sms: Mapping[str, FieldValue] | None, memory: Mapping[str, FieldValue], report: Report) -> str:
    """Return the memory that is the stop list, "" where the project declares none."""
    field = None if sms is None else sms["stop"]
    name: str = SMS_STOP if field is None else field.value
    kept = memory.get(name)
    if kept is not None and kept.value is not Kept.SESSION:
        return name
    if field is not None and field.node is not None:
        why = "is kept for a session only" if kept is not None else "is not declared"
        report.error(
            "type",
            f"the stop list {name} {why}{did_you_mean(name, memory)}",
            field.node,
            help=f"memory: {{ {name}: forever }}",
        )
    return ""


def _money_queue(
    field: FieldValue, queues: Mapping[str, Queue], written: Mapping[str, FieldValue], report: Report
) -> str:
    """Return the queue of money tasks, "" where the project has no queues."""
    if field.node is not None and field.value in queues:
        return str(field.value)
    if field.node is not None and field.value is not None and field.value not in written:
        report.error(
            "no-queue",
            f'there is no queue "{field.value}"{did_you_mean(field.value, queues)}',
            field.node,
            help=f"queues: of config/project.yaml declares {', '.join(queues) or 'none'}",
        )
    return MONEY_QUEUE if MONEY_QUEUE in queues else next(iter(queues), "")


def _constants(table: Table | None, report: Report) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for entry in table or ():
        name = entry.key.value
        if name in BUILT_IN:
            report.error("reserved-name", f"{name} hides a built-in word; choose another name", entry.key)
            continue
        found[name] = guessed(entry.value, report, name)
    return found


def _memory(fields: Mapping[str, FieldValue], report: Report) -> dict[str, int | None]:
    found: dict[str, int | None] = {}
    for name, field in fields.items():
        if field.value is Kept.FOREVER:
            found[name] = None
        else:
            found[name] = 0 if field.value is Kept.SESSION else field.value
    return found


def _capabilities(
    ussd: Mapping[str, Any], voice: Mapping[str, Any], sms: Mapping[str, Any]
) -> dict[Channel, Capabilities]:
    more = ussd.get("more", "9")
    return {
        Channel.USSD: Capabilities(
            Channel.USSD,
            asks=True,
            pages=PageBudget(ussd.get("gsm7", 182), ussd.get("ucs2", 80)),
            more=more,
            back=ussd.get("back", "0"),
            main=ussd.get("main", "00"),
            idle_ms=ussd.get("idle", 60_000),
            total_ms=ussd.get("session", 180_000),
        ),
        Channel.SMS: Capabilities(Channel.SMS, asks=True, more=more, idle_ms=sms.get("reply", 86_400_000)),
        Channel.VOICE: Capabilities(
            Channel.VOICE,
            asks=True,
            more=more,
            back=voice.get("back", "*"),
            idle_ms=voice.get("no_input", 7_000),
            repeat=voice.get("repeat", "#"),
            operator=voice.get("operator", "0"),
            tries=voice.get("tries", 3),
        ),
        Channel.EVENT: Capabilities(Channel.EVENT, asks=False),
    }


def _calendars(fields: Mapping[str, FieldValue]) -> dict[str, Calendar]:
    found = {}
    for name, field in fields.items():
        values = _section(field.value)
        hours = values["hours"]
        holidays = tuple(
            (item.value.first.isoformat(), item.value.last.isoformat()) for item in values["holidays"] or ()
        )
        found[name] = Calendar(name, frozenset(values["days"]), (hours.start, hours.end), holidays)
    return found


def _queues(
    fields: Mapping[str, FieldValue], calendars: Mapping[str, Calendar], report: Report
) -> dict[str, Queue]:
    found = {}
    for name, field in fields.items():
        if not isinstance(field.node, Table):
            if field.node is not None and not isinstance(field.node, Text | Sequence):
                found[name] = Queue(name)
            else:
                report.error("type", f"queue {name}: expected a table", field.node or field.value)
            continue
        table = field.node
        hours_node = table.get("hours")
        calendar = (
            hours_node.value if isinstance(hours_node, Text) and hours_node.value in calendars else None
        )
        fields_ = tuple(
            Field("hours", STRING, doc=item.doc) if item.name == "hours" and calendar else item
            for item in QUEUE
        )
        if isinstance(hours_node, Text) and calendar is None and hours_node.value[:1].isalpha():
            report.error(
                "type",
                f'there is no calendar "{hours_node.value}"{did_you_mean(hours_node.value, calendars)}',
                hours_node,
                help="write hours as 09:00-21:00 or name a calendar",
            )
            continue
        values = {
            key: item.value for key, item in read_fields(table, fields_, report, f"queue {name}").items()
        }
        hours = calendar or (values["hours"].start, values["hours"].end)
        skills = tuple(item.value for item in values["skills"] or ())
        found[name] = Queue(name, skills, hours, values["record"], values["step"])
    return found
