"""`gudok prompts`: what a project says in calls, as a script for the studio, or made by a synthesiser."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from gateway.cli.check import files_of
from gateway.cli.folder import FOLDER
from gateway.project_check import check_project
from gateway.speech.folder import ENDING, listed, write_sound
from gateway.speech.script import Line, script
from gateway.speech.synthesis import SynthesisError, Synthesizer, installed
from gateway.speech.wave import WaveError, seconds

SOUNDS = Path("flows/sounds")
COLUMNS = ("file", "lang", "kind", "seconds", "recorded", "text", "uses")


def _length(root: Path, line: Line) -> tuple[float, bool]:
    """Return how long a recording is, about if there is none yet, and whether there is one."""
    path = root / SOUNDS / f"{line.name}{ENDING}"
    try:
        return round(seconds(path.read_bytes()), 1), True
    except (OSError, WaveError):
        return line.seconds, False


def _row(root: Path, line: Line) -> dict[str, object]:
    length, recorded = _length(root, line)
    return {
        "file": f"{SOUNDS}/{line.name}{ENDING}",
        "lang": line.lang,
        "kind": line.kind,
        "seconds": length,
        "recorded": recorded,
        "text": line.text,
        "uses": list(line.uses),
    }


def _safe(cell: object) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    text = ", ".join(map(str, cell)) if isinstance(cell, list) else str(cell)
    return f"'{text}" if text[:1] in "=+-@\t" and text[:1] else text


def _as_csv(rows: Sequence[dict[str, object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_safe(row[name]) for name in COLUMNS] for row in rows)
    return out.getvalue().rstrip("\n")


def _as_markdown(rows: Sequence[dict[str, object]]) -> str:
    lines = ["| File | Seconds | Recorded | Text | Used |", "|---|---|---|---|---|"]
    for row in rows:
        uses = row["uses"]
        assert isinstance(uses, list)
        text = str(row["text"]).replace("|", "\\|").replace("\n", " ")
        cells = (row["file"], row["seconds"], "yes" if row["recorded"] else "no", text, ", ".join(uses[:3]))
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def _as_json(rows: Sequence[dict[str, object]]) -> str:
    return json.dumps(rows, ensure_ascii=False, indent=2)


FORMS = {"csv": _as_csv, "json": _as_json, "md": _as_markdown}


async def make(root: Path, lines: Sequence[Line], voice: Synthesizer) -> list[str]:
    """Synthesise recordings into the project; returns what could not be made, with the reason."""
    failed: list[str] = []

    async def one(line: Line) -> None:
        try:
            data = await voice.speak(line.text, line.lang)
        except SynthesisError as error:
            failed.append(f"{line.name}: {error}")
            return
        write_sound(root / SOUNDS / f"{line.name}{ENDING}", data)

    await asyncio.gather(*map(one, lines))
    return sorted(failed)


def prune(root: Path, lines: Sequence[Line], lang: Sequence[str]) -> int:
    """Delete the recordings that nothing plays any more; returns how many."""
    wanted = {line.name for line in lines}
    gone = [
        name
        for name in listed(root / SOUNDS)
        if name not in wanted and (not lang or name.partition("/")[0] in lang)
    ]
    for name in gone:
        (root / SOUNDS / f"{name}{ENDING}").unlink(missing_ok=True)
    return len(gone)


@click.command()
@click.argument("directory", type=FOLDER, default=".")
@click.option("--lang", multiple=True, help="Only this language; may be given several times.")
@click.option("--missing", is_flag=True, help="Only what is not recorded yet.")
@click.option("--form", type=click.Choice(sorted(FORMS)), default="csv", help="How the script is written.")
@click.option("--make", "makes", is_flag=True, help="Synthesise what is missing into flows/sounds.")
@click.option("--again", is_flag=True, help="With --make: also what is there already.")
@click.option("--prune", "prunes", is_flag=True, help="With --make: delete recordings that nothing plays.")
@click.option("--voice", default="", help="With --make: espeak-ng or festival; the first one found.")
def prompts(
    directory: Path,
    lang: tuple[str, ...],
    missing: bool,
    form: str,
    makes: bool,
    again: bool,
    prunes: bool,
    voice: str,
) -> None:
    """Print what the project in DIRECTORY says in calls, as a script for the studio."""
    flows, _ = check_project(files_of(directory))
    if flows is None:
        raise click.ClickException(f"{directory} has errors; gudok check shows them")
    lines = [line for line in script(flows) if not lang or line.lang in lang]
    gone = prune(directory, lines, lang) if makes and prunes else 0
    if makes or missing:
        there = frozenset() if makes and again else listed(directory / SOUNDS)
        lines = [line for line in lines if line.name not in there]
    if not makes:
        click.echo(FORMS[form]([_row(directory, line) for line in lines]))
        return
    program = installed(voice)
    if program is None:
        what = voice or "synthesiser"
        raise click.ClickException(f"there is no {what} (Debian: apt-get install espeak-ng)")
    failed = asyncio.run(make(directory, lines, program))
    for reason in failed:
        click.echo(reason, err=True)
    size = sum(path.stat().st_size for path in (directory / SOUNDS).rglob(f"*{ENDING}"))
    made = len(lines) - len(failed)
    deleted = f"{gone} deleted, " if prunes else ""
    click.echo(f"{made} made by {program.voice}, {deleted}{size / 1e6:.1f} MB in {SOUNDS}")
    sys.exit(1 if failed else 0)
