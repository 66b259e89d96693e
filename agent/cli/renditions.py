"""Variables and overlays of two revisions, where their configurations differ.

Used by the verbs that compare with ``--base``. Where a credential goes is decided by what is merged, but values of
variables and folders of overlays are content, as manifests are: a proposal that changes them changes what it renders,
and a reviewer wants to see that. They can name nothing that is secret (``config.variables``).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from agent.config import load_config
from agent.config.model import Config
from agent.config.relocate import Merged
from agent.errors import ConfigError
from agent.model.identity import Revision
from agent.model.rendering import Rendition
from agent.source import Source
from agent.source.location import place_in_repository

Renditions = Mapping[str, Rendition]
"""By target."""
Load = Callable[[bytes], Config]


def between(source: Source, path: str, start: Revision, head: Revision, load: Load) -> tuple[Renditions, Renditions]:
    """Those of both revisions of the repository; empty where they do not differ or cannot be read.

    Raises ConfigError for a mistake in the variables of either; of other mistakes the comparison tells itself.
    """
    before, after = (source.contents(each, [path]).get(path) for each in (start, head))
    if before is None or after is None or before == after:
        return {}, {}
    texts = dict(source.read(sorted({before, after})))
    return _of(texts[before], load), _of(texts[after], load)


def since(source: Source, config: Config, base: Revision, cwd: Path) -> Renditions:
    """Those of an older revision; empty where the configuration is as it was, or lies outside of the repository."""
    found = place_in_repository(cwd, config.path)
    lies = None if config.source.path is None else place_in_repository(cwd, config.source.path / "any")
    if found is None or lies is None or found[0] != lies[0]:
        return {}
    path = found[1]
    blob = source.contents(base, [path]).get(path)
    content = next(iter(source.read([blob])))[1] if blob is not None else None
    if content is None or content == config.path.read_bytes():
        return {}
    # Only what it renders is wanted of it: nothing else that it names is opened.
    as_it_was = Merged(content, lambda place: place, cwd)
    return _of(content, lambda _: load_config(config.path, os.environ, cwd, config.schemas, as_it_was))


def _of(content: bytes, load: Load) -> Renditions:
    try:
        config = load(content)
    except ConfigError as error:
        if any(problem.code.startswith("variable-") for problem in error.problems):
            raise
        return {}
    return {name: Rendition(target.variables, target.overlays) for name, target in config.targets.items()}
