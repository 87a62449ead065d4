"""`gudok docs`: the reference in a terminal, and written to a folder for the site."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from engine.reading.suggestion import did_you_mean
from gateway.reference import book
from gateway.reference.markdown import Page

FOLDER = click.Path(path_type=Path, file_okay=False)
MARK = "index.md"


@click.command()
@click.argument("words", nargs=-1)
@click.option("--write", "target", type=FOLDER, help="Folder to write the whole reference to.")
@click.option("--check", "judged", type=FOLDER, help="Folder to compare with: status 1 if it is out of date.")
def docs(words: tuple[str, ...], target: Path | None, judged: Path | None) -> None:
    """Print the reference of WORDS (verbs, fields, functions, codes, commands), or of everything."""
    if target is not None:
        _write(target)
        return
    if judged is not None:
        _judge(judged)
        return
    found = book.pages() if not words else [one for word in words for one in _about(word)]
    click.echo("\n".join(one.text for one in found), nl=False)


def _about(word: str) -> list[Page]:
    found = list(book.about(word))
    if not found:
        names = {one.name for one in book.pages()}
        raise click.ClickException(f'the reference has no "{word}"{did_you_mean(word, names)}')
    return found


def _write(folder: Path) -> None:
    if any(folder.rglob("*.md")) and not (folder / MARK).is_file():
        raise click.ClickException(
            f"{folder} has pages that are none of the reference; choose an empty folder"
        )
    try:
        changed = book.write(folder)
    except OSError as error:
        raise click.ClickException(f"{error.filename or folder}: {error.strerror}") from error
    for name in changed:
        click.echo(f"{folder / name}: renewed")


def _judge(folder: Path) -> None:
    old = book.outdated(folder)
    for name in old:
        click.echo(f"{folder / name}: out of date")
    if old:
        click.echo(f"run: gudok docs --write {folder}")
    sys.exit(1 if old else 0)
