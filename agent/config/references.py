"""References to secrets as the configuration writes them: what is wrong with them, and the values that they become.

Used by ``checks`` and ``load``. Pure; nothing is followed here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from agent.config.faults import Fault, join
from agent.secrets import UNNAMEABLE, Reference

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_WORDS = ("env", "file", "exec", "sops", "age")


def reference_faults(at: tuple[str, ...], references: Any) -> Iterator[Fault]:
    """What is wrong with a mapping of names to references. Parts of an unexpected type are left to the schema."""
    if not isinstance(references, dict):
        return
    for name, reference in references.items():
        pointer = join(*at, name)
        fix = "write one of {env: NAME}, {file: PATH}, {exec: [COMMAND, …]}, {sops: {file: PATH}}, {age: {file: PATH}}"
        if not _NAME.fullmatch(name):
            # `{token:abc}`, without a blank, is a key whose text is the secret itself: it is not repeated.
            what = "a name that is no name: letters, digits, `-`, `_` and `.` only"
            yield Fault(pointer, "credential-invalid", what, None, f"put a blank behind the colon; {fix}", "key")
            continue
        if not isinstance(reference, dict):
            yield Fault(pointer, "credential-invalid", f"`{name}` holds a value where a reference is due", None, fix)
            continue
        given = [word for word in _WORDS if word in reference]
        unknown = [word for word in reference if word not in given]
        if "value" in unknown:
            yield Fault(pointer, "credential-invalid", f"`{name}` holds a value where a reference is due", None, fix)
        elif len(given) != 1 and not unknown:
            what = f"`{name}` has {' and '.join(given)}" if given else f"`{name}` says nowhere where the secret is kept"
            yield Fault(pointer, "credential-invalid", what, None, fix)
        variable = reference.get("env")
        if isinstance(variable, str) and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", variable):
            what = "`env` is not the name of an environment variable"
            yield Fault(join(*at, name, "env"), "credential-invalid", what, None, "write the name, not the value")
        sops = reference.get("sops")
        for part in _key(sops.get("key")) if isinstance(sops, dict) else ():
            if isinstance(part, str) and (not part or UNNAMEABLE & set(part)):
                what = (
                    "`key` has an empty part" if not part else "`key` has a bracket or a quote, which sops cannot take"
                )
                yield Fault(join(*at, name, "sops", "key"), "credential-invalid", what, None, "key: lake.password")


def references_of(written: Mapping[str, Any] | None, folder: Path, withheld: frozenset[str]) -> dict[str, Reference]:
    """Checked references by name. Paths are relative to ``folder``; ``withheld`` are variables kept from commands."""
    return {name: reference_of(reference, folder, withheld) for name, reference in (written or {}).items()}


def reference_of(written: Mapping[str, Any], folder: Path, withheld: frozenset[str]) -> Reference:
    """One checked reference."""
    if "env" in written:
        return Reference("env", written["env"])
    if "file" in written:
        return Reference("file", _path(written["file"], folder))
    if "exec" in written:
        return Reference("exec", tuple(written["exec"]), withheld=withheld)
    kind: Literal["sops", "age"] = "sops" if "sops" in written else "age"
    words = written[kind]
    identity = _path(words["identity"], folder) if "identity" in words else ""
    return Reference(kind, _path(words["file"], folder), _key(words.get("key")), identity, withheld)


def _key(written: Any) -> tuple[Any, ...]:
    """``lake.password``, or a list, as the parts that lead to a value; empty for all of the file."""
    if isinstance(written, str):
        return tuple(written.split("."))
    return tuple(written) if isinstance(written, list) else ()


def _path(written: str, folder: Path) -> str:
    return os.path.normpath(folder / written)
