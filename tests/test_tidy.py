"""Style as tests: each message says what is banned and what to write instead."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOP_LEVEL = {"pyproject.toml", "README.md", "agent", "schemas", "manifests", "tests", "Dockerfile"}
# Parts of platforms' names that are ordinary words: they say nothing alone.
ORDINARY = {"live", "studio"}
# Platforms that are forges too: git and its webhooks may come from there, so only the definition's own name counts.
FORGES = {"gitlab"}

FILE_LINES_MAX = 350
FUNCTION_LINES_MAX = 60
# Longer, each for a reason of its own.
LONG_FILES = {
    "agent/definitions/platform.py",  # the typed form of every word of a definition: one thing, read from top to bottom
}
LONG_FUNCTIONS = {
    "agent/yaml_io/simple.py:_documents",  # the loop over the lines of a text, for the same reason
    "agent/yaml_io/fold.py:run",  # the loop over parser events; a call for each event would double its time
}
# Anything may come out of a pass, and the loop must outlive it. Elsewhere name what you expect.
CATCHES_EVERYTHING = {"agent/reconcile/loop.py", "agent/apply/executor.py", "agent/plan/planner.py", "agent/server"}
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:work|root|home/\w+|Users/\w+)/")
REGISTRIES = re.compile(
    r"--(?:extra-)?index-url|pypi\.org|pythonhosted|files\.pypi|/simple/?(?=[\"'\s]|$)|npmjs|registry\.npm"
)
UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|X" + r"XX|HACK)\b")


def files_of(folder: str) -> Iterator[Path]:
    yield from sorted((ROOT / folder).rglob("*.py"))


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def tracked() -> tuple[Path, ...]:
    """Files of the repository, and those that would be added to it; skipped where this is no repository."""
    try:
        done = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git repository, so what belongs to it is not known")
    return tuple(path for name in done.stdout.decode().split("\0") if name and (path := ROOT / name).is_file())


@cache
def texts() -> tuple[tuple[str, str], ...]:
    """Path and text of every tracked text file but this one."""
    found = []
    for path in tracked():
        if path == Path(__file__):
            continue
        try:
            found.append((shown(path), path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue  # made to be unreadable, for a test
    return tuple(found)


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    """``path:line`` of each place where a tracked text has the pattern, which must not reach beyond a line."""
    return [
        f"{path}:{text.count(chr(10), 0, found.start()) + 1}"
        for path, text in texts()
        for found in pattern.finditer(text)
    ]


def is_below(path: str, places: set[str]) -> bool:
    return any(path == place or path.startswith(f"{place}/") for place in places)


def test_nothing_is_printed_outside_the_command_line() -> None:
    wrong = [
        f"{shown(path)}:{node.lineno}"
        for path in files_of("agent")
        if not shown(path).startswith("agent/cli/")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert not wrong, f"return the value, or log an event with structlog; cli/ does the printing: {wrong}"


def test_errors_are_caught_by_name() -> None:
    wrong = [
        f"{shown(path)}:{node.lineno}"
        for path in files_of("agent")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ExceptHandler)
        and _catches_everything(node)
        and not is_below(shown(path), CATCHES_EVERYTHING)
    ]
    assert not wrong, (
        "name the errors that you expect; what nobody expected is a mistake of ours and must reach the top. "
        f"Only the loop, one decision, an apply worker and an HTTP handler may catch everything: {wrong}"
    )


def _catches_everything(handler: ast.ExceptHandler) -> bool:
    """``except Exception``, or anything wider that does not end by raising again."""
    names = {ast.unparse(node) for node in ast.walk(handler.type)} if handler.type else {"BaseException"}
    raises = any(isinstance(node, ast.Raise) and node.exc is None for node in handler.body)
    return "Exception" in names or ("BaseException" in names and not raises)


def test_every_module_says_what_it_is_for() -> None:
    wrong = [shown(path) for path in files_of("agent") if not ast.get_docstring(parsed(path))]
    assert not wrong, f"begin with a docstring: what the module is for, who calls it, what it never does: {wrong}"


def test_files_are_short() -> None:
    lengths = {shown(path): len(path.read_text(encoding="utf-8").splitlines()) for path in files_of("agent")}
    wrong = {path: lines for path, lines in lengths.items() if lines > FILE_LINES_MAX and path not in LONG_FILES}
    assert not wrong, f"a file beyond {FILE_LINES_MAX} lines does two things; split it by purpose: {wrong}"
    spare = [path for path in LONG_FILES if lengths.get(path, 0) <= FILE_LINES_MAX]
    assert not spare, f"short enough now, strike from LONG_FILES: {spare}"


def test_functions_are_short() -> None:
    lengths = {
        f"{shown(path)}:{node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for path in files_of("agent")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    wrong = {
        name: lines for name, lines in lengths.items() if lines > FUNCTION_LINES_MAX and name not in LONG_FUNCTIONS
    }
    assert not wrong, f"a function beyond {FUNCTION_LINES_MAX} lines has parts with names; give them functions: {wrong}"
    spare = [name for name in LONG_FUNCTIONS if lengths.get(name, 0) <= FUNCTION_LINES_MAX]
    assert not spare, f"short enough now, strike from LONG_FUNCTIONS: {spare}"


def test_nothing_is_left_for_later() -> None:
    wrong = lines_with(UNFINISHED)
    assert not wrong, f"do it, or leave it out; notes to ourselves do not belong into the tree: {wrong}"


def platform_words() -> re.Pattern[str]:
    """Every platform's name in any spelling, from the folders of schemas/: `acme-live` is Acme.Live too."""
    names = [path.parent.name for path in sorted(ROOT.glob("schemas/*/platform.yaml"))]
    assert len(names) > 1, "schemas/ holds no platforms"
    parts = {part for name in names if name not in FORGES for part in name.split("-")} - ORDINARY
    forges = {rf"platform\W+{name}|{name}/v\d" for name in FORGES & set(names)}
    return re.compile("|".join(sorted(parts | forges)), re.IGNORECASE)


