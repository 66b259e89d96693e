"""What a published folder may do: delete what its publisher took away, never what is missing for a moment."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.errors import SourceError
from agent.model.change import Action
from agent.model.outcome import Report
from agent.reconcile.heads import SETTLE_SECONDS
from agent.reconcile.once import reconcile_once
from agent.reconcile.wish import Wish
from agent.source.mount import PublishedFolder
from tests.simulation.virtual_time import VirtualLoop, run
from tests.unit.reconcile.scene import Scene, workflow
from tests.unit.source.publishers import FIRST, SECOND, GitSync, Later, write

Play = Callable[["Place"], Coroutine[Any, Any, None]]
THIRD = "3" * 40


def manifests(**hours: int) -> dict[str, bytes]:
    return {f"manifests/{name}.yaml": workflow(name, hour) for name, hour in hours.items()}


ALL = manifests(alpha=1, beta=1, gamma=1)


class Place:
    """A scene whose source is a folder; nothing is published yet."""

    def __init__(self, scene: Scene, folder: Path) -> None:
        self.scene = scene
        self.folder = folder
        self.git_sync = GitSync(folder / "git")
        self.clock = Later()
        self.arrange(self.git_sync.link)

    def arrange(self, path: Path) -> None:
        """An incarnation of the agent looks at the folder."""
        self.scene.target.source = PublishedFolder(path, self.folder / "cache", clock=self.clock)
        self.scene.target.config = replace(self.scene.target.config, folder="manifests")

    def restart(self, path: Path) -> None:
        self.scene.restart()
        self.arrange(path)

    async def look(self, seconds: float = 60.0, **words: Any) -> Report:
        await self.scene.clock.sleep(seconds)
        return await reconcile_once(self.scene.target, Wish(interval_seconds=30.0, patient=True, **words))

    async def settled(self) -> None:
        await self.look()
        await self.look()
        assert self.names == {"alpha", "beta", "gamma"}

    @property
    def names(self) -> set[str]:
        return {each["name"] for each in self.scene.sandbox.resources()}


@pytest.fixture
def play(tmp_path: Path) -> Callable[[Play], None]:
    def played(story: Play) -> None:
        loop = VirtualLoop()
        scene = Scene(tmp_path, loop, {})
        try:
            run(story(Place(scene, tmp_path)), loop)
        finally:
            scene.close()

    return played


def held(report: Report) -> dict[str, str]:
    return {each.change.key.name: each.change.reason for each in report.outcomes if each.change.action is Action.HOLD}


def test_what_a_later_revision_lacks_is_deleted_also_after_a_restart(play: Callable[[Play], None]) -> None:
    async def story(at: Place) -> None:
        at.git_sync.publish(FIRST, ALL)
        await at.settled()
        at.git_sync.publish(SECOND, manifests(alpha=2, beta=1))
        assert held(await at.look()) == {}
        assert at.names == {"alpha", "beta"}
        at.git_sync.publish(THIRD, manifests(alpha=2))
        at.restart(at.git_sync.link)
        assert held(await at.look()) == {}
        assert at.names == {"alpha"}
        at.git_sync.publish(FIRST, ALL)
        assert held(await at.look()) == {}, "what is published again is a rollback, and as good as any"
        assert at.names == {"alpha", "beta", "gamma"}

    play(story)


@pytest.mark.row("G3")
@pytest.mark.parametrize("how", ["gone", "half"])
def test_empty_or_half_published_folder_deletes_nothing(play: Callable[[Play], None], how: str) -> None:
    async def story(at: Place) -> None:
        at.git_sync.publish(FIRST, ALL)
        await at.settled()
        there = at.git_sync.link.resolve()
        if how == "half":  # git-sync checks a commit out anew where its folder was damaged
            shutil.rmtree(there)
            at.git_sync.publish(FIRST, manifests(alpha=1), keep=True)
        else:
            shutil.rmtree(at.git_sync.root)
        report = await at.look()
        assert report.revision.commit == FIRST, "the last revision stays in force"
        assert held(report) == ({"beta": "HistoryRewritten", "gamma": "HistoryRewritten"} if how == "half" else {})
        at.restart(at.git_sync.link)
        if how == "half":
            assert set(held(await at.look())) == {"beta", "gamma"}
        else:
            with pytest.raises(SourceError) as caught:
                await at.look()
            assert caught.value.error_code == "source-unpublished"
        assert at.names == {"alpha", "beta", "gamma"}
        shutil.rmtree(at.git_sync.root, ignore_errors=True)
        at.git_sync.root.mkdir()
        at.git_sync.publish(FIRST, ALL)
        assert held(await at.look()) == {}
        at.git_sync.publish(SECOND, manifests(alpha=1))
        assert held(await at.look()) == {}
        assert at.names == {"alpha"}

    play(story)


def test_a_plain_folder_deletes_nothing_before_it_was_still_for_a_while(play: Callable[[Play], None]) -> None:
    async def story(at: Place) -> None:
        plain = at.folder / "plain"
        write(plain, ALL)
        at.arrange(plain)
        await at.settled()
        (plain / "manifests/gamma.yaml").unlink()
        report = await at.look()
        assert held(report) == {"gamma": "HistoryRewritten"}
        assert "nobody can tell yet" in report.outcomes[0].message
        at.clock.seconds = SETTLE_SECONDS + 1
        assert held(await at.look()) == {}
        assert at.names == {"alpha", "beta"}

    play(story)


@pytest.mark.row("G13")
def test_an_older_publication_is_a_lagging_one_until_it_stays(play: Callable[[Play], None]) -> None:
    """Replicas have a git-sync each: one that takes the target over may not have what the other has applied."""

    async def story(at: Place) -> None:
        lagging = GitSync(at.folder / "lagging")
        lagging.publish(FIRST, manifests(alpha=1, beta=1))
        at.git_sync.publish(SECOND, ALL)
        await at.settled()
        at.restart(lagging.link)
        for _ in range(2):
            with pytest.raises(SourceError) as caught:
                await at.look(SETTLE_SECONDS / 4)
            assert caught.value.error_code == "source-behind"
        assert held(await at.look(SETTLE_SECONDS)) == {"gamma": "HistoryRewritten"}
        assert at.names == {"alpha", "beta", "gamma"}
        lagging.publish(SECOND, ALL)
        assert held(await at.look()) == {}

    play(story)


def test_a_repository_that_gives_way_to_a_folder_is_confirmed_once(play: Callable[[Play], None]) -> None:
    async def story(at: Place) -> None:
        at.scene.source.commit(ALL)
        at.scene.target.source = at.scene.source
        await at.settled()
        at.git_sync.publish(SECOND, manifests(alpha=1, beta=1))
        at.arrange(at.git_sync.link)
        assert held(await at.look()) == {"gamma": "HistoryRewritten"}
        assert held(await at.look(confirm_deletes=1)) == {}
        at.git_sync.publish(THIRD, manifests(alpha=1))
        assert held(await at.look()) == {}
        assert at.names == {"alpha"}

    play(story)
