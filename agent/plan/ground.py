"""What a plan stands on besides desired and observed. Assembled by ``reconcile/once``; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agent.definitions.platform import Kind, Platform
from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.plan.policy import Policy
from agent.plan.rules import RuleBooks, Types


@dataclass(frozen=True, slots=True)
class Ground:
    """``applied`` holds, for the keys that were read, the document that the last write left behind: ``spec`` (its
    secrets as fingerprints) and ``depends_on``. ``fingerprint`` turns a secret leaf as written (a value or a
    ``secretRef``) into its keyed hash. ``deciding`` are keys whose last write is still in doubt.
    """

    platform: Platform
    books: RuleBooks
    policy: Policy
    rows: Mapping[Key, InventoryRow]
    applied: Mapping[Key, Mapping[str, Any]]
    types: Callable[[Kind], Types | None]
    fingerprint: Callable[[Any], str]
    deciding: Mapping[Key, str]
    now: float


def key_to_json(key: Key) -> list[Any]:
    return [key.target, key.kind, [list(pair) for pair in key.scope], key.name]


def key_from_json(value: Any) -> Key:
    target, kind, scope, name = value
    return Key(target, kind, tuple((word, text) for word, text in scope), name)
