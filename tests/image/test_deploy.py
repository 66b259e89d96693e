"""The examples of deployment say what image and configuration say. ``tests.image.deploy`` holds them to schemas."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent import __version__
from agent.config import load_config
from tests.image.deploy import DEPLOY, manifests
from tests.image.dockerfile import lineage, words

ACME, REAL = "platform: acme", "platform: dataos"
STATE = "/var/lib/datakeel"
FILES = [*sorted(manifests()), "compose.yaml", "datakeel.service", "datakeel.yaml"]


def pods(name: str) -> Iterator[dict[str, Any]]:
    for document in manifests()[name]:
        if document["kind"] == "Deployment":
            yield document["spec"]["template"]["spec"]  # type: ignore[index]


def containers(name: str) -> Iterator[dict[str, Any]]:
    for pod in pods(name):
        yield from (*pod.get("initContainers", ()), *pod["containers"])


def ours(name: str) -> dict[str, Any]:
    (found,) = (each for each in containers(name) if each["name"] == "datakeel")
    return found


def configurations() -> Iterator[tuple[str, str]]:
    yield "datakeel.yaml", known(DEPLOY / "datakeel.yaml")
    for name, documents in manifests().items():
        for document in documents:
            if document["kind"] == "ConfigMap":
                yield name, document["data"]["datakeel.yaml"].replace(ACME, REAL)  # type: ignore[index]


def known(file: Path) -> str:
    """An example, of a platform that there is."""
    return file.read_text().replace(ACME, REAL)


def test_every_configuration_is_valid_and_names_what_is_mounted(tmp_path: Path) -> None:
    found = dict(configurations())
    assert set(found) == {"datakeel.yaml", *manifests()}
    for name, text in found.items():
        (tmp_path / "datakeel.yaml").write_text(text)
        config = load_config(tmp_path / "datakeel.yaml", {}, tmp_path)
        if name == "datakeel.yaml":
            continue
        places = tuple(mount["mountPath"] for mount in ours(name)["volumeMounts"])
        named = re.findall(r"(?:file: |mount: |sqlite:///)(/[^\s,}]+)", text)
        assert named and all(path.startswith(tuple(f"{place}/" for place in places)) for path in named)
        assert config.state.startswith("sqlite:") is (STATE in places)
        assert (config.source.mount is not None) is (name == "kubernetes-sidecar.yaml")


@pytest.mark.parametrize("name", sorted(manifests()))
def test_nothing_in_a_pod_may_do_more_than_it_needs(name: str) -> None:
    for pod in pods(name):
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] == 65532
        assert pod["terminationGracePeriodSeconds"] > 30, "the agent takes 25 s at most to end what is in flight"
        volumes = {volume["name"] for volume in pod["volumes"]}
        assert {mount["name"] for each in containers(name) for mount in each.get("volumeMounts", ())} == volumes
    for each in containers(name):
        assert each["securityContext"]["allowPrivilegeEscalation"] is False
        assert each["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert "memory" in each["resources"]["limits"]
    assert ours(name)["securityContext"]["readOnlyRootFilesystem"] is True
    assert {"/tmp", "/etc/datakeel"} <= {mount["mountPath"] for mount in ours(name)["volumeMounts"]}
    assert ours(name)["livenessProbe"]["httpGet"] == {"path": "/livez", "port": "probes"}


def test_the_sidecar_starts_before_the_main_container_and_ends_after_it() -> None:
    (pod,) = pods("kubernetes-sidecar.yaml")
    assert [each["restartPolicy"] for each in pod["initContainers"]] == ["Always", "Always"]
    assert [each["name"] for each in pod["initContainers"]] == ["git-sync", "datakeel"]
    (claim,) = (each for each in manifests()["kubernetes-sidecar.yaml"] if each["kind"] == "PersistentVolumeClaim")
    assert claim["spec"]["accessModes"] == ["ReadWriteOncePod"]  # type: ignore[index]


def test_compose_runs_the_image_as_it_is_meant() -> None:
    (service,) = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"].values()
    assert service["read_only"] is True and service["user"] == lineage()[-1].last("USER")
    assert service["cap_drop"] == ["ALL"] and service["stop_grace_period"] == "30s"
    shown = [volume.split(":")[1] for volume in service["volumes"]]
    assert shown == ["/etc/datakeel/datakeel.yaml", *words(lineage()[0].last("VOLUME") or "")]
    text = (DEPLOY / "datakeel.yaml").read_text()
    assert set(re.findall(r"/run/secrets/([\w-]+)", text)) == set(service["secrets"])


def test_the_unit_reloads_and_stops_as_the_agent_does_and_its_variables_are_keys(tmp_path: Path) -> None:
    text = (DEPLOY / "datakeel.service").read_text()
    assert "SuccessExitStatus=143" in text and "-HUP" in text and "DynamicUser=yes" in text
    given = dict(re.findall(r"(DATAKEEL_\w+)=(\S+)", text.replace("%d", "/run/credentials/datakeel.service")))
    (tmp_path / "datakeel.yaml").write_text(known(DEPLOY / "datakeel.yaml"))
    config = load_config(tmp_path / "datakeel.yaml", given, tmp_path)
    assert {os.path.dirname(str(each.value)) for each in config.source.credentials.values()} == {
        "/run/credentials/datakeel.service"
    }


def test_versions_are_this_one_and_no_registry_is_named() -> None:
    for name in FILES:
        text = (DEPLOY / name).read_text()
        assert set(re.findall(r"datakeel(?:-sidecar)?:(\d[\d.]+)", text)) <= {__version__}
        assert all("/" not in image for image in re.findall(r"image: (\S+)", text))
