"""``folder`` and ``overlays`` of a target: folders inside the repository, none of them in another one.

Used by ``checks`` and ``load``. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agent.config.faults import Fault, as_text, join


def folder_faults(at: tuple[str, ...], target: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong with the folders of a target. Parts of an unexpected type are left to the schema."""
    if isinstance(target.get("folder"), str):
        yield from _outside(join(*at, "folder"), "folder", target["folder"])
    written = target.get("overlays")
    folders = {"": plain_folder(target["folder"])} if isinstance(target.get("folder", ""), str) and written else {}
    if written and "folder" not in target:
        folders = {"": ""}
    for index, folder in enumerate(written if isinstance(written, list) else ()):
        if not isinstance(folder, str):
            continue
        pointer = join(*at, "overlays", str(index))
        yield from _outside(pointer, "overlays", folder)
        mine = plain_folder(folder)
        for other, name in folders.items():
            if _is_in(mine, name) or _is_in(name, mine):
                whose = "other overlays" if other else "the manifests"
                what = f"this folder and {name or '.'}, that of {whose}, lie in one another"
                fix = "lay them side by side: manifests/base, manifests/overlays/prod"
                yield Fault(pointer, "config-invalid", what, as_text(folder), fix)
        folders[str(index + 1)] = mine


def plain_folder(written: str) -> str:
    """Without slashes at its ends; "" is the repository's top."""
    return "/".join(part for part in written.split("/") if part not in ("", "."))


def _outside(pointer: str, word: str, folder: str) -> Iterator[Fault]:
    if folder.startswith(("/", "~", "-")) or "\\" in folder or "\x00" in folder or ".." in folder.split("/"):
        what = f"`{word}` must be a folder inside the repository"
        yield Fault(pointer, "config-invalid", what, as_text(folder), "write manifests/example")


def _is_in(inner: str, outer: str) -> bool:
    return not outer or inner == outer or inner.startswith(outer + "/")
