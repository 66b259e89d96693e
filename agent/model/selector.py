"""Which resources a person means, on the command line (``--only``) and in what the store keeps (a suspension). Pure."""

from __future__ import annotations

from dataclasses import dataclass

from agent.errors import UsageError


@dataclass(frozen=True, slots=True)
class Selector:
    """A choice of resources: ``Kind``, ``Kind/name``, ``Kind/scope/name`` or ``path:GLOB``; ``!`` before it excludes.

    ``Selector("")`` means everything.
    """

    text: str
    exclude: bool = False
    kind: str | None = None
    names: tuple[str, ...] = ()
    glob: str | None = None

    @classmethod
    def parse(cls, text: str) -> Selector:
        exclude = text.startswith("!")
        rest = text[1:] if exclude else text
        if rest.startswith("path:"):
            glob = rest.removeprefix("path:")
            if not glob:
                raise UsageError(f"{text}: a pattern must follow path:", fix="write path:manifests/sales/*")
            return cls(text, exclude, glob=glob)
        words = rest.split("/")
        if not all(words):
            raise UsageError(f"{text}: not a selector", fix="write Kind, Kind/name or path:GLOB")
        return cls(text, exclude, kind=words[0], names=tuple(words[1:]))

    def matches(self, kind: str, scope: tuple[tuple[str, str], ...], name: str, path: str = "") -> bool:
        """Whether this resource is meant, regardless of ``exclude``. ``Kind/name`` holds in every scope."""
        if self.glob is not None:
            from fnmatch import fnmatchcase

            return fnmatchcase(path, self.glob)
        if self.kind is None:
            return True
        if self.kind != kind:
            return False
        if len(self.names) <= 1:
            return not self.names or self.names[0] == name
        return self.names == (*(value for _, value in scope), name)
