"""What a repository tells a forge, git and an editor: checks of pull requests, a hook, where schemas are.

Used by ``begin``. The recipes are the examples of ``agent/docs/recipes`` with the user's words put in.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from agent import __version__
from agent.cli.starting.filling import filled

GITLAB_RECIPE = ".gitlab/datakeel.gitlab-ci.yml"
GITLAB = ".gitlab-ci.yml"


def github(names: Sequence[str], config: str | None, extras: Sequence[str]) -> dict[str, str]:
    """The workflow; ``names`` are the variables of all credentials, ``config`` where ``--config`` is needed, ``extras``
    what the configuration asks of an installation."""
    inputs = "".join(f"          {name}: ${{{{ secrets.{name} }}}}\n" for name in names).rstrip("\n")
    swaps = {
        "          ACME_TOKEN: ${{ secrets.ACME_TOKEN }}": inputs,
        '          test -n "$ACME_TOKEN" || mode=--offline': _offline("          ", names),
        "          datakeel diff ": f"          datakeel diff {_config(config)}",
        **_installed(extras),
    }
    if not names:
        swaps["        env: # secrets of the repository: tokens that may read and nothing else"] = ""
        swaps[
            "          # A pull request from a fork gets no secret: then two revisions are compared, without a call."
        ] = ""
    return {".github/workflows/datakeel.yaml": filled("recipes/github.yaml", swaps)}


def gitlab(names: Sequence[str], config: str | None, extras: Sequence[str]) -> dict[str, str]:
    """The job, in a file of its own, and the project's own file that includes it."""
    wanted = ", ".join(names)
    may = f"{wanted}, which may read and nothing else; " if names else ""
    swaps = {
        "ACME_TOKEN, which may read and nothing else; ": may or "none for the platform; ",
        '    - test -n "$ACME_TOKEN" || mode=--offline': _offline("    - ", names),
        "      datakeel diff ": f"      datakeel diff {_config(config)}",
        **_installed(extras),
    }
    if not names:
        swaps[
            "    # A merge request from a fork gets no variable: then two revisions are compared, without a call."
        ] = ""
    include = f"include:\n  - local: {GITLAB_RECIPE}\n"
    return {GITLAB_RECIPE: filled("recipes/gitlab.yaml", swaps), GITLAB: include}


def pre_commit(config: str | None, extras: Sequence[str]) -> dict[str, str]:
    """The hook that validates before a commit."""
    entry = "        entry: datakeel validate"
    swaps = {entry: f"{entry} {_config(config)}".rstrip(), **_installed(extras)}
    return {".pre-commit-config.yaml": filled("recipes/pre-commit.yaml", swaps)}


def _offline(lead: str, names: Sequence[str]) -> str:
    tests = " && ".join(f'test -n "${name}"' for name in names)
    return f"{lead}{tests} || mode=--offline" if names else ""


def _installed(extras: Sequence[str]) -> dict[str, str]:
    named = f"'datakeel[{','.join(extras)}]=={__version__}'"
    return {f"datakeel=={__version__}": named} if extras else {}


def _config(config: str | None) -> str:
    return f"--config {shlex.quote(config)} " if config is not None else ""
