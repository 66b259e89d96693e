"""Every request and answer that the DataChain Studio page prints, against the sandbox, word for word where it is.

An answer may hold members that the example leaves out; it never lacks one. The page's two curl bodies with a comma too
many are sent without it.
"""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.unit.sandbox.support import TOKEN, Sandbox
from tests.unit.sandbox.websocket_support import converse

TEAM = "my-team"
LISTED: dict[str, Any] = {
    "attrs": ["training"],
    "created_at": "2025-06-11T14:22:31.123456+00:00",
    "created_by_id": 2,
    "description": "Training dataset for computer vision",
    "id": 1853,
    "name": "training-images-v2",
    "project": {
        "created_at": "2025-06-20T04:34:24.083394+00:00",
        "created_by_id": None,
        "descr": "Computer Vision Project",
        "id": 2,
        "name": "cv-project",
        "namespace": {
            "created_at": "2025-06-20T04:34:24.074155+00:00",
            "created_by_id": None,
            "descr": "CV Team Namespace",
            "id": 2,
            "name": "cv-team",
            "team_id": 1,
            "uuid": "b73d73f9-420a-5314-0994-7859bd067c19",
        },
        "uuid": "ddd29091-4578-55f5-c1d2-77651d997f2",
    },
    "team_id": 1,
    "versions": [
        {
            "created_at": "2025-06-11T14:22:31.234567+00:00",
            "created_by_id": 2,
            "dataset_id": 1853,
            "error_message": "",
            "error_stack": "",
            "finished_at": "2025-06-11T14:23:45.345678+00:00",
            "id": 4150,
            "job_id": None,
            "num_objects": 1000,
            "query_script": "",
            "size": 5000000,
            "status": 4,
            "uuid": "628e849f-b66c-5647-b849-278d35df94d4",
            "version": "2.0.0",
        }
    ],
    "warehouse_id": None,
}
INFO: dict[str, Any] = {
    "id": 1974,
    "name": "amrit-datachain-test-2",
    "description": "Test dataset for playground files and nested structures",
    "attrs": [],
    "created_at": "2025-07-07T08:56:37.571075+00:00",
    "finished_at": "2025-07-07T09:56:37.571075+00:00",
    "error_message": "",
    "error_stack": "",
    "script_output": "",
    "sources": "",
    "query_script": "",
    "status": 4,
    "team_id": 1,
    "warehouse_id": None,
    "created_by_id": 1,
    "schema": {
        "sys__id": {"type": "UInt64"},
        "sys__rand": {"type": "UInt64"},
        "file__source": {"type": "String"},
        "file__path": {"type": "String"},
        "file__size": {"type": "Int64"},
        "file__version": {"type": "String"},
        "file__etag": {"type": "String"},
        "file__is_latest": {"type": "Boolean"},
        "file__last_modified": {"type": "DateTime"},
        "file__location": {"type": "JSON"},
    },
    "feature_schema": {"file": "File@v1"},
    "versions": [
        {
            "id": 4827,
            "uuid": "e8a57253-7584-492e-becd-81c46a8cd35c",
            "version": "1.0.0",
            "status": 4,
            "created_at": "2025-08-08T12:53:30.369675+00:00",
            "finished_at": "2025-08-08T12:53:30.446309+00:00",
            "num_objects": 12,
            "size": 153,
            "error_message": "",
            "error_stack": "",
            "script_output": "",
            "job_id": "dda65efc-d0f7-4ae9-902f-ba081da52b3d",
        }
    ],
    "project": {
        "id": 10886,
        "uuid": "96444b21-34f8-49d2-89f5-a9db7a6fc94c",
        "name": "default",
        "descr": "Default project for testing",
        "created_at": "2025-07-07T08:56:37.571075+00:00",
        "created_by_id": 1,
        "namespace": {
            "id": 10885,
            "uuid": "6bce9f26-69ab-4907-b1da-3de743ac3836",
            "name": "@amritghimire",
            "descr": "Personal namespace for testing",
            "created_at": "2025-07-07T08:56:37.568605+00:00",
            "team_id": 1,
            "created_by_id": 1,
        },
    },
}
CREATE = """{
    "query": "print(1)",
    "query_type": "PYTHON",
    "environment": "ENV_FROM_FILE=1\\nENV_FROM_ARGS=1",
    "workers": 2,
    "query_name": "example_query.py",
    "files": ["1"],
    "python_version": "3.12",
    "requirements": "pyjokes\\nstupidity",
    "team_name": "team_name",
    "repository": "https://github.com/iterative/datachain",
    "priority": 5,
    "compute_cluster_name": "default",
    "start_after": null,
    "cron_expression": null,
    "credentials_name": "my-credentials"
}"""
UPLOAD = '{"file_content": "ZmlsZSBjb250ZW50", "file_name": "file.txt", "team_name": "team_name"}'


