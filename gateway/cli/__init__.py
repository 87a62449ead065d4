"""The command `gudok`. Each subcommand is a module of its own, imported only when it is called."""

from __future__ import annotations

from importlib import import_module

import click

from gateway import __version__

COMMANDS = {
    "check": ("gateway.cli.check", "check", "Check the flows and settings of a project."),
    "config": ("gateway.cli.config", "config", "Print the settings in force and where they come from."),
    "demo": ("gateway.cli.demo", "demo", "Run everything embedded, with a handset in the browser."),
    "docs": ("gateway.cli.docs", "docs", "Print the reference of verbs and settings."),
    "export": ("gateway.cli.export", "export", "Write out what the store holds: records of sessions."),
    "fmt": ("gateway.cli.fmt", "fmt", "Put quotes and fields of flows in order."),
    "graph": ("gateway.cli.graph", "graph", "Draw a flow: Mermaid or SVG."),
    "init": ("gateway.cli.init", "init", "Lay out a project with the sample flows."),
    "link": ("gateway.cli.link", "link", "Explain what goes over the links to SMSCs."),
    "phone": ("gateway.cli.phone", "phone", "Try flows at a handset in the terminal."),
    "prompts": ("gateway.cli.prompts", "prompts", "List what calls say, for the studio, or synthesise it."),
    "queue": ("gateway.cli.queue", "queue", "Work the tasks of people: questions, calls back, orders."),
    "schema": ("gateway.cli.schema", "schema", "Print JSON Schemas for editors."),
    "serve": ("gateway.cli.serve", "serve", "Run the gateway until SIGTERM, then drain."),
    "switch": ("gateway.cli.switch", "switch", "Switch flows, block numbers, run trials, announce."),
    "test": ("gateway.cli.test", "test", "Run the flow tests of a project."),
    "texts": ("gateway.cli.texts", "texts", "List texts and their translations, add missing ones."),
}
"""Name -> (module, attribute, one sentence)."""


class Lazy(click.Group):
    """A group that imports a command's module when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, None if there is none of this name."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in sorted(COMMANDS.items())])


@click.group(cls=Lazy)
@click.version_option(__version__, prog_name="gudok")
def main() -> None:
    """Gudok: flows for USSD and SMS, in YAML."""
