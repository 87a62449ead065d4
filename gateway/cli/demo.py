"""`gudok demo`: everything embedded, and a handset in the browser."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import sys
from pathlib import Path

import click

from engine.reading.diagnostic import Severity, render
from gateway.app import StartError
from gateway.demo.project import find_project
from gateway.demo.show import Show
from gateway.library import FlowsBrokenError
from gateway.log import configure
from gateway.project_files import ProjectError
from gateway.store.error import StoreError
from smpp.testing.centre import CentreError

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8080,
    show_default=True,
    help="Port of the page on 127.0.0.1; if it is taken, the next free one.",
)
@click.option(
    "--project", type=FOLDER, help="Folder with flows/ and config/.  [default: this one, else the built-in]"
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("data/demo"),
    show_default=True,
    help="Where the store and the billing's books lie.",
)
@click.option("--keep", is_flag=True, help="Go on with the store and the books of the last time.")
@click.option(
    "--log",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="error",
    show_default=True,
    help="Least level logged.",
)
def demo(port: int, project: Path | None, data: Path, keep: bool, log: str) -> None:
    """Play the flows with a handset in the browser: test SMSC, gateway, billing, all in this process."""
    configure(level=log)
    sys.exit(asyncio.run(_play(port, project, data, keep)))


async def _play(port: int, project: Path | None, data: Path, keep: bool) -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(name, stopped.set)
    try:
        root = find_project(project, Path.cwd())
        show = Show(root, data, os.environ, keep=keep, port=port)
        address = await show.start()
    except FlowsBrokenError as broken:
        for one in broken.report.diagnostics:
            if one.severity is Severity.ERROR:
                lines = broken.sources.get(one.place.file, "").split("\n")
                source = lines[one.place.line - 1] if one.place.line <= len(lines) else None
                click.echo(render(one, source), err=True)
        return 1
    except (StartError, ProjectError, StoreError, CentreError, OSError, sqlite3.Error) as error:
        click.echo(f"the demo cannot start: {error}", err=True)
        return 1
    click.echo(f"Gudok demo: open {address} in a browser (flows from {root / 'flows'}, Ctrl-C ends)")
    await stopped.wait()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.remove_signal_handler(name)
    click.echo("ending …")
    await show.close()
    return 0
