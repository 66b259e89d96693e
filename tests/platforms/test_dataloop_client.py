"""dlcli 0.7.1, the vendor's own command line of the monitoring service, against a sandbox that is a process of its own.

It needs Python 2.7 and is therefore made only where there is one; test_dataloop_captures.py has its recorded requests.
It takes exact statuses: 200 with a length for what is pushed, 204 for what is removed, 422 for a plugin that exists.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.platforms.clients import CLIENTS, needs
from tests.platforms.sandbox_process import TOKEN, SandboxProcess, sandbox_process
from tests.platforms.test_dataloop_page import AGENT, DASHBOARD, RULE

pytestmark = [pytest.mark.slow, needs("dlcli")]

CLIENT = CLIENTS["dlcli"]
ORG = "/api/v1/orgs/acme/accounts"
ACCOUNT = f"{ORG}/default"
Calls = list[tuple[str, str, int]]


class Session:
    """One home, one sandbox with an agent in it."""

    def __init__(self, home: Path, sandbox: SandboxProcess) -> None:
        self.home, self.sandbox, self._seen = home, sandbox, 0

    def dlcli(self, line: str, code: int = 0) -> tuple[str, Calls]:
        """What a command prints, and the method, path below the account, and status of each of its calls."""
        place = ("--url", f"{self.sandbox.address}/api/v1", "--org", "acme", "--account", "default", "--key", TOKEN)
        files = ("--settingsfile", str(self.home / "settings.yaml"), "--backupdir", str(self.home / "backups"))
        done = CLIENT.run("python", "-m", "dlcli", *place, *files, *line.split(), home=self.home, code=code)
        sent = self.sandbox.requests(self._seen)
        self._seen = sent[-1]["number"] if sent else self._seen
        return done.stdout, [
            (each["method"], each["path"].removeprefix(ACCOUNT).removeprefix("/api/v1"), each["status"])
            for each in sent
        ]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    home = tmp_path_factory.mktemp("home")
    (home / "dash.yaml").write_bytes(DASHBOARD)
    (home / "myrule.yaml").write_bytes(RULE)
    (home / "file.py").write_text("print('OK')\n")
    for folder, name, content in (
        ("plugins", "file.py", b"print(1)\n"),
        ("dashboards", "dash.yaml", DASHBOARD),
        ("rules", "r.yaml", RULE),
        (".", "package.yaml", b"name: tmpl\n"),
    ):
        (home / "tmpl" / folder).mkdir(parents=True, exist_ok=True)
        (home / "tmpl" / folder / name).write_bytes(content)
    with sandbox_process("dataloop") as sandbox:
        sandbox.person_creates(kind="agent", **AGENT)
        sandbox.person_creates(kind="account", workspace="acme", name="second")
        yield Session(home, sandbox)


def test_it_is_let_in_and_sees_orgs_accounts_and_its_user(session):
    told, sent = session.dlcli("status")
    assert "Authenticated: True" in told and sent == [("GET", "", 200)]
    assert session.dlcli("get orgs") == ("acme\n", [("GET", "/orgs", 200)])
    assert session.dlcli("get accounts")[0] == "default\nsecond\n"
    assert session.dlcli("get user") == ("datakeel-sandbox\n", [("GET", "/user", 200)])


def test_agents_tags_and_links(session):
    agent = f"/agents/{AGENT['id']}"
    assert session.dlcli("get agents") == ("dataloop\n", [("GET", "/agents", 200)])
    # It asks well and then prints the answer object: a mistake of its own.
    assert session.dlcli("get agent dataloop", code=1)[1] == [("GET", "/agents", 200), ("GET", agent, 200)]
    assert session.dlcli("get tags") == ("all\n", [("GET", "/tags", 200)])
    assert session.dlcli("get links")[1] == [("GET", "/links", 200)]
    ((method, path, status),) = session.dlcli("source register n1")[1]
    assert (method, path.split("/")[-1], status) == ("POST", "ping", 200)
    assert session.dlcli("get agents")[0].split() == ["dataloop", "n1"]
    assert "dataloop" in session.dlcli("get agents all --tag all")[0]


def test_a_dashboard_is_pushed_pulled_and_removed(session):
    told, sent = session.dlcli("push dashboard dash.yaml")
    assert "Pushed dashboard: dash.yaml Content Length:" in told and sent == [("PUT", "/dashboards/dash", 200)]
    assert session.dlcli("get dashboards")[0] == "dash\n"
    assert "metric: base.cpu" in session.dlcli("pull dashboard dash")[0]
    assert session.dlcli("rm dashboard dash") == ("Deleted dashboard dash\n", [("DELETE", "/dashboards/dash", 204)])


def test_a_plugin_is_pushed_twice_pulled_and_removed(session):
    assert session.dlcli("push plugin file.py")[1] == [("POST", "/plugins", 200)]
    told, sent = session.dlcli("push plugin file.py")
    assert "Pushed plugin" in told and sent == [("POST", "/plugins", 422), ("PATCH", "/plugins/file", 200)]
    assert session.dlcli("get plugins")[0] == "file\n"
    assert session.dlcli("pull plugin file")[0].strip() == "print('OK')"
    assert session.dlcli("rm plugin file")[1] == [("DELETE", "/plugins/file", 204)]


def test_a_rule_is_pushed_muted_pulled_and_removed(session):
    for _ in range(2):
        assert session.dlcli("push rule myrule.yaml")[1] == [("POST", "/rules", 200), ("PUT", "/rules/myrule", 200)]
    assert session.dlcli("get rules")[0] == "myrule\n"
    assert "u'title': u'CPU'" in session.dlcli("get rule myrule")[0]
    assert session.dlcli("mute rule myrule")[1] == [("PATCH", "/rules/myrule", 200)]
    assert "mute: true" in session.dlcli("pull rule myrule")[0]
    assert session.dlcli("unmute all")[1] == [("GET", "/rules", 200), ("PATCH", "/rules/myrule", 200)]
    pulled = session.dlcli("pull rule myrule")[0]
    assert "mute: false" in pulled and "scopes:" in pulled
    # It reads the answer without decoding it: a mistake of its own.
    assert session.dlcli("get alerts", code=1)[1][-1] == ("GET", "/rules/myrule/criteria", 200)
    assert session.dlcli("rm rule myrule")[1] == [("DELETE", "/rules/myrule", 204)]


def test_annotations(session):
    assert session.dlcli("push annotation test-stream --name v23")[1] == [("POST", "/annotations/test-stream", 200)]
    assert session.dlcli("get streams")[0] == "test-stream\n"
    assert '"name": "v23"' in session.dlcli("get annotations test-stream")[0]
    assert session.dlcli("rm stream test-stream")[1] == [("DELETE", "/annotations/test-stream", 204)]


def test_metrics_series_and_the_graph(session):
    assert "base.cpu\n" in session.dlcli("get metrics --tag all")[0]
    assert "base.swap\n" in session.dlcli("get metrics --agent dataloop")[0]
    told, sent = session.dlcli("get series base.cpu --agent dataloop --resolution 60 --period 180")
    assert len(told.split(",")) == 3 and sent[-1] == ("GET", "/metrics/base.cpu/series", 200)
    assert "Min: " in session.dlcli("graph base.cpu --tag all")[0]


def test_an_account_is_backed_up_and_restored(session):
    for line in ("push dashboard dash.yaml", "push plugin file.py", "push rule myrule.yaml"):
        session.dlcli(line)
    paths = [path for _, path, _ in session.dlcli("backup account default")[1]]
    assert {"/dashboards", "/plugins", "/plugins/file", "/rules", "/links"} <= set(paths)
    session.dlcli("rm dashboard dash")
    sent = session.dlcli("restore account default")[1]
    assert ("PUT", "/dashboards/dash", 200) in sent and ("PUT", "/rules/myrule", 200) in sent
    assert session.dlcli("get dashboards")[0] == "dash\n"


def test_tokens_templates_and_packs(session):
    key = session.dlcli("create token mine")[0].strip()
    assert len(key) == 40
    assert "mine" in session.dlcli("get user tokens")[0]
    assert session.dlcli("rm token mine")[1] == [("DELETE", "/user/tokens/mine", 204)]
    # It makes one and then prints the answer object: a mistake of its own.
    assert session.dlcli("create template tmpl", code=1)[1] == [("POST", "/templates/private", 200)]
    told, sent = session.dlcli("push template tmpl ./tmpl --yes")
    assert "Uploaded rule r.yaml" in told
    assert ("POST", "//templates/private/tmpl/plugins", 200) in sent  # the client writes two slashes
    assert session.dlcli("install template tmpl --yes")[1][-1] == ("POST", "//packs", 200)
    assert session.dlcli("get packs")[0] == "tmpl\n"


def test_agents_and_accounts_are_removed(session):
    told, sent = session.dlcli("rm agent dataloop")
    assert told == "Deleted agent dataloop\n" and sent[-1][0::2] == ("DELETE", 204)
    assert session.dlcli("rm account second --yes")[1] == [("DELETE", "/orgs/acme/accounts/second", 204)]
