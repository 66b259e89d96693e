"""The page on rules shows what is so: its rules and tests run, and its table has every word."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agent.cli import policy_tests
from agent.cli.main import main
from agent.config import load_config
from agent.policy.language import ADDITIONS_MAX, LENGTH_MAX, MACROS_DEEP_MAX, WORDS
from agent.report.policy_tests import render_tests
from agent.viewing.policy_words import PAGE, words

TEXT = PAGE.read_text(encoding="utf-8")
NAMED = re.compile(r"```yaml\n# (policy/[\w.]+)\n(.*?)```", re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files of the page, where it says that they are."""
    found = NAMED.findall(TEXT)
    assert [name for name, _ in found] == ["policy/rules.yaml", "policy/rules.test.yaml"]
    for name, text in found:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_the_tests_of_the_page_pass_and_speak_of_every_rule(folder: Path) -> None:
    def no_config() -> None:
        raise AssertionError("the file names its rules")

    document = policy_tests.document_of(policy_tests.tested(["policy"], folder, no_config))  # type: ignore[arg-type]
    assert document["exit_status"] == 0 and document["unfired"] == []
    shown = re.search(r"\$ datakeel policy test policy\n(.*?)```", TEXT, re.DOTALL)
    assert shown is not None and shown[1] == render_tests(document)


def test_the_configuration_of_the_page_is_right(folder: Path) -> None:
    block = next(text for text in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL) if text.startswith("policy:"))
    head = "apiVersion: datakeel/v1\nsource: {path: .}\n"
    text = head + block.replace("  analytics:\n", "  analytics:\n    platform: dataos\n")
    (folder / "datakeel.yaml").write_text(text, encoding="utf-8")
    rules = load_config(None, {}, folder).targets["analytics"].rules
    assert [rule.name for rule in rules][-1] == "no-adoptions" and len(rules) == 6


def test_the_table_has_every_word_that_a_rule_may_name() -> None:
    told = {name for named, _ in words() for name in re.findall(r"(?:change|plan|actor|now)\.\w+", named)}
    assert told == {f"{owner}.{member}" for owner, members in WORDS.items() for member in members}


def test_the_bounds_are_those_of_the_program() -> None:
    plain = " ".join(TEXT.split())
    assert f"at most {LENGTH_MAX:,} characters" in plain
    assert (MACROS_DEEP_MAX, ADDITIONS_MAX) == (3, 6) and "macros three deep and six additions" in plain


def test_explain_prints_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "policy"]) == 0
    said = capsys.readouterr().out
    assert "change.desired, change.live\n" in said and "cronInterval(text)" in said
