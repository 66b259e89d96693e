"""Committed files that are made from something else are what that makes of them today."""

from __future__ import annotations

from tests.editor.generated import COMMAND, ROOT, generated


def test_what_is_generated_is_fresh() -> None:
    for path, text in generated():
        shown = path.relative_to(ROOT).as_posix()
        assert path.is_file() and path.read_text(encoding="utf-8") == text, f"{shown}: `{COMMAND}` writes it anew"
