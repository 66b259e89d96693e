"""``datakeel.yaml`` and the variables that are laid over it: a whole configuration, or all mistakes and no secret."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from agent import yaml_io
from agent.config import load_config
from agent.errors import AgentError, ConfigError
from agent.live.connection import parse_server
from tests.fuzz.seeds import memory_folder
from tests.fuzz.target import Target

CANARY = "canary-config-77e1f0"
SPLIT = b"\n\x00\n"


@cache
def _folder() -> tuple[tempfile.TemporaryDirectory[str], Path]:
    """The folder object is kept with its path: it is removed when nothing holds it any more."""
    held = tempfile.TemporaryDirectory(prefix="datakeel-fuzz-", dir=memory_folder())
    return held, Path(held.name)


def run(data: bytes) -> None:
    source, _, variables = data.partition(SPLIT)
    folder = _folder()[1]
    (folder / "datakeel.yaml").write_bytes(source)
    environ = dict(_variable(line) for line in variables.decode("utf-8", "surrogateescape").split("\n") if line)
    try:
        config = load_config(None, environ, folder)
    except ConfigError as error:
        hidden = not variables and _only_in_secret_places(source)
        for problem in (error.as_problem(), *error.problems):
            assert problem.code and problem.what
            assert not hidden or CANARY not in repr(problem), problem
        return
    assert (config.targets and CANARY not in repr(config.targets)) or not _only_in_secret_places(source)
    for target in config.targets.values():
        if target.server is not None:
            try:
                origin = parse_server(target.server, allow_http=True)
            except AgentError:
                continue
            assert origin.host and "@" not in origin.authority and 0 < origin.port < 65536


def _variable(line: str) -> tuple[str, str]:
    name, _, value = line.partition("=")
    return "DATAKEEL_" + name.replace("\0", ""), value.replace("\0", "")


def _only_in_secret_places(source: bytes) -> bool:
    """Does the canary stand where a secret may stand, and nowhere else?"""
    loaded = yaml_io.load(source, yaml_io.CONFIG_BUDGET)
    if len(loaded.documents) != 1 or loaded.documents[0].broken or b"*" in source:
        return False
    return CANARY not in repr(_without_secret_places(loaded.documents[0].value))


def _without_secret_places(value: Any) -> Any:
    if not isinstance(value, dict) or not isinstance(value.get("targets"), dict):
        return value
    targets = {
        name: {word: member for word, member in target.items() if word not in ("credentials", "secrets", "hook")}
        if isinstance(target, dict)
        else target
        for name, target in value["targets"].items()
    }
    return {**value, "targets": targets}


BASE = b"""\
apiVersion: datakeel/v1
source: {path: ., branch: main, interval: 60s}
targets:
  main:
    platform: dataos
    server: https://api.example.com/base
    folder: manifests
"""
FULL = (
    BASE
    + b"""\
    settings: {}
    credentials: {token: {env: TOKEN}}
    secrets: {lake: {file: /run/lake}, other: {exec: [cat, x]}}
    prune: true
    drift: heal
    adopt: ifIdentical
    limits: {deletes_max: 10, deletes_share_max: 0.3}
    reserve: 20%
    verify: 5m
    windows: [{cron: "0 1 * * *", duration: 2h, timezone: Europe/Berlin}]
    defaults: {workspace: public}
"""
)


def seeds() -> Iterable[bytes]:
    yield BASE
    yield FULL
    yield BASE + f"    credentials: {{token: {CANARY}}}\n".encode()
    yield BASE + f"    credentials: {{token: {{value: {CANARY}}}}}\n    secrets: {{a: [{CANARY}]}}\n".encode()
    yield BASE + f"    credentials: {CANARY}\n".encode()
    yield FULL.replace(b"path: .", b"url: https://git.example.com/a.git") + b"server: {listen: 127.0.0.1:8080}\n"
    yield (
        FULL
        + SPLIT
        + b"SOURCE_INTERVAL=5 m\nTARGETS_MAIN_PRUNE=maybe\nTARGETS_MAIN_LIMITS_DELETES_MAX=-1\nSTATE=sqlite:///x"
    )
    root = Path(__file__).parents[3]
    yield from (path.read_bytes() for path in sorted(root.glob("manifests/**/datakeel.yaml")))


WORDS = (
    b"credentials: ",
    b"secrets: ",
    b"{env: X}",
    b"{file: /x}",
    b"{exec: [a]}",
    b"hook: ",
    CANARY.encode(),
    b"verify: ",
)
WORDS += (
    b"limits: {",
    b"reserve: ",
    b"windows: ",
    b"cron: ",
    b"duration: ",
    b"1h",
    b"20%",
    b"off",
    b"adopt: ",
    b"state: ",
)
WORDS += (
    b"sqlite:///",
    b"postgresql://u:p@h/d",
    b"server: ",
    b"https://",
    b"confirmed: [",
    b"schemas: [",
    SPLIT,
    b"TARGETS_MAIN_",
)
TARGETS = (Target("configuration", run, seeds, WORDS),)
