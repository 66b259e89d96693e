"""The emulated DataChain Studio beyond its page's examples: a job's life, both route families, refusals, clicks."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from agent.sandbox import Refusal
from agent.sandbox.datachain_studio_bodies import msgpack
from tests.platforms.test_datachain_studio_page import TEAM, UPLOAD, Studio
from tests.unit.sandbox.support import START, TOKEN, Sandbox
from tests.unit.sandbox.websocket_support import converse

CATS = {"kind": "dataset", "workspace": TEAM, "name": "cats", "namespace": "dev", "project": "animals"}
WHERE = {"name": "cats", "namespace": "dev", "project": "animals", "team_name": TEAM}


@pytest.fixture
def studio() -> Studio:
    return Studio()


async def status(studio: Studio, identity: str) -> str:
    return next(job["status"] for job in await studio.jobs("&limit=100") if job["id"] == identity)


# Jobs


async def test_a_job_waits_runs_and_is_complete_in_time(studio):
    identity, seen = await studio.create(), []
    for _ in range(5):
        seen.append(await status(studio, identity))
        studio.sandbox.clock.at += 0.5
    assert seen == ["CREATED", "RUNNING", "RUNNING", "RUNNING", "COMPLETE"]
    (job,) = await studio.jobs()
    assert job["exit_code"] == 0
    assert job["started_at"] == "2024-01-01T00:00:00.500000+00:00"
    assert job["finished_at"] == "2024-01-01T00:00:02.000000+00:00"


async def test_a_name_in_a_list_of_failing_names_ends_as_failed(studio):
    studio.world.switches.change({"fail_names": ["bad.py"]})
    for name in ("bad.py", "bad.py [mark]", "bad.python"):
        await studio.create(query_name=name)
    studio.sandbox.clock.at += 2
    assert [(job["name"], job["status"], job["exit_code"]) for job in await studio.jobs()] == [
        ("bad.python", "COMPLETE", 0),
        ("bad.py [mark]", "FAILED", 1),
        ("bad.py", "FAILED", 1),
    ]


async def test_the_newest_job_comes_first_and_a_list_has_at_most_100(studio):
    made = [await studio.create() for _ in range(101)]
    listed = [job["id"] for job in await studio.jobs("&limit=1000")]
    assert listed == made[:0:-1]


@pytest.mark.parametrize("limit", ["0", "-1", "x", "1.5"])
async def test_a_limit_must_be_a_number(studio, limit):
    answer = await studio.client.get(f"/api/datachain/jobs?team_name={TEAM}&limit={limit}")
    assert answer.status_code == 400


async def test_a_name_may_be_used_by_many_jobs(studio):
    assert await studio.create() != await studio.create()


async def test_a_job_is_another_team_s_secret(studio):
    identity = await studio.create()
    assert (await studio.client.get("/api/datachain/jobs?team_name=other")).json() == {"jobs": []}
    answer = await studio.client.post(f"/api/datachain/job/{identity}/cancel", json={"team_name": "other"})
    assert answer.status_code == 404


async def test_a_token_may_be_held_to_teams(studio):
    token = studio.world.create_token("1h", workspaces=("mine",)).value
    headers = {"Authorization": f"token {token}"}
    answers = [
        await studio.client.get(f"/api/datachain/jobs?team_name={team}", headers=headers) for team in ("mine", "other")
    ]
    assert [answer.status_code for answer in answers] == [200, 403]


async def test_a_cancelled_job_stays_listed_and_cannot_be_cancelled_again(studio):
    identity = await studio.create()
    studio.world.switches.change({"delete_delay": 3})
    url = f"/api/datachain/job/{identity}/cancel"
    assert (await studio.client.post(url, json={"team_name": TEAM})).status_code == 200
    assert await status(studio, identity) == "CANCELING"
    assert (await studio.client.post(url, json={"team_name": TEAM})).status_code == 409
    studio.sandbox.clock.at += 3
    assert await status(studio, identity) == "CANCELED"
    studio.sandbox.clock.at += 100
    assert await status(studio, identity) == "CANCELED"


async def test_a_finished_job_cannot_be_cancelled_and_an_unknown_one_is_not_found(studio):
    identity = await studio.create()
    studio.sandbox.clock.at += 2
    answer = await studio.client.post(f"/api/datachain/job/{identity}/cancel", json={"team_name": TEAM})
    assert answer.status_code == 409 and "COMPLETE" in answer.json()["message"]
    answer = await studio.client.post("/api/datachain/job/none/cancel", json={"team_name": TEAM})
    assert answer.status_code == 404 and answer.json() == {"message": "Job not found"}


async def test_a_job_set_for_later_is_a_task_until_then(studio):
    identity = await studio.create(start_after="2024-01-01T00:01:00+00:00")
    assert await status(studio, identity) == "TASK"
    studio.sandbox.clock.at += 60
    assert await status(studio, identity) == "CREATED"
    studio.sandbox.clock.at += 2
    assert await status(studio, identity) == "COMPLETE"


async def test_a_recurring_job_is_a_task_until_it_is_cancelled(studio):
    identity = await studio.create(cron_expression="0 2 * * *")
    studio.sandbox.clock.at += 86_400
    assert await status(studio, identity) == "TASK"
    studio.world.switches.change({"delete_delay": 3})
    await studio.client.post(f"/api/datachain/job/{identity}/cancel", json={"team_name": TEAM})
    assert await status(studio, identity) == "CANCELING_SCHEDULED"


@pytest.mark.parametrize(
    "change",
    [
        {"query_type": "sql"},
        {"query": ""},
        {"query": 5},
        {"workers": -1},
        {"workers": "2"},
        {"workers": True},
        {"priority": 6},
        {"environment": "no equals sign"},
        {"environment": {"A": "1"}},
        {"files": ["99"]},
        {"files": "1"},
        {"start_after": "tomorrow"},
        {"cron_expression": "every day"},
        {"compute_cluster_name": "unknown"},
        {"compute_cluster_id": 99},
    ],
)
async def test_a_job_that_cannot_be_is_refused_and_leaves_nothing(studio, change):
    body = {"query": "print(1)", "query_type": "PYTHON", "team_name": TEAM, **change}
    answer = await studio.client.post("/api/datachain/job", json=body)
    assert answer.status_code == 400 and answer.json()["message"]
    assert await studio.jobs() == [] and studio.world.commits == []


async def test_numbers_are_read_where_words_were_written(studio):
    await studio.create(query_type="shell", environment="A=1\n\nB=x=y", workers=3, requirements="a\nb")
    (job,) = await studio.jobs()
    assert job["query_type"] == 2 and job["environment"] == {"A": "1", "B": "x=y"} and job["workers"] == 3


@pytest.mark.parametrize(
    ("chosen", "name"),
    [
        ({}, "cluster"),
        ({"compute_cluster_name": "default"}, "cluster"),
        ({"compute_cluster_name": "big"}, "big"),
        ({"compute_cluster_id": 7}, "big"),
        ({"compute_cluster_id": "3"}, "cluster"),
    ],
)
async def test_a_cluster_is_chosen_by_name_or_id(studio, chosen, name):
    studio.world.person_create({"kind": "cluster", "workspace": TEAM, "name": "big", "id": 7})
    await studio.create(**chosen)
    assert (await studio.jobs())[0]["compute_cluster_name"] == name


# The newer routes


async def test_both_route_families_serve_the_same_jobs(studio):
    body = {"query": "q", "query_type": "PYTHON", "query_name": "new.py", "team_name": TEAM}
    made = (await studio.client.post("/api/datachain/jobs/", json={**body, "rerun_from_job_id": None})).json()
    assert {"id", "url", "workers", "status"} <= set(made)
    older = await studio.create()
    newer = (await studio.client.get(f"/api/datachain/jobs/?team_name={TEAM}")).json()
    assert [job["id"] for job in newer] == [older, made["id"]]
    assert newer == await studio.jobs()
    one = (await studio.client.get(f"/api/datachain/jobs/?team_name={TEAM}&job_id={made['id']}")).json()
    assert [job["id"] for job in one] == [made["id"]]
    answer = await studio.client.post(f"/api/datachain/jobs/{older}/cancel", json={"team_name": TEAM})
    assert answer.json() == {"message": "Successfully canceled"}


async def test_newer_clusters_are_a_bare_list_with_ids_as_text(studio):
    (cluster,) = (await studio.client.get(f"/api/datachain/clusters/?team_name={TEAM}")).json()
    assert cluster["id"] == "3"
    needed = {"active_workers", "busy_workers", "cloud_region", "instance_type", "compute_class", "disk_size"}
    assert needed <= set(cluster)


async def test_newer_files_are_multipart_with_the_team_in_the_query(studio):
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nabc\r\n--b--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    url = "/api/datachain/jobs/files"
    made = await studio.client.post(url, params={"team_name": TEAM}, content=body, headers=headers)
    assert made.status_code == 200
    await studio.create(files=[made.json()["id"]])
    assert (await studio.client.post(url, content=body, headers=headers)).status_code == 400
    wrong = body.replace(b'"file"', b'"other"')
    answer = await studio.client.post(url, params={"team_name": TEAM}, content=wrong, headers=headers)
    assert answer.status_code == 400


# Files


@pytest.mark.parametrize(
    "change", [{"file_content": "%%"}, {"file_content": 5}, {"file_name": ""}, {"team_name": None}]
)
async def test_a_file_needs_a_name_and_base64(studio, change):
    body = {"file_content": "YQ==", "file_name": "a", "team_name": TEAM, **change}
    assert (await studio.client.post("/api/datachain/upload-file", json=body)).status_code == 400


async def test_files_are_numbered_and_belong_to_a_team(studio):
    body = {"file_content": "YWJj", "file_name": "a", "team_name": TEAM}
    numbers = [(await studio.client.post("/api/datachain/upload-file", json=body)).json()["blob"]["id"] for _ in "12"]
    assert numbers == [1, 2]
    job = {"query": "q", "query_type": "PYTHON", "files": ["1"], "team_name": "other"}
    assert (await studio.client.post("/api/datachain/job", json=job)).status_code == 400


@pytest.mark.parametrize("body", [b"", b"[]", b'{"a": 1,}', b"\xff", b'{"a": NaN}', b"[" * 100_000])
async def test_a_body_that_is_no_json_mapping_is_refused(studio, body):
    answer = await studio.client.post("/api/datachain/job", content=body)
    assert answer.status_code == 400 and "message" in answer.json()


# Datasets and storage


async def test_a_dataset_is_edited_where_the_body_is_not_null(studio):
    studio.world.person_create({**CATS, "description": "old", "attrs": ["a"]})
    body = {**WHERE, "new_name": None, "description": "new", "attrs": None}
    assert (await studio.client.post("/api/datachain/datasets", json=body)).json()["description"] == "new"
    body = {**WHERE, "new_name": "dogs", "description": None, "attrs": ["b"]}
    edited = (await studio.client.post("/api/datachain/datasets", json=body)).json()
    assert (edited["name"], edited["description"], edited["attrs"]) == ("dogs", "new", ["b"])
    listed = (await studio.client.get(f"/api/datachain/datasets?team_name={TEAM}")).json()
    assert [each["name"] for each in listed] == ["dogs"]


async def test_a_dataset_cannot_take_another_s_name(studio):
    studio.world.person_create(CATS)
    studio.world.person_create({**CATS, "name": "dogs"})
    answer = await studio.client.post("/api/datachain/datasets", json={**WHERE, "new_name": "dogs"})
    assert answer.status_code == 409


async def test_a_version_or_all_of_a_dataset_is_deleted(studio):
    studio.world.person_create({**CATS, "versions": [{"version": "1.0.0"}, {"version": "2.0.0"}]})

    async def delete(**words: Any) -> int:
        answer = await studio.client.request("DELETE", "/api/datachain/datasets", json={**WHERE, **words})
        return answer.status_code

    assert await delete(version=None, force=False) == 400
    assert await delete(version="3.0.0") == 404
    assert await delete(version="1.0.0") == 200
    assert await delete(version=None, force=False) == 200
    assert await delete(version=None, force=True) == 404


async def test_versions_that_a_job_made_are_told(studio):
    studio.world.person_create({**CATS, "versions": [{"version": "1.0.0", "job_id": "j"}, {"version": "2.0.0"}]})
    url = f"/api/datachain/datasets/dataset_job_versions?team_name={TEAM}&job_id="
    assert (await studio.client.get(f"{url}j")).json() == {
        "dataset_versions": [{"dataset_name": "cats", "version": "1.0.0"}]
    }
    assert (await studio.client.get(f"{url}other")).json() == {"dataset_versions": []}


async def listing(studio: Studio, accept: str, content_type: str = "application/json") -> tuple[str, bytes]:
    body = f'{{"source": "s3://b/x", "team_name": "{TEAM}"}}'
    headers = {"Accept": accept, "Content-Type": content_type}
    answer = await studio.client.post("/api/datachain/ls", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.headers["content-type"], answer.content


@pytest.mark.parametrize(
    ("accept", "content_type", "label", "first"),
    [
        ("application/json", "application/json", "application/json", b"{"),
        ("application/json, application/msgpack", "application/json", "application/json", b"{"),
        ("application/msgpack, application/json", "application/json", "application/msgpack", b"\xdf"),
        ("application/x-msgpack", "application/msgpack", "application/msgpack", b"\xdf"),
        ("*/*", "application/json", "application/msgpack", b"\xdf"),  # the vendor's client
        ("*/*", "application/msgpack", "application/msgpack", b"{"),  # the page
    ],
)
async def test_a_listing_is_msgpack_or_json(studio, accept, content_type, label, first):
    studio.world.person_create({"kind": "file", "name": "s3://b/x/a.jpg"})
    seen, body = await listing(studio, accept, content_type)
    assert seen == label and body[:1] == first


async def test_indexing_answers_null_and_not_an_empty_list(studio):
    studio.world.person_create({"kind": "file", "name": "s3://b/y/a.jpg"})
    assert (await listing(studio, "application/json"))[1] == b'{"data":[]}'
    studio.world.switches.change({"indexing": True})
    assert (await listing(studio, "application/json"))[1] == b'{"data":null}'
    assert (await listing(studio, "*/*"))[1] == msgpack({"data": None})


@pytest.mark.parametrize("wrong", [{"source": "s3://none/x"}, {"team_name": ""}, {"authorization": "token wrong"}])
@pytest.mark.parametrize("accept", ["*/*", "application/json"])
async def test_a_refused_listing_is_packed_as_a_listing_is(studio, accept, wrong):
    """The vendor's client reads the answer to a listing as msgpack, whatever its status."""
    headers = {"Accept": accept, **{name: value for name, value in wrong.items() if name == "authorization"}}
    body = {"source": "s3://b/x", "team_name": TEAM, **wrong}
    answer = await studio.client.post("/api/datachain/ls", json=body, headers=headers)
    assert answer.status_code in (400, 401, 404)
    message = {
        "source": "No such bucket: s3://none/",
        "team_name": "'team_name' is required",
        "authorization": "Invalid token",
    }
    told = {"message": message[next(iter(wrong))]}
    assert answer.content == msgpack(told) if accept == "*/*" else answer.json() == told


