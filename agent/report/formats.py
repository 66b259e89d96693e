"""The formats of ``-o`` and who writes them: one module a format, imported when it is asked for.

Each module has ``render(document, settings) -> str``. Documents are those of ``agent.report.documents``, or the same
ones read back from a file, so that whatever can be shown by ``diff`` can be shown later by ``notify``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

MAX_BYTES = 60_000  # GitHub takes comments of 65,536 characters, GitLab of a million
MAX_BYTES_LEAST = 2000

WRITERS = {
    "json": "agent.report.documents",
    "markdown": "agent.report.markdown",
    "github": "agent.report.github",
    "gitlab": "agent.report.gitlab",
    "gitlab-terraform": "agent.report.gitlab_terraform",
    "sarif": "agent.report.sarif",
    "junit": "agent.report.junit",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What a writer may need beside the document. ``key`` tells sticky comments apart, ``full`` names the whole plan,
    ``untrusted`` says that a stranger's job made the document.

    ``max_bytes`` bounds Markdown, the one format that somebody else cuts or refuses when it is too long.
    """

    key: str = "default"
    max_bytes: int = MAX_BYTES
    full: str | None = None
    untrusted: bool = False


def render(name: str, document: Mapping[str, Any], settings: Settings) -> str:
    """The document in the format of this name."""
    text: str = import_module(WRITERS[name]).render(document, settings)
    return text
