"""Where the schemas for editors lie in a repository, and how a document names its own.

They stand in ``.schemas/`` beside ``datakeel.yaml`` and are meant to be committed, so that everybody who opens the
repository has them, with or without datakeel. A folder whose name starts with a dot is never read as manifests.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence

FOLDER = ".schemas"
CONFIGURATION = f"{FOLDER}/datakeel.json"
OVERLAY = f"{FOLDER}/overlay.json"
DEFINITION = f"{FOLDER}/platform.json"


def schema_file(api_version: str) -> str:
    """``acme/v1`` -> ``.schemas/acme/v1.json``, relative to the folder in which ``datakeel.yaml`` stands."""
    return f"{FOLDER}/{api_version}.json"


def associations(
    targets: Sequence[tuple[str, str, Sequence[str]]], configuration: str, platforms: Sequence[str] = ()
) -> Mapping[str, Sequence[str]]:
    """``yaml.schemas`` of an editor's settings: each schema file with the patterns of the files that it describes.

    ``targets`` are (apiVersion, folder of manifests, folders of overlays), folders relative to where the settings
    stand; ``configuration`` is the path of ``datakeel.yaml`` from there, ``platforms`` folders of platforms of one's
    own. Of a target that reads the whole repository, every YAML file but the configuration is a manifest.
    """
    found: dict[str, list[str]] = {CONFIGURATION: [configuration]}
    if platforms:
        found[DEFINITION] = [f"{folder.strip('/')}/**/platform.yaml" for folder in platforms]
    for api_version, folder, overlays in targets:
        patterns = found.setdefault(schema_file(api_version), [])
        inside = folder.strip("/")
        wanted = _below(inside) if inside not in ("", ".") else [*_below(""), f"!{configuration}"]
        wanted += [f"!{overlay.strip('/')}/**" for overlay in overlays if _is_below(overlay, inside)]
        patterns += [pattern for pattern in wanted if pattern not in patterns]
        if overlays:
            told = found.setdefault(OVERLAY, [])
            told += [pattern for overlay in overlays for pattern in _below(overlay.strip("/")) if pattern not in told]
    return found


def modeline(schema: str, document: str) -> str:
    """The comment that tells a language server the schema of one document; both are paths from the same folder.

    It holds for its own document alone, so a file of several needs one above each.
    """
    path = posixpath.relpath(schema, posixpath.dirname(document) or ".")
    return f"# yaml-language-server: $schema={path}"


def _below(folder: str) -> list[str]:
    start = f"{folder}/" if folder else ""
    return [f"{start}**/*.yaml", f"{start}**/*.yml"]


def _is_below(path: str, folder: str) -> bool:
    return folder in ("", ".") or path.strip("/").startswith(f"{folder}/")
