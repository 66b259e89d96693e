"""Desired x last applied x live -> the leaves that differ, each with its cause.

Only leaves that the manifest writes are compared (``design/platform-definitions.md`` 7.1): a member that git never
wrote is nobody's difference. A leaf that was applied and has left git is *released*, or set to its declared default.
Both sides arrive normalised: secrets are fingerprints, encodings undone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.model.canonical import canonical
from agent.model.change import Cause, FieldChange, FieldOp
from agent.model.secret_names import is_masked
from agent.plan.elements import aligned, as_written, holds_fingerprint, identifying, key_of, label_of
from agent.plan.normalize import HIDDEN, is_fingerprint, public, same_scalar, to_type
from agent.plan.rules import Place, RuleBook, Types, covers, join_pointer, pattern_of, split_pointer

_MISSING: Any = type("Missing", (), {"__repr__": lambda self: "missing"})()


@dataclass(slots=True)
class Comparison:
    """``fields`` are what a write would change; ``released`` left git and stay live; ``quiet`` make no change.

    ``immutable`` holds the written fields whose change needs a replacement. ``quiet`` pairs a pointer with its reason.
    """

    fields: list[FieldChange] = field(default_factory=list)
    released: list[FieldChange] = field(default_factory=list)
    immutable: list[FieldChange] = field(default_factory=list)
    quiet: list[tuple[str, str, str]] = field(default_factory=list)  # path, why, rule

    @property
    def same(self) -> bool:
        return not self.fields


def compare(
    book: RuleBook,
    desired: Mapping[str, Any],
    applied: Mapping[str, Any] | None,
    live: Mapping[str, Any],
    *,
    types: Types | None = None,
    ignore: Sequence[str] = (),
    create_only: Sequence[str] = (),
) -> Comparison:
    """Walk the written leaves. ``applied`` is None when we never wrote the object (adoption): the cause is *adopt*."""
    walk = _Walk(
        book,
        types,
        {split_pointer(pointer) for pointer in ignore},
        {split_pointer(pointer) for pointer in create_only},
        adopting=applied is None,
    )
    walk.members(desired, {} if applied is None else applied, live, (), "")
    return walk.found


@dataclass(slots=True)
class _Walk:
    book: RuleBook
    types: Types | None
    ignore: set[Place]
    create_only: set[Place]
    adopting: bool
    found: Comparison = field(default_factory=Comparison)

    def members(self, desired: Mapping[str, Any], applied: Any, live: Any, place: Place, path: str) -> None:
        applied = applied if isinstance(applied, Mapping) else {}
        live = live if isinstance(live, Mapping) else {}
        for name, value in desired.items():
            self.leaf(
                value,
                applied.get(name, _MISSING),
                live.get(name, _MISSING),
                (*place, name),
                f"{path}.{_shown(name)}" if path else _shown(name),
            )
        for name, before in applied.items():
            if name not in desired:
                self.gone(before, live.get(name, _MISSING), (*place, name), f"{path}.{name}" if path else name)

    def leaf(self, desired: Any, applied: Any, live: Any, place: Place, path: str) -> None:
        # Nearly everything is equal nearly always: then no rule has a word to say. The second comparison tells 1 from
        # true, which Python takes for the same.
        if desired == live and (type(desired) is type(live) is str or canonical(desired) == canonical(live)):
            return
        if covers(self.ignore, place):
            if not self.equal(desired, live, place):
                self.found.quiet.append((path, "ignored", "lifecycle.ignore"))
            return
        if covers(self.create_only, place):
            if not self.equal(desired, live, place):
                self.found.quiet.append((path, "create only", "lifecycle.createOnly"))
            return
        if self.both_empty(desired, live, place):
            return
        if isinstance(desired, dict) and not is_fingerprint(desired):
            if isinstance(live, Mapping) and not is_fingerprint(live):
                self.members(desired, applied, live, place, path)
            elif live in (_MISSING, None) and applied is not _MISSING and self.book.may_hide(pattern_of(place)):
                self.members(desired, applied, {}, place, path)
            elif desired or live not in (_MISSING, None):
                self.differs(desired, applied, live, place, path)
        elif isinstance(desired, list):
            self.listed(desired, applied, live, place, path)
        elif not self.equal(desired, live, place):
            self.secret_or_differs(desired, applied, live, place, path)

    def both_empty(self, desired: Any, live: Any, place: Place) -> bool:
        """``compare: empty``: null, "", [] and {} are one value."""
        return (
            desired in (None, "", [], {})
            and live in (_MISSING, None, "", [], {})
            and self.book.at(pattern_of(place)).compare == "empty"
        )

    def secret_or_differs(self, desired: Any, applied: Any, live: Any, place: Place, path: str) -> None:
        """A leaf that cannot be read back is judged by what was last sent."""
        rule = self.book.at(pattern_of(place))
        masked = rule.mask is not None and isinstance(live, str) and re.search(rule.mask, live) is not None
        masked = masked or (is_fingerprint(desired) and is_masked(live))
        if (masked or (rule.write_only and live is _MISSING)) and applied is not _MISSING:
            if desired != applied:
                self.differs(desired, applied, live, place, path)
            return
        self.differs(desired, applied, live, place, path)

    def equal(self, desired: Any, live: Any, place: Place) -> bool:
        if live is _MISSING:
            return desired is None
        if isinstance(desired, dict) and not is_fingerprint(desired):
            return isinstance(live, Mapping) and all(
                self.equal(value, live.get(name, _MISSING), (*place, name)) for name, value in desired.items()
            )
        if isinstance(desired, list):
            return self.same_list(desired, live, place)
        if desired == live and (type(desired) is type(live) or bool not in (type(desired), type(live))):
            return True
        pattern = pattern_of(place)
        types = self.book.declared(self.types, pattern) if self.types is not None else None
        return same_scalar(desired, to_type(live, types), self.book.at(pattern).compare)

    def same_list(self, desired: list[Any], live: Any, place: Place) -> bool:
        if not isinstance(live, list):
            return False
        rule = self.book.at(pattern_of(place))
        if rule.list is None or rule.list == "ordered":
            return len(desired) == len(live) and all(
                self.equal(value, other, (*place, str(index)))
                for index, (value, other) in enumerate(zip(desired, live, strict=True))
            )
        left, missing = self.paired(desired, live, place)
        return not missing and (rule.own == "listed" or not left)

    def paired(self, desired: list[Any], live: list[Any], place: Place) -> tuple[list[Any], list[Any]]:
        """Elements of a set that only live has, and that only git has."""
        left = list(live)
        missing = []
        for value in desired:
            for index, other in enumerate(left):
                if self.equal(value, other, (*place, "0")):
                    del left[index]
                    break
            else:
                missing.append(value)
        return left, missing

    def listed(self, desired: list[Any], applied: Any, live: Any, place: Place, path: str) -> None:
        rule = self.book.at(pattern_of(place))
        if not isinstance(live, list):
            if desired or live not in (_MISSING, None):
                self.differs(desired, applied, live, place, path)
            return
        applied = applied if isinstance(applied, list) else _MISSING
        if rule.list == "set":
            self.set_of(desired, applied, live, place, path, own_all=rule.own == "all")
            return
        names = rule.list if isinstance(rule.list, tuple) else identifying(desired, live)
        if names is not None:
            self.keyed(desired, applied, live, place, path, names, keyed=isinstance(rule.list, tuple))
        else:
            self.unnamed(desired, applied, live, place, path)

    def unnamed(self, desired: list[Any], applied: Any, live: list[Any], place: Place, path: str) -> None:
        """One by one where they stand, or the list as a whole where that leaves more of it as it was."""
        element = (*place, "0")
        pairs = aligned(len(desired), len(live), lambda at, there: self.equal(desired[at], live[there], element))
        stay = sum(self.equal(value, other, element) for value, other in zip(desired, live, strict=False))
        told = as_written(live, [*desired, *(applied if applied is not _MISSING else ())])
        if len(desired) == len(live) and (len(pairs) <= stay or self.is_strict(desired, told, place)):
            for index, (value, other) in enumerate(zip(desired, live, strict=True)):
                before = applied[index] if applied is not _MISSING and index < len(applied) else _MISSING
                self.leaf(value, before, other, (*place, str(index)), f"{path}[{index}]")
            return
        for at, where in pairs:
            told[where] = desired[at]
        self.differs(desired, applied, told, place, path)

    def is_strict(self, desired: list[Any], live: list[Any], place: Place) -> bool:
        """Whether something is said of a leaf below a list that can only be heeded leaf by leaf."""
        pattern = pattern_of(place)
        excepted = any(pattern_of(each)[: len(pattern)] == pattern for each in self.ignore | self.create_only)
        return excepted or self.book.is_strict_below(pattern) or holds_fingerprint([desired, live])

    def set_of(
        self, desired: list[Any], applied: Any, live: list[Any], place: Place, path: str, *, own_all: bool
    ) -> None:
        left, missing = self.paired(desired, live, place)
        ours = applied if applied is not _MISSING else []
        for value in missing:
            cause = self.cause(value, value if value in ours else _MISSING)
            self.emit(FieldOp.ADD, cause, place, f"{path}[]", _MISSING, value)
        for value in left:
            if own_all or value in ours:
                # Written by us and gone from git, or never ours in a list that git owns whole.
                cause = Cause.GIT if value in ours else self.drift_cause()
                self.emit(FieldOp.REMOVE, cause, place, f"{path}[]", value, _MISSING)

    def keyed(
        self,
        desired: list[Any],
        applied: Any,
        live: list[Any],
        place: Place,
        path: str,
        names: tuple[str, ...],
        *,
        keyed: bool,
    ) -> None:
        there = {key_of(value, names): (index, value) for index, value in enumerate(live)}
        ours = {key_of(value, names): value for value in applied} if applied is not _MISSING else {}
        wanted = set()
        for index, value in enumerate(desired):
            key = key_of(value, names)
            wanted.add(key)
            label = f"{path}[{label_of(value, names)}]"
            if key in there:
                self.leaf(value, ours.get(key, _MISSING), there[key][1], (*place, str(index)), label)
            else:
                self.emit(
                    FieldOp.ADD,
                    self.cause(value, ours.get(key, _MISSING)),
                    (*place, str(index)),
                    label,
                    _MISSING,
                    value,
                )
        own_all = not keyed or self.book.at(pattern_of(place)).own == "all"
        for key, (index, value) in there.items():
            if key not in wanted and (own_all or key in ours):
                cause = Cause.GIT if key in ours else self.drift_cause()
                self.emit(
                    FieldOp.REMOVE, cause, (*place, str(index)), f"{path}[{label_of(value, names)}]", value, _MISSING
                )
        if not keyed:
            order = [key_of(value, names) for value in desired if key_of(value, names) in there]
            if order != [key for key in there if key in wanted]:
                before = [label_of(value, names) for value in live]
                after = [label_of(value, names) for value in desired]
                old = [label_of(value, names) for value in applied] if applied is not _MISSING else _MISSING
                self.emit(FieldOp.CHANGE, self.cause(after, old), place, f"{path} (order)", before, after)

    def gone(self, applied: Any, live: Any, place: Place, path: str) -> None:
        """A leaf that we once wrote and git no longer does."""
        if live is _MISSING or covers(self.ignore, place) or covers(self.create_only, place):
            return
        rule = self.book.at(pattern_of(place))
        if rule.has_default:
            if not self.equal(rule.default, live, place):
                self.emit(FieldOp.DEFAULT, Cause.DEFAULT, place, path, live, rule.default)
            return
        if rule.list == "set" and rule.own == "listed" and isinstance(applied, list) and isinstance(live, list):
            for value in applied:
                if value in live:
                    self.emit(FieldOp.REMOVE, Cause.GIT, place, f"{path}[]", value, _MISSING)
            return
        self.found.released.append(
            FieldChange(
                path,
                join_pointer(place),
                FieldOp.RELEASE,
                Cause.GIT,
                public(live),
                None,
                sensitive=self.hides(place, live),
            )
        )

    def differs(self, desired: Any, applied: Any, live: Any, place: Place, path: str) -> None:
        op = FieldOp.ADD if live is _MISSING else FieldOp.CHANGE
        self.emit(op, self.cause(desired, applied), place, path, live, desired)

    def cause(self, desired: Any, applied: Any) -> Cause:
        if self.adopting:
            return Cause.ADOPT
        if applied is not _MISSING and _same(desired, applied):
            return Cause.DRIFT
        return Cause.SECRET if is_fingerprint(desired) and is_fingerprint(applied) else Cause.GIT

    def drift_cause(self) -> Cause:
        return Cause.ADOPT if self.adopting else Cause.DRIFT

    def emit(self, op: FieldOp, cause: Cause, place: Place, path: str, before: Any, after: Any) -> None:
        sensitive = self.hides(place, before) or self.hides(place, after)
        change = FieldChange(
            path,
            join_pointer(place),
            op,
            cause,
            None if before is _MISSING or sensitive else public(before),
            None if after is _MISSING or sensitive else public(after),
            sensitive,
        )
        self.found.fields.append(change)
        if self.book.at(pattern_of(place)).immutable and before is not _MISSING:
            self.found.immutable.append(change)

    def hides(self, place: Place, value: Any) -> bool:
        return is_fingerprint(value) or (
            bool(self.book.at(pattern_of(place)).secret) and not isinstance(value, dict | list) and value != HIDDEN
        )


def _same(left: Any, right: Any) -> bool:
    return canonical(left) == canonical(right)


def _shown(name: str) -> str:
    return name if re.fullmatch(r"[\w-]+", name) else f'"{name}"'
