"""The vendor's own clients, the page's 0.30.7 and the newest, against a sandbox that is a process of its own.

Each logs in by its device login, then goes through every call that both know: the older version by the routes that the
API page prints, the newer one by `jobs/`, `jobs/files` and `clusters/`. What was sent is read from the request log.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.platforms.clients import CLIENTS, needs
from tests.platforms.sandbox_process import TOKEN, SandboxProcess, sandbox_process

pytestmark = pytest.mark.slow

IDENTITY = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ROUTES = {
    "datachain-0.30.7": {
        "upload": ("POST", "/api/datachain/upload-file"),
        "create": ("POST", "/api/datachain/job"),
        "list": ("GET", "/api/datachain/jobs"),
        "cancel": ("POST", "/api/datachain/job/*/cancel"),
        "clusters": ("GET", "/api/datachain/clusters"),
    },
    "datachain-newest": {
        "upload": ("POST", "/api/datachain/jobs/files"),
        "create": ("POST", "/api/datachain/jobs/"),
        "list": ("GET", "/api/datachain/jobs/"),
        "cancel": ("POST", "/api/datachain/jobs/*/cancel"),
        "clusters": ("GET", "/api/datachain/clusters/"),
    },
}
BOTH = {"datasets": "/api/datachain/datasets", "info": "/api/datachain/datasets/info", "ls": "/api/datachain/ls"}


class Session:
    """One version, its own home, its own sandbox; logged in to the team `T` by the device login."""

    def __init__(self, name: str, home: Path, sandbox: SandboxProcess) -> None:
        self.client, self.home, self.sandbox = CLIENTS[name], home, sandbox
        self.routes = ROUTES[name]
        self.newest = name == "datachain-newest"

    def datachain(self, *words: str, code: int = 0) -> str:
        return self.ran(*words, code=code).stdout

    def ran(self, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        return self.client.run("datachain", *words, home=self.home, code=code)

    def python(self, program: str) -> Any:
        """What a program that has `client` and `show` shows."""
        begin = "import json\nfrom datachain.remote.studio import StudioClient\nclient = StudioClient(team='T')\n"
        begin += "def show(value): print(json.dumps(value))\n"
        environ = {"DATACHAIN_STUDIO_URL": self.sandbox.address, "DATACHAIN_STUDIO_TOKEN": TOKEN}
        return json.loads(
            self.client.run("python", "-c", begin + program, home=self.home, environ=environ).stdout.splitlines()[-1]
        )

    def calls(self, after: int = 0) -> list[tuple[str, str, int]]:
        """Method, path and status of what was sent since a number of requests."""
        return [
            (each["method"], IDENTITY.sub("*", each["path"]), each["status"]) for each in self.sandbox.requests(after)
        ]

    def sent(self) -> int:
        return len(self.sandbox.requests())


@pytest.fixture(scope="module", params=[pytest.param(name, marks=needs(name), id=name) for name in ROUTES])
def session(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    home = tmp_path_factory.mktemp("home")
    (home / "query.py").write_text("print(1)\n")
    (home / "fails.py").write_text("raise SystemExit(1)\n")
    (home / "extra.txt").write_text("more\n")
    with sandbox_process("datachain-studio", ready_after=1.0, switches={"fail_names": ["fails.py"]}) as sandbox:
        present = {"kind": "dataset", "workspace": "T", "namespace": "dev", "project": "animals"}
        sandbox.person_creates(**present, name="cats", versions=[{"version": "1.0.0"}, {"version": "2.0.0"}])
        sandbox.person_creates(**present, name="dogs")
        for name, size in (("a.jpg", 3), ("more/b.jpg", 4)):
            file = {"kind": "file", "workspace": "T", "name": f"s3://b/x/{name}", "size": size}
            sandbox.person_creates(**file, last_modified="2024-01-01T12:00:00Z")
        session = Session(request.param, home, sandbox)
        told = session.datachain("auth", "login", "--no-open", "-H", sandbox.address, "--name", "x")
        assert "Authentication complete" in told
        assert session.calls() == [
            ("POST", "/api/device-login", 200),
            ("POST", "/api/device-login/token", 400),  # authorization_pending: it waits and asks again
            ("POST", "/api/device-login/token", 200),
        ]
        session.datachain("auth", "team", "T")
        yield session
        told = session.datachain("auth", "logout")
        assert "Logged out" in told
        assert (session.calls()[-1] == ("POST", "/api/device-logout", 200)) == session.newest


def test_datasets_and_storage_by_the_command_line(session):
    before = session.sent()
    listed = session.datachain("dataset", "ls", "--studio")
    assert re.search(r"dev\.animals\.cats +v2\.0\.0", listed) and "dev.animals.dogs" in listed
    assert "v1.0.0" in session.datachain("dataset", "ls", "--studio", "dev.animals.cats")
    assert session.datachain("ls", "--studio", "s3://b/x").split() == ["s3://b/x:", "a.jpg", "more/"]
    assert "2024-01-01" in session.datachain("ls", "--studio", "--long", "s3://b/x")
    told = session.datachain("dataset", "rm", "dev.animals.dogs", "--studio", "--force")
    assert "removed from Studio" in told
    assert session.calls(before) == [
        ("GET", BOTH["datasets"], 200),
        ("GET", BOTH["info"], 200),
        ("POST", BOTH["ls"], 200),
        ("POST", BOTH["ls"], 200),
        ("DELETE", BOTH["datasets"], 200),
    ]


def test_datasets_and_storage_by_the_library(session):
    shown = session.python(
        """
