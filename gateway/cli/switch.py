"""`gudok switch`: a flow off or on, numbers blocked, trials, the announcement; in force within the second.

The running gateway carries an order out; if none runs, the order is written into the store and is in force
from the next start on.
"""

from __future__ import annotations

import getpass
import json
from collections import Counter
from pathlib import Path
from typing import Any

import click
from click.exceptions import ClickException

from gateway.cli.folder import in_project
from gateway.cli.running import NotRunningError, ask
from gateway.cli.serve import settings_of
from gateway.clock import HostClock
from gateway.host.batch import Batch
from gateway.library import FlowsBrokenError, Library
from gateway.project_files import ProjectError
from gateway.settings import Settings
from gateway.store.error import StoreError, StoreLockedError
from gateway.store.sealing import Sealer, load_or_make_key
from gateway.store.sqlite import SqliteStore
from gateway.switch import ANNOUNCEMENT, CHANNELS, Order, RefusedError, Switches
from gateway.web.switch_api import shown

API = "/api/switches"


@click.group()
@in_project
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def switch(context: click.Context, project: Path, as_json: bool) -> None:
    """Switch flows off and on, block numbers, run trials, announce."""
    context.obj = (project, as_json)


@switch.command("list")
@click.pass_obj
def list_(given: tuple[Path, bool]) -> None:
    """Print everything that is switched."""
    project, as_json = given
    settings = settings_of(project, serving=False)
    try:
        state = ask(settings, "GET", API)
    except NotRunningError:
        store, switches = _opened(project, settings)
        state = shown(switches.state)
        store.close()
    _print(state, as_json)


@switch.command()
@click.argument("flow")
@click.option("--text", default="", help="What its subscribers are told.  [default: a usual sentence]")
@click.option("--channel", type=click.Choice(CHANNELS), help="Where the text is told.  [default: everywhere]")
@click.pass_obj
def off(given: tuple[Path, bool], flow: str, text: str, channel: str | None) -> None:
    """Switch FLOW off: it starts for nobody; sessions that run go on to their end."""
    _do(given, Order("off", flow=flow, text=text, channel=channel or ""))


@switch.command()
@click.argument("flow")
@click.pass_obj
def on(given: tuple[Path, bool], flow: str) -> None:
    """Switch FLOW on again."""
    _do(given, Order("on", flow=flow))


@switch.command()
@click.argument("number")
@click.option("--text", default="", help="What he is told.  [default: as if there were no such code]")
@click.pass_obj
def block(given: tuple[Path, bool], number: str, text: str) -> None:
    """Start no flow for NUMBER any more."""
    _do(given, Order("block", number=number, text=text))


@switch.command()
@click.argument("number")
@click.pass_obj
def unblock(given: tuple[Path, bool], number: str) -> None:
    """Take NUMBER off the block list."""
    _do(given, Order("unblock", number=number))


@switch.command()
@click.argument("flow")
@click.argument("number")
@click.pass_obj
def allow(given: tuple[Path, bool], flow: str, number: str) -> None:
    """Put FLOW on trial: only NUMBER, and those allowed before, reach it."""
    _do(given, Order("allow", flow=flow, number=number))


@switch.command()
@click.argument("flow")
@click.argument("number")
@click.pass_obj
def disallow(given: tuple[Path, bool], flow: str, number: str) -> None:
    """Take NUMBER out of the trial of FLOW."""
    _do(given, Order("disallow", flow=flow, number=number))


@switch.command("open")
@click.argument("flow")
@click.pass_obj
def open_(given: tuple[Path, bool], flow: str) -> None:
    """End the trial of FLOW: everybody reaches it."""
    _do(given, Order("open", flow=flow))


@switch.command()
@click.argument("text")
@click.pass_obj
def announce(given: tuple[Path, bool], text: str) -> None:
    """Put TEXT at the head of the line; an empty one takes it away."""
    _do(given, Order("announce", text=text))


def _do(given: tuple[Path, bool], order: Order) -> None:
    project, as_json = given
    settings = settings_of(project, serving=False)
    body = {"act": order.act, "flow": order.flow, "number": order.number, "text": order.text}
    try:
        state = ask(settings, "POST", API, {**body, "channel": order.channel})
    except NotRunningError:
        state = _write(project, settings, order)
        click.echo("no gateway runs: in force from its next start", err=True)
    _print(state, as_json)


def _opened(project: Path, settings: Settings) -> tuple[SqliteStore, Switches]:
    """Open the store of a gateway that does not run. Raises ClickException."""
    try:
        library = Library(project)
        path = project / settings.store
        key = settings.secret_key or load_or_make_key(path.parent / "secret.key")
        store = SqliteStore(path, Sealer(key))
    except FlowsBrokenError as error:
        raise ClickException("the flows have errors: gudok check") from error
    except StoreLockedError as error:
        raise ClickException(
            f"a gateway runs and does not answer at http: of the settings: {error}"
        ) from error
    except (ProjectError, StoreError) as error:
        raise ClickException(str(error)) from error
    switches = Switches(Counter(), lambda: library.current)
    switches.load(store.switches(), (store.get_meta(ANNOUNCEMENT) or b"").decode())
    return store, switches


def _write(project: Path, settings: Settings, order: Order) -> dict[str, Any]:
    store, switches = _opened(project, settings)
    try:
        batch = Batch(store.batch(), HostClock().now())
        switches.carry_out(batch, order, f"{getpass.getuser()}@store")
        store.commit_now(batch.stored)
    except (RefusedError, StoreError) as error:
        raise ClickException(str(error)) from error
    finally:
        store.close()
    return shown(switches.state)


def _print(state: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(state, ensure_ascii=False, indent=2))
        return
    lines = [
        f"off       {flow}" + (f" ({channel})" if channel else "") + (f": {text}" if text else "")
        for flow, texts in state["off"].items()
        for channel, text in texts.items()
    ]
    lines += [
        f"block     {number}" + (f": {text}" if text else "") for number, text in state["blocked"].items()
    ]
    lines += [f"allow     {flow}: {', '.join(numbers)}" for flow, numbers in state["allowed"].items()]
    if state["announcement"]:
        lines.append(f"announce  {state['announcement']}")
    click.echo("\n".join(lines) or "nothing is switched")
