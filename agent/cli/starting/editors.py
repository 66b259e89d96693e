"""What an editor is told: which schema a file has, and the schemas themselves. Used by ``begin``.

The schemas stand in the repository, so that they help everybody who opens it, also without an installation.
"""

from __future__ import annotations

import json

from agent.cli.schema_files import files_of_config, settings_of_config
from agent.config.model import Config


def schema_files(config: Config) -> dict[str, str]:
    """What ``datakeel schema`` writes, by path from the folder of ``datakeel.yaml``."""
    return {file.path: file.text for file in files_of_config(config)}


def settings(config: Config, prefix: str) -> dict[str, str]:
    """The settings of a workspace, by path from the top of the repository; ``prefix`` leads to ``datakeel.yaml``."""
    lead = f"{prefix}/" if prefix else ""
    associated = {
        f"{lead}{schema}": [f"{lead}{pattern}" for pattern in patterns]
        for schema, patterns in settings_of_config(config).items()
    }
    return {".vscode/settings.json": json.dumps({"yaml.schemas": associated}, indent=2, ensure_ascii=False) + "\n"}
