"""Hostile text can neither drive a terminal nor speak to a forge's runner."""

from __future__ import annotations

import pytest

from agent.report.escape import clean, clean_lines, clean_members


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain text, Grüße 東京", "plain text, Grüße 東京"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\x00\x7f\x9b", "\\x00\\x7f\\x9b"),
        ("abc\u202egnp.exe", "abc\\u202egnp.exe"),
        ("a\u200bb\u2066c\ufeff", "a\\u200bb\\u2066c\\ufeff"),
        ("x\u2028y", "x\\u2028y"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("::error::boo", "\\::error::boo"),
        ("  ::add-mask::x", "  \\::add-mask::x"),
        ("http://[::1]:80", "http://[::1]:80"),
        ("a ##[error]b", "a #\\#[error]b"),
        ("##vso[task]", "#\\#vso[task]"),
        ("## heading", "## heading"),
    ],
)
def test_dangerous_characters_become_visible(text: str, safe: str) -> None:
    assert clean(text) == safe
    clean(text).encode()


def test_text_is_cut_just_beyond_the_limit() -> None:
    assert clean("abcd", 4) == "abcd"
    assert clean("abcde", 4) == "abc…"


def test_every_line_of_a_text_carries_the_mark() -> None:
    assert clean_lines("a\n::error::b\n", "| ") == ["| a", "| \\::error::b", "| "]


def test_members_are_cleaned_at_every_depth() -> None:
    assert clean_members({"a\n": ["\x1b", {"b": "\x07"}], "n": 1}) == {"a\\n": ["\\x1b", {"b": "\\x07"}], "n": 1}