((_, listing), (_, none)) = client.ls(["s3://b/x", "s3://nobody/x"])
info = client.dataset_info("dev", "animals", "cats").data
show({
    "listed": [each["name"] for each in client.ls_datasets(prefix="ca").data],
    "elsewhere": client.ls_datasets(prefix="zebra").data,
    "project": info["project"]["name"],
    "dated": [info["created_at"].year > 2000, info["versions"][0]["created_at"].year > 2000],
    "missing": [client.dataset_info("dev", "animals", "none").message,
                client.dataset_info("dev", "animals", "none").status],
    "files": [[each["path"], each["name"], each["size"], each["dir_type"], each["is_latest"]] for each in listing.data],
    "modified": listing.data[0]["last_modified"].isoformat(),
    "nowhere": [none.ok, none.message],
    "edited": client.edit_dataset("cats", "dev", "animals", description="new", attrs=["a"]).data["description"],
    "kept": client.edit_dataset("cats", "dev", "animals", attrs=["b"]).data["description"],
    "version": client.rm_dataset("cats", "dev", "animals", version="1.0.0").ok,
    "left": [each["version"] for each in client.dataset_info("dev", "animals", "cats").data["versions"]],
    "again": client.rm_dataset("dogs", "dev", "birds").message,
})
"""
    )
    assert shown == {
        "listed": ["cats"],
        "elsewhere": [],
        "project": "animals",
        "dated": [True, True],
        "missing": ["Dataset not found", 404],
        "files": [["s3://b/x/a.jpg", "a.jpg", 3, 0, True], ["s3://b/x/more/", "more", None, 1, True]],
        "modified": "2024-01-01T12:00:00+00:00",
        "nowhere": [False, "No such bucket: s3://nobody/"],
        "edited": "new",
        "kept": "new",
        "version": True,
        "left": ["2.0.0"],
        "again": "Dataset not found",
    }


def test_clusters(session):
    before = session.sent()
    assert re.search(r"3 +\| cluster +\| ACTIVE +\| AWS", session.datachain("job", "clusters"))
    assert session.calls(before) == [(*session.routes["clusters"], 200)]
    clusters = session.python("show(client.get_clusters().data)")
    (cluster,) = clusters if session.newest else clusters["clusters"]
    assert cluster["id"] == ("3" if session.newest else 3)


def test_a_job_is_run_with_a_file_and_followed_to_its_end(session):
    before = session.sent()
    told = session.datachain(
        *("job", "run", "query.py", "--files", "extra.txt", "--env", "A=1", "--cluster", "cluster", "--workers", "2"),
        *("--req", "pyjokes", "--python-version", "3.12", "--priority", "3"),
    )
    statuses = re.findall(r"Job is now in (\w+) status", told)
    assert list(dict.fromkeys(statuses)) == ["CREATED", "RUNNING", "COMPLETE"]
    assert "Starting data processing job\nProcessing" not in told  # a status stands between
    assert re.findall(r"Processing batch (\d) of 4\n", told) == ["1", "2", "3", "4"]
    assert "Job is complete\n" in told and "No dataset versions created during the job." in told
    identity = IDENTITY.search(told)[0]
    sent = session.calls(before)
    assert [*session.routes["upload"], 200] == [*sent[0]] and [*session.routes["create"], 200] == [*sent[1]]
    assert ("GET", "/api/logs/follow/", 101) in sent
    assert sent[-1] == ("GET", "/api/datachain/datasets/dataset_job_versions", 200)
    show = "show([each for each in JOBS if each['id'] == '" + identity + "'][0])"
    jobs = "client.get_jobs(status='complete', limit=10).data" + ("" if session.newest else "['jobs']")
    job = session.python(show.replace("JOBS", jobs))
    expected = {"name": "query.py", "status": "COMPLETE", "workers": 2, "environment": {"A": "1"}, "query_type": 1}
    expected |= {"requirements": "pyjokes", "python_version": "3.12", "exit_code": 0, "team": "T"}
    assert {word: job[word] for word in expected} == expected
    assert "COMPLETE" in session.datachain("job", "ls", "--status", "complete", "--limit", "5")
    assert session.calls()[-1] == (*session.routes["list"], 200)


def test_a_job_that_fails_ends_with_the_exit_code_of_failure(session):
    told = session.datachain("job", "run", "fails.py", code=1)
    assert "Job is now in FAILED status" in told and "Task failed\n" in told


def test_the_logs_of_a_job_that_nobody_waited_for(session):
    told = session.datachain("job", "run", "query.py", "--no-wait")
    identity = IDENTITY.search(told)[0]
    followed = session.datachain("job", "logs", identity)
    assert followed.index("Starting data processing job") < followed.index("Job is now in COMPLETE status")
    again = session.datachain("job", "logs", identity)
    assert again.count("Job is complete\n") == 1


def test_frames_of_the_socket_as_the_library_gives_them(session):
    frames = session.python(
        """
