"""The demo as people run it, and one sandbox port that serves every platform: real processes, nothing left behind."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import takewhile
from pathlib import Path

import pytest
import yaml

from agent.sandbox.app import PLATFORMS
from tests.system.stage import ROOT, environment

SAMPLES = ROOT / "manifests"
PLAYED = sorted(path.parent.name for path in SAMPLES.glob("*/.demo.yaml"))
ACTS = ("1 first commit", "2 edit in git", "3 drift", "4 file removed", "5 broken commit", "in all")
TOKEN = "system-token-90fe"

pytestmark = pytest.mark.slow


def datakeel(*words: str, cwd: Path, more: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "agent", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        env=environment() | {"TMPDIR": str(cwd)} | (more or {}),
    )


def script(platform: str) -> dict:
    return yaml.safe_load((SAMPLES / platform / ".demo.yaml").read_text(encoding="utf-8"))


def manifests(platform: str) -> int:
    """How many documents a platform's samples hold."""
    texts = [path.read_text(encoding="utf-8") for path in (SAMPLES / platform).glob("[!.]*.yaml")]
    return sum(1 for text in texts for document in yaml.safe_load_all(text) if document)


def table(text: str) -> dict[str, dict[str, str]]:
    """Act -> platform -> the words of its cell."""
    head, *lines = text.split("\n")
    starts = [(match[0], match.start()) for match in re.finditer(r"\S+", head)]
    ends = [*(start for _, start in starts[1:]), None]
    found: dict[str, dict[str, str]] = {}
    act = ""
    for line in lines:
        label = line[: starts[0][1]].strip()
        if label in ACTS:
            act = label
        if act and line:
            for (name, start), end in zip(starts, ends, strict=True):
                cell = found.setdefault(act, {})
                cell[name] = f"{cell.get(name, '')} {line[start:end].strip()}".strip()
        elif act == ACTS[-1]:
            break
    return found


