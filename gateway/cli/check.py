"""`gudok check`: everything that is wrong with a project, flows and settings, with places and remedies."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from engine.capabilities import Channel
from engine.flow_set import FlowSet
from engine.reading.diagnostic import Report, Severity
from engine.reading.report import report_json, report_text
from gateway.cli.folder import FOLDER
from gateway.dialects import Dialects
from gateway.project_check import check_project
from gateway.project_files import SETTINGS, ProjectError, ProjectFiles, read_project, read_text
from gateway.settings import read_settings


def files_of(directory: Path) -> ProjectFiles:
    """Read a project, or leave with its problem as a message."""
    try:
        return read_project(directory)
    except ProjectError as error:
        raise click.ClickException(str(error)) from error


def check_settings(directory: Path, flows: FlowSet | None, report: Report, sources: dict[str, str]) -> None:
    """Check `config/gateway.yaml`, where there is one, and its dialects; the environment is not looked at."""
    if not (directory / SETTINGS).exists():
        return
    found = Report()
    try:
        sources[SETTINGS] = read_text(directory / SETTINGS)
    except ProjectError as error:
        raise click.ClickException(str(error)) from error
    settings = read_settings(sources[SETTINGS], None, found)
    if settings is not None:
        if flows is None:
            Dialects(directory).check(settings, found, sources)
        else:
            ussd = flows.channels[Channel.USSD]
            Dialects(directory, ussd, flows.project.country).check(settings, found, sources)
    report.extend(found)


@click.command()
@click.argument("directory", type=FOLDER, default=".")
@click.option("--json", "as_data", is_flag=True, help="Findings as JSON, for programs.")
@click.option("--strict", is_flag=True, help="Status 1 for warnings too; hints never fail.")
def check(directory: Path, as_data: bool, strict: bool) -> None:
    """Check the flows and settings of the project in DIRECTORY; status 1 if there are errors."""
    files = files_of(directory)
    flows, report = check_project(files)
    sources = dict(files.texts)
    check_settings(directory, flows, report, sources)
    if as_data:
        counts = {severity.value: 0 for severity in Severity}
        for found in report.diagnostics:
            counts[found.severity.value] += 1
        data = {"counts": counts, "findings": report_json(report)}
        click.echo(json.dumps(data, ensure_ascii=False, indent=2))
    else:
        click.echo(report_text(report, sources))
    warned = strict and any(found.severity is Severity.WARNING for found in report.diagnostics)
    sys.exit(1 if report.has_errors or warned else 0)
