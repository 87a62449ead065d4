"""A drawing as SVG, drawn by ourselves: no program, no font and no script is needed to see it."""

from __future__ import annotations

import itertools
from html import escape

from gateway.authoring.drawing import Box, Drawing
from gateway.authoring.layout import Layout, Node, Route, layout

MARGIN = 24.0
TITLE = 34.0
LINE = 16.0
LETTER = 7.4
"""The width of a letter: the font is monospaced, 12 px."""

_LABEL_LETTER = 6.8
_PADDING = 10.0
_COLOURS = {
    "scene": ("#2f3b59", "#2f3b59", "#ffffff"),
    "question": ("#e3f0ff", "#4a7ebb", "#16233a"),
    "request": ("#fff3d6", "#c79a2b", "#3a2d0a"),
    "run": ("#efe6ff", "#8a63c9", "#2a1a45"),
    "people": ("#ffe3e3", "#c95a5a", "#451a1a"),
    "choice": ("#f3f4f6", "#8a8f98", "#23262b"),
    "step": ("#ffffff", "#8a8f98", "#23262b"),
    "end": ("#e4f7e4", "#5aa35a", "#153515"),
    "word": ("#ffffff", "#8a8f98", "#555a61"),
}
_STYLE = (
    "text{font:12px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace}"
    ".title{font-size:15px;font-weight:bold}.label{font-size:11px;fill:#41474f}"
    ".line{fill:none;stroke:#7b828c;stroke-width:1.3}"
)


def svg(drawing: Drawing) -> str:
    """Return the drawing as an SVG document."""
    sizes = {box.id: _size(box) for box in drawing.boxes}
    labels = {
        number: (len(arrow.label) * _LABEL_LETTER + 8, LINE)
        for number, arrow in enumerate(drawing.arrows)
        if arrow.label
    }
    placed = layout(drawing, sizes, labels)
    width = max(placed.width, len(drawing.title) * 9.4) + 2 * MARGIN
    height = placed.height + 2 * MARGIN + TITLE
    rows = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
            f'viewBox="0 0 {width:.0f} {height:.0f}">'
        ),
        f"<title>{escape(drawing.title)}</title>",
        f"<style>{_STYLE}</style>",
        (
            '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
            'orient="auto"><path d="M0 0L8 4L0 8z" fill="#7b828c"/></marker></defs>'
        ),
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#ffffff"/>',
        f'<text class="title" x="{MARGIN:.0f}" y="{MARGIN + 4:.0f}">{escape(drawing.title)}</text>',
        f'<g transform="translate({MARGIN:.0f} {MARGIN + TITLE:.0f})">',
    ]
    rows += [_route(route, placed) for route in placed.routes]
    rows += [_box(box, placed.nodes[box.id]) for box in drawing.boxes]
    rows += [_label(route, placed) for route in placed.routes if route.label]
    return "\n".join((*rows, "</g>", "</svg>", ""))


def _size(box: Box) -> tuple[float, float]:
    wide = max(map(len, box.lines), default=1) * LETTER + 2 * _PADDING
    return max(wide, 44.0), len(box.lines) * LINE + 2 * (_PADDING - 3)


def _box(box: Box, node: Node) -> str:
    fill, stroke, ink = _COLOURS[box.kind]
    left = node.x - node.width / 2
    round_ = node.height / 2 if box.kind in ("scene", "word") else 12 if box.kind == "end" else 3
    dash = ' stroke-dasharray="4 3"' if box.kind == "choice" else ""
    parts = [
        (
            f'<rect x="{left:.1f}" y="{node.y:.1f}" width="{node.width:.1f}" height="{node.height:.1f}" '
            f'rx="{round_:.0f}" fill="{fill}" stroke="{stroke}"{dash}/>'
        )
    ]
    if box.kind == "run":
        parts.append(
            f'<path d="M{left + 5:.1f} {node.y:.1f}v{node.height:.1f}M{left + node.width - 5:.1f} '
            f'{node.y:.1f}v{node.height:.1f}" stroke="{stroke}"/>'
        )
    for number, line in enumerate(box.lines):
        y = node.y + _PADDING + LINE * (number + 0.58)
        x = node.x if len(box.lines) == 1 else left + _PADDING
        anchor = ' text-anchor="middle"' if len(box.lines) == 1 else ""
        parts.append(f'<text x="{x:.1f}" y="{y:.1f}" fill="{ink}"{anchor}>{escape(line)}</text>')
    where = f"<title>line {box.line}</title>" if box.line else ""
    return f"<g>{where}{''.join(parts)}</g>"


def _label(route: Route, placed: Layout) -> str:
    node = placed.nodes[route.label]
    left = node.x - node.width / 2
    return (
        f'<rect x="{left:.1f}" y="{node.y:.1f}" width="{node.width:.1f}" height="{node.height:.1f}" '
        f'fill="#ffffff"/><text class="label" x="{node.x:.1f}" y="{node.y + 12:.1f}" '
        f'text-anchor="middle">{escape(route.arrow.label)}</text>'
    )


def _route(route: Route, placed: Layout) -> str:
    """Return an arrow as a smooth line through its joints: straight down at each of them."""
    nodes = [placed.nodes[name] for name in route.nodes]
    if nodes[0].layer == nodes[-1].layer and len(nodes) == 3:
        return _loop(nodes[0], nodes[1])
    down = nodes[0].layer < nodes[-1].layer
    points: list[tuple[float, float]] = []
    for number, node in enumerate(nodes):
        top, bottom = (node.x, node.y), (node.x, node.y + node.height)
        if number == 0:
            points.append(bottom if down else top)
        elif number == len(nodes) - 1:
            points.append(top if down else bottom)
        else:
            points += [top, bottom] if down else [bottom, top]
    path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for (x, y), (to_x, to_y) in itertools.pairwise(points):
        middle = (y + to_y) / 2
        path += f"C{x:.1f} {middle:.1f} {to_x:.1f} {middle:.1f} {to_x:.1f} {to_y:.1f}"
    return f'<path class="line" d="{path}" marker-end="url(#head)"/>'


def _loop(box: Node, joint: Node) -> str:
    """Return an arrow from a box to itself: out below, back into its side."""
    right = box.x + box.width / 2
    low = joint.y + joint.height / 2
    return (
        f'<path class="line" d="M{box.x:.1f} {box.y + box.height:.1f}C{box.x:.1f} {low:.1f} '
        f"{right + 30:.1f} {low + 10:.1f} {right + 30:.1f} {box.y + box.height / 2:.1f}"
        f'S{right + 16:.1f} {box.y + box.height / 2:.1f} {right:.1f} {box.y + box.height / 2:.1f}" '
        f'marker-end="url(#head)"/>'
    )
