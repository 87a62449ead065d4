"""JSON Schemas of the files of a project, for editors: completion, a sentence at every field, early warnings.

They are made from the field tables that read the files, so they know every verb and field. A step is
described by its verb (`if: required: [verb]`, `then: its fields`), which lets an editor name the wrong field
instead of the whole scene. What a schema cannot say - names, types, ways through a flow - is said by
`gudok check`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from engine.reading import backend_file, header, project
from engine.reading.fields import BLOCK, SPOKEN, STRING, fields_schema
from engine.reading.workshop import ID, TARGETS
from engine.steps import VERBS
from engine.testing.word import WORDS, Word
from gateway import settings

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NAME = "^[a-z][a-z0-9_]*$"
_LINE = r"^[0-9*#]{1,4} \S"
_CHANNELS = ("voice", "ussd", "sms", "text", "event")
_ANY: Mapping[str, object] = {}
_REF = {"$ref": "#/$defs/block"}

_BLOCKS: Mapping[tuple[str, str], str] = {
    ("when", "when"): "conditions with their blocks, in order; else: last",
    ("switch", "cases"): "values with their blocks; else: for all others",
    ("split", "split"): "weights with their blocks: 70: old, 30: new",
}
"""Tables whose values are blocks: the field tables call them tables only, since their keys are free."""


def flow_schema() -> dict[str, object]:
    """Return the schema of `flows/*.yaml`."""
    head = _with(
        fields_schema(header.FIELDS),
        {
            "sms": _one_or_more({"anyOf": [STRING.schema, fields_schema(header.SMS_TABLE)]}),
            "event": _one_or_more({"anyOf": [STRING.schema, fields_schema(header.EVENT_TABLE)]}),
            "outbound": fields_schema(header.OUTBOUND_TABLE),
            "errors": _by_channel(),
        },
    )
    return {
        **_top("a flow of Gudok", ["flow"]),
        "properties": {"flow": {**head, "description": "title, triggers, inputs"}},
        "patternProperties": {f"^(?!{header.HEADER}$){_NAME[1:]}": {"$ref": "#/$defs/scene"}},
        "additionalProperties": False,
        "$defs": definitions(),
    }


def definitions() -> dict[str, object]:
    """Return what blocks are made of: a block, a scene, a step of each verb."""
    steps: list[object] = [{"if": {"required": [verb]}, "then": step_schema(verb)} for verb in VERBS]
    verbs = {
        verb: {"description": kind.FIELDS[0].doc, "markdownDescription": f"```yaml\n{kind.EXAMPLE}\n```"}
        for verb, kind in VERBS.items()
    }
    step = {
        "type": "object",
        "properties": verbs,
        "anyOf": [{"required": [verb]} for verb in VERBS],
        "allOf": steps,
    }
    listed = {"type": "array", "items": {"$ref": "#/$defs/step"}}
    target = {
        "type": "string",
        "pattern": _NAME,
        "description": f"a scene, or one of {', '.join(TARGETS)}",
    }
    return {
        "step": step,
        "scene": {"if": {"type": "array"}, "then": listed, "else": _REF_STEP_OR_NOTHING},
        "block": {
            "description": BLOCK.label,
            "if": {"type": "array"},
            "then": listed,
            "else": {"if": {"type": "object"}, "then": {"$ref": "#/$defs/step"}, "else": _or_null(target)},
        },
    }


_REF_STEP_OR_NOTHING = {
    "if": {"type": "object"},
    "then": {"$ref": "#/$defs/step"},
    "else": {"type": ["object", "array", "null"]},
}


def step_schema(verb: str) -> dict[str, object]:
    """Return the schema of a step of one verb."""
    kind = VERBS[verb]
    schema = fields_schema((*kind.FIELDS, ID))
    blocks = {
        name: {"type": "object", "additionalProperties": _REF, "description": doc}
        for (owner, name), doc in _BLOCKS.items()
        if owner == verb
    }
    if verb == "rate":
        blocks["rate"] = {"type": "object", "additionalProperties": SPOKEN.schema}
    schema = _with(schema, blocks)
    if kind.owns_key("1 Баланс"):
        schema["patternProperties"] = {_LINE: {**_REF, "description": "a line: KEY label: block"}}
    return schema


def tests_schema() -> dict[str, object]:
    """Return the schema of `flows/*.test.yaml`."""
    words = [{"if": _begun_by(word), "then": _word(word)} for word in WORDS.values()]
    alone = [word.name for word in WORDS.values() if word.value != "must"]
    return {
        **_top("tests of flows", ["tests"]),
        "properties": {
            "backends": {
                **_or_null({"type": "object"}),
                "description": "what back ends answer: operation: answer",
            },
            "tests": {
                "type": "object",
                "description": "cases by their names",
                "additionalProperties": {
                    "if": {"type": "array"},
                    "then": {"$ref": "#/$defs/steps"},
                    "else": {"$ref": "#/$defs/rows"},
                },
            },
        },
        "additionalProperties": False,
        "$defs": {
            "steps": {"type": "array", "items": {"$ref": "#/$defs/step"}},
            "step": {
                "if": {"type": "string"},
                "then": {"enum": alone},
                "else": {
                    "type": "object",
                    "properties": dict.fromkeys(WORDS, _ANY),
                    "anyOf": [{"required": [word]} for word in WORDS],
                    "allOf": words,
                },
            },
            "rows": {
                "type": "object",
                "properties": {
                    "each": {"type": "array", "items": {"type": "object"}, "minItems": 1},
                    "given": {"type": "string", "description": "the operation whose answer the rows change"},
                    "steps": {"$ref": "#/$defs/steps"},
                },
                "required": ["each", "steps"],
                "additionalProperties": False,
            },
        },
    }


def _begun_by(word: Word) -> dict[str, object]:
    """Return when a step is of a word: it has the word, and not as a field of another (`event: … busy:`)."""
    owners = [{"required": [other.name]} for other in WORDS.values() if word.name in other.fields]
    begun: dict[str, object] = {"required": [word.name]}
    return {**begun, "not": {"anyOf": owners}} if owners else begun


def _word(word: Word) -> dict[str, object]:
    scalar: dict[str, object] = {"type": ["string", "number", "boolean", "null"]}
    # In a table case any value may be a column of the row: see: =see.
    value: dict[str, object] = {"type": ["object", "string"]} if word.table else scalar
    if word.value == "none":
        value = {"type": "null"}
    properties: dict[str, object] = dict.fromkeys(word.fields, _ANY)
    return {"type": "object", "properties": {**properties, word.name: value}, "additionalProperties": False}


def project_schema() -> dict[str, object]:
    """Return the schema of `config/project.yaml`."""
    queue = {"anyOf": [fields_schema(project.QUEUE), {"type": "null"}]}
    found = _with(
        fields_schema(project.FIELDS),
        {"errors": _by_channel(), "queues": {"type": "object", "additionalProperties": queue}},
    )
    return {**_top("the project", []), **found, "$defs": definitions()}


def backends_schema() -> dict[str, object]:
    """Return the schema of `config/backends.yaml`."""
    backend = fields_schema(backend_file.BACKEND)
    backend["additionalProperties"] = False
    backend["patternProperties"] = {
        f"^(?!(?:{'|'.join(field.name for field in backend_file.BACKEND)})$)[a-z][a-z0-9_]*$": {
            **fields_schema(backend_file.OPERATION),
            "oneOf": [{"required": [method]} for method in backend_file.METHODS],
        }
    }
    return {
        **_top("back ends: operations and events", []),
        "patternProperties": {_NAME: backend},
        "additionalProperties": False,
    }


def settings_schema() -> dict[str, object]:
    """Return the schema of `config/gateway.yaml`."""
    return {**_top("the settings of the gateway", []), **fields_schema(settings.FIELDS)}


def texts_schema() -> dict[str, object]:
    """Return the schema of `texts/<lang>.yaml`."""
    return {
        **_top("translations by their source text", []),
        "additionalProperties": {"type": ["string", "number"]},
    }


SCHEMAS: Mapping[str, tuple[Callable[[], dict[str, object]], tuple[str, ...]]] = {
    "flow": (flow_schema, ("flows/*.yaml", "!flows/*.test.yaml")),
    "test": (tests_schema, ("flows/*.test.yaml",)),
    "project": (project_schema, ("config/project.yaml",)),
    "backends": (backends_schema, ("config/backends.yaml",)),
    "gateway": (settings_schema, ("config/gateway.yaml",)),
    "texts": (texts_schema, ("texts/*.yaml", "flows/texts/*.yaml")),
}
"""Every schema by its name, with the files it is for."""


def _top(title: str, required: Sequence[str]) -> dict[str, object]:
    top: dict[str, object] = {"$schema": DIALECT, "title": title, "type": "object"}
    if required:
        top["required"] = list(required)
    return top


def _with(schema: dict[str, object], fields: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    """Return a table's schema with better ones for some of its fields; their sentences stay."""
    properties = schema["properties"]
    assert isinstance(properties, dict)
    changed = {
        name: {**better, "description": properties[name]["description"]} for name, better in fields.items()
    }
    return {**schema, "properties": {**properties, **changed}}


def _by_channel() -> dict[str, object]:
    return {
        "type": "object",
        "properties": dict.fromkeys(_CHANNELS, _REF),
        "additionalProperties": False,
    }


def _one_or_more(schema: Mapping[str, object]) -> dict[str, object]:
    return {"if": {"type": "array"}, "then": {"items": schema}, "else": schema}


def _or_null(schema: Mapping[str, object]) -> dict[str, object]:
    return {"anyOf": [schema, {"type": "null"}]}
