"""Settings from the environment: `GUDOK_<PATH>` in place of what a file says, and `env.NAME` inside it.

`GUDOK_SMPP__MAIN__HOST` stands for `smpp: main: host:`, two underscores between levels (architecture,
section 7). An override is a text like one in the file and goes through the same checks.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.reading.diagnostic import Place, Report
from engine.reading.scalars import env_reference
from engine.reading.tree import Empty, Entry, Node, Sequence, Table, Text

PREFIX = "GUDOK_"
NOT_SETTINGS = frozenset(
    {
        "GUDOK_FUZZ_CASES",
        "GUDOK_FUZZ_SEED",
        "GUDOK_KILL_ROUNDS",
        "GUDOK_KILL_SEED",
        "GUDOK_NODE_MODULES",
        "GUDOK_REQUIRE_SERVICES",
    }
)
"""Variables of the test suite that share the prefix."""


def override(tree: Table, environment: Mapping[str, str]) -> tuple[Table, dict[str, str]]:
    """Return the tree with every `GUDOK_…` put in, and where each came from (path -> variable)."""
    origins: dict[str, str] = {}
    for variable in sorted(environment):
        if not variable.startswith(PREFIX) or variable in NOT_SETTINGS:
            continue
        path = tuple(part.lower() for part in variable.removeprefix(PREFIX).split("__"))
        place = Place(f"environment {variable}", 1, 1)
        tree = _put(tree, path, Text(environment[variable], place, quoted=True), place)
        origins[".".join(path)] = variable
    return tree, origins


def _put(table: Table, path: tuple[str, ...], value: Text, place: Place) -> Table:
    name, rest = path[0], path[1:]
    there = table.get(name)
    new: Node = value
    if rest:
        inner = there if isinstance(there, Table) else Table((), place)
        new = _put(inner, rest, value, place)
    if there is None:
        return Table((*table.entries, Entry(Text(name, place), new)), table.place, table.flow)
    entries = tuple(Entry(entry.key, new) if entry.key.value == name else entry for entry in table.entries)
    return Table(entries, table.place, table.flow)


def resolve(node: Node, environment: Mapping[str, str], report: Report) -> Node:
    """Return the tree with every `env.NAME` replaced by what the environment holds.

    A variable that is not set is the error `env` at the place of the reference.
    """
    if isinstance(node, Text):
        reference = None if node.quoted else env_reference(node)
        if reference is None:
            return node
        value = environment.get(reference.variable)
        if value is None:
            report.error(
                "env",
                f"the environment has no {reference.variable}",
                node,
                help=f"set {reference.variable}, or write the value here",
            )
            return Empty(node.place)
        return Text(value, node.place, quoted=True)
    if isinstance(node, Table):
        entries = tuple(Entry(entry.key, resolve(entry.value, environment, report)) for entry in node.entries)
        return Table(entries, node.place, node.flow)
    if isinstance(node, Sequence):
        return Sequence(tuple(resolve(item, environment, report) for item in node.items), node.place)
    return node
