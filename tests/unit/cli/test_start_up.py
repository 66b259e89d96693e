"""What a verb loads before it can do anything. Start-up is imports, and one that crept in costs every run from then on.

The table is exact: a library that is no longer loaded leaves it, so that it cannot come back unseen.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from agent.cli.main import verbs
from agent.clock import SystemClock
from agent.store.store import Store
from tests.unit.cli.test_main import ROOT

HEAVY = {"aiohttp", "alembic", "anyio", "asyncio", "concurrent", "git", "h11", "httpx", "jmespath", "jsonschema", "ssl"}
HEAVY |= {"jsonschema_rs", "orjson", "sqlalchemy", "starlette", "structlog", "watchfiles", "yaml"}
HEAVY |= {"sqlalchemy.dialects.postgresql"}  # a fifth of SQLAlchemy, for those who keep their store on a server
HEAVY |= {"agent.source.mirror", "agent.source.mount"}  # a local repository is neither
HEAVY |= {"agent.cli.at_work"}  # pages, receivers and notifications of an agent that stays
HEAVY |= {"dataclasses", "pathlib"}  # of Python itself: each is half of a bare interpreter, or more
CONFIG = """\
apiVersion: datakeel/v1
source: {path: .}
state: state.db
targets:
  main: {platform: dataos, server: 'http://127.0.0.1:1', folder: manifests, credentials: {token: {env: TOKEN}}}
"""
MANIFEST = "name: lake\ntype: secret\nversion: v1\nsecret: {type: key-value, acl: r, data: {a: {secretRef: a}}}\n"

DEFINITIONS = "dataclasses jmespath jsonschema_rs orjson pathlib yaml"
STORE = "sqlalchemy asyncio concurrent orjson ssl"
AGENT = f"{DEFINITIONS} {STORE} h11 httpx structlog"
# What is run in one process, what of HEAVY is loaded at its end, whether a store is there.
TABLE: dict[str, tuple[Sequence[Sequence[str]], str, bool]] = {
    "help and version": ([["--help"], ["version"]], "", False),
    "status and history": ([["status"], ["history"], ["explain", "usage"]], "pathlib", True),
    "help of every verb": ([[name, "--help"] for name in verbs()], "pathlib", False),
    "what may come next": (
        [["completion", "bash", "--", "get", "Secret/"], ["completion", "zsh", "--", "diff", "--target", ""]],
        "pathlib",
        True,
    ),
    "explain a kind": ([["explain", "Secret"]], DEFINITIONS, False),
    "check without a store": ([["validate"], ["render"]], DEFINITIONS, False),
    "check with a store": ([["validate"], ["render"]], f"{DEFINITIONS} {STORE}", True),
    "compare revisions": ([["diff", "--offline", "--base", "main"]], AGENT + " git", True),
    "look after the store": ([["doctor", "--no-network"], ["resume", "--all"]], f"{DEFINITIONS} {STORE} git", True),
    "plan and apply": ([["diff"], ["apply", "--yes"]], AGENT + " git", True),
    "one pass": ([["run", "--once"]], AGENT + " git", True),
}
_PROGRAM = """
import json, os, sys
from agent.cli.main import main
for words in json.loads(sys.argv[1]):
    try:
        main(words)
    except SystemExit:
        pass
os.write(int(sys.argv[2]), json.dumps(sorted(sys.modules)).encode())
"""


@pytest.mark.parametrize("case", TABLE)
def test_a_verb_loads_the_libraries_it_works_with_and_no_other(case: str, tmp_path: Path) -> None:
    commands, heavy, has_store = TABLE[case]
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "a.yaml").write_text(MANIFEST)
    (tmp_path / "datakeel.yaml").write_text(CONFIG)
    author = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    for words in (["init", "-q", "-b", "main"], ["add", "."], [*author, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    if has_store:
        Store.open(f"sqlite:///{tmp_path / 'state.db'}", clock=SystemClock()).close()
    reading, writing = os.pipe()
    with open(reading, "rb") as told:
        try:
            subprocess.run(
                [sys.executable, "-c", _PROGRAM, json.dumps(commands), str(writing)],
                cwd=tmp_path,
                env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TOKEN": "x"},
                pass_fds=[writing],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=True,
            )
        finally:
            os.close(writing)
        loaded = set(json.loads(told.read()))
    assert loaded & HEAVY == set(heavy.split())
