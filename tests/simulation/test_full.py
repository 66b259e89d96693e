"""The short form of the full fault model; ``python -m tests.simulation --seeds 20000 --jobs 2`` is the long one."""

from __future__ import annotations

import dataclasses
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.sandbox.requests_log import Entry
from tests.simulation.full.agent import Parts
from tests.simulation.full.draw import draw_story
from tests.simulation.full.many import broken_by, played, quiet
from tests.simulation.full.play import Told, self_inflicted, tell
from tests.simulation.full.rows import ELSEWHERE, REACHED, ROWS
from tests.simulation.full.samples import as_bytes, samples_of
from tests.simulation.full.shrink import shrunk
from tests.simulation.full.store import FailingStore, copy_of
from tests.simulation.full.tale import Cell, Happening, Story, story_from_json
from tests.simulation.places import make_template, memory_folder

HERE = Path(__file__).parent
SEEDS = 18
"""Three of each platform."""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    quiet()
    with tempfile.TemporaryDirectory(dir=memory_folder()) as name:
        yield Path(name)


@pytest.fixture(scope="module")
def template(folder: Path) -> bytes:
    return copy_of(make_template(folder))


def told_in(folder: Path, story: Story | int, template: bytes, **words: Any) -> Told:
    return tell(story, Path(tempfile.mkdtemp(dir=folder)), template, **words)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_invariant_is_broken(seed: int, folder: Path, template: bytes) -> None:
    told = told_in(folder, seed, template)
    assert told.violations == [], f"python -m tests.simulation --seed {seed} --shrink"


@pytest.mark.parametrize("path", sorted((HERE / "recorded").glob("*.json")), ids=lambda path: path.stem)
def test_a_story_that_failed_once_does_not_fail_again(path: Path, folder: Path, template: bytes) -> None:
    told = told_in(folder, story_from_json(path.read_text()), template)
    assert told.violations == [], f"python -m tests.simulation --play {path} --story"


def test_one_seed_tells_one_story_byte_for_byte(folder: Path, template: bytes) -> None:
    first, second = (told_in(folder, 21, template) for _ in range(2))
    assert "\n".join(first.log).encode() == "\n".join(second.log).encode()
    assert (first.effects, first.live, first.reached) == (second.effects, second.live, second.reached)


def test_a_429_is_the_agent_s_own_unless_it_lost_the_count() -> None:
    requests = [Entry(n, n, "GET", "/", "", 429 if n == 3 else 200, "", "", (), "") for n in range(4)]
    windows = ((3, 60.0),)
    assert self_inflicted(requests, windows, losses=()) == 1
    assert self_inflicted(requests, windows, losses=(1.0,)) == 0
    assert self_inflicted(requests, ((2, 60.0),), losses=(1.0,)) == 1


def test_each_row_of_the_fault_model_is_reached_or_shown_elsewhere() -> None:
    assert sorted({*REACHED, *ELSEWHERE}) == sorted(ROWS)
    assert not {*REACHED} & {*ELSEWHERE}
    assert [place for place in ELSEWHERE.values() if not (HERE.parents[1] / place).exists()] == []


def test_a_story_survives_being_written_down() -> None:
    for seed in range(50):
        story = draw_story(seed)
        assert story_from_json(story.to_json()).to_json() == story.to_json()


def manifests(*suffixes: str, token: int = 1, definition: str = "dataos/v1") -> dict[str, Any]:
    """Workflows, and one thing that stays."""
    workflow, *_, keeper = samples_of(definition)
    made = {f"{suffix or 'a'}.json": as_bytes(workflow.document(suffix, token)).decode() for suffix in suffixes}
    return {"files": {"keeper.json": as_bytes(keeper.document("", 9)).decode(), **made}}


PLAIN = Story(
    0,
    Cell(),
    (
        Happening(0.0, "commit", manifests("", "b")),
        Happening(40.0, "clock", {"ahead": 3600.0}),
        Happening(50.0, "commit", manifests("", token=2)),
        Happening(95.0, "commit", manifests("", token=3)),
    ),
)


class NoJournal(FailingStore):
    """A wrong store: it forgets to write intents down."""

    def open_intent(self, intent: Any, row: Any, applied: Any) -> None:
        return None


class NoInventory(FailingStore):
    """A wrong store: what was created is not remembered."""

    def close_intent(self, op_id: str, result: str, **words: Any) -> bool:
        return super().close_intent(op_id, result)

    def put_rows(self, rows: Any, applied: Any = None) -> None:
        return None


WRONG = {
    "no journal": (Parts(store=NoJournal), "I11"),
    "no inventory": (Parts(store=NoInventory), "I4"),
    "never prunes": (Parts(config=lambda config: dataclasses.replace(config, prune=False)), ""),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_referee_catches_a_wrong_agent_and_no_right_one(name: str, folder: Path, template: bytes) -> None:
    """A harness that nobody tried to fool proves nothing."""
    parts, invariant = WRONG[name]
    told = told_in(folder, PLAIN, template, parts=parts)
    assert {violation.partition(":")[0] for violation in told.violations} == ({invariant} if invariant else set())


def test_a_story_that_fails_shrinks_to_what_makes_it_fail(folder: Path, template: bytes) -> None:
    def fails(story: Story) -> bool:
        return any(
            each.startswith("I4")
            for each in told_in(folder, story, template, parts=WRONG["no inventory"][0]).violations
        )

    short = shrunk(PLAIN, fails, tries_max=60)
    assert fails(short)
    assert [each.what for each in short.happenings] == ["commit", "commit"]
    assert len(short.happenings[0].details["files"]) < 3


def test_dying_at_each_effect_comes_to_the_same_end(folder: Path, template: bytes) -> None:
    story = dataclasses.replace(PLAIN, happenings=(PLAIN.happenings[0], *PLAIN.happenings[2:3]))
    whole = told_in(folder, story, template)
    assert whole.violations == []
    for point in range(1, len(whole.effects) + 1, 19):
        died = played(dataclasses.replace(story, deaths=(point, 3)), template, str(folder))
        assert broken_by(died) == "", f"death at {point} ({whole.effects[point - 1]}): {died}"
        assert isinstance(died, Told) and died.live == whole.live


def test_nothing_under_the_seams_escapes(folder: Path, template: bytes) -> None:
    """No socket, no process, no file but the store's: what the agent touches goes through what is handed in."""
    escaped: list[str] = []
    listening = True

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if not listening:
            return
        if event.startswith(("socket.connect", "socket.bind", "subprocess.", "os.exec", "os.fork")):
            escaped.append(f"{event} {arguments!r}"[:200])
        elif event == "open" and isinstance(arguments[0], str) and isinstance(arguments[1], str):
            writes = any(letter in arguments[1] for letter in "wax+")
            if writes and not arguments[0].startswith(str(folder)) and "__pycache__" not in arguments[0]:
                escaped.append(f"{event} {arguments!r}"[:200])

    sys.addaudithook(hook)
    try:
        told_in(folder, 14, template)
    finally:
        listening = False
    assert escaped == []
