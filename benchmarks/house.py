"""`make house`: the sizes of the house beside the measure of good ones. A mirror, not a gate.

Lines are counted without blank ones and without lines that are only a comment. Vectors, scenarios and flow
tests count as test lines: they are tests written as data.
"""

from __future__ import annotations

import ast
import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("engine", "smpp", "ussd", "ivr", "gateway")
SECOND_LOOK_MODULE = 400
SECOND_LOOK_FUNCTION = 60


@dataclass(frozen=True, slots=True)
class Function:
    """One function: where it is and how many lines it has."""

    place: str
    lines: int
    annotated: bool


def code_lines(text: str, comment: str = "#") -> int:
    """Count the lines that are neither blank nor only a comment."""
    return sum(1 for line in text.splitlines() if line.strip() and not line.strip().startswith(comment))


def modules(folders: Iterable[str]) -> dict[str, str]:
    """Return the text of every Python module below the folders, by its path."""
    return {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "node_modules" not in path.parts
    }


def functions(path: str, text: str) -> list[Function]:
    """Return every function of a module."""
    lines = text.splitlines()
    found = []
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        annotated = node.returns is not None and all(
            one.annotation is not None for one in arguments if one.arg not in {"self", "cls"}
        )
        body = "\n".join(lines[node.lineno - 1 : node.end_lineno])
        found.append(Function(f"{path}:{node.lineno} {node.name}", code_lines(body), annotated))
    return found


def imports(path: str, text: str, known: set[str]) -> set[str]:
    """Return the modules of ours that a module imports."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return (found & known) - {module_name(path)}


def module_name(path: str) -> str:
    """Return the dotted name of a module from its path."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def depth(graph: dict[str, set[str]]) -> int:
    """Return the longest chain of imports; a cycle counts once (the architecture tests forbid it)."""
    known: dict[str, int] = {}

    def of(name: str, way: frozenset[str]) -> int:
        if name in way:
            return 0
        if name not in known:
            known[name] = 1 + max((of(target, way | {name}) for target in graph[name]), default=0)
        return known[name]

    return max((of(name, frozenset()) for name in graph), default=0)


def percentile(values: list[int], share: float) -> int:
    """Return the value below which this share of all values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def test_data_lines() -> int:
    """Count vectors, scenarios, diagnostics and flow tests."""
    data = [
        path
        for pattern in ("tests/**/*.yaml", "tests/**/*.md", "flows/*.test.yaml")
        for path in ROOT.glob(pattern)
        if "node_modules" not in path.parts
    ]
    return sum(code_lines(path.read_text(encoding="utf-8")) for path in data)


def main() -> None:
    """Print the measure."""
    ours = modules(PACKAGES)
    sizes = {path: code_lines(text) for path, text in ours.items()}
    full = [size for size in sizes.values() if size]
    all_functions = [one for path, text in ours.items() for one in functions(path, text)]
    lengths = [one.lines for one in all_functions]
    tests = modules(["tests"])
    test_functions = [
        one.lines for path, text in tests.items() for one in functions(path, text) if " test_" in one.place
    ]
    names = {module_name(path) for path in ours}
    graph = {module_name(path): imports(path, text, names) for path, text in ours.items()}
    code, written = sum(full), sum(code_lines(text) for text in tests.values()) + test_data_lines()
    annotated = sum(one.annotated for one in all_functions) / len(all_functions)
    rows = (
        ("module lines, median", statistics.median_low(full), "180"),
        ("module lines, 90th percentile", percentile(full, 0.9), "250"),
        ("largest module", max(full), "400"),
        (
            "function lines, median / 90th",
            f"{statistics.median_low(lengths)} / {percentile(lengths, 0.9)}",
            "10 / 30",
        ),
        ("longest function", max(lengths), "60"),
        ("import depth", depth(graph), "8"),
        ("annotated functions", f"{annotated:.0%}", "100%"),
        ("test lines / code lines", f"{written} / {code} = {written / code:.2f}", "1.3-2.0"),
        ("test function lines, median", statistics.median_low(test_functions or [0]), "12"),
    )
    print(f"{'':34}{'ours':>24}{'guide':>12}")
    for name, value, guide in rows:
        print(f"{name:34}{value!s:>24}{guide:>12}")
    print()
    packages = Counter(dict.fromkeys(PACKAGES, 0))
    for path, size in sizes.items():
        packages[path.partition("/")[0]] += size
    print("lines by package: " + ", ".join(f"{name} {size}" for name, size in packages.items()))
    large = sorted(
        (item for item in sizes.items() if item[1] > SECOND_LOOK_MODULE), key=lambda item: -item[1]
    )
    long = sorted(
        (one for one in all_functions if one.lines > SECOND_LOOK_FUNCTION), key=lambda one: -one.lines
    )
    if large or long:
        print("asks for a second look:")
        for path, size in large:
            print(f"  {path}  {size} lines")
        for one in long:
            print(f"  {one.place}  {one.lines} lines")


if __name__ == "__main__":
    main()