class Studio:
    """The page's headers on every request."""

    def __init__(self) -> None:
        self.sandbox = Sandbox(platform="datachain-studio")
        self.world = self.sandbox.world
        self.client = self.sandbox.client
        self.client.headers.update({"Authorization": f"token {TOKEN}", "Content-Type": "application/json"})

    async def create(self, **changes: Any) -> str:
        body = {"query": "print(1)", "query_type": "PYTHON", "query_name": "test.py", "team_name": TEAM, **changes}
        answer = await self.client.post("/api/datachain/job", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()["job"]["id"]

    async def jobs(self, query: str = "") -> list[dict[str, Any]]:
        answer = await self.client.get(f"/api/datachain/jobs?team_name={TEAM}{query}")
        assert answer.status_code == 200, answer.text
        return answer.json()["jobs"]


@pytest.fixture
def studio() -> Studio:
    return Studio()


def holds(answer: Any, printed: Any) -> bool:
    """Whether an answer has all that is printed; lists have the same length."""
    if isinstance(printed, dict):
        return isinstance(answer, dict) and all(
            word in answer and holds(answer[word], value) for word, value in printed.items()
        )
    if isinstance(printed, list):
        return len(answer) == len(printed) and all(map(holds, answer, printed))
    return answer == printed


async def test_list_datasets(studio):
    studio.world.person_create({"kind": "dataset", "workspace": TEAM, **LISTED})
    studio.world.person_create({"kind": "dataset", "workspace": TEAM, "name": "other"})
    studio.world.person_create({"kind": "dataset", "workspace": "another-team", "name": "training-elsewhere"})
    answer = await studio.client.get("/api/datachain/datasets?prefix=training&team_name=my-team")
    assert answer.status_code == 200
    (dataset,) = answer.json()
    assert holds(dataset, LISTED) and set(dataset) == set(LISTED)
    everything = await studio.client.get("/api/datachain/datasets?team_name=my-team")
    assert [each["name"] for each in everything.json()] == ["training-images-v2", "other"]


async def test_list_dataset_contents(studio):
    for name, modified, size in (
        ("image1.jpg", "2024-01-01T12:00:00Z", 1048576),
        ("folder/a.jpg", "2024-01-01T12:00:00Z", 5),
        ("document.pdf", "2024-01-01T11:30:00Z", 2097152),
    ):
        address = f"s3://my-bucket/data/{name}"
        studio.world.person_create({"kind": "file", "name": address, "last_modified": modified, "size": size})
    answer = await studio.client.post(
        "/api/datachain/ls",
        content='{"source": "s3://my-bucket/data", "team_name": "my-team"}',
        headers={"Content-Type": "application/msgpack"},
    )
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/msgpack"
    printed = [
        {
            "path": "s3://my-bucket/data/document.pdf",
            "name": "document.pdf",
            "is_latest": True,
            "last_modified": "2024-01-01T11:30:00Z",
            "dir_type": 0,
            "size": 2097152,
        },
        {
            "path_str": "s3://my-bucket/data/image1.jpg",
            "name": "image1.jpg",
            "is_latest": True,
            "last_modified": "2024-01-01T12:00:00Z",
            "dir_type": 0,
            "size": 1048576,
        },
        {
            "path_str": "s3://my-bucket/data/folder/",
            "name": "folder",
            "is_latest": True,
            "last_modified": "2024-01-01T12:00:00Z",
            "dir_type": 1,
            "size": None,
        },
    ]
    assert holds(answer.json(), {"data": printed})


async def test_get_dataset_information(studio):
    studio.world.person_create({"kind": "dataset", "workspace": TEAM, **INFO})
    answer = await studio.client.get(
        "/api/datachain/datasets/info"
        "?namespace=@amritghimire&project=default&name=amrit-datachain-test-2&team_name=my-team"
    )
    assert answer.status_code == 200
    assert holds(answer.json(), INFO)


async def test_upload_file(studio):
    answer = await studio.client.post("/api/datachain/upload-file", content=UPLOAD)
    assert answer.status_code == 200
    assert answer.json() == {"blob": {"id": 1}}


async def test_create_job(studio):
    await studio.client.post("/api/datachain/upload-file", content=UPLOAD)
    answer = await studio.client.post("/api/datachain/job", content=CREATE)
    assert answer.status_code == 200
    job = answer.json()["job"]
    assert answer.json() == {"job": job} and set(job) == {"id", "url"}
    assert job["url"] == f"https://studio.datachain.ai/team/team_name/datasets/jobs/{job['id']}"


async def test_list_jobs(studio):
    identity = await studio.create()
    (job,) = await studio.jobs("&limit=10")
    assert job["id"] == identity
    printed = {
        "created_at": "2024-01-01T00:00:00.000000+00:00",
        "created_by": "tests/1.0",
        "environment": {},
        "error_message": "",
        "error_stack": "",
        "exit_code": None,
        "finished_at": None,
        "id": identity,
        "name": "test.py",
        "python_version": None,
        "query": "print(1)",
        "query_type": 1,
        "repository": "",
        "requirements": "",
        "status": "CREATED",
        "team": "my-team",
        "url": f"https://studio.datachain.ai/team/my-team/datasets/jobs/{identity}",
        "workers": 0,
    }
    assert holds(job, printed)
    assert await studio.jobs("&status=running&limit=10") == []
    studio.sandbox.clock.at += 1
    assert [each["id"] for each in await studio.jobs("&status=running&limit=10")] == [identity]


async def test_cancel_job(studio):
    identity = await studio.create()
    answer = await studio.client.post(f"/api/datachain/job/{identity}/cancel", json={"team_name": TEAM})
    assert answer.status_code == 200
    assert answer.json() == {"message": "Successfully canceled"}
    assert [job["status"] for job in await studio.jobs()] == ["CANCELED"]


async def test_get_compute_clusters(studio):
    answer = await studio.client.get("/api/datachain/clusters?team_name=my-team")
    assert answer.status_code == 200
    assert answer.json() == {
        "clusters": [
            {
                "id": 3,
                "name": "cluster",
                "status": "ACTIVE",
                "cloud_provider": "AWS",
                "cloud_credentials": "aws creds",
                "is_active": True,
                "default": True,
                "max_workers": 4,
            }
        ]
    }


async def test_follow_job_logs(studio):
    identity = await studio.create()
    studio.world.switches.change({"log_frames": "page"})
    query = f"job_id={identity}&team_name=my-team"
    told = await converse(studio.sandbox.app, "/api/logs/follow/", query, {"Authorization": f"token {TOKEN}"})
    assert told.status == 101 and told.code == 1000
    logs = [frame for frame in told.frames if frame["type"] == "log"]
    assert logs[0] == {
        "type": "log",
        "timestamp": "2024-01-01T00:00:00Z",
        "level": "INFO",
        "message": "Starting data processing job",
        "worker_id": "worker_1",
    }
    assert {
        "type": "status",
        "timestamp": "2024-01-01T00:00:00Z",
        "status": "running",
        "progress": 25,
        "message": "Processing batch 1 of 4",
    } in told.frames


async def test_the_pages_python_loop_over_messages(studio):
    """`if "logs" in message: … elif "job" in message: …`"""
    identity = await studio.create()
    query = f"job_id={identity}&team_name=my-team"
    told = await converse(studio.sandbox.app, "/api/logs/follow/", query, {"Authorization": f"token {TOKEN}"})
    printed, statuses = "", []
    for message in told.frames:
        if "logs" in message:
            for log in message["logs"]:
                printed += log["message"]
        elif "job" in message:
            statuses.append(message["job"]["status"])
    assert printed.startswith("Starting data processing job\nProcessing batch 1 of 4\n")
    assert list(dict.fromkeys(statuses)) == ["CREATED", "RUNNING", "COMPLETE"]


@pytest.mark.parametrize("parameter", ["environment", "workers", "query_name", "files", "python_version"])
async def test_optional_parameters_of_a_job_may_be_left_out(studio, parameter):
    body = {word: value for word, value in json.loads(CREATE).items() if word not in (parameter, "files")}
    assert (await studio.client.post("/api/datachain/job", json=body)).status_code == 200


@pytest.mark.parametrize("parameter", ["query", "query_type", "team_name"])
async def test_required_parameters_of_a_job_may_not(studio, parameter):
    body = {word: value for word, value in json.loads(CREATE).items() if word not in (parameter, "files")}
    answer = await studio.client.post("/api/datachain/job", json=body)
    assert answer.status_code == 400 and parameter in answer.json()["message"]


async def test_cluster_name_and_id_are_mutually_exclusive(studio):
    body = {**json.loads(CREATE), "files": [], "compute_cluster_id": 3}
    answer = await studio.client.post("/api/datachain/job", json=body)
    assert answer.status_code == 400 and "mutually exclusive" in answer.json()["message"]


@pytest.mark.parametrize(("priority", "status"), [(0, 200), (5, 200), (-1, 400), (6, 400)])
async def test_priority_is_from_0_to_5(studio, priority, status):
    body = {**json.loads(CREATE), "files": [], "priority": priority}
    assert (await studio.client.post("/api/datachain/job", json=body)).status_code == status


async def test_a_list_of_jobs_has_20_unless_a_limit_is_given(studio):
    for _ in range(21):
        await studio.create()
    assert len(await studio.jobs()) == 20
    assert len(await studio.jobs("&limit=21")) == 21


CALLS = [
    ("GET", "/api/datachain/datasets"),
    ("POST", "/api/datachain/ls"),
    ("GET", "/api/datachain/datasets/info"),
    ("POST", "/api/datachain/upload-file"),
    ("POST", "/api/datachain/job"),
    ("GET", "/api/datachain/jobs"),
    ("POST", "/api/datachain/job/job_12345/cancel"),
    ("GET", "/api/datachain/clusters"),
    ("GET", "/api/logs/follow/"),
]


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize("header", ["", "token wrong", TOKEN, "token", f"Basic {TOKEN}"])
async def test_every_endpoint_needs_the_token(studio, method, path, header):
    headers = {"Authorization": header, "Accept": "application/json"}  # a listing of storage is msgpack without
    answer = await studio.client.request(method, path, headers=headers, json={"team_name": TEAM})
    assert answer.status_code == 401 and answer.json()["message"]


@pytest.mark.parametrize(("method", "path"), CALLS)
async def test_every_endpoint_needs_the_team_in_its_place(studio, method, path):
    """In the query of a GET, in the body of all else."""
    elsewhere: dict[str, Any] = {"json": {"team_name": TEAM}} if method == "GET" else {"params": {"team_name": TEAM}}
    headers = {"Accept": "application/json"}
    answer = await studio.client.request(method, path, headers=headers, **({"json": {}} | elsewhere))
    assert answer.status_code == 400 and answer.json() == {"message": "'team_name' is required"}


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        ("DATASETS", {"datasets", "ls", "info"}),
        ("JOB", {"upload-file"}),
        ("EXPERIMENTS", {"upload-file", "job", "jobs", "cancel", "clusters", "follow"}),
    ],
)
async def test_every_endpoint_needs_its_scope(studio, scope, allowed):
    token = studio.world.create_token("1h", scopes=(scope,)).value
    for method, path in CALLS:
        place: dict[str, Any] = {"params": {"team_name": TEAM}} if method == "GET" else {"json": {"team_name": TEAM}}
        answer: httpx.Response = await studio.client.request(
            method, path, headers={"Authorization": f"token {token}"}, **place
        )
        assert (answer.status_code != 403) == (path.rstrip("/").rpartition("/")[2] in allowed), path