def test_the_demo_shows_every_platform_side_by_side_and_leaves_nothing_behind(tmp_path: Path) -> None:
    began = time.monotonic()
    done = datakeel("demo", "--fast", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert time.monotonic() - began < 90, "the demo ends within about a minute"
    assert "\x1b" not in done.stdout, "plain off a terminal"
    assert max(map(len, done.stdout.split("\n\n" + "manifests/")[0].splitlines())) <= 118
    shown = table(done.stdout)
    assert tuple(shown) == ACTS
    assert len(PLAYED) == 5
    for platform in PLAYED:
        words, cells = script(platform), {act: shown[act][platform] for act in ACTS}
        assert re.match(rf"{manifests(platform)} created \d+ calls, \d+\.\d s$", cells["1 first commit"]), cells
        assert re.match(rf"{words['watch']['manifest']} (update|replace) .* -> .* s$", cells["2 edit in git"]), cells
        assert cells["3 drift"].startswith(words["drift"]["told"]), cells
        assert ("left: " if words["drift"].get("ends") == "left" else "healed to ") in cells["3 drift"], cells
        assert cells["4 file removed"].startswith(words["removal"]["file"]), cells
        ends = {"held": " held: ", "released": " release ", "deleted": " delete "}
        assert ends[words["removal"].get("ends", "deleted")] in cells["4 file removed"], cells
        assert re.match(rf"{words['mistake']['file']}:\d+:\d+ refused others go on: ", cells["5 broken commit"]), cells
        assert re.match(r"\d+ calls \d+ writes$", cells["in all"]), cells
        path = re.escape(f"manifests/{platform}/{words['mistake']['file']}")
        assert re.search(rf"^{path}:\d+:\d+: error\[[a-z-]+\]: ", done.stdout, re.MULTILINE)
    assert list(tmp_path.iterdir()) == []
    page = (ROOT / "agent/docs/tutorial/demo.md").read_text(encoding="utf-8").partition("$ datakeel demo\n")[2]
    assert steady(table(page)) == steady(shown), "the page shows another demo: paste the new one"


def steady(shown: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """What is the same each time: everything but the calls and seconds."""
    return {
        act: {platform: re.sub(r"[\d.]+ (calls?|s|writes?)(?!\w)", r"\1", cell) for platform, cell in cells.items()}
        for act, cells in shown.items()
    }


def test_one_platform_alone_is_told_in_five_lines_and_kept_until_it_is_interrupted(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "agent", "demo", "--fast", "--keep", "--platform", "dataloop"]
    found = environment() | {"TMPDIR": str(tmp_path)}
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # also where the tests themselves ignore it
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=tmp_path, env=found, preexec_fn=heard) as child:
        try:
            assert child.stdout is not None
            end = "Ctrl-C ends the demo and removes its folder.\n"
            lines = list(takewhile(end.__ne__, child.stdout))
            acts = [line for line in lines if re.match(r"\d/5  ", line)]
            assert [line[:3] for line in acts] == ["1/5", "2/5", "3/5", "4/5", "5/5"]
            assert f"{manifests('dataloop')} created" in acts[0]
            assert re.search(r"plugins\.yaml:\d+:\d+: error\[unknown-key\]", "".join(lines))
            told = {words[0]: words[1:] for line in lines if (words := line.split())}
            repository = Path(told["cd"][0])
            exported = dict(word.split("=", 1) for word in told["export"])
            status = datakeel("status", cwd=repository, more=exported)
            assert status.returncode == 0, status.stderr
            assert "dataloop" in status.stdout
            shown = datakeel("get", "Rule/cpu-high", "--target", "dataloop", cwd=repository, more=exported)
            assert shown.returncode == 0 and "threshold: 85" in shown.stdout, shown.stdout + shown.stderr
            assert re.match(r"-d '\{.*\}' http://\S+/_sandbox/person$", " ".join(told["curl"][:-2]))
        finally:
            child.send_signal(signal.SIGINT)
            child.wait(timeout=60)
    assert child.returncode == 130
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_played_is_said_and_ends_with_1(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    done = datakeel("demo", "--fast", cwd=tmp_path, more={"PATH": str(empty)})
    assert done.returncode == 1
    assert "error[demo-failed]: git is not installed" in done.stderr
    unknown = datakeel("demo", "--platform", "acme", cwd=tmp_path)
    assert unknown.returncode == 64
    assert "there is no demo of it" in unknown.stderr and "dataloop" in unknown.stderr
    assert list(tmp_path.iterdir()) == [empty]


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """One sandbox, as `datakeel sandbox` starts it, with all platforms on one port."""
    words = [sys.executable, "-m", "agent", "sandbox", "--port", "0", "--no-limits", "--token", TOKEN]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment()) as child:
        try:
            assert child.stdout is not None
            line = child.stdout.readline()
            assert line.startswith("listening on "), line
            for platform in PLAYED:
                assert platform in line
            yield line.split()[2]
        finally:
            child.terminate()
            child.wait(timeout=30)


def test_one_port_serves_a_repository_of_every_platform(address: str, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    shutil.copytree(SAMPLES, repository / "manifests")
    port = address.rpartition(":")[2]
    printed = datakeel("sandbox", "--print-config", "--no-limits", "--port", port, "--token", TOKEN, cwd=tmp_path)
    # A job with a schedule is not ready before its first run, so nobody waits for it here.
    config = printed.stdout.replace("    folder:", "    ready_timeout: 5s\n    folder:")
    (repository / "datakeel.yaml").write_text(config, encoding="utf-8")
    exported = dict(re.findall(r"^#   export (\w+)=(\S+)$", printed.stdout, re.MULTILINE))
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "all samples")):
        author = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *author, *words], cwd=repository, check=True, env=os.environ)

    diff = datakeel("diff", cwd=repository, more=exported)
    assert "create" in diff.stdout, diff.stderr
    # What lives in something that is itself only made now may have to wait for the next pass.
    applied = [datakeel("apply", "--yes", cwd=repository, more=exported) for _ in range(2)]
    assert applied[1].returncode == 0, applied[0].stdout + applied[1].stdout + applied[1].stderr
    after = datakeel("diff", "--detailed-exitcode", cwd=repository, more=exported)
    assert after.returncode == 0, after.stdout + after.stderr
    for platform in PLATFORMS:
        assert f"{platform}: {manifests(platform)} in sync with" in after.stdout
