"""The state that Terraform writes when it has made manifests: its apply of ten thousand takes hours, its plan less.

Called by ``peer_tools``. A state that were not as Terraform writes it would make its plan find something to do.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

_VERSION = "1.4.0"  # the first that had `terraform_data`; a newer one reads it
_PROVIDER = 'provider["terraform.io/builtin/terraform"]'


def write_state(place: Path, documents: Iterable[tuple[str, str]]) -> None:
    """``terraform.tfstate`` of one ``terraform_data.manifest`` for each name and text."""
    instances = [_instance(name, yaml.load(text, Loader=yaml.CSafeLoader)) for name, text in documents]
    resource = {"mode": "managed", "type": "terraform_data", "name": "manifest", "provider": _PROVIDER}
    state = {
        "version": 4,
        "terraform_version": _VERSION,
        "serial": 1,
        "lineage": str(uuid.uuid5(uuid.NAMESPACE_URL, str(len(instances)))),
        "outputs": {},
        "resources": [{**resource, "instances": instances}],
        "check_results": None,
    }
    place.write_text(json.dumps(state), encoding="utf-8")


def _instance(name: str, value: Any) -> dict[str, Any]:
    said = {"value": value, "type": type_of(value)}
    known = str(uuid.uuid5(uuid.NAMESPACE_URL, name))
    attributes = {"id": known, "input": said, "output": said, "triggers_replace": None}
    return {"index_key": name, "schema_version": 0, "attributes": attributes, "sensitive_attributes": []}


def type_of(value: Any) -> Any:
    """As Terraform writes the type of what ``yamldecode`` gives."""
    if isinstance(value, dict):
        return ["object", {name: type_of(each) for name, each in value.items()}]
    if isinstance(value, list):
        return ["tuple", [type_of(each) for each in value]]
    if isinstance(value, bool):
        return "bool"
    return "string" if isinstance(value, str) else "dynamic" if value is None else "number"
