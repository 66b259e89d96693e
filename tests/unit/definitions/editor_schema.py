"""Says the vocabulary as a JSON Schema: what schemas/platform.schema.json must be, but for its descriptions.

``python -m tests.unit.definitions.editor_schema`` rewrites the file and keeps the descriptions that stand in it.
"""

import json
import re
from pathlib import Path

from agent.definitions import maps, shapes
from agent.definitions.vocabulary import ANSWERS, CODECS, DEFINITION, FORMAT

PATH = Path(__file__).parents[3] / "schemas" / "platform.schema.json"
SHARED = {
    "expression": shapes.Jmes(),
    "request line": shapes.Line(),
    "path": shapes.PathLine(),
    "pointer": shapes.Pointer(),
    "duration": shapes.Duration(),
    "codec": shapes.OneOf(CODECS),
    "answer": shapes.OneOf(ANSWERS),
    "text with placeholders": shapes.Body(text=True),
    "reason": shapes.Text("a sentence that says why"),
}


def editor_schema() -> dict:
    """The vocabulary as one closed JSON Schema."""
    definitions: dict = {}
    root = _word_map(DEFINITION, definitions)
    root["type"] = "object"
    root["properties"]["format"] = {"const": FORMAT}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "platform.yaml of datakeel",
        **root,
        "$defs": dict(sorted(definitions.items())),
    }


def without_descriptions(node):
    """A schema without ``description``, where that is an annotation and not the name of a member."""
    if isinstance(node, list):
        return [without_descriptions(element) for element in node]
    if not isinstance(node, dict):
        return node
    return {
        key: {name: without_descriptions(member) for name, member in value.items()}
        if key in ("properties", "$defs")
        else without_descriptions(value)
        for key, value in node.items()
        if key != "description"
    }


def with_descriptions(node, old):
    """The descriptions of an older schema put into a newer one, where the path is the same."""
    if isinstance(node, dict) and isinstance(old, dict):
        text = old.get("description")
        merged = {"description": text} if isinstance(text, str) else {}
        return merged | {key: with_descriptions(value, old.get(key)) for key, value in node.items()}
    return node


def _schema_of(shape, definitions) -> dict:
    """A shape; null is allowed wherever a word may stand, for it removes what is inherited."""
    if isinstance(shape, maps.WordMap):
        return _defined(re.sub(r"^(an?|the) ", "", shape.called), lambda: _word_map(shape, definitions), definitions)
    if isinstance(shape, maps.Named):
        names = {"propertyNames": {"pattern": _whole(shape.pattern)}} if shape.pattern else {}
        return {"type": ["object", "null"], **names, "additionalProperties": _schema_of(shape.shape, definitions)}
    if isinstance(shape, maps.ListOf):
        one = _schema_of(shape.shape, definitions)
        several = {"type": ["array", "null"], "minItems": 1, "items": one}
        return {"anyOf": [one, several]} if shape.single else several
    if isinstance(shape, maps.Either):
        return {"anyOf": [_schema_of(s, definitions) for s in (shape.text, shape.map, shape.other) if s]}
    for name, like in SHARED.items():
        if shape == like:
            return _defined(name, lambda: _scalar(shape), definitions)
    return _scalar(shape)


def _defined(called, make, definitions) -> dict:
    name = re.sub(r"[^a-z]+", "-", called.lower())
    if name not in definitions:
        definitions[name] = {}  # a word map may come round to itself
        definitions[name] = make()
    return {"$ref": f"#/$defs/{name}"}


def _scalar(shape) -> dict:
    text = {"type": ["string", "null"]}
    match shape:
        case shapes.Text(pattern=pattern):
            return text | ({"pattern": _whole(pattern)} if pattern else {"minLength": 1})
        case shapes.Flag():
            return {"type": ["boolean", "null"]}
        case shapes.Whole(minimum=low, maximum=high):
            return {"type": ["integer", "null"], "minimum": low, "maximum": high}
        case shapes.Duration():
            return text | {"pattern": _whole(shapes.DURATION)}
        case shapes.OneOf(values=values):
            return {"enum": [*values, None]}
        case shapes.Jmes():
            return text | {"minLength": 1, "maxLength": 500}
        case shapes.Body(text=True):
            return text
        case shapes.Line():
            return text | {"pattern": f"^({'|'.join(shapes.METHODS)}) +/"}
        case shapes.PathLine() | shapes.Pointer():
            return text | {"pattern": "^/"}
        case shapes.Regex():
            return text | {"maxLength": 200}
        case shapes.Scalar():
            return {"type": ["string", "number", "boolean"]}
        case shapes.RawMap():
            return {"type": ["object", "null"]}
        case shapes.Anything() | shapes.Body():
            return {}
    raise AssertionError(f"no JSON Schema is known for {shape!r}")


def _word_map(shape, definitions) -> dict:
    words = {word: _schema_of(member, definitions) for word, member in shape.words.items()}
    required = {"required": list(shape.required)} if shape.required else {}
    return {"type": ["object", "null"], **required, "additionalProperties": False, "properties": words}


def _whole(pattern) -> str:
    return f"^(?:{pattern.pattern})$"


def _text(node, indent="") -> str:
    """JSON with short members on one line."""
    line = json.dumps(node, ensure_ascii=False)
    if len(line) + len(indent) < 116 or not isinstance(node, dict | list):
        return line
    inner = indent + "  "
    if isinstance(node, list):
        return "[\n" + ",\n".join(inner + _text(element, inner) for element in node) + f"\n{indent}]"
    members = (f"{inner}{json.dumps(key)}: {_text(value, inner)}" for key, value in node.items())
    return "{\n" + ",\n".join(members) + f"\n{indent}}}"


def main() -> None:
    old = json.loads(PATH.read_text()) if PATH.exists() else {}
    PATH.write_text(_text(with_descriptions(editor_schema(), old)) + "\n")


if __name__ == "__main__":
    main()
