"""Measure: ``python -m tests.benchmarks --sizes 100,1000,10000 --repeat 5 --json FILE``.

Each measurement is a process of its own; rounds go through all paths, so that what is compared runs side by side. One
table of ratios is printed. ``--folder`` keeps the stages: making the one of 10,000 takes minutes.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.benchmarks.peers import everybody
from tests.benchmarks.peers import lines_of as lines_of_peers
from tests.benchmarks.results import GROWTH_MAX, RATIOS, STARTS, STARTS_OF_ONE, lines_of, table

_ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--sizes", default="100,1000,10000", help="numbers of resources")
    parser.add_argument("--repeat", type=int, default=5, help="rounds (default 5)")
    parser.add_argument("--only", metavar="PATH,…", default="", help="paths that start with one of these")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write everything that was measured")
    parser.add_argument("--folder", metavar="FOLDER", type=Path, help="where stages are made and kept")
    parser.add_argument("--peers", metavar="FOLDER", type=Path, help="other tools too; their virtual environments")
    arguments = parser.parse_args()
    sizes = sorted(int(size) for size in arguments.sizes.split(","))
    compileall.compile_dir(_ROOT / "agent", quiet=2)  # where Python may not keep bytecode, each start would compile
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="datakeel-benchmarks-"))
    try:
        measured = measure(sizes, arguments.repeat, arguments.only, folder)
    finally:
        if arguments.folder is None:
            shutil.rmtree(folder, ignore_errors=True)
    if arguments.peers:
        measured["peers"] = everybody([sizes[-1]], arguments.repeat, arguments.peers)
    if arguments.json:
        arguments.json.write_text(json.dumps(measured, indent=1), encoding="utf-8")
    print(table(lines_of(measured)))
    print("\n".join(lines_of_peers(measured.get("peers", {}))))
    busy, cores = measured["machine"]["load"], measured["machine"]["cores"]
    print(f"{cores} cores, load before {busy:.2f}; the CPU column compares CPU seconds, the wall column time")
    return 0


def measure(sizes: list[int], repeat: int, only: str, folder: Path) -> dict[str, Any]:
    """All measurements of all rounds."""
    from tests.benchmarks.stage import staged

    machine = {"load": os.getloadavg()[0], "cores": os.cpu_count(), "python": platform.python_version()}
    measured: dict[str, Any] = {"machine": machine, "sizes": {}, "starts": {}}
    with ExitStack() as stack:
        stages = {size: stack.enter_context(staged(folder, size)) for size in sizes if _paths(size, only)}
        for size, stage in stages.items():
            measured["sizes"][str(size)] = {
                "paths": {path: [] for path in _paths(size, only)},
                "store_bytes": stage.state.stat().st_size,
                "manifest_bytes": _bytes_below(stage.repository / "manifests"),
                "populate_seconds": stage.populate_seconds,
                "populate_calls": stage.populate_calls,
            }
        for turn in range(repeat):
            for size, stage in stages.items():
                for path in _paths(size, only):
                    _say(f"round {turn + 1}/{repeat}  {size:>7}  {path}")
                    taken = _worker(path, json.dumps(asdict(stage)))
                    measured["sizes"][str(size)]["paths"][path].append(taken)
        _say("")
    if only == "" or "start" in only.split(","):
        measured["starts"] = _starts(max(repeat, 5) * 2, folder)
    return measured


def _paths(size: int, only: str) -> list[str]:
    """What is measured of a size, and its floors; of the largest, what should not grow with it."""
    from tests.benchmarks.stage import WALKED_MAX
    from tests.benchmarks.worker import PATHS

    chosen = {path for path in PATHS if path.startswith(tuple(only.split(",")))}
    if size > WALKED_MAX:
        chosen &= GROWTH_MAX.keys()
    chosen |= {floor for ratio in RATIOS if ratio.above in chosen and size <= WALKED_MAX for floor in ratio.below}
    return [path for path in PATHS if path in chosen]


def _worker(path: str, stage: str) -> dict[str, Any]:
    words = [sys.executable, "-m", "tests.benchmarks.worker", path, stage]
    done = subprocess.run(words, capture_output=True, text=True, cwd=_ROOT, check=False)
    if done.returncode:
        raise SystemExit(f"{path} failed:\n{done.stderr[-3000:]}")
    taken: dict[str, Any] = json.loads(done.stdout)
    return taken


def _starts(repeat: int, folder: Path) -> dict[str, list[dict[str, float]]]:
    """Start-up of the command line against a bare interpreter, in turns."""
    home = folder / "start"
    home.mkdir(parents=True, exist_ok=True)
    config = f"apiVersion: datakeel/v1\nsource: {{path: {home}}}\nstate: sqlite:///{home / 'state.db'}\n"
    config += "targets:\n  main: {platform: dataos, server: 'http://127.0.0.1:1', folder: manifests}\n"
    (home / "datakeel.yaml").write_text(config, encoding="utf-8")
    for made in sorted(folder.glob("size-*/state.db"))[:1]:
        shutil.copyfile(made, home / "state.db")
    bare = [sys.executable, "-c", "pass"]
    places = {"bare": home, **dict.fromkeys(STARTS, home), **dict.fromkeys(STARTS_OF_ONE, _one_manifest(folder))}
    runs: dict[str, list[dict[str, float]]] = {words: [] for words in places}
    for _ in range(repeat):
        for words, place in places.items():
            command = bare if words == "bare" else [sys.executable, "-m", "agent", *words.split()]
            runs[words].append(_timed(command, place))
    return runs


def _one_manifest(folder: Path) -> Path:
    """A repository that holds one manifest, and a configuration whose store is not there."""
    home = folder / "start-one"
    (home / "manifests").mkdir(parents=True, exist_ok=True)
    config = "apiVersion: datakeel/v1\nsource: {path: .}\n"
    config += "targets:\n  main: {platform: dataos, server: 'http://127.0.0.1:1', folder: manifests}\n"
    (home / "datakeel.yaml").write_text(config, encoding="utf-8")
    shutil.copy(_ROOT / "manifests" / "dataos" / "access.yaml", home / "manifests")
    author = ["-c", "user.name=bench", "-c", "user.email=bench@example.com"]
    for words in (["init", "-q"], ["add", "."], [*author, "commit", "-q", "--allow-empty", "-m", "one"]):
        subprocess.run(["git", *words], cwd=home, check=True)
    return home


def _timed(command: list[str], folder: Path) -> dict[str, float]:
    began = time.perf_counter()
    environment = os.environ | {"PYTHONPATH": str(_ROOT)}
    child = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, used = os.wait4(child.pid, 0)
    child.returncode = 0
    return {"wall": time.perf_counter() - began, "cpu": used.ru_utime + used.ru_stime}


def _bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*.yaml"))


def _say(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{text:<60}" if text else "\r" + " " * 60 + "\r")


if __name__ == "__main__":
    sys.exit(main())
