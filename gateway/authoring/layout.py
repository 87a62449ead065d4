"""Where the boxes of a drawing stand: layers from top to bottom, few crossings, no overlaps.

The usual four steps (Sugiyama): arrows that lead back are turned round for the while, every box gets a layer
below those that lead to it, an arrow that spans several layers gets a joint in each, and the boxes of a layer
are ordered by the middle of their neighbours. A label of an arrow is a joint with a size, so labels never
cover anything. The same drawing gives the same layout.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.authoring.drawing import Arrow, Drawing

GAP = 26.0
ROW_GAP = 30.0
SWEEPS = 12
_JOINT = 12.0


@dataclass(slots=True)
class Node:
    """A box, a label or a joint: `x` and `y` are its middle and its upper edge."""

    id: str
    width: float
    height: float
    layer: int = 0
    x: float = 0.0
    y: float = 0.0


@dataclass(frozen=True, slots=True)
class Route:
    """An arrow through its joints, in its own direction. `label` is the id of its label, empty if none."""

    arrow: Arrow
    nodes: tuple[str, ...]
    label: str


@dataclass(slots=True)
class Layout:
    """Everything with its place."""

    nodes: dict[str, Node]
    routes: list[Route] = field(default_factory=list)
    width: float = 0.0
    height: float = 0.0


def layout(
    drawing: Drawing, sizes: Mapping[str, tuple[float, float]], labels: Mapping[int, tuple[float, float]]
) -> Layout:
    """Place a drawing: `sizes` by box, `labels` by the number of the arrow, both as (width, height)."""
    nodes = {box.id: Node(box.id, *sizes[box.id]) for box in drawing.boxes}
    back = _leading_back(drawing)
    _layers(drawing, nodes, back)
    placed = Layout(nodes)
    links = _joints(drawing, placed, back, labels)
    rows = _rows(placed)
    _order(rows, links)
    _across(placed, rows, links)
    _down(placed, rows)
    return placed


def _leading_back(drawing: Drawing) -> set[int]:
    """Return the numbers of the arrows that close a circle, as a walk in the order of the file meets them."""
    out: dict[str, list[tuple[int, str]]] = {box.id: [] for box in drawing.boxes}
    for number, arrow in enumerate(drawing.arrows):
        out[arrow.source].append((number, arrow.target))
    back: set[int] = set()
    state: dict[str, int] = {}
    for start in out:
        if start in state:
            continue
        state[start] = 1
        stack = [(start, iter(out[start]))]
        while stack:
            box, ways = stack[-1]
            for number, target in ways:
                if target == box or state.get(target) == 1:
                    back.add(number)
                elif target not in state:
                    state[target] = 1
                    stack.append((target, iter(out[target])))
                    break
            else:
                state[box] = 2
                stack.pop()
    return back


def _layers(drawing: Drawing, nodes: dict[str, Node], back: set[int]) -> None:
    """Put every box two layers below the lowest that leads to it: between them there is room for a label."""
    forward = [arrow for number, arrow in enumerate(drawing.arrows) if number not in back]
    waiting = dict.fromkeys(nodes, 0)
    out: dict[str, list[str]] = {name: [] for name in nodes}
    for arrow in forward:
        waiting[arrow.target] += 1
        out[arrow.source].append(arrow.target)
    ready = [name for name, count in waiting.items() if not count]
    for name in ready:
        for target in out[name]:
            nodes[target].layer = max(nodes[target].layer, nodes[name].layer + 2)
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)


def _joints(
    drawing: Drawing, placed: Layout, back: set[int], labels: Mapping[int, tuple[float, float]]
) -> list[tuple[str, str]]:
    """Cut every arrow into links from layer to layer; return them from above to below."""
    links: list[tuple[str, str]] = []
    nodes = placed.nodes
    for number, arrow in enumerate(drawing.arrows):
        upper, lower = (arrow.target, arrow.source) if number in back else (arrow.source, arrow.target)
        first, last = nodes[upper].layer, nodes[lower].layer
        layers = list(range(first + 1, last)) if last > first else [first + 1]
        at = layers[-1] if number in back else layers[0]
        chain = [upper]
        label = ""
        for layer in layers:
            name = f"{number}:{layer}"
            size = labels.get(number, (_JOINT, 0.0)) if layer == at else (_JOINT, 0.0)
            nodes[name] = Node(name, *size, layer=layer)
            label = name if layer == at and number in labels else label
            chain.append(name)
        chain.append(lower)
        links += [pair for pair in itertools.pairwise(chain) if nodes[pair[0]].layer < nodes[pair[1]].layer]
        placed.routes.append(Route(arrow, tuple(reversed(chain)) if number in back else tuple(chain), label))
    return links


def _rows(placed: Layout) -> list[list[str]]:
    rows: list[list[str]] = [
        [] for _ in range(max((node.layer for node in placed.nodes.values()), default=0) + 1)
    ]
    for node in placed.nodes.values():
        rows[node.layer].append(node.id)
    return rows


def _neighbours(links: list[tuple[str, str]]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for upper, lower in links:
        above.setdefault(lower, []).append(upper)
        below.setdefault(upper, []).append(lower)
    return above, below


def _order(rows: list[list[str]], links: list[tuple[str, str]]) -> None:
    """Order each layer by the middle of its neighbours, downwards and upwards in turn; keep the best."""
    above, below = _neighbours(links)
    best, fewest = [list(row) for row in rows], _crossings(rows, below)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        beside = above if down else below
        for number in range(1, len(rows)) if down else range(len(rows) - 2, -1, -1):
            row = rows[number]
            other = rows[number - 1 if down else number + 1]
            at = {name: place for place, name in enumerate(other)}
            own = {name: place for place, name in enumerate(row)}
            row.sort(key=lambda name: _middle([at[one] for one in beside.get(name, ())], own[name]))
        count = _crossings(rows, below)
        if count < fewest:
            best, fewest = [list(row) for row in rows], count
    rows[:] = best


def _middle(places: list[int], own: int) -> float:
    return sum(places) / len(places) if places else float(own)


def _crossings(rows: list[list[str]], below: Mapping[str, list[str]]) -> int:
    count = 0
    for number, row in enumerate(rows[:-1]):
        at = {name: place for place, name in enumerate(rows[number + 1])}
        ends: list[int] = []
        for name in row:
            mine = sorted(at[lower] for lower in below.get(name, ()))
            count += sum(1 for place in mine for end in ends if end > place)
            ends += mine
    return count


def _across(placed: Layout, rows: list[list[str]], links: list[tuple[str, str]]) -> None:
    """Move every node towards the middle of its neighbours, as far as the others of its layer let it."""
    nodes = placed.nodes
    above, below = _neighbours(links)
    for row in rows:
        at = 0.0
        for name in row:
            nodes[name].x = at + nodes[name].width / 2
            at += nodes[name].width + GAP
    for sweep in range(SWEEPS * 2):
        down = sweep % 2 == 0
        beside = above if down else below
        for row in rows if down else reversed(rows):
            _settle([nodes[name] for name in row], [_wish(nodes, name, beside) for name in row])
    left = min((node.x - node.width / 2 for node in nodes.values()), default=0.0)
    for node in nodes.values():
        node.x -= left
    placed.width = max((node.x + node.width / 2 for node in nodes.values()), default=0.0)


def _wish(nodes: Mapping[str, Node], name: str, beside: Mapping[str, list[str]]) -> float:
    others = beside.get(name, ())
    return sum(nodes[one].x for one in others) / len(others) if others else nodes[name].x


def _settle(row: list[Node], wishes: list[float]) -> None:
    """Give each node its wish; neighbours that would overlap share the middle of their wishes (in order)."""
    blocks: list[tuple[float, float, int]] = []  # left edge of the block, its width, how many nodes
    for node, wish in zip(row, wishes, strict=True):
        left, width, count = wish - node.width / 2, node.width, 1
        while blocks and blocks[-1][0] + blocks[-1][1] + GAP > left:
            before, wide, many = blocks.pop()
            total = many + count
            left = (before * many + (left - wide - GAP) * count) / total
            width, count = wide + GAP + width, total
        blocks.append((left, width, count))
    nodes = iter(row)
    for left, _, count in blocks:
        at = left
        for _ in range(count):
            node = next(nodes)
            node.x = at + node.width / 2
            at += node.width + GAP


def _down(placed: Layout, rows: list[list[str]]) -> None:
    at = 0.0
    for row in rows:
        tall = max((placed.nodes[name].height for name in row), default=0.0)
        for name in row:
            node = placed.nodes[name]
            if not node.height:  # an arrow goes straight down beside the boxes of a layer
                node.height = tall
            node.y = at + (tall - node.height) / 2
        at += tall + ROW_GAP
    placed.height = max(0.0, at - ROW_GAP)
