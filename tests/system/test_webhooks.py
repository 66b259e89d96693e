"""Webhooks with real processes: a person clicks, the platform posts, the agent looks at exactly that and mends it.

Interval and freshness goal are an hour here, so that nothing but the event can be why the agent looks.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.stage import TOKEN, Agent, Stage, until, workflow

SECRET = "hook-secret-that-nobody-guesses"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Stage(tmp_path / "stage") as stage:
        (stage.folder / "hook").write_text(SECRET + "\n")
        (stage.folder / "hook").chmod(0o600)
        yield stage


def configure(stage: Stage, target: str, *, server: str = "") -> None:
    (stage.repository / "datakeel.yaml").write_text(
        f"""\
apiVersion: datakeel/v1
source: {{path: ., interval: 1h}}
state: sqlite:///{stage.state}
{server}targets:
  main:
    server: {stage.server}
    folder: manifests
    drift: heal
    verify: 1h
    budget: off
    hook: {{secret: {{file: {stage.folder / "hook"}}}}}
{target}""",
        encoding="utf-8",
    )


DATAOS = """\
    platform: dataos
    credentials: {token: {env: DATAOS_TOKEN}}
    defaults: {workspace: public}
"""
DATALINX = """\
    platform: datalinx
    credentials: {apiKey: {env: DATAOS_TOKEN}}
    confirmed: [Pipeline]
