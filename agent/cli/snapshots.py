"""Snapshots: taken by who may read, signed, and planned with by who has no credential at all.

Used by the verbs ``snapshot`` and ``diff``. The signature is an HMAC over the canonical document: by the key that the
configuration names under ``snapshot``, else by one that the state store's own key gives.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agent import __version__
from agent.cli.opening import open_targets
from agent.cli.options import Options, TargetPlan
from agent.cli.output import scrubbed
from agent.cli.reading import known_secrets, revision_of, source_of
from agent.cli.state import state_of
from agent.cli.unconnected import unconnected
from agent.cli.wiring import wish_of
from agent.clock import SystemClock
from agent.config.model import Config
from agent.errors import AgentError, ConfigError, Refused, UsageError
from agent.model.canonical import canonical, from_json
from agent.model.identity import Revision
from agent.reconcile.causes import with_causes
from agent.reconcile.desired import read_desired
from agent.reconcile.looking import look
from agent.reconcile.picture import look_at_picture
from agent.reconcile.proposal import proposal_of
from agent.reconcile.snapshot import FORMAT, picture_in, snapshot_of
from agent.reconcile.target import Target
from agent.report.documents import dump_document
from agent.source import Source
from agent.store.store import Store

SIZE_MAX = 256 << 20
_SCHEME = "hmac-sha256:"


@dataclass(frozen=True, slots=True)
class Taken:
    """The signed document; of each target its name, how many objects were seen, and of how many nothing is known."""

    document: Mapping[str, Any]
    targets: tuple[tuple[str, int, int], ...]
    calls: int


async def take(config: Config, options: Options) -> Taken:
    """Look at everything and write it down, signed. Sends reads only. Raises what a look raises."""
    clock = SystemClock()
    async with open_targets(config, options, writable=False) as opened:
        revision = revision_of(opened.source, options)
        parts, calls = [], 0
        for target in opened.targets:
            seen = await look(target, replace(wish_of(options, revision), careful=True))
            parts.append(snapshot_of(target, seen, clock.now()))
            calls += seen.plan.calls.read
        document: dict[str, Any] = {
            "format": FORMAT,
            "agent": __version__,
            "revision": {"commit": revision.commit, "ref": revision.ref},
            "targets": parts,
        }
        key = _key(config, opened.store)
        document = from_json(scrubbed(dump_document(document)))  # before it is signed, for the signature tells of bytes
        document["signature"] = _signature(document, key)
        return Taken(
            document, tuple((part["name"], len(part["objects"]), len(part["unread"])) for part in parts), calls
        )


def read_snapshot(path: Path, config: Config) -> dict[str, Any]:
    """The snapshot, once its signature holds. Raises UsageError for another file, Refused for a wrong signature."""

    def unreadable(fault: str) -> UsageError:
        return UsageError(
            f"the snapshot {path} {fault}", code="snapshot-unreadable", fix="datakeel snapshot FILE takes one"
        )

    try:
        if path.stat().st_size > SIZE_MAX:
            raise unreadable(f"is larger than {SIZE_MAX} bytes")
        content = path.read_bytes()
    except OSError as error:
        raise unreadable(f"cannot be read: {error.strerror}") from error
    try:
        document = from_json(content)
    except (ValueError, RecursionError) as error:
        raise unreadable("is not JSON") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise unreadable(f"is not of the format {FORMAT}")
    if not _is_signed(document, _key_of_config(config)):
        raise Refused(
            f"the snapshot {path} does not carry our signature: it was changed, or taken with another key",
            code="snapshot-refused",
            fix="take it again, with the key that `snapshot` names in the configuration",
        )
    return document


def plan_by_snapshot(
    config: Config,
    options: Options,
    document: Mapping[str, Any],
    source: Source,
    head: Revision,
    start: Revision | None = None,
) -> tuple[TargetPlan, ...]:
    """The plan of each target, of all that git says or, with ``start``, of a proposal. Sends nothing."""
    parts = {part["name"]: part for part in document["targets"]}
    known = {name: part["secrets"] for name, part in parts.items()}
    with unconnected(config, options, source, known) as targets:
        return tuple(_plan(target, parts.get(target.name), options, source, head, start) for target in targets)


def plan_of_all(config: Config, options: Options, path: Path) -> tuple[TargetPlan, ...]:
    """``diff --snapshot`` without ``--base``."""
    document = read_snapshot(path, config)
    with source_of(config, options, known_secrets(config)) as source:
        return plan_by_snapshot(config, options, document, source, revision_of(source, options))


def _plan(
    target: Target,
    part: Mapping[str, Any] | None,
    options: Options,
    source: Source,
    head: Revision,
    start: Revision | None,
) -> TargetPlan:
    try:
        if part is None:
            what = f"the snapshot has no target {target.name}"
            raise Refused(what, code="snapshot-outdated", fix="take it again")
        picture = picture_in(part, target)
        wish = replace(wish_of(options, head), careful=True)
        if start is None:
            desired, proposal = (
                read_desired(target.source, head, target.config, target.platform, None, target.last),
                None,
            )
        else:
            proposal = proposal_of(target, start, head)
            desired = proposal.head
        seen = look_at_picture(target, picture, desired, wish, proposal)
    except ConfigError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        why = type(error).__name__
        return TargetPlan(
            target.name, error=AgentError("the snapshot is not understood", code="snapshot-unreadable", why=why)
        )
    except AgentError as error:
        return TargetPlan(target.name, error=error)
    merged = proposal.base if proposal is not None else None
    return TargetPlan(target.name, with_causes(seen.plan, source), desired, merged=merged)


def _is_signed(document: Mapping[str, Any], key: bytes) -> bool:
    try:
        expected = _signature(document, key)
    except (ValueError, TypeError, RecursionError):  # it holds what no snapshot of ours holds
        return False
    return hmac.compare_digest(str(document.get("signature")).encode("utf-8", "replace"), expected.encode())


def _signature(document: Mapping[str, Any], key: bytes) -> str:
    body = {word: value for word, value in document.items() if word != "signature"}
    return _SCHEME + hmac.new(key, canonical(body), hashlib.sha256).hexdigest()


def _key(config: Config, store: Store) -> bytes:
    if config.snapshot_key is not None:
        from agent.secrets import Reader

        return Reader(config.snapshot_key, several_lines=True)().reveal().encode()
    return hmac.new(store.installation_key, b"datakeel.snapshot", hashlib.sha256).digest()


def _key_of_config(config: Config) -> bytes:
    """The key, with the state store opened only where the configuration names none."""
    store = Store.open(state_of(config), clock=SystemClock(), write=False)
    try:
        return _key(config, store)
    finally:
        store.close()
