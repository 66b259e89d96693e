"""``policy`` of the configuration: rules in it and in files, each mistake at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.config import load_config
from agent.config.model import Config
from agent.errors import ConfigError, Problem
from agent.model.verdict import Effect
from agent.policy.rule import Match

TARGETS = "targets:\n  analytics: {platform: dataos}\n"
HEAD = "apiVersion: datakeel/v1\nsource: {path: .}\n"
RULE = "{name: one, deny: 'true', message: no}"


def load(folder: Path, policy: str, targets: str = TARGETS) -> Config:
    (folder / "datakeel.yaml").write_text(HEAD + policy + targets)
    return load_config(None, {}, folder)


def problems(folder: Path, policy: str, targets: str = TARGETS) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        load(folder, policy, targets)
    return caught.value.problems


def test_a_target_has_the_rules_for_every_target_and_its_own(tmp_path: Path) -> None:
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy/rules.yaml").write_text(
        "timezone: Europe/Berlin\nvalues: {leads: [ann]}\n"
        "rules: [{name: filed, match: {kinds: [Workflow], names: ['a*']}, hold: 'change.name in values.leads',"
        " message: later, fix: wait}]\n"
    )
    policy = f"policy:\n  files: [policy/rules.yaml]\n  rules: [{RULE}]\n"
    own = "{name: own, warn: 'false', message: hm}"
    targets = f"targets:\n  a: {{platform: dataos}}\n  b: {{platform: dataos, policy: {{rules: [{own}]}}}}\n"
    config = load(tmp_path, policy, targets)
    assert [rule.name for rule in config.targets["a"].rules] == ["filed", "one"]
    assert [rule.name for rule in config.targets["b"].rules] == ["filed", "one", "own"]
    filed = config.targets["a"].rules[0]
    assert (filed.effect, filed.message, filed.fix, filed.zone) == (Effect.HOLD, "later", "wait", "Europe/Berlin")
    assert (filed.match, filed.values) == (Match(kinds=("Workflow",), names=("a*",)), {"leads": ["ann"]})
    assert str(filed.where) == "policy/rules.yaml:3:16"
    assert config.policy_files == (tmp_path / "policy/rules.yaml",)


def test_without_a_policy_nothing_of_it_is_loaded(tmp_path: Path) -> None:
    config = load(tmp_path, "")
    assert (config.targets["analytics"].rules, config.policy_files) == ((), ())


UNKNOWN = "`change` has no `knd`"
LINES = "    - name: a\n      message: m\n      deny: {}\n        true &&\n        change.knd == ''"
TWICE = "    - {name: a, message: m, deny: 'true'}\n    - {name: a, message: m, deny: 'true'}"


@pytest.mark.parametrize(
    ("rules", "where", "code", "what"),
    [
        ("    - {name: a, deny: change.knd == '', message: m}", "5:30", "policy-expression", UNKNOWN),
        ('    - {name: a, deny: "change.knd == 1", message: m}', "5:31", "policy-expression", UNKNOWN),
        (LINES.format("|"), "9:16", "policy-expression", UNKNOWN),
        (LINES.format(">-"), "7:13", "policy-expression", UNKNOWN),
        ("    - {name: a, message: m}", "5:7", "policy-invalid", "this says none of them"),
        ("    - {name: a, message: m, deny: 'true', warn: 'true'}", "5:7", "policy-invalid", "says deny and warn"),
        ("    - {name: A b, message: m, deny: 'true'}", "5:14", "config-invalid", "rules[0].name"),
        ("    - {name: a, message: m, deny: true}", "5:35", "config-invalid", "deny"),
        ("    - {name: a, message: m, dny: 'true'}", "5:7", "policy-invalid", "says none of them"),
        ("    - {name: a, message: m, deny: '1 == 1', match: {actions: [go]}}", "5:63", "config-invalid", "actions"),
        (TWICE, "6:14", "policy-invalid", "two rules of one target are called a"),
    ],
)
def test_a_mistake_in_a_rule_is_told_at_its_place(rules: str, where: str, code: str, what: str, tmp_path: Path) -> None:
    found = problems(tmp_path, f"policy:\n  rules:\n{rules}\n")
    one = next(each for each in found if each.code == code)
    assert f"{one.where.line}:{one.where.column}" == where
    assert what in one.what


def test_mistakes_in_a_file_are_told_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(
        "timezone: Mars/Olympus\nrules:\n  - {name: a, deny: '1', message: m}\nmore: 1\n"
    )
    found = problems(tmp_path, "policy: {files: [rules.yaml]}\n")
    assert [str(each.where) for each in found] == ["rules.yaml:1:11", "rules.yaml:3:22", "rules.yaml:4:1"]
    assert {each.code for each in found} == {"policy-invalid", "policy-expression"}
    (tmp_path / "rules.yaml").write_text("rules: [\n")
    assert problems(tmp_path, "policy: {files: [rules.yaml]}\n")[0].where.path == "rules.yaml"
    (missing,) = problems(tmp_path, "policy: {files: [nowhere.yaml]}\n")
    assert (str(missing.where), missing.code) == ("datakeel.yaml:3:18", "policy-invalid")
    assert "nowhere.yaml does not exist" in missing.what


def test_a_target_can_take_no_rule_back(tmp_path: Path) -> None:
    targets = f"targets:\n  a: {{platform: dataos, policy: {{rules: [{RULE}]}}}}\n"
    (found,) = problems(tmp_path, f"policy: {{rules: [{RULE}]}}\n", targets)
    assert found.what == "two rules of one target are called one"
    assert found.also[0].line == 3
