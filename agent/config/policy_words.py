"""``limits``, ``drift``, ``budget``, ``windows`` of a target, beyond what a schema can word, and the way to ``policy``.

Called by ``load``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agent.config.checks import seconds_of, share_faults, share_of
from agent.config.faults import Fault, as_text, join
from agent.config.model import DriftPolicy
from agent.errors.near import near
from agent.model.limits import Class, Limit, Limits

if TYPE_CHECKING:
    from pathlib import Path

    from agent.config.relocate import Merged
    from agent.definitions.platform import Window
    from agent.errors import Problem
    from agent.model.window import ApplyWindow
    from agent.policy.rule import Rule

_CLASSES: tuple[Class, ...] = ("deletes", "updates", "creates")
_DEFAULT = "default"
DRIFT_MODES = ("heal", "report", "off")
_SHARES = tuple(f"{what}_share_max" for what in _CLASSES)


@dataclass(slots=True)
class Policies:
    """What was found of rules over the plan: by target, the files that were read, and every mistake."""

    rules: dict[str, tuple[Rule, ...]] = field(default_factory=dict)
    files: dict[Path, None] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def policies_of(
    document: Mapping[str, Any], content: bytes, shown: str, folder: Path, merged: Merged | None
) -> Policies:
    """The rules, where the configuration has any: nobody else pays for their language."""
    targets = document.get("targets")
    holders = [document, *(targets.values() if isinstance(targets, dict) else ())]
    if not any(isinstance(holder, dict) and "policy" in holder for holder in holders):
        return Policies()
    from agent.config.rules import read_policies

    return read_policies(document, content, shown, folder, merged)


def policy_faults(targets: Any) -> Iterator[Fault]:
    """Modes and shares that are none, of targets and of kinds."""
    for name, target in targets.items() if isinstance(targets, dict) else ():
        if not isinstance(target, dict):
            continue
        yield from _modes(("targets", name, "drift"), target.get("drift"))
        limits = target.get("limits")
        if not isinstance(limits, dict):
            continue
        at = ("targets", name, "limits")
        yield from _shares(at, limits)
        kinds = limits.get("kinds")
        for kind, words in kinds.items() if isinstance(kinds, dict) else ():
            if isinstance(words, dict):
                yield from _shares((*at, "kinds", kind), words)


def drift_of(written: Any) -> tuple[DriftPolicy, Mapping[str, DriftPolicy]]:
    """The mode of a target, and those of kinds that have their own."""
    modes: dict[str, DriftPolicy] = {_DEFAULT: written} if isinstance(written, str) else dict(written)  # type: ignore[dict-item]
    return modes.pop(_DEFAULT, "report"), modes


def limits_of(written: Mapping[str, Any]) -> Limits:
    """The limits of one target, as checked; what is not said keeps its default."""
    plain: dict[str, Any] = {name: value for name, value in written.items() if name not in _SHARES and name != "kinds"}
    shares: dict[str, Any] = {name: share_of(written[name]) for name in _SHARES if name in written}
    kinds = {kind: _of_kind(words) for kind, words in written.get("kinds", {}).items()}
    return Limits(**plain, **shares, kinds=kinds)


def _modes(at: tuple[str, ...], written: Any) -> Iterator[Fault]:
    said = written.items() if isinstance(written, dict) else [("", written)]
    for kind, mode in said:
        if isinstance(mode, str) and mode not in DRIFT_MODES:
            place = (*at, kind) if kind else at
            what = f"`{'.'.join(place)}` must be one of {', '.join(DRIFT_MODES)}"
            yield Fault(join(*place), "config-invalid", what, as_text(mode), near(mode, DRIFT_MODES))


def _of_kind(words: Mapping[str, Any]) -> Mapping[Class, Limit]:
    found: dict[Class, Limit] = {}
    for what in _CLASSES:
        most, share = words.get(f"{what}_max"), words.get(f"{what}_share_max")
        if most is not None or share is not None:
            found[what] = Limit(most, None if share is None else share_of(share))
    return found


def _shares(at: tuple[str, ...], holder: Mapping[str, Any]) -> Iterator[Fault]:
    for word in _SHARES:
        yield from share_faults(join(*at, word), holder.get(word), 1.0)


def budget_of(budget: Any) -> tuple[Window, ...] | None:
    if budget is None or budget == "off":
        return None if budget is None else ()
    from agent.definitions.platform import Window

    return tuple(Window(one["requests"], seconds_of(one["per"]), one.get("burst")) for one in budget)


def window_of(written: Mapping[str, Any]) -> ApplyWindow:
    from agent.model.window import ApplyWindow

    return ApplyWindow(
        "allow" in written,
        written.get("allow") or written["deny"],
        seconds_of(written["lasts"]),
        written.get("timezone", "UTC"),
        written.get("of", "writes"),
    )