def test_msgpack_of_every_kind_of_value():
    from datetime import UTC, datetime

    assert msgpack([None, True, False, 5, -1, 300, 0.5, "é"]) == (
        b"\xdd\x00\x00\x00\x08\xc0\xc3\xc2\x05\xd3\xff\xff\xff\xff\xff\xff\xff\xff\xd3\x00\x00\x00\x00\x00\x00\x01\x2c"
        b"\xcb\x3f\xe0\x00\x00\x00\x00\x00\x00\xdb\x00\x00\x00\x02\xc3\xa9"
    )
    assert msgpack(datetime.fromtimestamp(5, UTC)) == b"\xc7\x0c\x2a" + struct.pack("!dl", 5.0, 0)


# Logs


async def follow(studio: Studio, job: str, extra: str = "") -> list[Any]:
    query = f"job_id={job}&team_name={TEAM}{extra}"
    told = await converse(studio.sandbox.app, "/api/logs/follow/", query, {"authorization": f"token {TOKEN}"})
    assert told.status == 101 and told.code == 1000
    return told.frames


def statuses(frames: list[Any]) -> list[str]:
    return list(dict.fromkeys(frame["job"]["status"] for frame in frames if "job" in frame))


async def test_logs_tell_of_a_failure(studio):
    studio.world.switches.change({"fail_names": ["test.py"]})
    frames = await follow(studio, await studio.create())
    assert statuses(frames) == ["CREATED", "RUNNING", "FAILED"]
    assert frames[-2]["level"] == "ERROR"


