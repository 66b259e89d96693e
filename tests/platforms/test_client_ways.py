"""Ways into a client and through it: targets of a configuration, the shared ledger, defaults, logs of other platforms,
threads, the end of a program that closes nothing, platforms of one's own.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import agent
from agent.clock import SystemClock
from agent.store.store import Store
from tests.platforms.sandbox_process import ROOT, SandboxProcess, sandbox_process

TOKEN = "canary-token-9c02"  # a word that stands nowhere else
FLOW: dict[str, Any] = {
    "version": "v1",
    "type": "workflow",
    "workflow": {"dag": [{"name": "task", "spec": {"stack": "flare:7.0"}}]},
}
CONFIG = """\
apiVersion: datakeel/v1
source: {path: .}
state: state.db
targets:
  analytics:
    platform: dataos
    server: ADDRESS/dataos
    credentials: {token: {env: DATAOS_TOKEN}}
    defaults: {workspace: analytics}
    secrets: {lake: {env: LAKE}}
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    platforms = ["dataos", "datachain-studio", "dataloop", "dataops-live", "datalinx"]
    with sandbox_process(platforms, limits=False, ready_after=0.3, token=TOKEN) as running:
        for workspace in ("analytics", "public", "sales"):
            running.person_creates("dataos", name="flow", workspace=workspace, **FLOW)
        running.person_creates("dataos", name="only-in-sales", workspace="sales", **FLOW)
        yield running


@pytest.fixture
def desk(sandbox: SandboxProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "datakeel.yaml").write_text(CONFIG.replace("ADDRESS", sandbox.address))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATAOS_TOKEN", TOKEN)
    monkeypatch.setenv("LAKE", "the-password-of-the-lake")
    return tmp_path


def flows(sandbox: SandboxProcess, **words: Any) -> Any:
    return agent.connect("dataos", server=f"{sandbox.address}/dataos", token=TOKEN, budget="off", **words)


def test_a_target_of_a_configuration_has_its_server_credential_defaults_and_secrets(desk: Path) -> None:
    with agent.connect(target="analytics") as client:
        assert client.resources.get("workflow", "flow").scope == {"workspace": "analytics"}
        made = client.secrets.create(
            name="lake", version="v1", secret={"type": "k", "acl": "r", "data": {"a": {"secretRef": "lake"}}}
        )
        seen = made.refresh().spec["secret"]["data"]["a"]
        assert (str(seen), seen.reveal()) == ("***", "the-password-of-the-lake")
        made.delete()
    with agent.connect() as client:  # the only target
        assert [each.key for each in client.workflows.list()] == ["Workflow/analytics/flow"]
    with pytest.raises(agent.UsageError, match="no target `analytic`") as caught:
        agent.connect(target="analytic")
    assert caught.value.fix == "did you mean `analytics`?"
    with pytest.raises(agent.UsageError, match="`token` is the configuration's to say"):
        agent.connect(target="analytics", token="x")


def test_calls_of_a_program_are_in_the_ledger_of_the_agent_beside_it(desk: Path, sandbox: SandboxProcess) -> None:
    with pytest.raises(agent.ConfigError, match="there is no state at"):
        agent.DataOS(server=f"{sandbox.address}/dataos", token=TOKEN, state="sqlite:///state.db")
    Store.open(f"sqlite:///{desk / 'state.db'}", clock=SystemClock()).close()

    def left() -> dict[float, int]:
        with agent.connect(target="analytics") as client:
            told = client._calls.session.api.budget.left()
            return {each.window_seconds: each.left for each in told}

    before = left()
    with agent.connect(target="analytics") as client:
        for _ in range(4):
            client.resources.get("workflow", "flow")
    with agent.DataOS(server=f"{sandbox.address}/dataos", token=TOKEN, state="sqlite:///state.db") as client:
        client.resources.get("workflow", "flow")
    after = left()
    assert {seconds: before[seconds] - count for seconds, count in after.items()} == {60.0: 5, 3600.0: 5}


def test_a_word_of_the_scope_that_nobody_says(sandbox: SandboxProcess) -> None:
    """A list shows all, a read takes the platform's default, else the only one there is; a write looks nowhere else."""
    with flows(sandbox) as client:
        assert sorted(each.key for each in client.workflows.list())[:3] == [
            "Workflow/analytics/flow",
            "Workflow/public/flow",
            "Workflow/sales/flow",
        ]
        assert client.workflows.get("flow").scope == {"workspace": "public"}
        assert client.workflows.get("only-in-sales").scope == {"workspace": "sales"}
        assert client.workflows.logs("only-in-sales")[0].message == "Workflow started"
        with pytest.raises(agent.ResourceNotFoundError):
            client.workflows.delete("only-in-sales")
    with flows(sandbox, workspace="sales") as client:
        assert client.workflows.get("flow").scope == {"workspace": "sales"}
        assert len(client.workflows.list()) == 2
        assert client.workflows.get("flow", workspace="analytics").scope == {"workspace": "analytics"}
        with pytest.raises(agent.UsageError, match="no scope word `workspaces`"):
            client.workflows.get("flow", workspaces="sales")


