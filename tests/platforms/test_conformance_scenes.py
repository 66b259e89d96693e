"""What goes wrong around a managed kind: objects that somebody else made, lost answers, lagging reads, cut lists, false
success. One example of each kind of every definition goes through each scene, in a world of its own.

What a scene proves is in the docstring of its function. Examples, exemptions and ``lacks`` are those of
``test_conformance.py``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.platforms.conformance.derived import exemption
from tests.platforms.conformance.examples import Example, examples_of_kinds
from tests.platforms.conformance.life import ENDS_WITH
from tests.platforms.conformance.suite import SCENES, first_of_each_kind, lacking, made_by, play
from tests.platforms.conformance.wire import Sent
from tests.simulation.places import make_template, memory_folder

Player = Callable[[str, Example], str]


def _cases() -> Iterator[object]:
    proven = set()
    for example in first_of_each_kind(examples_of_kinds()):
        fallen = "".join(lacking(example, stage) for stage in sorted(ENDS_WITH))
        for scene in SCENES:
            if scene == "late" and proven & {_proof(example)}:
                continue  # one of each way to tell what landed is enough; the long command plays all
            proven |= {_proof(example)} if scene == "late" else set()
            reason = fallen or lacking(example, scene)
            marks = [pytest.mark.xfail(strict=True, reason=reason)] if reason else []
            if not exemption(example, scene):
                yield pytest.param(example, scene, id=f"{example}-{scene}", marks=marks)


def _proof(example: Example) -> tuple[object, ...]:
    """By what an object of this kind is known."""
    kind = example.kind
    by_id = kind.get is not None and "id" in kind.get.request.words
    return example.definition, kind.unique, kind.mark is not None, kind.get is None, by_id, kind.list is None


@pytest.fixture(scope="module")
def player() -> Iterator[Player]:
    with tempfile.TemporaryDirectory(dir=memory_folder()) as name:
        folder = Path(name)
        template = make_template(folder)

        @cache
        def created(example: Example) -> Sent:
            return made_by(example, folder, template)

        yield lambda scene, example: play(scene, example, created(example), folder, template)


@pytest.mark.parametrize(("example", "scene"), list(_cases()))
@pytest.mark.row("K4", "A1", "A2", "A27")
def test_a_kind_comes_through(example: Example, scene: str, player: Player) -> None:
    assert player(scene, example) == ""
