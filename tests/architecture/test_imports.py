"""Imports run one way, without cycles, and the pure modules stay pure (docs/how-it-works.md)."""

from __future__ import annotations

import ast

import pytest

from tests.architecture.tree import Module, edges, imports, is_under, modules

ALLOWED = {
    "engine": {"engine"},
    "smpp": {"smpp", "engine"},  # engine only in smpp.sms, see below
    "ussd": {"ussd", "smpp", "engine"},
    "ivr": {"ivr", "engine"},
    "gateway": {"gateway", "ivr", "ussd", "smpp", "engine"},
}
"""Package -> the packages of ours that it may know."""

SHELLS = (
    "smpp.client",  # the asyncio connection
    "smpp.links",  # binds and failover over many connections
    "smpp.testing",  # a test SMSC and USSD centre with real sockets
    "ivr.fastagi",
    "ivr.ami.client",
    "ivr.testing",
    "gateway",  # the only place where effects meet the world
)
"""The modules that may touch the world. Everything else is pure: time, entropy and octets are arguments."""

WORLD = {
    "asyncio", "concurrent", "logging", "multiprocessing", "os", "pathlib", "random", "sched", "secrets",
    "select", "selectors", "shutil", "signal", "socket", "socketserver", "sqlite3", "ssl", "structlog",
    "subprocess", "tempfile", "threading", "time", "urllib", "uuid", "aiohttp", "uvloop", "io",
}  # fmt: skip
"""Modules through which a pure module could see a clock, dice, a file or a socket."""

HARMLESS = {("pathlib", "PurePosixPath"), ("io", "StringIO"), ("io", "BytesIO")}
"""What is pure in modules that are not: names and buffers without a file behind them."""

WORLD_CALLS = {"open", "print", "input", "breakpoint"}
CLOCKS = {"now", "utcnow", "today", "fromtimestamp"}
"""Methods of datetime and date that look at a clock, or at the zone of the machine, when none is given."""


def pure() -> list[Module]:
    return [module for module in modules() if not any(is_under(module.name, shell) for shell in SHELLS)]


def test_packages_know_only_what_lies_below_them():
    wrong = [
        f"{one.module}:{one.line} imports {one.imported}"
        for one in imports()
        if (target := one.imported.partition(".")[0]) in ALLOWED
        and target not in ALLOWED[one.module.partition(".")[0]]
    ]
    assert not wrong


def test_in_smpp_only_the_sms_channel_knows_the_engine():
    wrong = [
        f"{one.module}:{one.line} imports {one.imported}"
        for one in imports()
        if one.module.partition(".")[0] == "smpp"
        and is_under(one.imported, "engine")
        and not one.module.startswith("smpp.sms")
    ]
    assert not wrong


@pytest.mark.parametrize(("library", "home"), [("yaml", "engine.reading"), ("jinja2", "engine.expressions")])
def test_a_library_of_the_engine_has_one_home(library: str, home: str):
    users = {
        one.module for one in imports() if is_under(one.imported, library) and is_under(one.module, "engine")
    }
    assert users, f"nobody in engine uses {library}: is this test still looking at the right place?"
    assert not {user for user in users if not is_under(user, home)}


def test_tests_and_tools_are_never_imported_by_the_product():
    foreign = {"pytest", "hypothesis", "tests", "smpp34", "gsm0338", "mypy", "hatchling"}
    wrong = [
        f"{one.module}:{one.line} imports {one.imported}"
        for one in imports()
        if one.imported.partition(".")[0] in foreign and one.module != "gateway.cli.pytest_plugin"
    ]
    assert not wrong


def test_no_module_imports_inside_a_function():
    assert not [f"{one.module}:{one.line} {one.imported}" for one in imports() if one.in_function]


def test_no_import_cycles():
    assert not [" -> ".join(cycle) for cycle in cycles(edges())]


def test_the_cycle_finder_finds_cycles():
    graph = {"a": frozenset({"b"}), "b": frozenset({"c"}), "c": frozenset({"a"}), "d": frozenset({"a"})}
    assert [sorted(cycle) for cycle in cycles(graph)] == [["a", "b", "c"]]


def test_pure_modules_import_no_world():
    names = {module.name for module in pure()}
    wrong = [
        f"{one.module}:{one.line} imports {one.imported}"
        for one in imports()
        if one.module in names
        and one.imported.partition(".")[0] in WORLD
        and (one.imported, one.name) not in HARMLESS
    ]
    assert not wrong


def test_pure_modules_call_no_world():
    wrong = [
        f"{module.place}:{node.lineno} {ast.unparse(node.func)}()"
        for module in pure()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and _is_world(node)
    ]
    assert not wrong


def test_the_engine_and_the_protocols_are_pure():
    """The list of shells must not quietly come to cover what has to stay pure."""
    names = {module.name for module in pure()}
    for name in ("engine.machine", "smpp.session", "smpp.window", "smpp.segments", "ussd.centre"):
        assert name in names


def _is_world(call: ast.Call) -> bool:
    if isinstance(call.func, ast.Name):
        return call.func.id in WORLD_CALLS
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in CLOCKS:
        return False
    owner = call.func.value
    of_a_clock = isinstance(owner, ast.Name | ast.Attribute) and ast.unparse(owner).split(".")[-1] in {
        "datetime",
        "date",
    }
    if call.func.attr == "fromtimestamp":
        return of_a_clock and len(call.args) + len(call.keywords) < 2
    return of_a_clock


def cycles(graph: dict[str, frozenset[str]]) -> list[list[str]]:
    """Return the strongly connected groups of more than one module (Tarjan)."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        number[name] = low[name] = len(number)
        stack.append(name)
        for target in sorted(graph.get(name, ())):
            if target not in number:
                visit(target)
                low[name] = min(low[name], low[target])
            elif target in stack:
                low[name] = min(low[name], number[target])
        if low[name] == number[name]:
            group = [stack.pop()]
            while group[-1] != name:
                group.append(stack.pop())
            if len(group) > 1:
                found.append(group)

    for name in sorted(graph):
        if name not in number:
            visit(name)
    return found
