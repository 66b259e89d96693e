"""The words of a manifest that every platform has, as schemas with hover text: metadata and lifecycle. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.definitions.field_words import one_of_kind
from agent.definitions.platform import ActionRule, Kind, Platform, ScopeWord
from agent.validate.lifecycle import DRIFT_MODES, REPLACE_WORDS
from agent.validate.names import NAME_MAX

POINTERS = {"type": "array", "items": {"$ref": "#/definitions/pointer"}}
# Nothing that means something in an address, no control characters, none that are not seen, no blanks.
_LETTER = r"[^/\\?#%\s\u0000-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]"
_NO_PARENT = r"(?!(.*/)?\.(/|$))(?!.*\.\.)"


def name_word(kind: Kind) -> dict[str, Any]:
    """``metadata.name`` of a kind. What the platform asks of names is told and not enforced: others exist."""
    letters = f"{_LETTER}+" if kind.unique else f"{_LETTER}+( +{_LETTER}+)*"
    described = (kind.schema or {}).get("$defs", {}).get("name")
    asked = described if isinstance(described, Mapping) else {}
    word: dict[str, Any] = {
        "type": "string",
        "minLength": 1,
        "maxLength": NAME_MAX,
        "pattern": f"^{_NO_PARENT}{letters}$",
        "patternErrorMessage": "a name holds no blank, no / \\ ? # % and no two dots",
        "description": " ".join(filter(None, ("What the resource is called.", str(asked.get("description", ""))))),
    }
    return word | ({"examples": asked["examples"]} if "examples" in asked else {})


def scope_word(word: ScopeWord) -> dict[str, Any]:
    """A word of ``metadata`` that names what the resource stands in."""
    what = f"The name of {one_of_kind(word.kind)}" if word.kind else f"A name, the {word.word}"
    rest = "optional." if word.optional else "without it that of the target's `defaults` in datakeel.yaml."
    return {
        "type": ["string", "null"],
        "minLength": 1,
        "maxLength": NAME_MAX,
        "pattern": f"^{_NO_PARENT}{_LETTER}+(/{_LETTER}+)*$",
        "patternErrorMessage": "a name holds no blank, no \\ ? # % and no two dots",
        "description": f"{what}; {rest}",
    }


def metadata_of(kind: Kind) -> dict[str, Any]:
    """What the resource is called and where it stands."""
    return {
        "type": "object",
        "required": ["name"],
        "properties": {"name": name_word(kind), **{word.word: scope_word(word) for word in kind.scope}},
        "additionalProperties": False,
        "description": "What the resource is called and where it stands.",
    }


def lifecycle_of(platform: Platform) -> dict[str, Any]:
    """What the agent may do with a resource. Actions differ from kind to kind, see :func:`actions_of`."""
    return {
        "type": ["object", "null"],
        "description": "What datakeel may do with the resource, where it differs from the target's own rules.",
        "additionalProperties": False,
        "properties": {
            "dependsOn": _dependencies(platform),
            "protect": {
                "type": "boolean",
                "default": True,
                "description": "Never deleted and never replaced, also when its manifest leaves git.",
            },
            "drift": {
                "enum": list(DRIFT_MODES),
                "markdownEnumDescriptions": [
                    "What others changed is set back to what git says.",
                    "What others changed is told and left.",
                    "What others changed is neither told nor set back.",
                ],
                "description": "What happens when somebody changes the resource past git: heal, report or off.",
            },
            "replace": {
                "enum": list(REPLACE_WORDS),
                "markdownEnumDescriptions": [
                    "A change that is not possible in place deletes the resource and creates it anew.",
                    "Such a change is held.",
                ],
                "description": "Whether a change that the platform does not allow in place may delete and create anew.",
            },
            "createOnly": {
                **POINTERS,
                "description": "Places of `spec` that count when the resource is created, and are left alone later.",
                "examples": [["/schedule"]],
            },
            "ignore": {
                **POINTERS,
                "description": "Places of `spec` that are never compared and never written to what is there.",
                "examples": [["/description"]],
            },
            "movedFrom": {
                "type": "string",
                "minLength": 1,
                "maxLength": NAME_MAX,
                "description": "The name that it had before: it is renamed, or made anew before the old one goes.",
            },
            "actions": {
                "type": ["object", "null"],
                "description": "What the platform is to do once for each content of the manifest.",
            },
        },
    }


def _dependencies(platform: Platform) -> dict[str, Any]:
    kinds = "|".join(sorted(platform.kinds))
    resource = {
        "type": "string",
        "pattern": r"^[^/]+(/[^/]+)+$",
        "patternErrorMessage": "write Kind/name or Kind/scope/name",
    }
    return {
        "type": "array",
        "description": "What is applied before this one and deleted after it: `Kind/name`, "
        "`Kind/scope/name`, or `{target: NAME}` for all of another target.",
        "examples": [[f"{next(iter(platform.kinds))}/name"]],
        "items": {
            "type": ["string", "object"],
            "pattern": f"^({kinds})/.*[^/]$",
            "patternErrorMessage": "write Kind/name or Kind/scope/name, of a kind of this platform",
            "required": ["target"],
            "additionalProperties": False,
            "properties": {
                "target": {
                    "type": "string",
                    "minLength": 1,
                    "description": "The name of another target: of all that is in it, or of one resource.",
                },
                "resource": {**resource, "description": "One resource of that target."},
            },
        },
    }


def pointer_word() -> dict[str, Any]:
    """A place inside of ``spec``."""
    return {
        "type": "string",
        "pattern": r"^(/([^/~]|~[01])*)+$",
        "patternErrorMessage": "a pointer into `spec`: it starts with / and has / between its words",
        "description": "A place of `spec`, as RFC 6901 writes it: /schedule/cron.",
    }


def actions_of(kind: Kind) -> dict[str, Any]:
    """``lifecycle.actions`` of a kind: what can be asked for, with its arguments."""
    return {
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": {name: _action(rule) for name, rule in sorted(kind.actions.items())},
    }


def _action(rule: ActionRule) -> dict[str, Any]:
    told = f"{rule.method} {rule.request.source}" + (f"; careful: {rule.careful}" if rule.careful else "")
    return {
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": {name: dict(schema) for name, schema in sorted(rule.args.items())},
        "description": told,
    }
