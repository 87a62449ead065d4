"""What every module of the product keeps to, whoever wrote it."""

from __future__ import annotations

import ast
import re

from tests.architecture.tree import ROOT, files, modules

EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc", "stuff", "tools"}
"""A module with such a name would collect what has no home."""

SQL = re.compile(
    r"\b(select\b.+\bfrom|insert\s+(or\s+\w+\s+)?into|update\b.+\bset|delete\s+from|create\s+(table|index)|drop\s+table)\b",
    re.IGNORECASE | re.DOTALL,
)
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def functions(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_every_module_says_what_it_is_for():
    silent = [
        module.place for module in modules() if module.source.strip() and not ast.get_docstring(module.tree)
    ]
    assert not silent


def test_every_function_is_annotated():
    bare = []
    for module in modules():
        for function in functions(module.tree):
            arguments = function.args
            named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
            named += [one for one in (arguments.vararg, arguments.kwarg) if one]
            missing = [one.arg for one in named if one.annotation is None and one.arg not in {"self", "cls"}]
            if function.returns is None:
                missing.append("return")
            bare += [f"{module.place}:{function.lineno} {function.name}: {name}" for name in missing]
    assert not bare


def test_no_text_becomes_code():
    """Neither eval nor exec nor compile, nor a format that runs what it reads."""
    wrong = []
    for module in modules():
        for node in ast.walk(module.tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in {"eval", "exec", "compile", "__import__"}
            ):
                wrong.append(f"{module.place}:{node.lineno} {node.func.id}")
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = (
                    [node.module or ""]
                    if isinstance(node, ast.ImportFrom)
                    else [one.name for one in node.names]
                )
                dangerous = {name.partition(".")[0] for name in names} & {
                    "pickle",
                    "marshal",
                    "shelve",
                    "dill",
                }
                wrong += [f"{module.place}:{node.lineno} {name}" for name in dangerous]
    assert not wrong


def test_no_sql_is_put_together_from_values():
    """Statements are constants with parameters: no f-string, no `+`, no `%` or format on a statement.

    Names that cannot be parameters (tables, placeholders of a list) may be put in where the line says so and
    why: `# noqa: S608 - reason`.
    """
    wrong = []
    for module in modules():
        for node in ast.walk(module.tree):
            text = ""
            if isinstance(node, ast.JoinedStr) and any(
                isinstance(one, ast.FormattedValue) for one in node.values
            ):
                text = "".join(str(one.value) for one in node.values if isinstance(one, ast.Constant))
            elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
                sides = [one for one in (node.left, node.right) if isinstance(one, ast.Constant)]
                text = "".join(str(one.value) for one in sides) if len(sides) == 1 else ""
            elif (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "format"
                and isinstance(node.func.value, ast.Constant)
            ):
                text = str(node.func.value.value)
            line = module.source.splitlines()[node.lineno - 1] if text else ""
            if SQL.search(text) and "# noqa: S608 - " not in line:
                wrong.append(f"{module.place}:{node.lineno} {text[:60]}")
    assert not wrong


def test_the_sql_finder_knows_a_statement():
    assert SQL.search("select version from session where key = ")
    assert SQL.search("INSERT OR IGNORE INTO seen values (")
    assert not SQL.search("select one of the tariffs below")


def test_nothing_is_left_unfinished():
    wrong = []
    for module in modules():
        wrong += [
            f"{module.place}:{number} {line.strip()}"
            for number, line in enumerate(module.source.splitlines(), 1)
            if UNFINISHED.search(line)
        ]
        wrong += [
            f"{module.place}:{node.lineno} NotImplementedError"
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Raise)
            and node.exc is not None
            and "NotImplementedError" in ast.unparse(node.exc)
        ]
    assert not wrong


def test_every_module_has_a_name_that_says_something():
    assert not [module.place for module in modules() if module.path.stem in EMPTY_NAMES]


def test_only_a_missing_service_leaves_a_test_out():
    """A module may skip for a service that it names by its marker (tests/conftest.py)."""
    here = ROOT / "tests"
    wrong = []
    for path in files():
        if path.suffix != ".py" or not path.is_relative_to(here) or path == here / "conftest.py":
            continue
        text = path.read_text(encoding="utf-8")
        has_marker = re.search(r"pytest\.mark\.(node|chromium|perl|kannel|espeak|asterisk)\b", text)
        for number, line in enumerate(text.splitlines(), 1):
            found = re.search(r"^\s*(@?pytest\.)(mark\.)?(skip|xfail|skipif|importorskip)\b", line)
            if found and not (found[3] == "skip" and not found[2] and has_marker):
                wrong.append(f"{path.relative_to(ROOT)}:{number} {line.strip()}")
    assert not wrong
