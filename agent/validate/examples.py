"""The examples of a definition: a valid one has no fault, an invalid one has those that it announces and no others.

Called by ``lint-platform``. An invalid example says what it expects in its first lines: ``# expect: CODE LINE:COLUMN``.
Every scope word has a default, as a target would give it, unless the example says ``# without defaults``. Pure.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

from agent.definitions.platform import Platform
from agent.errors import Problem, Where
from agent.model.manifest import CheckedFile
from agent.validate.document import check_file

CODE = "example-wrong"
ENDINGS = (".yaml", ".yml", ".json")
_EXPECTED = re.compile(r"^# expect: (\S+ \d+:\d+)$", re.MULTILINE)
_WITHOUT_DEFAULTS = "# without defaults"


def check_example(source: bytes, platform: Platform) -> CheckedFile:
    """An example, checked as a manifest of a target would be."""
    return check_file(source, platform, defaults_of(platform, _text(source)))


def faults_of_valid(path: str, source: bytes, platform: Platform) -> Iterator[Problem]:
    """What keeps an example of ``examples/valid`` from being one. Only a catch-all kind may warn of itself."""
    checked = check_example(source, platform)
    general = all(platform.kinds[document.kind].general for document in checked.documents)
    for problem in checked.problems:
        if problem.severity != "info" and not (problem.code == "kind-general" and general):
            yield _wrong(path, problem, "it stands in examples/valid, where nothing may be wrong")
    if not checked.documents and not any(problem.severity == "error" for problem in checked.problems):
        yield Problem(CODE, "the example holds no manifest", Where(path, 1, 1))


def faults_of_invalid(path: str, source: bytes, platform: Platform) -> Iterator[Problem]:
    """Where an example of ``examples/invalid`` is judged otherwise than it announces."""
    text = _text(source)
    announced = Counter(_EXPECTED.findall(text))
    errors = [problem for problem in check_example(source, platform).problems if problem.severity == "error"]
    found = Counter(_told(problem) for problem in errors)
    if not announced:
        got = ", ".join(sorted(found)) or None
        fix = f"# expect: {got}" if len(found) == 1 else None
        what = "the example announces nothing" + ("" if found else ", and nothing is wrong with it")
        why = "an invalid example begins with a line `# expect: CODE LINE:COLUMN` for each of its faults"
        yield Problem(CODE, what, Where(path, 1, 1), got=got, why=why, fix=fix)
        return
    for match in _EXPECTED.finditer(text):
        if not found[match[1]]:
            line = text.count("\n", 0, match.start()) + 1
            got = ", ".join(sorted(found)) or "nothing is wrong with it"
            yield Problem(CODE, f"it announces `{match[1]}`, which is not found", Where(path, line, 1), got=got)
    for problem in errors:
        if not announced[_told(problem)]:
            yield _wrong(path, problem, f"it does not announce this: # expect: {_told(problem)}")


def _wrong(path: str, problem: Problem, why: str) -> Problem:
    where = Where(path, problem.where.line, problem.where.column)
    also = tuple(replace(place, path=path) for place in problem.also)
    return replace(problem, code=CODE, where=where, also=also, why=f"{problem.code}; {why}", severity="error")


def _told(problem: Problem) -> str:
    return f"{problem.code} {problem.where.line}:{problem.where.column}"


def _text(source: bytes) -> str:
    return source.decode("utf-8", "replace").replace("\r\n", "\n")


def defaults_of(platform: Platform, text: str) -> Mapping[str, str]:
    """What a target's ``defaults`` would say: a name for every scope word, unless the example is shown without."""
    if _WITHOUT_DEFAULTS in text:
        return {}
    return {word.word: "example" for kind in platform.kinds.values() for word in kind.scope}
