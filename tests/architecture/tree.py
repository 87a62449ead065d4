"""The repository as the architecture tests see it: its files, its modules, their syntax trees and imports."""

from __future__ import annotations

import ast
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("engine", "smpp", "ussd", "ivr", "gateway")
PASSED_OVER = frozenset(
    {
        ".git",
        ".venv",
        "__pycache__",
        ".mypy_cache",
        ".ruff_cache",
        ".pytest_cache",
        ".hypothesis",
        ".import_linter_cache",
        "dist",
        "data",
        "node_modules",
        ".make",
    }
)
"""What .gitignore names: never part of the repository."""


@dataclass(frozen=True, slots=True)
class Import:
    """One import: `imported` is the dotted name as written, made absolute; `name` what was taken from it."""

    module: str
    imported: str
    name: str | None
    line: int
    in_function: bool


@dataclass(frozen=True, slots=True)
class Module:
    """One Python module of the product."""

    name: str
    path: Path
    source: str
    tree: ast.Module

    @property
    def place(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def package(self) -> str:
        return self.name.partition(".")[0]


@cache
def files() -> tuple[Path, ...]:
    """Every file that belongs to the repository: what git keeps or would keep, or all in a source archive."""
    if (ROOT / ".git").exists():
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
        names = [name for name in listed.stdout.decode().split("\0") if name]
        return tuple(sorted({ROOT / name for name in names if (ROOT / name).is_file()}))
    return tuple(sorted(_walk(ROOT)))


def _walk(folder: Path) -> list[Path]:
    found: list[Path] = []
    for entry in folder.iterdir():
        if entry.name in PASSED_OVER or entry.name.endswith(".egg-info"):
            continue
        if entry.is_dir():
            found += _walk(entry)
        elif entry.is_file() and not entry.name.endswith(".pyc"):
            found.append(entry)
    return found


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the five packages."""
    return tuple(
        _module(path)
        for path in files()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in PACKAGES
    )


def _module(path: Path) -> Module:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    if parts[-1] == "__init__":
        parts.pop()
    source = path.read_text(encoding="utf-8")
    return Module(".".join(parts), path, source, ast.parse(source))


@cache
def imports() -> tuple[Import, ...]:
    """Every import of every module, those under TYPE_CHECKING included."""
    found: list[Import] = []
    for module in modules():
        inner = {
            id(child)
            for node in ast.walk(module.tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            for child in ast.walk(node)
        }
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Import):
                found += [
                    Import(module.name, alias.name, None, node.lineno, id(node) in inner)
                    for alias in node.names
                ]
            elif isinstance(node, ast.ImportFrom):
                source = _absolute(module, node)
                found += [
                    Import(module.name, source, alias.name, node.lineno, id(node) in inner)
                    for alias in node.names
                ]
    return tuple(found)


def _absolute(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    keep = len(parts) - node.level + (1 if module.path.name == "__init__.py" else 0)
    return ".".join(parts[:keep] + ([node.module] if node.module else []))


@cache
def edges() -> dict[str, frozenset[str]]:
    """Module -> the modules of ours that it imports; `from package import module` names the module."""
    names = {module.name for module in modules()}
    graph: dict[str, set[str]] = {name: set() for name in names}
    for one in imports():
        whole = f"{one.imported}.{one.name}"
        target = whole if whole in names else one.imported
        if target in names and target != one.module:
            graph[one.module].add(target)
    return {name: frozenset(targets) for name, targets in graph.items()}


def is_under(name: str, place: str) -> bool:
    """Tell if a dotted name is this module or inside this package."""
    return name == place or name.startswith(f"{place}.")
