"""The five acts of the demo, played on every platform at once, and what each of them shows.

Called by the verb ``demo``. It plays the people (who commit, click and make mistakes) by the platforms' scripts, waits
for the agent on :mod:`agent.cli.demo_stage`, and tells what came of it: from the agent's own log, checked against what
the emulators recorded. Knows no platform.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agent.cli.demo_stage import PATIENCE, Event, Stage
from agent.cli.demo_table import Act, Cell, Line, whole
from agent.cli.samples import CODE, Script, sample_folder, scripts
from agent.errors import AgentError, UsageError
from agent.report.values import counted

_GONE = {"deleted": "delete", "released": "release"}  # how a removal ends, and the action that the agent tells
_SHORT = 12  # letters of a change that is never broken


@dataclass(frozen=True, slots=True)
class Since:
    """Where an act began: the time, the newest commit, and how much was recorded of each platform."""

    at: float
    revision: str
    changes: Mapping[str, int]


@dataclass(slots=True)
class Demo:
    """One telling. ``refused`` are the first errors of the broken files, after the last act."""

    stage: Stage
    refused: tuple[str, ...] = ()
    revision: str = ""

    def acts(self) -> Iterator[Act]:
        """Each act once it is over. Raises AgentError when the agent does not do in time what it is for."""
        yield self._first_commit()
        yield self._edit()
        yield self._drift()
        yield self._removal()
        yield self._broken_commit()
        yield self._in_all()

    def _first_commit(self) -> Act:
        since = self._commit("the first manifests")
        self.stage.start_agent()
        self._wait("first commit", lambda script: self._settled(script, since))
        cells: dict[str, Cell] = {}
        for script in self.stage.scripts:
            made = self._applied(script, since, "create")
            seconds = sum(each.words["duration_ms"] / 1000 for each in self._busy(script, since))
            cells[script.platform] = (Line("create", f"{len(made)} created"), self._cost(script, since, seconds))
        return Act("1", "first commit", cells)

    def _edit(self) -> Act:
        for script in self.stage.scripts:
            self.stage.edit(script.platform, script.edit)
        since = self._commit("an edit on every platform")
        self._wait("edit in git", lambda script: bool(self._applied(script, since)) and self._settled(script, since))
        cells: dict[str, Cell] = {}
        for script in self.stage.scripts:
            before, after = self._value(script, until=since), self._value(script)
            self._expect(before != after, script, "edit in git", f"still shows {after}")
            action = _word(self._applied(script, since)[0], "action")
            cells[script.platform] = (
                Line("", script.watch.manifest),
                Line(action, f"{action} {script.watch.called} {_change(before, after)}"),
                self._cost(script, since),
            )
        return Act("2", "edit in git", cells)

    def _drift(self) -> Act:
        wanted = {script.platform: self._value(script) for script in self.stage.scripts}
        since = self._since()
        for script in self.stage.scripts:
            named = {} if script.drift.named is None else {"name": script.drift.named.search(self._watched(script)[-1])}
            self.stage.click(script.platform, {**script.drift.click, **named})
        self._wait("drift", lambda script: self._drift_is_over(script, since))
        cells: dict[str, Cell] = {}
        for script in self.stage.scripts:
            told = Line("", script.drift.told)
            if script.drift.ends == "left":
                self._expect(not self._own(script, since), script, "drift", "was to be left as it is")
                cells[script.platform] = (told, Line("held", f"left: {script.drift.because}"))
                continue
            value = self._value(script)
            self._expect(value == wanted[script.platform], script, "drift", f"shows {value!r}")
            cells[script.platform] = (told, Line("drift", f"healed to {whole(value)}"), self._cost(script, since))
        return Act("3", "drift", cells)

    def _removal(self) -> Act:
        for script in self.stage.scripts:
            self.stage.remove(script.platform, script.removal.file)
        since = self._commit("old things leave")
        self._wait("file removed", lambda script: self._removal_is_over(script, since))
        cells: dict[str, Cell] = {}
        for script in self.stage.scripts:
            file, own = Line("", script.removal.file), self._own(script, since)
            self._expect(bool(own) == (script.removal.ends == "deleted"), script, "file removed", f"{len(own)} changes")
            if script.removal.ends == "held":
                cells[script.platform] = (file, Line("held", f"held: {script.removal.because}"))
                continue
            action = _GONE[script.removal.ends]
            gone = self._applied(script, since, action)[0]
            told = f"{action} {_word(gone, 'kind')}/{_word(gone, 'name')}"
            told += f": {script.removal.because}" if script.removal.because else ""
            cells[script.platform] = (file, Line(action, told), self._cost(script, since))
        return Act("4", "file removed", cells)

    def _broken_commit(self) -> Act:
        for script in self.stage.scripts:
            self.stage.edit(script.platform, script.mistake)
            self.stage.edit(script.platform, script.neighbour)
        since = self._commit("a mistake in one file, an edit in another")
        self._wait("broken commit", lambda script: bool(self._applied(script, since)))
        problems = json.loads(self.stage.datakeel("validate", "-o", "json"))["problems"]
        cells: dict[str, Cell] = {}
        refused = []
        for script in self.stage.scripts:
            path = f"manifests/{script.platform}/{script.mistake.file}"
            found = [each for each in problems if each["path"] == path and each["severity"] == "error"]
            self._expect(bool(found), script, "broken commit", f"no error in {path}")
            first = found[0]
            place = f"{first['line']}:{first['column']}"
            refused.append(f"{path}:{place}: error[{first['code']}]: {first['subject']}: {first['what']}")
            cells[script.platform] = (
                Line("error", f"{script.mistake.file}:{place} refused"),
                Line("update", f"others go on: {whole(self._value(script))}"),
                self._cost(script, since),
            )
        self.refused = tuple(refused)
        return Act("5", "broken commit", cells)

    def _in_all(self) -> Act:
        cells: dict[str, Cell] = {}
        for script in self.stage.scripts:
            requests = self.stage.requests(script.platform)
            writes = sum(1 for each in requests if each["commits"])
            cells[script.platform] = (Line("", counted(len(requests), "call")), Line("", counted(writes, "write")))
        return Act("", "in all", cells)

    # Waiting

    def _commit(self, message: str) -> Since:
        since = self._since()  # before the commit: the agent notices one at once
        self.revision = self.stage.commit(message)
        return replace(since, revision=self.revision)

    def _since(self) -> Since:
        counts = {script.platform: len(self.stage.changes(script.platform)) for script in self.stage.scripts}
        return Since(time.monotonic(), self.revision, counts)

    def _wait(self, act: str, done: Any) -> None:
        late = list(self.stage.scripts)

        def all_done() -> bool:
            late[:] = [script for script in late if not done(script)]
            return not late

        if not self.stage.until(all_done):
            names = ", ".join(script.platform for script in late)
            raise AgentError(f"{act}: nothing came of it on {names} within {PATIENCE:.0f} s", code=CODE)

    def _settled(self, script: Script, since: Since) -> bool:
        """The agent did something about the newest commit, and its last pass left nothing that the next would do."""
        passes = [each.words for each in self._passes(script, since)]
        last = passes[-1] if passes else {}
        return (
            any(each["applied"] for each in passes)
            and not last["failed"]
            and not last["unknown"]
            and (not last["held"] or not last["applied"])
        )

    def _drift_is_over(self, script: Script, since: Since) -> bool:
        if script.drift.ends == "healed":
            return bool(self._applied(script, since))
        return len(self._passes(script, since)) > 2  # the first may have begun before

    def _removal_is_over(self, script: Script, since: Since) -> bool:
        if script.removal.ends in _GONE:
            return bool(self._applied(script, since, _GONE[script.removal.ends]))
        return any(each.words["held"] for each in self._passes(script, since))

    def _expect(self, holds: bool, script: Script, act: str, what: str) -> None:
        if not holds:
            raise AgentError(f"{act}: {script.platform}: {what}", code=CODE)

    # Looking

    def _passes(self, script: Script, since: Since) -> list[Event]:
        """Those that the agent finished since then over the newest commit."""
        return [
            each
            for each in self._said(script, since, "pass.finished")
            if each.words["revision"] and since.revision.startswith(each.words["revision"])
        ]

    def _applied(self, script: Script, since: Since, action: str | None = None) -> list[Event]:
        """Changes of passes that are over; one change counts once its pass is, which tells the calls."""
        passes = self._passes(script, since)
        end = passes[-1].at if passes else since.at
        found = [each for each in self._said(script, since, "change.applied") if each.at <= end]
        return [each for each in found if action is None or each.words["action"] == action]

    def _said(self, script: Script, since: Since, event: str) -> list[Event]:
        return [
            each
            for each in self.stage.events
            if each.at > since.at and each.words.get("event") == event and each.words.get("target") == script.platform
        ]

    def _cost(self, script: Script, since: Since, seconds: float | None = None) -> Line:
        """Calls of the passes that did something, and how long it took until the last of them was over."""
        busy = self._busy(script, since)
        calls = sum(each.words["calls"] for each in busy)
        took = busy[-1].at - since.at if seconds is None else seconds
        return Line("", f"{counted(calls, 'call')}, {took:.1f} s")

    def _busy(self, script: Script, since: Since) -> list[Event]:
        return [each for each in self._passes(script, since) if each.words["applied"]]

    def _own(self, script: Script, since: Since) -> list[dict[str, Any]]:
        """What the agent changed on the platform since then."""
        changes = self.stage.changes(script.platform)[since.changes[script.platform] :]
        return [each for each in changes if not each["person"]]

    def _watched(self, script: Script, until: Since | None = None) -> list[dict[str, Any]]:
        changes = self.stage.changes(script.platform)
        count = len(changes) if until is None else until.changes[script.platform]
        return [each for each in changes[:count] if each["after"] is not None and script.watch.where.holds(each)]

    def _value(self, script: Script, until: Since | None = None) -> str:
        """The watched value as the platform showed it then, or shows it now."""
        found = self._watched(script, until)
        self._expect(bool(found), script, script.watch.manifest, "is not on the platform")
        return str(script.watch.value.search(found[-1]["after"]))


def _change(before: str, after: str) -> str:
    """``90 -> 80`` on one line, or two values that are long on a line each."""
    both = f"{before} -> {after}"
    return whole(both) if len(both) <= _SHORT else f"{whole(before)} {whole(f'-> {after}')}"


def _word(event: Event, name: str) -> str:
    return str(event.words[name])


@contextmanager
def staged(names: Sequence[str]) -> Iterator[Demo]:
    """A demo of these platforms, of all for none, in a temporary folder; all is stopped and removed in the end."""
    known = scripts(sample_folder())
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(f"--platform {unknown[0]}: there is no demo of it", fix=f"one of: {', '.join(known)}")
    folder = Path(tempfile.mkdtemp(prefix="datakeel-demo-"))
    stage = Stage(folder, [known[name] for name in dict.fromkeys(names or known)])
    try:
        stage.start()
        yield Demo(stage)
    finally:
        stage.stop()
        shutil.rmtree(folder, ignore_errors=True)


def next_commands(demo: Demo) -> str:
    """What to try while everything runs."""
    stage, script = demo.stage, demo.stage.scripts[-1]
    text = f"""\
Everything keeps running. The agent's page is {stage.page}; in another terminal:

  cd {stage.repository}
  export {stage.exports()}
  datakeel status
  datakeel diff
  datakeel get {script.watch.manifest} --target {script.platform}
  edit manifests/{script.platform}/{script.edit.file}, then  git commit -am "my change"
"""
    if script.drift.named is None:
        click = json.dumps({"platform": script.platform, **script.drift.click}, default=float)
        text += f"  curl -d '{click}' {stage.address}/_sandbox/person   makes drift\n"
    return f"""{text}
The sandbox is {stage.address}; each request to it is a line of {stage.requests_log}.
Ctrl-C ends the demo and removes its folder."""
