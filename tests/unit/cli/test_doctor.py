"""`doctor` finds what is wrong and says what mends it; it reads only, within its calls, and tells no secret."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.cli.main import main
from agent.cli.verbs.doctor import status_of
from agent.model.examined import Finding
from agent.report.doctor_text import examined_text
from agent.sandbox.faults import NAMED
from tests.bad_inputs.raw_server import RawServer, answer, platform_of
from tests.platforms.sandbox_process import SandboxProcess, sandbox_process

ROOT = Path(__file__).parents[3]
TOKEN = "secret"
CANARY = "canary-3f9a7c1e55"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with sandbox_process("dataos") as running:
        running.switch(ready_after=0)
        for number in range(5):
            workflow = {"dag": [{"name": "load", "spec": {"stack": "flare:7.0"}}]}
            words = {"version": "v1", "type": "workflow", "workspace": "analytics", "workflow": workflow}
            running.person_creates(name=f"w{number}", **words)
        yield running


class Shop:
    """A repository with one target, and what `doctor` says of it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self._capsys, self._monkeypatch = folder, capsys, monkeypatch
        monkeypatch.chdir(folder)
        monkeypatch.setenv("HOME", str(folder))
        monkeypatch.setenv("KEEL_TOKEN", TOKEN)
        self.words: dict[str, Any] = {"apiVersion": "datakeel/v1", "source": {"path": "."}, "targets": {"shop": {}}}
        self.target = self.words["targets"]["shop"]
        (folder / "manifests").mkdir()

    def on(self, server: str, platform: str = "dataos", **more: Any) -> Shop:
        credentials = {"token": {"env": "KEEL_TOKEN"}}
        words = {"platform": platform, "server": server, "credentials": credentials, "folder": "manifests"}
        self.target.update({**words, "defaults": {"workspace": "analytics"}, "budget": "off", **more})
        return self

    def commit(self) -> Shop:
        author = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
        self._write()
        for words in (["init", "-q", "-b", "main"], ["add", "-A"], [*author, "commit", "-qm", "first"]):
            subprocess.run(["git", *words], cwd=self.folder, check=True)
        return self

    def _write(self) -> None:
        (self.folder / "datakeel.yaml").write_text(yaml.safe_dump(self.words))

    def token(self, value: str) -> None:
        self._monkeypatch.setenv("KEEL_TOKEN", value)

    def doctor(self, *words: str, status: int = 0) -> dict[str, list[dict[str, Any]]]:
        """The findings by check. No output holds the canary or the token."""
        self._write()
        self._capsys.readouterr()
        few = [] if "--max-calls" in words else ["--max-calls", "18"]  # two kinds with their questions; time is dear
        ended = main(["doctor", "-o", "json", "-q", *words, *few])
        out, err = self._capsys.readouterr()
        assert CANARY not in out + err and CANARY not in json.dumps(out)
        assert ended == status, f"{ended}\n{out}{err}"
        document = json.loads(out)
        found: dict[str, list[dict[str, Any]]] = {"calls": [document]}
        for each in document["checks"]:
            found.setdefault(each["check"], []).append(each)
        return found


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shop:
    return Shop(tmp_path, capsys, monkeypatch)


def state(found: dict[str, list[dict[str, Any]]], check: str) -> str:
    return found[check][0]["state"]


def test_where_all_is_well_it_says_so_and_only_reads(shop: Shop, sandbox: SandboxProcess) -> None:
    before = len(sandbox.requests())
    found = shop.on(sandbox.address, confirmed=["Workspace"]).commit().doctor("--max-calls", "60")
    assert {each["state"] for name, checks in found.items() if name != "calls" for each in checks} == {"ok"}
    asked = sandbox.requests(before)
    assert {each["method"] for each in asked} == {"GET"} and len(asked) == found["calls"][0]["calls"] <= 60
    assert "Workflow" in found["permissions"][0]["said"]
    assert [each["said"] for each in found["filters"]] == ["Workflow: `workspace` is honoured"]
    assert "Workflow: honoured; 100 asked for" in [each["said"] for each in found["page size"]]
    assert state(found, "clock") == state(found, "limits") == state(found, "definition") == "ok"


