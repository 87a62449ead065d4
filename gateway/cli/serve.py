"""`gudok serve`: run the gateway until SIGTERM or SIGINT, then drain."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import click

from engine.reading.diagnostic import Report
from engine.reading.report import report_text
from gateway import log, loop
from gateway.app import Gateway
from gateway.cli.folder import FOLDER
from gateway.garbage import keep_memory, keep_quiet
from gateway.library import FlowsBrokenError
from gateway.project_files import SETTINGS, ProjectError, read_text
from gateway.service_manager import ServiceManager
from gateway.settings import Settings, read_settings
from gateway.start_error import StartError
from gateway.store.error import StoreError


def settings_of(root: Path, *, serving: bool = True) -> Settings:
    """Read the settings of a project, or print what is wrong with them and leave with status 1.

    Not `serving`: without the passwords of links, which who asks a running gateway does not have.
    """
    try:
        text = read_text(root / SETTINGS)
    except ProjectError as error:
        raise click.ClickException(str(error)) from error
    report = Report()
    settings = read_settings(text, os.environ, report, serving=serving)
    if settings is None:
        click.echo(report_text(report, {SETTINGS: text}), err=True)
        sys.exit(1)
    return settings


async def run(gateway: Gateway, manager: ServiceManager) -> None:
    """Serve until told to stop."""
    here = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        here.add_signal_handler(number, stop.set)
    await gateway.start()
    keep_quiet()
    keep_memory()
    manager.ready()
    watching = here.create_task(manager.watch())
    try:
        await stop.wait()
    finally:
        manager.stopping()
        await gateway.close()
        watching.cancel()


@click.command()
@click.argument("directory", type=FOLDER, default=".")
def serve(directory: Path) -> None:
    """Run the gateway over the project in DIRECTORY until SIGTERM, then drain."""
    manager = ServiceManager(os.environ, os.getpid())
    settings = settings_of(directory)
    log.configure(level=settings.log)
    try:
        gateway = Gateway(directory, settings, os.environ)
    except FlowsBrokenError as error:
        click.echo(report_text(error.report, error.sources), err=True)
        sys.exit(1)
    except (StartError, ProjectError, StoreError) as error:
        raise click.ClickException(str(error)) from error
    try:
        loop.run(run(gateway, manager))
    except (StartError, OSError) as error:
        raise click.ClickException(str(error)) from error
