"""``render -o json``: the manifests after variables and overlays as one document, ``datakeel.rendering/1``.

Used by the verb ``render``. Values are those that a platform is asked for: a text that looks like a variable is one no
more. A secret that stands in clear is masked, as in the YAML.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from agent import __version__
from agent.cli.rendered_text import Origins
from agent.cli.rendering import RenderedTarget
from agent.errors import Problem
from agent.report.documents import problem_document
from agent.report.problems import sorted_problems
from agent.validate.pointers import Tokens, join

RENDERING_FORMAT = "datakeel.rendering/1"


def document_of(
    targets: Sequence[RenderedTarget], problems: Sequence[Problem], *, origins: bool, exit_status: int
) -> dict[str, Any]:
    """Every target's manifests with their files; with ``origins`` also where each leaf was written, by its pointer."""
    return {
        "format": RENDERING_FORMAT,
        "agent": __version__,
        "exit_status": exit_status,
        "manifests": [one for target in targets for one in _manifests(target, origins=origins)],
        "problems": [problem_document(one) for one in sorted_problems(problems)],
    }


def _manifests(target: RenderedTarget, *, origins: bool) -> Iterator[dict[str, Any]]:
    variables = {name: variable.where for name, variable in target.config.variables.known.items()}
    for file in target.files:
        told = Origins(target.config.name, file.path, variables, full=True)
        for each in file.manifests:
            member: dict[str, Any] = {"target": target.config.name, "path": file.path, "manifest": each.value}
            if origins:
                member["origins"] = {join(place): told.of(each, place) for place in _leaves(each.value)}
            yield member


def _leaves(value: Any, place: Tokens = ()) -> Iterator[Tokens]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not members or not value:
        yield place
    for name, member in members:
        yield from _leaves(member, (*place, str(name)))
