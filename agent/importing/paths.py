"""Where the file of a manifest stands: a name of the platform as a path that every file system and git can hold.

Names of platforms may hold anything; paths here are ASCII, and no two differ only by case. A name that is safe as it is
stays as it is, so that people find it; any other one ends with a piece of its hash, which keeps it apart. Pure.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Literal

from agent.definitions.files import SCHEMA_SUFFIX, schema_name
from agent.model.identity import Key

Group = Literal["file", "kind"]

_SUFFIX = ".yaml"
_LONGEST = 100
_SAFE = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._@+-]*[A-Za-z0-9_-])?", re.ASCII)
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
# Windows takes no file of these names, whatever follows the first dot.
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
# Git on Windows refuses names that it takes for its own folder, such as `git~1`; they cannot be spelled without `~`.


def paths_of(keys: Iterable[Key], group: Group, taken: Collection[str]) -> dict[Key, str]:
    """A path below the folder that is imported into, for each key; several keys share one only where ``group`` says so.

    ``taken`` are paths that exist there. One that is the very same is kept, for that file is the key's own; one that
    differs by case only would be the same file elsewhere, so another one is found.
    """
    by_case: dict[str, str] = {path.casefold(): path for path in sorted(taken)}
    found: dict[Key, str] = {}
    owners: dict[str, object] = {}
    for key in sorted(keys):
        owner: object = key.kind if group == "kind" else key
        for path in _candidates(key, group):
            folded = path.casefold()
            if owners.get(folded, owner) == owner and by_case.get(folded, path) == path:
                found[key] = path
                owners[folded] = owner
                by_case[folded] = path
                break
    return found


def kebab(kind: str) -> str:
    """``DataProduct`` as ``data-product``: as its schema is called."""
    return schema_name(kind).removesuffix(SCHEMA_SUFFIX)


def grouped(paths: Mapping[Key, str]) -> dict[str, list[Key]]:
    """The keys of each path, both in order."""
    files: dict[str, list[Key]] = {}
    for key in sorted(paths):
        files.setdefault(paths[key], []).append(key)
    return dict(sorted(files.items()))


def _candidates(key: Key, group: Group) -> Iterable[str]:
    parts = [_safe(kebab(key.kind))]
    if group == "file":
        parts += [_safe(name) for _, name in key.scope] + [_safe(key.name)]
    yield "/".join(parts) + _SUFFIX
    digest = _digest("\x1f".join((key.target, key.kind, *(f"{word}={name}" for word, name in key.scope), key.name)))
    for length in (8, 16, 64):
        yield "/".join([*parts[:-1], f"{parts[-1]}-{digest[:length]}"]) + _SUFFIX


def _safe(name: str) -> str:
    if len(name) <= _LONGEST and _SAFE.fullmatch(name) and not _RESERVED.fullmatch(name):
        return name
    head = _UNSAFE.sub("-", name)[: _LONGEST - 9].strip(".-")
    if _RESERVED.fullmatch(head):
        head = head.replace(".", "-")
    return f"{head or 'name'}-{_digest(name)[:8]}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
