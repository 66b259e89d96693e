"""What an examination found out is kept: facts in the state, answers as samples. Called by ``examine``.

Nothing is made that was not there: without a state there is none to remember in, and a sample that somebody has
written is never written over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from agent.cli.beside import open_beside
from agent.cli.doctoring.around import failed
from agent.cli.doctoring.platforms import Examined
from agent.config.model import Config
from agent.errors import AgentError
from agent.model.examined import Finding
from agent.probing.samples import redacted
from agent.report.documents import dump_document
from agent.report.values import counted
from agent.store.location import has_store, path_of


def remember(config: Config, facts: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    """Into the state, where there is one, for `doctor --no-network` and whoever asks later."""
    path = path_of(config.state)
    if not any(facts.values()):
        return
    try:
        if path is not None and not has_store(path):
            yield Finding("memory", "ok", "not kept, since there is no state yet: the first apply makes it")
            return
        with open_beside(config) as (store, _):
            for name, each in ((name, each) for name, each in facts.items() if each):
                store.keep_examined(name, each)
    except AgentError as error:
        yield failed("memory", error)


def record_samples(folder: Path, found: Examined, scrub: Callable[[str], str]) -> Iterator[Finding]:
    """One answer of each list and read, without secrets, below ``folder/PLATFORM``."""
    place = folder / found.target.platform.name
    told = [each for each in found.walked if each.answered and each.rows]
    bodies = {f"{each.kind.name}.list": (each.kind, each.first.body) for each in told}
    bodies |= {f"{kind.name}.get": (kind, reply.body) for kind, reply in found.read if reply.answer == "ok"}
    wrote = 0
    try:
        place.mkdir(parents=True, exist_ok=True)
        for name, (kind, body) in sorted(bodies.items()):
            items = (kind.list.items if kind.list is not None else None) or found.target.platform.response.items
            text = dump_document(redacted(kind, body, scrub, items if name.endswith(".list") else None))
            try:
                with (place / f"{name}.json").open("x", encoding="utf-8") as file:
                    file.write(text)
                wrote += 1
            except FileExistsError:
                continue
    except OSError as error:
        fault = AgentError(f"{place} cannot be written: {error.strerror}", code="output-failed")
        yield failed("samples", fault, found.target.name)
        return
    kept = len(bodies) - wrote
    more = f", {kept} were there already" if kept else ""
    yield Finding("samples", "ok", f"{counted(wrote, 'answer')} in {place}{more}", subject=found.target.name)