async def test_logs_of_a_cancelled_job_end_with_its_cancellation(studio):
    identity = await studio.create()
    await studio.client.post(f"/api/datachain/job/{identity}/cancel", json={"team_name": TEAM})
    assert statuses(await follow(studio, identity)) == ["CREATED", "CANCELED"]


async def test_without_following_only_what_happened_is_told(studio):
    identity = await studio.create()
    assert statuses(await follow(studio, identity, "&no_follow=true")) == ["CREATED"]


async def test_lines_that_a_test_wrote_are_told_in_time(studio):
    identity = await studio.create()
    studio.sandbox.clock.at += 1
    studio.world.platforms["datachain-studio"].write_log(identity, "hello", level="WARNING")
    lines = [frame for frame in await follow(studio, identity) if "logs" in frame]
    assert [line["logs"][0]["id"] for line in lines] == list(range(1, len(lines) + 1))
    (hello,) = [line for line in lines if line["message"] == "hello"]
    assert hello["level"] == "WARNING" and hello["logs"][0]["message"] == "hello\n"


async def test_a_quiet_socket_is_pinged(studio):
    identity = await studio.create(start_after="2024-01-01T00:01:00Z")
    frames = await follow(studio, identity)
    assert frames.count({"type": "ping"}) == 3
    assert statuses(frames) == ["TASK", "CREATED", "RUNNING", "COMPLETE"]


