"""Datasets and storage of the emulated DataChain Studio: what reads show, and what edit and delete do.

Neither can be made over the API; a person or a test puts them there. Edit and delete are not on the page, the vendor's
client sends them. Used by :mod:`agent.sandbox.datachain_studio`; pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from agent.sandbox.clock import moment
from agent.sandbox.datachain_studio_bodies import invalid, read_moment, refusal_for, required, stamp

COMPLETE = 4
"""Of the numbers for a version's status (1 created, 2 pending, 3 failed, 4 complete, 6 stale) the page prints this."""

_LISTED = (
    *("attrs", "created_at", "created_by_id", "description", "id", "name", "project", "team_id", "versions"),
    "warehouse_id",
)
Dataset = Mapping[str, Any]


def name_of(namespace: str, project: str, name: str) -> str:
    return f"{namespace}.{project}.{name}"


def full_name(dataset: Dataset) -> str:
    return name_of(dataset["project"]["namespace"]["name"], dataset["project"]["name"], dataset["name"])


def complete_dataset(
    document: Mapping[str, Any], now: float, number: Callable[[], int], uuid: Callable[[], str]
) -> dict[str, Any]:
    """A dataset as info shows it. `project` and `namespace` may be names; every member that is said wins."""
    required(document, "name")
    identity = document.get("id") or number()
    at = stamp(now)
    project = _named(document.get("project") or "default")
    namespace = _named(project.get("namespace") or document.get("namespace") or "default")
    origin = {"created_at": at, "created_by_id": 1, "descr": ""}
    ended = {"created_at": at, "finished_at": at, "created_by_id": 1, "status": COMPLETE}
    empty = dict.fromkeys(("error_message", "error_stack", "query_script", "script_output"), "")
    said = {word: value for word, value in document.items() if word not in ("kind", "type", "workspace", "namespace")}
    versions = [
        {
            **ended,
            **empty,
            "id": version.get("id") or number(),
            "uuid": uuid(),
            "version": "1.0.0",
            "dataset_id": identity,
            "job_id": None,
            "num_objects": 0,
            "size": 0,
            **version,
        }
        for version in document.get("versions", [{}])
    ]
    return {
        **ended,
        **empty,
        "attrs": [],
        "description": "",
        "feature_schema": {},
        "schema": {},
        "sources": "",
        "team_id": 1,
        "warehouse_id": None,
        **said,
        "id": identity,
        "project": {
            **origin,
            "id": project.get("id") or number(),
            "uuid": uuid(),
            **project,
            "namespace": {**origin, "id": namespace.get("id") or number(), "team_id": 1, "uuid": uuid(), **namespace},
        },
        "versions": versions,
    }


def _named(value: Any) -> dict[str, Any]:
    return {"name": value} if isinstance(value, str) else dict(value)


def row(dataset: Dataset) -> dict[str, Any]:
    """What a list shows of it: the members that the page prints, so no schema."""
    return {word: dataset[word] for word in _LISTED}


def edited(dataset: Dataset, body: Mapping[str, Any]) -> dict[str, Any]:
    """What is null stays as it is."""
    new = dict(dataset)
    for word, target in (("new_name", "name"), ("description", "description")):
        value = body.get(word)
        if value is not None:
            if not isinstance(value, str) or (target == "name" and not value):
                raise invalid(f"'{word}' must be text")
            new[target] = value
    attrs = body.get("attrs")
    if attrs is not None:
        if not isinstance(attrs, list) or not all(isinstance(each, str) for each in attrs):
            raise invalid("'attrs' must be a list of texts")
        new["attrs"] = attrs
    return new


def without_version(dataset: Dataset, body: Mapping[str, Any]) -> Dataset | None:
    """What is left after a delete, None for nothing. Without a version all go; several only by force (a guess)."""
    version = body.get("version")
    if version is None:
        if len(dataset["versions"]) > 1 and not body.get("force"):
            raise invalid("Dataset has several versions: say one, or use force")
        return None
    left = [each for each in dataset["versions"] if each["version"] != version]
    if len(left) == len(dataset["versions"]):
        raise refusal_for(404, "Dataset version not found")
    return {**dataset, "versions": left} if left else None


def made_by(datasets: Iterable[Dataset], job: str) -> list[dict[str, str]]:
    return [
        {"dataset_name": dataset["name"], "version": version["version"]}
        for dataset in datasets
        for version in dataset["versions"]
        if version["job_id"] == job
    ]


def complete_file(document: Mapping[str, Any], now: float) -> dict[str, Any]:
    """A file in storage: `name` is its whole address, such as `s3://bucket/folder/file.jpg`."""
    address = required(document, "name")
    if "://" not in address or address.endswith("/"):
        raise invalid("'name' must be the address of a file")
    return {"size": document.get("size", 0), "last_modified": document.get("last_modified", moment(now))}


def listing(files: Mapping[str, Mapping[str, Any]], source: str, *, moments: bool) -> Sequence[dict[str, Any]]:
    """What stands directly below an address, files and folders by name; `moments`: times as such, not as text.

    Entries have `path` and `path_str`, for the page's example mixes them. Nothing of that bucket known: 404 (a guess).
    """
    folder = source.rstrip("/") + "/"
    bucket = "/".join(source.split("/")[:3]) + "/"
    if not any(address.startswith(bucket) for address in files):
        raise refusal_for(404, f"No such bucket: {bucket}")
    entries: dict[str, dict[str, Any]] = {}
    for address, file in files.items():
        if address == source or address.startswith(folder):
            rest = address[len(folder) :] if address != source else address.rpartition("/")[2]
            name, separator, _ = rest.partition("/")
            path = address if address == source else folder + name + separator
            entry = entries.setdefault(path, {"path": path, "path_str": path, "name": name, "is_latest": True})
            modified = max(entry.get("last_modified", ""), file["last_modified"])
            size = None if separator else file["size"]
            entry.update({"last_modified": modified, "dir_type": int(bool(separator)), "size": size})
    if moments:
        for entry in entries.values():
            entry["last_modified"] = datetime.fromtimestamp(read_moment(entry["last_modified"]), UTC)
    return sorted(entries.values(), key=lambda entry: (entry["dir_type"], entry["name"]))
