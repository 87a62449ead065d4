"""`gudok init`: lay out a project to begin with: the flows, settings and dialplan that come with Gudok."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import click

import gateway

PARTS = ("flows", "config", "asterisk-dialplan")
_DIALECTS = (
    "active_bit", "code_address", "end_bit", "letters", "long_id", "plain", "smpp_plus", "standard",
    "user_reference",
)  # fmt: skip
_FLOWS = ("home_account", "my_account", "refresh_package", "refresh_settled", "settled", "tips", "top_up")
SAMPLE = (
    *(f"flows/{name}.yaml" for name in (*_FLOWS, "options", "payments", "tariff")),
    *(f"flows/{name}.test.yaml" for name in _FLOWS),
    "config/project.yaml",
    "config/backends.yaml",
    "config/gateway.yaml",
    *(f"config/dialects/{name}.yaml" for name in _DIALECTS),
    "asterisk-dialplan/README.md",
)
"""The files that come with Gudok; in a checkout others may stand beside them, which are somebody's own."""


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
