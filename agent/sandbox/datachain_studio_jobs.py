"""Jobs of the emulated DataChain Studio: what is accepted, and what becomes of a job as time passes.

A job is kept as it was sent, with the moments at which it runs and ends; its status follows from the clock. The page
prints the statuses CREATED and running, the vendor's client the other words. Used by
:mod:`agent.sandbox.datachain_studio`; nothing here is changed or sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from agent.sandbox.datachain_studio_bodies import invalid, read_moment, required, stamp
from agent.sandbox.messages import Request

LIMIT_DEFAULT = 20
LIMIT_MAX = 100
"""A guess: the page has a limit and no paging, so a list is cut somewhere."""

ENDED = frozenset({"COMPLETE", "FAILED", "CANCELED"})
QUERY_TYPES = {"PYTHON": 1, "SHELL": 2}
_TEXTS = (
    *("environment", "query_name", "python_version", "requirements", "repository", "compute_cluster_name"),
    *("start_after", "cron_expression", "credentials_name", "rerun_from_job_id"),
)
_NUMBERS = {"workers": (0, 1_000_000), "priority": (0, 5)}
_CRON = re.compile(r"@(hourly|daily|weekly|monthly|yearly|annually)|\S+( +\S+){4}")
_STARTS = 0.25
"""Share of the time to readiness that a job waits before it runs."""

Job = Mapping[str, Any]


def check_job(body: Mapping[str, Any]) -> dict[str, Any]:
    """The job that the body asks for; Refusal 400 where a parameter is not what the page says."""
    query_type = required(body, "query_type").upper()
    required(body, "query")
    if query_type not in QUERY_TYPES:
        raise invalid(f"'query_type' must be one of {', '.join(QUERY_TYPES)}")
    for word in _TEXTS:
        if body.get(word) is not None and not isinstance(body[word], str):
            raise invalid(f"'{word}' must be text")
    for word, (least, most) in _NUMBERS.items():
        number = body.get(word)
        if number is not None and (not isinstance(number, int) or isinstance(number, bool) or number < least):
            raise invalid(f"'{word}' must be a whole number from {least}")
        if number is not None and number > most:
            raise invalid(f"'{word}' must be at most {most}")
    files = body.get("files")
    if files is not None and not (isinstance(files, list) and all(isinstance(each, str | int) for each in files)):
        raise invalid("'files' must be a list of ids")
    if body.get("compute_cluster_name") is not None and body.get("compute_cluster_id") is not None:
        raise invalid("'compute_cluster_name' and 'compute_cluster_id' are mutually exclusive")
    if body.get("cron_expression") and not _CRON.fullmatch(body["cron_expression"]):
        raise invalid("'cron_expression' must have five fields")
    return {
        **{word: body.get(word) for word in (*_TEXTS, *_NUMBERS, "query", "compute_cluster_id")},
        "query_type": query_type,
        "environment": _environment(body.get("environment") or ""),
        "files": [str(each) for each in files or []],
        "start_after": _start(body.get("start_after")),
    }


def begun(job: Mapping[str, Any], now: float, ready_after: float, outcome: str) -> dict[str, Any]:
    """The job with its moments: created now, or set for later."""
    start = max(now, job["start_after"] or now)
    return {
        **job,
        "created": now,
        "starts": start,
        "runs": start + ready_after * _STARTS,
        "ends": start + ready_after,
        "outcome": outcome,
        "cancelled": None,
        "cancel_ends": None,
    }


def status_of(job: Job, at: float) -> str:
    planned = bool(job["cron_expression"]) or at < job["starts"]
    if job["cancelled"] is not None and at >= job["cancelled"]:
        if at >= job["cancel_ends"]:
            return "CANCELED"
        return "CANCELING_SCHEDULED" if job["cancelled"] < job["starts"] or job["cron_expression"] else "CANCELING"
    if planned:
        return "TASK"
    if at < job["runs"]:
        return "CREATED"
    return "RUNNING" if at < job["ends"] else job["outcome"]


def shown(job: Job, at: float) -> dict[str, Any]:
    """A row of the list: the members that the page prints, then those that the vendor's client prints."""
    status = status_of(job, at)
    ended = job["cancel_ends"] if status == "CANCELED" else job["ends"] if status in ENDED else None
    started = job["runs"] if job["cancelled"] is None or job["cancelled"] >= job["runs"] else None
    failed = status == "FAILED"
    return {
        "created_at": stamp(job["created"]),
        "created_by": job["created_by"],
        "environment": job["environment"],
        "error_message": "Task failed" if failed else "",
        "error_stack": "",
        "exit_code": {"COMPLETE": 0, "FAILED": 1}.get(status),
        "finished_at": None if ended is None else stamp(ended),
        "id": job["id"],
        "name": job["query_name"] or "",
        "python_version": job["python_version"],
        "query": job["query"],
        "query_type": QUERY_TYPES[job["query_type"]],
        "repository": job["repository"] or "",
        "requirements": job["requirements"] or "",
        "status": status,
        "team": job["team"],
        "url": job["url"],
        "workers": job["workers"] or 0,
        "started_at": stamp(started) if started is not None and at >= started and status != "TASK" else None,
        "compute_cluster_id": job["compute_cluster_id"],
        "compute_cluster_name": job["compute_cluster_name"],
        "priority": job["priority"],
        "files": job["files"],
        "start_after": None if job["start_after"] is None else stamp(job["start_after"]),
        "cron_expression": job["cron_expression"],
        "credentials_name": job["credentials_name"],
    }


def listed(request: Request, jobs: Mapping[str, Job], at: float) -> list[dict[str, Any]]:
    """The newest jobs that the query asks for, no more than its limit. Order, cap and letter case are guesses."""
    text = request.parameter("limit") or str(LIMIT_DEFAULT)
    if not (text.isascii() and text.isdecimal() and int(text[:9]) > 0):
        raise invalid("'limit' must be a whole number from 1")
    limit = min(int(text[:9]), LIMIT_MAX)
    status, identity = (request.parameter("status") or "").upper(), request.parameter("job_id")
    rows: list[dict[str, Any]] = []
    for job in reversed([*jobs.values()]):
        if (not status or status_of(job, at) == status) and identity in (None, "", job["id"]):
            rows.append(shown(job, at))
            if len(rows) == limit:
                break
    return rows


def _environment(text: str) -> dict[str, str]:
    variables: dict[str, str] = {}
    for line in text.splitlines():
        name, separator, value = line.partition("=")
        if line.strip() and not (separator and name.strip()):
            raise invalid("'environment' must have lines such as NAME=value")
        if line.strip():
            variables[name.strip()] = value
    return variables


def _start(text: str | None) -> float | None:
    if not text:
        return None
    try:
        return read_moment(text)
    except ValueError as error:
        raise invalid("'start_after' must be an ISO moment") from error
