"""A platform that people filled by hand becomes a repository: ``python -m tests.platforms.imports --resources 500``.

Real commands over a real socket: a sandbox of its own process, filled with the examples of every kind under many
names, then ``import``, ``validate``, ``diff``, ``apply`` and ``diff`` again. It ends with 1 where a manifest is
invalid, a diff has a difference, an import sent more than reads, or two files differ only by case.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from agent import yaml_io
from agent.importing.kinds import why_not
from tests.platforms.conformance.emulated import TOKEN
from tests.platforms.conformance.examples import Example, document_of, examples_of_kinds, surroundings
from tests.platforms.conformance.suite import first_of_each_kind, made_by
from tests.platforms.conformance.wire import PERSON, Sent, body_of, with_mark
from tests.platforms.sandbox_process import SandboxProcess, sandbox_process
from tests.sessions.session import Processes
from tests.simulation.places import make_template, memory_folder

DEFINITIONS = ("dataos/v1", "datalinx/v1", "dataloop/v1", "dataops-live/v4")
"""One for each emulator that has kinds which can be imported; two faces of one platform would import each other's."""
_PATIENCE_SECONDS = 600  # hundreds of resources on a machine that does something else as well
_PERSON = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false")


class Wrong(AssertionError):
    """The import did not keep what it promises; the message says where."""


@dataclass
class Made:
    """What people made: names by target and kind, and the values of their secrets by kind and place."""

    names: dict[str, list[str]] = field(default_factory=dict)
    secrets: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return sum(map(len, self.names.values()))


@dataclass
class Told:
    """Measured: seconds of each command, and what the import said of itself."""

    seconds: dict[str, float] = field(default_factory=dict)
    resources: int = 0
    files: int = 0
    secrets: int = 0
    waiting: int = 0
    calls: int = 0


