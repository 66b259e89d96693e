"""The sandbox as a process: a real port, a real reset, a graceful stop, and a kill that loses nothing."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.unit.sandbox.support import WORKFLOW

PROGRAM = """
import sys
from pathlib import Path
from agent.sandbox import run_sandbox
run_sandbox(port=0, token="t", state=Path(sys.argv[1]), requests_log=Path(sys.argv[2]), control=True,
            on_listening=lambda address: print(address, flush=True))
print("returned", flush=True)
"""
ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def running(folder: Path) -> Iterator[tuple[subprocess.Popen, httpx.Client]]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder / "state.db"), str(folder / "requests.jsonl")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        address = process.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:") and not address.endswith(":0")
        with httpx.Client(base_url=address, headers={"Authorization": "Bearer t"}, trust_env=False) as client:
            yield process, client
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_kill_loses_nothing_that_was_acknowledged(tmp_path):
    with running(tmp_path) as (process, client):
        for number in range(5):
            answer = client.post("/v1/resources", json={**WORKFLOW, "name": f"n{number}"})
            assert answer.status_code == 201
        process.kill()
    assert len((tmp_path / "requests.jsonl").read_text().splitlines()) == 5
    with running(tmp_path) as (_, client):
        listed = client.get("/v1/resources").json()
        assert [row["name"] for row in listed["data"]] == [f"n{number}" for number in range(5)]
        assert [commit["number"] for commit in client.get("/_sandbox/commits").json()] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_gracefully_even_under_a_stream(tmp_path, number):
    with running(tmp_path) as (process, client):
        client.post("/v1/resources", json=WORKFLOW)
        with client.stream("GET", "/v1/resources/workflow/daily-etl/logs?workspace=analytics&follow=true") as answer:
            assert json.loads(next(answer.iter_lines()))["message"] == "Workflow started"
            process.send_signal(number)
            assert process.stdout.readline().strip() == "returned"
            assert process.wait(10) == 0


def test_a_lost_connection_is_lost_on_the_wire(tmp_path):
    with running(tmp_path) as (_, client):
        for fault, commits in (("reset", 0), ("answer-lost", 1), ("cut", 2)):
            client.put("/_sandbox/faults", json=[{"fault": fault, "method": "POST"}])
            with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
                client.post("/v1/resources", json={**WORKFLOW, "name": fault})
            assert len(client.get("/_sandbox/commits").json()) == commits
        statuses = [entry["status"] for entry in client.get("/_sandbox/requests").json()]
        assert statuses == [0, 0, 201]


def test_a_webhook_is_delivered_over_the_wire(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with running(tmp_path / "a") as (_, receiver), running(tmp_path / "b") as (_, client):
        url = str(receiver.base_url).rstrip("/") + "/v1/hook"
        client.post("/v1/webhooks", json={"url": url, "events": ["resource.created"]})
        client.post("/v1/resources", json=WORKFLOW)
        until = time.monotonic() + 20
        received = []
        while not received and time.monotonic() < until:
            time.sleep(0.02)
            received = [entry for entry in receiver.get("/_sandbox/requests").json() if entry["path"] == "/v1/hook"]
        assert json.loads(received[0]["body"])["event"] == "resource.created"
