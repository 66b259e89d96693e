"""``DATAKEEL_…`` variables override the file, with the types of its schema, and are checked by the same rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.config import Config, load_config
from agent.config.model import Address
from agent.errors import ConfigError, Problem

TEXT = """\
apiVersion: datakeel/v1
source: {path: ., branch: main}
targets:
  lake-eu:
    platform: dataos
    credentials: {token: {env: DATAKEEL_LAKE_TOKEN}}
  sales:
    platform: dataos
"""


def load(folder: Path, environ: dict[str, str], text: str = TEXT) -> Config:
    (folder / "datakeel.yaml").write_text(text)
    return load_config(None, environ, folder)


def problems(folder: Path, environ: dict[str, str], text: str = TEXT) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        load(folder, environ, text)
    return caught.value.problems


def test_values_take_the_type_of_their_key(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        {
            "DATAKEEL_SOURCE__BRANCH": "1.10",
            "DATAKEEL_TARGETS__LAKE_EU__PRUNE": "true",
            "DATAKEEL_TARGETS__LAKE_EU__CONCURRENCY": "3",
            "DATAKEEL_TARGETS__LAKE_EU__LIMITS__DELETES_MAX": "4",
            "DATAKEEL_TARGETS__LAKE_EU__RESERVE": "0.25",
            "DATAKEEL_TARGETS__LAKE_EU__CONFIRMED": "[Workflow, Depot.delete]",
            "DATAKEEL_TARGETS__LAKE_EU__DEFAULTS__WORKSPACE": "007",
            "DATAKEEL_TARGETS__SALES__BUDGET": "off",
            "DATAKEEL_TARGETS__SALES__HOOK__SECRET__ENV": "SALES_HOOK",
            "DATAKEEL_SERVER__HOOKS": "0.0.0.0:8642",
            "DATAKEEL_TARGETS__SALES__RESERVE": "30%",
            "DATAKEEL_TARGETS__sales__Server": "https://api.dataos.io",
        },
    )
    lake, sales = config.targets["lake-eu"], config.targets["sales"]
    assert config.source.branch == "1.10"
    assert (lake.prune, lake.concurrency, lake.limits.deletes_max, lake.reserve) == (True, 3, 4, 0.25)
    assert (lake.confirmed, lake.defaults) == (("Workflow", "Depot.delete"), {"workspace": "007"})
    assert (sales.budget, sales.reserve, sales.server) == ((), 0.3, "https://api.dataos.io")
    assert config.server.hooks == Address("0.0.0.0", 8642)
    assert sales.hook is not None and sales.hook.secret.value == "SALES_HOOK"
    assert config.origins["/targets/lake-eu/prune"] == "DATAKEEL_TARGETS__LAKE_EU__PRUNE"


def test_a_credential_may_be_named_by_a_variable(tmp_path: Path) -> None:
    config = load(tmp_path, {"DATAKEEL_TARGETS__SALES__CREDENTIALS__TOKEN__ENV": "SALES_TOKEN"})
    assert config.targets["sales"].credentials["token"].value == "SALES_TOKEN"


def test_a_credential_itself_in_an_override_is_refused_and_not_shown(tmp_path: Path) -> None:
    found = problems(tmp_path, {"DATAKEEL_TARGETS__SALES__CREDENTIALS__TOKEN": "s3cret-canary"})
    assert found[0].where.path == "environment variable DATAKEEL_TARGETS__SALES__CREDENTIALS__TOKEN"
    assert all("canary" not in str(one) for one in found)


@pytest.mark.parametrize(
    ("name", "value", "near"),
    [
        ("DATAKEEL_SOURCE__BRNCH", "main", "branch"),
        ("DATAKEEL_STAT", "x", "state"),
        ("DATAKEEL_TARGETS__SALE__PRUNE", "true", "sales"),
        ("DATAKEEL_TARGETS__SALES__PRUNNE", "true", "prune"),
    ],
)
def test_an_unknown_variable_is_refused_with_the_nearest_key(tmp_path: Path, name: str, value: str, near: str) -> None:
    (found,) = problems(tmp_path, {name: value})
    assert found.code == "unknown-key"
    assert name in found.where.path
    assert near in str(found.fix)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATAKEEL_TARGETS__SALES__PRUNE", "yes"),
        ("DATAKEEL_TARGETS__SALES__CONCURRENCY", "many"),
        ("DATAKEEL_TARGETS__SALES__CONCURRENCY", "65"),
        ("DATAKEEL_SOURCE__INTERVAL", "5"),
        ("DATAKEEL_SOURCE__BRANCH", "-x"),
        ("DATAKEEL_TARGETS__SALES__CONFIRMED", "[a"),
        ("DATAKEEL_TARGETS", "[]"),
    ],
)
def test_a_wrong_value_is_told_at_the_variable(tmp_path: Path, name: str, value: str) -> None:
    found = problems(tmp_path, {name: value})
    assert {one.where.path for one in found} == {f"environment variable {name}"}


@pytest.mark.parametrize(
    "name",
    [
        "DATAKEEL_SERVICE_HOST",
        "DATAKEEL_SERVICE_PORT",
        "DATAKEEL_SERVICE_PORT_HTTP",
        "DATAKEEL_PORT",
        "DATAKEEL_PORT_8642_TCP",
        "DATAKEEL_PORT_8642_TCP_ADDR",
        "DATAKEEL_GIT_SERVICE_HOST",
        "DATAKEEL_LAKE_TOKEN",
    ],
)
def test_service_links_and_credentials_are_no_settings(tmp_path: Path, name: str) -> None:
    assert load(tmp_path, {name: "tcp://10.0.0.1:80"}).origins == {}


def test_an_empty_variable_counts_as_unset(tmp_path: Path) -> None:
    assert load(tmp_path, {"DATAKEEL_SOURCE__BRANCH": ""}).source.branch == "main"


def test_two_targets_that_fold_to_one_name_are_told_apart_by_nobody(tmp_path: Path) -> None:
    text = TEXT.replace("  sales:", "  lake_EU:")
    (found,) = problems(tmp_path, {"DATAKEEL_TARGETS__LAKE_EU__PRUNE": "true"}, text)
    assert "lake-eu or lake_EU" in found.what


def test_a_section_that_is_missing_is_made(tmp_path: Path) -> None:
    config = load(tmp_path, {"DATAKEEL_TARGETS__SALES__SETTINGS__ORG": "acme"})
    assert config.targets["sales"].settings == {"org": "acme"}


def test_bytes_that_are_no_text_are_told_with_their_variable(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, {"DATAKEEL_TARGETS__SALES__FOLDER": "\udcff"})
    assert problem.where.path == "environment variable DATAKEEL_TARGETS__SALES__FOLDER"
    assert problem.what == "its value is not UTF-8"
