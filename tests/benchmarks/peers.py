"""The same work by others: ``python -m tests.benchmarks.peers --size 1000 --repeat 3 --environments FOLDER``.

Everything is live and as written; then each tool finds that out in a process of its own, in turns: ``datakeel run
--once``, Terraform's plan of as many resources from the same YAML (``terraform_data``, so without a single call),
octoDNS's plan of as many records between two folders, gitlabform over the settings of 25 projects on a sandbox of
GitLab and datakeel over the same. A tool that is not installed is left out; environments are virtual environments
named after their tool.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from tests.benchmarks import corpus
from tests.benchmarks.filled import fill
from tests.benchmarks.stage import TOKEN, config_of, sandbox

_ROOT = Path(__file__).resolve().parents[2]
_RECORDS_OF_A_ZONE = 1000
_PROJECTS = 25
_TERRAFORM_MAX = 2000  # its cost grows with the square: a plan of 10,000 takes half an hour
_GROUP = "datakeel-sandbox"
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
    """A command that finds nothing to do. ``requests`` is where the API writes down what it was asked."""

    name: str
    words: Sequence[str]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    requests: Path | None = None
    fine: Sequence[int] = (0,)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.peers", description=__doc__)
    parser.add_argument("--size", type=int, default=1000, help="number of resources")
    parser.add_argument("--repeat", type=int, default=3, help="rounds")
    parser.add_argument("--environments", type=Path, metavar="FOLDER", help="holds a virtual environment for each tool")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write what was measured")
    arguments = parser.parse_args()
    taken = everybody(arguments.size, arguments.repeat, arguments.environments)
    if arguments.json:
        arguments.json.write_text(json.dumps(taken, indent=1), encoding="utf-8")
    print("\n".join(lines_of(taken)))
    return 0


def everybody(size: int, repeat: int, environments: Path | None) -> dict[str, list[dict[str, float]]]:
    """What each command took in each round."""
    taken = {}
    with tempfile.TemporaryDirectory(prefix="datakeel-peers-") as folder, ExitStack() as stack:
        for prepared in (_resources, _settings):
            peers = stack.enter_context(prepared(Path(folder), size, environments))
            taken |= measure(peers, repeat)
    return taken


def measure(peers: Sequence[Peer], repeat: int) -> dict[str, list[dict[str, float]]]:
    """Rounds through all of them; the first run of each is not counted."""
    for peer in peers:
        _run(peer)
    rounds = [{peer.name: _run(peer) for peer in peers} for _ in range(repeat)]
    return {peer.name: [taken[peer.name] for taken in rounds] for peer in peers}


def lines_of(taken: Mapping[str, list[dict[str, float]]]) -> Iterator[str]:
    """Each tool against datakeel at the same work, which comes before it."""
    ours: list[dict[str, float]] = []
    for name, runs in taken.items():
        if name.startswith("datakeel"):
            ours = runs
        ratios = [one["cpu"] / other["cpu"] for one, other in zip(runs, ours, strict=True)]
        walls = [one["wall"] / other["wall"] for one, other in zip(runs, ours, strict=True)]
        cpu, peak = median(one["cpu"] for one in runs), median(one["peak"] for one in runs)
        calls = f"{runs[-1]['calls']:.0f} calls, {runs[-1]['writes']:.0f} writes" if "calls" in runs[-1] else ""
        spread = f"{min(ratios):.3g} to {max(ratios):.3g}"
        told = f"{median(ratios):7.3g} x ({spread})  wall {median(walls):.3g}  {cpu:.2f} s {peak:.0f} MB  {calls}"
        yield f"{name:32} {told}"


@contextmanager
def _resources(folder: Path, size: int, environments: Path | None) -> Iterator[list[Peer]]:
    """As many resources, all live."""
    place = folder / "datakeel"
    first, _ = corpus.build(place / "repository", size)
    corpus.point(place / "repository", first)
    fill(place, first, config_of(""), TOKEN)
    with sandbox(place, place / "requests.jsonl") as server:
        found = [_datakeel(f"datakeel, {size:,} resources", place, "dataos", server, corpus.FOLDER, TOKEN)]
        if shutil.which("terraform") and size <= _TERRAFORM_MAX:
            found.append(_terraform(folder / "terraform", size))
        if environments is not None and (environments / "octodns").exists():
            found.append(_octodns(folder / "octodns", size, environments / "octodns"))
        yield found


def _datakeel(name: str, place: Path, platform: str, server: str, manifests: str, token: str) -> Peer:
    words = {"repository": place / "repository", "state": place / "agent.db", "platform": platform, "server": server}
    (place / "datakeel.yaml").write_text(_CONFIG.format(**words, manifests=manifests), encoding="utf-8")
    command = [sys.executable, "-m", "agent", "run", "--once", "--config", str(place / "datakeel.yaml")]
    environment = {"PEERS_TOKEN": token, "PYTHONPATH": str(_ROOT)}
    return Peer(name, command, place, environment, place / "requests.jsonl")


def _terraform(place: Path, size: int) -> Peer:
    (place / "manifests").mkdir(parents=True)
    for number, document in enumerate(corpus.documents(size)):
        (place / "manifests" / f"{number:06d}.yaml").write_text(document, encoding="utf-8")
    (place / "main.tf").write_text(_TERRAFORM, encoding="utf-8")
    for words in (["init"], ["apply", "-auto-approve"]):
        subprocess.run(
            ["terraform", *words, "-no-color"], cwd=place, env=_environment({}), check=True, capture_output=True
        )
    return Peer("Terraform, plan", ["terraform", "plan", "-detailed-exitcode", "-no-color"], place)


def _octodns(place: Path, size: int, environment: Path) -> Peer:
    zones = range(-(-size // _RECORDS_OF_A_ZONE))
    for folder in ("source", "live"):
        (place / folder).mkdir(parents=True)
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
    return Peer("octoDNS, plan", words, place)


@contextmanager
def _settings(folder: Path, size: int, environments: Path | None) -> Iterator[list[Peer]]:
    """Settings of projects on a sandbox of GitLab, which the first run of each makes what they shall be."""
    tool = environments / "gitlabform" / "bin" / "gitlabform" if environments is not None else None
    if tool is None or not tool.exists():
        yield []
        return
    place, other = folder / "projects", folder / "gitlabform"
    (place / "repository" / "manifests").mkdir(parents=True)
    other.mkdir()
    settings = {
        f"p-{n:02d}": {"name": f"P {n}", "description": f"project {n}", "merge_method": "ff"} for n in range(_PROJECTS)
    }
    for name, spec in settings.items():
        head = {"apiVersion": "dataops-live/v4", "kind": "Project", "metadata": {"name": name, "namespace": _GROUP}}
        text = _yaml({**head, "spec": {**spec, "visibility": "private"}})
        (place / "repository" / "manifests" / f"{name}.yaml").write_text(text, encoding="utf-8")
    corpus.commit_all(place / "repository")
    with sandbox(place, place / "requests.jsonl", platform="dataops-live") as server:
        known = {f"{_GROUP}/{name}": {"project_settings": spec} for name, spec in settings.items()}
        gitlab = {"url": server, "token": TOKEN, "ssl_verify": False}
        config = {"config_version": 3, "gitlab": gitlab, "projects_and_groups": known}
        (other / "config.yml").write_text(_yaml(config), encoding="utf-8")
        words = [str(tool), "-k", "-c", "config.yml", "ALL_DEFINED"]
        yield [
            _datakeel(f"datakeel, {_PROJECTS} projects", place, "dataops-live", server, "manifests", TOKEN),
            Peer("gitlabform", words, other, requests=place / "requests.jsonl"),
        ]


def _run(peer: Peer) -> dict[str, float]:
    known = peer.requests.stat().st_size if peer.requests is not None and peer.requests.exists() else 0
    log = peer.folder / "peer.log"
    with log.open("wb") as output:
        began = time.perf_counter()
        child = subprocess.Popen(
            peer.words, cwd=peer.folder, env=_environment(peer.environment), stdout=output, stderr=output
        )
        _, status, used = os.wait4(child.pid, 0)
        took = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in peer.fine:
        raise SystemExit(f"{peer.name} ended with {child.returncode}:\n{log.read_text(encoding='utf-8')[-2000:]}")
    taken = {"cpu": used.ru_utime + used.ru_stime, "wall": took, "peak": used.ru_maxrss / 1024}
    if peer.requests is not None:
        with peer.requests.open("rb") as file:
            file.seek(known)
            methods = [json.loads(line)["method"] for line in file]
        taken |= {"calls": len(methods), "writes": sum(method not in ("GET", "HEAD") for method in methods)}
    return taken


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    left_out = {"TF_CLI_CONFIG_FILE"}
    return {name: value for name, value in os.environ.items() if name not in left_out} | dict(more)


def _yaml(value: object) -> str:
    return json.dumps(value, sort_keys=True)  # which is YAML, in the order that octoDNS asks for


if __name__ == "__main__":
    sys.exit(main())
