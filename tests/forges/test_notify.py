"""`notify` at a forge that answers over a real socket: what it says, to whom, and what when it may not speak."""

from __future__ import annotations

import json
import os
import re
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from agent.cli import notifying
from agent.cli.main import main
from agent.cli.output import use_redactor
from agent.cli.parser import VerbParser
from agent.cli.shared import run_async
from agent.cli.verbs import notify
from agent.errors import ConfigError, Problem, Refused, UsageError, Where
from agent.notify.telling import Told
from agent.report.documents import dump_document, error_document, plan_document, problems_document, report_document
from agent.secrets import Redactor
from tests.forges.server import HEAD, TOKEN, Fault, State, github, gitlab, served, variables
from tests.unit.report import samples
from tests.unit.report.test_formats import DOCUMENTS

MARKER = "<!-- datakeel:plan key=default -->"
EVENT = {"pull_request": {"number": 7, "head": {"sha": HEAD}}}


class Job:
    """A job of a forge: a folder, its variables, and the forge."""

    def __init__(self, forge: str, state: State, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.forge = forge
        self.state = state
        self.folder = folder
        self._monkeypatch = monkeypatch
        self.plan(DOCUMENTS["plan"])

    def plan(self, document: object) -> None:
        (self.folder / "plan.json").write_text(dump_document(document))  # type: ignore[arg-type]

    def event(self, event: object) -> None:
        (self.folder / "event.json").write_text(json.dumps(event))

    def set(self, name: str, value: str) -> None:
        self._monkeypatch.setenv(name, value)

    def notify(self, *words: str) -> int:
        return main(["notify", "--plan", str(self.folder / "plan.json"), *words])

    def told(self, *words: str, clock: QuickClock) -> Told:
        """The same with another clock."""
        parser = VerbParser("notify", "", "")
        notify.configure(parser)
        arguments: Namespace = parser.parse(["--plan", str(self.folder / "plan.json"), *words])
        return run_async(notifying.speak(notifying.speech_of(arguments), clock))

    @property
    def writes(self) -> list[str]:
        return [one for one in self.state.asked if not one.startswith("GET") and one != "POST /graphql"]


class QuickClock:
    """Waiting takes no time; what was waited for is kept."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def now(self) -> float:
        return 1_772_600_000.0 + sum(self.waits)

    def monotonic(self) -> float:
        return sum(self.waits)

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


@pytest.fixture(params=["github", "gitlab"])
def job(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Job]:
    state = State()
    for name in ("GITHUB_ACTIONS", "GITLAB_CI", "GITHUB_GRAPHQL_URL"):
        monkeypatch.delenv(name, raising=False)
    face, prefix = (github, "") if request.param == "github" else (gitlab, "/api/v4")
    with served(state, face, prefix) as api:
        job = Job(request.param, state, tmp_path, monkeypatch)
        job.event(EVENT)
        for name, value in variables(request.param, api, tmp_path / "event.json").items():
            monkeypatch.setenv(name, value)
        yield job
    use_redactor(Redactor())


def name_of(status: dict[str, str]) -> str:
    return status.get("context") or status["name"]


def test_the_first_run_writes_one_comment_and_one_status(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    assert job.notify() == 0
    (note,) = job.state.notes
    assert note.body.startswith(f"{MARKER}\n### datakeel: **1 delete**, **1 replace**")
    (status,) = job.state.statuses
    assert (name_of(status), status["state"], status["sha"]) == ("datakeel/analytics", "success", HEAD)
    assert status["description"].startswith("1 delete, 1 replace, 2 held, 3 updates")
    assert status["target_url"].endswith("/99")
    out = capsys.readouterr().out
    assert re.search("^status  datakeel/analytics  success  created  1 delete", out, re.MULTILINE)
    assert re.search("^comment  created", out, re.MULTILINE)
    assert TOKEN not in "".join(job.state.asked)


def test_the_second_run_writes_nothing_and_a_new_plan_is_written_over_the_old(job: Job) -> None:
    assert job.notify() == 0
    before = list(job.writes)
    assert job.notify() == 0
    assert job.writes == before
    job.plan(DOCUMENTS["in-sync"])
    assert job.notify() == 0
    (note,) = job.state.notes
    assert note.body == f"{MARKER}\n✅ datakeel: nothing to change in `analytics` · 304 unchanged · at `main@4f2c1ab`\n"


def test_nothing_to_change_is_not_worth_a_comment(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    job.plan(DOCUMENTS["in-sync"])
    assert job.notify() == 0
    assert job.state.notes == []
    assert job.state.statuses[0]["state"] == "success"
    assert "comment  left" in capsys.readouterr().out


def test_comments_of_others_and_of_other_keys_are_left_alone(job: Job) -> None:
    theirs = [
        job.state.add_note("mallory", f"{MARKER}\nI am a robot"),
        job.state.add_note(job.state.login, "<!-- datakeel:plan key=staging -->\nanother job's"),
        job.state.add_note(job.state.login, f"quoted:\n{MARKER}\n"),
        job.state.add_note("", MARKER),
    ]
    before = [note.body for note in theirs]
    for _ in range(130):
        job.state.add_note("ann", "chatter")
    mine = job.state.add_note(job.state.login, f"{MARKER}\nold")
    assert job.notify() == 0
    assert [note.body for note in theirs] == before
    assert mine.body.startswith(f"{MARKER}\n### datakeel")
    assert job.notify("--key", "staging") == 0
    assert theirs[1].body.startswith("<!-- datakeel:plan key=staging -->\n### datakeel")
    assert {name_of(one) for one in job.state.statuses} == {"datakeel/analytics", "datakeel/staging/analytics"}
    assert len(job.state.notes) == 135


@pytest.mark.parametrize(
    ("document", "described"),
    [
        (plan_document([samples.PLAN], problems=[samples.PROBLEM], exit_status=3), "1 error in manifests; 1 delete"),
        (plan_document([replace(samples.PLAN, complete=False)], exit_status=1), "not everything could be read"),
        (plan_document([samples.PLAN], exit_status=4, refusals=[Refused("too many", code="fail-on")]), "refused: too"),
        (error_document(ConfigError("1 mistake", problems=(samples.PROBLEM,))), "failed: 1 mistake"),
        (report_document([samples.report(samples.DONE, samples.FAILED)], exit_status=5), "1 applied, 1 failed"),
        (problems_document([samples.PROBLEM], manifests=3), "1 error in manifests"),
    ],
)
def test_a_failure_is_told_as_one(job: Job, document: object, described: str) -> None:
    job.plan(document)
    assert job.notify() == 0
    (status,) = job.state.statuses
    assert status["state"] == ("failure" if job.forge == "github" else "failed")
    assert status["description"].startswith(described)
    (note,) = job.state.notes
    assert "❌" in note.body or "incomplete" in note.body


def test_a_target_without_a_plan_fails_and_its_neighbour_does_not(job: Job) -> None:
    document = plan_document([samples.PLAN], errors={"sales": samples_error()}, exit_status=1)
    job.plan(document)
    assert job.notify() == 0
    states = {name_of(one): one["state"] for one in job.state.statuses}
    assert states["datakeel/sales"] in ("failure", "failed")
    assert states["datakeel/analytics"] == "success"
    assert name_of(job.state.statuses[0]) == "datakeel/sales", "failures are told first"


def samples_error() -> Refused:
    return Refused("no answer " * 40, code="api-unreachable")


def test_a_job_that_left_no_plan_is_told_and_fails(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    (job.folder / "plan.json").unlink()
    assert job.notify("--target", "analytics") == 1
    assert "plan.json is not there" in job.state.notes[0].body
    assert name_of(job.state.statuses[0]) == "datakeel/analytics"
    assert job.state.statuses[0]["state"] in ("failure", "failed")
    assert "plan-unreadable" in capsys.readouterr().err


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"format": "datakeel.plan/2"}', '{"format": "datakeel.plan/1"}', "[" * 9999],
)
def test_a_file_that_is_no_plan_is_told_as_that(job: Job, content: str) -> None:
    (job.folder / "plan.json").write_text(content)
    assert job.notify() == 1
    assert "`plan-unreadable`" in job.state.notes[0].body


def test_pending_is_told_first_and_once(job: Job) -> None:
    assert job.notify("--pending", "--target", "analytics") == 0
    assert job.notify("--pending", "--target", "analytics") == 0
    assert [one["state"] for one in job.state.statuses] == ["pending"]
    assert job.state.notes == []
    assert job.notify() == 0
    assert job.state.statuses[-1]["state"] == "success"


def test_a_token_without_the_right_says_which(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    job.state.rights -= {"comment"}
    assert job.notify() == 1
    told = capsys.readouterr()
    assert "forge-forbidden" in told.err
    assert ("pull-requests: write" if job.forge == "github" else "role Reporter") in told.err
    assert job.state.statuses, "the status does not wait for the comment"
    job.state.rights = {"comment"}
    job.plan(plan_document([samples.PLAN], exit_status=1))
    assert job.notify() == 1
    assert job.state.notes, "the comment does not wait for the status"
    assert ("statuses: write" if job.forge == "github" else "role Developer") in capsys.readouterr().err


def test_a_wrong_token_is_told_and_shown_nowhere(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    name = "GITHUB_TOKEN" if job.forge == "github" else "GITLAB_TOKEN"
    job.set(name, "canary-wrong-token-11")
    assert job.notify() == 1
    told = capsys.readouterr()
    assert "forge-unauthorized" in told.err
    assert "canary-wrong" not in told.err + told.out


def test_a_newer_commit_keeps_its_comment(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    job.state.head = "e" * 40
    mine = job.state.add_note(job.state.login, f"{MARKER}\nof the newer commit")
    assert job.notify() == 0
    assert mine.body == f"{MARKER}\nof the newer commit"
    assert job.state.statuses[0]["sha"] == HEAD, "a status belongs to its commit"
    assert "the pull request is at eeeeeee already" in capsys.readouterr().out


@pytest.mark.parametrize(("status", "landed"), [(0, False), (0, True), (429, False), (502, True), (503, False)])
def test_what_is_temporary_is_tried_again_and_nothing_is_said_twice(job: Job, status: int, landed: bool) -> None:
    path = "issues/7/comments|merge_requests/7/notes"
    job.state.faults = [
        Fault("POST", path, status, {"message": "try later"}, landed=landed),
        Fault("POST", "/statuses/", status, {"message": "try later"}, landed=landed),
    ]
    clock = QuickClock()
    told = job.told(clock=clock)
    assert not told.errors
    assert len(job.state.notes) == 1
    assert len(job.state.statuses) == 1
    assert clock.waits == [1.0, 1.0]
    posts = [one for one in job.writes if re.search(path, one)]
    assert len(posts) == (1 if landed else 2)


def test_a_forge_that_asks_to_wait_is_waited_for_within_the_budget(job: Job) -> None:
    job.state.faults = [
        Fault("POST", "/statuses/", 403, {"message": "secondary rate limit"}, {"Retry-After": "20"}),
        Fault(
            "POST",
            "comments|notes",
            403 if job.forge == "github" else 429,
            {"message": "rate limit"},
            {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1772600045"},
        ),
    ]
    clock = QuickClock()
    assert not job.told(clock=clock).errors
    assert clock.waits == [20.0, 25.0]


def test_a_forge_that_stays_away_is_given_up_and_said(job: Job) -> None:
    job.state.faults = [Fault("GET", "/status(es)?$", 503, {"message": "maintenance"}, times=99)]
    clock = QuickClock()
    told = job.told("--retry-for", "30", clock=clock)
    assert sum(clock.waits) <= 30
    assert [error.error_code for error in told.errors] == ["forge-failed"]
    assert "maintenance" in told.errors[0].what
    assert told.comment == "created"
    job.state.faults = [Fault("GET", "/status(es)?$", 503, None, {"Retry-After": "3600"}, times=99)]
    clock = QuickClock()
    told = job.told(clock=clock)
    assert clock.waits == []
    assert "3600 s" in (told.errors[0].why or "")


def test_a_redirect_gets_no_token(job: Job) -> None:
    stranger = State()
    with served(stranger, github) as elsewhere:
        job.state.faults = [Fault("GET", "/status(es)?$", 307, None, {"Location": f"{elsewhere}/x"}, times=9)]
        told = job.told(clock=QuickClock())
    assert "--api" in (told.errors[0].fix or "")
    assert stranger.asked == []


def test_what_is_not_json_is_an_error_of_the_forge(job: Job) -> None:
    job.set("GITHUB_API_URL" if job.forge == "github" else "CI_API_V4_URL", "http://127.0.0.1:9")
    told = job.told("--retry-for", "0", clock=QuickClock())
    assert {error.error_code for error in told.errors} == {"forge-failed"}


def test_a_comment_is_never_longer_than_the_forge_takes(job: Job) -> None:
    changes = tuple(replace(samples.DELETE, key=samples.key("Workflow", f"ü{at:05}")) for at in range(900))
    job.plan(plan_document([replace(samples.PLAN, changes=changes)]))
    assert job.notify() == 0
    (note,) = job.state.notes
    assert len(note.body.encode()) <= 60_000
    assert "all of it is in `plan.json` of this job" in note.body


def test_nothing_of_a_secret_reaches_the_forge(job: Job) -> None:
    problem = Problem("rejected", f"the platform echoed {TOKEN}", Where("m/a.yaml", 1, 1), got=TOKEN)
    job.plan(plan_document([samples.PLAN], problems=[problem], exit_status=3))
    assert job.notify() == 0
    assert TOKEN not in job.state.notes[0].body
    assert "***" in job.state.notes[0].body


def test_as_json_it_says_what_it_did(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    assert job.notify("-o", "json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["format"] == "datakeel.notify/1"
    assert document["comment"]["done"] == "created"
    assert document["statuses"][0]["name"] == "datakeel/analytics"
    assert document["errors"] == []


def test_no_comment_and_no_status_are_what_they_say(job: Job) -> None:
    assert job.notify("--no-comment") == 0
    assert (len(job.state.notes), len(job.state.statuses)) == (0, 1)
    job.state.statuses.clear()
    assert job.notify("--no-status") == 0
    assert (len(job.state.notes), len(job.state.statuses)) == (1, 0)


def test_a_push_has_statuses_and_no_comment(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    if job.forge == "github":
        job.event({"ref": "refs/heads/main"})
        job.set("GITHUB_SHA", HEAD)
    else:
        job.set("CI_MERGE_REQUEST_IID", "")
        job.state.head = "e" * 40
    assert job.notify() == 0
    assert job.state.statuses[0]["sha"] == HEAD
    assert job.state.notes == []
    assert "no open pull request" in capsys.readouterr().out


@pytest.mark.parametrize("job", ["github"], indirect=True)
class TestBesideAFork:
    """`workflow_run`: trusted, and the plan comes from a stranger's job."""

    RUN: ClassVar = {
        "workflow_run": {
            "head_sha": HEAD,
            "head_branch": "patch-1",
            "head_repository": {"full_name": "mallory/lake"},
            "html_url": "https://github.com/acme/lake/actions/runs/5",
            "pull_requests": [],
        }
    }

    def test_the_request_is_found_by_its_head(self, job: Job) -> None:
        job.event(self.RUN)
        assert job.notify("--untrusted", "--no-status") == 0
        assert "**not verified**" in job.state.notes[0].body
        assert job.state.statuses == []

    def test_and_by_nothing_else(self, job: Job, capsys: pytest.CaptureFixture[str]) -> None:
        job.event(self.RUN)
        for change in ({"fork": "other/lake"}, {"branch": "patch-2"}, {"head": "d" * 40}):
            for name, value in change.items():
                setattr(job.state, name, value)
            assert job.notify("--untrusted", "--no-status") == 0
            assert job.state.notes == []
            assert "no open pull request" in capsys.readouterr().out
            job.state.fork, job.state.branch, job.state.head = "mallory/lake", "patch-1", HEAD


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["--key", "a b"], "not a key"),
        (["--token-from", "hunter2"], "no reference"),
        (["--token-from", "env:"], "no reference"),
        (["--api", "ftp://x"], "not an address"),
        (["--api", "http://git.example.com/api/v4"], "in clear"),
        (["--commit", "main"], "no commit"),
        (["--repository", ""], "no repository"),
    ],
)
def test_wrong_words_are_told(job: Job, words: list[str], fault: str) -> None:
    parser = VerbParser("notify", "", "")
    notify.configure(parser)
    with pytest.raises(UsageError, match=fault):
        notifying.speech_of(parser.parse(words))
    assert job.state.asked == []


def test_outside_of_a_job_everything_can_be_said(job: Job, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("GITHUB_ACTIONS", "GITLAB_CI", "GITHUB_EVENT_PATH", "GITHUB_TOKEN", "GITLAB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    assert job.notify() == 64
    (tmp_path / "token").write_text(TOKEN + "\n")
    api = os.environ["GITHUB_API_URL" if job.forge == "github" else "CI_API_V4_URL"]
    where = ["--forge", job.forge, "--api", api, "--pull", "7", "--commit", HEAD]
    where += ["--repository", "acme/lake" if job.forge == "github" else "42"]
    assert job.notify(*where) == 78
    assert job.notify(*where, "--token-from", f"file:{tmp_path / 'token'}") == 0
    assert len(job.state.notes) == 1
