"""Reads a `*.test.yaml` file into cases; everything that is no test is reported with its place.

Values are typed later, when a case is played, since a row may put anything anywhere. What can be told
without playing (words, fields, operations, answers of the file) is told here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from engine.flow_set import FlowSet
from engine.reading.cut import report_cut
from engine.reading.diagnostic import Report
from engine.reading.suggestion import did_you_mean
from engine.reading.tree import Empty, Entry, Node, Sequence, Table, Text, describe
from engine.reading.yaml_text import read_tree
from engine.testing.answer import read_answer
from engine.testing.case import Action, Case, Suite
from engine.testing.word import CASE_FIELDS, FILE_FIELDS, WORDS, Word

_COLUMN = re.compile(r"=([a-z][a-z0-9_]*)")


def read_suite(source: str, file: str, flows: FlowSet, report: Report) -> Suite:
    """Read a test file; cases with a fault are left out, the faults are in the report."""
    tree = read_tree(source, file, report)
    if not isinstance(tree, Table):
        if tree is not None:
            report.error("type", "expected tests: with cases", tree, help="a test file begins with tests:")
        return Suite(file, ())
    for entry in tree:
        if entry.key.value not in FILE_FIELDS:
            report.error(
                "unknown-field",
                f'"{entry.key.value}" is not a field of a test file'
                + did_you_mean(entry.key.value, FILE_FIELDS),
                entry.key,
                help="the fields are backends, tests",
            )
    answers = _backends(tree.get("backends"), flows, report)
    tests = tree.get("tests")
    cases: list[Case] = []
    if isinstance(tests, Table):
        for entry in tests:
            cases += _cases(entry, answers, flows, report)
    else:
        report.error("missing-field", "there are no tests", tests or tree, help="tests: { name: [steps] }")
    return Suite(file, tuple(cases))


def _backends(node: Node | None, flows: FlowSet, report: Report) -> dict[str, Node]:
    found: dict[str, Node] = {}
    if node is None or isinstance(node, Empty):
        return found
    if not isinstance(node, Table):
        report.error("type", "backends: expected a table (operation: answer)", node)
        return found
    for entry in node:
        name = entry.key.value
        if name not in flows.operations:
            report.error(
                "no-op",
                f'there is no operation "{name}"{did_you_mean(name, flows.operations)}',
                entry.key,
                help="operations are declared in config/backends.yaml",
            )
            continue
        read_answer(entry.value, flows.operations[name], flows.project.zone, report)
        found[name] = entry.value
    return found


def _cases(entry: Entry, answers: Mapping[str, Node], flows: FlowSet, report: Report) -> list[Case]:
    name, node = entry.key.value, entry.value
    if isinstance(node, Sequence):
        actions = _actions(node, report)
        return [] if actions is None else [Case(name, entry.key.place, actions, answers)]
    if not isinstance(node, Table):
        report.error("type", f"expected the steps of the case, not {describe(node)}", entry.key)
        return []
    for field in node:
        if field.key.value not in CASE_FIELDS:
            near = did_you_mean(field.key.value, CASE_FIELDS)
            report.error(
                "unknown-field",
                f'"{field.key.value}" is not a field of a case{near}',
                field.key,
                help="a case is a list of steps, or a table with each, given and steps",
            )
    rows, steps = node.get("each"), node.get("steps")
    if not isinstance(rows, Sequence) or not rows.items or not isinstance(steps, Sequence):
        report.error(
            "missing-field",
            "a table case needs each: with rows and steps:",
            entry.key,
            help="each: [{ column: value }, …]",
        )
        return []
    found: list[Case] = []
    for number, row in enumerate(rows, 1):
        case = _row(entry, number, row, steps, node.get("given"), answers, flows, report)
        if case is not None:
            found.append(case)
    return found


def _row(
    entry: Entry,
    number: int,
    row: Node,
    steps: Sequence,
    given: Node | None,
    answers: Mapping[str, Node],
    flows: FlowSet,
    report: Report,
) -> Case | None:
    if not isinstance(row, Table) or not row.entries:
        report.error("type", "a row is a table (column: value)", row, help="{ column: value, see: text }")
        return None
    columns = {cell.key.value: cell.value for cell in row}
    used: set[str] = set()
    filled = _filled(steps, columns, used, report)
    assert isinstance(filled, Sequence)
    if given is not None:
        changed = _given_row(given, row, answers, used, flows, report)
        if changed is None:
            return None
        answers = changed
    for cell in row:
        if cell.key.value not in used:
            report.error(
                "unknown-field",
                f'column "{cell.key.value}" is used nowhere{did_you_mean(cell.key.value, used)}',
                cell.key,
                help=f"write ={cell.key.value} in a step",
            )
    actions = _actions(filled, report)
    first = row.entries[0].value
    shown = first.value if isinstance(first, Text) else str(number)
    shown = " ".join(shown.split())
    label = f"{row.entries[0].key.value}: {shown if len(shown) <= 30 else shown[:29] + '…'}"
    name = f"{entry.key.value} [{number}, {label}]"
    return None if actions is None else Case(name, row.place, actions, answers)


def _given_row(
    given: Node,
    row: Table,
    answers: Mapping[str, Node],
    used: set[str],
    flows: FlowSet,
    report: Report,
) -> dict[str, Node] | None:
    """Return the answers with the row's fields put into that of the operation `given` names."""
    name = given.value if isinstance(given, Text) else ""
    operation = flows.operations.get(name)
    if operation is None or operation.returns is None:
        report.error(
            "no-op",
            f'given: "{name}" is no operation that returns something{did_you_mean(name, flows.operations)}',
            given,
            help="given: names the operation whose answer the rows change",
        )
        return None
    base = answers.get(name)
    entries = list(base.entries) if isinstance(base, Table) else []
    fields = {field for field, _ in operation.returns.fields}
    for cell in row:
        if cell.key.value in fields:
            used.add(cell.key.value)
            entries = [entry for entry in entries if entry.key.value != cell.key.value]
            entries.append(cell)
    # What the row leaves as it is belongs to the answer above it: its faults are reported there, once.
    place = base.place if isinstance(base, Table) else row.place
    answer = Table(tuple(entries), place, flow=True)
    read_answer(answer, operation, flows.project.zone, report)
    return {**answers, name: answer}


