"""A drawing as Mermaid text: the same flow gives the same text, so that it can be kept beside the flow."""

from __future__ import annotations

from gateway.authoring.drawing import Box, Drawing

_SHAPES = {
    "scene": ("([", "])"),
    "question": ("[/", "/]"),
    "request": ("[[", "]]"),
    "run": ("[[", "]]"),
    "people": (">", "]"),
    "choice": ("{{", "}}"),
    "end": ("(", ")"),
    "word": ("((", "))"),
}
_CLASSES = {
    "scene": "fill:#334,color:#fff",
    "question": "fill:#e3f0ff",
    "request": "fill:#fff3d6",
    "run": "fill:#efe6ff",
    "people": "fill:#ffe3e3",
    "choice": "fill:#f4f4f4",
    "end": "fill:#e4f7e4",
    "word": "fill:#fff",
    "step": "fill:#fff",
}


def mermaid(drawing: Drawing) -> str:
    """Return the drawing as a Mermaid flowchart."""
    rows = ["---", f"title: {_title(drawing.title)}", "---", "flowchart TD"]
    rows += [f"  {_box(box)}" for box in drawing.boxes]
    for arrow in drawing.arrows:
        label = f'|"{_escaped(arrow.label)}"|' if arrow.label else ""
        rows.append(f"  {arrow.source} -->{label} {arrow.target}")
    kinds = sorted({box.kind for box in drawing.boxes})
    rows += [f"  classDef {kind}Box {_CLASSES[kind]}" for kind in kinds]
    return "\n".join(rows) + "\n"


def _box(box: Box) -> str:
    left, right = _SHAPES.get(box.kind, ("[", "]"))
    text = "<br/>".join(map(_escaped, box.lines))
    return f'{box.id}{left}"{text}"{right}:::{box.kind}Box'


def _escaped(text: str) -> str:
    """Write what Mermaid or HTML would take for its own as a character code."""
    return "".join(f"#{ord(sign)};" if sign in '"<>&#`|{}' else sign for sign in text)


def _title(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