def test_what_it_found_out_is_kept_and_told_without_the_network(shop: Shop, sandbox: SandboxProcess) -> None:
    text = (
        "name: w9\nversion: v1\ntype: workflow\nworkspace: analytics\nworkflow: {dag: [{name: a, spec: {stack: b}}]}\n"
    )
    (shop.folder / "manifests/w9.yaml").write_text(text)
    shop.on(sandbox.address).commit()
    assert "not kept" in shop.doctor()["memory"][0]["said"], "a verb that looks makes no state"
    assert main(["apply", "--yes", "-q"]) == 0
    shop.doctor()
    kept = shop.doctor("--no-network")
    assert kept["calls"][0]["calls"] == 0
    assert kept["memory"][0]["facts"]["lists"]["Workflow"]["filters"] == {"workspace": "honoured"}


def test_samples_hold_no_secret_and_nothing_is_written_over(shop: Shop, sandbox: SandboxProcess) -> None:
    shop.on(sandbox.address).commit()
    (shop.folder / "kept/dataos").mkdir(parents=True)
    (shop.folder / "kept/dataos/Workflow.list.json").write_text("mine")
    said = shop.doctor("--record", "kept")["samples"][0]["said"]
    assert "1 were there already" in said
    texts = {file.name: file.read_text() for file in (shop.folder / "kept/dataos").iterdir()}
    assert texts["Workflow.list.json"] == "mine" and json.loads(texts["Workflow.get.json"])["name"].startswith("w")
    assert not any(TOKEN in text.replace("(secret)", "") for name, text in texts.items() if name != "Secret.list.json")


def test_a_few_calls_are_kept_to(shop: Shop, sandbox: SandboxProcess) -> None:
    found = shop.on(sandbox.address).commit().doctor("--max-calls", "5")
    assert found["calls"][0]["calls"] <= 5 and "not asked, to spare calls" in found["permissions"][0]["said"]


def test_a_credential_that_is_missing_refused_or_ends_soon(shop: Shop, sandbox: SandboxProcess) -> None:
    shop.on(sandbox.address).commit()
    shop.token("")
    found = shop.doctor(status=78)
    assert "KEEL_TOKEN is empty (targets.shop.credentials.token)" in found["credential"][0]["said"]
    assert "platform" not in found, "told once"
    shop.token(CANARY)
    found = shop.doctor(status=1)
    assert found["credential"][0]["said"].startswith("KEEL_TOKEN is not accepted")
    for seconds, how, status in ((30 * 86_400, "ok", 0), (2 * 86_400 + 60, "warn", 0), (-60, "bad", 1)):
        token = web_token(seconds)
        if seconds > 0:
            sandbox.create_token(value=token, duration="720h")
        shop.token(token)
        found = shop.doctor("--max-calls", "3", status=status)
        (credential,) = found["credential"]
        assert credential["state"] == how, credential
        assert "KEEL_TOKEN ends in" in credential["said"] or credential["said"] == "KEEL_TOKEN has ended 1 min ago"
        assert token not in json.dumps(found)


def web_token(seconds: float) -> str:
    parts = [{"alg": "none"}, {"exp": int(time.time() + seconds), "sub": "ann"}]
    coded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*coded, "c2lnbmF0dXJl"])


def test_a_right_that_is_missing_names_the_kind(shop: Shop, sandbox: SandboxProcess) -> None:
    shop.on(sandbox.address).commit()
    with fault(sandbox, NAMED["forbidden"], path="/v1/resources*"):
        found = shop.doctor(status=1)
    denied = [each for each in found["permissions"] if each["state"] == "bad"]
    assert any(each["said"].startswith("Workflow in workspace analytics may not be read") for each in denied)
    assert all(each["fix"].startswith("let the token read it") for each in denied)