def test_no_platform_is_named_in_the_agent() -> None:
    words = platform_words()
    for text in (
        "DataOps.live",
        "dataos_bodies",
        "DATACHAIN_TOKEN",
        "datachain-studio/v1",
        "platform: gitlab",
        "Poros",
    ):
        assert words.search(text), text
    assert not words.search("X-Gitlab-Token of a live studio")
    wrong = []
    for path in sorted((ROOT / "agent").rglob("*")):
        if not path.is_file() or path.suffix in (".md", ".svg", ".pyc") or is_below(shown(path), {"agent/sandbox"}):
            continue
        wrong += [f"{shown(path)} (its name)"] if words.search(shown(path)) else []
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        wrong += [f"{shown(path)}:{number}" for number, line in enumerate(lines, 1) if words.search(line)]
    assert not wrong, (
        "what is peculiar to a platform is a line in schemas/<platform>/platform.yaml, or a file below manifests/; "
        f"write `acme` in help texts, comments and examples: {wrong}"
    )


def _text(node: ast.AST) -> str:
    for word in ("value", "id", "attr", "name"):
        found = getattr(node, word, None)
        if isinstance(found, str):
            return found
    return ""


def test_tests_replace_nothing_by_its_name() -> None:
    wrong = []
    for path in files_of("tests"):
        text = path.read_text(encoding="utf-8")
        if "setattr" not in text and "mock" not in text:
            continue  # nothing of it can be wrong, and most of the tree need not be parsed
        for node in ast.walk(ast.parse(text)):
            named = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            named += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            patched = isinstance(node, ast.Attribute) and node.attr == "setattr" and "monkeypatch" in _text(node.value)
            if patched or any(name.startswith(("unittest.mock", "mock")) for name in named):
                wrong.append(f"{shown(path)}:{getattr(node, 'lineno', 0)}")
    assert not wrong, (
        "hand in another transport, clock, source or sandbox; if there is no place to hand it in, make one. "
        f"monkeypatch is for environment variables: {wrong}"
    )


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    wrong = lines_with(MACHINE_PATHS)
    assert not wrong, f"write a path relative to the repository, or one that the reader has: {wrong}"


def test_no_file_names_a_package_registry() -> None:
    wrong = lines_with(REGISTRIES)
    assert not wrong, f"where packages come from is the installing machine's business: {wrong}"


def test_the_top_level_holds_what_it_should() -> None:
    found = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert {name for name in found if not name.startswith(".")} == TOP_LEVEL
