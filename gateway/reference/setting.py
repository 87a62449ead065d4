"""Pages of the settings: project, back ends, gateway, dialects; a section each, a heading for each table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.reading import backend_file, project
from engine.reading.fields import Field
from gateway import centre_settings, settings
from gateway.reference.markdown import Page, cell, code, default, index, page, sentence, written
from ussd import dialect_file

Sections = Sequence[tuple[str, str, Sequence[Field]]]
"""Name of a section, the YAML it is written in (`{}` is the field), its fields."""

PROJECT: Sections = (
    ("", "", project.FIELDS),
    ("ussd", "ussd: { gsm7: 182, ucs2: 80, session: 180s }", project.USSD),
    ("voice", "voice: { tries: 3, no_input: 7s, barge_in: yes }", project.VOICE),
    ("sms", 'sms: { from: "000500", reply: 24h, parts: 3, quiet: 21:00-09:00 }', project.SMS),
    ("limits", "limits: { menu_items: 9, menu_depth: 4 }", project.LIMITS),
    (
        "calendars",
        "calendars:\n  office: { days: Mon-Fri, hours: 09:00-18:00, holidays: [2027-01-01..2027-01-08] }",
        project.CALENDAR,
    ),
    ("queues", "queues:\n  support: { skills: [tariffs], hours: 00:00-24:00 }", project.QUEUE),
    ("connect", 'connect: { allow: ["7495xxxxxxx"] }', project.CONNECT),
)
BACKENDS: Sections = (
    ("back end", "billing:\n  url: env.BILLING_URL\n  timeout: 3s", backend_file.BACKEND),
    (
        "operation",
        (
            "billing:\n  refresh_package:\n    post: /subscribers/{phone}/package/refresh\n    takes: { "
            "fee: money }\n    charge: yes\n    once: 10m\n    keys: 24h\n    settle: repeat\n    errors: "
            "{ 402: low_balance, 409: not_allowed }"
        ),
        backend_file.OPERATION,
    ),
)
GATEWAY: Sections = (
    ("", "", settings.FIELDS),
    ("events", "events: { secret: env.EVENTS_KEY }", settings.EVENT_FIELDS),
    ("edr", "edr: { numbers: masked, every: 1h }", settings.EDR_FIELDS),
    (
        "smpp",
        (
            "smpp:\n  main:\n    host: 10.0.0.5\n    system_id: gudok\n    password: env.SMPP_PASSWORD\n  "
            "  binds: 2"
        ),
        centre_settings.LINK_FIELDS,
    ),
)
_FILES: Mapping[str, tuple[str, str, str]] = {
    "project": (
        "`config/project.yaml`",
        "Languages, constants, screens and keys, memory, calendars, queues: what all flows share.",
        "The file is read with the flows and taken over with them, while the gateway runs.",
    ),
    "backends": (
        "`config/backends.yaml`",
        "The back ends, with their operations and events, typed once for all flows.",
        (
            "A flow names an operation `back_end.operation`. Types: `text int bool money date time "
            "moment phone pii secret`, enums `a | b`, lists `[text]` and `[{ id: text, fee: money "
            "}]`, optional `time?`. `phone`, `lang` and `channel` go along by themselves."
        ),
    ),
    "gateway": (
        "`config/gateway.yaml`",
        "Where the gateway listens and binds, what it keeps and writes.",
        (
            "A value may be `env.NAME`. Any value can be set from outside by `GUDOK_<PATH>`, upper "
            "case, two underscores between levels: `GUDOK_SMPP__MAIN__HOST=10.0.0.5`. Changes need a "
            "restart."
        ),
    ),
    "dialect": (
        "`config/dialects/<name>.yaml`",
        "What a USSD centre or SMSC does differently from the specifications.",
        (
            "Everything left out has the value of the specification. How to write one: [a new "
            "dialect](../../how-to/dialect.md)."
        ),
    ),
}


def pages() -> list[Page]:
    """Return the page of each file of settings and their index."""
    found = [
        _file("project", PROJECT),
        _file("backends", BACKENDS),
        _file("gateway", GATEWAY),
        _dialect(),
    ]
    return [index("settings/index.md", "Settings", found), *found]


def _file(name: str, sections: Sections) -> Page:
    title, about, more = _FILES[name]
    parts = [about, more]
    for section, example, fields in sections:
        parts.append(f"## {_section_title(name, section)}")
        if example:
            parts.append(code("yaml", example))
        parts += [_setting(section, field) for field in fields]
    return page(f"settings/{name}.md", title, *parts, about=about)


def _section_title(name: str, section: str) -> str:
    if not section:
        return "The whole file"
    if name == "backends":
        return f"Each {section}"
    return f"Each of `{section}`" if section in ("smpp", "calendars", "queues") else f"`{section}`"


def _setting(section: str, field: Field) -> str:
    path = f"{section}.{field.name}" if section and " " not in section else field.name
    usual = default(field)
    rest = "Required." if usual == "required" else f"Not written: `{usual}`." if usual else ""
    about = _text(sentence(field.doc))
    return f"### `{path}`\n\n{about}\n\nWritten as: {_text(written(field))}. {rest}".rstrip()


def _text(label: str) -> str:
    return label.replace("<", "&lt;")


def _dialect() -> Page:
    title, about, more = _FILES["dialect"]
    parts = [about, more]
    for section in dialect_file.FIELDS:
        fields = dialect_file.SECTIONS[section.name]
        parts += [f"## `{section.name}`", sentence(section.doc)]
        for field in fields:
            parts += [_setting(section.name, field), _schema_table(field)]
    return page("settings/dialect.md", title, *parts, about=about)


def _schema_table(field: Field) -> str:
    """Return the fields of a field that is a table itself, an empty text for any other."""
    inner = field.kind.schema.get("properties")
    if not isinstance(inner, Mapping):
        return ""
    rows = "\n".join(f"| `{name}` | {cell(str(one.get('description', '')))} |" for name, one in inner.items())
    return f"| Field | Meaning |\n|---|---|\n{rows}"