async def test_the_pages_python_loop_over_entries(studio):
    """`item['path']` and `item['size']` of each, though two of the printed entries have `path_str` alone."""
    for name in ("image1.jpg", "folder/a.jpg"):
        studio.world.person_create({"kind": "file", "name": f"s3://my-bucket/dataset/images/{name}"})
    answer = await studio.client.post(
        "/api/datachain/ls",
        content='{"source": "s3://my-bucket/dataset/images", "team_name": "my-team"}',
        headers={"Content-Type": "application/msgpack"},
    )
    assert all({"path", "path_str", "size"} <= set(item) for item in answer.json()["data"])


async def test_the_pages_python_example_of_a_job_names_a_type_that_is_none(studio):
    """`query_type="sql"`; its clients know PYTHON and SHELL."""
    body = {"query": "SELECT * FROM my_dataset LIMIT 100", "query_type": "sql", "workers": 2, "priority": 3}
    answer = await studio.client.post("/api/datachain/job", json={**body, "team_name": TEAM})
    assert answer.status_code == 400 and "query_type" in answer.json()["message"]


async def test_cancelling_a_job_that_is_not_there(studio):
    answer = await studio.client.post("/api/datachain/job/job_12345/cancel", json={"team_name": TEAM})
    assert answer.status_code == 404 and answer.json()["message"]


@pytest.mark.parametrize("parameter", ["namespace", "project", "name"])
async def test_required_parameters_of_dataset_information(studio, parameter):
    query = {"namespace": "default", "project": "computer_vision", "name": "training_images", "team_name": TEAM}
    query.pop(parameter)
    answer = await studio.client.get("/api/datachain/datasets/info", params=query)
    assert answer.status_code == 400 and parameter in answer.json()["message"]


@pytest.mark.parametrize("parameter", ["file_content", "file_name"])
async def test_required_parameters_of_an_upload(studio, parameter):
    body = {word: value for word, value in json.loads(UPLOAD).items() if word != parameter}
    answer = await studio.client.post("/api/datachain/upload-file", json=body)
    assert answer.status_code == 400 and parameter in answer.json()["message"]
