from __future__ import annotations

import pytest

from agent.validate.placeholders import find, may_hold


@pytest.mark.parametrize(
    "text",
    [
        "${{name}}", "${{ a b }}", "${NAME}", "${s3-depot-name}-rw", "x-${a}", "${{name", "${name", "${{a:b:c}}",
        "<your-workspace>", "https://<your_host>/x", "<YOUR bucket>",
    ],
)  # fmt: skip
def test_a_placeholder_in_one_line_is_an_error(text: str) -> None:
    found = find(text)
    assert found is not None and found[0] == "error"


@pytest.mark.parametrize("text", ["<bucket>", "<workspace name>", "$S3_BUCKET"])
def test_what_may_be_meant_as_it_stands_is_a_warning(text: str) -> None:
    found = find(text)
    assert found is not None and found[0] == "warning"


@pytest.mark.parametrize(
    "text",
    [
        "", "plain", "a < b and c > d", "CASE WHEN x < 1 THEN 2", "^ZEPHYR_DB$", "costs $5", "$lower", "a <b> c",
        "{{ .Name }}", "https://{{host}}/x", "(?<year>\\d{4})", "$1", "<1", None, 7, True,
    ],
)  # fmt: skip
def test_content_is_left_alone(text: object) -> None:
    assert find(text) is None


def test_a_shell_variable_in_a_script_is_content_and_told() -> None:
    script = "#!/bin/sh\nfor f in *; do\n  echo ${f} ${HOME:-/} ${#list} ${name%.sql}\ndone\n"
    found = find(script)
    assert found is not None and found[:2] == ("warning", "${f}")


@pytest.mark.parametrize("text", ["a\n${{x}}\n", "a\nhttps://${dataos-host}/b\n", "echo ${f}\ncd ${the folder}\n"])
def test_what_no_shell_reads_as_a_variable_is_an_error_in_a_script_too(text: str) -> None:
    found = find(text)
    assert found is not None and found[0] == "error"


def test_a_text_of_one_line_with_a_line_end_is_one_line() -> None:
    found = find("${name}\n")
    assert found is not None and found[0] == "error"


def test_markup_in_a_text_of_lines_is_content() -> None:
    assert find("# Title\n<b>bold</b> and <i>\n") is None
    assert find("SELECT *\nWHERE a <> '' AND b < 3\n") is None


def test_in_a_name_nothing_angled_is_content() -> None:
    found = find("<bucket>", identity=True)
    assert found is not None and found[0] == "error"


def test_bytes_without_a_sign_are_not_walked() -> None:
    assert not may_hold(b"a: 1 < 2\nb: costs $5\n")
    for source in (b"a: ${x}", b"a: <b>", b"a: $NAME"):
        assert may_hold(source)