async def test_frames_are_the_page_s_the_client_s_or_both(studio):
    identity = await studio.create()
    members = {}
    for wanted in ("both", "page", "client"):
        studio.world.switches.change({"log_frames": wanted})
        frames = await follow(studio, identity)
        members[wanted] = {word for frame in frames for word in frame}
    assert members["page"] == {"type", "timestamp", "status", "progress", "level", "message", "worker_id"}
    assert members["client"] == {"logs", "job"}
    assert members["both"] == members["page"] | members["client"]


async def test_a_job_of_the_newer_routes_never_has_a_message_at_the_top(studio):
    body = {"query": "q", "query_type": "PYTHON", "team_name": TEAM}
    made = (await studio.client.post("/api/datachain/jobs/", json=body)).json()
    assert {word for frame in await follow(studio, made["id"]) for word in frame} == {"logs", "job"}


async def test_a_job_that_is_not_there_is_a_bare_message(studio):
    assert await follow(studio, "none") == [{"message": "Job not found"}]


async def test_following_in_plain_http_is_told_to_upgrade(studio):
    assert (await studio.client.get(f"/api/logs/follow/?job_id=x&team_name={TEAM}")).status_code == 426


# The framework


@pytest.mark.parametrize("path", ["/", "/api", "/api/datachain", "/api/datachain/none", "/datachain/jobs", "/api/logs"])
async def test_other_paths_are_not_found(studio, path):
    assert (await studio.client.get(f"{path}?team_name={TEAM}")).status_code == 404


