"""`gudok texts`: what subscribers see and hear, how far it is translated; `--update` renews the tables."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from engine.flow_set import FlowSet
from engine.reading.report import report_text
from gateway.authoring.text_size import Sizes, text_sizes
from gateway.authoring.translation import NotUpdatedError, Said, State, said_texts, state_of, updated
from gateway.cli.check import files_of
from gateway.cli.folder import FOLDER
from gateway.project_check import check_project
from gateway.project_files import ProjectError, read_text

_SHOWN = 60


@click.command()
@click.argument("directory", type=FOLDER, default=".")
@click.option("--lang", "only", default="", help="Only this language.")
@click.option("--missing", "open_only", is_flag=True, help="Only texts that are not translated.")
@click.option("--cost", is_flag=True, help="Sizes: units, USSD pages and SMS parts at the longest.")
@click.option("--update", is_flag=True, help="Add what is missing to texts/<lang>.yaml, mark what is stale.")
@click.option("--json", "as_data", is_flag=True, help="Texts as JSON, for programs.")
def texts(directory: Path, only: str, open_only: bool, cost: bool, update: bool, as_data: bool) -> None:
    """List the texts of the project in DIRECTORY with their translations.

    A missing text is added as a comment: put the translation behind the colon and take the # away.
    """
    files = files_of(directory)
    flows, report = check_project(files)
    if flows is None:
        click.echo(report_text(report, files.texts), err=True)
        sys.exit(1)
    languages = flows.project.languages[1:]
    if only and only not in languages:
        raise click.ClickException(f'the project has no language "{only}"; it has {", ".join(languages)}')
    said = said_texts(flows)
    states = [state_of(flows, said, language) for language in languages if only in ("", language)]
    sizes = text_sizes(flows) if cost else {}
    if as_data:
        click.echo(json.dumps(_data(flows, said, states, sizes), ensure_ascii=False, indent=2))
    elif not update:
        _print(flows, said, states, sizes, open_only)
    for state in states if update else ():
        _update(files.root, state, quiet=as_data)


def _update(root: Path, state: State, *, quiet: bool) -> None:
    path = root / state.file
    try:
        before = read_text(path) if path.exists() else ""
        after = updated(before, state)
        changed = after != before and bool(before or state.missing)
        if changed:
            path.parent.mkdir(parents=True, exist_ok=True)
            new = path.with_name(f".{path.name}.new")
            new.write_text(after, encoding="utf-8")
            new.replace(path)
    except (ProjectError, NotUpdatedError) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}") from error
    if not quiet:
        what = f"{len(state.missing)} to translate, {len(state.stale)} stale"
        click.echo(f"{state.file}: {what}{'' if changed else ', nothing to change'}")


def _print(
    flows: FlowSet, said: tuple[Said, ...], states: list[State], sizes: Sizes, open_only: bool
) -> None:
    main = flows.project.languages[0]
    shown = [main, *(state.language for state in states)]
    missing = {state.language: {one.text for one in state.missing} for state in states}
    file = ""
    for one in said:
        gaps = [language for language, texts in missing.items() if one.text in texts]
        if open_only and not gaps:
            continue
        place = one.places[0]
        if place.file != file:
            file = place.file
            click.echo(file)
        marks = [f"no {language}" for language in gaps]
        if sizes:
            marks += [
                _sized(one.text, language, sizes) for language in shown if (one.text, language) in sizes
            ]
        click.echo(f"  {place.line:>4}  {_short(one.text)}{'  ' if marks else ''}{'; '.join(marks)}")
    if said:
        click.echo("")
    if sizes:
        click.echo("sizes: units of the page's room, USSD pages / SMS parts, values at their longest")
    click.echo(f"{main}: {len(said)} texts")
    for state in states:
        wanted = sum(state.language in one.languages for one in said)
        click.echo(
            f"{state.language}: {wanted - len(state.missing)} of {wanted} translated, "
            f"{len(state.stale)} stale ({state.file})"
        )
        for source, near in state.stale.items():
            click.echo(f"  stale: {_short(source)}" + (f" (now: {_short(near)})" if near else ""))


def _sized(text: str, language: str, sizes: Sizes) -> str:
    size = sizes[text, language]
    return f"{language} {size.units}/{size.room} {size.pages}p/{size.parts}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"


def _data(flows: FlowSet, said: tuple[Said, ...], states: list[State], sizes: Sizes) -> dict[str, object]:
    rows = []
    for one in said:
        row: dict[str, object] = {
            "text": one.text,
            "places": [f"{place.file}:{place.line}" for place in one.places],
            "translations": {
                state.language: getattr(
                    flows.translations.get(state.language, {}).get(one.text), "value", None
                )
                for state in states
                if state.language in one.languages
            },
        }
        if sizes:
            row["sizes"] = {
                language: {
                    "units": size.units,
                    "room": size.room,
                    "pages": size.pages,
                    "parts": size.parts,
                }
                for (text, language), size in sizes.items()
                if text == one.text
            }
        rows.append(row)
    return {
        "main": flows.project.languages[0],
        "texts": rows,
        "languages": {
            state.language: {
                "file": state.file,
                "missing": [one.text for one in state.missing],
                "stale": dict(state.stale),
            }
            for state in states
        },
    }
