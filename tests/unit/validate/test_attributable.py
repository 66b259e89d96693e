"""A kind whose objects nobody can tell apart is refused where several agents may make them.

The one impossible cell of the fault model (sections 1 and 8): names that may be the same, no mark, two agents or more.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from agent.cli.checking import check
from agent.cli.options import Options
from agent.config import load_config

CONFIG = """\
apiVersion: datakeel/v1
source: {path: .}
targets:
  ops:
    platform: dataloop
    server: https://loop.example
    credentials: {token: {env: TOKEN}}
    settings: {organization: o}
"""
ANNOTATION = """\
apiVersion: dataloop/v1
kind: Annotation
metadata: {name: deploy v23, account: production, stream: releases}
spec: {description: The new checkout}
"""
RULE = """\
---
apiVersion: dataloop/v1
kind: Plugin
metadata: {name: probe, account: production}
spec: {content: "echo 1"}
"""


@pytest.mark.parametrize(
    ("more", "refused"),
    [
        ("", False),  # a file: one agent
        ("state: {url: postgresql://u@127.0.0.1:9/keel}\n", True),
        ("state: {url: postgresql://u@127.0.0.1:9/keel}\nreplicas: 1\n", False),
        ("replicas: 1\n", False),
        ("replicas: 2\n", True),
    ],
)
def test_it_is_refused_unless_there_is_one_agent(tmp_path: Path, more: str, refused: bool) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "datakeel.yaml").write_text(CONFIG + more)
    (tmp_path / "ops.yaml").write_text(ANNOTATION + RULE)
    config = load_config(None, {}, tmp_path)
    (desired,) = check(config, Options(verb="validate", worktree=True))
    told = [problem for problem in desired.problems if problem.code == "replicas-unsafe"]
    assert [(problem.where.path, problem.where.line) for problem in told] == ([("ops.yaml", 1)] if refused else [])
    assert "Annotation" in {key.kind for key in (desired.broken if refused else desired.resources)}
    assert "Plugin" in {key.kind for key in (*desired.resources, *desired.broken)}
