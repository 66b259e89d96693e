"""Bodies of the emulated DataOS: reading YAML and JSON, and the checks that answer 400.

Written from the API page (YAML bodies) and from the vendor's published facts on names. The codes and details of a 400
are guesses in the style of the page's one example. Called by both faces.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml

from agent.sandbox.messages import Refusal, Request

BODY_MAX = 1 << 20
_DEPTH_MAX = 200
_ALIASES_MAX = 100

INSTANCE_TYPES = frozenset(
    {"policy", "depot", "compute", "dataplane", "stack", "operator", "bundle", "instance-secret", "grant", "data"}
)
"""Types that live in no workspace, by `dataos-ctl resource get --help`; that `data`, which has a command of its own,
does so too is a guess."""

_JSON_TYPES = frozenset({"application/json"})
_YAML_TYPES = frozenset({"application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"})
_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?", re.ASCII)
_PLAIN_NAME = re.compile(r"[a-z][a-z0-9]*", re.ASCII)
_TYPE = re.compile(r"[a-z][a-z0-9-]*", re.ASCII)
_VERSION = re.compile(r"v[0-9]+[a-z0-9]*", re.ASCII)
_LONGEST = {"workspace": 32}


class _Loader(yaml.CSafeLoader):  # type: ignore[misc]
    """Dates stay text: a document becomes JSON, which has none."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the base class's own protocol
        first: [each for each in rules if each[0] != "tag:yaml.org,2002:timestamp"]
        for first, rules in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }


def invalid(message: str, **details: Any) -> Refusal:
    return Refusal(400, "INVALID_REQUEST", message, details or None)


def read_body(request: Request) -> dict[str, Any]:
    """The mapping in the body. Refusal 400 for another content type, broken syntax, or anything that is not JSON."""
    if len(request.body) > BODY_MAX:
        raise invalid(f"Body is larger than {BODY_MAX} bytes")
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if content_type in _JSON_TYPES:
            value = json.loads(request.body, parse_constant=_no_constant)
        elif content_type in _YAML_TYPES:
            value = _read_yaml(request.body)
        else:
            raise invalid("Content-Type must be application/yaml or application/json", content_type=content_type)
        document = _plain(value)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise invalid(f"Body cannot be read: {str(error).splitlines()[0] if str(error) else 'too deep'}") from error
    if not isinstance(document, dict):
        raise invalid("Body must be a mapping")
    return document


def one_workspace(body: Mapping[str, Any], request: Request) -> str | None:
    """From the body or the query. Refusal 400 when they differ (a guess)."""
    said, asked = body.get("workspace"), request.parameter("workspace")
    if said and asked and said != asked:
        raise invalid("'workspace' of the body and of the query differ", field="workspace")
    return said or asked


def check_document(document: Mapping[str, Any], *, strict_names: bool) -> None:
    """Refusal 400 unless the document has what every resource has, in the right form."""
    for word in ("name", "version", "type"):
        if word not in document:
            raise invalid(f"'{word}' is required", field=word)
        if not isinstance(document[word], str) or not document[word]:
            raise invalid(f"'{word}' must be text", field=word)
    check_type(document["type"])
    check_name(document["type"], document["name"], strict=strict_names)
    if not _VERSION.fullmatch(document["version"]):
        raise invalid("'version' must look like v1 or v1beta", field="version")
    for word in ("workspace", "description", "owner", "layer"):
        if document.get(word) is not None and not isinstance(document[word], str):
            raise invalid(f"'{word}' must be text", field=word)
    if document.get("workspace") is not None:
        check_name("workspace", document["workspace"], strict=strict_names, field="workspace")
    tags = document.get("tags")
    if tags is not None and not (isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)):
        raise invalid("'tags' must be a list of texts", field="tags")
    section = document.get(document["type"])
    if section is not None and not isinstance(section, dict):
        raise invalid(f"'{document['type']}' must be a mapping", field=document["type"])


def check_type(type_name: str) -> None:
    if not _TYPE.fullmatch(type_name):
        raise invalid("'type' must be lower-case words", field="type")


def check_name(type_name: str, name: str, *, strict: bool, field: str = "name") -> None:
    """`[a-z0-9]([-a-z0-9]*[a-z0-9])`, at most 48 (workspace: 32); cluster and depot `[a-z]([a-z0-9]*)`."""
    longest = _LONGEST.get(type_name, 48)
    pattern = _PLAIN_NAME if type_name in ("cluster", "depot") else _NAME
    if strict and not (len(name) <= longest and pattern.fullmatch(name)):
        raise invalid(f"'{field}' must match {pattern.pattern} and have at most {longest} characters", field=field)
    if not name or name in (".", "..") or "/" in name or not name.isprintable():
        raise invalid(f"'{field}' cannot be part of a path", field=field)


def _read_yaml(body: bytes) -> Any:
    # The composer recurses in C; what is too deep for it must be found by the parser, which does not.
    depth = aliases = 0
    for event in yaml.parse(body, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
        if depth > _DEPTH_MAX or aliases > _ALIASES_MAX:
            raise ValueError("too deep or too many aliases")
    return yaml.load(body, Loader=_Loader)  # noqa: S506 - a subclass of the safe loader


def _plain(value: Any) -> Any:
    """The value as JSON has it; keys become text."""
    if isinstance(value, dict):
        return {_key(key): _plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    if isinstance(value, float) and value - value != 0:
        raise ValueError("not a number that JSON has")
    if isinstance(value, str):
        value.encode()
    elif value is not None and not isinstance(value, bool | int | float):
        raise ValueError(f"a {type(value).__name__} has no place in JSON")
    return value


def _key(key: Any) -> str:
    if isinstance(key, str):
        key.encode()
        return key
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, int):
        return str(key)
    raise ValueError("keys must be text")


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")
