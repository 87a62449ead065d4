"""`gudok queue`: the tasks of people: who waits, what was said, an answer by SMS, the end of a task.

The running gateway carries everything out. Looking is possible without one: then the store file is read.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from click.exceptions import ClickException

from engine.masking import masked_number
from gateway.cli.folder import in_project
from gateway.cli.running import NotRunningError, ask
from gateway.cli.serve import settings_of
from gateway.settings import Settings
from gateway.store.error import StoreError
from gateway.store.sealing import Sealer, load_or_make_key
from gateway.store.task_file import TaskFile
from gateway.web.queue_api import whole

API = "/api/queue"
NUMBER = click.IntRange(1, 999_999_999_999_999)
NOT_RUNNING = "no gateway runs here: start it first (gudok serve), or look at http: in config/gateway.yaml"


@click.group()
@in_project
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def queue(context: click.Context, project: Path, as_json: bool) -> None:
    """Work the tasks of people: questions by SMS, calls back, orders whose end nobody knows."""
    context.obj = (project, as_json)


@queue.command("list")
@click.option("--queue", "name", help="Only this queue.")
@click.option("--closed", is_flag=True, help="What is done instead of what is open.")
@click.pass_obj
def list_(given: tuple[Path, bool], name: str | None, closed: bool) -> None:
    """Print the tasks in the order in which they are to be worked."""
    project, as_json = given
    settings = settings_of(project, serving=False)
    try:
        tasks = ask(settings, "GET", API + ("?closed=1" if closed else ""))["tasks"]
    except NotRunningError:
        tasks = _stored(project, settings, closed=closed)
    tasks = [task for task in tasks if name is None or task["queue"] == name]
    if as_json:
        click.echo(json.dumps(tasks, ensure_ascii=False, indent=2))
        return
    for task in tasks:
        click.echo(
            f"{task['number']:>6}  {task['queue']:<16} {task['kind']:<9} {task['state']:<8}"
            f" {task['subscriber']:<13} by {_moment(task['due'])}  {task['topic']}".rstrip()
        )
    if not tasks:
        click.echo("no task is closed" if closed else "no task is open")


@queue.command()
@click.option("--within", type=click.IntRange(1, 9_999), default=20, help="Seconds that count as in time.")
@click.pass_obj
def figures(given: tuple[Path, bool], within: int) -> None:
    """Print the waits of the last day in the queues of calls, by the hour, and how talks were rated."""
    project, as_json = given
    found = _asked(project, "GET", f"{API}/figures?within={within}")
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for one in found["hours"]:
        click.echo(
            f"{_moment(one['hour'])}  {one['queue']:<16} offered {one['offered']:>5}"
            f"  answered {one['answered']:>5}  abandoned {one['abandoned']:>5}"
            f"  wait {_seconds(one['mean_wait_s'])} mean {_seconds(one['median_wait_s'])} median"
            f" {_seconds(one['p90_wait_s'])} p90 {_seconds(one['longest_wait_s'])} longest"
            f"  within {within} s {_percent(one['in_time_of_answered'])} of answered"
            f" {_percent(one['in_time_of_offered'])} of offered"
        )
    for one in found["ratings"]:
        click.echo(
            f"{one['topic']} ({one['flow']}): {one['of_highest']} of {one['answered']} gave {one['highest']},"
            f" {_percent(one['share'])} ({_percent(one['low'])} to {_percent(one['high'])}),"
            f" {_percent(one['response_rate'])} of {one['asked']} answered"
        )
    if not found["hours"] and not found["ratings"]:
        click.echo("nobody has waited and nobody has rated within a day")


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


@queue.command()
@click.argument("number", type=NUMBER)
@click.pass_obj
def show(given: tuple[Path, bool], number: int) -> None:
    """Print task NUMBER with everything that was said, and the subscriber's number in full."""
    project, as_json = given
    settings = settings_of(project, serving=False)
    try:
        task = ask(settings, "GET", f"{API}/{number}")["task"]
    except NotRunningError:
        task = _stored_task(project, settings, number)
    if as_json:
        click.echo(json.dumps(task, ensure_ascii=False, indent=2))
        return
    click.echo(
        f"{task['kind']} {task['number']} in {task['queue']}: {task['state']} {task['result']}".rstrip()
    )
    click.echo(f"{task['subscriber']} to {task['code'] or 'no code'}, topic {task['topic'] or 'none'}")
    click.echo(f"since {_moment(task['at'])}, by {_moment(task['due'])}")
    for step in task["trail"]:
        click.echo(f"  {_shown(step)}")
    for line in task["lines"]:
        click.echo(f"{_moment(line['at'])} {line['who']}: {_shown(line['text'])}")
    if task["note"]:
        click.echo(f"closed: {_shown(task['note'])}")


