"""`gudok config`: the settings in force, and where each comes from. Secrets are shown as dots."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from engine.reading.diagnostic import Report
from engine.reading.fields import Field
from engine.reading.report import report_text
from engine.reading.scalars import env_reference
from engine.reading.tree import Node, Sequence, Table, Text, describe
from engine.reading.yaml_text import read_tree
from gateway.centre_settings import LINK_FIELDS
from gateway.cli.folder import FOLDER
from gateway.dialects import Dialects
from gateway.project_files import SETTINGS, ProjectError, read_text
from gateway.reference.markdown import default
from gateway.settings import EDR_FIELDS, EVENT_FIELDS, FIELDS, overridden, read_settings

HIDDEN = frozenset({"password", "secret_key", "http_token", "secret", "previous"})
SECTIONS = {"events": EVENT_FIELDS, "edr": EDR_FIELDS}
DOTS = "••••"


def written(node: Node, environment: Mapping[str, str]) -> str:
    """Return a value as it is in force: what is written, or what the environment holds for it."""
    match node:
        case Text():
            reference = None if node.quoted else env_reference(node)
            return node.value if reference is None else environment.get(reference.variable, "")
        case Sequence(items=items):
            return ", ".join(written(item, environment) for item in items)
    return describe(node)


def rows(tree: Table, environment: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield (path, value, origin) for every setting, those that are not written with their defaults."""
    yield from _table(tree, FIELDS, "", environment)
    for name, fields in SECTIONS.items():
        section = tree.get(name)
        if isinstance(section, Table):
            yield from _table(section, fields, f"{name}.", environment)
    links = tree.get("smpp")
    if isinstance(links, Table):
        for entry in links:
            if isinstance(entry.value, Table):
                yield from _table(entry.value, LINK_FIELDS, f"smpp.{entry.key.value}.", environment)


def _table(
    table: Table, fields: tuple[Field, ...], prefix: str, environment: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    for field in fields:
        node = table.get(field.name)
        if field.name == "smpp" or (field.name in SECTIONS and isinstance(node, Table)):
            continue
        if node is None:
            value, origin = "" if field.required else default(field), "default"
        else:
            value, origin = written(node, environment), _origin(node)
        if field.name in HIDDEN and value:
            value = DOTS
        yield prefix + field.name, value, origin


def _origin(node: Node) -> str:
    place = node.place
    if place.file.startswith("environment "):
        return place.file
    reference = env_reference(node) if isinstance(node, Text) and not node.quoted else None
    where = f"{place.file}:{place.line}"
    return where if reference is None else f"{where}, environment {reference.variable}"


@click.command()
@click.argument("directory", type=FOLDER, default=".")
@click.option("--origin", is_flag=True, help="Say where each value comes from.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def config(directory: Path, origin: bool, as_json: bool) -> None:
    """Print the settings of the project in DIRECTORY as they are in force."""
    try:
        text = read_text(directory / SETTINGS)
    except ProjectError as error:
        raise click.ClickException(str(error)) from error
    report = Report()
    settings = read_settings(text, os.environ, report)
    sources = {SETTINGS: text}
    if settings is not None:
        Dialects(directory).check(settings, report, sources)
    if report.has_errors:
        click.echo(report_text(report, sources), err=True)
        raise SystemExit(1)
    tree = read_tree(text, SETTINGS, report)
    assert isinstance(tree, Table)
    tree, _ = overridden(tree, os.environ, report)
    found = list(rows(tree, os.environ))
    if as_json:
        shown = [{"path": path, "value": value, "origin": where} for path, value, where in found]
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
        return
    width = max(len(path) for path, _, _ in found)
    for path, value, where in found:
        click.echo(f"{path:<{width}}  {value}" + (f"  ({where})" if origin else ""))
