"""`gudok export edr`: the records of sessions of some days, read from the store while the gateway runs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from pathlib import Path

import click
from click.exceptions import ClickException

from gateway.cli.folder import in_project
from gateway.cli.serve import settings_of
from gateway.journal.detail import FIELDS
from gateway.journal.safe_csv import line
from gateway.journal.stencil import as_csv, as_json, records
from gateway.library import FlowsBrokenError, Library
from gateway.project_files import ProjectError
from gateway.store.detail import Portion, details_between

DATES = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])


@click.group()
def export() -> None:
    """Write out what the store holds."""


@export.command()
@in_project
@click.option("--from", "first", type=DATES, help="Sessions that ended then or later, in the project's zone.")
@click.option("--to", "last", type=DATES, help="Sessions that ended before then.")
@click.option("--csv", "form", flag_value="csv", default="csv", help="CSV with a head line.  [default]")
@click.option("--json", "form", flag_value="json", help="JSON lines.")
def edr(project: Path, first: datetime | None, last: datetime | None, form: str) -> None:
    """Print the records of sessions; their numbers have no gaps but those of other days."""
    settings = settings_of(project, serving=False)
    path = project / settings.store
    if not path.is_file():
        raise ClickException(f"{path} is not there: the gateway has not run yet")
    zone = _zone(project) if first or last else UTC
    since, until = _ms(first, zone, 0), _ms(last, zone, 1 << 62)
    try:
        if form == "csv":
            click.echo(line(FIELDS), nl=False)
        for portion in between(path, since, until):
            for record in records(portion):
                click.echo(as_csv(record) if form == "csv" else as_json(record), nl=False)
    except sqlite3.Error as error:
        raise ClickException(f"{path} cannot be read: {error}") from error


def between(path: Path, since: int, until: int) -> Iterator[Portion]:
    """Yield the records of a store that is perhaps in use, by the end of their sessions (UTC ms)."""
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        yield from details_between(connection, since, until)
    finally:
        connection.close()


def _zone(project: Path) -> tzinfo:
    try:
        return Library(project).current.project.zone
    except (ProjectError, FlowsBrokenError) as error:
        raise ClickException(f"the project cannot be read, so its time zone is not known: {error}") from error


def _ms(given: datetime | None, zone: tzinfo, default: int) -> int:
    return default if given is None else int(given.replace(tzinfo=zone).timestamp() * 1000)
