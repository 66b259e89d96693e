"""Help, dispatch and the one door of errors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from agent import __version__
from agent.cli.main import main, verbs, wants_json

ROOT = Path(__file__).parents[3]


def datakeel(*words: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "agent", *words],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TMPDIR": str(cwd), **environ},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def test_help_names_every_verb_once(capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([], ["--help"], ["-h"], ["help"]):
        assert main(words) == 0
    text = capsys.readouterr().out
    lines = [line.split()[0] for line in text[: len(text) // 4].splitlines() if line.startswith("  ") and line.split()]
    for name in verbs():
        assert lines.count(name) == 1
    assert "datakeel apply" in text


@pytest.mark.parametrize("name", sorted(verbs()))
def test_every_verb_has_the_same_shape_and_a_help_with_an_example(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    verb = import_module(verbs()[name])
    assert name == verb.NAME
    assert verb.SUMMARY[0].islower()
    assert not verb.SUMMARY.endswith(".")
    with pytest.raises(SystemExit) as caught:
        main([name, "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert f"example:\n  datakeel {name}" in text
    assert text.startswith(f"usage: datakeel {name}")


def test_help_of_a_verb_is_the_same_in_both_ways_and_tells_how_it_ends(capsys: pytest.CaptureFixture[str]) -> None:
    for name in verbs():
        with pytest.raises(SystemExit):
            main(["help", name])
        first = capsys.readouterr().out
        with pytest.raises(SystemExit):
            main([name, "--help"])
        assert first == capsys.readouterr().out
        assert first.index("options:") < first.index("exit status:") < first.index("example:")
        assert "``" not in first


def test_the_version_is_told_in_both_forms(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"datakeel {__version__}\n"
    assert main(["version", "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["datakeel"] == __version__


def test_an_unknown_verb_and_flag_end_with_64_and_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["aply"]) == 64
    assert "did you mean apply?" in capsys.readouterr().err
    assert main(["status", "--detailed-exitcod"]) == 64
    assert "did you mean --detailed-exitcode?" in capsys.readouterr().err


def test_a_missing_configuration_ends_with_78_and_is_json_where_asked_for(tmp_path: Path) -> None:
    done = datakeel("status", "-o", "json", cwd=tmp_path)
    assert done.returncode == 78
    document = json.loads(done.stdout)
    assert document["error"]["code"] == "config-missing"
    assert "error[config-missing]" in done.stderr


def test_every_mistake_of_a_configuration_is_listed(tmp_path: Path) -> None:
    (tmp_path / "datakeel.yaml").write_text("apiVersion: datakeel/v1\nsource: {pth: .}\ntargets: {a: {platform: x}}\n")
    done = datakeel("validate", cwd=tmp_path)
    assert done.returncode == 78
    assert done.stdout == ""
    assert "datakeel.yaml:2:10: error[unknown-key]" in done.stderr
    assert "datakeel.yaml:3:25: error[unknown-platform]" in done.stderr
    assert "Traceback" not in done.stderr


def test_status_works_before_the_first_pass(tmp_path: Path) -> None:
    (tmp_path / "datakeel.yaml").write_text("apiVersion: datakeel/v1\nstate: x.db\n")
    done = datakeel("status", cwd=tmp_path)
    told = "no pass yet: the state store knows no target; `datakeel run`, or `datakeel apply`, makes the first\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, told, "")
    assert not (tmp_path / "x.db").exists()
    done = datakeel("status", "-o", "json", cwd=tmp_path)
    assert json.loads(done.stdout) == {"format": "datakeel.status/1", "targets": []}
    assert datakeel("history", cwd=tmp_path).stdout == "no pass did anything\n"
    assert datakeel("history", "512", cwd=tmp_path).returncode == 1


def test_explain_tells_a_code_and_suggests_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "error[unknown-key]"]) == 0
    assert "not known at this place" in capsys.readouterr().out
    assert main(["explain", "unknown-ky"]) == 64
    assert "did you mean unknown-key?" in capsys.readouterr().err
    assert main(["explain"]) == 0
    assert "internal" in capsys.readouterr().out.splitlines()


def test_explain_tells_a_kind_of_the_targets_first_else_of_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["explain", "Project"]) == 0
    out = capsys.readouterr().out
    assert "Project · gitlab/v4 · managed" in out and "Project · dataops-live/v4 · managed" in out
    (tmp_path / "datakeel.yaml").write_text(
        "apiVersion: datakeel/v1\nsource: {path: .}\n"
        "targets: {a: {platform: gitlab, server: https://git.example, credentials: {token: {env: T}}, folder: m}}\n"
    )
    assert main(["explain", "Project"]) == 0
    out = capsys.readouterr().out
    assert "dataops-live/v4" not in out and out.endswith("\nAlso a kind of dataops-live: --platform NAME\n")
    assert main(["explain", "Project", "--platform", "dataops-live/v4"]) == 0
    assert "Project · dataops-live/v4" in capsys.readouterr().out
    assert main(["explain", "Workflow"]) == 0  # no target has it
    assert "Workflow · dataos/v1" in capsys.readouterr().out
    assert main(["explain", "Project", "--platform", "gitlb"]) == 64
    assert "there is no platform 'gitlb'" in capsys.readouterr().err


def test_explain_offers_the_nearest_of_all_words(capsys: pytest.CaptureFixture[str]) -> None:
    for word, meant in (("workflow", "Workflow"), ("datalinks", "datalinx"), ("Workflo.tags", "Workflow.tags")):
        assert main(["explain", word]) == 64
        assert f"did you mean {meant}?" in capsys.readouterr().err
    assert main(["explain", "Workflo/daily"]) == 64
    assert "did you mean Workflow?" in capsys.readouterr().err
    assert main(["explain", "Workflow/daily"]) == 78  # what an object is like, the state of a configuration knows
    assert "no datakeel.yaml here" in capsys.readouterr().err
    assert main(["explain", "Workflow", "Depot"]) == 64
    assert "takes one word" in capsys.readouterr().err


def test_explain_tells_that_a_definition_is_broken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mill").mkdir()
    (tmp_path / "mill" / "platform.yaml").write_text("platform: mill\nversion: v1\nformat: 1\nkinds: 3\n")
    assert main(["explain", "Workspace", "--schemas", str(tmp_path)]) == 0
    assert main(["explain", "Millstone", "--schemas", str(tmp_path)]) == 64
    assert "not all kinds are known" in capsys.readouterr().err


def test_our_own_mistake_is_one_sentence_and_a_file(tmp_path: Path) -> None:
    code = (
        "import sys; import agent.cli.verbs.version as verb\n"
        "def broken(arguments): raise RuntimeError('detail')\n"
        "verb.run = broken\n"
        "from agent.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code, *words],
            cwd=tmp_path,
            env={"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )

    done = run("version", "-o", "json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["code"] == "internal"
    assert "Traceback" not in done.stderr
    assert "error[internal]: this is a mistake in datakeel: RuntimeError" in done.stderr
    (log,) = tmp_path.glob("datakeel-crash-*.txt")
    assert "detail" in log.read_text()


def test_a_closed_pipe_is_quiet(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "agent", "explain"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 141
    process.stderr.close()


@pytest.mark.parametrize(
    ("words", "json_wanted"),
    [
        (["diff", "-o", "json"], "json"),
        (["diff", "-ojson"], "json"),
        (["diff", "--output=json"], "json"),
        (["logs", "--output", "jsonl"], "jsonl"),
        (["apply", "--output=jsonl"], "jsonl"),
        (["diff", "-o", "json=x"], ""),
        (["diff", "-o"], ""),
        (["diff"], ""),
    ],
)
def test_the_mode_is_known_before_the_words_are_parsed(words: list[str], json_wanted: str) -> None:
    assert wants_json(words) == json_wanted
