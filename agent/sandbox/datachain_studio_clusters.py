"""Compute clusters of the emulated DataChain Studio. A team starts with the page's one; a person adds others.

Used by :mod:`agent.sandbox.datachain_studio`; pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.sandbox.datachain_studio_bodies import invalid

Cluster = Mapping[str, Any]

FIRST: Cluster = {
    "id": 3,
    "name": "cluster",
    "status": "ACTIVE",
    "cloud_provider": "AWS",
    "cloud_credentials": "aws creds",
    "is_active": True,
    "default": True,
    "max_workers": 4,
}
_NEWER: Cluster = {
    "active_workers": 0,
    "busy_workers": 0,
    "cloud_region": "us-east-1",
    "instance_type": "m5.xlarge",
    "compute_class": "standard",
    "disk_size": 100,
}
"""Members without which the newer client fails."""


def complete_cluster(document: Mapping[str, Any], identity: int) -> dict[str, Any]:
    said = {word: value for word, value in document.items() if word not in ("kind", "type", "workspace")}
    return {**FIRST, "default": False, "id": identity, **said}


def newer(cluster: Cluster) -> dict[str, Any]:
    """A cluster as the newer routes show it: its id is text."""
    return {**_NEWER, **cluster, "id": str(cluster["id"])}


def chosen(clusters: Mapping[str, Cluster], job: Mapping[str, Any]) -> dict[str, str]:
    """Id and name of the cluster on which a job runs. `default` stands for the default one; an unknown one is refused
    (guesses)."""
    name, identity = job["compute_cluster_name"], job["compute_cluster_id"]
    for cluster in clusters.values():
        wanted = cluster["default"] if name in (None, "default") and identity is None else False
        if wanted or cluster["name"] == name or (identity is not None and str(cluster["id"]) == str(identity)):
            return {"compute_cluster_id": str(cluster["id"]), "compute_cluster_name": cluster["name"]}
    raise invalid(f"Compute cluster '{name if name is not None else identity}' not found")
