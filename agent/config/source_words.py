"""The words of ``source``: which repository is followed, how it is reached, and who must have signed what is followed.

Called by ``config.load``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.config.checks import seconds_of
from agent.config.model import HookConfig, Signers, SourceConfig
from agent.config.references import reference_of, references_of


def source_of(source: Mapping[str, Any], folder: Path, withheld: frozenset[str]) -> SourceConfig:
    """``source`` of the configuration, which the schema has accepted; paths are relative to ``folder``."""
    return SourceConfig(
        url=source.get("url"),
        path=path_of(source.get("path"), folder),
        mount=path_of(source.get("mount"), folder),
        branch=source.get("branch"),
        tag=source.get("tag"),
        commit=source["commit"].lower() if "commit" in source else None,
        interval_seconds=seconds_of(source.get("interval", "60s")),
        credentials=references_of(source.get("credentials"), folder, withheld),
        known_hosts=path_of(source.get("known_hosts"), folder),
        ca_file=path_of(source.get("ca_file"), folder),
        proxy=source.get("proxy"),
        allow_http=source.get("allow_http", False),
        signers=_signers(source.get("signers"), folder),
        hook=hook_of(source, folder, withheld),
    )


def hook_of(holder: Mapping[str, Any], folder: Path, withheld: frozenset[str]) -> HookConfig | None:
    """The ``hook`` of a source, or of a target."""
    return HookConfig(reference_of(holder["hook"]["secret"], folder, withheld)) if "hook" in holder else None


def _signers(signers: Mapping[str, str] | None, folder: Path) -> Signers | None:
    if signers is None:
        return None
    return Signers(path_of(signers.get("ssh"), folder), path_of(signers.get("gpg"), folder))


def path_of(written: str | None, folder: Path) -> Path | None:
    return None if written is None else Path(os.path.normpath(folder / written))
