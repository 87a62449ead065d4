"""`gudok fmt`: the form of flows and their tests; `--fix` puts it right without changing what they mean."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from engine.reading.diagnostic import Report
from engine.reading.report import report_json, report_text
from gateway.authoring.form import formed
from gateway.project_files import ProjectError, read_text

CODE = "form"


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, exists=True), metavar="[FILES]...")
@click.option("--fix", is_flag=True, help="Write the files anew.")
@click.option("--json", "as_data", is_flag=True, help="Findings as JSON, for programs.")
def fmt(paths: tuple[Path, ...], fix: bool, as_data: bool) -> None:
    """Find texts that other YAML tools misread and fields out of their order, in FILES or the project here.

    A folder stands for the flows of the project in it. Status 1 if something is left to be put right.
    """
    report = Report()
    sources: dict[str, str] = {}
    count = 0
    for file in _files(paths or (Path(),)):
        name = file.as_posix()
        try:
            text = read_text(file)
        except ProjectError as error:
            raise click.ClickException(str(error)) from error
        if "\ufffd" in text:
            click.echo(f"{name}: is not UTF-8, left as it is", err=True)
            continue
        found = formed(text, name)
        sources[name] = text
        count += 1
        for change in found.changes:
            report.hint(CODE, change.message, change.place, help="gudok fmt --fix does it")
        if fix and found.text != text:
            _write(file, found.text)
            if not as_data:
                number = len(found.changes)
                click.echo(f"{name}: {number} thing{'' if number == 1 else 's'} put right")
    if as_data:
        data = {"files": count, "fixed": fix, "findings": report_json(report)}
        click.echo(json.dumps(data, ensure_ascii=False, indent=2))
    elif not fix and len(report):
        click.echo(report_text(report, sources))
    elif not len(report):
        click.echo(f"{count} file{'' if count == 1 else 's'}, nothing to put right")
    sys.exit(1 if len(report) and not fix else 0)


def _files(paths: tuple[Path, ...]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        folder = path / "flows" if (path / "flows").is_dir() else path
        found = sorted(file for file in folder.glob("*.yaml") if file.is_file() and not file.is_symlink())
        if not found:
            raise click.ClickException(f"{path} has no flows: no files end in .yaml there")
        yield from found


def _write(file: Path, text: str) -> None:
    """Write a file whole or not at all. Raises ClickException."""
    new = file.with_name(f".{file.name}.new")
    try:
        new.write_bytes(text.encode("utf-8"))
        new.chmod(file.stat().st_mode & 0o777)
        new.replace(file)
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}") from error
