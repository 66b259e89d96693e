"""Every command that README and `agent/docs` show between fences is given, in the order of its page, and ends well.

A page is read in the small repository of the sessions, with an emulator of its platform. ``STORIES`` tells what happens
besides, where a page takes something for granted; ``ELSEWHERE`` names the tests of pages that are played with more than
that; ``NOT_HERE`` are the commands that a test cannot give, each with its reason. What is in none of the three is run.
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import pytest

from agent.cli.main import verbs
from agent.cli.parser import VerbParser
from tests.docs.emulator import free_port, switch
from tests.docs.fences import blocks
from tests.docs.reader import Reader
from tests.sessions.session import HERE, ROOT, Processes

ELSEWHERE: Mapping[str, str] = {
    "agent/docs/how-to/policy.md": "tests/unit/policy/test_page.py",
    "agent/docs/how-to/real-server.md": "tests/system/test_real_server_page.py",
    "agent/docs/how-to/your-own-platform.md": "tests/platforms/test_your_own_platform.py",
    # One example a verb, of objects that are nowhere: each is parsed below, and each verb is played in a session.
    "agent/docs/reference/verbs.md": "tests/docs/test_commands.py",
}
NOT_HERE: Mapping[str, str] = {
    r"docker (?:build|run) .*": "needs an engine; `python -m tests.image` plays the steps of the Dockerfile",
    r"python3 -m venv .*": "installs from a registry; `.ci/run` does, and `python -m tests.image` in a clean root",
    r"python -m pytest .*": "is what runs this test",
    r"datakeel demo": "takes a minute, and tests/system/test_demo.py plays it",
    r"datakeel doctor --after-failover": "is about a PostgreSQL database that was set back: tests/replicas",
}


@dataclass(frozen=True)
class Story:
    """``before`` are commands by the number of the block that they come before; ``empty`` begins in no repository.

    ``target`` is the one whose server is the emulator.
    """

    before: Mapping[int, Sequence[str]] = field(default_factory=dict)
    empty: bool = False
    target: str = "ANALYTICS"
    environment: Mapping[str, str] = field(default_factory=dict)


_KEY = "a key of thirty-two characters or more"
_APPLIED = ("datakeel apply --yes -q",)
_PROPOSED = (
    "printf 'snapshot: {key: {env: SNAPSHOT_KEY}}\\n' >> datakeel.yaml && git commit -qam 'snapshots'",
    *_APPLIED,
    "git clone -q --bare . ../origin.git && git remote add origin ../origin.git && git fetch -q origin",
    "git checkout -q -b proposal && sed -i 's/0 2 /0 3 /' manifests/daily.yaml && git commit -qam 'an hour later'",
)
STORIES: Mapping[str, Story] = {
    "agent/docs/explanation/pull-requests.md": Story(
        {0: _PROPOSED, 1: ("git fetch -q origin",)},
        environment={"SNAPSHOT_KEY": _KEY},
    ),
    "agent/docs/how-to/operations.md": Story({0: _APPLIED}),
    "README.md": Story(empty=True, target="DATAOS"),
    "agent/docs/how-to/pull-requests.md": Story({0: _PROPOSED}, environment={"SNAPSHOT_KEY": _KEY}),
    "agent/docs/tutorial/first-repository.md": Story(empty=True),
}


def pages() -> dict[str, list[list[str]]]:
    """The blocks of commands of every page that has some, by its path."""
    paths = (ROOT / "README.md", *sorted((ROOT / "agent" / "docs").rglob("*.md")))
    found = {path.relative_to(ROOT).as_posix(): blocks(path.read_text(encoding="utf-8")) for path in paths}
    return {name: shown for name, shown in found.items() if shown}


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def reader(request: pytest.FixtureRequest, tmp_path: Path, processes: Processes, port: int) -> Iterator[Reader]:
    story = STORIES.get(request.getfixturevalue("page"), Story())
    environment = {"DATAOS_TOKEN": "sandbox-token", "LAKE_PASSWORD": "none of its business", **story.environment}
    environment[f"DATAKEEL_TARGETS__{story.target}__SERVER"] = f"http://127.0.0.1:{port}"
    for listener in ("LISTEN", "PROBES"):
        environment[f"DATAKEEL_SERVER__{listener}"] = f"127.0.0.1:{free_port()}"
    one = Reader(tmp_path, processes, environment)
    try:
        if story.empty:
            one.run("mkdir here && cd here")
        else:
            shutil.copytree(HERE / "shop", tmp_path / "repo")
            one.run(f"datakeel sandbox --platform dataos --port {port} --no-limits --control")
            switch(f"http://127.0.0.1:{port}", {"ready_after": 0})
            one.run("cd repo && git init -q -b main && git add -A && git commit -qm first")
        yield one
    finally:
        one.close()


@pytest.mark.parametrize("page", [name for name in pages() if name not in ELSEWHERE])
def test_every_command_of_the_page_is_given_and_ends_well(page: str, reader: Reader, port: int) -> None:
    before = STORIES.get(page, Story()).before
    for number, block in enumerate(pages()[page]):
        for command in (*before.get(number, ()), *block):
            if not any(re.fullmatch(pattern, command) for pattern in NOT_HERE):
                here = re.sub(r"^datakeel sandbox", f"datakeel sandbox --port {port}", command)
                reader.run(here.replace("127.0.0.1:8080", f"127.0.0.1:{port}"))


def test_what_is_left_out_is_still_shown_and_every_story_has_a_page() -> None:
    shown = [command for page in pages().values() for block in page for command in block]
    assert [pattern for pattern in NOT_HERE if not any(re.fullmatch(pattern, each) for each in shown)] == []
    assert {*STORIES, *ELSEWHERE} <= set(pages())
    assert all((ROOT / test).is_file() for test in ELSEWHERE.values())


def test_the_example_of_every_verb_is_understood() -> None:
    examples = [command for block in pages()["agent/docs/reference/verbs.md"] for command in block]
    parsed = []
    for example in examples:
        for command in re.split(r" && | \| | {2,}(?:and elsewhere)? *", example):
            program, *words = shlex.split(command.replace("$(git rev-parse HEAD)", "4f2c1ab"))
            if program == "datakeel":
                module = import_module(verbs()[words[0]])
                parser = VerbParser(words[0], module.SUMMARY, "")
                module.configure(parser)
                parser.parse_args(words[1:])  # ends the process for what it does not understand
                parsed.append(words[0])
    assert set(parsed) == set(verbs())
