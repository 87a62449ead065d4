"""`gudok check`: everything that is wrong with the flows of a project, with places and remedies."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from engine.reading.checks.project import load_checked
from engine.reading.diagnostic import Severity
from engine.reading.report import report_json, report_text
from gateway.project_files import ProjectError, ProjectFiles, read_project

FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)


def files_of(directory: Path) -> ProjectFiles:
    """Read a project, or leave with its problem as a message."""
    try:
        return read_project(directory)
    except ProjectError as error:
        raise click.ClickException(str(error)) from error


@click.command()
@click.argument("directory", type=FOLDER, default=".")
@click.option("--json", "as_data", is_flag=True, help="Findings as JSON, for programs.")
def check(directory: Path, as_data: bool) -> None:
    """Check the flows of the project in DIRECTORY; status 1 if there are errors."""
    files = files_of(directory)
    _, report = load_checked(files.texts)
    if as_data:
        counts = {severity.value: 0 for severity in Severity}
        for found in report.diagnostics:
            counts[found.severity.value] += 1
        data = {"counts": counts, "findings": report_json(report)}
        click.echo(json.dumps(data, ensure_ascii=False, indent=2))
    else:
        click.echo(report_text(report, files.texts))
    sys.exit(1 if report.has_errors else 0)
