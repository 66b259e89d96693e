"""Plays a session: a folder with a script, and what a person then sees on the screen and the platform at its door.

    script        one step a line; steps are the methods of `Session` whose names begin with `step_`
    repo/         files laid over the small repository in `shop/`; over the samples of the platform that a first step
                  `platform NAME` names; over nothing, and no repository yet, after a first step `empty`
    output.txt    the screen: each step, standard output, `2> ` before standard error, a status that is not 0
    requests.txt  what the platform was asked by each command: reads once each, writes in their order

A command must end with 0. `! 3 datakeel validate` announces another status. A command may leave no file behind unless
`leaves FILE` follows. No secret of the environment may be in any output or file.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema

from agent.clock import SystemClock
from agent.sandbox.command_log import VARIABLE
from agent.store import Store
from tests.forges import recipes
from tests.forges import server as forges

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
SECRETS = {"DATAOS_TOKEN": "canary-5e1f0c7a9b", "LAKE_PASSWORD": "hunter2-canary-77"}
_EMPTY = re.compile(r"^empty$", re.MULTILINE)
_PLATFORM = re.compile(r"^platform ([a-z-]+)$", re.MULTILINE)


class Unannounced(AssertionError):
    """A step did what its script does not say: another exit status, a file left behind, a secret told."""


class Processes:
    """The spawner and what it started."""

    def __init__(self) -> None:
        self._spawner = subprocess.Popen(
            [sys.executable, "-m", "tests.sessions.spawner"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, do: str, **order: Any) -> Any:
        """The spawner's answer: see :mod:`tests.sessions.spawner`."""
        assert self._spawner.stdin is not None
        assert self._spawner.stdout is not None
        self._spawner.stdin.write(json.dumps({"do": do, **order}) + "\n")
        self._spawner.stdin.flush()
        return json.loads(self._spawner.stdout.readline())

    def run(self, words: Sequence[str], folder: Path, environment: Mapping[str, str], streams: Path) -> dict[str, Any]:
        """How a command in ``folder`` ended: ``status``, ``seconds``, ``mebibytes``, and what it said, ``out`` and
        ``err``, as bytes. Its streams are files below ``streams``."""
        out, err = streams / "out", streams / "err"
        ended: dict[str, Any] = self.ask(
            "run",
            words=list(words),
            folder=str(folder),
            environment=dict(environment),
            stdout=str(out),
            stderr=str(err),
        )
        return {**ended, "out": out.read_bytes(), "err": err.read_bytes()}

    def close(self) -> None:
        assert self._spawner.stdin is not None
        assert self._spawner.stdout is not None
        self._spawner.stdin.close()
        self._spawner.wait(timeout=10)
        self._spawner.stdout.close()


