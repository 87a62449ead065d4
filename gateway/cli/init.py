"""`gudok init`: lay out a project to begin with: the flows, settings and dialplan that come with Gudok."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import click

import gateway

PARTS = ("flows", "config", "asterisk-dialplan")
SAMPLE = tuple((Path(gateway.__file__).parent / "sample.txt").read_text(encoding="utf-8").split())
"""The files that come with Gudok, named in `gateway/sample.txt` (`make sample` renews it).

In a checkout others may stand beside them, which are somebody's own.
"""


def sample() -> Path:
    """Return the folder of the sample project: inside the installed package, or the checkout it runs from.

    Raises click.ClickException where neither is there.
    """
    package = Path(gateway.__file__).resolve().parent
    for candidate in (package / "share", package.parent):
        if all((candidate / part).is_dir() for part in PARTS):
            return candidate
    raise click.ClickException("the sample project is not in this installation: install Gudok again")


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
def init(directory: Path) -> None:
    """Lay out a new project in DIRECTORY: flows with their tests, settings, dialplan.

    Nothing that is there already is overwritten.
    """
    source = sample()
    taken = [part for part in PARTS if (directory / part).exists() or (directory / part).is_symlink()]
    if taken:
        raise click.ClickException(
            f"{directory} has {', '.join(f'{part}/' for part in taken)} already; choose another folder"
        )
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name in SAMPLE:
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, directory / name)
    except OSError as error:
        raise click.ClickException(f"{error.filename or directory}: {error.strerror}") from error
    there = shlex.quote(str(directory))
    click.echo(f"A project is in {directory}. What to do with it:")
    click.echo(f"  gudok check {there}            are the flows right?")
    click.echo(f"  gudok test {there}             do they do what their tests say?")
    click.echo(f"  gudok demo --project {there}   dial them in the browser")
    click.echo(f"  gudok serve {there}            connect to the SMSC of config/gateway.yaml")