@queue.command()
@click.argument("number", type=NUMBER)
@click.pass_obj
def take(given: tuple[Path, bool], number: int) -> None:
    """Note that somebody works on task NUMBER."""
    _work(given, number, "take", {})


@queue.command()
@click.argument("number", type=NUMBER)
@click.argument("text")
@click.pass_obj
def answer(given: tuple[Path, bool], number: int, text: str) -> None:
    """Send TEXT by SMS to the subscriber of task NUMBER, from the short code he wrote to."""
    _work(given, number, "answer", {"text": text})


@queue.command()
@click.argument("number", type=NUMBER)
@click.argument("result", default="")
@click.option("--topic", default="", help="What it was about.")
@click.option("--note", default="", help="A line for whoever reads the task later.")
@click.pass_obj
def close(given: tuple[Path, bool], number: int, result: str, topic: str, note: str) -> None:
    """Close task NUMBER; the flow that waits for it goes on.

    RESULT is solved, unsolved or escalate; of an order of money done or not_done.
    """
    _work(given, number, "close", {"result": result, "topic": topic, "note": note})


def _work(given: tuple[Path, bool], number: int, act: str, body: dict[str, str]) -> None:
    project, as_json = given
    task = _asked(project, "POST", f"{API}/{number}/{act}", body)["task"]
    if as_json:
        click.echo(json.dumps(task, ensure_ascii=False, indent=2))
    else:
        click.echo(f"task {number} is {task['state']}" + (": the SMS is queued" if act == "answer" else ""))


def _asked(project: Path, method: str, path: str, body: dict[str, str] | None = None) -> Any:
    """Return what the running gateway answers; there is nothing to do without one."""
    try:
        return ask(settings_of(project, serving=False), method, path, body)
    except NotRunningError as error:
        raise ClickException(NOT_RUNNING) from error


def _stored(project: Path, settings: Settings, *, closed: bool) -> list[dict[str, Any]]:
    try:
        lines = TaskFile(project / settings.store).lines(closed=closed)
    except StoreError as error:
        raise ClickException(str(error)) from error
    return [
        {
            "number": line.number,
            "kind": line.kind,
            "queue": line.queue,
            "state": line.state,
            "at": line.at,
            "due": line.due,
            "subscriber": masked_number(line.subscriber),
            "topic": line.topic,
        }
        for line in lines
    ]


def _stored_task(project: Path, settings: Settings, number: int) -> dict[str, Any]:
    path = project / settings.store
    file = path.parent / "secret.key"
    try:
        if settings.secret_key is None and not file.is_file():
            raise ClickException(f"the key of the store is not there: {file}")
        row = TaskFile(path).task(number, Sealer(settings.secret_key or load_or_make_key(file)))
    except StoreError as error:
        raise ClickException(str(error)) from error
    if row is None:
        raise ClickException(f"there is no task {number}")
    return dict(whole(row))


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def _shown(text: str) -> str:
    """Return what a subscriber wrote without anything that could steer a terminal."""
    return "".join(sign if sign.isprintable() else " " for sign in text)