def test_what_the_platform_does_otherwise_is_told(shop: Shop, sandbox: SandboxProcess) -> None:
    shop.on(sandbox.address).commit()
    with fault(sandbox, ({"do": "truncate", "count": 2},), path="/v1/resources"):
        (sized,) = shop.doctor()["page size"]
        assert sized["state"] == "warn" and sized["fix"] == "`pages: {ask: 2}` in platform.yaml"
    with fault(sandbox, NAMED["filter-ignored"], path="/v1/resources"):
        found = shop.doctor()
        assert {each["state"] for each in found["filters"]} == {"warn"}
    with fault(sandbox, NAMED["duplicated-row"], path="/v1/resources"):
        assert "one object came twice" in shop.doctor()["totals"][0]["said"]
    with fault(
        sandbox, ({"do": "replace", "old": '"status":"active"', "new": '"status":"napping"'},), path="/v1/resources"
    ):
        assert "Workflow: status=napping" in shop.doctor()["states"][0]["said"]
    with fault(sandbox, ({"do": "replace", "old": '"name":"w0"', "new": '"title":"w0"'},), path="/v1/resources"):
        said = [each["said"] for each in shop.doctor()["definition"]]
        assert "Workflow: `key` of the definition finds nothing in what is live" in said
    with fault(sandbox, NAMED["html"]):
        assert "a proxy" in shop.doctor(status=1)["platform"][0]["fix"]


def test_a_platform_that_is_busy_slow_or_gone(shop: Shop, sandbox: SandboxProcess) -> None:
    shop.on(sandbox.address).commit()
    with fault(sandbox, ({"do": "answer", "status": 429, "seconds": 3600},)):
        (found,) = shop.doctor()["platform"]
        assert found["state"] == "warn" and "refuses all calls for now (429), and wants " in found["said"]
    with fault(sandbox, NAMED["slow"]):
        shop.target["deadline"] = "100ms"
        assert "does not answer: no whole answer within" in shop.doctor(status=1)["platform"][0]["said"]
    found = shop.on("http://127.0.0.1:9").doctor(status=1)
    assert "does not answer: no connection" in found["platform"][0]["said"]
    assert "firewall" in found["platform"][0]["fix"]


class fault:
    """A fault of the emulator, until the block is left."""

    def __init__(self, sandbox: SandboxProcess, rules: Any, **where: str) -> None:
        self._sandbox, self._rules = sandbox, [{**rule, **where} for rule in rules]

    def __enter__(self) -> None:
        assert self._sandbox._control.put("/_sandbox/faults", json=self._rules).status_code == 200

    def __exit__(self, *_: object) -> None:
        self._sandbox._control.delete("/_sandbox/faults")


def test_clocks_limits_pages_and_etags_of_an_api_nobody_knows(shop: Shop) -> None:
    folder = shop.folder / "platforms/shop"
    folder.mkdir(parents=True)
    limit = "budget: {windows: [{requests: 100, every: 1m}], headers: {limit: X-Limit, remaining: X-Left}}\n"
    definition = platform_of({"Book": ""}).replace("kinds:\n", f"{limit}kinds:\n", 1)
    (folder / "platform.yaml").write_text(definition)
    (folder / "book.schema.json").write_text('{"type": "object"}')
    server = RawServer()
    rows = [{"name": "a"}, {"name": "b"}]
    body = json.dumps({"data": rows, "meta": {"total": 2}})
    headers = {"date": "Tue, 14 Nov 2023 22:13:20 GMT", "x_limit": "50", "x_left": "49", "etag": '"1"'}
    server.scripts["GET /Book"] = answer(body, **headers)
    shop.words["schemas"] = ["platforms"]
    shop.on(server.address, "shop", defaults={})
    del shop.target["budget"]
    found = shop.commit().doctor()
    assert found["clock"][0]["state"] == "warn" and "ahead of the platform's" in found["clock"][0]["said"]
    assert found["limits"][0]["said"].startswith("the platform says 50, 49 left")
    assert found["limits"][0]["fix"] == "targets.shop.budget: [{requests: 50, every: 1m}]"
    assert found["etag"][0]["said"] == "Book: ETags come and are not honoured"
    assert any('if-none-match: "1"' in head.lower() for head in server.heads)
    assert state(found, "page size") == "warn", "one row was asked for, and two came"
    server.close()


