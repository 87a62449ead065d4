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
ORIGIN = "environment "
"""Begins the file of a place that is a variable."""
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
        place = Place(f"{ORIGIN}{variable}", 1, 1)
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
    return table.replaced(name, new, place)


def listed(node: Node) -> Node:
    """Return a value of the environment as a list: its parts between commas, brackets round it or not."""
    if not isinstance(node, Text) or not node.place.file.startswith(ORIGIN):
        return node
    text = node.value.strip()
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    parts = (part.strip() for part in text.split(","))
    return Sequence(tuple(Text(part, node.place, quoted=True) for part in parts if part), node.place)


def resolve(
    node: Node,
    environment: Mapping[str, str] | None,
    report: Report,
    *,
    optional: frozenset[str] = frozenset(),
) -> Node:
    """Return the tree with every `env.NAME` replaced by what the environment holds.

    A variable that is not set is the error `env` at the place of the reference; its field is left out if it
    is `optional`, else it gets a text, so that one mistake is one error. With `environment` None every
    variable counts as set, to a value that fits.
    """
    if isinstance(node, Table):
        entries = []
        for entry in node.entries:
            found = _resolved(entry.value, environment, report, optional)
            if found is None and entry.key.value not in optional:
                found = Text(entry.key.value, entry.value.place, quoted=True)
            if found is not None:
                entries.append(Entry(entry.key, found))
        return Table(tuple(entries), node.place, node.flow)
    found = _resolved(node, environment, report, optional)
    return Empty(node.place) if found is None else found


def _resolved(
    node: Node, environment: Mapping[str, str] | None, report: Report, optional: frozenset[str]
) -> Node | None:
    """Return a value with its references put in, None for a reference that has no value."""
    if isinstance(node, Table):
        return resolve(node, environment, report, optional=optional)
    if isinstance(node, Sequence):
        items = (_resolved(item, environment, report, optional) for item in node.items)
        return Sequence(tuple(item for item in items if item is not None), node.place)
    reference = None if not isinstance(node, Text) or node.quoted else env_reference(node)
    if reference is None:
        return node
    value = None if environment is None else environment.get(reference.variable)
    if value is not None:
        return Text(value, node.place, quoted=True)
    if environment is not None:
        report.error(
            "env",
            f"the environment has no {reference.variable}",
            node,
            help=f"set {reference.variable}, or write the value here",
        )
    return None
