"""The value that never shows itself."""

from __future__ import annotations

from typing import SupportsIndex

MASK = "***"


class Secret(str):
    """A text whose content, for everyone but :meth:`reveal`, is ``***``.

    It is a ``str`` so that every encoder (json, orjson, format, pickle) writes the mask instead of failing.
    """

    __slots__ = ("_value",)
    _value: str

    def __new__(cls, value: str) -> Secret:
        secret = super().__new__(cls, MASK)
        secret._value = value
        return secret

    def reveal(self) -> str:
        """The value itself; for the code that sends it and for nothing else."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[type[str], tuple[str]]:
        return str, (MASK,)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self
