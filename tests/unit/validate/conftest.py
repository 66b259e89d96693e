"""A platform and short ways to check a text, shared by the tests of this folder."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping

import pytest

from agent.definitions.load import load_platform
from agent.definitions.platform import Platform
from agent.model.identity import Revision
from agent.model.manifest import CheckedFile
from agent.model.resource import Desired
from agent.validate.desired import SourceFile, combine
from agent.validate.document import check_file, read_spec

DEFAULTS = {"workspace": "analytics"}


@pytest.fixture(scope="session")
def platform() -> Platform:
    return load_platform("dataos/v1")


@pytest.fixture
def check(platform: Platform) -> Callable[..., CheckedFile]:
    def run(text: str, *, defaults: Mapping[str, str] = DEFAULTS, on: Platform = platform) -> CheckedFile:
        return check_file(textwrap.dedent(text).encode(), on, defaults)

    return run


@pytest.fixture
def told(check: Callable[..., CheckedFile]) -> Callable[..., list[str]]:
    """What is wrong, as ``error[code] line:column`` in the order of the file."""

    def run(text: str, **options: object) -> list[str]:
        problems = check(text, **options).problems
        return [f"{one.severity}[{one.code}] {one.where.line}:{one.where.column}" for one in problems]

    return run


@pytest.fixture
def gather(platform: Platform) -> Callable[..., Desired]:
    def run(files: Mapping[str, str], **options: object) -> Desired:
        sources = {path: textwrap.dedent(text).encode() for path, text in files.items()}
        checked = [
            (SourceFile(path, str(number)), check_file(source, platform, DEFAULTS))
            for number, (path, source) in enumerate(sources.items())
        ]

        def read(file: SourceFile, document: int) -> Mapping[str, object]:
            return read_spec(sources[file.path], platform, DEFAULTS, document)

        return combine("lake", platform, Revision("c" * 40), checked, read=read, **options)

    return run
