"""What an editor is told: which schema a file has. Used by ``begin``.

The schemas are copied into the repository, so that they help everybody who opens it, also without an installation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from agent.config.model import Config
from agent.config.state import CONFIG_NAME
from agent.definitions.load import bundled_schemas
from agent.definitions.platform import Platform

_FOLDER = ".vscode/datakeel"


def editor_files(config: Config, platforms: Mapping[str, Platform], prefix: str) -> dict[str, str]:
    """The settings of the workspace, and the schemas that they name, by path from the top of the repository."""
    schema = f"{_FOLDER}/{CONFIG_NAME.partition('.')[0]}.schema.json"
    associated: dict[str, Any] = {f"./{schema}": [f"{prefix}/{CONFIG_NAME}" if prefix else CONFIG_NAME]}
    settings = json.dumps({"yaml.schemas": associated}, indent=2)
    text = (bundled_schemas() / "datakeel.schema.json").read_text(encoding="utf-8")
    return {".vscode/settings.json": f"{settings}\n", schema: text}
