"""python-gitlab, the client that people use with this vendor, against the emulator of DataOps.live on a real port.

One program of the client goes through everything; each test here looks at a part of what it saw. Its own command line
is run too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.platforms.clients import CLIENTS, needs
from tests.platforms.sandbox_process import TOKEN, SandboxProcess, sandbox_process

pytestmark = [pytest.mark.slow, needs("python-gitlab")]

CLIENT = CLIENTS["python-gitlab"]
USE = """
import json
import sys
import warnings

import gitlab

warnings.simplefilter("error")  # it warns of a next link on another host
address, token, reader = sys.argv[1:]


def error(call):
    try:
        call()
    except gitlab.GitlabError as failed:
        return [failed.response_code, failed.error_message]


def head(path, **query):
    answer = client.http_request("get", path, query_data=query)
    names = ("Link", "X-Next-Page", "X-Page", "X-Per-Page", "X-Prev-Page", "X-Total", "X-Total-Pages")
    return {name: answer.headers.get(name) for name in names if name in answer.headers}


client = gitlab.Gitlab(address, private_token=token)
client.auth()
group = client.groups.create({"name": "Acme", "path": "acme"})
wanted = {"name": "Sales Pipeline", "namespace_id": group.id, "topics": ["b", "a"], "visibility": "private"}
project = client.projects.create(wanted)
for number in range(25):
    client.projects.create({"name": f"bulk {number}", "namespace_id": group.id})
order = {"order_by": "id", "sort": "asc"}
said = {
    "user": client.user.username,
    "version": client.version()[0] != "unknown",
    "bearer": error(lambda: gitlab.Gitlab(address, oauth_token=token).namespaces.get("acme")),
}
said["pages"] = {
    "all": [row.path for row in client.projects.list(iterator=True, per_page=10, **order)],
    "everything": len(client.projects.list(get_all=True)),
    "second": [row.path for row in client.projects.list(page=2, per_page=10, **order)],
    "past": client.projects.list(page=9, per_page=10),
    "total": client.projects.list(iterator=True).total,
    "of iterator": [client.projects.list(iterator=True, per_page=10).total_pages,
                    client.projects.list(iterator=True, per_page=10).next_page],
    "first head": head("/projects", per_page=10, **order),
    "last head": head("/projects", per_page=10, page=3, **order),
    "namespaces head": head("/namespaces", per_page=1, page=1),
}
said["namespaces"] = {
    "all": [row.full_path for row in client.namespaces.list(get_all=True)],
    "searched": [row.full_path for row in client.namespaces.list(search="acm", get_all=True)],
    "one": [client.namespaces.get("acme").id == group.id, client.namespaces.get(group.id).kind],
    "none": error(lambda: client.namespaces.get("nobody")),
}
found = client.projects.get("acme/sales-pipeline")
found.description = "new"
found.save()
found.archive()
said["archived"] = client.projects.get(project.id).archived
found.unarchive()
said["fork"] = found.forks.create({}).path_with_namespace
variable = found.variables.create({"key": "K", "value": "v"})
variable.value = "w"
variable.save()
hook = found.hooks.create({"url": "https://hooks.example.com/x", "push_events": True})
schedule = found.pipelineschedules.create({"description": "nightly", "ref": "main", "cron": "0 2 * * *"})
schedule.variables.create({"key": "S", "value": "t"})
said["parts"] = {
    "variable": found.variables.get("K").value,
    "hooks": [each.url for each in found.hooks.list()],
    "schedule": found.pipelineschedules.get(schedule.id).cron,
    "pipeline": found.trigger_pipeline("main", found.triggers.create({"description": "ci"}).token).status,
}
hook.delete(), schedule.delete(), variable.delete()
said["parts"]["left"] = [len(found.hooks.list()), len(found.pipelineschedules.list()), len(found.variables.list())]
read = client.projects.get("acme/sales-pipeline")
said["read"] = [read.id == project.id, read.description, read.topics, read.archived]
said["errors"] = {
    "404": error(lambda: client.projects.get("acme/none")),
    "404 path": error(lambda: client.http_get("/nothing")),
    "400 taken": error(lambda: client.projects.create(wanted)),
    "400 without a name": error(lambda: client.projects.create({"description": "x"})),
    "409 fork": error(lambda: found.forks.create({})),
    "401 wrong": error(gitlab.Gitlab(address, private_token="wrong").auth),
    "401 none": error(lambda: gitlab.Gitlab(address).namespaces.list(get_all=False)),
    "403 reader": error(lambda: gitlab.Gitlab(address, private_token=reader).projects.create({"name": "no"})),
}
statuses = [client.http_request("delete", f"/projects/{project.id}").status_code]
statuses.append(client.http_request("delete", f"/groups/{group.id}").status_code)
said["deleted"] = [*statuses, error(lambda: client.projects.get(project.id))]
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with sandbox_process("dataops-live") as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory, sandbox: SandboxProcess) -> dict[str, Any]:
    """What the client saw of it all."""
    reader = sandbox.create_token(scopes=["read"])
    ran = CLIENT.run("python", "-c", USE, sandbox.address, TOKEN, reader, home=tmp_path_factory.mktemp("home"))
    shown: dict[str, Any] = json.loads(ran.stdout)
    return shown


