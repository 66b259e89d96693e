"""Hostile text can neither drive a terminal nor speak to a forge's runner."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from agent.report.escape import (
    cell_code,
    clean,
    clean_lines,
    clean_members,
    code_span,
    command_data,
    command_property,
    fenced,
    html_text,
    sentence,
    xml_text,
)


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


# What somebody writes who wants more than to be read: markup, mentions, links, quick actions, commands, fences.
HOSTILE = st.lists(
    st.sampled_from(
        [
            *("`", "``", "```", "|", "\\", "\n", "\r\n", " ", "<", ">", "&", "*", "_", "~", "[", "](", ")", "!", "$"),
            *("@ann", "#12", "!3", "GH-12", "www.evil.example", "https://evil.example/x", "a@b.example", "::error::"),
            *(
                "##[error]",
                "##vso[",
                "</details>",
                "<!-- datakeel:plan key=x -->",
                "<img src=x>",
                "---",
                "/close",
                "- ",
            ),
            *(
                "word",
                "x.y",
                "1.",
                "1)",
                "# ",
                "> ",
                "\u202e",
                "\x1b[2J",
                "%0A",
                "%",
                ",",
                ":",
                "{{ x }}",
                "${{ x }}",
                "é",
            ),
        ]
    ),
    max_size=12,
).map("".join)
MARKDOWN = MarkdownIt("gfm-like", {"html": True})


def inline_tokens(text: str) -> list[Token]:
    (opening, inline, closing) = MARKDOWN.parse(text)
    assert (opening.type, closing.type) == ("paragraph_open", "paragraph_close")
    assert inline.children is not None
    return inline.children


@settings(max_examples=25, deadline=None)
@given(HOSTILE)
def test_a_code_span_holds_the_text_and_nothing_ends_it(text: str) -> None:
    (before, code, after) = inline_tokens(f"x {code_span(text)} y")
    assert (before.content, code.type, after.content) == ("x ", "code_inline", " y")
    assert code.content == (clean(text) or " ") or code.content.strip() == clean(text).strip()


@settings(max_examples=25, deadline=None)
@given(HOSTILE)
def test_a_cell_of_a_table_holds_the_text_as_code(text: str) -> None:
    html = MARKDOWN.render(f"| a | b |\n| --- | --- |\n| {cell_code(text)} | end |\n")
    row = html.partition("<tbody>")[2]
    first, second = re.findall(r"<td>(.*?)</td>", row, re.DOTALL)
    assert second == "end"
    inner = first.removeprefix("<code>").removesuffix("</code>")
    assert "<" not in inner
    assert unescape(inner).strip() == clean(text).strip()


@settings(max_examples=25, deadline=None)
@given(HOSTILE)
def test_a_sentence_is_plain_words_and_code(text: str) -> None:
    tokens = inline_tokens(f"x {sentence(text)}")
    inside = False  # of `<code>` and `</code>`, which a bar asks for
    for token in tokens:
        if token.type == "html_inline":
            assert token.content in ("<code>", "</code>")
            inside = token.content == "<code>"
        else:
            assert token.type in ("text", "code_inline", "text_special")
            if token.type == "text" and not inside:
                assert not re.search(r"[@#!<>&*_~\[\]$\\`|{}]|www\.|://|GH-", token.content), token.content


@settings(max_examples=25, deadline=None)
@given(HOSTILE, HOSTILE)
def test_a_fenced_block_ends_where_it_should(one: str, two: str) -> None:
    lines = [f"+ {clean(one)}", f"- {clean(two)}"]
    (fence, after, inline, closing) = MARKDOWN.parse(fenced(lines, "diff") + "\n\nafter")
    assert (fence.type, fence.info, fence.content) == ("fence", "diff", "\n".join(lines) + "\n")
    assert (after.type, inline.content, closing.type) == ("paragraph_open", "after", "paragraph_close")


@settings(max_examples=25, deadline=None)
@given(HOSTILE)
def test_text_between_tags_is_no_markup_of_either_language(text: str) -> None:
    html = MARKDOWN.render(f"<details><summary><code>{html_text(text)}</code></summary>\n\nbelow\n</details>\n")
    inner = html.partition("<summary><code>")[2].partition("</code></summary>")[0]
    assert "<" not in inner
    assert unescape(inner) == clean(text)
    assert MARKDOWN.parseInline(f"x{html_text(text)}")[0].children is not None
    assert {token.type for token in MARKDOWN.parseInline(f"x{html_text(text)}")[0].children or ()} <= {
        "text",
        "text_special",
    }


@settings(max_examples=25, deadline=None)
@given(HOSTILE | st.text(max_size=20))
def test_xml_can_carry_it(text: str) -> None:
    element = ElementTree.fromstring(ElementTree.tostring(ElementTree.Element("a", b=xml_text(text))))
    assert element.get("b") == xml_text(text)


@settings(max_examples=25, deadline=None)
@given(HOSTILE, HOSTILE)
def test_a_runner_reads_back_what_a_command_says(value: str, message: str) -> None:
    line = f"::error title={command_property(value)},file=a.yaml::{command_data(clean(message))}"
    assert len(line.splitlines()) == 1
    found = re.fullmatch(r"::error ([^:]*)::(.*)", line)
    assert found is not None
    properties = dict(pair.split("=", 1) for pair in found[1].split(","))
    assert set(properties) == {"title", "file"}
    assert unquote(properties["title"]) == clean(value)
    assert unquote(found[2]) == clean(message)
    assert "##[" not in line


def test_markdown_reads_well() -> None:
    assert code_span("Workflow/daily-etl") == "`Workflow/daily-etl`"
    assert code_span("a`b") == "``a`b``"
    assert code_span("`a") == "`` `a ``"
    assert code_span("") == "`   `"
    assert cell_code("a|b") == "<code>a&#124;b</code>"
    assert sentence("removed in 9be01d2 by ann") == "removed in 9be01d2 by ann"
    assert sentence("`cronn` is not known in `workflow.schedule`") == "`cronn` is not known in `workflow.schedule`"
    assert sentence("did you mean `cron`?") == "did you mean `cron`?"
    assert (
        sentence("lift `protect` in one commit, then wait (20 %)") == "lift `protect` in one commit, then wait (20 %)"
    )
    assert sentence('use five fields, "0 3 * * *" for one') == 'use five fields, `"0 3 * * *"` for one'
    assert sentence('say "yes" or "no more"') == 'say "yes" or "no more"'
    assert sentence("ask @team about #12") == "ask `@team` about `#12`"
    assert sentence("`a``b`c@d") == "`a` `b` `c@d`"
    assert html_text("a/<b>") == "a&#47;&#60;b&#62;"
    assert command_property("a,b:c") == "a%2Cb%3Ac"
    assert xml_text("\x00\uffff") == "\\x00\\uffff"
