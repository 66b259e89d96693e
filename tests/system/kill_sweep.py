"""kill -9 a real agent again and again, and end where an agent that never died ends.

``python -m tests.system.kill_sweep --kills 200`` plays one script of commits twice, each time with a real sandbox, git
repository and `datakeel run`: once undisturbed, once with an agent that is killed at drawn moments and started again.
Half of the moments are aimed: the driver watches the agent's journal and the platform's log, and strikes when a call
has been written down or has just been answered. Exit 1 on any difference.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.system.script import Script, draw_script
from tests.system.stage import Agent, Stage, until

FOREIGN = ("handmade-one", "handmade-two")
STYLES = ("anytime", "starting", "after-commit", "journalled", "journalled", "answered")
# A slow platform: most deaths then fall between a call's first byte and its answer, before or after it took effect.
LATENCY = [
    {"do": "delay", "seconds": 0.06, "method": ["POST", "PUT", "DELETE"], "probability": 0.5, "after": after}
    for after in (False, True)
]
# Longer than the definition's settle window and the call deadline: an open intent is resolved by then.
SETTLE = 25.0
CANARY = b"canary-lake-5519"


@dataclass
class Swept:
    """What came of one run. ``wrong`` is empty when nothing was."""

    live: dict[str, dict[str, Any]]
    wrong: list[str]
    kills: int = 0
    starts: int = 0
    seconds: float = 0.0
    requests: int = 0
    styles: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)


def sweep(
    folder: Path, *, kills: int, seed: int, commits: int, settle: float = SETTLE, say: Callable[[str], None] = print
) -> tuple[Swept, Swept]:
    """Both runs, compared; the differences are among the second one's ``wrong``."""
    script = draw_script(seed, commits)
    say(
        f"script {seed}: {commits} commits, {dict(sorted(script.counts.items()))}, {len(script.names)} names in the end"
    )
    calm = _calm(folder / "calm", script)
    say(f"undisturbed: {calm.requests} requests, {calm.seconds:.0f} s, {len(calm.live)} live")
    killed = _killed(folder / "killed", script, kills, random.Random(f"kills/{seed}"), settle, say)
    for key in sorted(calm.live.keys() | killed.live.keys()):
        if calm.live.get(key) != killed.live.get(key):
            killed.wrong.append(f"{key}: undisturbed {calm.live.get(key)}, killed {killed.live.get(key)}")
    return calm, killed


def _calm(folder: Path, script: Script) -> Swept:
    began = time.monotonic()
    with Stage(folder) as stage:
        opened(stage)
        agent = None
        for files in script.commits:
            revision = stage.commit(files)
            agent = agent or stage.start_agent()
            passed(agent, revision)
        assert agent is not None
        rested(stage, agent)
        assert agent.end() == 143
        return judged(stage, script, began, starts=1)


def _killed(
    folder: Path, script: Script, kills: int, chance: random.Random, settle: float, say: Callable[[str], None]
) -> Swept:
    began = time.monotonic()
    styles: Counter[str] = Counter()
    left: Counter[str] = Counter()
    known: set[str] = set()
    with Stage(folder) as stage:
        opened(stage)
        stage.call("POST", "/_sandbox/faults", LATENCY)
        waiting = list(reversed(script.commits))
        stage.commit(waiting.pop())
        for number in range(kills):
            style = chance.choice(STYLES)
            styles[style] += 1
            # So that all commits are told by the last kill, with runs of kills between two of them.
            aimed = 1.5 if style in ("journalled", "answered", "after-commit") else 0.5
            due = bool(waiting) and chance.random() < aimed * len(waiting) / (kills - number)
            _one_death(stage, style, waiting.pop if due else None, chance)
            for number_of_call, action, name in stage.open_intents():
                there = any(key.endswith(f"/{name}") for key in stage.live())
                if number_of_call not in known:
                    left[f"open {action}, object {'there' if there else 'not there'}"] += 1
                known.add(number_of_call)
            if (number + 1) % 20 == 0:
                say(f"{number + 1} kills, {len(waiting)} commits to come, {time.monotonic() - began:.0f} s")
        while waiting:
            stage.commit(waiting.pop())
        agent = stage.start_agent()
        passed(agent, stage.git("rev-parse", "HEAD").strip())
        time.sleep(settle)
        rested(stage, agent)
        assert agent.end() == 143
        swept = judged(stage, script, began, starts=kills + 1)
    swept.kills, swept.styles, swept.left = kills, styles, left
    return swept


def opened(stage: Stage) -> None:
    """The platform, with two objects that no agent may touch."""
    stage.start_sandbox(ready_after=0.2)
    stage.configure()
    for name in FOREIGN:
        dag = [{"name": "task", "spec": {"stack": "flare:7.0"}}]
        document = {"name": name, "version": "v1", "type": "workflow", "workspace": "public", "workflow": {"dag": dag}}
        stage.call("POST", "/_sandbox/person", {"does": "create", "document": document})


