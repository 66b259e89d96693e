"""Which commit counts: rewritten history, an older head, a source that is away. Real git, the real walk."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from agent.config.model import Signers
from agent.model.change import Action
from agent.model.outcome import Report
from agent.reconcile.heads import SETTLE_SECONDS
from agent.reconcile.once import reconcile_once
from agent.reconcile.wish import Wish
from agent.source.local import LocalRepository, Wanted
from agent.source.repository import GitSource
from agent.source.signatures import Signatures
from tests.simulation.virtual_time import VirtualLoop, run
from tests.unit.reconcile.scene import Scene, workflow
from tests.unit.source.conftest import Repo

Play = Callable[["Place"], Coroutine[Any, Any, None]]


class Place:
    """A scene over a real repository, with alpha, beta and gamma live and in git."""

    def __init__(self, scene: Scene, repo: Repo) -> None:
        self.scene = scene
        self.repo = repo
        self.arrange()

    def arrange(self) -> None:
        """An incarnation of the agent reads the repository."""
        self.scene.target.source = GitSource(LocalRepository(self.repo.path), Wanted(branch="main"))
        self.scene.target.config = replace(self.scene.target.config, folder="manifests")

    def commit(self, **hours: int | None) -> str:
        for name, hour in hours.items():
            path = f"manifests/{name}.yaml"
            if hour is None:
                (self.repo.path / path).unlink()
            else:
                self.repo.write(path, workflow(name, hour))
        self.repo.git("add", "-A")
        self.repo.git("commit", "-q", "-m", "change")
        return self.repo.git("rev-parse", "HEAD")

    async def look(self, seconds: float = 60.0, **words: Any) -> Report:
        """What the loop does, some time later."""
        await self.scene.clock.sleep(seconds)
        return await reconcile_once(self.scene.target, Wish(interval_seconds=30.0, patient=True, **words))

    @property
    def names(self) -> set[str]:
        return {each["name"] for each in self.scene.sandbox.resources()}

    def hours(self) -> dict[str, str]:
        return {
            each["name"]: each["spec"]["workflow"]["schedule"]["cron"].split()[1]
            for each in self.scene.sandbox.resources()
        }


@pytest.fixture
def play(tmp_path: Path) -> Callable[[Play], None]:
    def played(story: Play) -> None:
        loop = VirtualLoop()
        scene = Scene(tmp_path, loop, {})
        place = Place(scene, Repo(tmp_path / "repo"))

        async def whole() -> None:
            place.commit(alpha=1, beta=1, gamma=1)
            await place.look()
            await place.look()
            await story(place)

        try:
            run(whole(), loop)
        finally:
            scene.close()

    return played


def held(report: Report) -> dict[str, str]:
    return {each.change.key.name: each.change.reason for each in report.outcomes if each.change.action is Action.HOLD}


@pytest.mark.row("G1")
def test_a_rewritten_history_is_followed_and_deletes_nothing_before_it_is_confirmed(
    play: Callable[[Play], None],
) -> None:
    async def story(at: Place) -> None:
        at.repo.git("checkout", "-q", "--orphan", "other")
        at.commit(alpha=2, gamma=None)
        at.repo.git("branch", "-q", "-M", "main")
        for restart in (False, True, False):
            report = await at.look()
            assert held(report) == {"gamma": "HistoryRewritten"}
            assert any("--confirm-deletes 1" in each.message for each in report.outcomes)
            if restart:
                at.scene.restart()
                at.arrange()
        assert at.hours() == {"alpha": "2", "beta": "1", "gamma": "1"}, "everything but the delete was done"
        at.commit(beta=3)
        assert held(await at.look()) == {"gamma": "HistoryRewritten"}, "a commit on top makes it no better"
        assert held(await at.look(confirm_deletes=1)) == {}
        assert at.names == {"alpha", "beta"}
        at.commit(beta=None)
        assert held(await at.look()) == {}, "what was confirmed is trusted from then on"
        assert at.names == {"alpha"}

    play(story)


@pytest.mark.row("G1")
def test_a_rewritten_history_that_deletes_nothing_is_trusted_at_once(play: Callable[[Play], None]) -> None:
    async def story(at: Place) -> None:
        at.repo.git("commit", "-q", "--amend", "-m", "another message")
        await at.look()
        at.commit(gamma=None)
        await at.look()
        assert at.names == {"alpha", "beta"}

    play(story)


@pytest.mark.row("G13")
def test_an_older_head_is_a_lagging_replica_until_it_stays(play: Callable[[Play], None]) -> None:
    async def story(at: Place) -> None:
        older = at.repo.git("rev-parse", "HEAD")
        newer = at.commit(alpha=2, delta=2)
        await at.look()
        at.repo.git("update-ref", "refs/heads/main", older)
        for _ in range(3):
            report = await at.look(SETTLE_SECONDS / 4)
            assert report.revision.commit == newer and report.outcomes == ()
        at.repo.git("update-ref", "refs/heads/main", newer)
        assert (await at.look(SETTLE_SECONDS)).outcomes == ()
        at.repo.git("update-ref", "refs/heads/main", older)
        await at.look(1.0)
        report = await at.look(SETTLE_SECONDS + 1)
        assert report.revision.commit == older, "it stayed: somebody rolled back"
        assert at.hours()["alpha"] == "1"
        assert held(report) == {"delta": "HistoryRewritten"}, "and deletes are not taken back by themselves"

    play(story)


@pytest.mark.row("G2")
def test_a_source_that_is_away_leaves_the_admitted_revision_in_force(play: Callable[[Play], None]) -> None:
    """Drift is healed meanwhile, nothing is pruned, and after three looks people are asked to act."""

    async def story(at: Place) -> None:
        commit = at.commit(gamma=None)
        at.scene.target.config = replace(at.scene.target.config, prune=False)
        await at.look()
        at.scene.target.config = replace(at.scene.target.config, prune=True)
        at.repo.git("update-ref", "-d", "refs/heads/main")
        change = {"workflow": {"schedule": {"cron": "0 9 * * *"}}}
        at.scene.sandbox.person_edit("workflow", "alpha", change, workspace="public")
        report = await at.look(120.0, fresh=True)
        assert report.revision.commit == commit
        assert at.hours() == {"alpha": "1", "beta": "1", "gamma": "1"}
        assert held(report) == {"gamma": "SourceFailed"}
        assert "Stalled" not in [each.type for each in report.conditions if each.status]
        at.scene.restart()
        at.arrange()
        with capture_logs() as logs:
            for _ in range(3):
                report = await at.look()
        assert [each["event"] for each in logs if each["event"].startswith("source.")] == ["source.failed"]
        (stalled,) = [each for each in report.conditions if each.type == "Stalled" and each.status]
        assert stalled.reason == "SourceFailed" and "branch `main`" in stalled.message
        at.repo.git("update-ref", "refs/heads/main", commit)
        with capture_logs() as logs:
            report = await at.look()
        assert [each["looks"] for each in logs if each["event"] == "source.back"] == [3]
        assert held(report) == {} and at.names == {"alpha", "beta"}
        assert "Stalled" not in [each.type for each in report.conditions if each.status]

    play(story)


@pytest.mark.row("G12")
def test_a_commit_that_nobody_signed_leaves_the_last_one_in_force(play: Callable[[Play], None], tmp_path: Path) -> None:
    """Drift is healed meanwhile, nothing is pruned, people are asked to act, and the next signed one goes on."""
    key, signers = tmp_path / "key", tmp_path / "signers"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True, capture_output=True)
    signers.write_text(f"ana@example.com {key.with_suffix('.pub').read_text()}")

    async def story(at: Place) -> None:
        def sign() -> str:
            at.repo.git(
                "-c", "gpg.format=ssh", "-c", f"user.signingKey={key}.pub", "commit", "-q", "--amend", "-S", "-C@"
            )
            return at.repo.git("rev-parse", "HEAD")

        signatures = Signatures(Signers(signers))
        repository = LocalRepository(at.repo.path)
        at.scene.target.source = GitSource(repository, Wanted(branch="main"), signatures=signatures)
        at.commit(beta=2)
        last = sign()
        assert (await at.look()).revision.commit == last
        at.commit(alpha=5, gamma=None)
        change = {"workflow": {"schedule": {"cron": "0 9 * * *"}}}
        at.scene.sandbox.person_edit("workflow", "alpha", change, workspace="public")
        for _ in range(3):
            report = await at.look(120.0, fresh=True)
        assert report.revision.commit == last
        assert at.hours() == {"alpha": "1", "beta": "2", "gamma": "1"}
        (stalled,) = [each for each in report.conditions if each.type == "Stalled" and each.status]
        assert "is not signed" in stalled.message
        admitted = sign()
        report = await at.look()
        assert report.revision.commit == admitted and at.hours() == {"alpha": "5", "beta": "2"}

    play(story)
