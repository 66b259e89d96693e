"""Lists whose rows hold the whole spec: manifests, a repository and a sandbox of a platform that has such lists.

Called by ``worker``, beside the stage of DataOS, whose lists are summaries. Pipelines of Datalinx AI in workspaces, all
of them live already, put there from behind; as long and as alike as the other manifests. Nothing is read by key
here, so that a cold plan is the pages of the lists, parsing and comparing.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from agent.sandbox.app import create_app
from agent.sandbox.world import World
from tests.benchmarks import corpus
from tests.benchmarks.floors import Walk
from tests.benchmarks.stage import TOKEN, Stage, sandbox

PLATFORM = "datalinx"
CREDENTIAL = "apiKey"
_PAGE = 50


def documents(size: int) -> Iterator[str]:
    """``size`` manifests: the workspaces, and pipelines in them."""
    names = corpus.workspaces(size)
    yield from (_workspace(name) for name in names)
    for number in range(size - len(names)):
        yield _pipeline(number, names[number % len(names)], random.Random(f"pipeline/{number}"))


def walks(size: int) -> list[Walk]:
    """The requests of all lists."""
    names = corpus.workspaces(size)
    pipelines = size - len(names)
    counts = [len(range(first, pipelines, len(names))) for first in range(len(names))]
    of_each = [_walk("pipelines", count, {"X-Workspace": name}) for name, count in zip(names, counts, strict=True)]
    return [_walk("workspaces", len(names), {}), *of_each]


@contextmanager
def listed(stage: Stage) -> Iterator[Stage]:
    """The stage beside ``stage``, made if there is none yet, with its sandbox running."""
    place = Path(stage.folder) / "listed"
    commit = place / "commit"
    if not commit.exists():
        shutil.rmtree(place, ignore_errors=True)
        for path, text in corpus.files(stage.size, documents):
            (place / "repository" / path).parent.mkdir(parents=True, exist_ok=True)
            (place / "repository" / path).write_text(text, encoding="utf-8")
        first = corpus.commit_all(place / "repository")
        _fill(place / "sandbox.db", stage.size)
        commit.write_text(first, encoding="utf-8")
    with sandbox(place, platform=PLATFORM) as server:
        yield replace(stage, folder=str(place), first=commit.read_text(encoding="utf-8"), second="", server=server)


def _fill(state: Path, size: int) -> None:
    world: World = create_app(token=TOKEN, platform=PLATFORM, state=state, limits=False).state.sandbox
    for text in documents(size):
        document: Mapping[str, Any] = yaml.load(text, yaml.CSafeLoader)
        world.person_create({"type": document["kind"].lower(), **document["metadata"], **document["spec"]})
    world.close()


def _walk(path: str, count: int, headers: Mapping[str, str]) -> Walk:
    pages = range(1, max(1, -(-count // _PAGE)) + 1)
    return [f"/api/{path}?page={page}&page_size={_PAGE}" for page in pages], {"X-API-Key": TOKEN, **headers}


def _workspace(name: str) -> str:
    return f"""\
apiVersion: {PLATFORM}/v1
kind: Workspace
metadata: {{name: {name}}}
spec:
  config: {{description: What {name} works on}}
"""


def _pipeline(number: int, workspace: str, chance: random.Random) -> str:
    word = chance.choice(corpus.WORDS)
    steps = "".join(_step(word, turn, chance) for turn in range(chance.randint(1, 3)))
    return f"""\
apiVersion: {PLATFORM}/v1
kind: Pipeline
metadata:
  name: {word}-{number:06d}
  workspace: {workspace}
spec:
  description: Loads {word} of yesterday, then checks what came
  schedule:
    cron: "{number % 50} {chance.randint(0, 23)} * * *"
    timezone: Europe/Berlin
  config:
    retries: {chance.randint(0, 5)}
    notify: [data-team@example.com, {word}@example.com]
    warehouse: {{size: small, timeout: 300, queue: {word}}}
    steps:
{steps}"""


def _step(word: str, turn: int, chance: random.Random) -> str:
    return f"""\
      - name: step-{turn}
        title: {word} step {turn}
        memory: {chance.choice((1024, 2048))}
        explain: true
        inputs:
          - {{name: {word}, dataset: "lake:public/{word}", format: table}}
        outputs:
          - {{name: {word}_daily, dataset: "lake:sales/{word}_daily", format: table}}
        sql: |
          SELECT * FROM {word}
          WHERE changed_at >= current_date - {chance.randint(1, 9)}
"""
