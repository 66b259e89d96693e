"""When to look again: a ref moved on disk, somebody asked, or it is time. A wake-up is a hint and carries no content.

Used by the loop. The poll tick is the guarantee and file events only make it quicker: when watching fails (no inotify
watch left, the folder gone) there is one warning and the ticks go on, each trying to watch anew. It reads no content.
A platform's event is one reason more; what it names waits in ``reconcile/inbox``.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

from agent.clock import Clock, SystemClock
from agent.source.local import followed_files
from agent.source.published import SWAPPED, followed_folders, followed_paths

_DEBOUNCE_MILLISECONDS = 200
_STEP_MILLISECONDS = 25  # also how often the watching thread wakes: an idle agent must stay idle
_JITTER = 0.1


Watch = Callable[..., AsyncIterator[set[tuple[Any, str]]]]


class Wakeups:
    """Waits for the next reason to look. Used within one event loop; ``poke`` is for signals and receivers.

    ``repository`` is a path in a local repository, ``ref`` the full ref that is followed there (None: what HEAD names).
    ``published`` is a folder that somebody else publishes: of a link it is the folder around it that is watched.
    ``files`` are others worth a look, such as the configuration. ``watch`` stands in for watchfiles' own ``awatch``.
    """

    def __init__(
        self,
        repository: Path | None = None,
        *,
        ref: str | None = None,
        published: Path | None = None,
        files: Sequence[Path] = (),
        clock: Clock | None = None,
        random: Random | None = None,
        watch: Watch | None = None,
    ) -> None:
        self._repository = repository
        self._ref = ref
        self._published = published
        self._files = frozenset(_absolute(file) for file in files)
        self._clock = clock or SystemClock()
        self._random = random or Random()  # noqa: S311 - spreads load, guards nothing
        self._reasons: dict[str, None] = {}
        self._woken = asyncio.Event()
        self._stirred = asyncio.Event()
        self._stop: asyncio.Event | None = None
        self._awatch = watch
        self._watch: asyncio.Task[None] | None = None
        self._armed: dict[Path, tuple[int, int]] = {}
        self._interesting: frozenset[Path] = frozenset()
        self._whole: frozenset[Path] = frozenset()  # folders in which everything matters
        self._warned = False
        self._closed = False

    async def wait(self, timeout: float) -> str:  # noqa: ASYNC109 - its end is an answer, not an error
        """The reasons since the last call, joined by commas: ``git``, ``file``, ``poll``, or what ``poke`` was given.

        Waits at most ``timeout`` seconds, ten per cent more or less, so that many agents do not ask at one moment.
        """
        await self.start()
        if not self._reasons:
            await self._rest(timeout * self._random.uniform(1 - _JITTER, 1 + _JITTER), self._woken)
        self._woken.clear()
        reasons = ",".join(self._reasons) or "poll"
        self._reasons.clear()
        return reasons

    def poke(self, reason: str) -> None:
        """Wake the waiter now, or let its next ``wait`` return at once. Many pokes before that are one wake-up."""
        self._reasons[reason] = None
        self._woken.set()
        self._stirred.set()

    async def stirred(self, timeout: float) -> None:  # noqa: ASYNC109 - its end is an answer, not an error
        """Until one more reason comes, or the time is over. The next ``wait`` still tells every reason."""
        await self.start()
        self._stirred.clear()
        await self._rest(timeout, self._stirred)

    @property
    def watching(self) -> bool:
        """Are file events arriving, as far as we know?"""
        return self._watch is not None and not self._watch.done()

    def close(self) -> None:
        """Stop watching; the thread that watches ends by itself within moments."""
        self._closed = True
        if self._stop is not None:
            self._stop.set()

    async def _rest(self, seconds: float, event: asyncio.Event) -> None:
        waiter = asyncio.ensure_future(event.wait())
        sleeper = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await asyncio.wait((waiter, sleeper), return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiter.cancel()
            sleeper.cancel()
            await asyncio.gather(waiter, sleeper, return_exceptions=True)

    async def start(self) -> None:
        """Begin to watch, or watch what is now in the place of a folder that went. To be called before the first look.

        ``wait`` does so too, but what moves between a first look and a first ``wait`` would be left to the tick.
        """
        if self._closed or (self._repository is None and self._published is None and not self._files):
            return
        folders, self._interesting = self._plan()
        if self.watching and folders == self._armed:
            return
        if self._armed and folders != self._armed:
            self.poke("git")  # what happened between the old watch and the new one went unseen
        await self._disarm()
        self._armed = folders
        self._stop = asyncio.Event()
        started = asyncio.Event()
        self._watch = asyncio.create_task(self._follow(tuple(folders), self._stop, started))
        await started.wait()

    def _plan(self) -> tuple[dict[Path, tuple[int, int]], frozenset[Path]]:
        """Folders to watch, with what tells one from another of the same name; and the paths whose events matter."""
        followed = set(self._files) | {file.parent / SWAPPED for file in self._files}
        if self._repository is not None:
            followed.update(followed_files(self._repository, self._ref))
        if self._published is not None:
            followed.update(followed_paths(self._published))
            self._whole = frozenset(followed_folders(self._published))
        folders: dict[Path, tuple[int, int]] = {}
        interesting = set(followed)
        for path in followed:
            folder = path.parent
            while (identity := _identity(folder)) is None and folder != folder.parent:
                interesting.add(folder)
                folder = folder.parent
            if identity is not None:
                folders[folder] = identity
        folders |= {folder: identity for folder in self._whole if (identity := _identity(folder)) is not None}
        return folders, frozenset(interesting | folders.keys())

    async def _disarm(self) -> None:
        if self._watch is not None and self._stop is not None:
            self._stop.set()
            await asyncio.gather(self._watch, return_exceptions=True)
        self._watch = self._stop = None

    async def _follow(self, folders: tuple[Path, ...], stop: asyncio.Event, started: asyncio.Event) -> None:
        from watchfiles import Change, awatch

        def matters(change: Change, path: str) -> bool:
            return Path(path) in self._interesting or Path(path).parent in self._whole

        try:
            events = (self._awatch or awatch)(
                *folders,
                watch_filter=matters,
                recursive=False,
                debounce=_DEBOUNCE_MILLISECONDS,
                step=_STEP_MILLISECONDS,
                stop_event=stop,
                yield_on_timeout=False,
                ignore_permission_denied=True,
            )
            asyncio.get_running_loop().call_soon(started.set)
            async for changes in events:
                self._warned = False
                for reason in sorted({self._reason(Path(path)) for _, path in changes}):
                    self.poke(reason)
        except (OSError, RuntimeError, ValueError) as error:
            self._warn(error)
        finally:
            started.set()

    def _warn(self, error: Exception) -> None:
        """Once, until watching has worked again."""
        if not self._warned:
            import structlog  # the verbs that never wait need not load it

            structlog.get_logger(__name__).warning(
                "wakeups.watch_failed", error=type(error).__name__, reason=str(error)[:200]
            )
        self._warned = True

    def _reason(self, path: Path) -> str:
        of_files = path in self._files or any(path == file.parent / SWAPPED for file in self._files)
        return "file" if of_files else "git"


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - a link must stay one: its swap is what we wait for


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        found = folder.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if folder.is_dir() else None