import asyncio
made = client.create_job("print(1)", "PYTHON", query_name="frames.py").data
async def tail():
    return [frame async for frame in client.tail_job_logs(made.get("job", made)["id"])]
show(asyncio.run(tail()))
"""
    )
    numbers = [line["id"] for frame in frames for line in frame.get("logs", [])]
    assert numbers == [1, 2, 3, 4, 5, 6]
    assert [frame["job"]["status"] for frame in frames if "job" in frame][-1] == "COMPLETE"
    if session.newest:  # it takes any frame with a message for an error
        assert not any("message" in frame for frame in frames)


def test_logs_without_following_end_at_once(session):
    if not session.newest:  # the older client always follows
        assert "--no-follow" in session.ran("job", "run", "query.py", "--no-follow", code=2).stderr
        return
    told = session.datachain("job", "run", "query.py", "--no-follow")
    assert "Job is now in COMPLETE status" in told and "Processing" not in told
    assert any("no_follow=true" in each["query"] for each in session.sandbox.requests())


def test_a_planned_job_is_listed_and_cancelled(session):
    told = session.datachain("job", "run", "query.py", "--cron", "0 0 * * *")
    identity = IDENTITY.search(told)[0]
    assert identity in session.datachain("job", "ls", "--status", "task")
    assert "canceled" in session.datachain("job", "cancel", identity)
    assert session.calls()[-1] == (*session.routes["cancel"], 200)
    assert "CANCELED" in session.datachain("job", "ls")
    assert "CANCELED" in session.datachain("job", "logs", identity, code=2)
    refused = session.ran("job", "cancel", identity, code=1)
    assert "already" in refused.stderr + refused.stdout
    assert session.calls()[-1] == (*session.routes["cancel"], 409)


def test_an_upload_gives_the_id_that_a_job_takes(session):
    shown = session.python(
        """
import io
made = client.upload_file(io.BytesIO(b"file content"), "file.txt") if NEWEST else client.upload_file(
    b"file content", "file.txt")
number = str(made.data["id"] if NEWEST else made.data["blob"]["id"])
good = client.create_job("print(1)", "PYTHON", files=[number])
bad = client.create_job("print(1)", "PYTHON", files=["999"])
show([number.isdecimal(), good.ok, bad.ok, bool(bad.message)])
""".replace("NEWEST", str(session.newest))
    )
    assert shown == [True, True, False, True]


def test_errors_as_the_client_tells_them(session):
    session.sandbox.add_fault(fault="server-error", path="/api/datachain/clusters*", times=2)
    elsewhere = session.sandbox.create_token(scopes=["read", "write"], workspaces=["other"])
    datasets_only = session.sandbox.create_token(scopes=["DATASETS"])
    before = session.sent()
    shown = session.python(
        f"""
import os
told = [client.get_clusters().ok]
for token in ("{elsewhere}", "{datasets_only}", "wrong"):
    os.environ["DATACHAIN_STUDIO_TOKEN"] = token
    answer = StudioClient(team="T").get_clusters()
    told.append([answer.ok, answer.message])
show(told)
"""
    )
    refused = [False, "Not authorized for the team T"]
    assert shown == [True, refused, refused, [False, "Invalid token"]]
    statuses = [status for _, _, status in session.calls(before)]
    assert statuses == [500, 500, 200, 403, 403, 401]  # what a server's error says is asked again


def test_a_throttled_call_is_not_repeated(session):
    session.sandbox.add_fault(fault="rate-limited", path="/api/datachain/clusters*", times=1)
    before = session.sent()
    assert session.python("answer = client.get_clusters()\nshow([answer.ok, answer.message])") == [
        False,
        "Too many requests",
    ]
    assert [status for _, _, status in session.calls(before)] == [429]


def test_the_team_is_where_the_client_puts_it(session):
    """In the query of GETs and of the multipart upload, in the body of all else."""
    for each in session.sandbox.requests():
        if each["path"].startswith("/api/device"):
            continue
        queried = "team_name=T" in each["query"]
        assert queried == (each["method"] == "GET" or each["path"].endswith("/jobs/files")), each
        if not queried:
            assert json.loads(each["body"])["team_name"] == "T"
