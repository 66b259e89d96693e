"""Files of manifests: identity, lifecycle, references, secrets, schema; two files of one folder put together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from agent.definitions.load import load_platform
from agent.definitions.platform import Platform
from agent.model.identity import Revision
from agent.validate.desired import SourceFile, combine
from agent.validate.document import check_file, read_spec
from tests.fuzz.seeds import files, real_manifests
from tests.fuzz.target import Draw, Target

PLATFORMS = ("dataos/v1", "gitlab/v4", "datalinx/v1", "dataloop/v1", "datachain-studio/v2")
SAMPLES = ("dataos", "dataops-live", "datalinx", "dataloop", "datachain-studio")
DEFAULTS = {"workspace": "public", "team": "blue", "account": "main"}
NEIGHBOUR = b"""\
{"name": "keeper", "version": "v1", "type": "workflow", "workspace": "public", "workflow": {"dag": []}}
"""


@cache
def _platform(number: int) -> Platform:
    return load_platform(PLATFORMS[number].partition("/")[0])


def run(data: bytes) -> None:
    draw = Draw(data)
    platform, source = _platform(draw.integer(len(PLATFORMS) - 1)), draw.rest()
    checked = check_file(source, platform, DEFAULTS)
    assert check_file(source, platform, DEFAULTS) == checked
    for problem in checked.problems:
        assert problem.code not in ("", "internal") and problem.what
        assert problem.where.line and problem.where.column, problem
        assert problem.got is None or len(problem.got) <= 1000
    sources = {"a.yaml": source, "b.yaml": NEIGHBOUR}
    for document in checked.documents:
        spec = read_spec(source, platform, DEFAULTS, document.document)
        assert document.spec is None or document.spec == spec
    _together(platform, sources, checked)


def _together(platform: Platform, sources: Mapping[str, bytes], checked: Any) -> None:
    def read(file: SourceFile, document: int) -> Mapping[str, Any]:
        return read_spec(sources[file.path], platform, DEFAULTS, document)

    both = [(SourceFile("a.yaml", "a" * 40), checked)]
    both.append((SourceFile("b.yaml", "b" * 40), check_file(NEIGHBOUR, platform, DEFAULTS)))
    desired = combine("lake", platform, Revision("c" * 40), both, read=read, secrets=frozenset({"lake-password"}))
    assert not desired.resources.keys() & desired.broken
    for key, resource in desired.resources.items():
        assert key.name and resource.digest
        # What it waits for is there, or is known to be broken, or is only looked at: never out of nowhere.
        assert set(resource.depends_on) <= desired.resources.keys() | desired.broken | desired.required, key
    if desired.complete:
        assert all(problem.severity != "error" for problem in desired.problems)


def seeds() -> Iterable[bytes]:
    for number, name in enumerate(SAMPLES):
        first = bytes((number,))
        platform = PLATFORMS[number].partition("/")[0]
        for text in files(f"manifests/{name}/**/*.yaml", f"schemas/{platform}/examples/*valid/*", count=40):
            yield first + text
    yield from (b"\0" + text for text in list(real_manifests())[::10])
    yield b"\0" + LIFECYCLE


LIFECYCLE = b"""\
apiVersion: dataos/v1
kind: Workflow
metadata: {name: a, workspace: public}
lifecycle: {dependsOn: [Secret/x, Workflow/keeper], protect: true, drift: report, replace: allow, movedFrom: b,
  createOnly: [/workflow/schedule], ignore: [/description, /workflow/dag/0], actions: {run: {}}}
spec:
  version: v1
  tags: [a]
  workflow: {schedule: {cron: "0 1 * * *"}, dag: [{name: t, spec: {key: {secretRef: lake-password}}}]}
"""
WORDS = (
    b"apiVersion: dataos/v1\n",
    b"kind: ",
    b"metadata: ",
    b"lifecycle: ",
    b"dependsOn: [",
    b"movedFrom: ",
    b"spec: ",
)
WORDS += (b"{secretRef: lake-password}", b"ignore: [/a~1b]", b"name: ..", b"type: workflow\n", b"---\n", b"workspace: ")
WORDS += (b"{{ x }}", b"${X}", b"adopt: always", b'protect: "no"', b"dag: ", b"Workflow/keeper", b"createOnly: ")
TARGETS = (Target("manifests", run, seeds, WORDS),)