"""


def dataos(stage: Stage, *names: str) -> tuple[Agent, str]:
    """An agent that listens, and the address of its receiver with the word that opens it; the names are live."""
    stage.start_sandbox(ready_after=0.0)
    configure(stage, DATAOS)
    revision = stage.commit({f"{name}.json": workflow(name) for name in names})
    agent = stage.start_agent("--listen", "127.0.0.1:0")
    until(lambda: agent.passes(revision), "the first pass")
    hook = f"{address_of(agent)}/hooks/platform/main/{SECRET}"
    return agent, hook


def address_of(agent: Agent) -> str:
    def told() -> str | None:
        return next((str(each["address"]) for each in agent.events if each["event"] == "server.listening"), None)

    return until(told, "the agent listens")


def edited_by_hand(stage: Stage, name: str, cron: str) -> None:
    """What a person does on the platform: read, change, put."""
    shown = stage.get("workflow", name)
    assert shown is not None
    document = {
        "name": name,
        "version": shown["version"],
        "type": "workflow",
        "workspace": "public",
        "tags": shown["tags"],
        "workflow": shown["spec"]["workflow"] | {"schedule": {"cron": cron}},
    }
    stage.call("PUT", f"/v1/resources/workflow/{name}?workspace=public", document)


def cron_of(stage: Stage, name: str) -> str:
    shown = stage.get("workflow", name)
    assert shown is not None
    return str(shown["spec"]["workflow"]["schedule"]["cron"])


def sent_since(stage: Stage, mark: int) -> list[str]:
    return [f"{each['method']} {each['path'].rsplit('/', 1)[-1]}" for each in stage.requests()[mark:]]


def looks(agent: Agent) -> list[dict[str, Any]]:
    return [each for each in agent.events if each["event"] == "events.read"]


def test_a_change_by_hand_is_healed_when_its_webhook_comes(stage: Stage) -> None:
    agent, hook = dataos(stage, "alpha", "beta", "gamma")
    registration = {"url": hook, "events": ["resource.created", "resource.updated", "resource.deleted"]}
    stage.call("POST", "/v1/webhooks", registration)
    mark = len(stage.requests())
    edited_by_hand(stage, "beta", "30 5 * * *")
    until(lambda: cron_of(stage, "beta") == "0 1 * * *", "the webhook leads to the drift")
    until(lambda: looks(agent), "the look is over")
    sent = sent_since(stage, mark)
    assert sent.count("PUT beta") == 1
    assert {word for word in sent if word != "PUT beta"} == {"GET beta"}, "nothing but what the event named is read"
    assert len(agent.passes()) == 2, "the first, and the one that healed"
    assert agent.end() == 143
    assert SECRET not in agent.log.read_text()


def test_a_deletion_by_hand_is_judged_by_a_look_at_everything(stage: Stage) -> None:
    agent, hook = dataos(stage, "alpha", "beta")
    stage.call("POST", "/v1/webhooks", {"url": hook, "events": ["resource.deleted"]})
    stage.call("DELETE", "/v1/resources/workflow/beta?workspace=public")
    until(lambda: stage.get("workflow", "beta"), "it is made again")
    assert agent.end() == 143


def test_forged_and_replayed_events_change_nothing(stage: Stage) -> None:
    agent, hook = dataos(stage, "alpha", "beta")
    stage.call("POST", "/v1/resources", json.loads(workflow("handmade")))
    before = stage.live()
    mark = len(stage.requests())
    told = {"type": "workflow", "name": "alpha", "workspace": "public", "status": "deleted", "spec": {"evil": True}}
    for number in range(300):
        name = ("alpha", "handmade", "no-such-thing")[number % 3]
        body = {"event": "resource.deleted", "resource": told | {"name": name}}
        assert post(hook, json.dumps(body).encode()) == 202
    until(lambda: sum(each["named"] for each in looks(agent)), "a look at what was named")
    for wrong in (hook + "x", hook.rpartition("/")[0], hook.replace(SECRET, "")):
        assert post(wrong, json.dumps({"event": "resource.deleted", "resource": told}).encode()) in (401, 404, 405)
    for body in (b"null", b"[]", b"[" * 10_000, b"{", b"\xff", b'{"a": 1, "a": 2}'):
        assert post(hook, body) == 400
    assert post(hook, b"{}") == 202
    assert announce(hook, 1024 * 1024 + 1) == 413
    assert post(hook, b"payload=%7B%7D", kind="application/x-www-form-urlencoded") == 415
    assert post(hook, b"{}", method="PUT") == 405
    assert agent.child.poll() is None
    assert agent.end() == 143
    assert set(sent_since(stage, mark)) == {"GET alpha"}
    # 300 events came within moments: at most one read a second was paid for them.
    assert len(sent_since(stage, mark)) == len(looks(agent))
    assert stage.live() == before
    assert len(agent.passes()) == 1


def test_an_event_that_carries_an_id_leads_to_its_pipeline(stage: Stage) -> None:
    stage.start_sandbox("datalinx", ready_after=0.0)
    configure(stage, DATALINX, server="server: {listen: '127.0.0.1:0'}\n")
    by_hand(stage, "POST", "/api/workspaces", {"name": "production", "config": {}})
    pipelines = {
        f"{name}.yaml": f"apiVersion: datalinx/v1\nkind: Pipeline\nmetadata: {{name: {name}, workspace: production}}\n"
        f'spec: {{description: {name}, schedule: "0 2 * * *"}}\n'
        for name in ("nightly", "hourly")
    }
    revision = stage.commit(pipelines)
    agent = stage.start_agent()
    until(lambda: agent.passes(revision), "the first pass")
    hook = f"{address_of(agent)}/hooks/platform/main/{SECRET}"
    workspace = by_hand(stage, "GET", "/api/workspaces")[0]
    config = {"webhooks": [{"url": hook, "events": ["pipeline.completed"]}]}
    by_hand(stage, "PUT", f"/api/workspaces/{workspace['id']}", {"name": "production", "config": config})

    ids = {each["name"]: each["id"] for each in by_hand(stage, "GET", "/api/pipelines")}
    place = f"/api/pipelines/{ids['nightly']}"
    by_hand(stage, "PUT", place, {"name": "nightly", "description": "changed by hand", "schedule": "0 2 * * *"})
    mark = len(stage.requests())
    by_hand(stage, "POST", place + "/run", {})

    # Nothing moves in the sandbox between requests, so each look of ours also lets the event go.
    until(lambda: by_hand(stage, "GET", place)["description"] == "nightly", "the event leads to the drift")
    until(lambda: looks(agent), "the look is over")
    assert set(sent_since(stage, mark)) == {f"GET {ids['nightly']}", f"PUT {ids['nightly']}"}
    assert agent.end() == 143


def by_hand(stage: Stage, method: str, path: str, body: Any = None) -> Any:
    request = urllib.request.Request(
        stage.server + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"X-API-Key": TOKEN, "X-Workspace": "production", "User-Agent": "a person"}
        | ({} if body is None else {"Content-Type": "application/json"}),
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["data"]


def test_a_signature_opens_as_well_as_the_word(stage: Stage) -> None:
    agent, hook = dataos(stage, "alpha")
    bare = hook.rpartition("/")[0]
    body = json.dumps({"event": "resource.updated", "resource": {"type": "workflow", "name": "alpha"}}).encode()
    signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert post(bare, body, {"X-Hub-Signature-256": signature}) == 202
    assert post(bare, body + b" ", {"X-Hub-Signature-256": signature}) == 401
    assert post(bare, body, {"Authorization": f"Bearer {SECRET}"}) == 202
    until(lambda: looks(agent), "a look at what was named")
    assert agent.end() == 143


def announce(url: str, length: int) -> int:
    """The status of the answer to a body that is only announced: it comes before the body could."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    connection.putrequest("POST", parts.path)
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(length))
    connection.endheaders()
    answer = connection.getresponse()
    connection.close()
    return answer.status


