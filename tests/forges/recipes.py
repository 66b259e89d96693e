"""Runs the recipes as a forge's runner does, as far as a machine without that forge can.

A composite action is a list of bash steps with inputs (docs.github.com, "Metadata syntax"); a GitLab job is a list of
lines in one shell, and `after_script` in another. The sessions `recipe-*` play them; `python -m tests.forges` also lets
the actions install datakeel themselves.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

INSTALL = "RECIPES_INSTALL"  # `python -m tests.forges` sets it: a folder in which the actions install datakeel once
ROOT = Path(__file__).parents[2]
ACTIONS = ROOT / ".github" / "actions"
TEMPLATE = ROOT / ".gitlab" / "templates" / "datakeel.gitlab-ci.yml"
_OWN = "github.event.pull_request.head.repo.full_name == github.repository"
_EXPRESSION = re.compile(r"\$\{\{ *(.+?) *\}\}")


class Run:
    """What a job printed, and what its first failing step ended with."""

    def __init__(self) -> None:
        self.status = 0
        self.output = ""
        self.summary = ""
        self.outputs: dict[str, str] = {}


def run_action(
    name: str, inputs: Mapping[str, str], environment: Mapping[str, str], folder: Path, temporary: Path
) -> Run:
    """The steps of the action, with `inputs` over its defaults, in `folder`. Raises ValueError for unknown inputs."""
    action = yaml.safe_load((ACTIONS / name / "action.yml").read_text())
    if unknown := set(inputs) - set(action["inputs"]):
        raise ValueError(f"the action takes no {', '.join(unknown)}")
    known = {
        "github.token": environment.get("GITHUB_TOKEN", ""),
        **{f"inputs.{word}": each.get("default", "") for word, each in action["inputs"].items()},
        **{f"inputs.{word}": value for word, value in inputs.items()},
    }
    known = {word: _filled(value, known) for word, value in known.items()}
    run = Run()
    for number, step in enumerate(action["runs"]["steps"]):
        if not _is_due(step.get("if", "success()"), known, run):
            continue
        summary, told = temporary / f"summary-{number}", temporary / f"outputs-{number}"
        summary.write_text("")
        told.write_text("")
        own = {
            word: _EXPRESSION.sub(lambda found: known[found[1]], value) for word, value in step.get("env", {}).items()
        }
        given = {name: value for name, value in environment.items() if name != "GITHUB_TOKEN"}  # a step must ask for it
        if os.environ.get(INSTALL):  # where packages come from is this machine's business
            given.pop("PYTHONPATH", None)  # what is installed runs, and not what is in the checkout
            given |= {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
        status, output = _bash(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            given
            | {"RUNNER_TEMP": str(temporary), "GITHUB_ACTION_PATH": str(ACTIONS / name)}
            | {"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_OUTPUT": str(told)}
            | own,
            folder,
        )
        run.output += output
        run.summary += summary.read_text()
        for line in told.read_text().splitlines():
            word, _, value = line.partition("=")
            run.outputs[f"{step.get('id')}.{word}"] = value
        run.status = run.status or status
    return run


def run_workflow(file: Path, environment: Mapping[str, str], folder: Path, temporary: Path) -> Run:
    """The steps of a workflow's only job, but for those of others' actions and for the installation of datakeel.

    A secret of the repository is the environment's variable of that name, and empty where there is none; a step sees
    those that it asks for. A condition that names the pull request's own repository holds.
    """
    (job,) = yaml.safe_load(file.read_text())["jobs"].values()
    run = Run()
    asked = [step for step in job["steps"] if "run" in step and "pipx install" not in step["run"]]
    secret = {word for step in asked for word in step.get("env", {})}
    given = {name: value for name, value in environment.items() if name not in secret}
    for number, step in enumerate(asked):
        condition = step.get("if", "success()").replace(_OWN, "always()")
        if not _is_due(condition, {}, run):
            continue
        summary = temporary / f"summary-{number}"
        summary.write_text("")
        known = {"github.token": environment.get("GITHUB_TOKEN", "")}
        known |= {f"secrets.{word}": environment.get(word, "") for word in step.get("env", {})}
        own = {word: _filled(value, known) for word, value in step.get("env", {}).items()}
        words = ["bash", "-e", "-c", step["run"]]
        status, output = _bash(words, given | {"GITHUB_STEP_SUMMARY": str(summary)} | own, folder)
        run.output += output
        run.summary += summary.read_text()
        run.status = run.status or status
    return run


def _filled(text: str, known: Mapping[str, str]) -> str:
    return _EXPRESSION.sub(lambda found: known[found[1]], text)


def _is_due(condition: str, known: Mapping[str, str], run: Run) -> bool:
    """The few conditions that the actions use; anything else is a mistake of theirs."""
    for part in condition.split(" && "):
        equals = re.fullmatch(r"(inputs\.[a-z-]+) == '([^']*)'", part)
        if equals is not None:
            if known[equals[1]] != equals[2]:
                return False
        elif part == "success()":
            if run.status:
                return False
        elif part != "always()":
            raise ValueError(f"not understood: {part}")
    return True


def run_gitlab_job(environment: Mapping[str, str], folder: Path, file: Path = TEMPLATE) -> Run:
    """The job of the template, or of another file: its own variables, then those of the environment.

    What its `before_script` installs is there already.
    """
    job: dict[str, Any] = yaml.safe_load(file.read_text())["datakeel"]
    job["before_script"] = [line for line in job["before_script"] if not line.startswith("pip install")]
    run = Run()
    given = {**job["variables"], **environment}
    for part in ((*job["before_script"], *job["script"]), job["after_script"]):
        status, output = _bash(["bash", "-eo", "pipefail", "-c", "\n".join(part)], given, folder)
        run.output += output
        run.status = run.status or (0 if part is job["after_script"] else status)
    return run


def _bash(words: list[str], environment: Mapping[str, str], folder: Path) -> tuple[int, str]:
    done = subprocess.run(
        words,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=900,
    )
    return done.returncode, done.stdout


def lend(command: Path, temporary: Path, *, always: bool = False) -> None:
    """An installed datakeel where the actions look for theirs, unless they are to install it themselves."""
    if os.environ.get(INSTALL) and not always:
        return
    folder = temporary / "datakeel" / "bin"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "datakeel").symlink_to(os.path.abspath(command))
