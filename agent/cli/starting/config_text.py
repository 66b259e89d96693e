"""A new ``datakeel.yaml`` as text, each thing that a reader may want to change with a line that says so; and its check.

Used by ``begin`` and, for the file that is deployed, by ``deploying``.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from agent import yaml_io
from agent.config.load import load_config
from agent.config.model import Config
from agent.config.settings import check_settings
from agent.definitions.platform import Platform
from agent.errors import ConfigError, UsageError

_HEAD = (
    "# What datakeel manages, where, with which credential, under which policy. `datakeel doctor` examines all of it.\n"
)
_COMMENTS = {
    "credentials": "references, never values: {env: NAME}, {file: PATH} or {exec: [COMMAND, …]}",
    "defaults": "for manifests that do not say it",
    "confirmed": "no document prints these calls; an emulator has them, so they may be sent",
    "prune": "true: what leaves git is deleted, with proof that it is ours, and within limits",
    "drift": "heal: what people change by hand is put back",
}


def config_text(
    targets: Mapping[str, Mapping[str, Any]], schemas: Sequence[str], notes: Mapping[str, str], source: str
) -> str:
    """The whole file. ``notes`` has a line for the server of a target; ``source`` are the lines of that block."""
    parts = [_HEAD, "apiVersion: datakeel/v1\n", source]
    if schemas:
        parts.append("# platforms of our own, one folder each\n" + yaml_io.dump({"schemas": list(schemas)}))
    parts.append("targets:\n")
    told: set[str] = set()
    for name, target in targets.items():
        parts += [_indented(yaml_io.dump({name: None}).replace(": null", ":"), 2)]
        parts += _target_lines(target, notes.get(name), told)
    return "".join(parts)


def source_of_here() -> str:
    """``source`` of a configuration that lies in the repository which it is about."""
    return "# this repository: diff reads its files as they are, apply and run read its commits\n" + yaml_io.dump(
        {"source": {"path": "."}}
    )


def checked(text: str, schemas: Sequence[Path], platforms: Mapping[str, Platform]) -> Config:
    """The text as a configuration. Raises UsageError: whatever is wrong in it was said on the command line."""
    with tempfile.TemporaryDirectory(prefix="datakeel-init-") as folder:
        place = Path(folder)
        (place / "datakeel.yaml").write_text(text, encoding="utf-8")
        try:
            config = load_config(place / "datakeel.yaml", {}, place, schemas)
            for name, platform in platforms.items():
                check_settings(config.targets[name], platform)
        except ConfigError as error:
            first = error.problems[0] if error.problems else error
            raise UsageError(first.what, got=first.got, why=first.why, fix=first.fix) from error
    return config


def _target_lines(target: Mapping[str, Any], note: str | None, told: set[str]) -> Iterator[str]:
    for word, value in target.items():
        comment = note if word == "server" else None if word in told else _COMMENTS.get(word)
        told.add(word)
        if comment is not None:
            yield f"    # {comment}\n"
        yield _indented(yaml_io.dump({word: value}), 4)


def _indented(text: str, by: int) -> str:
    return "".join(f"{' ' * by}{line}\n" for line in text.splitlines())


def relative(folder: Path, start: Path) -> str:
    """A folder as a file in ``start`` names it."""
    return Path(os.path.relpath(folder.resolve(), start.resolve())).as_posix()