def _filled(node: Node, columns: Mapping[str, Node], used: set[str], report: Report) -> Node:
    """Return the steps with every `=column` replaced by what the row says."""
    match node:
        case Text(value=value):
            whole = _COLUMN.fullmatch(value)
            if whole is not None:
                if whole[1] in columns:
                    used.add(whole[1])
                    return columns[whole[1]]
                report.error(
                    "no-field",
                    f'there is no column "{whole[1]}"{did_you_mean(whole[1], columns)}',
                    node,
                    help=f"the columns are {', '.join(columns)}",
                )
                return node
            return _put_in(node, columns, used)
        case Table(entries=entries, place=place, flow=flow):
            inner = tuple(Entry(item.key, _filled(item.value, columns, used, report)) for item in entries)
            return Table(inner, place, flow)
        case Sequence(items=items, place=place, flow=flow):
            return Sequence(tuple(_filled(item, columns, used, report) for item in items), place, flow)
    return node


def _put_in(node: Text, columns: Mapping[str, Node], used: set[str]) -> Text:
    def column(match: re.Match[str]) -> str:
        cell = columns.get(match[1])
        if not isinstance(cell, Text):
            return match[0]
        used.add(match[1])
        return cell.value

    text = _COLUMN.sub(column, node.value)
    return node if text == node.value else Text(text, node.place, quoted=True)


def _actions(steps: Sequence, report: Report) -> tuple[Action, ...] | None:
    before = len(report)
    found = [_action(item, report) for item in steps]
    sound = tuple(action for action in found if action is not None)
    return sound if len(sound) == len(found) and len(report) == before else None


def _action(node: Node, report: Report) -> Action | None:
    if isinstance(node, Text):
        return _checked(node, Empty(node.place), {}, report)
    if not isinstance(node, Table) or not node.entries:
        report.error("type", f"expected a step, not {describe(node)}", node, help="- dial: …, - see: …")
        return None
    first, *rest = node.entries
    return _checked(first.key, first.value, {entry.key.value: entry for entry in rest}, report)


def _checked(key: Text, value: Node, entries: Mapping[str, Entry], report: Report) -> Action | None:
    name = key.value.strip()
    word = WORDS.get(name)
    if word is None:
        report.error(
            "unknown-step",
            f'"{name}" is not a word of tests{did_you_mean(name, WORDS)}',
            key,
            help=f"the words are {', '.join(WORDS)}",
        )
        return None
    for field, entry in entries.items():
        if field not in word.fields:
            fields = ", ".join(word.fields) or "none"
            report.error(
                "unknown-field",
                f'"{field}" is not a field of {name}{did_you_mean(field, word.fields)}',
                entry.key,
                help=f"the fields of {name} are {fields}; each step begins with its own dash",
            )
            return None
    return _valued(word, key, value, {field: entry.value for field, entry in entries.items()}, report)


def _valued(word: Word, key: Text, value: Node, fields: Mapping[str, Node], report: Report) -> Action | None:
    if word.value == "must" and isinstance(value, Empty):
        report.error("type", f"{word.name}: the value is missing", key, help=f"write {word.name}: …")
        return None
    if word.value == "none" and not isinstance(value, Empty):
        report.error("type", f"{word.name} has no value", value, help=f"write - {word.name}")
        return None
    if word.text and isinstance(value, Text) and value.cut is not None:
        report_cut(report, value.cut)
        return None
    if word.table and not isinstance(value, Table):
        report.error("type", f"{word.name}: expected a table {{ name: value }}, not {describe(value)}", value)
        return None
    if not word.table and isinstance(value, Table | Sequence):
        report.error("type", f"{word.name}: expected a text, not {describe(value)}", value)
        return None
    return Action(word.name, value, fields, key.place)