def test_git_the_repository_and_its_commits(shop: Shop, sandbox: SandboxProcess) -> None:
    shop.on(sandbox.address)
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=shop.folder, check=True)
    found = shop.doctor("--no-network")
    assert state(found, "git") == "warn" and found["git"][0]["fix"] == "git add -A && git commit"
    shop.words["source"] = {"url": "https://127.0.0.1:9/team/it.git", "credentials": {"token": {"env": "KEEL_TOKEN"}}}
    assert "was not asked" in shop.doctor("--no-network")["git"][0]["said"]
    found = shop.doctor("--max-calls", "1", status=1)
    assert state(found, "git") == "bad"
    shop.words["source"] = {"mount": str(shop.folder / "nowhere")}
    assert state(shop.doctor("--no-network", status=1), "git") == "bad"


def test_webhooks_that_nobody_can_reach(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", CANARY)
    shop.on("http://127.0.0.1:9").commit()
    assert state(shop.doctor("--no-network"), "webhooks") == "ok"
    shop.words["source"]["hook"] = {"secret": {"env": "HOOK"}}
    found = shop.doctor("--no-network")
    assert state(found, "webhooks") == "warn" and "this machine alone" in found["webhooks"][0]["said"]
    shop.words["server"] = {"hooks": "0.0.0.0:9"}
    assert "no agent answers" in shop.doctor("--no-network")["webhooks"][0]["said"]
    shop.words["server"] = {"listen": "off"}
    assert state(shop.doctor("--no-network", status=78), "webhooks") == "bad"


def test_a_definition_and_a_state_that_are_wrong_keep_no_other_check_from_it(shop: Shop) -> None:
    folder = shop.folder / "platforms/shop"
    folder.mkdir(parents=True)
    (folder / "platform.yaml").write_text("platform: shop\nversion: v1\nformat: 1\nkinds: 7\n")
    shop.words["schemas"] = ["platforms"]
    shop.words["state"] = str(shop.folder / "state.db")
    (shop.folder / "state.db").write_text("no store")
    found = shop.on("http://127.0.0.1:9", "shop").commit().doctor(status=78)
    assert state(found, "definition") == state(found, "state") == "bad" and state(found, "git") == "ok"


def test_the_environment_is_told_of_settings_that_it_makes(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.on("https://api.acme.example").commit()
    monkeypatch.setenv("DATAKEEL_TARGETS__SHOP__SERVER", "http://127.0.0.1:9")
    found = shop.doctor("--no-network")
    assert found["configuration"][0]["said"] == (
        "datakeel.yaml, 1 target (targets.shop.server from DATAKEEL_TARGETS__SHOP__SERVER)"
    )
    settings = found["calls"][0]["settings"]
    assert settings["targets.shop.server"] == "DATAKEEL_TARGETS__SHOP__SERVER"
    assert settings["targets.shop.platform"].startswith("datakeel.yaml:")


def test_the_worst_finding_decides_the_status() -> None:
    fine, doubtful, wrong = (Finding("a", state, "s") for state in ("ok", "warn", "bad"))
    assert [status_of(each) for each in ([], [fine, doubtful], [fine, wrong])] == [0, 0, 1]
    assert status_of([wrong, Finding("b", "bad", "s", configuration=True)]) == 78
    assert status_of([Finding("agent", "bad", "due")], standing=False) == 0


def test_a_line_a_finding_with_what_mends_it() -> None:
    findings = [
        Finding("git", "ok", "main@4f2c1ab"),
        Finding("credential", "bad", "TOKEN \x1b[31mends", "make a new one", "shop"),
        Finding("limits", "warn", "x" * 110, "wait", "sales"),
    ]
    assert examined_text(findings, 3) == (
        "✓ git         main@4f2c1ab\n"
        "✕ credential  shop: TOKEN \\x1b[31mends   fix: make a new one\n"
        f"! limits      sales: {'x' * 110}\n"
        "              fix: wait\n"
        "\n1 fault, 1 to look at · 3 reads sent\n"
    )


def test_no_write_is_ever_sent(shop: Shop, sandbox: SandboxProcess) -> None:
    assert not [each for each in sandbox.requests() if each["method"] != "GET" and "doctor" in each["agent"]]
    assert os.environ.get("KEEL_TOKEN") == TOKEN
