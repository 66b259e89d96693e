"""The platform folders that travel with the package, and their sample answers. Knows no platform by name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from agent import yaml_io
from agent.definitions.load import available, load_platform
from agent.definitions.platform import Platform
from agent.model.canonical import from_json

EXPECTED = re.compile(r"^# expect: (\S+ \d+:\d+)$", re.MULTILINE)
WITHOUT_DEFAULTS = "# without defaults"


def folders() -> list[tuple[str, Path]]:
    """Every bundled definition: ``acme/v1`` and its folder."""
    return sorted(available().items())


def examples(kind: str) -> list[Any]:
    """The manifests in ``examples/<kind>`` of every folder, as (definition, path)."""
    return [
        (name, path)
        for name, folder in folders()
        for path in sorted((folder / "examples" / kind).glob("*"))
        if path.suffix in (".yaml", ".yml", ".json")
    ]


def example_id(value: Any) -> str:
    return value.stem if isinstance(value, Path) else str(value)


def defaults_of(platform: Platform, text: str) -> dict[str, str]:
    """What a target's ``defaults`` would say: a name for every scope word, unless the manifest is shown without."""
    if WITHOUT_DEFAULTS in text:
        return {}
    return {word.word: "example" for kind in platform.kinds.values() for word in kind.scope}


@cache
def loaded(name: str) -> Platform:
    return load_platform(name)


def answers(folder: Path) -> Iterator[tuple[str, Any]]:
    """File name without its ending, and body, of each sample answer."""
    for path in sorted((folder / "examples" / "answers").glob("*.*")):
        source = path.read_bytes()
        if path.suffix == ".json":
            yield path.stem, from_json(source)
        else:
            yield path.stem, yaml_io.load(source, yaml_io.REPLY_BUDGET).documents[0].value