def test_a_limit_of_a_list_stops_the_paging(sandbox: SandboxProcess) -> None:
    with flows(sandbox) as client:
        for number in range(3):
            client.workflows.create({"name": f"many-{number}", "workspace": "many", **FLOW})
        one = client.workflows.list(workspace="many", limit=2)
        assert (len(one), one.complete, one.why) == (2, False, "no more were asked for")
        every = client.workflows.list(workspace="many")
        assert (len(every), every.complete, every.why) == (3, True, "")


def test_a_log_that_comes_over_a_websocket(sandbox: SandboxProcess) -> None:
    address = f"{sandbox.address}/datachain-studio"
    with agent.connect("datachain-studio", server=address, token=TOKEN, team="acme") as client:
        job = client.jobs.create(name="embed", query="print(1)", query_type="PYTHON")
        assert job.refresh().health in ("progressing", "ready")
        followed = [line.message for line in job.logs_stream()]
        told = job.logs()
        assert followed and [line.message for line in told if line.level != "STATUS"]
        assert client.jobs.logs("embed", tail=1) == told[-1:]
        with pytest.raises(agent.NotSupportedError, match="take no `since`"):
            job.logs(since="1h")


async def test_the_asynchronous_client_follows_and_lists_as_the_plain_one(sandbox: SandboxProcess) -> None:
    words = {"server": f"{sandbox.address}/dataos", "token": TOKEN, "budget": "off"}
    async with agent.AsyncDataOS(**words) as client:
        assert "workflows" in dir(client) and repr(client).startswith("<AsyncDataOS dataos/v1 at http")
        several = await asyncio.gather(*(client.workflows.get("flow", workspace=each) for each in ("sales", "public")))
        assert [each.scope["workspace"] for each in several] == ["sales", "public"]
        async for line in client.resources.logs_stream("workflow", "flow", workspace="sales", tail=1):
            assert line.message
            break
        made = await client.resources.apply({"name": "applied", **FLOW})
        assert (await made.logs(tail=5))[0].message == "Workflow started"
        await client.resources.delete("workflow", "applied")
        with pytest.raises(agent.NoCollectionError, match="has no `projects`"):
            _ = client.projects


def test_a_plain_client_serves_threads_and_a_notebook(sandbox: SandboxProcess) -> None:
    with flows(sandbox) as client, ThreadPoolExecutor(8) as pool:
        names = list(pool.map(lambda _: client.workflows.get("flow").name, range(16)))
        assert names == ["flow"] * 16

        async def in_a_running_loop() -> str:
            return client.workflows.get("flow").name

        assert asyncio.run(in_a_running_loop()) == "flow"

        async def in_its_own_loop() -> None:
            client.workflows.list()

        with pytest.raises(RuntimeError, match="use connect_async"):
            client._portal.run(in_its_own_loop())


def test_a_program_that_closes_nothing_ends_in_silence(sandbox: SandboxProcess) -> None:
    program = """
import os
from agent import DataOS
client = DataOS(server=os.environ["SERVER"], token=os.environ["TOKEN"])
stream = client.workflows.logs_stream("flow", workspace="sales")
print(client.workflows.get("flow").name, next(stream).message)
"""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", program],
        env={
            "PATH": os.environ["PATH"],
            "SERVER": f"{sandbox.address}/dataos",
            "TOKEN": TOKEN,
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (0, "flow Workflow started\n"), done.stderr
    assert "Traceback" not in done.stderr and "Warning" not in done.stderr, done.stderr


def test_a_platform_of_ones_own(sandbox: SandboxProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_TOKEN", TOKEN)
    folder = tmp_path / "platforms" / "acme"
    folder.mkdir(parents=True)
    (folder / "platform.yaml").write_text("platform: acme\nversion: v1\nformat: 1\nextends: dataos/v1\n")
    with agent.connect(
        "acme", schemas=[tmp_path / "platforms"], server=f"{sandbox.address}/dataos", token={"env": "ACME_TOKEN"}
    ) as client:
        assert repr(client).startswith("<Client acme/v1 at http://127.0.0.1")
    with pytest.raises(agent.ConfigError, match="there is no such folder"):
        agent.connect("acme", schemas=[tmp_path / "none"], token="x")


def test_json_of_an_object_holds_no_secret(sandbox: SandboxProcess) -> None:
    address = f"{sandbox.address}/dataloop"
    with agent.connect("dataloop", server=address, apiKey=TOKEN, org="acme", budget="off") as client:
        (account,) = client.accounts.list()
        told = account.to_dict()
        assert set(json.loads(json.dumps(told))["agent_keys"]) == {"***"}
        assert all(key.reveal() != "***" for key in account.agent_keys)
