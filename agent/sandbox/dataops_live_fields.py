"""What a project, a group and a project's parts have: every attribute that a body may set, its type and its default.

DataOps.live is a GitLab; its page prints five members of a project and one more in a form, the others are GitLab's, as
the vendor's clients were seen to receive them. A word that is not here is ignored, as GitLab ignores it.
Read by the other `dataops_live` files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.sandbox.messages import Refusal


@dataclass(frozen=True, slots=True)
class Attribute:
    kind: str = "text"
    """text, flag, number, list or choice."""
    default: Any = None
    choices: tuple[str, ...] = ()
    shown: bool = True


def _choice(*choices: str, default: str | None = None) -> Attribute:
    return Attribute("choice", default or choices[0], choices)


_VISIBILITY = _choice("private", "internal", "public")
_ACCESS = _choice("enabled", "private", "disabled")
_PRIVATE = _choice("private", "enabled", "disabled")
_ON, _OFF, _UNSAID = Attribute("flag", True), Attribute("flag", False), Attribute("flag")

_FEATURES = (
    *("issues", "repository", "merge_requests", "forking", "wiki", "builds", "snippets", "container_registry"),
    *("environments", "feature_flags", "infrastructure", "monitor", "releases", "model_registry", "analytics"),
    "requirements",
)
_EVENTS = (
    *("tag_push", "issues", "confidential_issues", "merge_requests", "note", "pipeline", "job", "wiki_page"),
    *("deployment", "releases"),
)

PROJECT: Mapping[str, Attribute] = {
    "name": Attribute(),
    "path": Attribute(),
    "description": Attribute(),
    "default_branch": Attribute(default="main"),
    "visibility": _VISIBILITY,
    "topics": Attribute("list", ()),
    "container_registry_enabled": _ON,
    "packages_enabled": _UNSAID,
    "resolve_outdated_diff_discussions": _OFF,
    "issues_enabled": _ON,
    "merge_requests_enabled": _ON,
    "wiki_enabled": _ON,
    "jobs_enabled": _ON,
    "snippets_enabled": _ON,
    **{f"{feature}_access_level": _ACCESS for feature in _FEATURES},
    "pages_access_level": _choice("private", "enabled", "disabled", "public"),
    "security_and_compliance_access_level": _PRIVATE,
    "shared_runners_enabled": _ON,
    "group_runners_enabled": _ON,
    "lfs_enabled": _ON,
    "emails_enabled": _ON,
    "request_access_enabled": _ON,
    "ci_default_git_depth": Attribute("number", 20),
    "ci_config_path": Attribute(default=""),
    "ci_forward_deployment_enabled": _ON,
    "public_jobs": _ON,
    "keep_latest_artifact": _ON,
    "build_timeout": Attribute("number", 3600),
    "build_git_strategy": _choice("fetch", "clone"),
    "auto_cancel_pending_pipelines": _choice("enabled", "disabled"),
    "auto_devops_enabled": _OFF,
    "auto_devops_deploy_strategy": _choice("continuous", "manual", "timed_incremental"),
    "autoclose_referenced_issues": _ON,
    "only_allow_merge_if_pipeline_succeeds": _OFF,
    "only_allow_merge_if_all_discussions_are_resolved": _OFF,
    "allow_merge_on_skipped_pipeline": _UNSAID,
    "remove_source_branch_after_merge": _ON,
    "printing_merge_request_link_enabled": _ON,
    "merge_method": _choice("merge", "rebase_merge", "ff"),
    "squash_option": _choice("default_off", "default_on", "always", "never"),
    "merge_commit_template": Attribute(),
    "squash_commit_template": Attribute(),
    "suggestion_commit_message": Attribute(),
    "service_desk_enabled": _OFF,
}

GROUP: Mapping[str, Attribute] = {
    "name": Attribute(),
    "path": Attribute(),
    "description": Attribute(default=""),
    "visibility": _VISIBILITY,
    "project_creation_level": _choice("developer", "maintainer", "owner", "noone"),
    "subgroup_creation_level": _choice("maintainer", "owner"),
    "require_two_factor_authentication": _OFF,
    "two_factor_grace_period": Attribute("number", 48),
    "auto_devops_enabled": _UNSAID,
    "lfs_enabled": _ON,
    "request_access_enabled": _ON,
    "emails_disabled": _OFF,
    "mentions_disabled": _UNSAID,
    "share_with_group_lock": _OFF,
    "default_branch_protection": Attribute("number", 2),
    "default_branch": Attribute(),
}


@dataclass(frozen=True, slots=True)
class Part:
    """Something that belongs to a project, below `/projects/{id}/<path>`."""

    type: str
    path: str
    title: str
    """As a 404 names it."""
    attributes: Mapping[str, Attribute]
    required: tuple[str, ...]
    key: str = "id"
    dated: bool = True


PARTS: Mapping[str, Part] = {
    part.path: part
    for part in (
        Part(
            "variable",
            "variables",
            "Variable",
            {
                "variable_type": _choice("env_var", "file"),
                "key": Attribute(),
                "value": Attribute(),
                "protected": _OFF,
                "masked": _OFF,
                "masked_and_hidden": Attribute("flag", False, shown=False),
                "raw": _OFF,
                "environment_scope": Attribute(default="*"),
                "description": Attribute(),
            },
            ("key", "value"),
            key="key",
            dated=False,
        ),
        Part(
            "hook",
            "hooks",
            "Hook",
            {
                "url": Attribute(),
                "name": Attribute(),
                "description": Attribute(),
                "push_events": _ON,
                "push_events_branch_filter": Attribute(default=""),
                **{f"{event}_events": _OFF for event in _EVENTS},
                "enable_ssl_verification": _ON,
                "token": Attribute(shown=False),
            },
            ("url",),
        ),
        Part(
            "schedule",
            "pipeline_schedules",
            "Pipeline Schedule",
            {
                "description": Attribute(),
                "ref": Attribute(),
                "cron": Attribute(),
                "cron_timezone": Attribute(default="UTC"),
                "active": _ON,
            },
            ("description", "ref", "cron"),
        ),
        Part("trigger", "triggers", "Trigger", {"description": Attribute()}, ("description",)),
    )
}


def error(message: str) -> Refusal:
    """A 400 of the layer that reads parameters: GitLab says `error` there, and `message` everywhere else."""
    return Refusal(400, "error", message)


def defaults(attributes: Mapping[str, Attribute]) -> dict[str, Any]:
    return {name: list(each.default) if each.kind == "list" else each.default for name, each in attributes.items()}


def read_attributes(attributes: Mapping[str, Attribute], sent: Mapping[str, Any]) -> dict[str, Any]:
    """The known ones among what was sent, in their types. Refusal 400 for a value that cannot be one."""
    return {name: _coerced(name, attributes[name], value) for name, value in sent.items() if name in attributes}


def need(sent: Mapping[str, Any], names: Sequence[str]) -> None:
    missing = [name for name in names if sent.get(name) is None]
    if missing:
        raise error(", ".join(f"{name} is missing" for name in missing))


def _coerced(name: str, attribute: Attribute, value: Any) -> Any:
    if value is None:
        return list(attribute.default) if attribute.kind == "list" else None
    if attribute.kind == "flag":
        if isinstance(value, bool):
            return value
        flag = {"true": True, "1": True, "on": True, "yes": True, "false": False, "0": False, "off": False, "no": False}
        if str(value).lower() not in flag:
            raise error(f"{name} is invalid")
        return flag[str(value).lower()]
    if attribute.kind == "number":
        if isinstance(value, bool) or not str(value).lstrip("-").isdecimal():
            raise error(f"{name} is invalid")
        return int(value)
    if attribute.kind == "list":
        words = value.split(",") if isinstance(value, str) else value
        if not isinstance(words, list) or any(isinstance(word, list | dict) for word in words):
            raise error(f"{name} is invalid")
        return list(dict.fromkeys(str(word).strip() for word in words if str(word).strip()))
    if isinstance(value, list | dict):
        raise error(f"{name} is invalid")
    text = _text(value)
    if attribute.kind == "choice" and text not in attribute.choices:
        raise error(f"{name} does not have a valid value")
    return text


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