def filled(sandbox: SandboxProcess, resources: int, folder: Path, definitions: Sequence[str]) -> Made:
    """Each kind's example, made by a person under so many names that there are at least ``resources`` in all."""
    examples = [
        example
        for example in first_of_each_kind(examples_of_kinds())
        if example.definition in definitions and not why_not(example.kind)
    ]
    made, template = Made(), make_template(folder)
    for definition in definitions:
        for document in surroundings()[definition].get("there", ()):
            sandbox.person_creates(_target(definition), **document)
    sent = {str(example): made_by(example, folder, template) for example in examples}
    with httpx.Client(trust_env=False) as person:
        for number in range(-(-resources // len(examples))):
            for example in examples:
                _make(person, sandbox.address, example, sent[str(example)], number, made)
    return made


def _make(person: httpx.Client, address: str, example: Example, sent: Sent, number: int, made: Made) -> None:
    document = document_of(example)
    old = document["metadata"]["name"]
    new = f"{old}{number:03}"
    body = body_of(Sent(sent.method, sent.url, sent.headers, with_mark(sent, example.kind.mark, None, old), 0, ()))
    for member, value in body.items():
        if value == old and member in ("name", "path"):
            body[member] = new
        elif member == "name":
            body[member] = f"{value} {number:03}"  # what people see, where the address has a name of its own
    is_yaml = "yaml" in dict(sent.headers).get("content-type", "")
    content = yaml_io.dump(body).encode() if is_yaml else json.dumps(body).encode()
    path = httpx.URL(sent.url).raw_path.decode()
    head, _, last = path.partition("?")[0].rpartition("/")
    target = _target(example.definition)
    url = f"{address}/{target}{head}/{new if last == old else last}"
    dropped = ("user-agent", "content-length", "host", "authorization", "x-api-key", "private-token")
    headers = [(name, value) for name, value in sent.headers if name.lower() not in dropped]
    credentials = [("Authorization", f"Bearer {TOKEN}"), ("X-API-Key", TOKEN), ("private-token", TOKEN)]
    answer = person.request(sent.method, url, headers=[*headers, *credentials, ("User-Agent", PERSON)], content=content)
    if answer.status_code >= 300:
        raise Wrong(f"{example}: a person could not make {new}: {answer.status_code} {answer.text[:200]}")
    made.names.setdefault(f"{target} {example.kind_name}", []).append(new)
    for place, name in _references(document["spec"]):
        made.secrets[example.kind_name, ".".join(place)] = f"value of {name}"


def _references(value: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, Mapping):
        if set(value) == {"secretRef"}:
            yield place, value["secretRef"]
        else:
            for name, member in value.items():
                yield from _references(member, (*place, name))


def _target(definition: str) -> str:
    emulator: str = surroundings()[definition]["emulator"]
    return emulator


class Repository:
    """A git repository with a target for each platform, and the commands that are run in it."""

    def __init__(self, folder: Path, address: str, processes: Processes, definitions: Sequence[str]) -> None:
        self.folder = folder
        self._processes = processes
        self.told = Told()
        self._environment = {**os.environ, "SANDBOX_TOKEN": TOKEN, "NO_COLOR": "1"}
        self.config: dict[str, Any] = {"apiVersion": "datakeel/v1", "source": {"path": "."}, "targets": {}}
        for definition in definitions:
            known, name = surroundings()[definition], _target(definition)
            self.config["targets"][name] = {
                "platform": definition,
                "server": f"{address}/{name}",
                "credentials": {word: {"env": "SANDBOX_TOKEN"} for word in known["credentials"]},
                "settings": known.get("settings", {}),
                "folder": f"manifests/{name}",
                "defaults": known.get("scope", {}) if name == "dataos" else {},
                "budget": "off",
                "confirmed": _guessed(definition),
                "secrets": {},
            }
        self._git("init", "-q", "-b", "main")
        self.configure({})

    def configure(self, secrets: Mapping[str, Mapping[str, str]]) -> None:
        """Write ``datakeel.yaml`` with these secrets: target -> name -> value."""
        for target, values in secrets.items():
            for name, value in values.items():
                variable = name.upper().replace("-", "_")
                self.config["targets"][target]["secrets"][name] = {"env": variable}
                self._environment[variable] = value
        (self.folder / "datakeel.yaml").write_text(yaml_io.dump(self.config), encoding="utf-8")

    def run(self, *words: str, status: int = 0, called: str = "") -> Any:
        """One command; the document that it prints with ``-o json``."""
        out, err = self.folder.parent / "out", self.folder.parent / "err"
        started = time.monotonic()
        done = self._processes.ask(
            "run",
            words=words,
            folder=str(self.folder),
            environment=self._environment,
            stdout=str(out),
            stderr=str(err),
            patience=_PATIENCE_SECONDS,
        )
        self.told.seconds[called or words[0]] = time.monotonic() - started
        said = out.read_text(encoding="utf-8")
        if done["status"] != status:
            told = f"{said[-3000:]}{err.read_text(encoding='utf-8')[-2000:]}"
            raise Wrong(f"datakeel {' '.join(words[:6])} ended with {done['status']}: {told}")
        return json.loads(said) if "json" in words else said

    def commit(self) -> None:
        self._git("add", "-A")
        self._git(*_PERSON, "commit", "-q", "-m", "what was there")

    def _git(self, *words: str) -> None:
        subprocess.run(["git", *words], cwd=self.folder, check=True, capture_output=True)


def _guessed(definition: str) -> list[str]:
    from agent.definitions.promises import guesses
    from tests.platforms.folders import loaded

    return sorted({name for kind in loaded(definition).kinds.values() for name, _ in guesses(kind)})


def play(resources: int, folder: Path, definitions: Sequence[str] = DEFINITIONS) -> Told:
    """The whole way; raises :class:`Wrong`."""
    names = [_target(each) for each in definitions]
    with sandbox_process(names, limits=False, token=TOKEN) as sandbox, closing(Processes()) as processes:
        made = filled(sandbox, resources, folder, definitions)
        repository = Repository(_made(folder / "repository"), sandbox.address, processes, definitions)
        before = sandbox.requests()
        documents = list(_imports(repository, made))
        writes = [each for each in sandbox.requests(before[-1]["number"]) if each["method"] not in ("GET", "HEAD")]
        if writes:
            raise Wrong(f"an import sent {writes[0]['method']} {writes[0]['path']}")
        _read(documents, repository, made)
        _check(repository, made)
        return repository.told


def _imports(repository: Repository, made: Made) -> Iterator[Any]:
    """What lists show, then what must be asked for by name: a type without a kind of its own, kinds without a list."""
    yield repository.run("import", "-o", "json", "-q")
    kinds = {each.split()[1] for each in made.names}
    if "Other" in kinds:
        yield repository.run("import", "Other", "--in", "type=resource", "-o", "json", "-q", called="import a type")
    named = [f"{each.split()[1]}/default/{name}" for each in made.names for name in made.names[each]]
    named = [each for each in named if each.split("/")[0] in ("Rule", "Dashboard")]
    if named:
        yield repository.run("import", *named, "-o", "json", "-q", called="import by name")


def _check(repository: Repository, made: Made) -> None:
    """Valid, without a difference, adopted by an apply, and then nobody's stray."""
    told = repository.told
    repository.run("validate", "-q")
    _judge_diff(repository.run("diff", "-o", "json", "-q"), told)
    repository.commit()
    repository.run("apply", "--yes", "-q", status=5 if told.waiting else 0)
    if told.waiting:
        repository.run("adopt", "Source", "--yes", "--target", "datalinx")
        repository.run("apply", "--yes", "-q", called="apply what was agreed to")
    plan = repository.run("diff", "-o", "json", "-q", "--detailed-exitcode", called="diff at the end")
    if plan["summary"]["unchanged"] < made.count:
        raise Wrong(f"{plan['summary']} of {made.count}")
    again = repository.run("import", "--strays", "-o", "json", "-q", called="import --strays")
    left = [stray for target in again["targets"] for stray in target["strays"]]
    if left:
        raise Wrong(f"still strays: {left[:3]}")


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _read(documents: list[Any], repository: Repository, made: Made) -> None:
    """What was imported is what people made, each in a file of its own; its secrets get their values."""
    told, files = repository.told, []
    names: Counter[str] = Counter()
    objects: Counter[str] = Counter()
    secrets: dict[str, dict[str, str]] = {}
    for document in documents:
        if not document["complete"]:
            raise Wrong(f"not complete: {[target['failed'] or target['errors'] for target in document['targets']]}")
        for target in document["targets"]:
            told.calls += target["calls"]
            for each in target["imported"]:
                names[f"{target['target']} {each['kind']}"] += 1
                objects[f"{target['target']} {each['kind']} {each['name']}"] += 1
                files.append(each["file"])
                told.waiting += bool(each["waits_for_secrets"])
            for secret in target["secrets"]:
                (use,) = secret["uses"]
                secrets.setdefault(target["target"], {})[secret["name"]] = made.secrets[use["kind"], use["path"]]
    twice = [each for each, count in objects.items() if count > 1]
    if twice:
        raise Wrong(f"one object under several keys: {twice[:5]}")
    missing = {each: len(those) for each, those in made.names.items() if names[each] < len(those)}
    if missing:
        raise Wrong(f"not all was imported: {missing}, and {dict(names)}")
    if len({each.casefold() for each in files}) != len(files):
        raise Wrong("two files differ only by case")
    on_disk = [path for path in (repository.folder / "manifests").rglob("*") if path.is_file()]
    if len(on_disk) != len(files):
        raise Wrong(f"{len(files)} files were told and {len(on_disk)} are there")
    values = set(made.secrets.values())
    telling = [path for path in on_disk if any(value in path.read_text(encoding="utf-8") for value in values)]
    if telling:
        raise Wrong(f"the value of a secret is in {telling[0]}")
    told.resources, told.files, told.secrets = names.total(), len(files), sum(map(len, secrets.values()))
    repository.configure(secrets)


def _judge_diff(plan: Any, told: Told) -> None:
    """Adoptions without a difference, and what waits for a secret that the platform does not show."""
    errors = [problem for problem in plan["problems"] if problem["severity"] == "error"]
    if not plan["complete"] or errors:
        raise Wrong(f"not complete: {errors[:3]}")
    held = [change for change in plan["changes"] if change["action"] != "adopt" or change["fields"]]
    other = [change for change in held if not all(field["sensitive"] for field in change["fields"])]
    if other or len(held) != told.waiting:
        raise Wrong(f"{len(held)} differ, {told.waiting} wait for secrets: {(other or held)[:2]}")
    if len(plan["changes"]) != told.resources:
        raise Wrong(f"{len(plan['changes'])} changes for {told.resources} resources")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--resources", type=int, default=500)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=memory_folder()) as name:
        try:
            told = play(arguments.resources, Path(name))
        except Wrong as wrong:
            print(f"wrong: {wrong}")
            return 1
    print(f"{told.resources} resources into {told.files} files by {told.calls} calls, all of them reads")
    print(
        f"{told.secrets} secrets to set, {told.waiting} objects whose secret is not shown; everything else is identical"
    )
    for command, seconds in told.seconds.items():
        print(f"  {command:<26}{seconds:6.1f} s")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
