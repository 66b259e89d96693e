"""A commit between two list looks costs the calls of its change: no list, no sweep, and the same proofs as ever."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import pytest

from agent.model.change import Action
from agent.model.outcome import Result
from agent.reconcile.looking import look
from agent.reconcile.loop import Loop
from agent.reconcile.wish import Wish
from tests.simulation.virtual_time import VirtualLoop, run
from tests.unit.reconcile.scene import INTERVAL, Scene, document, workflow

FILES = {f"{name}.yaml": workflow(name, 1) for name in ("alpha", "beta", "gamma")}

Play = Callable[[Scene], Coroutine[Any, Any, None]]


@pytest.fixture
def play(tmp_path: Path) -> Callable[[Play], None]:
    """Play a story at a scene at rest: three workflows live, in the inventory, listed a moment ago."""

    def played(story: Play) -> None:
        loop = VirtualLoop()
        scene = Scene(tmp_path, loop, FILES)

        async def whole() -> None:
            await scene.look(woken_by_git=False)
            await scene.clock.sleep(60.0)  # past the settle window
            await scene.look(woken_by_git=False)
            await story(scene)

        try:
            run(whole(), loop)
        finally:
            scene.close()

    return played


def test_one_changed_file_is_looked_at_written_and_confirmed(play: Callable[[Play], None]) -> None:
    async def scene(at: Scene) -> None:
        at.commit(beta=workflow("beta", 2))
        mark = at.mark
        report = await at.look()
        assert at.sent_since(mark) == ["GET beta", "PUT beta", "GET beta"]
        assert [(each.change.action, each.result) for each in report.outcomes] == [(Action.UPDATE, Result.DONE)]
        assert report.plan is not None and report.plan.unchanged == 2

    play(scene)


def test_nothing_changed_sends_nothing(play: Callable[[Play], None]) -> None:
    async def scene(at: Scene) -> None:
        mark = at.mark
        report = await at.look()
        assert at.sent_since(mark) == []
        assert report.plan is not None and (report.plan.unchanged, report.plan.changes) == (3, ())

    play(scene)


def test_a_poll_lists(play: Callable[[Play], None]) -> None:
    async def scene(at: Scene) -> None:
        mark = at.mark
        await at.look(woken_by_git=False)
        assert "GET resources" in at.sent_since(mark)

    play(scene)


@pytest.mark.parametrize(("age", "lists"), [(INTERVAL - 1, False), (INTERVAL, True)])
def test_lists_are_renewed_once_in_an_interval_however_often_git_moves(
    play: Callable[[Play], None], age: float, lists: bool
) -> None:
    async def scene(at: Scene) -> None:
        assert at.target.listed_at is not None
        await at.clock.sleep(at.target.listed_at + age - at.clock.monotonic())
        mark = at.mark
        await at.look()
        assert ("GET resources" in at.sent_since(mark)) is lists

    play(scene)


def test_a_new_process_lists_first(play: Callable[[Play], None]) -> None:
    async def scene(at: Scene) -> None:
        at.restart()
        mark = at.mark
        await at.look()
        assert "GET resources" in at.sent_since(mark)

    play(scene)


def test_a_new_manifest_is_created_only_after_its_absence_was_proved(play: Callable[[Play], None]) -> None:
    async def scene(at: Scene) -> None:
        at.commit(delta=workflow("delta", 3))
        mark = at.mark
        report = await at.look()
        # The 404 alone proves nothing: something that is known to be there must be found with the same credential.
        assert at.sent_since(mark) == ["GET delta", "GET gamma", "POST resources", "GET delta"]
        assert [each.change.action for each in report.outcomes] == [Action.CREATE]

    play(scene)


def test_what_left_git_is_read_before_it_is_deleted(play: Callable[[Play], None]) -> None:
    async def scene(at: Scene) -> None:
        at.commit(gamma=None)
        mark = at.mark
        report = await at.look()
        assert at.sent_since(mark) == ["GET gamma", "DELETE gamma", "GET gamma"]
        assert [each.change.action for each in report.outcomes] == [Action.DELETE]

    play(scene)


@pytest.mark.row("H5")
def test_what_a_person_changed_is_found_by_the_next_poll(play: Callable[[Play], None]) -> None:
    async def scene(at: Scene) -> None:
        at.sandbox.person_delete("workflow", "alpha", workspace="public")
        assert (await at.look()).outcomes == ()
        report = await at.look(woken_by_git=False)
        assert [(each.change.action, each.change.key.name) for each in report.outcomes] == [(Action.CREATE, "alpha")]

    play(scene)


def test_a_look_at_a_part_does_not_call_the_rest_foreign(play: Callable[[Play], None]) -> None:
    """``diff --only``: what other manifests name, and what of ours has left git, is ours; the rest is not."""

    async def scene(at: Scene) -> None:
        at.commit(gamma=None, delta=workflow("delta", 3))
        at.sandbox.person_create(document("delta", 3))
        at.sandbox.person_create(document("theirs", 3))
        wish = Wish(at.source.fetch(), selects=lambda key, path: key.name == "alpha")
        seen = await look(at.target, wish)
        assert [stray.key.name for stray in seen.plan.strays] == ["theirs"]
        assert seen.plan.unchanged == 1

    play(scene)


class Bell:
    """Wake-ups that a test rings: each answer of ``wait`` is the next of a list, after which the loop stops."""

    def __init__(self, scene: Scene, rings: Mapping[str, bytes | None]) -> None:
        self.scene = scene
        self.rings = list(rings.items())
        self.waits: list[float] = []
        self.loop: Loop | None = None

    async def start(self) -> None:
        pass

    def poke(self, reason: str) -> None:
        pass

    async def wait(self, timeout: float) -> str:
        self.waits.append(timeout)
        if not self.rings:
            assert self.loop is not None
            self.loop.stop()
            return "stop"
        name, content = self.rings.pop(0)
        await self.scene.clock.sleep(10.0)
        self.scene.commit(**{name: content})
        return "git"


def test_commits_that_come_often_do_not_push_the_poll_ahead_of_them(play: Callable[[Play], None]) -> None:
    async def scene(at: Scene) -> None:
        edits = {name: workflow(name, 7) for name in ("alpha", "beta")}
        bell = Bell(at, edits)
        bell.loop = Loop([at.target], bell, INTERVAL)  # type: ignore[arg-type]
        mark = at.mark
        await bell.loop.run()
        sent = at.sent_since(mark)
        assert [word for word in sent if word.startswith("PUT")] == ["PUT alpha", "PUT beta"]
        assert sent.index("GET resources") < sent.index("PUT alpha")
        assert "GET resources" not in sent[sent.index("PUT alpha") :]
        # The poll stays where the first pass put it: each commit takes ten seconds of the wait.
        assert [round(wait) for wait in bell.waits] == [30, 20, 10]

    play(scene)