def post(
    url: str,
    body: bytes,
    headers: dict[str, str] | None = None,
    *,
    kind: str = "application/json",
    method: str = "POST",
) -> int:
    """The status of the answer, whose body is always empty."""
    request = urllib.request.Request(url, method=method, data=body, headers={"Content-Type": kind} | (headers or {}))
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.read() == b""
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            assert error.read() == b""
        return error.code


@pytest.mark.parametrize(
    ("words", "server"),
    [
        (("--listen", "0.0.0.0:0"), ""),
        ((), "server: {listen: '0.0.0.0:0'}\n"),
        ((), "server: {hooks: '0.0.0.0:0'}\n"),
    ],
)
def test_beyond_this_machine_nothing_is_served_without_a_secret(
    stage: Stage, words: tuple[str, ...], server: str
) -> None:
    stage.start_sandbox()
    configure(stage, DATAOS, server=server)
    config = stage.repository / "datakeel.yaml"
    config.write_text("".join(line for line in config.read_text().splitlines(True) if "hook:" not in line))
    stage.commit({"a.json": workflow("a")})
    done = stage.datakeel("run", *words)
    assert done.returncode == 78, done.stderr
    assert ("hook.secret" if "hooks" in server else "server.auth") in done.stderr and "Traceback" not in done.stderr


def test_a_secret_that_can_be_guessed_is_refused(stage: Stage) -> None:
    stage.start_sandbox()
    configure(stage, DATAOS)
    (stage.folder / "hook").write_text("fifteen-letters\n")
    stage.commit({"a.json": workflow("a")})
    done = stage.datakeel("run", "--listen", "127.0.0.1:0")
    assert done.returncode == 78, done.stderr
    assert "error[credential-invalid]" in done.stderr and "fifteen-letters" not in done.stderr


def test_a_hook_of_a_platform_that_sends_no_events_is_a_mistake(stage: Stage) -> None:
    stage.start_sandbox("dataloop")
    configure(
        stage, "    platform: dataloop\n    credentials: {apiKey: {env: DATAOS_TOKEN}}\n    settings: {org: acme}\n"
    )
    stage.commit({"a.json": workflow("a")})
    done = stage.datakeel("run", "--listen", "127.0.0.1:0")
    assert done.returncode == 78, done.stderr
    assert "sends no events" in done.stderr


def test_an_address_that_is_taken_is_said_so(stage: Stage) -> None:
    stage.start_sandbox()
    configure(stage, DATAOS)
    stage.commit({"a.json": workflow("a")})
    done = stage.datakeel("run", "--listen", f"127.0.0.1:{stage.port}")
    assert done.returncode == 1
    assert "error[address-taken]" in done.stderr
