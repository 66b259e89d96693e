"""The schema that imported files name for editors: above each document, by its path from the file.

Used by ``importing``. The schema stands where the verb ``schema`` writes it, and is written where it is missing, so
that no file names one that is not there. One that is there is left as it is, as all that import finds.
"""

from __future__ import annotations

import os
from pathlib import Path

from agent.cli import schema_files
from agent.config.model import Config
from agent.definitions.platform import Platform
from agent.editor.files import modeline, schema_file


class EditorSchema:
    """Of one platform, for files below ``base``; without a common folder no file can name it by a path that lasts."""

    def __init__(self, config: Config, platform: Platform, top: Path | None) -> None:
        home = config.path.parent.resolve()
        self._platform = platform
        self._variables = schema_files.has_variables(config, platform)
        self._home = home
        self._base = top if top is not None and home.is_relative_to(top) else home
        self.written: str | None = None

    def line(self, file: Path) -> str:
        """The line for documents of a file, with its end; empty for a file that stands elsewhere."""
        whole = Path(os.path.normpath(Path.cwd() / file))
        if not whole.is_relative_to(self._base):
            return ""
        name = schema_file(self._platform.api_version)
        schema = (self._home / name).relative_to(self._base).as_posix()
        if not (self._home / name).exists():
            text = schema_files.umbrella_text(self._platform, variables=self._variables)
            schema_files.write_files(self._home, [schema_files.File(name, text)])
            self.written = schema
        return f"{modeline(schema, whole.relative_to(self._base).as_posix())}\n"
