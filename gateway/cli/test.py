"""`gudok test`: the flow tests of a project, in memory, with coverage by line."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from engine.reading.report import report_json, report_text
from engine.testing.coverage import Coverage
from engine.testing.outcome import Outcome, failure_text
from engine.testing.rehearsal import Rehearsal, rehearse
from gateway.cli.check import files_of
from gateway.cli.folder import FOLDER
from gateway.project_check import check_project
from gateway.project_files import TEST_ENDING

MOST_LINES = 40
"""Lines of the flows that are listed as not run; `--json` has all of them."""


@click.command()
@click.argument("directory", type=FOLDER, default=".")
@click.option("--min-cover", type=click.FloatRange(0, 100), help="Least coverage in percent.")
@click.option(
    "--transcripts",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for one text per case: what was typed, shown and asked.",
)
@click.option("-k", "only", default="", help="Only cases whose file or name contains this.")
@click.option("--json", "as_data", is_flag=True, help="Results as JSON, for programs.")
def test(
    directory: Path, min_cover: float | None, transcripts: Path | None, only: str, as_data: bool
) -> None:
    """Run the flow tests (flows/*.test.yaml) of the project in DIRECTORY.

    Status 1 if a case fails, if coverage is below --min-cover, or if a branch of a charging step is not run.
    """
    files = files_of(directory)
    flows, report = check_project(files)
    if flows is None:
        click.echo(report_text(report, files.texts), err=True)
        sys.exit(1)
    played = rehearse(flows, files.tests, only)
    for found in report.diagnostics:
        if found.place.file in files.unread:
            played.report.add(found)
    if transcripts is not None:
        write_transcripts(transcripts, played.outcomes)
    gaps = () if only else _gaps(played.coverage, min_cover)
    if as_data:
        click.echo(json.dumps(_data(played, gaps), ensure_ascii=False, indent=2))
    else:
        _print(played, files.tests, gaps, only)
    sys.exit(1 if played.failed or played.report.has_errors or gaps or not played.outcomes else 0)


def _gaps(coverage: Coverage, least: float | None) -> tuple[str, ...]:
    """Return what is wrong with the coverage."""
    found = [f"{unit}: takes money, and no test runs this branch" for unit in coverage.charging]
    if least is not None and coverage.percent < least:
        found.append(f"coverage is {_percent(coverage.percent)}, at least {_percent(least)} is asked for")
    return tuple(found)


def _percent(share: float) -> str:
    return f"{int(share * 10) / 10:g} %"  # never rounded up: 99.96 is not 100


def _print(played: Rehearsal, sources: Mapping[str, str], gaps: tuple[str, ...], only: str) -> None:
    parts = []
    if len(played.report):
        parts.append(report_text(played.report, sources))
    parts += [failure_text(outcome, sources[_file(outcome)]) for outcome in played.failed]
    coverage = played.coverage
    if not only and coverage.missing:
        lines = [f"  {unit}" for unit in coverage.missing[:MOST_LINES]]
        if len(coverage.missing) > MOST_LINES:
            lines.append(f"  and {len(coverage.missing) - MOST_LINES} more")
        parts.append("\n".join(["not run by any test:", *lines]))
    if gaps:
        parts.append("\n".join(f"error: {gap}" for gap in gaps))
    for part in parts:
        click.echo(f"{part}\n")
    click.echo(_summary(played, only))


def _summary(played: Rehearsal, only: str) -> str:
    count, failed, coverage = len(played.outcomes), len(played.failed), played.coverage
    if not count:
        return f"no test contains {only!r}" if only else "there are no tests: flows/*.test.yaml"
    text = f"{count} case{'' if count == 1 else 's'}, {failed or 'none'} failed"
    if only:
        return text
    run = coverage.total - len(coverage.missing)
    return f"{text}; coverage {_percent(coverage.percent)} ({run} of {coverage.total} steps and branches)"


def _file(outcome: Outcome) -> str:
    return outcome.case.place.file


def _data(played: Rehearsal, gaps: tuple[str, ...]) -> dict[str, object]:
    cases = []
    for outcome in played.outcomes:
        place, failure = outcome.case.place, outcome.failure
        case: dict[str, object] = {
            "file": place.file,
            "line": place.line,
            "name": outcome.case.name,
            "passed": failure is None,
        }
        if failure is not None:
            case["failure"] = {
                "line": failure.place.line,
                "column": failure.place.column,
                "message": failure.message,
                "expected": failure.expected,
                "seen": failure.seen,
            }
        cases.append(case)
    missing = [
        {
            "file": unit.file,
            "line": unit.line,
            "step": unit.verb,
            "branch": unit.branch,
            "charging": unit.charging,
        }
        for unit in played.coverage.missing
    ]
    return {
        "cases": cases,
        "findings": report_json(played.report),
        "coverage": {
            "percent": int(played.coverage.percent * 10) / 10,
            "total": played.coverage.total,
            "missing": missing,
        },
        "gaps": list(gaps),
    }


def write_transcripts(folder: Path, outcomes: tuple[Outcome, ...]) -> None:
    """Write one file per case: `<folder>/<test file>/<case>.txt`. Raises ClickException."""
    try:
        for outcome in outcomes:
            place = folder / Path(_file(outcome)).name.removesuffix(TEST_ENDING)
            place.mkdir(parents=True, exist_ok=True)
            text = "\n".join((f"# {outcome.case.name}", *outcome.transcript, ""))
            (place / f"{file_name(outcome.case.name)}.txt").write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"transcripts cannot be written: {error}") from error


def file_name(name: str) -> str:
    """Return the name of a case as that of a file: letters and digits of any language, `_` for the rest."""
    kept = "".join(sign if sign.isalnum() else "_" for sign in name)
    return "_".join(filter(None, kept.split("_")))[:80] or "case"
