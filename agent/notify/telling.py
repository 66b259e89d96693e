"""Says it to the forge: statuses first, then the comment; each step is looked at anew before it is tried again.

A comment whose answer was lost may be there, so nothing is sent twice: a step begins by reading what the forge has, and
does only what is missing. What one step cannot do does not keep the others from being done.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from agent.clock import Clock
from agent.notify.forge import Comment, Forge, ForgeError, Status, Transient

Done = Literal["created", "updated", "unchanged", "left"]
_Result = TypeVar("_Result")
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 15.0


@dataclass(frozen=True, slots=True)
class Page:
    """A comment to be: its whole body, which begins with ``marker``. Unless it is worth a comment it only updates."""

    marker: str
    body: str
    worth_a_comment: bool = True


@dataclass(slots=True)
class Told:
    """What came of it. ``errors`` holds every step that could not be done."""

    comment: Done | None = None
    url: str = ""
    why: str = ""
    statuses: list[tuple[Status, Done]] = field(default_factory=list)
    errors: list[ForgeError] = field(default_factory=list)


class Teller:
    """One run: a forge, a clock, and the seconds within which what fails is tried again."""

    def __init__(self, forge: Forge, clock: Clock, seconds: float) -> None:
        self._forge = forge
        self._clock = clock
        self._until = clock.monotonic() + seconds

    async def tell(self, statuses: Iterable[Status], page: Page | None, commit: str) -> Told:
        """Everything that is to be told; never raises ForgeError."""
        told = Told()
        try:
            await self._again(lambda: self._set(list(statuses), told))
        except ForgeError as error:
            told.errors.append(error)
        if page is not None:
            try:
                told.comment, told.url, told.why = await self._again(lambda: self._comment(page, commit))
            except ForgeError as error:
                told.errors.append(error)
        return told

    async def find_pull(self) -> int | None:
        """The pull request of our commit. Raises ForgeError."""
        return await self._again(self._forge.find_pull)

    async def _set(self, statuses: list[Status], told: Told) -> None:
        """Only on transition: a status that says the same already is left."""
        there = await self._forge.statuses() if statuses else {}
        done = {status.name for status, _ in told.statuses}
        for status in statuses:
            if status.name in done:
                continue
            if there.get(status.name) == status:
                told.statuses.append((status, "unchanged"))
                continue
            await self._forge.set_status(status)
            told.statuses.append((status, "updated" if status.name in there else "created"))

    async def _comment(self, page: Page, commit: str) -> tuple[Done, str, str]:
        ours, newest = await self._forge.comments()
        if newest and commit and newest != commit:
            return "left", "", f"the pull request is at {newest[:7]} already, and this is {commit[:7]}"
        found = sticky(ours, page.marker)
        if found is None:
            if not page.worth_a_comment:
                return "left", "", "there is nothing to tell, and no comment of ours that says otherwise"
            return "created", await self._forge.create(page.body), ""
        if _same(found.body, page.body):
            return "unchanged", found.url, ""
        await self._forge.update(found, page.body)
        return "updated", found.url, ""

    async def _again(self, step: Callable[[], Awaitable[_Result]]) -> _Result:
        """The step, tried again while the forge may yet do it and there is time. Raises ForgeError."""
        pause = _FIRST_PAUSE
        while True:
            try:
                return await step()
            except Transient as fault:
                wait = max(pause, fault.after)
                if self._clock.monotonic() + wait > self._until:
                    why = f"it asks to wait {fault.after:.0f} s" if fault.after > pause else None
                    raise ForgeError(
                        fault.what, why=why, fix="run notify again; --retry-for gives it more time"
                    ) from fault
                await self._clock.sleep(wait)
                pause = min(2 * pause, _LONGEST_PAUSE)


def sticky(ours: Iterable[Comment], marker: str) -> Comment | None:
    """The comment of ours with this very key: the marker is its first line. The oldest, should there be several."""
    return next((one for one in ours if one.body.lstrip().partition("\n")[0].strip() == marker), None)


def _same(one: str, other: str) -> bool:
    """Whether a forge would show the same: it may store other line ends."""
    return one.replace("\r\n", "\n").strip() == other.replace("\r\n", "\n").strip()
