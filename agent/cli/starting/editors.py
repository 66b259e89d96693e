"""What an editor is told: which schema a file has, and the schemas themselves. Used by ``begin``.

The schemas stand in the repository, so that they help everybody who opens it, also without an installation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from agent.cli.schema_files import files_of
from agent.config.model import Config
from agent.definitions.platform import Platform
from agent.editor.files import associations


def schema_files(config: Config, platforms: Mapping[str, Platform]) -> dict[str, str]:
    """What ``datakeel schema`` writes, by path from the folder of ``datakeel.yaml``; ``platforms`` by target."""
    overlays = any(target.overlays for target in config.targets.values())
    return {file.path: file.text for file in files_of(platforms.values(), overlays=overlays)}


def settings(config: Config, platforms: Mapping[str, Platform], prefix: str) -> dict[str, str]:
    """The settings of a workspace, by path from the top of the repository; ``prefix`` leads to ``datakeel.yaml``."""
    lead = f"{prefix}/" if prefix else ""
    targets = [(platforms[name].api_version, target.folder, target.overlays) for name, target in config.targets.items()]
    associated = {
        f"{lead}{schema}": [f"{lead}{pattern}" for pattern in patterns]
        for schema, patterns in associations(targets, config.path.name).items()
    }
    return {".vscode/settings.json": json.dumps({"yaml.schemas": associated}, indent=2, ensure_ascii=False) + "\n"}