async def test_other_methods_are_not_allowed(studio):
    assert (await studio.client.put("/api/datachain/jobs", json={"team_name": TEAM})).status_code == 405


async def test_bearer_is_accepted_too(studio):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert (await studio.client.get(f"/api/datachain/jobs?team_name={TEAM}", headers=headers)).status_code == 200


async def test_a_reader_may_list_storage_but_not_create(studio):
    token = studio.world.create_token("1h", scopes=("read",)).value
    headers = {"Authorization": f"token {token}"}
    source = {"source": "s3://none/", "team_name": TEAM}
    assert (await studio.client.post("/api/datachain/ls", json=source, headers=headers)).status_code == 404
    answer = await studio.client.post("/api/datachain/upload-file", content=UPLOAD, headers=headers)
    assert answer.status_code == 403


async def test_changes_are_commits_with_what_reads_show(studio):
    identity = await studio.create(query_name="n [mark]")
    await studio.client.post(f"/api/datachain/job/{identity}/cancel", json={"team_name": TEAM})
    created, cancelled = studio.world.commits
    assert (created.platform, created.type, created.workspace, created.name) == (
        "datachain-studio",
        "job",
        TEAM,
        identity,
    )
    assert created.before is None and created.after["name"] == "n [mark]" and created.agent == "tests/1.0"
    assert (cancelled.before["status"], cancelled.after["status"]) == ("CREATED", "CANCELED")
    assert [entry.commits for entry in studio.world.requests] == [(1,), (2,)]


