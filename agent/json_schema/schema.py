"""One compiled schema: is a value valid, what is wrong with it, which pointers and types does it know.

Compiled when first used. The compiled engine (``jsonschema_rs``) gives the verdict; only a *no* imports jsonschema,
which finds the faults that ``wording.py`` puts into sentences. Without the compiled engine jsonschema does both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from agent.json_schema.drafts import draft_of, fast_validator
from agent.json_schema.reach import Walker
from agent.json_schema.violation import Violation

if TYPE_CHECKING:
    from agent.json_schema.explain import Explainer

_MOST_VIOLATIONS: Final = 1000


def _never(_pointer: str) -> bool:
    return False


class Schema:
    """A schema that passed ``check_schema``. ``name`` is its path, shown in the ``why`` of a violation."""

    def __init__(self, schema: Mapping[str, Any], name: str) -> None:
        self.schema = schema
        self.name = name

    def is_valid(self, value: Any) -> bool:
        """The verdict alone, as fast as it can be had."""
        fast = self._fast
        if fast is None:
            return self._explainer.is_valid(value)
        try:
            return bool(fast.is_valid(value))
        except ValueError:  # a value of a type that the compiled engine does not know
            return self._explainer.is_valid(value)

    def violations(self, value: Any, *, sensitive: Callable[[str], bool] = _never) -> tuple[Violation, ...]:
        """All faults, at most a thousand and the count of the rest.

        ``sensitive`` tells of a pointer whether its value must not be shown.
        """
        if self.is_valid(value):
            return ()
        found = self._explainer.violations(value, sensitive, _MOST_VIOLATIONS)
        if found:
            return found
        return (Violation("", "value", "invalid-manifest", "the document does not fit its schema", None, self.name),)

    def reaches(self, pointer: str) -> bool:
        """Can this pointer exist in an instance? ``*`` stands for any member. An open schema reaches everything."""
        return self._walker.reaches(pointer)

    def at(self, pointer: str) -> Mapping[str, Any] | None:
        """The schema that judges the value at a pointer; None where nothing is declared or nothing can stand."""
        return self._walker.at(pointer)

    def type_at(self, pointer: str) -> frozenset[str] | None:
        """The JSON types that the schema declares at a pointer; None where it declares none."""
        return self._walker.type_at(pointer)

    def names_at(self, pointer: str) -> tuple[str, ...]:
        """The members that the schema declares by name at a pointer, in its order; () where it names none."""
        return self._walker.names_at(pointer)

    @cached_property
    def _fast(self) -> Any | None:
        return fast_validator(self.schema)

    @cached_property
    def _explainer(self) -> Explainer:
        from agent.json_schema.explain import Explainer  # imports jsonschema: a tenth of a second

        return Explainer(self.schema, self.name, draft_of(self.schema) or "2020-12")

    @cached_property
    def _walker(self) -> Walker:
        return Walker(self.schema)
