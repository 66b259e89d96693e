"""Where ``{secretRef: NAME}`` may stand in a manifest, said in a schema: at declared secrets, and where a name tells.

A name is judged more generously than by ``model/secret_names``: by what such a name must hold. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from agent.model.secret_names import REFERENCE, STEMS

SECRET_REFERENCE = "secretReference"  # noqa: S105 - names of definitions
FREE = {"$ref": "#/definitions/free"}
FREE_SECRET = {"$ref": "#/definitions/freeSecret"}
NO_REFERENCE = {"$ref": "#/definitions/noReference"}
_TO_REFERENCE = {"$ref": f"#/definitions/{SECRET_REFERENCE}"}
_ANNOTATIONS = frozenset({"description", "markdownDescription", "title", "default", "examples", "deprecationMessage"})
_MISPLACED = "a secret reference stands where this kind holds no secret, so nothing would resolve it"


def sounding(declared: Iterable[str]) -> str:
    """A pattern of names that may be those of secrets, in any case, but for the declared ones."""
    stems = "|".join("".join(f"[{letter}{letter.upper()}]" for letter in stem.decode()) for stem in STEMS)
    others = "|".join(re.escape(name) for name in sorted(declared))
    return f"^(?!(?:{others})$).*(?:{stems})" if others else stems


def definitions() -> dict[str, Any]:
    """What other schemas refer to."""
    reference = {"type": "object", "required": [REFERENCE], "maxProperties": 1}
    pair = {"anyOf": [{"required": ["name"]}, {"required": ["key"]}]}  # {name: DB_PASSWORD, value: …}
    members = {
        "if": pair,
        "then": {"properties": {"value": FREE_SECRET}},
        "else": {"properties": {"value": FREE}},
        "properties": {"value": {}},
        "patternProperties": {sounding(["value"]): FREE_SECRET},
        "additionalProperties": FREE,
    }
    refused = {"not": {**reference, "properties": {REFERENCE: {"type": "string"}}}, "errorMessage": _MISPLACED}
    return {
        SECRET_REFERENCE: {
            "title": "Reference to a secret",
            "type": "object",
            "required": [REFERENCE],
            "additionalProperties": False,
            "properties": {
                REFERENCE: {
                    "type": "string",
                    "minLength": 1,
                    "description": "A name among the target's `secrets` in datakeel.yaml, which says where it is kept.",
                }
            },
            "description": "The secret stays out of git: `{secretRef: NAME}`, a name among the target's `secrets`.",
            "defaultSnippets": [{"label": REFERENCE, "body": {REFERENCE: "${1:NAME}"}}],
        },
        "noReference": refused,
        "free": {**refused, "items": FREE, **members},
        "freeSecret": {"items": FREE_SECRET, **members},
    }


def scalar(made: Any) -> dict[str, Any]:
    """A secret in clear is a single value, never a mapping that looks like a reference to elsewhere."""
    schema = dict(made) if isinstance(made, Mapping) else {}
    types = [schema.get("type", [])] if isinstance(schema.get("type"), str) else schema.get("type", [])
    if types and not {"object", "array"} & set(types):
        return schema
    return {**schema, "allOf": [*schema.get("allOf", ()), {"not": {"type": ["object", "array"]}}]}


def or_reference(made: Mapping[str, Any]) -> dict[str, Any]:
    """What stands there, or a reference to it."""
    if _TO_REFERENCE in made.get("anyOf", ()):
        return dict(made)
    words = {word: made[word] for word in ("title", "description", "markdownDescription") if word in made}
    return {**words, "anyOf": [made, _TO_REFERENCE]}


def opened(made: Any) -> Any:
    """For what only its name gives away: a list of secrets is opened in its elements, an object not at all."""
    if not isinstance(made, Mapping):
        return made
    types = made.get("type")
    if is_free(made):
        return {**{word: made[word] for word in made.keys() & _ANNOTATIONS}, "allOf": [FREE_SECRET]}
    if types == "array" or (isinstance(types, list) and "array" in types):
        return {**made, "items": opened(made["items"])} if "items" in made else made
    return made if types in ("object", "boolean") or "properties" in made else or_reference(made)


def free(made: Mapping[str, Any]) -> dict[str, Any]:
    """Anything, but no reference where nobody would resolve it."""
    return {**made, "allOf": [FREE]} if made else FREE


def is_open(made: Any) -> bool:
    """Whether nothing limits what may stand there."""
    return made is True or (isinstance(made, Mapping) and not made.keys() - _ANNOTATIONS)


def is_free(made: Any) -> bool:
    """Whether it is what :func:`free` makes."""
    return made == FREE or (isinstance(made, Mapping) and made.get("allOf") == [FREE])
