"""Reads a Dockerfile into stages of instructions, as far as ours goes; anything else in it is an error."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILE = ROOT / "Dockerfile"
KNOWN = {
    *("ARG", "LABEL", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT"),
    "CMD",
}


@dataclass(slots=True)
class Stage:
    """``base`` is an image's name, or a former stage's; ``steps`` are (instruction, the rest of its line)."""

    base: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def last(self, word: str) -> str | None:
        """What the last such instruction says."""
        return next((rest for step, rest in reversed(self.steps) if step == word), None)


def stages(text: str | None = None) -> list[Stage]:
    """In their order; the last one is what `docker build` makes."""
    found: list[Stage] = []
    text = FILE.read_text(encoding="utf-8") if text is None else text
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for line in filter(None, (each.strip() for each in lines.replace("\\\n", " ").splitlines())):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            found.append(Stage(base, name))
            continue
        if word not in KNOWN or not found:
            raise ValueError(f"not understood: {line}")
        found[-1].steps.append((word, " ".join(rest.split()) if word != "LABEL" else rest))
    return found


def lineage(name: str = "") -> list[Stage]:
    """The named stage ("" for the last) with those that it is made from, the oldest first."""
    all_ = stages()
    known = {stage.name: stage for stage in all_}
    chain = [known[name] if name else all_[-1]]
    while chain[0].base in known:
        chain.insert(0, known[chain[0].base])
    return chain


def pairs(rest: str) -> dict[str, str]:
    """``A=1 B="two"`` of ENV, ARG and LABEL."""
    return dict(word.partition("=")[::2] for word in shlex.split(rest))


def words(rest: str) -> list[str]:
    """A command in exec form; only that form passes signals on."""
    found = json.loads(rest[rest.index("[") :])
    assert isinstance(found, list)
    return [str(word) for word in found]


def environment(name: str = "") -> dict[str, str]:
    """What ENV sets, all stages together."""
    chain = lineage(name)
    return {
        key: value
        for stage in chain
        for word, rest in stage.steps
        if word == "ENV"
        for key, value in pairs(rest).items()
    }


def copies(stage: Stage) -> list[tuple[str, list[str], str]]:
    """Of each COPY: the stage that it comes from ("" for the context), the sources, and the place."""
    found = []
    for word, rest in stage.steps:
        if word == "COPY":
            from_ = re.match(r"--from=(\S+) ", rest)
            *sources, place = rest.removeprefix(from_[0] if from_ else "").split()
            found.append((from_[1] if from_ else "", sources, place))
    return found
