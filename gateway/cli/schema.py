"""`gudok schema`: JSON Schemas of the files of a project, for editors.

`gudok schema --output .vscode/gudok` writes all of them and prints the lines for VS Code's settings.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from gateway.authoring.schema import SCHEMAS


@click.command()
@click.argument("name", type=click.Choice(sorted(SCHEMAS)), required=False)
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, file_okay=False), help="Folder to write all schemas to."
)
def schema(name: str | None, output: Path | None) -> None:
    """Print the JSON Schema NAME (flow, test, project, …), or write all of them with --output.

    JetBrains: Settings, JSON Schema Mappings. VS Code: the Red Hat YAML extension and the lines printed.
    """
    if output is None:
        click.echo(_text(name or "flow"), nl=False)
        return
    written = {}
    try:
        output.mkdir(parents=True, exist_ok=True)
        for one in sorted(SCHEMAS) if name is None else [name]:
            file = output / f"{one}.schema.json"
            file.write_text(_text(one), encoding="utf-8")
            patterns = list(SCHEMAS[one][1])
            written[f"./{file.as_posix()}"] = patterns if len(patterns) > 1 else patterns[0]
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror}") from error
    click.echo("for .vscode/settings.json:")
    click.echo(f'"yaml.schemas": {json.dumps(written, indent=2)}')


def _text(name: str) -> str:
    return json.dumps(SCHEMAS[name][0](), ensure_ascii=False, indent=1, sort_keys=False) + "\n"
