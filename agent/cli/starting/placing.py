"""New files, and never over one that is there. Used by ``begin``."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from agent.errors import AgentError


@dataclass(slots=True)
class Placed:
    """What was written and what was there already, as paths from where the command was given."""

    here: Path
    wrote: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)

    def write(self, path: Path, text: str) -> bool:
        """A new file with its folders; False where something of that name is there. AgentError where it cannot be."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError as error:
            if not os.path.lexists(path):  # a parent is no folder
                raise _failed(path, error) from error
            self.kept.append(self.shown(path))
            return False
        except OSError as error:
            raise _failed(path, error) from error
        self.wrote.append(self.shown(path))
        return True

    def keep(self, path: Path) -> None:
        self.kept.append(self.shown(path))

    def shown(self, path: Path) -> str:
        relative = os.path.relpath(path, self.here)
        return str(path) if relative.startswith("..") else relative


def _failed(path: Path, error: OSError) -> AgentError:
    return AgentError(f"{path} cannot be written: {error.strerror}", code="output-failed")
