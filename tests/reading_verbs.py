"""The verbs that only look sent nothing but reads, over a whole run of the tests, as the sandboxes themselves saw it.

A pytest plugin, loaded by ``conftest.py``: it names a folder in the environment, every sandbox of the run (in process,
or a process of its own) leaves there what each named command asked (:mod:`agent.sandbox.command_log`), and the end of
the run judges the lines. A read is GET, HEAD, or a POST that the platform's definition declares as a login or as one
that reads; none may have changed anything. A run of the whole suite that saw no `diff` at all fails as well: then
nothing was shown.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from agent.definitions.load import load_platform
from agent.definitions.platform import Platform
from agent.sandbox.command_log import VARIABLE

READING = frozenset(
    {"diff", "doctor", "explain", "get", "history", "import", "logs", "metrics", "query", "status", "validate"}
)
_REPORT = pytest.StashKey["Seen"]()
_FOLDER = pytest.StashKey[str]()


@dataclass(slots=True)
class Seen:
    """Requests of each reading verb, and those among them that were no reads."""

    requests: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def told(self) -> str:
        by_verb = ", ".join(f"{verb} {count}" for verb, count in sorted(self.requests.items()))
        return f"{self.requests.total()} requests of verbs that only look ({by_verb}): {len(self.wrong)} were no reads"


def judge(folder: Path) -> Seen:
    """All lines of all sandboxes that wrote into the folder."""
    seen = Seen()
    for file in sorted(folder.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            if entry["verb"] not in READING:
                continue
            seen.requests[entry["verb"]] += 1
            if entry["commits"] or not _reads(entry["platform"], entry["method"], entry["path"]):
                seen.wrong.append("{verb}: {method} {path} of {platform}, {commits} changes".format_map(entry))
    return seen


def _reads(platform: str, method: str, path: str) -> bool:
    if method in ("GET", "HEAD"):
        return True
    return method == "POST" and any(re.fullmatch(pattern, path) for pattern in _declared(platform))


@cache
def _declared(name: str) -> tuple[str, ...]:
    """Paths that the definition declares as logins and as reads by POST, below its base or its name and its base."""
    platform = load_platform(f"{name}/v1")
    base = "" if platform.base is None else _pattern(platform.base.source).rstrip("/")
    return tuple(f"(/{re.escape(name)})?{base}{_pattern(source)}" for source in _declared_sources(platform))


def _declared_sources(platform: Platform) -> Iterator[str]:
    for scheme in platform.auth:
        if scheme.login is not None:
            yield scheme.login.request.source
    rules = [*platform.queries.values(), *(rule for kind in platform.kinds.values() for rule in kind.actions.values())]
    calls = [call for kind in platform.kinds.values() for call in (kind.list, kind.get) if call is not None]
    for call in (*rules, *calls):
        if call.reads and call.method == "POST":
            yield call.request.source


def _pattern(source: str) -> str:
    literal = re.split(r"\{[^}]*\}", source.partition("?")[0])
    return "[^/]+".join(re.escape(part) for part in literal)


def pytest_configure(config: pytest.Config) -> None:
    if VARIABLE not in os.environ:  # a worker has it from the process that started it
        config.stash[_FOLDER] = os.environ[VARIABLE] = tempfile.mkdtemp(prefix="datakeel-commands-")


def pytest_unconfigure(config: pytest.Config) -> None:
    if _FOLDER in config.stash:
        os.environ.pop(VARIABLE, None)
        shutil.rmtree(config.stash[_FOLDER], ignore_errors=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In the process that started the run, when all tests and all workers are done."""
    config = session.config
    if _FOLDER not in config.stash or session.exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        return
    seen = config.stash[_REPORT] = judge(Path(config.stash[_FOLDER]))
    if seen.wrong or (_is_whole_suite(config) and not seen.requests["diff"]):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    seen = config.stash.get(_REPORT, None)
    if seen is None or not (seen.requests or _is_whole_suite(config)):
        return
    terminalreporter.write_line(seen.told(), red=bool(seen.wrong))
    for line in seen.wrong[:50]:
        terminalreporter.write_line(f"  {line}", red=True)
    if _is_whole_suite(config) and not seen.requests["diff"]:
        terminalreporter.write_line("  no diff was seen, so nothing is shown", red=True)


def _is_whole_suite(config: pytest.Config) -> bool:
    chosen = (
        config.option.keyword,
        config.option.markexpr,
        config.getoption("deselect"),
        config.getoption("lf", default=False),
    )
    return config.args_source is pytest.Config.ArgsSource.TESTPATHS and not any(chosen)
