"""Names that a command line may hold, found without loading anything heavy: for ``completing``.

Targets and platforms are read off the text of ``datakeel.yaml`` line by line: parsing it takes longer than all else,
and a name that is missing in unusual YAML is a name that has to be typed.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import agent
from agent.errors import AgentError

RESOURCES_MAX = 2000
_PLATFORM = re.compile(r"^[^#\n]*\bplatform:[ ]*[\"']?([a-z][a-z0-9-]*)", re.MULTILINE)
_TARGETS = re.compile(r"^targets:[ ]*(?:#.*)?\n((?:[ ]+.*\n|[ ]*(?:#.*)?\n)*)", re.MULTILINE)
_NAME = re.compile(r"^( +)[\"']?([A-Za-z0-9][A-Za-z0-9._-]*)[\"']?:", re.MULTILINE)


class Names:
    """What is known in a folder, under a configuration that may be named."""

    def __init__(self, config: str | None, environ: Mapping[str, str], cwd: Path) -> None:
        self._named = Path(config) if config else None
        self._environ = environ
        self._cwd = cwd

    def targets(self) -> list[str]:
        """Those of the configuration, in its order."""
        block = _TARGETS.search(f"{self._text}\n")
        found = _NAME.findall(block[1]) if block else []
        depth = min((len(indent) for indent, _ in found), default=0)
        return [name for indent, name in found if len(indent) == depth]

    def platforms(self) -> list[str]:
        """All that travel with the program, and those that targets name."""
        bundled = (path.parent.name for path in _bundled().glob("*/platform.yaml"))
        return sorted({*bundled, *_PLATFORM.findall(self._text)})

    def kinds(self) -> list[str]:
        """Those of the platforms of all targets; of every platform where there is no target."""
        wanted = dict.fromkeys(_PLATFORM.findall(self._text)) or dict.fromkeys(self.platforms())
        found: set[str] = {kind for kind, _, _ in self._keys}
        for name in wanted:
            found |= self._kinds_of(name)
        return sorted(found)

    def has_resources(self, kind: str) -> bool:
        """Whether any of this kind is known."""
        return any(each == kind for each, _, _ in self._keys)

    def resources(self, kind: str, begun: str) -> list[str]:
        """Those of a kind that the state knows: ``Kind/name``, with its scope where that is asked for or needed."""
        mine = [(scope, name) for each, scope, name in self._keys if each == kind]
        times = Counter(name for _, name in mine)
        short = [f"{kind}/{name}" for _, name in mine if times[name] == 1]
        whole = ["/".join((kind, *scope, name)) for scope, name in mine if begun.count("/") > 1 or times[name] > 1]
        return sorted({*short, *whole})

    @staticmethod
    def codes() -> list[str]:
        """Error codes."""
        from agent.viewing.error_codes import explanations

        return sorted(explanations())

    def _kinds_of(self, platform: str) -> set[str]:
        files = [_bundled() / platform / "manifest.schema.json"]
        if self._file is not None:
            files += sorted((self._file.parent / ".schemas" / platform).glob("*.json"))
        found: set[str] = set()
        for file in files:
            try:
                words = json.loads(file.read_bytes()).get("x-kinds", {})
                found |= {*words.get("managed", ()), *words.get("observed", ())}
            except (OSError, ValueError, AttributeError):
                continue
        return found

    @cached_property
    def _file(self) -> Path | None:
        from agent.config.state import find_config

        try:
            return find_config(self._named, self._environ, self._cwd)
        except AgentError:
            return None

    @cached_property
    def _text(self) -> str:
        from agent.config.state import read_config_file

        try:
            return read_config_file(self._file).decode("utf-8", "replace") if self._file else ""
        except AgentError:
            return ""

    @cached_property
    def _keys(self) -> list[tuple[str, tuple[str, ...], str]]:
        from agent.config.state import find_state
        from agent.store.status import known_keys

        try:
            return known_keys(find_state(self._named, self._environ, self._cwd), RESOURCES_MAX)
        except AgentError:
            return []


def names_here(config: str | None) -> Names:
    """Those of the working folder."""
    return Names(config, os.environ, Path.cwd())


def _bundled() -> Path:
    """As ``definitions.files.bundled_schemas``, which would load a reader of YAML."""
    package = Path(agent.__file__).parent
    inside = package / "schemas"
    return inside if inside.is_dir() else package.parent / "schemas"
