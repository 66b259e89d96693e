"""Every code that the agent can print has its text, and every text has a code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from agent.viewing.error_codes import ERRORS_FILE, explanations

AGENT = Path(__file__).parents[3] / "agent"
_SHAPE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_ARGUMENT = {"Problem": 0, "Unknown": 0, "Fault": 1, "Violation": 2}  # which argument of these calls is a code


def sources() -> Iterator[ast.Module]:
    for path in sorted(AGENT.rglob("*.py")):
        if "sandbox" not in path.relative_to(AGENT).parts:
            yield ast.parse(path.read_text(encoding="utf-8"))


def constant(node: ast.expr | None) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    if isinstance(node, ast.IfExp):
        yield from constant(node.body)
        yield from constant(node.orelse)


def codes_in(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            for keyword in node.keywords:
                if keyword.arg == "code":
                    yield from constant(keyword.value)
            position = _ARGUMENT.get(name)
            if position is not None and len(node.args) > position:
                yield from constant(node.args[position])
        if isinstance(node, ast.ClassDef):
            for statement in node.body:
                if isinstance(statement, ast.AnnAssign) and getattr(statement.target, "id", "") == "code":
                    yield from constant(statement.value)


def test_every_code_is_explained() -> None:
    # Outcomes carry reasons in PascalCase and platforms' own codes beside ours; only our shape is a code.
    used = {code for tree in sources() for code in codes_in(tree) if _SHAPE.fullmatch(code)}
    assert "yaml-duplicate-key" in used
    assert sorted(used - set(explanations())) == []


def test_every_explanation_belongs_to_a_code() -> None:
    words = {
        node.value
        for tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert sorted(set(explanations()) - words) == []


def test_every_explanation_says_something_and_they_are_in_order() -> None:
    assert all(len(text) > 20 for text in explanations().values())
    headings = re.findall(r"^## `(.+)`$", ERRORS_FILE.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == sorted(set(headings))
