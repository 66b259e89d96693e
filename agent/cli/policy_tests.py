"""``datakeel policy test``: test files found, read and checked, and each test held before its rules. Offline."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agent import yaml_io
from agent.config.model import Config
from agent.config.rules import Text, read_policy_file
from agent.config.state import read_config_file
from agent.definitions.load import bundled_schemas
from agent.errors import ConfigError, Problem, UsageError
from agent.json_schema import Schema
from agent.policy.examples import Held, WrongExample, example_of, held, unfired
from agent.policy.rule import Rule
from agent.report.policy_tests import tests_document
from agent.report.verdicts import verdict_document

ENDINGS = (".test.yaml", ".test.yml")


@dataclass(frozen=True, slots=True)
class Tested:
    """One test file, the rules that it is about, and what came of its tests."""

    shown: str
    rules: tuple[Rule, ...]
    tests: tuple[Held, ...]


def tested(paths: Sequence[str], here: Path, config: Callable[[], Config]) -> list[Tested]:
    """All test files at or below ``paths``. ``config`` is asked for where a file tests the configuration's rules.

    Raises UsageError where there is none, ConfigError for mistakes in them or in their rules.
    """
    files = list(dict.fromkeys(_found(paths, here)))
    if not files:
        raise UsageError(
            f"no test of a policy below {', '.join(paths) or here.name or 'here'}",
            fix="write one beside the rules: policy.test.yaml",
        )
    return [_tested(file, _shown(file, here), config) for file in files]


def document_of(found: Sequence[Tested]) -> dict[str, Any]:
    """The outcome as one document. A rule counts once, however many files test it."""
    tests = [
        {
            "file": one.shown,
            "name": test.example.name,
            "passed": test.passed,
            "missing": [{"rule": rule, "resource": resource} for rule, resource in test.missing],
            "unexpected": [verdict_document(verdict) for verdict in test.unexpected],
        }
        for one in found
        for test in one.tests
    ]
    rules = {_place(rule): rule for one in found for rule in one.rules}
    untested = rules.keys() - {
        _place(rule) for one in found for rule in one.rules if rule not in list(unfired(one.rules, one.tests))
    }
    told = [{"rule": name, "path": path, "line": line} for path, line, name in sorted(untested)]
    return tests_document(tests, told, len(rules))


def _place(rule: Rule) -> tuple[str, int, str]:
    where = rule.where
    return (where.path, where.line or 1, rule.name) if where is not None else ("", 1, rule.name)


def _found(paths: Sequence[str], here: Path) -> Iterator[Path]:
    for path in [here / name for name in paths] or [here]:
        if path.is_dir():
            below = sorted(each for ending in ENDINGS for each in path.rglob(f"*{ending}"))
            yield from (
                each for each in below if not any(part.startswith(".") for part in each.relative_to(path).parts)
            )
        elif path.is_file():
            yield path
        else:
            raise UsageError(f"there is no {_shown(path, here)}", fix="name a file or a folder of tests")


def _shown(path: Path, here: Path) -> str:
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _tested(file: Path, shown: str, config: Callable[[], Config]) -> Tested:
    text, written = read_checked(file, shown, "policy-test.schema.json")
    rules, target = _rules(written, file, text, config)
    tests, problems = [], []
    for number, test in enumerate(written["tests"]):
        try:
            tests.append(held(example_of(test, target, rules, lambda name: plan_document(file.parent / name)), rules))
        except WrongExample as error:
            where = text.where(f"/tests/{number}{error.pointer}", error.at)
            problems.append(Problem("policy-test-invalid", str(error), where, test["name"][:100], fix=error.fix))
    if problems:
        raise _mistakes(shown, problems)
    return Tested(shown, rules, tuple(tests))


def _rules(
    written: Mapping[str, Any], file: Path, text: Text, config: Callable[[], Config]
) -> tuple[tuple[Rule, ...], str]:
    """The rules that a test file is about, and the target that its changes belong to."""
    if "policy" in written:
        path = file.parent / written["policy"]
        shown = str(Path(text.shown).parent / written["policy"])
        rules, problems = read_policy_file(path, shown)
        if problems:
            raise _mistakes(shown, problems)
        return rules, written.get("target", "main")
    targets = config().targets
    name = written.get("target") or next(iter(targets))
    if name not in targets or ("target" not in written and len(targets) > 1):
        what = f"there is no target {name}" if "target" in written else "several targets have rules, and none is named"
        fix = f"target: one of {', '.join(sorted(targets))}; or policy: a file of rules"
        raise _mistakes(text.shown, [Problem("policy-test-invalid", what, text.where("/target"), fix=fix)])
    return targets[name].rules, name


def read_checked(file: Path, shown: str, schema: str) -> tuple[Text, dict[str, Any]]:
    """A YAML file of one document that a schema of ours describes. Raises ConfigError with every mistake."""
    text = Text(read_config_file(file), shown)
    loaded = yaml_io.load(text.content, yaml_io.CONFIG_BUDGET)
    problems = [
        replace(one, where=replace(one.where, path=shown)) for one in loaded.problems if one.severity == "error"
    ]
    documents = [one for one in loaded.documents if not one.empty]
    if not problems and len(documents) != 1:
        problems = [
            Problem(
                "policy-test-invalid", f"a file of tests is one document, and this has {len(documents)}", text.where("")
            )
        ]
    if not problems:
        rule = Schema(json.loads((bundled_schemas() / schema).read_bytes()), f"schemas/{schema}")
        problems = [
            Problem(
                "policy-test-invalid", one.what, text.where(one.pointer, one.at), got=one.got, why=one.why, fix=one.fix
            )
            for one in rule.violations(documents[0].value)
        ]
    if problems:
        raise _mistakes(shown, problems)
    return text, documents[0].value


def plan_document(path: Path) -> dict[str, Any]:
    """A plan that ``diff -o json`` wrote, checked against its schema. Raises ConfigError."""

    def refuse(fault: str) -> ConfigError:
        fix = "write one: datakeel diff -o json=plan.json"
        return ConfigError(f"the plan file {path} {fault}", code="plan-unreadable", fix=fix)

    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise refuse(f"cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise refuse("is not JSON") from None
    schema = Schema(json.loads((bundled_schemas() / "plan.schema.json").read_bytes()), "schemas/plan.schema.json")
    for one in schema.violations(document):
        raise refuse(f"is not of the format datakeel.plan/1: {one.what}")
    checked: dict[str, Any] = document
    return checked


def _mistakes(shown: str, problems: Sequence[Problem]) -> ConfigError:
    count = "1 mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
    return ConfigError(f"{count} in {shown}", code=problems[0].code, problems=tuple(problems))
