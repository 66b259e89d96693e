"""The Python examples of the DataOS page run unchanged but for the import line, against the emulator as a process.

The page lies outside of this repository: where it is at hand its own examples are run, and in any case ours, which use
the same surface. An example that only makes a client sends nothing; all others find `client` in their namespace, as the
page's do.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import agent
from tests.platforms.sandbox_process import TOKEN, SandboxProcess, sandbox_process

PAGE = Path(__file__).resolve().parents[2].parent / "shared" / "api-docs" / "dataos.md"
FENCE = re.compile(r"^### ([^\n]+)\n(?:(?!^### ).)*?^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STREAMED = "Workflow started"
STATUS = re.compile("active|pending")
FLOW: dict[str, Any] = {
    "version": "v1",
    "type": "workflow",
    "workflow": {
        "schedule": {"cron": "0 2 * * *"},
        "dag": [{"name": "task", "spec": {"stack": "flare:7.0"}}],
    },
}
YAML = "name: from-file\nversion: v1\ntype: workflow\nworkflow: {dag: [{name: a, spec: {stack: 'flare:7.0'}}]}\n"

# What the page shows of the SDK, in our own words; a title is that of the page's example.
OURS = {
    "Initialize Client": """
from agent import DataOS
client = DataOS(server="https://api.dataos.io", token="a-token")
client = DataOS(server="https://api.dataos.io", username="ann", password="a-password")
""",
    "List Resources": """
for each in client.resources.list(type="workflow", workspace="analytics"):
    print(each.name, each.status)
""",
    "Get Resource": """
each = client.resources.get(type="workflow", name="daily-etl", workspace="analytics")
print(each.name, each.status, each.spec["workflow"])
""",
    "Create Resource": """
made = client.resources.apply("workflow.yaml")
made = client.resources.create({"name": "my-workflow", "version": "v1", "type": "workflow",
                                "workflow": {"dag": [{"name": "t", "spec": {"stack": "flare:7.0"}}]}})
""",
    "Update Resource": """
each = client.resources.get("workflow", "daily-etl")
each.spec["workflow"]["schedule"]["cron"] = "0 3 * * *"
each.save()
""",
    "Delete Resource": 'client.resources.delete(type="workflow", name="old-workflow", workspace="analytics")',
    "Get Logs": """
for line in client.resources.logs(type="workflow", name="daily-etl", tail=100, since="1h"):
    print(line.timestamp, line.message)
for line in client.resources.logs_stream("workflow", "daily-etl"):
    print(line.message)
""",
    "Workspace Operations": """
print(client.workspaces.list())
made = client.workspaces.create(name="analytics", description="of the analysts")
client.workspaces.delete("old-workspace")
""",
    "Python Error Handling": """
from agent import AuthenticationError, ResourceNotFoundError
try:
    client.resources.get("workflow", "missing")
except AuthenticationError as error:
    print("refused", error)
except ResourceNotFoundError as error:
    print("Not found:", error)
""",
    "Create Webhook": """
hook = client.webhooks.create(url="https://myapp.com/webhook", events=["resource.created"], resources=["workflow"])
""",
    "Python Complete Example": """
from agent import DataOS
import os
client = DataOS(server=os.getenv("DATAOS_SERVER"), token=os.getenv("DATAOS_TOKEN"))
flow = client.resources.create({"name": "sales-pipeline", "version": "v1", "type": "workflow",
                                "workspace": "analytics",
                                "workflow": {"dag": [{"name": "extract", "spec": {"stack": "flare:7.0"}}]}})
while flow.status != "active":
    time.sleep(5)
    flow.refresh()
    print(flow.status)
for line in client.resources.logs(type="workflow", name="sales-pipeline", tail=50):
    print(line.message)
""",
}


class Enough(Exception):
    """A log that is followed has no end of its own; the program stops here."""


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxProcess]:
    with sandbox_process("dataos", ready_after=0.4, limits=False) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: SandboxProcess, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SandboxProcess:
    """What the page's examples speak of, and nothing that another one left behind."""
    with agent.DataOS(server=running.address, token=TOKEN) as client:
        for each in [*client.workflows.list(), *client.webhooks.list(), *client.workspaces.list()]:
            if each.key != "Workspace/public":
                each.delete()
    for workspace in ("analytics", "public"):
        running.person_creates(name="daily-etl", workspace=workspace, **FLOW)
    running.person_creates(name="old-workflow", workspace="analytics", **FLOW)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "workflow.yaml").write_text(YAML)
    monkeypatch.setenv("DATAOS_SERVER", running.address)
    monkeypatch.setenv("DATAOS_TOKEN", TOKEN)
    return running


def examples() -> dict[str, tuple[str, str]]:
    """Each example by whose it is and its title."""
    found = {f"ours: {title}": (title, source) for title, source in OURS.items()}
    if PAGE.is_file():
        found |= {f"page: {title}": (title, source) for title, source in FENCE.findall(PAGE.read_text("utf-8"))}
    return found


