import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest
from structlog.testing import capture_logs

from agent.source.wakeups import Wakeups
from tests.unit.source.conftest import Repo
from tests.unit.source.publishers import FIRST, MANIFEST, SECOND, ConfigMap, GitSync, write

LONG = 30.0  # a wait that only an event can end within the test


@asynccontextmanager
async def watching(*arguments: object, **words: object) -> AsyncIterator[Wakeups]:
    wakeups = Wakeups(*arguments, **words)
    await wakeups.start()
    try:
        yield wakeups
    finally:
        wakeups.close()


async def wait(wakeups: Wakeups) -> str:
    return await asyncio.wait_for(wakeups.wait(LONG), 5)


class Recorder:
    """A clock that sleeps not at all and remembers for how long it was asked to."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> float:
        return 0.0

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


async def test_a_commit_wakes_at_once(repo: Repo) -> None:
    repo.commit()
    async with watching(repo.path) as wakeups:
        repo.commit(content="name: two\n")
        assert await wait(wakeups) == "git"


async def test_a_commit_on_another_branch_and_a_written_file_do_not_wake(repo: Repo) -> None:
    repo.commit()
    async with watching(repo.path) as wakeups:
        repo.git("branch", "other")
        repo.write("manifests/new.yaml")
        repo.git("add", "-A")
        assert await wakeups.wait(0.3) == "poll"


async def test_another_branch_checked_out_wakes(repo: Repo) -> None:
    repo.commit()
    repo.git("branch", "other")
    async with watching(repo.path) as wakeups:
        repo.git("checkout", "-q", "other")
        assert await wait(wakeups) == "git"
        await wakeups.start()
        await wakeups.wait(0.1)
        repo.commit(content="name: two\n")
        assert await wait(wakeups) == "git"


async def test_the_configured_branch_is_followed_whatever_is_checked_out(repo: Repo) -> None:
    commit = repo.commit()
    async with watching(repo.path, ref="refs/heads/team/live") as wakeups:
        repo.git("update-ref", "refs/heads/team/live", commit)  # neither the branch nor its folder was there
        assert await wait(wakeups) == "git"


async def test_packed_refs_and_a_push_into_a_bare_repository_wake(repo: Repo, tmp_path: Path) -> None:
    repo.commit()
    bare = tmp_path / "bare.git"
    repo.git("clone", "-q", "--bare", str(repo.path), str(bare))
    async with watching(bare) as wakeups:
        repo.commit(content="name: two\n")
        repo.git("push", "-q", str(bare), "main")
        assert await wait(wakeups) == "git"
    async with watching(repo.path) as wakeups:
        repo.git("pack-refs", "--all")
        assert await wait(wakeups) == "git"


async def test_a_swapped_link_wakes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        Repo(tmp_path / name).commit(content=f"name: {name}\n")
    link = tmp_path / "current"
    link.symlink_to("one")
    async with watching(link) as wakeups:
        for name in ("two", "one"):
            (tmp_path / "next").symlink_to(name)
            (tmp_path / "next").replace(link)
            assert "git" in await wait(wakeups)


@pytest.mark.row("G18")
async def test_a_repository_deleted_and_made_again_is_watched_again(repo: Repo) -> None:
    repo.commit()
    async with watching(repo.path) as wakeups:
        shutil.rmtree(repo.path)
        assert await wait(wakeups) == "git"
        again = Repo(repo.path)
        assert await wait(wakeups) == "git"
        again.commit()
        assert await wait(wakeups) == "git"
        await wakeups.wait(0.2)
        again.commit(content="name: two\n")
        assert await wait(wakeups) == "git"


async def test_a_repository_that_comes_later_wakes(tmp_path: Path) -> None:
    async with watching(tmp_path / "a/b/repo") as wakeups:
        Repo(tmp_path / "a/b/repo").commit()
        assert await wait(wakeups) == "git"


async def test_a_mounted_file_wakes_also_when_its_folder_is_swapped(tmp_path: Path) -> None:
    (tmp_path / "v1").mkdir()
    (tmp_path / "v1/datakeel.yaml").write_text("a")
    (tmp_path / "..data").symlink_to("v1")
    (tmp_path / "datakeel.yaml").symlink_to("..data/datakeel.yaml")
    (tmp_path / "plain.yaml").write_text("a")
    async with watching(files=[tmp_path / "datakeel.yaml", tmp_path / "plain.yaml"]) as wakeups:
        (tmp_path / "..next").symlink_to("v1")
        (tmp_path / "..next").replace(tmp_path / "..data")
        assert await wait(wakeups) == "file"
        (tmp_path / "plain.yaml").write_text("b")
        assert await wait(wakeups) == "file"


async def test_a_burst_is_one_wakeup(repo: Repo) -> None:
    repo.commit()
    async with watching(repo.path) as wakeups:
        for number in range(5):
            repo.commit(content=f"name: n{number}\n")
        assert await wait(wakeups) == "git"
        await asyncio.sleep(0.2)
        await wakeups.wait(0.01)
        assert await wakeups.wait(0.1) == "poll"


async def test_a_poke_wakes_a_waiter_and_is_kept_for_the_next(tmp_path: Path) -> None:
    wakeups = Wakeups()
    waiting = asyncio.create_task(wait(wakeups))
    await asyncio.sleep(0)
    wakeups.poke("webhook")
    assert await waiting == "webhook"
    wakeups.poke("signal")
    wakeups.poke("webhook")
    wakeups.poke("signal")
    assert await wait(wakeups) == "signal,webhook"
    assert await wakeups.wait(0.01) == "poll"


async def test_no_wait_is_no_wait() -> None:
    assert await Wakeups().wait(0) == "poll"


async def test_the_poll_tick_varies_by_a_tenth_and_by_the_given_chance() -> None:
    clocks = [Recorder() for _ in range(3)]
    for clock, seed in zip(clocks, (1, 1, 2), strict=True):
        wakeups = Wakeups(clock=clock, random=Random(seed))
        for _ in range(50):
            assert await wakeups.wait(60) == "poll"
    assert clocks[0].slept == clocks[1].slept != clocks[2].slept
    assert 54 <= min(clocks[0].slept) < 57 < 63 < max(clocks[0].slept) <= 66


@pytest.mark.row("G18")
async def test_a_watch_that_fails_gives_one_warning_and_the_ticks_go_on(repo: Repo) -> None:
    repo.commit()
    wakeups = Wakeups(repo.path, watch=_refusing)
    with capture_logs() as logs:
        while wakeups.watching:
            assert await wakeups.wait(0.02) == "poll"
        for _ in range(3):
            assert await wakeups.wait(0.02) == "poll"
    assert [(log["event"], log["log_level"]) for log in logs] == [("wakeups.watch_failed", "warning")]
    assert not wakeups.watching
    wakeups.close()


async def test_closing_ends_the_watch_and_leaves_no_open_file(repo: Repo) -> None:
    repo.commit()
    async with watching(repo.path):
        pass
    await asyncio.sleep(0.1)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        async with watching(repo.path) as wakeups:
            assert wakeups.watching
        for _ in range(100):
            if not wakeups.watching:
                break
            await asyncio.sleep(0.01)
        assert not wakeups.watching
    for _ in range(100):  # the thread that watched closes its own
        if len(os.listdir("/proc/self/fd")) <= before:
            break
        await asyncio.sleep(0.01)
    else:
        pytest.fail("a watch left open files behind")
    assert await wakeups.wait(0.01) == "poll"


async def _refusing(*paths: object, **words: object) -> AsyncIterator[set[tuple[object, str]]]:
    raise OSError(28, "inotify watch limit reached")
    yield set()


@pytest.mark.parametrize("number", range(3))
async def test_what_moves_before_the_first_wait_is_not_lost(repo: Repo, number: int) -> None:
    repo.commit()
    async with watching(repo.path) as wakeups:
        repo.commit(content=f"name: n{number}\n")
        await asyncio.sleep(0.1)
        assert await wait(wakeups) == "git"


async def test_link_swap_is_seen_for_git_sync_and_configmap(tmp_path: Path) -> None:
    git_sync, config_map = GitSync(tmp_path / "git"), ConfigMap(tmp_path / "mounted")
    git_sync.publish(FIRST, {"a.yaml": MANIFEST})
    config_map.publish({"a.yaml": MANIFEST})
    async with watching(published=git_sync.link) as wakeups:
        for commit in (SECOND, FIRST):
            git_sync.publish(commit, {"a.yaml": MANIFEST})
            assert "git" in await wait(wakeups)
    async with watching(published=git_sync.link / "deploy") as wakeups:
        git_sync.publish(SECOND, {"deploy/a.yaml": MANIFEST})
        assert "git" in await wait(wakeups)
    async with watching(published=config_map.folder) as wakeups:
        for content in (b"name: two\n", MANIFEST):
            config_map.publish({"a.yaml": content})
            assert "git" in await wait(wakeups)


async def test_a_plain_folder_is_watched_with_all_below_it(tmp_path: Path) -> None:
    write(tmp_path / "plain", {"m/a.yaml": MANIFEST})
    async with watching(published=tmp_path / "plain") as wakeups:
        write(tmp_path / "plain", {"m/b.yaml": MANIFEST})
        assert await wait(wakeups) == "git"
        (tmp_path / "plain/new").mkdir()
        assert await wait(wakeups) == "git"
        await wakeups.start()
        await wakeups.wait(0.3)
        write(tmp_path / "plain", {"new/c.yaml": MANIFEST})
        assert await wait(wakeups) == "git"


async def test_what_is_published_later_is_waited_for(tmp_path: Path) -> None:
    async with watching(published=tmp_path / "git/current") as wakeups:
        GitSync(tmp_path / "git").publish(FIRST, {"a.yaml": MANIFEST})
        assert "git" in await wait(wakeups)
