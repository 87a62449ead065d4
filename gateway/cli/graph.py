"""`gudok graph`: a flow as a drawing, Mermaid text or SVG."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from engine.flow import Flow
from engine.flow_set import FlowSet
from engine.reading.flow_set import compile_project
from engine.reading.report import report_text
from engine.reading.suggestion import did_you_mean
from gateway.authoring.drawing import drawing
from gateway.authoring.mermaid import mermaid
from gateway.authoring.svg import svg
from gateway.cli.check import files_of
from gateway.cli.folder import FOLDER


@click.command()
@click.argument("name", metavar="FLOW")
@click.argument("directory", type=FOLDER, default=".")
@click.option(
    "--mermaid", "form", flag_value="mermaid", default="mermaid", help="Mermaid text (the default)."
)
@click.option("--svg", "form", flag_value="svg", help="An SVG document.")
@click.option("--json", "form", flag_value="json", help="Boxes and arrows, for programs.")
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="File to write.")
def graph(name: str, directory: Path, form: str, output: Path | None) -> None:
    """Draw FLOW of the project in DIRECTORY: scenes, menus with labels, requests, runs, ends."""
    files = files_of(directory)
    flows, report = compile_project(files.texts)
    if flows is None:
        raise click.ClickException(f"the project has errors\n\n{report_text(report, files.texts)}")
    flow = _flow(flows, name, files.texts)
    drawn = drawing(flow, files.texts[flow.file])
    if form == "json":
        text = json.dumps(asdict(drawn), ensure_ascii=False, indent=2) + "\n"
    else:
        text = svg(drawn) if form == "svg" else mermaid(drawn)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror}") from error


def _flow(flows: FlowSet, name: str, texts: object) -> Flow:
    """Return the flow that is meant: its name, or the path of its file."""
    known = Path(name).stem if name.endswith(".yaml") else name
    found = flows.flows.get(known)
    if found is not None:
        return found
    file = f"flows/{known}.yaml"
    if isinstance(texts, dict) and file in texts:
        raise click.ClickException(f"{file} has errors; gudok check says which")
    raise click.ClickException(f'there is no flow "{known}"{did_you_mean(known, flows.flows)}')
