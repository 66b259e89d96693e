"""Outputs: one document on standard output, whole files, scrubbed text."""

from __future__ import annotations

import json
import os
import re
from argparse import Namespace
from pathlib import Path

import pytest

from agent.cli import output
from agent.cli.main import main
from agent.cli.output import FORMATS_OF_PROBLEMS, Output, parse_outputs, write_outputs
from agent.cli.shared import settings_of
from agent.definitions.files import bundled_schemas
from agent.errors import AgentError, UsageError
from agent.report.documents import error_document
from agent.report.formats import WRITERS
from agent.secrets import Redactor, Secret

FORMATS = ("text", "json")


def test_text_on_standard_output_is_the_default() -> None:
    assert parse_outputs([], FORMATS) == (Output("text"),)
    assert parse_outputs(["json=a=b.json", "text"], FORMATS) == (Output("json", Path("a=b.json")), Output("text"))


@pytest.mark.parametrize("words", [["text", "json"], ["xml"], ["json="], ["jsn=x"], [""]])
def test_what_cannot_be_written_is_refused(words: list[str]) -> None:
    with pytest.raises(UsageError):
        parse_outputs(words, FORMATS)


@pytest.mark.parametrize(("given", "bytes_max"), [(None, 60_000), (2000, 2000), (1999, None)])
def test_a_page_has_room_for_what_decides(given: int | None, bytes_max: int | None) -> None:
    arguments = Namespace(max_bytes=given)
    if bytes_max is None:
        with pytest.raises(UsageError, match="too few for a page"):
            settings_of(arguments)
    else:
        assert settings_of(arguments).max_bytes == bytes_max


def test_a_mistyped_format_gets_a_suggestion() -> None:
    with pytest.raises(UsageError) as caught:
        parse_outputs(["jsn"], FORMATS)
    assert caught.value.fix == "did you mean json?"


def test_files_are_written_before_standard_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "plan.json"
    seen: list[bool] = []

    def text() -> str:
        seen.append(path.exists())
        return "text\n"

    write_outputs((Output("text"), Output("json", path)), {"text": text, "json": lambda: "{}\n"})
    assert capsys.readouterr().out == "text\n"
    assert path.read_text() == "{}\n"
    assert seen == [True]
    assert [one.name for one in tmp_path.iterdir()] == ["plan.json"]


def test_a_file_is_replaced_whole_and_keeps_its_mode_and_its_link(tmp_path: Path) -> None:
    real = tmp_path / "real.json"
    real.write_text("old")
    real.chmod(0o640)
    link = tmp_path / "link.json"
    link.symlink_to(real)
    output.write_file(link, "new")
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert real.stat().st_mode & 0o777 == 0o640


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    output.write_file(pipe, "text")
    assert os.read(reader, 10) == b"text"
    os.close(reader)
    assert pipe.is_fifo()


def test_a_file_that_cannot_be_written_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="cannot be written") as caught:
        output.write_file(tmp_path / "missing" / "x", "text")
    assert caught.value.error_code == "output-failed"


def test_everything_passes_the_redactor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    redactor = Redactor()
    redactor.add(Secret("s3cret-canary"))
    output.use_redactor(redactor)
    try:
        write_outputs(
            (Output("text"), Output("json", tmp_path / "x")),
            {"text": lambda: "a s3cret-canary\n", "json": lambda: "b s3cret-canary\n"},
        )
        output.print_error(AgentError("c s3cret-canary"), json_wanted="json")
        output.tell("d s3cret-canary")
    finally:
        output.forget_secrets()
    captured = capsys.readouterr()
    assert "canary" not in captured.out + captured.err + (tmp_path / "x").read_text()
    assert captured.out.startswith("a ***\n")


def test_what_one_command_hid_is_an_ordinary_word_of_the_next(capsys: pytest.CaptureFixture[str]) -> None:
    redactor = Redactor()
    redactor.add(Secret("datakeel"))
    output.use_redactor(redactor)
    assert main(["version"]) == 0
    assert "datakeel" in capsys.readouterr().out