class Session:
    """One playing of one script in an empty folder."""

    def __init__(self, script: Path, folder: Path, processes: Processes) -> None:
        text = script.read_text(encoding="utf-8")
        self._lines = text.splitlines()
        named = _PLATFORM.search(text)
        self._platform = named[1] if named else "dataos"
        self._folder = folder
        self._processes = processes
        self._screen: list[str] = []
        self._asked: list[str] = []
        self._commits: list[str] = []
        self._digests: list[str] = []
        self._left: set[str] = set()
        self._secrets = set(SECRETS.values())
        self._told = 0
        self._forge = forges.State()
        self._forge_port = "no port"
        self._read: dict[int, str] = {}
        self._opened = ExitStack()
        self._repository = folder / "repo"
        self._temporary = folder / "tmp"
        self._temporary.mkdir()
        empty = _EMPTY.search(text) is not None
        if empty:
            self._repository.mkdir()
        elif named:
            shutil.copytree(ROOT / "manifests" / self._platform, self._repository / "manifests")
        else:
            shutil.copytree(HERE / "shop", self._repository)
        if (script.parent / "repo").is_dir():
            shutil.copytree(script.parent / "repo", self._repository, dirs_exist_ok=True)
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "TMPDIR": str(self._temporary),
            "PYTHONPATH": str(ROOT),
            **{name: os.environ[name] for name in (VARIABLE,) if name in os.environ},
            **SECRETS,
        }
        self._server, self._sandbox = self._start_sandbox()
        self._environment["DATAKEEL_TARGETS__ANALYTICS__SERVER"] = self._server
        if not empty:
            self._git("init", "-q", "-b", "main")
            self._commit("first")

    def play(self) -> tuple[str, str]:
        """What `output.txt` and `requests.txt` should hold. Raises :class:`Unannounced`."""
        try:
            for line in self._lines:
                if line and not line.startswith("#"):
                    self._screen.append(f"$ {line}")
                    self._play(shlex.split(line), line)
            self._check_left()
        finally:
            self._stop_sandbox()
            self._opened.close()
        self._check_secrets()
        left = [path.name for path in self._temporary.iterdir()]
        if left:
            raise Unannounced(f"left in the temporary folder: {', '.join(left)}")
        return "\n".join(self._screen) + "\n", "".join(f"{line}\n" for line in self._asked)

    def _play(self, words: list[str], line: str) -> None:
        status = 0
        if words[0] != "leaves":
            self._check_left()
        if words[0] == "!":
            status, words = int(words[1]), words[2:]
        if words[0] in ("datakeel", "python"):
            self._command(words, status, line)
            return
        step: Callable[..., None] | None = getattr(self, f"step_{words[0]}", None)
        if step is None:
            raise Unannounced(f"no step is called {words[0]}")
        step(*words[1:])

    def _command(self, words: list[str], expected: int, line: str) -> None:
        before = self._files()
        if self._digests:
            words = [word.replace("$DIGEST", self._digests[-1]) for word in words]
        out, err = self._folder / "out", self._folder / "err"
        if words[0] == "datakeel":
            status = self._processes.run(words[1:], self._repository, self._environment, self._folder)["status"]
        else:
            with out.open("wb") as stdout, err.open("wb") as stderr:
                status = subprocess.run(
                    [sys.executable, *words[1:]],
                    cwd=self._repository,
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=stdout,
                    stderr=stderr,
                    check=False,
                    timeout=60,
                ).returncode
        said, complained = out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8")
        self._digests += re.findall(r"p1-[0-9a-f]{32}", said + complained)
        self._screen += self._normal(said).splitlines()
        self._screen += [f"2> {each}".rstrip() for each in self._normal(complained).splitlines()]
        if status:
            self._screen.append(f"[{status}]")
        self._note_requests(line)
        if status != expected:
            raise Unannounced(f"`{line}` ended with {status}:\n{said[-2000:]}\n{complained[-4000:]}")
        self._left = self._files() - before

    def step_platform(self, name: str) -> None:
        """The platform of this session: read before its first step, for the sandbox is there from the beginning."""

    def step_empty(self) -> None:
        """Somebody begins: no file is there, and no repository."""

    def step_leaves(self, *files: str) -> None:
        """The command before left these files in the repository."""
        for file in files:
            if file not in self._left:
                raise Unannounced(f"the command did not leave {file}")
            self._left.remove(file)

    def step_show(self, file: str) -> None:
        self._screen += self._normal((self._repository / file).read_text(encoding="utf-8")).splitlines()

    def step_fits(self, file: str, schema: str) -> None:
        """The file is JSON that this schema of ours allows."""
        read = json.loads((ROOT / schema).read_text(encoding="utf-8"))
        value = json.loads((self._repository / file).read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator(read).validate(value)

    def step_replace(self, file: str, old: str, new: str) -> None:
        """What stands once in a file, by something else; `\\n` ends a line."""
        path = self._repository / file
        old, new = (each.replace("\\n", "\n") for each in (old, new))
        text = path.read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise Unannounced(f"{old!r} is {text.count(old)} times in {file}")
        path.write_text(text.replace(old, new), encoding="utf-8")

    def step_write(self, file: str, text: str) -> None:
        """A file of its own; `\\n` ends a line."""
        (self._repository / file).write_text(text.replace("\\n", "\n"), encoding="utf-8")

    def step_remove(self, *files: str) -> None:
        for file in files:
            (self._repository / file).unlink()

    def step_move(self, old: str, new: str) -> None:
        (self._repository / old).rename(self._repository / new)

    def step_commit(self, message: str) -> None:
        self._commit(message)

    def step_git(self, *words: str) -> None:
        """Somebody works with git, in a branch of their own."""
        self._git("-c", "user.name=Ann", "-c", "user.email=ann@example.com", *words)
        head = self._git("rev-parse", "HEAD").strip()
        if head not in self._commits:
            self._commits.append(head)

    def step_set(self, name: str, value: str) -> None:
        """An environment variable."""
        self._environment[name] = value
        if name in SECRETS:
            self._secrets.add(value)

    def step_server(self, target: str) -> None:
        """A further target of the configuration is on the same platform."""
        self._environment[f"DATAKEEL_TARGETS__{target.upper()}__SERVER"] = self._server

    def step_unset(self, name: str) -> None:
        del self._environment[name]

    def step_person(self, does: str) -> None:
        """Somebody clicks in the platform's own pages: JSON for `/_sandbox/person`."""
        self._control("POST", "person", json.loads(does))

    def step_fault(self, rule: str) -> None:
        """The platform misbehaves: JSON for one rule of `/_sandbox/faults`."""
        self._control("POST", "faults", [json.loads(rule)])

    def step_heal(self) -> None:
        """No faults any more."""
        self._control("DELETE", "faults", None)

    def step_switch(self, switches: str) -> None:
        """How the platform behaves by nature: JSON for `/_sandbox/switches`."""
        self._control("PUT", "switches", json.loads(switches))

    def step_wait(self, seconds: str) -> None:
        """Until reads are sure to show the last write."""
        time.sleep(float(seconds))

    def step_forge(self, name: str) -> None:
        """From now on these are steps of a job of this forge, for pull request 7."""
        face, prefix = (forges.github, "") if name == "github" else (forges.gitlab, "/api/v4")
        api = self._opened.enter_context(forges.served(self._forge, face, prefix))
        event = self._folder / "event.json"
        event.write_text(json.dumps({"pull_request": {"number": 7, "head": {"sha": forges.HEAD}}}), encoding="utf-8")
        self._environment |= forges.variables(name, api, event)
        self._secrets.add(forges.TOKEN)
        self._forge_port = api.removesuffix(prefix).rpartition(":")[2]

    def step_action(self, name: str, *inputs: str) -> None:
        """The composite action of this name, each step a process of its own, with these inputs."""
        recipes.lend(Path(sys.executable).with_name("datakeel"), self._temporary)
        given = dict(each.split("=", 1) for each in inputs)
        temporary = Path(os.environ.get(recipes.INSTALL) or self._temporary)
        run = recipes.run_action(name, given, self._environment, self._repository, temporary)
        self._ran(run, *([f"summary: {len(run.summary.splitlines())} lines"] if run.summary else []))

    def step_merge(self, *file: str) -> None:
        """The job of GitLab's template, or of a file of the repository."""
        recipe = (self._repository / file[0],) if file else ()
        self._ran(recipes.run_gitlab_job(self._installed(), self._repository, *recipe))

    def step_workflow(self, file: str) -> None:
        """The job of a workflow of the repository, as a runner of GitHub plays it."""
        run = recipes.run_workflow(self._repository / file, self._installed(), self._repository, self._temporary)
        self._ran(run, *([f"summary: {len(run.summary.splitlines())} lines"] if run.summary else []))

    def _installed(self) -> dict[str, str]:
        """The environment of a job in which datakeel is installed."""
        recipes.lend(Path(sys.executable).with_name("datakeel"), self._temporary, always=True)
        return self._environment | {"PATH": f"{self._temporary / 'datakeel' / 'bin'}:{self._environment['PATH']}"}

    def _ran(self, run: recipes.Run, *more: str) -> None:
        self._digests += re.findall(r"p1-[0-9a-f]{32}", run.output)
        self._screen += [*self._normal(run.output).splitlines(), *more, *([f"[{run.status}]"] if run.status else [])]
        self._note_requests("the job")
        shutil.rmtree(self._temporary)
        self._temporary.mkdir()

    def step_told(self) -> None:
        """What the forge shows of us, and what it was sent."""
        for status in self._forge.statuses:
            name = status.get("context") or status["name"]
            self._screen += self._normal(f"{name}: {status['state']}, {status['description']}").splitlines()
        for note in self._forge.notes:
            known = self._read.get(note.id) == note.body
            self._screen += [f"{note.author} wrote", *([] if known else self._normal(note.body).splitlines())]
            self._screen[-1] += " the same as before" if known else ""
            self._read[note.id] = note.body
        self._screen.append(f"writes: {', '.join(one for one in self._forge.asked if _is_write(one)) or 'none'}")
        self._forge.asked.clear()

    def step_denied(self, right: str) -> None:
        """The forge's token loses a right: `comment` or `status`."""
        self._forge.rights.discard(right)

    def step_later(self, seconds: str) -> None:
        """Time passes, and nobody waits: what the store knows of objects became known so much earlier."""
        time_passes(self._folder / "state.db", float(seconds))

    def step_outage(self) -> None:
        """The platform is gone."""
        self._stop_sandbox()

    def _start_sandbox(self) -> tuple[str, int]:
        out = self._folder / "sandbox-out"
        out.touch()
        words = ["sandbox", "--platform", self._platform, "--port", "0", "--control", "--no-limits"]
        pid = self._processes.ask(
            "start",
            words=[*words, "--token", SECRETS["DATAOS_TOKEN"], "--requests-log", str(self._folder / "requests")],
            folder=str(self._folder),
            environment=self._environment,
            stdout=str(out),
            stderr=str(self._folder / "sandbox-err"),
        )
        self._server, self._sandbox = first_line(out).split()[2], pid
        self._control("PUT", "switches", {"ready_after": 0})
        return self._server, pid

    def _stop_sandbox(self) -> None:
        if self._sandbox:
            self._processes.ask("stop", pid=self._sandbox)
            self._sandbox = 0

    def _control(self, method: str, what: str, body: Any) -> None:
        request = urllib.request.Request(
            f"{self._server}/_sandbox/{what}", method=method, data=None if body is None else json.dumps(body).encode()
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                answer.read()
        except urllib.error.HTTPError as refused:
            raise Unannounced(f"the sandbox refuses: {refused.read().decode()}") from refused

    def _note_requests(self, line: str) -> None:
        log = self._folder / "requests"
        entries = [json.loads(each) for each in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []
        new, self._told = entries[self._told :], len(entries)
        if not new:
            return
        self._asked.append(f"$ {line}")
        reads = {_request(entry) for entry in new if entry["method"] == "GET"}
        self._asked += sorted(reads)
        self._asked += [_request(entry) for entry in new if entry["method"] != "GET"]

    def _files(self) -> set[str]:
        return {
            path.relative_to(self._repository).as_posix()
            for path in self._repository.rglob("*")
            if path.is_file() and ".git" not in path.relative_to(self._repository).parts
        }

    def _check_left(self) -> None:
        if self._left:
            raise Unannounced(f"left in the repository: {', '.join(sorted(self._left))}")

    def _commit(self, message: str) -> None:
        self._git("add", "-A")
        person = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false")
        self._git(*person, "commit", "-q", "--allow-empty", "-m", message)
        self._commits.append(self._git("rev-parse", "HEAD").strip())

    def _git(self, *words: str) -> str:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self._folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_DATE": f"{1_767_225_600 + len(self._commits)} +0000",
            "GIT_COMMITTER_DATE": f"{1_767_225_600 + len(self._commits)} +0000",
        }
        done = subprocess.run(
            ["git", *words], cwd=self._repository, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    def _check_secrets(self) -> None:
        said = "\n".join(line for line in self._screen if not line.startswith("$ "))
        told = [("the output", said.encode())]
        told += [(path.name, path.read_bytes()) for path in self._folder.rglob("*") if path.is_file()]
        for place, content in told:
            if place != "requests" and any(secret.encode() in content for secret in self._secrets):
                raise Unannounced(f"the value of a secret is in {place}")

    def _normal(self, text: str) -> str:
        """Without what differs from one playing to the next; columns keep their width."""
        text = text.replace(self._server.rpartition(":")[2], "PORT").replace(self._forge_port, "FORGE")
        text = text.replace(str(self._folder), "FOLDER")
        for number, commit in enumerate(self._commits, 1):
            text = text.replace(commit, f"commit{number}".ljust(40, "0")).replace(commit[:7], f"commit{number}")
        for number, digest in enumerate(dict.fromkeys(self._digests), 1):
            text = text.replace(digest, f"p1-DIGEST{number}")
        for pattern, stable in _VOLATILE:
            text = pattern.sub(stable, text)
        return text


def time_passes(state: Path, seconds: float) -> None:
    """What the store knows of the objects of `analytics` became known so much earlier."""
    store = Store.open(f"sqlite:///{state}", clock=SystemClock(), write=True)
    try:
        rows = store.rows("analytics").values()
        store.put_rows(
            replace(row, **{word: _earlier(getattr(row, word), seconds) for word in _MOMENTS}) for row in rows
        )
    finally:
        store.close()


_MOMENTS = ("seen_at", "written_at", "settle_until", "healed_at")


def _earlier(moment: float | None, seconds: float) -> float | None:
    return None if moment is None else moment - seconds


_VOLATILE: tuple[tuple[re.Pattern[str], Any], ...] = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "YYYY-MM-DDThh:mm:ssZ"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"), "PASS"),
    (re.compile(r"datakeel\.analytics/[0-9a-z]{6,}"), "datakeel.analytics/MARK"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "HASH"),
    (re.compile(r"\b\d+ of (\d+) left this (minute|hour)"), r"N of \1 left this \2"),
    (re.compile(r"((?:done in|at most,) about) \d+(?:\.\d)? (?:s|min|h)\b"), r"\1 N min"),
    (re.compile(r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d{4}-\d\d-\d\d \d\d:\d\d"), "DAY YYYY-MM-DD hh:mm"),
    (re.compile(r"\b\d+ s\b( *)"), lambda found: "N s".ljust(len(found[0]))),
    (
        re.compile(r"(\"(?:seconds_needed|verified_p95_seconds|p50_seconds|p95_seconds|max_seconds)\": ?)[0-9.]+"),
        r"\g<1>0",
    ),
    (re.compile(r"git version [0-9.]+[0-9]"), "git version N"),
    (re.compile(r"\b\d{10}\.\d+"), "0"),  # seconds since the epoch
    (re.compile(r"(\bseconds(?:=|\": ?))[0-9.]+"), r"\g<1>0"),
    (re.compile(r"^\d\d:\d\d:\d\d ", re.MULTILINE), "hh:mm:ss "),
    (re.compile(r"\b(duration_ms(?:=|\": ))\d+"), r"\g<1>0"),
    (re.compile(r"dataos-[0-9a-f]{12}"), "dataos-CREDENTIAL"),
)


def _is_write(asked: str) -> bool:
    return not asked.startswith("GET ") and asked != "POST /graphql"


def _request(entry: dict[str, Any]) -> str:
    query = f"?{entry['query']}" if entry["query"] else ""
    about = [found[1] for word in ("type", "name") if (found := re.search(f"^{word}: (.+)$", entry["body"], re.M))]
    return " ".join([entry["method"], f"{entry['path']}{query}", str(entry["status"] or "lost"), *about])


def first_line(path: Path) -> str:
    for _ in range(1000):
        text = path.read_text(encoding="utf-8")
        if text.endswith("\n"):
            return text
        time.sleep(0.01)
    raise Unannounced("the sandbox did not start")
