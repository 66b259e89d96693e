"""`datakeel sandbox`: which platforms it starts, and the configuration that it prints for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.cli.main import main
from agent.cli.sandbox_targets import sandbox_targets, variables
from agent.cli.verbs.sandbox import _chosen
from agent.config import load_config
from agent.definitions.load import load_platform
from agent.definitions.promises import guesses
from agent.errors import UsageError
from agent.sandbox.app import PLATFORMS

SAMPLES = Path(__file__).parents[3] / "manifests"


def test_all_are_started_unless_some_are_named() -> None:
    assert _chosen([]) == sorted(PLATFORMS)
    assert _chosen(["dataos", "dataloop", "dataos"]) == ["dataos", "dataloop"]
    with pytest.raises(UsageError) as caught:
        _chosen(["datalop"])
    assert caught.value.fix == "did you mean `dataloop`?"
    with pytest.raises(UsageError) as caught:
        _chosen(["x"])
    assert caught.value.fix == f"one of: {', '.join(sorted(PLATFORMS))}"


def test_one_alone_answers_at_the_root_several_below_their_names() -> None:
    assert sandbox_targets(["dataos"], "http://h:1", SAMPLES)["dataos"]["server"] == "http://h:1"
    several = sandbox_targets(["dataos", "dataloop"], "http://h:1", SAMPLES)
    assert {name: each["server"] for name, each in several.items()} == {
        "dataos": "http://h:1/dataos",
        "dataloop": "http://h:1/dataloop",
    }


def test_a_platform_without_samples_has_a_target_too(tmp_path: Path) -> None:
    (target,) = sandbox_targets(["dataloop"], "http://h:1", tmp_path).values()
    assert target["credentials"] == {"apiKey": {"env": "DATALOOP_API_KEY"}}
    assert target["settings"] == {"org": "example"}


def test_the_printed_configuration_is_right_and_names_what_it_reads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sandbox", "--print-config", "--port", "8411", "--token", "try-me"]) == 0
    text = capsys.readouterr().out
    (tmp_path / "datakeel.yaml").write_text(text, encoding="utf-8")
    config = load_config(None, {}, tmp_path)
    assert sorted(config.targets) == sorted(PLATFORMS)
    wanted = variables(sandbox_targets(sorted(PLATFORMS), "http://127.0.0.1:8411", SAMPLES))
    assert wanted
    assert [line for line in text.splitlines() if line.startswith("#   export ")] == [
        f"#   export {name}=try-me" for name in wanted
    ]
    for name, target in config.targets.items():
        assert target.server == f"http://127.0.0.1:8411/{name}"


def test_all_that_a_definition_guesses_is_confirmed_for_the_sandbox() -> None:
    targets = sandbox_targets(sorted(PLATFORMS), "http://h:1", SAMPLES)
    for name, target in targets.items():
        named = {guess for kind in load_platform(name).kinds.values() for guess, _ in guesses(kind)}
        confirmed = set(target.get("confirmed", ()))
        assert confirmed <= named
        assert {guess for guess in named if guess.partition(".")[0] not in confirmed} <= confirmed
