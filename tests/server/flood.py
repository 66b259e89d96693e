"""A flood of webhooks changes nothing but counters: ``python -m tests.server.flood --rate 1000 --seconds 10``.

A real agent at rest; a process beside it sends it webhooks over loopback, signed, unsigned and malformed, to the
receivers of a platform and of the forge. In the middle of it a commit is pushed. Then it is shown that the commit's
pass began soon, that nothing was written and next to nothing read on account of the rest, that the store is as it was,
as memory is, and that the counters add up to the last answer. The rate that is told is what this machine had left to
reach. Exit 1 when something of it does not hold.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.system.stage import ROOT, Agent, Stage, environment, until, workflow

SECRET = "the-secret-of-the-flood-4711"
NAMES = ("alpha", "beta", "gamma")
ANSWERS = {202, 400, 401, 413, 415, 429}
GROWS_MAX = 32  # MiB of resident memory (design/fault-model.md R14)
BEGINS_MAX = 2.0  # more than when all is calm: the second in which git is looked at once, and one for the crowd
_FACTS = ("inventory", "applied", "journal", "tombstone", "pass", "event")


@dataclass(slots=True)
class Told:
    """What came of a flood; ``wrong`` holds what should not be."""

    rate: float = 0.0
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    p99: float = 0.0
    calm: float = 0.0
    begins: float = 0.0
    cost: float = 0.0
    reads: int = 0
    fetches: float = 0.0
    lines: int = 0
    grew: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def require(self, holds: bool, what: str) -> None:
        if not holds:
            self.wrong.append(what)


def requests() -> list[dict[str, str]]:
    """Three of each sort: what opens, what does not, what is none."""
    push = json.dumps({"ref": "refs/heads/main", "after": "0" * 40}).encode()
    event = json.dumps({"event": "resource.updated", "resource": {"type": "workflow", "name": "alpha"}}).encode()
    git, platform = "/hooks/git/source", "/hooks/platform/main"
    wrong = "sha256=" + "0" * 64
    made = (
        ("signed", _post(git, push, x_hub_signature_256=_signed(push), x_github_event="push")),
        ("unsigned", _post(git, push)),
        ("malformed", _post(git, b"[" * 500 + b"]" * 500, authorization=f"Bearer {SECRET}", x_github_event="push")),
        ("signed", _post(platform, event, x_hub_signature_256=_signed(event))),
        ("unsigned", _post(platform, event, x_hub_signature_256=wrong)),
        ("malformed", _post(platform, b"payload=1", authorization=f"Bearer {SECRET}", content_type="text/plain")),
        ("signed", _post(git, push, x_gitlab_token=SECRET, x_gitlab_event="Push Hook")),
        ("unsigned", _post(f"{platform}/another-word-than-it-is", event)),
        ("malformed", b"\x16\x03\x01 this is no HTTP\r\n\r\n"),
        ("malformed", _post(git, b"", content_length="25000000000", authorization=f"Bearer {SECRET}")),
    )
    return [{"name": name, "bytes": base64.b64encode(sent).decode()} for name, sent in made]


def _signed(body: bytes) -> str:
    return "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()


def _post(path: str, body: bytes, **headers: str) -> bytes:
    fields = {"host": "127.0.0.1", "content-type": "application/json", "content-length": str(len(body))}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    return (f"POST {path} HTTP/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in fields.items()) + "\r\n").encode() + body


After = Callable[[Stage, Agent, str], None]


def play(folder: Path, rate: int, seconds: float, after: After = lambda stage, agent, probes: None) -> Told:
    """The whole story in a folder of its own; ``after`` may look at the agent when the flood is over."""
    with Stage(folder) as stage:
        stage.start_sandbox(ready_after=0.0)
        _configure(stage)
        first = stage.commit({f"{name}.json": workflow(name) for name in NAMES})
        agent = stage.start_agent("--listen", "127.0.0.1:0", "--probes", "127.0.0.1:0")
        until(lambda: agent.passes(first), "the first pass")
        time.sleep(1.0)  # what follows a first pass is over
        ports = {str(each["use"]): str(each["address"]) for each in agent.events if each["event"] == "server.listening"}
        told = _flooded(stage, agent, ports, rate, seconds)
        after(stage, agent, ports["probes"])
        told.require(agent.end() == 143, "the agent did not end as it should")
        return told


def _configure(stage: Stage) -> None:
    (stage.folder / "hook").write_text(SECRET + "\n")
    (stage.folder / "hook").chmod(0o600)
    stage.configure("1h")
    config = stage.repository / "datakeel.yaml"
    hook = f"hook: {{secret: {{file: {stage.folder / 'hook'}}}}}"
    text = config.read_text().replace("path: .", f"url: 'file://{stage.repository}', branch: main, {hook}")
    text = text.replace("verify: 4s", f"verify: 1h\n    {hook}")
    config.write_text(text)


def _flooded(stage: Stage, agent: Agent, ports: Mapping[str, str], rate: int, seconds: float) -> Told:
    told = Told()
    job = {"port": int(ports["pages"].rpartition(":")[2]), "rate": rate, "seconds": seconds, "requests": requests()}
    told.calm = _begins(stage, agent, workflow("beta", cron="30 4 * * *"), "beta", job["port"])
    time.sleep(1.5)
    measured, facts, mark = _measured(ports["probes"]), _facts(stage), len(stage.requests())
    memory, lines, passes, spent = _memory(agent), len(agent.events), len(agent.passes()), _spent(agent)
    sender = subprocess.Popen(
        [sys.executable, "-m", "tests.server.sender"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment(),
    )
    stage.children.append(sender)
    assert sender.stdin is not None
    sender.stdin.write(json.dumps(job))
    sender.stdin.close()
    time.sleep(seconds / 2)
    told.begins = _begins(stage, agent, workflow("alpha", cron="30 4 * * *"), "alpha", None)
    assert sender.stdout is not None
    with sender.stdout as told_by_sender:
        answer = json.load(told_by_sender)
    sender.wait()
    time.sleep(1.2)  # the last look at git, and at what an event named
    _judge(told, answer, measured, _measured(ports["probes"]))
    told.cost = (_spent(agent) - spent) / max(1, sum(told.answers.values()))
    told.require(
        told.begins <= told.calm + BEGINS_MAX,
        f"the pass of a commit began after {told.begins:.1f} s, and after {told.calm:.1f} s when all is calm",
    )
    sent = [each for each in stage.requests()[mark:] if each["agent"] != "a person"]
    writes = [f"{each['method']} {each['path']}" for each in sent if each["method"] != "GET"]
    told.require(len(writes) == 1 and writes[0].startswith("PUT"), f"not just the commit was written: {writes}")
    told.reads = len(sent) - len(writes)
    told.require(told.reads <= seconds * 1.5 + 10, f"{told.reads} reads, where one a second is allowed")
    told.lines = len(agent.events) - lines
    told.require(told.lines <= 12 * (seconds + 3), f"{told.lines} lines of log")
    told.grew = _memory(agent) - memory
    told.require(told.grew < GROWS_MAX, f"memory grew by {told.grew:.0f} MiB")
    told.require(_facts(stage) == facts, "the store has changed")
    told.require(len(agent.passes()) == passes + 1, f"{len(agent.passes()) - passes} passes instead of one")
    return told


def _begins(stage: Stage, agent: Agent, manifest: str, name: str, port: int | None) -> float:
    """Seconds from a commit to the beginning of its pass; ``port`` None: the flood itself tells of the push."""
    revision = stage.commit({f"{name}.json": manifest})
    pushed = time.time()
    if port is not None:
        (push,) = [base64.b64decode(each["bytes"]) for each in requests()[:1]]
        with socket.create_connection(("127.0.0.1", port), timeout=20) as talking:
            talking.sendall(push)
            assert talking.recv(64).startswith(b"HTTP/1.1 202 ")
    found = until(lambda: agent.passes(revision), f"the pass of {name}'s commit", 120)[0]
    return datetime.fromisoformat(found["ts"]).timestamp() - float(found["duration_ms"]) / 1000 - pushed


def _spent(agent: Agent) -> float:
    """Seconds of processor time."""
    words = Path(f"/proc/{agent.child.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _judge(told: Told, answer: dict[str, Any], before: dict[str, float], after: dict[str, float]) -> None:
    """Each was answered as its sort is, and counted once."""
    told.rate, told.p99 = answer["rate"], answer["p99"]
    told.answers.update({(name, status): count for name, status, count in answer["answers"]})
    may = {"signed": {202, 429}, "unsigned": {401, 429}, "malformed": {400, 413, 415, 429}}
    for (name, status), count in told.answers.items():
        told.require(status in may[name], f"{count} that were {name} were answered with {status}")
    grown = {key: after[key] - before.get(key, 0.0) for key in after}
    hooks = {key: value for key, value in grown.items() if key.startswith("datakeel_hooks_total")}
    no_http = sum(1 for each in requests() if each["bytes"].startswith("FgMB"))
    answered = sum(count for (_, status), count in told.answers.items() if status in ANSWERS)
    beside = sum(told.answers.values()) * no_http / len(requests())  # answered before any receiver sees them
    told.require(abs(sum(hooks.values()) + beside - answered) <= no_http, "the counters do not add up to the answers")
    told.fetches = sum(value for key, value in grown.items() if key.startswith("datakeel_git_fetch_total"))


def _measured(probes: str) -> dict[str, float]:
    with urllib.request.urlopen(f"{probes}/metrics", timeout=30) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    return {f"{each.name}{sorted(each.labels.items())}": each.value for family in families for each in family.samples}


def _facts(stage: Stage) -> dict[str, str]:
    """A digest of each table that holds facts, without those of the resource and the pass that the commit is about."""
    with closing(sqlite3.connect(f"file:{stage.state}?mode=ro", uri=True)) as store:
        found = {}
        for table in _FACTS:
            rows = sorted(map(repr, store.execute(f'SELECT * FROM "{table}"').fetchall()))
            rows = rows[:2] if table == "pass" else [row for row in rows if "'alpha'" not in row]
            found[table] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
        return found


def _memory(agent: Agent) -> float:
    words = dict(line.split(":", 1) for line in Path(f"/proc/{agent.child.pid}/status").read_text().splitlines())
    return int(words["VmRSS"].split()[0]) / 1024


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.server.flood", description=__doc__)
    parser.add_argument("--rate", type=int, default=1000, help="webhooks a second")
    parser.add_argument("--seconds", type=float, default=10.0)
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        told = play(Path(folder) / "stage", words.rate, words.seconds)
    print(
        f"{sum(told.answers.values())} webhooks, {told.rate:.0f} a second reached, of {words.rate} that were asked for"
    )
    for (name, status), count in sorted(told.answers.items()):
        print(f"  {name:10} {status}  {count}")
    print(f"answered within {told.p99 * 1000:.0f} ms (99 %)")
    print(f"{told.cost * 1000:.2f} ms of the agent's processor time for each, the pass and all else included")
    print(f"the pass of a commit began {told.begins:.2f} s after it amid the flood, {told.calm:.2f} s when all is calm")
    print(f"{told.reads} reads, {told.fetches:.0f} looks at git, {told.lines} lines of log, {told.grew:+.1f} MiB")
    print("\n".join(told.wrong) or "nothing but counters has changed")
    return 1 if told.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
