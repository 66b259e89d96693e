"""What is made from the program says what the program says."""

from __future__ import annotations

from tests.docs.log_words import SAID
from tests.docs.reference import FOLDER, logged, made

AGAIN = "python -m tests.docs.reference writes it anew"


def test_every_page_that_is_made_is_as_it_would_be_made_now() -> None:
    pages = made()
    stale = [path.name for path, text in pages.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    assert stale == [], AGAIN
    assert set((FOLDER / "kinds").glob("*.md")) <= set(pages), AGAIN


def test_every_line_of_the_log_is_told_and_no_other() -> None:
    found = logged()
    assert set(SAID) == set(found)
    assert found["lease.lost"] == ({"warning"}, {"target", "epoch"})
