"""dataos-sdk-py, the vendor's own Python client, against both faces of the emulated DataOS on a real port.

It only reads. What it reads is made through the documented face, so that one state is seen through two addresses.
``tests/platforms/clients.py`` says where the client comes from.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.platforms.clients import CLIENTS, needs
from tests.platforms.sandbox_process import TOKEN, SandboxProcess, sandbox_process

pytestmark = [pytest.mark.slow, needs("dataos-sdk-py")]

BEGIN = """
import json
import sys

from poros.poros_client import PorosClientBuilder


def api(apikey):
    return PorosClientBuilder().set_base_url(sys.argv[1]).set_apikey(apikey).build().resource_api


def error(call, *words):
    try:
        call(*words)
    except Exception as failed:
        return type(failed).__name__


known = api(sys.argv[2])
"""
USE = """
stranger, reader = api("wrong"), api(sys.argv[3])
print(json.dumps({
    "workspace": known.fetch_workspace("public")["name"],
    "workflows": [row["name"] for row in known.fetch_workflows("public")],
    "nothing": known.fetch_workflows("sales"),
    "workflow": known.fetch_workflow("public", "daily-etl"),
    "service": known.fetch_service("public", "api")["runtime"],
    "cluster": known.fetch_cluster("public", "minervac")["cluster"],
    "secret": known.fetch_secret("public", "smtp")["secret"],
    "database": known.fetch_database("public", "cache")["status"],
    "depot": known.fetch_depot("icebase"),
    "resource": known.fetch_resource("public", "volume", "scratch")["type"],
    "errors": [
        error(known.fetch_workflow, "public", "none"),
        error(known.fetch_resource, "public", "depot", "icebase"),
        error(stranger.fetch_workspace, "public"),
        error(reader.fetch_workflow, "public", "daily-etl"),
    ],
    "allowed": [error(reader.fetch_workflows, "sales"), error(reader.fetch_depot, "icebase")],
}))
"""
WORKFLOW = {"schedule": {"cron": "0 2 * * *"}, "dag": [{"name": "load", "spec": {"stack": "flare:7.0"}}]}
MADE = (
    {"type": "workflow", "name": "daily-etl", "tags": ["daily"], "workflow": WORKFLOW},
    {"type": "service", "name": "api", "service": {"replicas": 2}},
    {"type": "cluster", "name": "minervac", "cluster": {"type": "minerva"}},
    {"type": "secret", "name": "smtp", "secret": {"type": "key-value", "acl": "r", "data": {"password": "hidden"}}},
    {"type": "database", "name": "cache", "database": {}},
    {"type": "depot", "name": "icebase", "depot": {"type": "S3"}},
    {"type": "volume", "name": "scratch", "volume": {"size": "1Gi"}},
)


@pytest.fixture
def sandbox() -> Iterator[SandboxProcess]:
    """Both faces, and all that the client will ask for, made through the documented one."""
    with sandbox_process(["dataos", "dataos-poros"], ready_after=0.0) as sandbox:
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        with httpx.Client(base_url=f"{sandbox.address}/dataos/v1", headers=bearer, trust_env=False) as documented:
            for document in MADE:
                made = documented.post("/resources", json={**document, "version": "v1"})
                assert made.status_code == 201, made.text
        yield sandbox


def run(sandbox: SandboxProcess, program: str, home: Path, *words: str) -> str:
    """What a program of the client prints."""
    client, address = CLIENTS["dataos-sdk-py"], f"{sandbox.address}/dataos-poros/poros"
    printed: str = client.run("python", "-c", BEGIN + program, address, TOKEN, *words, home=home).stdout
    return printed


def test_the_client_reads_what_was_made_through_the_other_face(tmp_path, sandbox):
    said = json.loads(run(sandbox, USE, tmp_path, sandbox.create_token(workspaces=["sales"])))
    workflow = {"type": "workflow", "name": "daily-etl", "version": "v1", "workspace": "public"}
    owned = {"owner": "datakeel-sandbox", "layer": "user", "status": {"aggregateStatus": "active"}}
    assert said == {
        "workspace": "public",
        "workflows": ["daily-etl"],
        "nothing": [],
        "workflow": {**workflow, **owned, "tags": ["daily"], "runtime": "running", "workflow": WORKFLOW},
        "service": "running:2",
        "cluster": {"type": "minerva"},
        "secret": {"type": "key-value", "acl": "r"},
        "database": {"aggregateStatus": "active"},
        "depot": {"type": "depot", "name": "icebase", "version": "v1", **owned, "runtime": "", "depot": {"type": "S3"}},
        "resource": "volume",
        "errors": ["NotFoundException", "InvalidRequestException", "UnauthorizedException", "ForbiddenException"],
        "allowed": [None, None],
    }


def test_the_client_tries_again_when_the_server_fails(tmp_path, sandbox):
    sandbox.add_fault(do="answer", status=503, path="*/workspaces/public", times=2)
    before = len(sandbox.requests())
    assert run(sandbox, 'print(known.fetch_workspace("public")["name"])', tmp_path) == "public\n"
    assert [(entry["status"], entry["agent"]) for entry in sandbox.requests()[before:]] == [
        (503, "dataos-sdk-py/PorosClient"),
        (503, "dataos-sdk-py/PorosClient"),
        (200, "dataos-sdk-py/PorosClient"),
    ]
