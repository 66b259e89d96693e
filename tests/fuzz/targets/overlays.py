"""Variables and overlays laid over manifests: whatever comes out can be told, placed, written down and read again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from agent.cli.rendered_text import as_yaml
from agent.definitions.load import load_platform
from agent.definitions.platform import Platform
from agent.model.manifest import CheckedFile
from agent.validate.document import check_file
from agent.validate.overlays import Overlay, read_overlay
from agent.validate.rendered import Filler, Inputs, Rendered, render
from tests.fuzz.seeds import files
from tests.fuzz.target import Target, words_of

DEFAULTS = {"workspace": "public"}
PATH = "overlays/prod.yaml"
BETWEEN = b"\0"
VALUES: dict[str, Any] = {"hour": 3, "name": "daily", "list": [1, "two", {"three": None}], "text": "${hour} $${x}\n"}


@cache
def _platform() -> Platform:
    return load_platform("dataos")


def run(data: bytes) -> None:
    manifests, _, written = data.partition(BETWEEN)
    laid = Inputs(VALUES, tuple(_overlays(written)))
    checked = _checked(manifests, laid)
    assert _checked(manifests, laid) == checked
    rendered = {each.document: each for each in render(manifests, _platform(), DEFAULTS, laid)}
    for document in checked.documents:
        _reads_back(rendered[document.document], checked, document.spec)
    assert set(checked.applied) <= set(range(len(laid.overlays)))


def _checked(source: bytes, laid: Inputs) -> CheckedFile:
    checked = check_file(source, _platform(), DEFAULTS, inputs=laid)
    for problem in checked.problems:
        assert problem.code not in ("", "internal") and problem.what
        assert problem.where.path in ("", PATH) or problem.where.path.startswith("$"), problem
        assert problem.where.path.startswith("$") or (problem.where.line and problem.where.column), problem
    return checked


def _overlays(source: bytes) -> Iterator[Overlay]:
    """Those of the file that a target would lay over anything."""
    checked = check_file(source, _platform(), DEFAULTS, inputs=Inputs(VALUES))
    for head in checked.overlays:
        if head.sound:
            yield read_overlay(PATH, source, head.document, Filler(source, Inputs(VALUES)).filled)


def _reads_back(each: Rendered, checked: CheckedFile, spec: Any) -> None:
    """A rendering says by itself what the manifest says with all that goes into it; each leaf has a place."""
    if checked.has_errors:
        return
    again = check_file(as_yaml(each).encode(), _platform(), {}, inputs=Inputs(VALUES))
    assert [problem for problem in again.problems if problem.severity == "error"] == []
    (document,) = again.documents
    assert document.spec == each.identity.spec == (spec if spec is not None else document.spec)
    for name in each.identity.spec:
        text, place = each.origin.find(("spec", name))
        assert text.where(place).line, name


def seeds() -> Iterable[bytes]:
    sessions = "tests/sessions/render-origins/repo/manifests/dataos"
    overlays = [*files(f"{sessions}/overlays/**/*.yaml"), MERGE, PATCH]
    for text in files("manifests/dataos/*.yaml", f"{sessions}/base/*.yaml", count=20):
        yield from (text + BETWEEN + overlay for overlay in overlays)


MERGE = b"""\
apiVersion: datakeel/v1
kind: Overlay
select: {kind: Workflow, name: [daily-etl, "old-*"], scope: {workspace: "*"}}
merge:
  lifecycle: {protect: true}
  spec: {description: "at ${hour}", tags: null, workflow: {schedule: {cron: "0 ${hour} * * *"}}}
"""
PATCH = b"""\
apiVersion: datakeel/v1
kind: Overlay
select: {where: {/spec/workflow/dag/*/name: load}}
patch:
  - {op: test, path: /spec/version, value: v1}
  - {op: replace, path: "/spec/workflow/dag/[name=load]/spec/stack", value: "flare:9.0"}
  - {op: add, path: /spec/tags/-, value: "${name}"}
  - {op: remove, path: /spec/description}
  - {op: copy, from: /spec/tags, path: /spec/workflow/tags}
"""
WORDS = (b"${hour}", b"$${x}", b"${list}", b"op: move, ", b"op: test, ", b"from: /spec/", b"path: /spec/", b"/-", b"~1")
MORE = words_of("{}", "/0 select:{ where:{ merge:{ patch:[ null {} [name=load] * --- ")
TARGETS = (Target("overlays", run, seeds, (*WORDS, *MORE), size=6000),)
