"""The recipes with everything real that a machine without a forge can have: takes about three minutes and a registry.

    python -m tests.forges

looks at a clone of the last commit, so that nothing that is edited meanwhile is in it. It holds every recipe, and every
example of the how-to pages, to its published schema (as check-jsonschema carries them); plays the sessions `recipe-*`
once more, with the actions installing datakeel themselves into an empty environment; lets pre-commit run the hook in a
repository of its own, on manifests that are right and on one that is not; and writes each annotation once more with
GitHub's own toolkit, which must give the same bytes.
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


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clone = cloned(folder)
        subprocess.run([sys.executable, "-m", "venv", folder / "tools"], check=True)
        tools = folder / "tools" / "bin"
        subprocess.run([tools / "pip", "install", "-q", "check-jsonschema", "pre-commit"], check=True)
        check_schemas(tools, folder, clone)
        check_hook(tools, folder, clone)
        (folder / "toolkit").mkdir()
        toolkit = [sys.executable, "-m", "tests.forges.toolkit", folder / "toolkit"]
        subprocess.run(toolkit, cwd=clone, check=True)
        words = [sys.executable, "-m", "pytest", "-q", "tests/sessions", "-k", "recipe"]
        home = folder / "runner"
        home.mkdir()
        return subprocess.run(words, cwd=clone, env={**os.environ, INSTALL: str(home)}, check=False).returncode


def cloned(folder: Path) -> Path:
    """The last commit, as somebody gets it who clones the repository; says when the tree here has more."""
    clone = folder / "datakeel"
    subprocess.run(["git", "clone", "-q", ROOT, clone], check=True)
    head = subprocess.run(["git", "log", "-1", "--format=%h %s"], cwd=clone, check=True, capture_output=True, text=True)
    changed = subprocess.run(["git", "status", "--short"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    more = f"; {len(changed.splitlines())} changed files are not in it" if changed else ""
    print(f"at {head.stdout.strip()}{more}", flush=True)
    return clone


def check_schemas(tools: Path, folder: Path, clone: Path) -> None:
    """Raises CalledProcessError where a file is not what its reader expects."""
    check = [tools / "check-jsonschema", "--builtin-schema"]
    actions = sorted((clone / ACTIONS.relative_to(ROOT)).glob("*/action.yml"))
    subprocess.run([*check, "vendor.github-actions", *actions], check=True)
    recipes = clone / "agent" / "docs" / "recipes"
    subprocess.run(
        [*check, "vendor.gitlab-ci", clone / TEMPLATE.relative_to(ROOT), recipes / "gitlab.yaml"], check=True
    )
    workflows = [recipes / "github.yaml"]
    for number, text in enumerate(examples(clone)):
        if isinstance(read := yaml.safe_load(text), dict) and "jobs" in read:
            workflows.append(folder / f"workflow-{number}.yaml")
            workflows[-1].write_text(text)
    assert len(workflows) >= 4, "the how-to pages show no workflows"
    subprocess.run([*check, "vendor.github-workflows", *workflows], check=True)


def examples(clone: Path) -> Iterator[str]:
    """The YAML of the how-to pages."""
    for page in sorted((clone / "agent" / "docs" / "how-to").glob("*.md")):
        yield from re.findall(r"^```yaml\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


def check_hook(tools: Path, folder: Path, clone: Path) -> None:
    """pre-commit clones the repository, installs the hook's environment and runs it."""
    repository = folder / "shop"
    shutil.copytree(clone / "tests" / "sessions" / "shop", repository)
    subprocess.run(["git", "init", "-q", repository], check=True)
    subprocess.run(["git", "add", "-A"], cwd=repository, check=True)
    words = [tools / "pre-commit", "try-repo", clone, "datakeel-validate", "--all-files", "--verbose"]
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