def test_annotations_may_follow_the_text_and_nothing_else_may(capsys: pytest.CaptureFixture[str]) -> None:
    formats = ("text", "json", "github", "markdown")
    outputs = parse_outputs(["github", "text"], formats)
    document = error_document(AgentError("no answer", code="api-fault"))
    write_outputs(outputs, {"text": lambda: "text\n"}, lambda: document)
    assert capsys.readouterr().out == "text\n::error title=api-fault::no answer\n"
    for words in (["github", "json"], ["text", "markdown"], ["text", "text"], ["text", "github", "github"]):
        with pytest.raises(UsageError, match="standard output"):
            parse_outputs(words, formats)


def test_the_document_is_made_once_and_has_no_secret_in_any_format(tmp_path: Path) -> None:
    redactor = Redactor()
    redactor.add(Secret("pa|ss,wo:rd%&`x"))
    output.use_redactor(redactor)
    made: list[int] = []

    def document() -> dict[str, object]:
        made.append(1)
        return error_document(AgentError("the platform said pa|ss,wo:rd%&`x", code="api-fault"))

    try:
        outputs = [Output(name, tmp_path / name) for name in WRITERS]
        write_outputs(outputs, {}, document)
    finally:
        output.use_redactor(Redactor())
    assert made == [1]
    for name in WRITERS:
        text = (tmp_path / name).read_text()
        assert not re.search("ss.{1,6}wo", text), name
        assert name == "gitlab-terraform" or "***" in text, name


def test_a_failure_reaches_every_output_that_was_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error = AgentError("no answer", code="api-fault")
    words = ["text", f"json={tmp_path / 'plan.json'}", "github", f"nonsense={tmp_path / 'x'}", "json"]
    output.write_failure(error, words)
    assert json.loads((tmp_path / "plan.json").read_text())["error"]["code"] == "api-fault"
    assert capsys.readouterr().out == "::error title=api-fault::no answer\n"
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]
    output.write_failure(error, [f"json={tmp_path / 'no' / 'folder.json'}"])
    assert "output-failed" in capsys.readouterr().err


SHOP = """
apiVersion: datakeel/v1
source: {path: .}
targets:
  shop: {platform: acme, server: "https://x.example", credentials: {token: {env: ACME_TOKEN}}, folder: manifests}
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a manifest that is wrong and one that deserves a warning."""
    platform = next(iter(sorted(bundled_schemas().glob("*/platform.yaml")))).parent.name
    (tmp_path / "datakeel.yaml").write_text(SHOP.replace("acme,", f"{platform},"))
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "a.yaml").write_text("# nothing\n")
    (tmp_path / "manifests" / "b.yaml").write_text("kind: Nonsense\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_exit_status_is_set_after_every_output_is_written(shop: Path) -> None:
    words = [word for name in FORMATS_OF_PROBLEMS for word in ("-o", f"{name}={shop / name}")]
    assert main(["validate", *words]) == 3
    for name in FORMATS_OF_PROBLEMS:
        assert (shop / name).stat().st_size > 0, name


def test_an_output_that_cannot_be_written_keeps_no_other_from_it(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        main(["validate", "-o", f"json={shop / 'no' / 'a.json'}", "-o", "text", "-o", f"markdown={shop / 'b.md'}"]) == 1
    )
    told = capsys.readouterr()
    assert "output-failed" in told.err
    assert "1 error" in told.out
    assert (shop / "b.md").read_text().startswith("<!-- datakeel:plan key=default -->\n### datakeel validate: 1 error")


def test_warnings_never_enter_json_on_stdout(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "-v", "-o", "json"]) == 3
    assert json.loads(capsys.readouterr().out)["format"] == "datakeel.problems/1"
    assert main(["diff", "-v", "-o", "json"]) != 0
    told = capsys.readouterr()
    assert json.loads(told.out)["format"] in ("datakeel.error/1", "datakeel.plan/1")
    assert told.err
