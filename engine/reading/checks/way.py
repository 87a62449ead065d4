"""Ways through a compiled flow, without regard to channels: what is reached, what lies in a circle."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TypeVar

from engine.flow import Flow

T = TypeVar("T", bound=Hashable)


def reached(flow: Flow, seeds: Iterable[int], without: frozenset[int] = frozenset()) -> set[int]:
    """Return the steps that ways from `seeds` come to; steps in `without` are not entered."""
    seen: set[int] = set()
    open_ = [number for number in seeds if number not in without]
    while open_:
        number = open_.pop()
        if number in seen:
            continue
        seen.add(number)
        open_ += [target for _, target in flow.program[number].exits() if target not in without]
    return seen


def entries(flow: Flow) -> list[int]:
    """Return where the flow may be entered: its first scene and the blocks of its header."""
    missed = None if flow.outbound is None else flow.outbound.missed
    blocks = [flow.hangup, flow.operator, flow.project_operator, missed, *flow.errors.values()]
    return [flow.entry, *(block for block in blocks if block is not None)]


def circles(nodes: Iterable[T], following: Callable[[T], Iterable[T]]) -> list[list[T]]:
    """Return the groups of nodes that lie in a circle, each in the order of the circle's discovery."""
    graph: Mapping[T, list[T]] = {node: list(following(node)) for node in nodes}
    groups = _groups(graph)
    return [group for group in groups if len(group) > 1 or group[0] in graph[group[0]]]


def _groups(graph: Mapping[T, list[T]]) -> list[list[T]]:
    """Strongly connected groups (Tarjan), without recursion: a flow may have thousands of steps."""
    order: dict[T, int] = {}
    low: dict[T, int] = {}
    held: dict[T, None] = {}
    groups: list[list[T]] = []
    for root in graph:
        if root in order:
            continue
        work = [(root, iter(graph[root]))]
        order[root] = low[root] = len(order)
        held[root] = None
        while work:
            node, rest = work[-1]
            advanced = False
            for target in rest:
                if target not in graph:
                    continue
                if target not in order:
                    order[target] = low[target] = len(order)
                    held[target] = None
                    work.append((target, iter(graph[target])))
                    advanced = True
                    break
                if target in held:
                    low[node] = min(low[node], order[target])
            if advanced:
                continue
            work.pop()
            if work:
                low[work[-1][0]] = min(low[work[-1][0]], low[node])
            if low[node] == order[node]:
                group = []
                while True:
                    last = next(reversed(held))
                    del held[last]
                    group.append(last)
                    if last == node:
                        break
                groups.append(group[::-1])
    return groups


def scene_names(flow: Flow, numbers: Iterable[int]) -> list[str]:
    """Return the names of the scenes among some steps, in the order of the file."""
    inside = set(numbers)
    return [name for name, number in flow.scenes.items() if number in inside]
