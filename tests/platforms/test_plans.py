"""What applying sends is never more than its plan said; ``python -m tests.platforms.plans`` plays many more seeds."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.platforms.conformance.examples import Example, document_of, examples_of_kinds
from tests.platforms.plans import Play, definitions, play, without_id
from tests.simulation.places import make_template, memory_folder
from tests.simulation.virtual_time import VirtualLoop, run

BY_ID = [
    each
    for each in examples_of_kinds()
    if each.kind.get is not None and "id" in each.kind.get.request.path_words and each.kind.list is not None
]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=memory_folder()) as name:
        make_template(Path(name))
        yield Path(name)


@pytest.mark.parametrize("definition", definitions())
def test_calls_sent_never_exceed_calls_printed(definition: str, folder: Path) -> None:
    told = play(definition, 3, 2, folder, folder / "template.db")
    assert told.beyond == []
    assert told.changes["create"] >= 1, "the plans were applied"
    assert told.sent["write"] >= told.plans


@pytest.mark.parametrize("example", BY_ID[:1], ids=str)
def test_a_create_that_tells_no_id_is_not_looked_for_page_by_page(
    example: Example, folder: Path, tmp_path: Path
) -> None:
    """Its plan has promised two reads by id; the next pass, which reads the list anyway, finds it."""
    loop = VirtualLoop()
    one = Play(example.definition, 0, tmp_path, folder / "template.db", loop)
    document = document_of(example)

    def commit(number: int) -> None:
        metadata = document["metadata"]
        named = ({**document, "metadata": {**metadata, "name": f"{metadata['name']}{each}"}} for each in range(number))
        one.source.commit({f"{place}.json": json.dumps(each).encode() for place, each in enumerate(named)})

    async def story() -> None:
        one.world.switches.limit_max = 2
        one.wire.after = None
        commit(5)
        await one.apply()
        one.wire.after = without_id
        commit(6)
        await one.apply()
        one.wire.after = None
        await one.apply()
        rows = one.store.rows("main").values()
        assert len(rows) == 6 and all(row.in_sync and row.server_id for row in rows)

    run(story(), loop)
    one.store.close()
    one.world.close()
    assert one.told.beyond == []
    assert one.told.changes["create"] == 6
