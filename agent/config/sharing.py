"""Several agents on one state: how many there may be, how long a lease lasts, and where the state's password is kept.

Used by ``config.load``. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from agent.config.checks import seconds_of
from agent.config.faults import Fault, as_text
from agent.config.model import SharingConfig
from agent.config.references import reference_faults

DEADLINES_A_LEASE = 3
"""A call must end within the lease under which it began, and the lease must have been confirmed before."""
LEASE_SECONDS_MIN = 15.0
SEVERAL = 1000


def sharing_faults(document: Mapping[str, Any], origins: Mapping[str, str]) -> Iterator[Fault]:
    """What is wrong with ``state``, ``replicas`` and ``lease``. Parts of an unexpected type are left to the schema.

    ``origins`` are pointers whose value came from the environment, where a password may stand.
    """
    state = document.get("state")
    if isinstance(state, dict):
        yield from reference_faults(("state",), {key: state[key] for key in state if key == "password"})
    for pointer, url in (("/state", state), ("/state/url", state.get("url") if isinstance(state, dict) else None)):
        if isinstance(url, str) and "://" in url and pointer not in origins and _password_in(url):
            what = "`state` holds a password, and this file is for everybody to read"
            fix = "state: {url: postgresql://user@host/database, password: {env: NAME}}, or {file: PATH}"
            yield Fault(pointer, "credential-invalid", what, None, fix)
    lease, longest = document.get("lease"), _longest(document)
    if isinstance(lease, str) and longest is not None and _seconds(lease) is not None:
        least = DEADLINES_A_LEASE * longest
        if (_seconds(lease) or 0.0) < least:
            what = f"a lease is at least {DEADLINES_A_LEASE} times the longest deadline of a target"
            yield Fault("/lease", "config-invalid", what, as_text(lease), f"lease: {least:g}s, or a shorter deadline")


def sharing_of(document: Mapping[str, Any], state: str) -> SharingConfig:
    """How the state is shared; ``state`` is its URL."""
    is_file = state.startswith("sqlite:")
    longest = max(seconds_of(target.get("deadline", "30s")) for target in document["targets"].values())
    lease = max(LEASE_SECONDS_MIN, DEADLINES_A_LEASE * longest)
    return SharingConfig(
        document.get("replicas", 1 if is_file else SEVERAL),
        seconds_of(document["lease"]) if "lease" in document else lease,
        is_file,
    )


def _password_in(url: str) -> bool:
    try:
        return bool(urlsplit(url).password) or "password=" in urlsplit(url).query
    except ValueError:
        return False


def _longest(document: Mapping[str, Any]) -> float | None:
    targets = document.get("targets")
    if not isinstance(targets, dict):
        return None
    written = [target.get("deadline", "30s") if isinstance(target, dict) else "30s" for target in targets.values()]
    found = [_seconds(each) for each in written]
    return max((each for each in found if each is not None), default=None)


def _seconds(written: Any) -> float | None:
    try:
        return seconds_of(written)
    except (AssertionError, TypeError):
        return None