def test_the_client_is_let_in_by_its_token(said):
    assert (said["user"], said["version"]) == ("datakeel-sandbox", True)
    assert said["bearer"] == [401, "401 Unauthorized"]  # the page names the header `private-token` alone


def test_pages_are_followed_by_the_link_of_the_same_host(said, sandbox):
    paths = ["sales-pipeline", *(f"bulk-{number}" for number in range(25))]
    pages = said["pages"]
    assert (pages["all"], pages["second"], pages["past"]) == (paths, paths[10:20], [])
    assert (pages["everything"], pages["total"], pages["of iterator"]) == (26, 26, [3, 2])
    first, last = pages["first head"], pages["last head"]
    assert f"<{sandbox.address}/api/v4/projects?" in first["Link"] and 'rel="next"' in first["Link"]
    told = {"X-Next-Page": "2", "X-Page": "1", "X-Per-Page": "10", "X-Prev-Page": "", "X-Total": "26"}
    assert {name: first[name] for name in told} == told and first["X-Total-Pages"] == "3"
    assert (last["X-Next-Page"], last["X-Prev-Page"], 'rel="next"' in last.get("Link", "")) == ("", "2", False)
    assert (pages["namespaces head"]["X-Next-Page"], pages["namespaces head"]["X-Total"]) == ("2", "2")


def test_namespaces(said):
    assert said["namespaces"] == {
        "all": ["datakeel-sandbox", "acme"],
        "searched": ["acme"],
        "one": [True, "group"],
        "none": [404, "404 Namespace Not Found"],
    }


def test_a_projects_life(said):
    assert (said["archived"], said["fork"]) == (True, "datakeel-sandbox/sales-pipeline")
    assert said["read"] == [True, "new", ["b", "a"], False]
    assert said["deleted"] == [202, 202, [404, "404 Project Not Found"]]


def test_what_hangs_on_a_project(said):
    assert said["parts"] == {
        "variable": "w",
        "hooks": ["https://hooks.example.com/x"],
        "schedule": "0 2 * * *",
        "pipeline": "created",
        "left": [0, 0, 0],
    }


def test_errors_have_the_bodies_that_the_client_reads(said):
    taken = ["has already been taken"]
    assert said["errors"] == {
        "404": [404, "404 Project Not Found"],
        "404 path": [404, "404 Not Found"],
        "400 taken": [400, {"name": taken, "path": taken}],
        "400 without a name": [400, said["errors"]["400 without a name"][1]],
        "409 fork": [409, {"base": ["Name has already been taken", "Path has already been taken"]}],
        "401 wrong": [401, "401 Unauthorized"],
        "401 none": [401, "401 Unauthorized"],
        "403 reader": [403, said["errors"]["403 reader"][1]],
    }
    assert "name" in json.dumps(said["errors"]["400 without a name"])
    assert said["errors"]["403 reader"][1]


def test_every_project_call_is_json_below_the_base(said, sandbox):
    """By id after one read by its path, whose slash stays encoded."""
    sent = [(each["method"], each["path"]) for each in sandbox.requests()]
    assert ("GET", "/api/v4/projects/acme%2Fsales-pipeline") in sent
    assert all(path.startswith("/api/v4/") for _, path in sent)
    assert {method for method, _ in sent} == {"GET", "POST", "PUT", "DELETE"}


def test_a_throttled_call_waits_as_it_is_told(tmp_path, sandbox):
    sandbox.add_fault(do="answer", status=429, seconds=1, path="/api/v4/version", times=1)
    before = len(sandbox.requests())
    program = "import sys, gitlab\nprint(gitlab.Gitlab(sys.argv[1], private_token=sys.argv[2]).http_get('/version'))"
    CLIENT.run("python", "-c", program, sandbox.address, TOKEN, home=tmp_path)
    first, second = sandbox.requests(before)
    assert (first["status"], second["status"]) == (429, 200)
    assert second["time"] - first["time"] >= 1


def test_the_clients_own_command_line(tmp_path: Path, sandbox):
    def gitlab(*words: str, token: str = TOKEN, code: int = 0) -> tuple[str, str]:
        place = ("gitlab", "--server-url", sandbox.address, "--private-token", token, "--output", "json")
        done = CLIENT.run(*place, *words, home=tmp_path, code=code)
        return done.stdout, done.stderr

    made = json.loads(gitlab("project", "create", "--name", "By hand", "--visibility", "private")[0])
    assert made["path_with_namespace"] == "datakeel-sandbox/by-hand"
    gitlab("project", "update", "--id", str(made["id"]), "--description", "told")
    assert json.loads(gitlab("project", "get", "--id", str(made["id"]))[0])["description"] == "told"
    assert "by-hand" in gitlab("project", "list", "--get-all")[0]
    gitlab("project", "delete", "--id", str(made["id"]))
    assert "404" in gitlab("project", "get", "--id", str(made["id"]), code=1)[1]
    assert "401 Unauthorized" in gitlab("project", "list", token="wrong", code=1)[1]
