"""What holds for every page, whatever its document says: escaped, nothing inline or foreign, vendored as noted."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from agent.server.pages.drawing import BAR_WIDTH, bar, meter, strip, strip_words
from agent.server.pages.render import TEMPLATES, link, render, resource_link
from agent.server.pages.routes import STATIC

TEXTS = sorted(TEMPLATES.glob("*.html"))


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_templates_keep_to_the_policy(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|hx-on|javascript:|\bjs:", text), "nothing inline"
    assert not re.search(r"""(?:src|href|action|connect|get)=["'](?:https?:)?//""", text), "nothing foreign"
    assert not re.search(r"\|\s*safe\b|autoescape\s+false", text), "everything is escaped"
    assert all("src=" in script for script in re.findall(r"<script[^>]*>", text))


def test_vendored_files_are_as_noted() -> None:
    notice = (STATIC / "NOTICE.md").read_text(encoding="utf-8")
    noted = dict(re.findall(r"^\| `([\w.-]+)` .*`([0-9a-f]{64})` \|$", notice, re.MULTILINE))
    assert set(noted) == {path.name for path in STATIC.glob("*.min.js")}
    for name, digest in noted.items():
        assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == digest
    for path in STATIC.iterdir():
        assert not re.search(r"@import|url\((?![\"']?(?:#|/static))", path.read_text(encoding="utf-8")), path.name


def test_what_a_document_says_cannot_leave_its_place() -> None:
    evil = '</title><script>alert(1)</script>" onload=x \u202e`b`'
    error = {"format": "datakeel.error/1", "error": {"code": "usage", "message": evil, "fix": evil}}
    page = render("error.html", error, "overview", "/x", 'q="><img src=x>')
    assert "<script>alert" not in page and "<img" not in page and "\u202e" not in page
    assert "\\u202e" in page and "&lt;script&gt;" in page


def test_parts_of_the_bar_fill_it_and_none_is_lost() -> None:
    parts = bar({"failed": 1, "held": 2, "in sync": 99_997})
    assert [part.number for part in parts] == [1, 2, 99_997]
    assert min(part.width for part in parts) > 5
    assert sum(part.width for part in parts) == pytest.approx(BAR_WIDTH, abs=0.1)
    assert bar({}) == []


def test_strip_draws_quiet_stretches_as_one() -> None:
    assert [(tick.x, tick.width, tick.word) for tick in strip("..--a-ff")] == [
        (2, 2, "quiet"),
        (4, 1, "done"),
        (5, 1, "quiet"),
        (6, 1, "failed"),
        (7, 1, "failed"),
    ]
    told = strip_words("..--a-ff", 600)
    assert "2 × failed" in told and "2 × no pass" in told and "10 minutes each" in told


@pytest.mark.parametrize(
    ("left", "level"), [(80, "well"), (28, "well"), (27, "short"), (8, "short"), (7, "low"), (0, "low")]
)
def test_meter_warns_before_calls_run_out(left: int, level: str) -> None:
    drawn = meter({"limit": 100, "usable": 80, "left": left}, "this minute", "38 s")
    assert drawn.level == level
    assert drawn.used + drawn.left + drawn.kept == pytest.approx(100)
    assert drawn.words == f"{left} of 80 calls left this minute, whole again in 38 s"


def test_links_carry_any_name() -> None:
    key = {"target": "a/b", "kind": "Rule", "scope": {"org": "x y"}, "name": "c?d#e"}
    assert resource_link(key) == "/resources/a%2Fb/Rule/x%20y/c%3Fd%23e"
    assert link("/resources", q="a&b", state="", target=None) == "/resources?q=a%26b"
