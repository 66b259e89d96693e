"""What ``peers`` gives to each tool: the same work in its own words, all of it done already.

Each work is a sandbox or a folder and the commands that find nothing to do there; ours come first.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks import corpus
from tests.benchmarks.filled import fill
from tests.benchmarks.stage import TOKEN, config_of, sandbox
from tests.benchmarks.terraform_state import write_state

OURS = "datakeel"
_ROOT = Path(__file__).resolve().parents[2]
_RECORDS_OF_A_ZONE = 1000
_PROJECTS = 25
_OWNER = "datakeel-sandbox"
_CONFIG = """\
apiVersion: datakeel/v1
source: {{path: {repository}}}
state: sqlite:///{state}
targets:
  main:
    platform: {platform}
    server: {server}
    credentials: {{token: {{env: PEERS_TOKEN}}}}
    folder: {manifests}
    drift: heal
    verify: 30d
    budget: off
"""
_TERRAFORM = """\
locals { files = fileset("${path.module}/manifests", "*.yaml") }
resource "terraform_data" "manifest" {
  for_each = local.files
  input    = yamldecode(file("${path.module}/manifests/${each.value}"))
}
"""


@dataclass(frozen=True)
class Peer:
    """A command that finds nothing to do. ``requests`` is where the API writes down what it was asked.

    ``tells``: its last line is what one pass of it took, as JSON; else the whole command is measured. ``ready``: it
    finds all as wished the first time; others make it so.
    """

    name: str
    words: Sequence[str]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    requests: Path | None = None
    tells: bool = False
    ready: bool = False


def environment_of(peer: Peer) -> dict[str, str]:
    # Bytecode is kept: without it a checkout is compiled by each command, and what pip installed is not.
    left_out = {"TF_CLI_CONFIG_FILE", "PYTHONDONTWRITEBYTECODE"}
    return {name: value for name, value in os.environ.items() if name not in left_out} | dict(peer.environment)


@contextmanager
def resources(folder: Path, size: int, environments: Path | None) -> Iterator[list[Peer]]:
    """As many resources, all live."""
    place = folder / "datakeel"
    if not (place / "first").exists():
        shutil.rmtree(place, ignore_errors=True)
        first, _ = corpus.build(place / "repository", size)
        corpus.point(place / "repository", first)
        fill(place, first, config_of(""), TOKEN)
        (place / "first").touch()
    with sandbox(place, place / "requests.jsonl") as server:
        found = _datakeel(f"{size:,} resources", place, "dataos", server, corpus.FOLDER)
        if shutil.which("terraform"):
            found.append(_terraform(folder / "terraform", size))
        if environments is not None and (environments / "octodns").exists():
            found.append(_octodns(folder / "octodns", size, environments / "octodns"))
        yield found


def _datakeel(work: str, place: Path, platform: str, server: str, manifests: str) -> list[Peer]:
    """The command, and the agent that has started; they share a store, which is made by the first of them."""
    for known in place.glob("agent.db*"):
        known.unlink()  # of another address
    config = place / "datakeel.yaml"
    words = {"repository": place / "repository", "state": place / "agent.db", "platform": platform, "server": server}
    config.write_text(_CONFIG.format(**words, manifests=manifests), encoding="utf-8")
    environment = {"PEERS_TOKEN": TOKEN, "PYTHONPATH": str(_ROOT)}
    command = [sys.executable, "-m", "agent", "run", "--once", "--config", str(config)]
    agent = [sys.executable, "-m", "tests.benchmarks.started", str(config)]
    return [
        Peer(f"{OURS} run --once, {work}", command, place, environment, place / "requests.jsonl"),
        Peer(f"{OURS}, the agent at a look at the lists, {work}", [*agent, "look"], place, environment, tells=True),
        Peer(f"{OURS}, the agent between two looks, {work}", [*agent, "between"], place, environment, tells=True),
    ]


def _terraform(place: Path, size: int) -> Peer:
    command = ["terraform", "plan", "-detailed-exitcode", "-no-color"]
    peer = Peer(f"Terraform, plan of {size:,}", command, place, ready=True)
    if not (place / "terraform.tfstate").exists():
        (place / "manifests").mkdir(parents=True, exist_ok=True)
        named = [(f"{number:06d}.yaml", document) for number, document in enumerate(corpus.documents(size))]
        for name, document in named:
            (place / "manifests" / name).write_text(document, encoding="utf-8")
        (place / "main.tf").write_text(_TERRAFORM, encoding="utf-8")
        command = ["terraform", "init", "-no-color"]
        subprocess.run(command, cwd=place, env=environment_of(peer), check=True, capture_output=True)
        write_state(place / "terraform.tfstate", named)
    return peer


def _octodns(place: Path, size: int, environment: Path) -> Peer:
    zones = range(-(-size // _RECORDS_OF_A_ZONE))
    for folder in ("source", "live"):
        (place / folder).mkdir(parents=True, exist_ok=True)
        for zone in zones:
            numbers = range(zone * _RECORDS_OF_A_ZONE, min(size, (zone + 1) * _RECORDS_OF_A_ZONE))
            records = {
                f"r{n:06d}": {"type": "A", "ttl": 300, "value": f"10.0.{n // 250 % 250}.{n % 250}"} for n in numbers
            }
            (place / folder / f"z{zone}.example.yaml").write_text(_yaml(records), encoding="utf-8")
    providers = {
        name: {"class": "octodns.provider.yaml.YamlProvider", "directory": str(place / name), "default_ttl": 300}
        for name in ("source", "live")
    }
    told = {f"z{zone}.example.": {"sources": ["source"], "targets": ["live"]} for zone in zones}
    (place / "config.yaml").write_text(_yaml({"providers": providers, "zones": told}), encoding="utf-8")
    words = [str(environment / "bin" / "octodns-sync"), "--config-file", str(place / "config.yaml")]
    return Peer(f"octoDNS, plan of {size:,} records", words, place, ready=True)


@contextmanager
def settings(folder: Path, environments: Path | None) -> Iterator[list[Peer]]:
    """Settings of projects on a sandbox of GitLab, which the first run of each makes what they shall be."""
    place = folder / "projects"
    (place / "repository" / "manifests").mkdir(parents=True)
    wanted = {
        f"p-{n:02d}": {"name": f"P {n}", "description": f"project {n}", "merge_method": "ff"} for n in range(_PROJECTS)
    }
    for name, spec in wanted.items():
        head = {"apiVersion": "dataops-live/v4", "kind": "Project", "metadata": {"name": name, "namespace": _OWNER}}
        text = _yaml({**head, "spec": {**spec, "visibility": "private"}})
        (place / "repository" / "manifests" / f"{name}.yaml").write_text(text, encoding="utf-8")
    corpus.commit_all(place / "repository")
    requests = place / "requests.jsonl"
    with sandbox(place, requests, platform="dataops-live") as server:
        found = _datakeel(f"{_PROJECTS} projects", place, "dataops-live", server, "manifests")
        for tool, prepared in (("gitlabform", _gitlabform), ("ansible", _ansible)):
            if environments is not None and (environments / tool / "bin").exists():
                found.append(prepared(folder / tool, environments / tool / "bin", server, wanted, requests))
        yield found


def _gitlabform(place: Path, programs: Path, server: str, wanted: Mapping[str, Mapping[str, str]], log: Path) -> Peer:
    place.mkdir()
    known = {f"{_OWNER}/{name}": {"project_settings": spec} for name, spec in wanted.items()}
    gitlab = {"url": server, "token": TOKEN, "ssl_verify": False}
    config = {"config_version": 3, "gitlab": gitlab, "projects_and_groups": known}
    (place / "config.yml").write_text(_yaml(config), encoding="utf-8")
    words = [str(programs / "gitlabform"), "-k", "-c", "config.yml", "ALL_DEFINED"]
    return Peer(f"gitlabform, {_PROJECTS} projects", words, place, requests=log)


def _ansible(place: Path, programs: Path, server: str, wanted: Mapping[str, Mapping[str, str]], log: Path) -> Peer:
    place.mkdir()
    said = {word: f"{{{{ item.{word} }}}}" for word in ("path", "name", "description", "merge_method")}
    module = {"api_url": server, "api_token": TOKEN, "username": _OWNER, **said}
    task = {"community.general.gitlab_project": module, "loop": [{"path": name, **wanted[name]} for name in wanted]}
    variables = {"ansible_python_interpreter": str(programs / "python")}
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": variables, "tasks": [task]}
    (place / "play.yaml").write_text(_yaml([play]), encoding="utf-8")
    words = [str(programs / "ansible-playbook"), "-i", "localhost,", "play.yaml"]
    return Peer(f"Ansible, {_PROJECTS} projects", words, place, {"ANSIBLE_HOME": str(place / "home")}, log)


def _yaml(value: object) -> str:
    return json.dumps(value, sort_keys=True)  # which is YAML, in the order that octoDNS asks for