def run(source: str, client: Any) -> tuple[list[str], dict[str, Any]]:
    """Everything that it prints, and its names in the end. Only the import line is another one."""
    printed: list[str] = []

    def tell(*words: object) -> None:
        printed.append(" ".join(map(str, words)))
        if printed[-1] == STREAMED and "logs_stream" in source:
            raise Enough

    # The page's last example sleeps and does not import what it sleeps by. Its 5 s are a fraction of that here.
    names = {"client": client, "print": tell, "time": SimpleNamespace(sleep=lambda seconds: time.sleep(seconds / 10))}
    code = re.sub(r"^from dataos import", "from agent import", source, flags=re.MULTILINE)
    try:
        exec(compile(code, "example", "exec"), names)
    except Enough:
        printed.append("stopped")
    return printed, names


def made(client: Any, name: str, **scope: str) -> Any:
    return client.resources.get("workflow", name, **scope)


def judge(title: str, printed: list[str], names: dict[str, Any], client: Any, sandbox: SandboxProcess) -> None:
    """That the example did what it is there for."""
    text = "\n".join(printed)
    if title == "Initialize Client":
        assert names["client"].server == "https://api.dataos.io"
    elif title == "List Resources":
        assert [re.split(r"\W ?", line)[0] for line in printed] == ["daily", "old"] and STATUS.search(text)
    elif title == "Get Resource":
        assert "daily-etl" in text and STATUS.search(text) and "0 2 * * *" in text
    elif title == "Create Resource":
        assert (
            made(client, "my-workflow", workspace="public").spec["workflow"]["dag"][0]["spec"]["stack"] == "flare:7.0"
        )
        assert made(client, "from-file", workspace="public").version == "v1"
    elif title == "Update Resource":
        assert made(client, "daily-etl", workspace="public").spec["workflow"]["schedule"]["cron"] == "0 3 * * *"
        assert made(client, "daily-etl", workspace="analytics").spec["workflow"]["schedule"]["cron"] == "0 2 * * *"
    elif title == "Delete Resource":
        assert [each.name for each in client.resources.list("workflow", workspace="analytics")] == ["daily-etl"]
    elif title == "Get Logs":
        assert printed[-2:] == [STREAMED, "stopped"] and STREAMED in printed[0]
    elif title == "Workspace Operations":
        known = {each.name: each for each in client.workspaces.list()}
        assert {"public", "analytics"} == known.keys() and known["analytics"].description
    elif title == "Python Error Handling":
        assert printed == ["Not found: Workflow/missing: Workflow 'missing' not found (404 RESOURCE_NOT_FOUND)"]
    elif title == "Create Webhook":
        (hook,) = client.webhooks.list()
        assert hook.url == "https://myapp.com/webhook" and hook.id.startswith("wh_")
    else:
        assert title == "Python Complete Example"
        assert "active" in text and "Workflow started" in printed
        assert made(client, "sales-pipeline", workspace="analytics").status == "active"


@pytest.mark.parametrize("example", examples())
def test_an_example_runs_and_does_what_it_is_there_for(example: str, sandbox: SandboxProcess) -> None:
    title, source = examples()[example]
    with agent.DataOS(server=sandbox.address, token=TOKEN) as client:
        if title == "Workspace Operations":
            client.workspaces.create(name="old-workspace")
        printed, names = run(source, client)
        judge(title, printed, names, client, sandbox)
    if names["client"] is not client:
        names["client"].close()


def test_every_example_of_the_page_is_run_and_has_its_twin() -> None:
    if not PAGE.is_file():
        pytest.skip("the API pages lie outside of this repository")
    text = PAGE.read_text("utf-8")
    titles = [title for title, _ in FENCE.findall(text)]
    assert len(titles) == text.count("```python") and set(titles) == OURS.keys()


def test_webhooks_are_made_listed_and_taken_away(sandbox: SandboxProcess) -> None:
    with agent.DataOS(server=sandbox.address, token=TOKEN) as client:
        hook = client.webhooks.create(url="https://a.example/hook", events=["resource.created"])
        assert (hook.url, hook.events) == ("https://a.example/hook", ["resource.created"])
        assert [each.id for each in client.webhooks.list()] == [hook.id]
        client.webhooks.delete(hook.id)
        assert client.webhooks.list() == []
        with pytest.raises(agent.ResourceNotFoundError):
            hook.delete()
        with pytest.raises(agent.UsageError, match=r"create of Webhook: .*hooks"):
            client.webhooks.create(url="https://a.example", events=["resource.created"], hooks=1)


def test_a_user_name_and_a_password_travel_as_http_basic(sandbox: SandboxProcess) -> None:
    """A guess: the page shows the constructor and prints no path. Here the password is a token."""
    with agent.DataOS(server=sandbox.address, username="ann", password=TOKEN) as client:
        assert client.resources.get("workflow", "daily-etl").status in ("pending", "active")
    with (
        agent.DataOS(server=sandbox.address, username="ann", password="wrong") as client,
        pytest.raises(agent.AuthenticationError) as caught,
    ):
        client.resources.list("workflow")
    assert (caught.value.status, caught.value.code, caught.value.platform_code) == (
        401,
        "api-unauthorized",
        "UNAUTHORIZED",
    )
