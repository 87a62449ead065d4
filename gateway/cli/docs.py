"""`gudok docs`: the reference of verbs, tables and settings, written from the field tables that read them.

A document says where a part belongs by two comment lines, `<!-- reference: verbs -->` and
`<!-- end of reference -->`; `gudok docs FILE` writes what stands between them anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import click

from engine.reading import backend_file, header, project
from engine.reading.fields import DURATION, Field
from engine.reading.scalars import Address
from engine.steps import VERBS
from gateway import settings
from ussd import dialect_file

_PART = re.compile(
    r"(?P<open><!-- reference: (?P<name>[a-z]+) -->\n).*?(?P<close><!-- end of reference -->)", re.DOTALL
)
_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1))
_LABEL_LENGTH = 90
_LATER = frozenset({"call", "outbound"})
"""Header fields of voice, which this release reads and does not serve."""

DOES: Mapping[str, str] = {
    "ask": "Asks one question and waits for an answer of a type. A wrong answer or silence repeats it; "
    "`hint` stands above the repeated question.",
    "end": "Says the last text and leaves this flow: back to the flow that ran it, or the session ends.",
    "for": "Does a block for each element of a list, at most `max` times.",
    "forget": "Deletes a memory of the subscriber.",
    "go": "Jumps to a scene of this file and never comes back by itself.",
    "hangup": "Says the last text and ends the whole session.",
    "if": "Does one block when a condition is true, the other when it is not.",
    "log": "Writes a line to the log, with numbers masked.",
    "menu": "Shows lines with keys, or the elements of a list, and waits for a choice.",
    "refuse": "Says the text of the first true condition and leaves the flow. Each refusal is counted.",
    "remember": "Adds one to a memory of the subscriber, stored before anything later leaves.",
    "repeat": "Does a block up to N times, until a condition is true.",
    "request": "Asks a back end and waits for its answer. A charge must handle the outcome `unknown`.",
    "return": "Leaves the flow with a value, silently.",
    "run": "Runs another flow and comes back with its result.",
    "say": "Shows a text together with the next question or the end.",
    "set": "Sets variables of this run of the flow, or `lang` of the session.",
    "sms": "Queues an SMS and goes on at once.",
    "switch": "Does the block of a value; meant for enums.",
    "when": "Does the block of the first true condition.",
}
"""What each verb does, for authors of flows."""


def duration(milliseconds: int) -> str:
    """Write a duration as flows do: 10s, 24h."""
    for unit, size in _UNITS:
        if milliseconds >= size and milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return "0s"


def default(field: Field) -> str:
    """Write what a field is without being written."""
    value = field.default
    if field.required:
        return "required"
    if value is None or value == "" or value in ((), {}):
        return ""
    if field.kind.label == DURATION.label:
        return duration(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if isinstance(value, str | int | Address) else ""


def table(fields: Iterable[Field]) -> str:
    """Write a field table as Markdown."""
    rows = ["| Field | Written as | Default | Meaning |", "|---|---|---|---|"]
    rows += [
        f"| `{field.name}` | {_cell(_label(field))} | {_cell(default(field))} | {_cell(field.doc)} |"
        for field in fields
    ]
    return "\n".join(rows) + "\n"


def _label(field: Field) -> str:
    label = field.kind.label
    return label if len(label) <= _LABEL_LENGTH else "a table, see below"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def verbs() -> str:
    """Write every verb of the registry with its example and its fields."""
    parts = []
    for name, verb in sorted(VERBS.items()):
        parts.append(f"### `{name}`\n\n{DOES[name]}\n\n```yaml\n{verb.EXAMPLE}\n```\n\n{table(verb.FIELDS)}")
    return "\n".join(parts)


def flow_header() -> str:
    """Write the fields of `flow:`."""
    return "\n".join(
        (
            table(field for field in header.FIELDS if field.name not in _LATER),
            "`sms` as a table:\n",
            table(header.SMS_TABLE),
            "`event` as a table:\n",
            table(header.EVENT_TABLE),
        )
    )


def project_file() -> str:
    """Write the fields of `config/project.yaml`."""
    sections = (
        ("`ussd:`", project.USSD),
        ("`sms:`", project.SMS),
        ("`limits:`", project.LIMITS),
        ("each of `calendars:`", project.CALENDAR),
    )
    head = table(field for field in project.FIELDS if field.name not in {"voice", "operator", "queues"})
    return "\n".join((head, *(f"{title}\n\n{table(fields)}" for title, fields in sections)))


def backends() -> str:
    """Write the fields of `config/backends.yaml`."""
    return "\n".join(
        ("A back end:\n", table(backend_file.BACKEND), "An operation:\n", table(backend_file.OPERATION))
    )


def gateway_file() -> str:
    """Write the fields of `config/gateway.yaml`."""
    return "\n".join((table(settings.FIELDS), "Each centre of `smpp:`\n", table(settings.LINK_FIELDS)))


def dialects() -> str:
    """Write the fields of `config/dialects/<name>.yaml`."""
    parts = []
    for section in dialect_file.FIELDS:
        inner = section.kind.schema.get("properties")
        assert isinstance(inner, Mapping)
        rows = "".join(f"| `{name}` | {_cell(one.get('description', ''))} |\n" for name, one in inner.items())
        parts.append(f"`{section.name}:` {section.doc}\n\n| Field | Meaning |\n|---|---|\n{rows}")
    return "\n".join(parts)


REFERENCES: Mapping[str, Callable[[], str]] = {
    "verbs": verbs,
    "header": flow_header,
    "project": project_file,
    "backends": backends,
    "settings": gateway_file,
    "dialects": dialects,
}


def renewed(text: str) -> str:
    """Return a document with every reference in it written anew. Raises KeyError for an unknown one."""
    return _PART.sub(lambda part: f"{part['open']}\n{REFERENCES[part['name']]()}\n{part['close']}", text)


@click.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def docs(files: tuple[Path, ...]) -> None:
    """Print the reference of verbs and settings, or renew it inside Markdown FILES."""
    if not files:
        click.echo("\n".join(f"## {name}\n\n{write()}" for name, write in REFERENCES.items()), nl=False)
    for file in files:
        text = file.read_text(encoding="utf-8")
        try:
            new = renewed(text)
        except KeyError as unknown:
            raise click.ClickException(f"{file}: there is no reference {unknown}") from unknown
        if new != text:
            file.write_text(new, encoding="utf-8")
            click.echo(f"{file}: renewed")
