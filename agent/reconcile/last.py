"""What a target remembers of the revision before. Kept by ``target``, read and written by ``desired``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.model.manifest import CheckedFile
from agent.model.resource import Desired
from agent.reconcile.rendering import Rendering
from agent.reconcile.specs import Specs


@dataclass(slots=True)
class LastDesired:
    """The previous revision of a folder, kept so that an unchanged tree costs nothing and a changed one its change."""

    context: str = ""
    listed: Any = None  # what git lists and the configuration puts in, as it was
    entries: tuple[Any, ...] = ()  # the files, by content id
    desired: Desired | None = None
    checked: dict[str, CheckedFile] = field(default_factory=dict)
    quarantined: frozenset[str] = frozenset()  # blobs that are tried again in the next pass: see ``checking``
    uploads: tuple[str, ...] = ()  # paths of files that manifests name
    contents: Mapping[str, str] = field(default_factory=dict)  # git's ids of those that are there
    specs: Specs | None = None
    rendering: Rendering | None = None
