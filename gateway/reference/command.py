"""Pages of the commands, read from the commands themselves: usage, arguments, options, subcommands."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from importlib import import_module

import click

from gateway.cli import COMMANDS
from gateway.reference.markdown import Page, cell, code, index, page

MORE: Mapping[str, str] = {
    "check": "What each code means: [checks](../checks/index.md).",
    "config": "The names of the settings: [gateway.yaml](../settings/gateway.md).",
    "docs": "`gudok docs ask` prints the page of a word.",
    "export": "The columns: [records of sessions](../../how-to/records.md).",
    "fmt": ("Only ranges of the text are changed: comments and layout stay, and the meaning never changes."),
    "link": "How to make a capture: [capture and decode](../../how-to/capture.md).",
    "phone": (
        "Nothing is sent anywhere: back ends answer what the tests of the flows say under `backends:`."
    ),
    "prompts": "From the script to the files: [recording the prompts](../../how-to/prompts.md).",
    "queue": "What people do with it: [hand-off and tasks](../../how-to/tasks.md).",
    "schema": "For an editor with a YAML language server.",
    "serve": "What it needs around it: [running Gudok](../../operate.md).",
    "switch": "What is switched, and what a subscriber sees: [switches](../../how-to/switches.md).",
    "test": "The language of tests: [testing flows](../../how-to/tests.md).",
    "texts": "How to translate: [translations](../../how-to/translations.md).",
}
"""A line for some commands."""

_INTRO = (
    "`gudok COMMAND --help` prints the same. Everything that says DIRECTORY works on this folder without one."
)


def pages() -> list[Page]:
    """Return the page of each command and their index."""
    found = [_page(name, command(name)) for name in sorted(COMMANDS)]
    return [index("commands/index.md", "Commands", found, _INTRO), *found]


def command(name: str) -> click.Command:
    """Return a command by its name; its module is imported here and nowhere else in the reference."""
    module, attribute, _ = COMMANDS[name]
    found = getattr(import_module(module), attribute)
    assert isinstance(found, click.Command)
    return found


def _page(name: str, found: click.Command) -> Page:
    parts = _parts(f"gudok {name}", found)
    if isinstance(found, click.Group):
        for inner, one in sorted(found.commands.items()):
            parts += [f"## `gudok {name} {inner}`", *_parts(f"gudok {name} {inner}", one)]
    return page(f"commands/{name}.md", f"`gudok {name}`", *parts, MORE.get(name, ""), about=COMMANDS[name][2])


def _parts(name: str, found: click.Command) -> list[str]:
    context = click.Context(found, info_name=name)
    usage = " ".join((name, *found.collect_usage_pieces(context)))
    return [_help(found.help or ""), code("text", usage), _options(found.params, context)]


def _help(text: str) -> str:
    return inspect.cleandoc(text).replace("\b\n", "")


def _options(params: Iterable[click.Parameter], context: click.Context) -> str:
    rows = []
    for one in params:
        record = one.get_help_record(context) if isinstance(one, click.Option) else None
        if record is not None:
            rows.append(f"| `{record[0]}` | {cell(record[1])} |")
    return "| Option | |\n|---|---|\n" + "\n".join(rows) if rows else ""
