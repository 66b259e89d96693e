"""Committed files that are made from something else are what that makes of them today."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.editor.generated import COMMAND, ROOT, generated


@pytest.mark.parametrize(
    ("path", "text"), [pytest.param(path, text, id=path.relative_to(ROOT).as_posix()) for path, text in generated()]
)
def test_what_is_generated_is_fresh(path: Path, text: str) -> None:
    assert path.is_file() and path.read_text(encoding="utf-8") == text, f"`{COMMAND}` writes it anew"
