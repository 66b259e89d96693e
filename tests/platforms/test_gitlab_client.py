"""python-gitlab, the client that people use with this vendor, against the emulator of DataOps.live on a real port.

It is installed from the package registry into an environment of its own: only where DATAKEEL_CLIENTS=1 is set.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        os.environ.get("DATAKEEL_CLIENTS") != "1", reason="set DATAKEEL_CLIENTS=1 to install python-gitlab and run it"
    ),
]

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENT = "python-gitlab==8.6.0"
SERVER = """
from agent.sandbox import run_sandbox
run_sandbox(platform="dataops-live", port=0, token="secret", on_listening=lambda address: print(address, flush=True))
"""
USE = """
import json
import sys
import warnings

import gitlab

warnings.simplefilter("error")  # it warns of a next link on another host


def error(call):
    try:
        call()
    except gitlab.GitlabError as failed:
        return [failed.response_code, failed.error_message]


client = gitlab.Gitlab(sys.argv[1], private_token="secret")
client.auth()
group = client.groups.create({"name": "Acme", "path": "acme"})
wanted = {"name": "Sales Pipeline", "namespace_id": group.id, "topics": ["b", "a"], "visibility": "private"}
project = client.projects.create(wanted)
for number in range(25):
    client.projects.create({"name": f"bulk {number}", "namespace_id": group.id})
order = {"order_by": "id", "sort": "asc"}
said = {
    "user": client.user.username,
    "all": [row.path for row in client.projects.list(iterator=True, per_page=10, **order)],
    "second": [row.path for row in client.projects.list(page=2, per_page=10, **order)],
    "past": client.projects.list(page=9, per_page=10),
    "total": client.projects.list(iterator=True).total,
    "namespaces": [row.full_path for row in client.namespaces.list(get_all=True)],
}
found = client.projects.get("acme/sales-pipeline")
found.description = "new"
found.save()
found.archive()
said["archived"] = client.projects.get(project.id).archived
found.unarchive()
said["fork"] = found.forks.create({}).path_with_namespace
found.variables.create({"key": "K", "value": "v"})
said["variable"] = found.variables.get("K").value
said["pipeline"] = found.trigger_pipeline("main", found.triggers.create({"description": "ci"}).token).status
read = client.projects.get("acme/sales-pipeline")
said["read"] = [read.id == project.id, read.description, read.topics, read.archived]
said["errors"] = [
    error(lambda: client.projects.get("acme/none")),
    error(lambda: client.projects.create(wanted)),
    error(lambda: found.forks.create({})),
    error(gitlab.Gitlab(sys.argv[1], private_token="wrong").auth),
]
found.delete()
said["gone"] = error(lambda: client.projects.get(project.id))
print(json.dumps(said))
"""


@pytest.fixture
def address() -> Iterator[str]:
    process = subprocess.Popen([sys.executable, "-c", SERVER], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def said(tmp_path: Path, address: str) -> dict[str, Any]:
    """What the client saw of it all."""
    python = tmp_path / "bin" / "python"
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    for command in (["-m", "venv", str(tmp_path)], ["-m", "pip", "install", "--quiet", REQUIREMENT]):
        interpreter = sys.executable if command[1] == "venv" else str(python)
        subprocess.run([interpreter, *command], check=True, env=environ, timeout=300)
    ran = subprocess.run(
        [str(python), "-c", USE, address], check=False, env=environ, timeout=120, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    shown: dict[str, Any] = json.loads(ran.stdout)
    return shown


def test_the_client_goes_through_a_projects_life(said):
    paths = ["sales-pipeline", *(f"bulk-{number}" for number in range(25))]
    assert said == {
        "user": "datakeel-sandbox",
        "all": paths,
        "second": paths[10:20],
        "past": [],
        "total": 26,
        "namespaces": ["datakeel-sandbox", "acme"],
        "archived": True,
        "fork": "datakeel-sandbox/sales-pipeline",
        "variable": "v",
        "pipeline": "created",
        "read": [True, "new", ["b", "a"], False],
        "errors": [
            [404, "404 Project Not Found"],
            [400, {"name": ["has already been taken"], "path": ["has already been taken"]}],
            [409, {"base": ["Name has already been taken", "Path has already been taken"]}],
            [401, "401 Unauthorized"],
        ],
        "gone": [404, "404 Project Not Found"],
    }