async def test_jobs_survive_a_restart(tmp_path):
    identities = []
    for _ in range(2):
        sandbox = Sandbox(platform="datachain-studio", state=tmp_path / "state.db")
        body = {"query": "q", "query_type": "PYTHON", "team_name": TEAM}
        identities.append((await sandbox.client.post("/api/datachain/job", json=body)).json()["job"]["id"])
        listed = (await sandbox.client.get(f"/api/datachain/jobs?team_name={TEAM}")).json()["jobs"]
        assert [job["id"] for job in listed] == identities[::-1]
        sandbox.world.close()
    assert len(set(identities)) == 2


async def test_a_stale_read_misses_a_new_job_and_its_progress(studio):
    await studio.create()
    studio.sandbox.clock.at += 2
    studio.world.switches.change({"lag": 1.0})
    assert [job["status"] for job in await studio.jobs()] == ["RUNNING"]
    await studio.create()
    assert len(await studio.jobs()) == 1
    assert (await studio.client.get(f"/api/datachain/clusters?team_name={TEAM}")).json()["clusters"]


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ("short-list", [1, 1, 1]),
        ("empty-list", [0, 0, 0]),
        ("duplicated-row", [3, 2, 3]),
        ("null-rows", [None, None, None]),
    ],
)
async def test_faults_know_the_rows_of_each_list(studio, fault, seen):
    for _ in range(2):
        await studio.create()
    studio.world.faults.add({"fault": fault})
    answers = [
        (await studio.client.get(f"/api/datachain/{path}?team_name={TEAM}")).json()
        for path in ("jobs", "clusters", "jobs/")
    ]
    rows = [answers[0]["jobs"], answers[1]["clusters"], answers[2]]
    assert [None if each is None else len(each) for each in rows] == seen


async def test_a_fault_speaks_with_the_platform_s_words(studio):
    studio.world.faults.add({"fault": "rate-limited"})
    answer = await studio.client.get(f"/api/datachain/jobs?team_name={TEAM}")
    assert answer.status_code == 429 and answer.headers["retry-after"] == "5"
    assert answer.json() == {"message": "Too many requests"}


async def test_a_person_sees_makes_edits_and_deletes(studio):
    world = studio.world
    world.person_create(CATS)
    world.person_create({"kind": "file", "workspace": TEAM, "name": "s3://b/a", "size": 3})
    job = world.person_create({"kind": "job", "workspace": TEAM, "query": "q", "query_type": "PYTHON"}, person="ana")
    assert job["created_by"] == "ana" and job["created_at"].startswith("2024-01-01") and world.clock.now() == START
    world.person_edit("dataset", "dev.animals.cats", {"name": "dogs"}, workspace=TEAM)
    world.person_edit("cluster", "cluster", {"status": "INACTIVE"}, workspace=TEAM)
    assert sorted(each["kind"] for each in world.resources()) == ["cluster", "dataset", "file", "job"]
    world.person_delete("dataset", "dev.animals.dogs", workspace=TEAM)
    world.person_delete("job", job["id"], workspace=TEAM)
    assert await status(studio, job["id"]) == "CANCELED"
    with pytest.raises(Refusal, match="edited"):
        world.person_edit("job", job["id"], {}, workspace=TEAM)
    with pytest.raises(Refusal, match="not found"):
        world.person_delete("dataset", "dev.animals.none", workspace=TEAM)
    with pytest.raises(Refusal, match="creates"):
        world.person_create({"kind": "other"})
    assert all(commit.person for commit in world.commits)


async def test_it_is_served_below_its_name_beside_others():
    sandbox = Sandbox(platform=["datachain-studio", "dataloop", "dataos"])
    answer = await sandbox.client.get(f"/datachain-studio/api/datachain/clusters?team_name={TEAM}")
    assert answer.status_code == 200
    assert (await sandbox.client.get("/datachain-studio")).status_code == 404
    assert (await sandbox.client.get("/dataloop/api/v1/orgs/acme/accounts")).status_code == 200
    assert (await sandbox.client.get("/dataloop")).status_code == 404