def _one_death(stage: Stage, style: str, commit: Callable[[], Any] | None, chance: random.Random) -> None:
    """Start an agent, let a commit happen before it or before its eyes, and kill it."""
    before_its_eyes = commit is not None and (style == "after-commit" or chance.random() < 0.3)
    if commit is not None and not before_its_eyes:
        stage.commit(commit())
    agent = stage.start_agent()
    if before_its_eyes and commit is not None:
        _for(4.0, lambda: agent.passes())
        stage.commit(commit())
    moment = {"anytime": 3.0, "starting": 1.5, "after-commit": 1.2}.get(style)
    if moment is not None:
        _for(chance.uniform(0.0, moment), lambda: False)
    elif style == "journalled":
        _for(3.0, lambda: stage.open_intents())
        time.sleep(chance.uniform(0.0, 0.006))
    else:
        size = stage.requests_log.stat().st_size
        _for(3.0, lambda: _wrote_since(stage, size))
        time.sleep(chance.uniform(0.0, 0.004))
    assert agent.child.poll() is None, f"the agent ended by itself: {agent.log.read_text()[-2000:]}"
    agent.end(signal.SIGKILL)


def _for(seconds: float, seen: Callable[[], Any]) -> None:
    """At most so long; less when it is seen."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not seen():
        time.sleep(0.001)


def _wrote_since(stage: Stage, size: int) -> bool:
    with stage.requests_log.open("rb") as stream:
        stream.seek(size)
        text = stream.read()
    return any(f'"method": "{method}"'.encode() in text for method in ("POST", "PUT", "DELETE"))


def passed(agent: Agent, revision: str) -> None:
    until(lambda: agent.passes(revision), f"a pass over {revision[:7]}")


def rested(stage: Stage, agent: Agent) -> None:
    """Two whole passes in a row that did nothing, failed at nothing and hold nothing, and no call in doubt."""

    def rests() -> bool:
        last = [event for event in agent.events if str(event.get("event")).startswith("pass.")][-2:]
        quiet = [each for each in last if each["event"] == "pass.finished"]
        if stage.open_intents():
            return False
        return len(quiet) == 2 and not any(
            each[word] for each in quiet for word in ("applied", "held", "failed", "unknown")
        )

    until(rests, "two passes with nothing to do")


def judged(stage: Stage, script: Script, began: float, *, starts: int) -> Swept:
    """What holds after any run, whatever happened in it."""
    live = stage.live()
    ours = {key: each for key, each in live.items() if any(tag.startswith("datakeel.") for tag in each.get("tags", ()))}
    names = {each["name"] for each in ours.values()}
    marks = [tag for each in ours.values() for tag in each["tags"] if tag.startswith("datakeel.")]
    wrong = []
    if len(set(marks)) != len(marks) or len(marks) != len(ours):
        wrong.append("two live objects carry one mark, or one carries two")
    if names != script.names:
        wrong.append(f"git and live differ: lost {script.names - names}, orphans {names - script.names}")
    if stage.inventory() != script.names:
        wrong.append(f"git and inventory differ: {stage.inventory() ^ script.names}")
    if stage.open_intents():
        wrong.append(f"open intents: {stage.open_intents()}")
    if {each["name"] for each in live.values()} - names != set(FOREIGN):
        wrong.append("an object of somebody else is gone")
    wrong += _history(stage, script)
    diff = stage.datakeel("diff", "--detailed-exitcode", "--fresh")
    if diff.returncode != 0:
        wrong.append(f"diff ends with {diff.returncode}: {(diff.stdout + diff.stderr)[:500]}")
    for path in (stage.state, *stage.folder.glob("state.db-*"), *stage.folder.glob("agent-*.log")):
        if CANARY in path.read_bytes():
            wrong.append(f"a secret is in {path.name}")
    requests = stage.requests()
    twice = [entry for entry in requests if entry["method"] == "POST" and entry["status"] == 409]
    if twice:
        wrong.append(f"{len(twice)} creates of what was there already")
    return Swept(live, wrong, starts=starts, seconds=time.monotonic() - began, requests=len(requests))


def _history(stage: Stage, script: Script) -> list[str]:
    """Over all commits of the platform: nothing was made or deleted more often than git let it come and go."""
    made: Counter[str] = Counter()
    removed: Counter[str] = Counter()
    wrong = []
    for commit in stage.call("GET", "/_sandbox/commits"):
        if commit["person"]:
            continue
        name = commit["name"]
        if name in FOREIGN:
            wrong.append(f"{commit['method']} on {name}, which is not ours")
        made[name] += commit["before"] is None
        removed[name] += commit["after"] is None
    wrong += [f"{name} was created {n} times" for name, n in made.items() if n > script.made.get(name, 0)]
    wrong += [f"{name} was deleted {n} times" for name, n in removed.items() if n > script.removed.get(name, 0)]
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.system.kill_sweep", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="so many deaths (default 200)")
    parser.add_argument("--seed", type=int, default=1, help="draws commits and moments (default 1)")
    parser.add_argument("--commits", type=int, help="length of the script (default: two for three kills)")
    parser.add_argument("--keep", type=Path, help="play in this new folder and leave it")
    arguments = parser.parse_args()
    commits = arguments.commits or max(4, arguments.kills * 2 // 3)
    with tempfile.TemporaryDirectory(prefix="datakeel-kills-") as folder:
        place = arguments.keep or Path(folder)
        calm, killed = sweep(place, kills=arguments.kills, seed=arguments.seed, commits=commits)
    print(f"kills {killed.kills}, starts {killed.starts}, {killed.requests} requests, {killed.seconds:.0f} s")
    print("moments: " + ", ".join(f"{style} {count}" for style, count in sorted(killed.styles.items())))
    print("left behind: " + (", ".join(f"{what}: {count}" for what, count in sorted(killed.left.items())) or "nothing"))
    wrong = [f"undisturbed: {each}" for each in calm.wrong] + killed.wrong
    print("\n".join(wrong))
    print(f"{len(killed.live)} live objects, verdict: {'DIFFERENT' if wrong else 'the same end'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
