"""The vendor's own clients, the page's 0.30.7 and the newest, against a sandbox that is a process of its own.

They are installed from the package registry into environments of their own, which takes minutes: these tests run only
where DATAKEEL_CLIENTS=1 is set.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        os.environ.get("DATAKEEL_CLIENTS") != "1",
        reason="set DATAKEEL_CLIENTS=1 to install the vendor's clients and run them",
    ),
]

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
from agent.sandbox import run_sandbox
run_sandbox(platform="datachain-studio", port=0, token="secret", control=True, ready_after=2.0,
            switches={"fail_names": ["fails.py"]}, on_listening=lambda address: print(address, flush=True))
"""
LOG_IN = """
from datachain.config import Config, ConfigLevel
import sys
with Config(ConfigLevel.GLOBAL).edit() as conf:
    conf["studio"] = {"url": sys.argv[1], "token": "secret", "team": "T"}
"""
USE = """
import json
from datachain.remote.studio import StudioClient

client = StudioClient(team="T")
((_, listing),) = client.ls(["s3://b/x"])
assert listing.ok, listing
print(json.dumps({
    "datasets": [each["name"] for each in client.ls_datasets(prefix="ca").data],
    "project": client.dataset_info("dev", "animals", "cats").data["project"]["name"],
    "missing": client.dataset_info("dev", "animals", "none").message,
    "files": [(each["name"], each["size"], each["last_modified"].isoformat()) for each in listing.data],
    "edited": client.edit_dataset("cats", "dev", "animals", description="new").data["description"],
    "removed": client.rm_dataset("dogs", "dev", "animals").ok,
    "clusters": len(client.get_clusters().data if isinstance(client.get_clusters().data, list)
                    else client.get_clusters().data["clusters"]),
}))
"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


class Client:
    """One version in its own environment and home."""

    def __init__(self, folder: Path, requirement: str, address: str) -> None:
        self.folder = folder
        self.environ = {**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "NO_COLOR": "1"}
        self.environ.pop("PYTHONPATH", None)
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        subprocess.run([folder / "venv/bin/pip", "install", "-q", requirement], check=True, timeout=900)
        self.python("-c", LOG_IN, address)

    def python(self, *words: str) -> str:
        return self._run("python", *words)

    def datachain(self, *words: str, code: int = 0) -> str:
        return self._run("datachain", *words, code=code)

    def _run(self, program: str, *words: str, code: int = 0) -> str:
        done = subprocess.run(
            [self.folder / "venv/bin" / program, *words],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == code, (words, done.stdout, done.stderr)
        return done.stdout


@pytest.fixture(scope="module", params=["datachain[remote]==0.30.7", "datachain[remote]"])
def client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, address: str) -> Client:
    client = Client(tmp_path_factory.mktemp("client"), request.param, address)
    (client.folder / "query.py").write_text("print(1)\n")
    (client.folder / "fails.py").write_text("raise SystemExit(1)\n")
    (client.folder / "extra.txt").write_text("more\n")
    with httpx.Client(base_url=address, trust_env=False) as control:
        present = {"kind": "dataset", "workspace": "T", "namespace": "dev", "project": "animals"}
        for name in ("cats", "dogs"):
            control.post("/_sandbox/person", json={"does": "create", "document": {**present, "name": name}})
        file = {"kind": "file", "workspace": "T", "name": "s3://b/x/a.jpg", "size": 3}
        file["last_modified"] = "2024-01-01T12:00:00Z"
        control.post("/_sandbox/person", json={"does": "create", "document": file})
    return client


def test_datasets_storage_and_clusters(client):
    assert client.python("-c", USE).splitlines()[-1] == (
        '{"datasets": ["cats"], "project": "animals", "missing": "Dataset not found", '
        '"files": [["a.jpg", 3, "2024-01-01T12:00:00+00:00"]], "edited": "new", "removed": true, "clusters": 1}'
    )
    assert "cats" in client.datachain("dataset", "ls", "--studio")
    assert "ACTIVE" in client.datachain("job", "clusters")


def test_a_job_is_run_with_a_file_and_followed_to_its_end(client):
    told = client.datachain("job", "run", "query.py", "--files", "extra.txt", "--env", "A=1", "--cluster", "cluster")
    statuses = [line.split()[5] for line in told.splitlines() if line.startswith(">>>> Job is now in")]
    assert list(dict.fromkeys(statuses)) == ["CREATED", "RUNNING", "COMPLETE"]
    assert "Starting data processing job\n" in told and "Job is complete\n" in told
    assert "COMPLETE" in client.datachain("job", "ls", "--status", "complete")


def test_a_job_that_fails_ends_with_the_exit_code_of_failure(client):
    assert "Job is now in FAILED status" in client.datachain("job", "run", "fails.py", code=1)


def test_a_planned_job_is_listed_and_cancelled(client):
    told = client.datachain("job", "run", "query.py", "--cron", "0 0 * * *")
    identity = re.search(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", told)[0]
    assert "TASK" in client.datachain("job", "ls")
    client.datachain("job", "cancel", identity)
    assert "CANCELED" in client.datachain("job", "ls")
    assert "CANCELED" in client.datachain("job", "logs", identity, code=2)
