"""Variables and overlays in the configuration: values with types, and every mistake at its line and column."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from agent.config import Config, load_config
from agent.errors import ConfigError

HEAD = "apiVersion: datakeel/v1\nsource: {path: .}\n"
TARGET = "targets:\n  lake:\n    platform: dataos\n    folder: base\n"


def load(folder: Path, shared: str = "", own: str = "", environ: dict[str, str] | None = None) -> Config:
    text = HEAD + (f"variables:\n{shared}" if shared else "") + TARGET + (f"    variables:\n{own}" if own else "")
    (folder / "datakeel.yaml").write_text(text)
    return load_config(None, environ or {}, folder)


def told(folder: Path, shared: str = "", own: str = "", environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(folder, shared, own, environ)
    return [f"{one.code} {one.where.line}:{one.where.column}" for one in caught.value.problems]


def values(config: Config) -> dict[str, Any]:
    return config.targets["lake"].variables.values


def test_values_keep_their_types(tmp_path: Path) -> None:
    own = '      a: 3\n      b: "3"\n      c: true\n      d: 1.10\n      e: [x, 1]\n      f: {value: {k: v}}\n'
    config = load(tmp_path, own=own)
    assert values(config) == {"a": 3, "b": "3", "c": True, "d": Decimal("1.10"), "e": ["x", 1], "f": {"k": "v"}}
    assert str(config.targets["lake"].variables.known["f"].where) == "datakeel.yaml:13:18"
    assert config.targets["lake"].variables.own == set("abcdef")


def test_a_target_says_otherwise_than_all_targets(tmp_path: Path) -> None:
    config = load(tmp_path, "  a: 1\n  b: x\n  c: {type: integer}\n", "      a: 2\n      c: 4\n")
    assert values(config) == {"a": 2, "b": "x", "c": 4}
    assert str(config.targets["lake"].variables.known["a"].where).startswith("datakeel.yaml:12:")
    assert set(config.variables) == {"a", "b", "c"}


def test_a_value_may_name_other_variables(tmp_path: Path) -> None:
    config = load(tmp_path, '  version: 7.0\n  stack: "flare:${version}"\n  same: ${version}\n  text: $${x}\n')
    assert values(config) == {"version": Decimal("7.0"), "stack": "flare:7.0", "same": Decimal("7.0"), "text": "${x}"}
    assert config.targets["lake"].variables.used(["stack"]) == {"stack", "version"}


def test_the_environment_is_read_where_the_configuration_says_so(tmp_path: Path) -> None:
    own = "      a: {env: DATAKEEL_VAR_A, type: integer}\n      b: {env: DATAKEEL_VAR_B}\n"
    config = load(tmp_path, own=own, environ={"DATAKEEL_VAR_A": "3", "DATAKEEL_VAR_B": "3", "DATAKEEL_VAR_C": "no"})
    assert values(config) == {"a": 3, "b": "3"}
    assert str(config.targets["lake"].variables.known["a"].where) == "environment variable DATAKEEL_VAR_A"


def test_a_value_from_the_environment_is_text_and_no_more(tmp_path: Path) -> None:
    own = "      a: {env: DATAKEEL_VAR_A}\n"
    assert values(load(tmp_path, own=own, environ={"DATAKEEL_VAR_A": "${b} {c: d}"})) == {"a": "${b} {c: d}"}


@pytest.mark.parametrize(
    ("shared", "own", "expected"),
    [
        ("  a: {type: integer}\n", "      a: x\n", ["variable-type 10:10"]),
        ("  a: 1\n", "      a: x\n", ["variable-type 10:10"]),
        ("  a: {type: integer, value: x}\n", "", ["variable-type 4:29"]),
        ("  a: {type: number}\n", "      a: true\n", ["variable-type 10:10"]),
        ("  a: 1\n", "      a: {type: string, value: x}\n", ["variable-type 10:17"]),
        ("  a: {type: integer}\n", "", ["variable-unknown 4:6"]),
        ("  a: x${b}\n", "", ["variable-unknown 4:6"]),
        ("  a: x${b}\n  b: ${a}\n", "", ["variable-cycle 5:6"]),
        ("  a: ${a}\n", "", ["variable-cycle 4:6"]),
        ("  a: [1]\n  b: x${a}\n", "", ["variable-type 5:6"]),
        ("  a: {secretRef: x}\n", "", ["config-invalid 4:7"]),
        ("  a: {value: {secretRef: x}}\n", "", ["variable-secret 4:6"]),
        ("  a: [{secretRef: x}]\n", "", ["variable-secret 4:6"]),
        ("  a: {env: DATAOS_TOKEN}\n", "", ["config-invalid 4:12"]),
        ("  a: {env: DATAKEEL_VAR_A}\n", "", ["variable-unknown 4:12"]),
        ("  a: {env: DATAKEEL_VAR_A, value: 1}\n", "", ["config-invalid 4:6"]),
        ("  a: {tpye: string}\n", "", ["config-invalid 4:7"]),
        ("  a: {type: text}\n", "", ["config-invalid 4:13"]),
        ("  1a: 1\n", "", ["config-invalid 4:3"]),
    ],
)
def test_a_mistake_is_told_at_its_place(tmp_path: Path, shared: str, own: str, expected: list[str]) -> None:
    assert told(tmp_path, shared, own) == expected


def test_a_variable_is_no_setting_of_the_environment(tmp_path: Path) -> None:
    for name in ("DATAKEEL_VARIABLES__A", "DATAKEEL_TARGETS__LAKE__VARIABLES__A"):
        with pytest.raises(ConfigError) as caught:
            load(tmp_path, "  a: 1\n", "      a: 2\n", {name: "3"})
        (problem,) = caught.value.problems
        assert "DATAKEEL_VAR_A" in (problem.fix or "")


def test_values_that_double_their_way_up_end_at_a_limit(tmp_path: Path) -> None:
    lines = [f"  v{number}: ${{v{number - 1}}}${{v{number - 1}}}\n" for number in range(1, 20)]
    assert set(told(tmp_path, "  v0: xxxxxxxxxx\n" + "".join(lines))) == {"variable-expansion 17:8"}
    both = [f"  {one}{number}: ${{a{number - 1}}}-${{b{number - 1}}}\n" for number in range(1, 40) for one in "ab"]
    found = told(tmp_path, "  a0: x\n  b0: x\n" + "".join(both))
    assert {each.split()[0] for each in found} == {"variable-expansion"}


OVERLAYS = [
    ("[over]", []),
    ("[base]", ["config-invalid 7:16"]),
    ("[base/prod]", ["config-invalid 7:16"]),
    ("[.]", ["config-invalid 7:16"]),
    ("[over, over/eu]", ["config-invalid 7:22"]),
    ("[../over]", ["config-invalid 7:16"]),
    ("[/over]", ["config-invalid 7:16"]),
    ("over", ["config-invalid 7:15"]),
]


@pytest.mark.parametrize(("written", "expected"), OVERLAYS)
def test_overlays_are_folders_beside_the_manifests(tmp_path: Path, written: str, expected: list[str]) -> None:
    (tmp_path / "datakeel.yaml").write_text(f"{HEAD}{TARGET}    overlays: {written}\n")
    if not expected:
        assert load_config(None, {}, tmp_path).targets["lake"].overlays == ("over",)
        return
    with pytest.raises(ConfigError) as caught:
        load_config(None, {}, tmp_path)
    assert [f"{one.code} {one.where.line}:{one.where.column}" for one in caught.value.problems] == expected
