"""What nobody filled in: placeholders of a document and variables without a value, found and reported.

Used by ``document``. What they hide from the other checks is told, so that one mistake is one problem.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.model.secret_names import named_secrets
from agent.validate import placeholders
from agent.validate.findings import Findings
from agent.validate.kind_rules import PlatformRules
from agent.validate.pointers import Tokens, is_under, join, leaves, split
from agent.validate.recognise import Identity
from agent.validate.secret_leaves import sounds_secret
from agent.validate.variables import unknown_variable, without_known

Held = tuple[Tokens, bool, placeholders.Finding]  # place, whether it is the key there, what was found

ANYWHERE: tuple[Tokens, ...] = (("*", "*"),)
"""All places that may hold a secret, where nobody can tell which do."""


class Unfilled:
    """Looks at the documents of one file. ``values`` are those of the variables that there are."""

    def __init__(self, source: bytes, rules: PlatformRules, values: Mapping[str, Any]) -> None:
        self._rules = rules
        self._values = values
        self._needed = placeholders.may_hold(source)

    def find(self, value: Any) -> list[Held]:
        """``value`` is as it was written: what a variable brought is nobody's placeholder."""
        if not self._needed:
            return []
        found = []
        for place, leaf, is_key in leaves(value):
            if isinstance(leaf, str) and ("$" in leaf or "<" in leaf):
                finding = placeholders.find(without_known(leaf, self._values))
                if finding is not None and self._values:
                    finding = unknown_variable(leaf, self._values) or finding
                if finding is not None:
                    found.append((place, is_key, finding))
        return found

    def hides_kind(self, held: frozenset[Tokens]) -> bool:
        """Whether a member that says what a document is holds a placeholder: then nothing more can be said of it."""
        return any((word,) in held for word in self._rules.deciding)

    def hidden(self, identity: Identity | None) -> tuple[Tokens, ...]:
        """Places whose text is never shown."""
        if identity is None:
            return ANYWHERE
        base = split(identity.base)
        named = (place for place, _ in named_secrets(identity.spec))
        return tuple((*base, *place) for place in (*self._rules.of(identity.kind).secrets(identity.words), *named))

    def report(self, found: list[Held], identity: Identity | None, findings: Findings) -> None:
        """Quoted, unless the place is that of a secret, or may be one of a kind that cannot be told."""
        hidden = self.hidden(identity) if found else ()
        for place, is_key, finding in found:
            is_name = finding.code != "placeholder"  # of a variable, which tells nothing of a secret
            is_hidden = not is_name and (is_under(place, hidden) or sounds_secret(place))
            shown = "this" if is_hidden else f"`{finding.text}`"
            findings.add(
                join(place),
                finding.code,
                f"{shown} {finding.sentence}",
                on="key" if is_key else "value",
                fix=finding.fix,
                severity=finding.severity,
            )


def certain(found: list[Held]) -> frozenset[Tokens]:
    """Places that hold a placeholder for certain: whatever else is wrong there follows from it."""
    return frozenset(place for place, _, finding in found if finding.severity == "error")
