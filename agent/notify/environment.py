"""Where a CI job speaks: read from the variables that GitHub and GitLab document for their jobs. Pure.

What a pull request's author controls decides nothing here: in a ``workflow_run`` the request is found by its head and
its commit, and never by what an artifact says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from agent.notify import github, gitlab
from agent.notify.forge import Place

Name = Literal["github", "gitlab"]
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


def forge_of(environ: Mapping[str, str]) -> Name | None:
    """Whose job this is."""
    if environ.get("GITHUB_ACTIONS") == "true":
        return "github"
    return "gitlab" if environ.get("GITLAB_CI") == "true" else None


def place_of(name: Name, environ: Mapping[str, str], event: Mapping[str, Any]) -> Place:
    """The place that the job's variables name; parts that they do not name are empty. ``event`` is GitHub's file."""
    return _at_github(environ, event) if name == "github" else _at_gitlab(environ)


def is_commit(text: str) -> bool:
    """Whether the text is the id of a commit."""
    return _COMMIT.fullmatch(text) is not None


def _at_github(environ: Mapping[str, str], event: Mapping[str, Any]) -> Place:
    repository = environ.get("GITHUB_REPOSITORY", "")
    run = environ.get("GITHUB_RUN_ID", "")
    server = environ.get("GITHUB_SERVER_URL", "https://github.com")
    place = Place(
        environ.get("GITHUB_API_URL") or github.API,
        repository,
        environ.get("GITHUB_SHA", ""),
        link=f"{server}/{repository}/actions/runs/{run}" if run else "",
    )
    pull, beside = event.get("pull_request"), event.get("workflow_run")
    if isinstance(pull, dict):
        # GITHUB_SHA is a merge commit that nobody sees; statuses are shown at the head.
        return replace(place, commit=str(pull["head"]["sha"]), pull=int(pull["number"]))
    if isinstance(beside, dict):
        owner = beside.get("head_repository") or {}
        head = (str(owner.get("full_name", "")), str(beside.get("head_branch", "")))
        return replace(place, commit=str(beside["head_sha"]), head=head, link=str(beside.get("html_url") or place.link))
    return place


def _at_gitlab(environ: Mapping[str, str]) -> Place:
    iid = environ.get("CI_MERGE_REQUEST_IID", "")
    commit, head = environ.get("CI_COMMIT_SHA", ""), environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "")
    return Place(
        environ.get("CI_API_V4_URL") or gitlab.API,
        environ.get("CI_MERGE_REQUEST_PROJECT_ID") or environ.get("CI_PROJECT_ID", ""),
        head or commit,
        int(iid) if iid.isdecimal() else None,
        link=environ.get("CI_JOB_URL", ""),
        status_project=environ.get("CI_PROJECT_ID", ""),
        pipeline="" if head else environ.get("CI_PIPELINE_ID", ""),
    )
