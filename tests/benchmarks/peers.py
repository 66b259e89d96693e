"""The same work by others: ``python -m tests.benchmarks.peers --sizes 500,2000 --repeat 3 --environments FOLDER``.

Everything is live and as written; then each tool finds that out in a process of its own, in turns: ``datakeel run
--once``, Terraform's plan of as many resources from the same YAML (``terraform_data``, so without a single call),
octoDNS's plan of as many records between two folders, gitlabform and Ansible over the settings of 25 projects on a
sandbox of GitLab and datakeel over the same. Beside the whole command stands the agent that has started: one more pass
of it, with the lists of the platform and between two looks at them. A tool that is not installed is left out;
environments are virtual environments named after their tool. ``--folder`` keeps what takes long to make.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from tests.benchmarks.peer_tools import OURS, Peer, environment_of, resources, settings

Runs = list[dict[str, float]]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.peers", description=__doc__)
    parser.add_argument("--sizes", default="1000", help="numbers of resources; 0 for the settings of projects alone")
    parser.add_argument("--repeat", type=int, default=3, help="rounds")
    parser.add_argument("--only", metavar="NAME,…", default="", help="tools whose names start with one of these")
    parser.add_argument("--environments", type=Path, metavar="FOLDER", help="holds a virtual environment for each tool")
    parser.add_argument("--folder", type=Path, metavar="FOLDER", help="where the work is made and kept")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write what was measured")
    arguments = parser.parse_args()
    sizes = [int(size) for size in arguments.sizes.split(",")]
    taken = everybody(sizes, arguments.repeat, arguments.environments, arguments.folder, arguments.only)
    if arguments.json:
        arguments.json.write_text(json.dumps(taken, indent=1), encoding="utf-8")
    print("\n".join(lines_of(taken)))
    return 0


def everybody(
    sizes: Sequence[int], repeat: int, environments: Path | None, kept: Path | None = None, only: str = ""
) -> dict[str, Runs]:
    """What each command took in each round."""
    taken = {}
    with tempfile.TemporaryDirectory(prefix="datakeel-peers-") as made:
        folder = kept or Path(made)
        works = [resources(folder / f"size-{size}", size, environments) for size in sizes if size]
        for work in (*works, settings(Path(made), environments)):
            with ExitStack() as stack:
                peers = [
                    each
                    for each in stack.enter_context(work)
                    if each.name.startswith((OURS, *only.split(",")) if only else ("",))
                ]
                if any(not each.name.startswith(OURS) for each in peers):
                    taken |= measure(peers, repeat)
    return taken


def measure(peers: Sequence[Peer], repeat: int) -> dict[str, Runs]:
    """Rounds through all of them; the run that makes all as wished is not counted."""
    for peer in peers:
        if not peer.ready:
            _run(peer)
    rounds = [{peer.name: _run(peer) for peer in peers} for _ in range(repeat)]
    return {peer.name: [taken[peer.name] for taken in rounds] for peer in peers}


def lines_of(taken: Mapping[str, Runs]) -> Iterator[str]:
    """Each tool against each of ours at the same work, which come before it; CPU as a ratio, with its spread."""
    ours: dict[str, Runs] = {}
    before = ""
    for name, runs in taken.items():
        is_ours = name.startswith(OURS)
        if is_ours and not before.startswith(OURS):
            ours = {}
        before = name
        cpu, wall, peak = (median(one[word] for one in runs) for word in ("cpu", "wall", "peak"))
        calls = f", {runs[-1]['calls']:.0f} calls, {runs[-1]['writes']:.0f} writes" if "calls" in runs[-1] else ""
        yield f"{name}: {cpu:.3g} s CPU, {wall:.3g} s, {peak:.0f} MB{calls}"
        if is_ours:
            ours[name] = runs
            continue
        for one, others in ours.items():
            ratios, walls = _ratios(runs, others, "cpu"), _ratios(runs, others, "wall")
            spread = f"{min(ratios):.3g} to {max(ratios):.3g}"
            yield f"    {median(ratios):7.3g} x ({spread}), wall {median(walls):.3g} x  {one}"


def _ratios(runs: Runs, ours: Runs, word: str) -> list[float]:
    return [one[word] / other[word] for one, other in zip(runs, ours, strict=True)]


def _run(peer: Peer) -> dict[str, float]:
    known = peer.requests.stat().st_size if peer.requests is not None and peer.requests.exists() else 0
    log = peer.folder / "peer.log"
    with log.open("wb") as output:
        began = time.perf_counter()
        child = subprocess.Popen(
            peer.words, cwd=peer.folder, env=environment_of(peer), stdout=output, stderr=subprocess.STDOUT
        )
        _, status, used = os.wait4(child.pid, 0)
        took = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    said = log.read_text(encoding="utf-8")
    if child.returncode != 0:
        raise SystemExit(f"{peer.name} ended with {child.returncode}:\n{said[-2000:]}")
    if peer.tells:
        told: dict[str, float] = json.loads(said.splitlines()[-1])
        return told
    taken = {"cpu": used.ru_utime + used.ru_stime, "wall": took, "peak": used.ru_maxrss / 1024}
    if peer.requests is not None:
        with peer.requests.open("rb") as file:
            file.seek(known)
            methods = [json.loads(line)["method"] for line in file]
        taken |= {"calls": len(methods), "writes": sum(method not in ("GET", "HEAD") for method in methods)}
    return taken


if __name__ == "__main__":
    sys.exit(main())
