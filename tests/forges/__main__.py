"""The recipes with everything real that a machine without a forge can have: takes about three minutes and a registry.

    python -m tests.forges

holds every recipe, and every example of the how-to pages, to its published schema (as check-jsonschema carries them);
plays the sessions `recipe-*` once more, with the actions installing datakeel themselves into an empty environment; and
lets pre-commit run the hook in a repository of its own, on manifests that are right and on one that is not.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import yaml

from tests.forges.recipes import ACTIONS, INSTALL, ROOT, TEMPLATE

HOW_TO = ROOT / "agent" / "docs" / "how-to"
SHOP = ROOT / "tests" / "sessions" / "shop"


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([sys.executable, "-m", "venv", folder / "tools"], check=True)
        tools = folder / "tools" / "bin"
        subprocess.run([tools / "pip", "install", "-q", "check-jsonschema", "pre-commit"], check=True)
        check_schemas(tools, folder)
        check_hook(tools, folder)
        words = [sys.executable, "-m", "pytest", "-q", "tests/sessions", "-k", "recipe"]
        home = folder / "runner"
        home.mkdir()
        return subprocess.run(words, cwd=ROOT, env={**os.environ, INSTALL: str(home)}, check=False).returncode


def check_schemas(tools: Path, folder: Path) -> None:
    """Raises CalledProcessError where a file is not what its reader expects."""
    check = [tools / "check-jsonschema", "--builtin-schema"]
    subprocess.run([*check, "vendor.github-actions", *sorted(ACTIONS.glob("*/action.yml"))], check=True)
    subprocess.run([*check, "vendor.gitlab-ci", TEMPLATE], check=True)
    workflows = []
    for number, text in enumerate(examples()):
        if isinstance(read := yaml.safe_load(text), dict) and "jobs" in read:
            workflows.append(folder / f"workflow-{number}.yaml")
            workflows[-1].write_text(text)
    assert len(workflows) >= 3, "the how-to pages show no workflows"
    subprocess.run([*check, "vendor.github-workflows", *workflows], check=True)


def examples() -> Iterator[str]:
    """The YAML of the how-to pages."""
    for page in sorted(HOW_TO.glob("*.md")):
        yield from re.findall(r"^```yaml\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


def check_hook(tools: Path, folder: Path) -> None:
    """pre-commit clones this repository, installs the hook's environment and runs it."""
    repository = folder / "shop"
    shutil.copytree(SHOP, repository)
    subprocess.run(["git", "init", "-q", repository], check=True)
    subprocess.run(["git", "add", "-A"], cwd=repository, check=True)
    words = [tools / "pre-commit", "try-repo", ROOT, "datakeel-validate", "--all-files", "--verbose"]
    home = {**os.environ, "PRE_COMMIT_HOME": str(folder / "pre-commit")}
    good = subprocess.run(words, cwd=repository, env=home, check=False, capture_output=True, text=True)
    assert good.returncode == 0, good.stdout + good.stderr
    assert "3 manifests, no problem" in good.stdout, good.stdout
    daily = repository / "manifests" / "daily.yaml"
    daily.write_text(daily.read_text().replace("schedule:", "shedule:"))
    bad = subprocess.run(words, cwd=repository, env=home, check=False, capture_output=True, text=True)
    assert bad.returncode == 1, bad.stdout + bad.stderr
    assert "manifests/daily.yaml:" in bad.stdout, bad.stdout
    assert "did you mean `schedule`?" in bad.stdout, bad.stdout
    daily.write_text(daily.read_text().replace("shedule:", "schedule:"))
    words[3] = "datakeel-render-check"
    stale = subprocess.run(words, cwd=repository, env=home, check=False, capture_output=True, text=True)
    assert stale.returncode == 1, stale.stdout + stale.stderr
    assert "exit code: 2" in stale.stdout, stale.stdout
    print("pre-commit runs the hooks")


if __name__ == "__main__":
    sys.exit(main())
