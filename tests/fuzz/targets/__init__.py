"""The targets by name. A module is loaded when one of its targets is asked for, so that a child holds no more."""

from __future__ import annotations

from importlib import import_module

from tests.fuzz.target import Target

_HOMES = {
    "yaml": "yaml_text",
    "manifests": "manifests",
    "overlays": "overlays",
    "definitions": "definitions",
    "expressions": "expressions",
    "schemas": "schemas",
    "json": "codecs",
    "msgpack": "codecs",
    "answers": "answers",
    "bodies": "answers",
    "paging": "paging",
    "http": "wire",
    "frames": "frames",
    "rates": "rates",
    "events": "hooks",
    "hooks": "hooks",
    "pushes": "hooks",
    "tree": "trees",
    "objects": "trees",
    "sources": "trees",
    "git": "git_objects",
    "configuration": "configuration",
    "redactor": "secrecy",
    "escape": "secrecy",
    "addresses": "addresses",
    "servers": "addresses",
}
NAMES = tuple(_HOMES)


def load(name: str) -> Target:
    """The target of a name in :data:`NAMES`."""
    targets: tuple[Target, ...] = import_module(f"tests.fuzz.targets.{_HOMES[name]}").TARGETS
    return next(target for target in targets if target.name == name)
