"""Deterministic manifests in the style of DataOS, and a real git repository that holds them.

Called by ``stage``. Workflows, services and workers in workspaces and depots outside of any, 25 to 60 lines each; seven
in ten stand alone in a file, the rest share files of ten. One file in a hundred carries comments.
"""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

FOLDER = "manifests"
WORDS = ("orders", "returns", "stock", "prices", "visits", "baskets", "parcels", "refunds", "suppliers", "claims")
_ALONE = 7  # of ten documents, so many have a file of their own
_TOGETHER = 10


def workspaces(size: int) -> list[str]:
    return [f"team-{number:02d}" for number in range(min(20, max(2, size // 250)))]


def documents(size: int) -> Iterator[str]:
    """``size`` manifests; the same for the same size, and each a prefix of a larger corpus in its kind and length."""
    names = workspaces(size)
    for number in range(size):
        chance = random.Random(f"manifest/{number}")
        workspace = names[number % len(names)]
        shape = number % 10
        if shape < 6:
            yield _workflow(number, workspace, chance)
        elif shape == 6 or shape == 7:
            yield _service(number, workspace, chance)
        elif shape == 8:
            yield _worker(number, workspace, chance)
        else:
            yield _depot(number, chance)


def files(size: int, written: Callable[[int], Iterator[str]] = documents) -> Iterator[tuple[str, str]]:
    """Path below the repository, and text."""
    together: list[str] = []
    for number, document in enumerate(written(size)):
        if number // 10 % 10 < _ALONE:
            head = "# Kept by the platform team; ask before changing.\n" if number % 100 == 0 else ""
            yield f"{FOLDER}/{number // 1000:03d}/{number:06d}.yaml", head + document
        else:
            together.append(document)
            if len(together) == _TOGETHER or number == size - 1:
                yield f"{FOLDER}/together/{number:06d}.yaml", "---\n".join(together)
                together = []
    if together:
        yield f"{FOLDER}/together/rest.yaml", "---\n".join(together)


def build(folder: Path, size: int) -> tuple[str, str]:
    """Make the repository; the ids of two commits, of which the second changes one file."""
    folder.mkdir(parents=True)
    for path, text in files(size):
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    _git(folder, "init", "-q", "-b", "main")
    first = _commit(folder, "all manifests")
    changed = folder / FOLDER / "000" / "000001.yaml"
    changed.write_text(changed.read_text(encoding="utf-8").replace('cron: "1 ', 'cron: "59 '), encoding="utf-8")
    second = _commit(folder, "another minute")
    _git(folder, "repack", "-adq")  # as a clone has them
    return first, second


def commit_all(folder: Path) -> str:
    """Make a folder a repository; the id of a commit of all that it holds."""
    _git(folder, "init", "-q", "-b", "main")
    return _commit(folder, "all of it")


def point(folder: Path, commit: str) -> None:
    """Make a commit the tip of the branch."""
    _git(folder, "reset", "-q", "--hard", commit)


def propose(folder: Path, first: str) -> str:
    """The id of a commit that changes three manifests of ``first``, on a branch of its own: a pull request."""
    known = subprocess.run(
        ["git", "rev-parse", "-q", "--verify", "refs/heads/proposal"], cwd=folder, capture_output=True, text=True
    )
    if known.returncode == 0:
        return known.stdout.strip()
    _git(folder, "checkout", "-q", "-b", "proposal", first)
    for number in (1, 2, 3):
        place = folder / FOLDER / "000" / f"{number:06d}.yaml"
        text = place.read_text(encoding="utf-8")
        place.write_text(text.replace("description: ", "description: Again, "), encoding="utf-8")
    proposal = _commit(folder, "three manifests")
    _git(folder, "checkout", "-q", "main")
    return proposal


def _commit(folder: Path, message: str) -> str:
    _git(folder, "add", "-A")
    _git(folder, "-c", "user.name=Ann", "-c", "user.email=ann@example.com", "commit", "-q", "-m", message)
    return _git(folder, "rev-parse", "HEAD")


def _git(folder: Path, *words: str) -> str:
    settings = ("-c", "commit.gpgsign=false", "-c", "core.fsync=none", "-c", "gc.auto=0")
    done = subprocess.run(["git", *settings, "-C", str(folder), *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _workflow(number: int, workspace: str, chance: random.Random) -> str:
    word = chance.choice(WORDS)
    tasks = "".join(_task(word, turn, chance) for turn in range(chance.randint(1, 3)))
    return f"""\
name: {word}-{number:06d}
version: v1
type: workflow
workspace: {workspace}
tags: [production, {word}]
description: Loads {word} of yesterday into the lakehouse, then checks what came
workflow:
  schedule:
    cron: "{number % 50} {chance.randint(0, 23)} * * *"
    concurrencyPolicy: Forbid
    timezone: Europe/Berlin
  dag:
{tasks}"""


def _task(word: str, turn: int, chance: random.Random) -> str:
    after = f"      dependencies: [step-{turn - 1}]\n" if turn else ""
    return f"""\
    - name: step-{turn}
      title: {word} step {turn}
{after}      spec:
        stack: flare:7.0
        compute: runnable-default
        stackSpec:
          driver: {{coreLimit: 1200m, cores: 1, memory: {chance.choice((1024, 2048))}m}}
          job:
            explain: true
            inputs:
              - {{name: {word}, dataset: "dataos://{word}:public/{word}", format: jdbc}}
            outputs:
              - {{name: {word}_daily, dataset: "dataos://lakehouse:sales/{word}_daily", format: iceberg}}
            steps:
              - sequence:
                  - name: {word}_daily
                    sql: |
                      SELECT * FROM {word}
                      WHERE changed_at >= date_sub(current_date(), {chance.randint(1, 9)})
"""


def _service(number: int, workspace: str, chance: random.Random) -> str:
    word = chance.choice(WORDS)
    return f"""\
apiVersion: dataos/v1
kind: Service
metadata:
  name: {word}-api-{number:06d}
  workspace: {workspace}
spec:
  version: v1
  tags: [production, {word}]
  description: Answers questions about {word}
  service:
    stack: bento:3.0
    compute: runnable-default
    replicas: {chance.randint(1, 4)}
    servicePort: {chance.randint(8000, 9999)}
    ingress:
      enabled: true
      path: /{word}
      stripPath: true
      noAuthentication: false
    logLevel: INFO
    resources:
      requests: {{cpu: 100m, memory: 128Mi}}
      limits: {{cpu: 1000m, memory: 1Gi}}
    stackSpec:
      input:
        http_server:
          path: /{word}
          timeout: 30s
      output:
        stdout: {{}}
"""


def _worker(number: int, workspace: str, chance: random.Random) -> str:
    word = chance.choice(WORDS)
    return f"""\
name: {word}-events-{number:06d}
version: v1beta
type: worker
workspace: {workspace}
tags: [production, streaming]
description: Writes events of {word} to the lakehouse
worker:
  stack: bento-worker:3.0
  compute: runnable-default
  replicas: {chance.randint(1, 4)}
  logLevel: INFO
  resources:
    requests: {{cpu: 100m, memory: 128Mi}}
    limits: {{cpu: 500m, memory: 256Mi}}
  stackSpec:
    input:
      kafka:
        addresses: [kafka.example.com:9092]
        topics: [{word}]
        consumer_group: lakehouse
    output:
      broker:
        outputs:
          - dataos_depot:
              address: "dataos://lakehouse:sales/{word}_events"
"""


def _depot(number: int, chance: random.Random) -> str:
    word = chance.choice(WORDS)
    return f"""\
name: {word}{number:06d}
version: v2alpha
type: depot
layer: user
tags: [{word}]
description: Database of {word}, read only
depot:
  type: POSTGRESQL
  description: Replica of the database of {word}
  external: true
  compute: runnable-default
  postgresql:
    subprotocol: postgresql
    host: {word}-replica.example.com
    port: "{chance.randint(5000, 5999)}"
    database: {word}
    params:
      sslmode: require
      application_name: lakehouse
  secrets:
    - name: {word}-r
      allkeys: true
    - name: {word}-rw
      allkeys: true
"""
