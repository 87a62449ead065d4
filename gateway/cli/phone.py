"""`gudok phone`: a handset in the terminal for USSD, SMS and calls as text, without any network.

Flows with errors are left out, the others run. Answers of back ends are those of the project's flow tests;
an operation none of them answers is answered by made-up values, and both can be changed at the prompt. With
a piped standard input every line is a command, which makes it a tool for scripts: the status is 1 if a line
could not be done.
"""

from __future__ import annotations

import json
import readline
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from engine.reading.flow_set import compile_project
from engine.reading.report import report_text
from gateway.authoring.command_line import HELP, CommandError
from gateway.authoring.handset import Handset, answers_of_tests
from gateway.authoring.handset_view import triggers, turn_data, turn_text
from gateway.cli.check import files_of
from gateway.project_check import check_project
from gateway.project_files import TEST_ENDING, ProjectFiles

WIDTH = 110
"""Characters of a line where no terminal says how wide it is."""

_LEAVE = frozenset({"quit", "exit"})
_WORDS = (
    *("dial", "sms", "text", "press", "say", "silence", "hangup", "wait"),
    *("given", "agent", "event", "run", "from", "flows", "help", "quit"),
)


@click.command()
@click.argument("arguments", nargs=-1, metavar="[DIRECTORY] [LINE]...")
@click.option("--answers", "chosen", default="", help="Test file whose backends: answer first.")
@click.option("--from", "caller", default="79160000000", help="Number of the subscriber.")
@click.option("--json", "as_data", is_flag=True, help="One JSON object a line, for programs.")
def phone(arguments: tuple[str, ...], chosen: str, caller: str, as_data: bool) -> None:
    """Run flows at a handset in the terminal; each LINE ("*100#", "1", "wait 31m") is done at once.

    Then lines are read from standard input; help tells what may be typed.
    """
    directory, lines = Path(), arguments
    if arguments and Path(arguments[0]).is_dir():
        directory, lines = Path(arguments[0]), arguments[1:]
    files = files_of(directory)
    handset = _handset(files, chosen, caller)
    inside = sys.stdin.isatty()
    width = shutil.get_terminal_size((WIDTH, 24)).columns if sys.stdout.isatty() else WIDTH
    failed = False
    if inside and not lines and not as_data:
        click.echo("\n".join((*triggers(handset.flows), "", HELP)))
    for line in _lines(lines, inside):
        if line in _LEAVE:
            break
        if not line or line.startswith("#!"):
            continue
        if line in ("help", "?") or line == "flows":
            click.echo("\n".join(triggers(handset.flows)) if line == "flows" else HELP)
            continue
        turn = handset.do(line)
        failed = failed or bool(turn.fault)
        if as_data:
            click.echo(json.dumps(turn_data(turn, handset.flows), ensure_ascii=False))
        else:
            click.echo(turn_text(turn, handset.flows, width, colours=sys.stdout.isatty()) + "\n")
    sys.exit(1 if failed and not inside else 0)


def _handset(files: ProjectFiles, chosen: str, caller: str) -> Handset:
    flows, report = check_project(files)
    if flows is None:
        click.echo(f"{report_text(report, files.texts)}\n", err=True)
        flows, _ = compile_project(files.texts)
    if flows is None:
        raise click.ClickException("nothing can be run before the errors above are put right")
    if not caller.isdecimal():
        raise click.ClickException(f'"{caller}" is not a number')
    handset = Handset(flows, caller)
    answers, complaints = answers_of_tests(files.tests, flows, _test_file(files, chosen))
    for complaint in complaints:
        click.echo(complaint, err=True)
    try:
        handset.answers(answers)
    except CommandError as error:
        raise click.ClickException(str(error)) from error
    return handset


def _test_file(files: ProjectFiles, chosen: str) -> str:
    """Return the test file that is meant: `lines`, `lines.test.yaml` or its path."""
    if not chosen:
        return ""
    name = f"flows/{Path(chosen).name.removesuffix(TEST_ENDING)}{TEST_ENDING}"
    if name not in files.tests:
        known = ", ".join(Path(test).name.removesuffix(TEST_ENDING) for test in sorted(files.tests))
        raise click.ClickException(f"there is no test file {name}; there are {known or 'none'}")
    return name


def _lines(first: tuple[str, ...], inside: bool) -> Iterator[str]:
    """Yield the lines of the command, then those of standard input."""
    for line in first:
        yield line.strip()
    if inside:
        readline.set_completer(_completed)
        readline.parse_and_bind("tab: complete")
    while True:
        try:
            line = input("> " if inside else "")
        except (EOFError, KeyboardInterrupt):
            return
        yield line.strip()


def _completed(text: str, state: int) -> str | None:
    found = [word for word in _WORDS if word.startswith(text)]
    return found[state] if state < len(found) else None
