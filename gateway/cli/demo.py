"""`gudok demo`: everything embedded, and a handset in the browser."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import sys
from pathlib import Path
from typing import NoReturn

import click

from engine.reading.diagnostic import Severity, render
from gateway import loop
from gateway.cli.folder import FOLDER
from gateway.demo.project import find_project
from gateway.demo.show import Show
from gateway.demo.sip.installed import Installed, NoAsteriskError, find
from gateway.demo.sip.server import AsteriskError
from gateway.library import FlowsBrokenError
from gateway.log import configure
from gateway.project_files import ProjectError
from gateway.start_error import StartError
from gateway.store.error import StoreError
from smpp.testing.centre import CentreError

REFUSALS = (StartError, ProjectError, StoreError, CentreError, AsteriskError)
FIRST_SUBSCRIBER = "79160000001"


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
    "--asterisk",
    is_flag=False,
    flag_value="",
    metavar="[FOLDER]",
    help="Take calls of softphones as well, by a private Asterisk: the system's, or the tree in FOLDER.",
)
@click.option(
    "--log",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="error",
    show_default=True,
    help="Least level logged.",
)
def demo(port: int, project: Path | None, data: Path, keep: bool, asterisk: str | None, log: str) -> None:
    """Play the flows with a handset in the browser: test SMSC, gateway, billing, all in this process."""
    configure(level=log)
    installed = None
    try:
        root = find_project(project, Path.cwd())
        if asterisk is not None:
            installed = find(asterisk, os.environ, (Path.cwd(), root))
    except (ProjectError, NoAsteriskError) as error:
        _refused(error)
    sys.exit(loop.run(_play(port, root, data, keep, installed)))


def _refused(error: Exception) -> NoReturn:
    click.echo(f"the demo cannot start: {error}", err=True)
    sys.exit(1)


async def _play(port: int, root: Path, data: Path, keep: bool, installed: Installed | None) -> int:
    stopped = asyncio.Event()
    here = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            here.add_signal_handler(name, stopped.set)
    try:
        show = Show(root, data, os.environ, keep=keep, port=port, asterisk=installed)
        address = await show.start()
    except FlowsBrokenError as broken:
        for one in broken.report.diagnostics:
            if one.severity is Severity.ERROR:
                lines = broken.sources.get(one.place.file, "").split("\n")
                source = lines[one.place.line - 1] if one.place.line <= len(lines) else None
                click.echo(render(one, source), err=True)
        return 1
    except (*REFUSALS, OSError, sqlite3.Error) as error:
        click.echo(f"the demo cannot start: {error}", err=True)
        return 1
    click.echo(f"Gudok demo: open {address} in a browser (flows from {root / 'flows'}, Ctrl-C ends)")
    _say_softphones(show)
    await stopped.wait()
    for name in (signal.SIGINT, signal.SIGTERM):
        here.remove_signal_handler(name)
    click.echo("ending …")
    await show.close()
    return 0


def _say_softphones(show: Show) -> None:
    """Say how a softphone is set up, and what to dial."""
    sip, asterisk = show.calls.state()["sip"], show.calls.asterisk
    if sip is None or asterisk is None:
        return
    password = sip["password"]
    click.echo(f"Asterisk {asterisk.version}: softphones register at {sip['address']} (UDP, A-law), with")
    click.echo(f"  user {FIRST_SUBSCRIBER}, password {password}: a subscriber (each by his number)")
    click.echo(f"  user {sip['specialist']}, password {password}: whom the queues ring")
    click.echo("then dial 0890; 0 in its menu leads to the specialist, who hangs up first to be rated")
