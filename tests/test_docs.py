"""What is documented is so: commands, links, configuration, error codes, exit statuses, decisions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import agent.errors
from agent import __version__
from agent.cli.main import verbs
from agent.cli.parser import VerbParser
from agent.config import load_config
from agent.viewing.error_codes import explanations

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
DOCS = ROOT / "agent" / "docs"
PAGES = (README, *sorted(DOCS.rglob("*.md")), ROOT / "manifests/README.md", *sorted(ROOT.glob("schemas/*/README.md")))
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?:^ *|&& |\$ )(?:\.venv/bin/)?datakeel ([^`\n]*)", re.MULTILINE)
IN_TEXT = re.compile(r"`(?:\.venv/bin/)?datakeel ([^`]*)`")
UNLISTED = ("decisions/", "reference/kinds/")  # each has an index of its own
MARKER = "<!-- test command -->"


def fences(page: Path, language: str) -> list[str]:
    return [text for found, text in FENCE.findall(page.read_text(encoding="utf-8")) if found == language]


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every datakeel command of every page, in fences and in running text."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        fenced = [found for _, block in FENCE.findall(text) for found in COMMAND.findall(block)]
        for found in (*fenced, *IN_TEXT.findall(FENCE.sub("", text))):
            words = found.split(" &&")[0].split("  ")[0].replace("…", "").split()
            if words and re.fullmatch(r"[a-z][a-z-]*", words[0]):
                yield page.name, words


def test_the_first_command_of_the_readme_is_the_demo_on_a_bare_machine() -> None:
    assert fences(README, "sh")[0].strip() == (
        "python3 -m venv .venv && .venv/bin/pip install -q . && .venv/bin/datakeel demo"
    )


def test_a_command_of_the_readme_tests_everything() -> None:
    text = README.read_text(encoding="utf-8")
    assert text.count(MARKER) == 1
    after = text[text.index(MARKER) :].splitlines()
    assert after[1] == "```sh"
    assert after[2] == fences(README, "sh")[-1].strip()
    assert after[2].endswith("-m pytest -q -n auto --dist loadfile")
    assert after[3] == "```"


def test_the_readme_sells_on_one_screen() -> None:
    lines = README.read_text(encoding="utf-8").splitlines()
    first = lines[: lines.index("## Ten minutes in your own repository")]
    assert len(first) <= 40
    assert sum(line.startswith("![") for line in first) == 2


def test_every_command_names_a_verb_and_options_that_exist() -> None:
    found = list(commands())
    assert len(found) > 20
    wrong = []
    for page, (verb, *words) in found:
        if verb == "help" and words and words[0] in ("VERB", *verbs()):
            continue
        if verb not in verbs():
            wrong.append(f"{page}: datakeel {verb}")
            continue
        module = import_module(verbs()[verb])
        parser = VerbParser(verb, module.SUMMARY, "")
        module.configure(parser)
        known = {option for action in parser._actions for option in action.option_strings}
        wrong += [
            f"{page}: datakeel {verb} {word}"
            for word in words
            if word.startswith("-") and word.partition("=")[0] not in known
        ]
    assert wrong == []


def test_every_verb_is_told_somewhere() -> None:
    told = {words[0] for _, words in commands()}
    told |= set(re.findall(r"`([a-z]+)`", (DOCS / "changelog.md").read_text(encoding="utf-8")))
    assert set(verbs()) - told == set()


def test_every_module_that_a_page_runs_exists() -> None:
    names = {
        name for page in PAGES for name in re.findall(r"python -m (tests[\w.]*)", page.read_text(encoding="utf-8"))
    }
    assert names
    for name in names:
        path = ROOT / name.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_to_a_file(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    missing = [
        link
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
        if not link.startswith("http") and not (page.parent / link).exists()
    ]
    assert missing == []


def test_every_configuration_shown_is_right(tmp_path: Path) -> None:
    pages = [page for page in PAGES if page.name != "your-own-platform.md"]  # its platform is made as the page goes on
    shown = [
        text
        for page in pages
        for text in fences(page, "yaml")
        if "apiVersion: datakeel/v1" in text and "targets:" in text
    ]
    assert len(shown) >= 2
    for number, text in enumerate(shown):
        folder = tmp_path / str(number)
        folder.mkdir()
        indent = len(text) - len(text.lstrip(" "))
        (folder / "datakeel.yaml").write_text("\n".join(line[indent:] for line in text.splitlines()) + "\n")
        assert load_config(None, {}, folder).targets


def test_every_key_of_the_configuration_is_told() -> None:
    page = (DOCS / "reference/configuration.md").read_text(encoding="utf-8")
    schema = json.loads((ROOT / "schemas/datakeel.schema.json").read_text(encoding="utf-8"))
    keys = {key for part in ("source", "target") for key in schema["$defs"][part]["properties"]}
    keys |= set(schema["$defs"]["target"]["properties"]["limits"]["properties"]) | set(schema["properties"])
    assert (
        sorted(key for key in keys if f"`{key}`" not in page and f"\n{key}:" not in page and f" {key}:" not in page)
        == []
    )


def test_every_error_code_in_the_pages_is_explained() -> None:
    # That errors.md and the program have the same codes is tests/unit/cli/test_error_codes.py.
    used = {code for page in PAGES for code in re.findall(r"error\[([a-z-]+)\]", page.read_text(encoding="utf-8"))}
    assert used - set(explanations()) - {"code"} == set()


def test_every_exit_status_is_told() -> None:
    rows = re.findall(r"^\| ([0-9, ]+) \|", (DOCS / "how-to/operations.md").read_text(encoding="utf-8"), re.MULTILINE)
    told = {int(number) for row in rows for number in row.split(",")}
    assert {value for name, value in vars(agent.errors).items() if name.startswith("EXIT_")} <= told


def test_every_decision_is_listed_and_complete() -> None:
    folder = DOCS / "decisions"
    pages = sorted(path for path in folder.glob("*.md") if path.name != "README.md")
    assert [path.name[:4] for path in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    listed = re.findall(r"\]\(([^)]+)\)", (folder / "README.md").read_text(encoding="utf-8"))
    assert listed == [path.name for path in pages]
    for path in pages:
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {path.name[:4]}: "), path.name
        assert "**Context.**" in text and "**Decision.**" in text, path.name


def test_every_page_is_listed_in_the_index() -> None:
    listed = set(re.findall(r"\]\(([^)#:]+\.md)", (DOCS / "README.md").read_text(encoding="utf-8")))
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")} - {"README.md"}
    assert {page for page in pages if not page.startswith(UNLISTED) or page.endswith("README.md")} == listed


def test_the_changelog_tells_this_version() -> None:
    assert f"\n## {__version__}\n" in (DOCS / "changelog.md").read_text(encoding="utf-8")
