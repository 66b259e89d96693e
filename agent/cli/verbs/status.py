"""``datakeel status``: the state of every target, from the store alone, so that it works while a platform is down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

NAME = "status"
SUMMARY = "tell how far live agrees with the repository"
GROUP = "Look"
RANK = 1
EXAMPLE = "datakeel status --detailed-exitcode"
_FORMATS = ("text", "json")
_PROBES = ("livez", "readyz")


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.shared import add_common, add_target

    add_target(parser)
    parser.add_argument(
        "--detailed-exitcode", action="store_true", help="end with 1 when stalled, 2 on drift or pending changes"
    )
    parser.add_argument(
        "--probe", choices=_PROBES, help="ask the running agent whether it is alive or ready; end with 1 when it is not"
    )
    add_common(parser, _FORMATS, selecting=False)


def run(arguments: Namespace) -> int:
    """Exit 0; with ``--detailed-exitcode`` also 1 and 2, with ``--probe`` also 1."""
    if arguments.probe is not None:
        return _probed(arguments)
    import time

    from agent.cli import shared
    from agent.cli.output import write_outputs
    from agent.errors import UsageError
    from agent.report import status_text
    from agent.store.status import read_status

    outputs = shared.outputs_of(arguments, _FORMATS)
    read = read_status(shared.state_of(arguments), time.time())
    documents = {name: entry["status"] or _without_status(name, entry) for name, entry in read["targets"].items()}
    for one in read["suspended"]:
        if one["target"] in documents:
            documents[one["target"]].setdefault("suspended", []).append(one)
    unknown = [name for name in arguments.target if name not in documents]
    if unknown:
        known = ", ".join(sorted(documents)) or "none yet"
        raise UsageError(f"no pass of a target {unknown[0]!r} is known", fix=f"known are: {known}")
    if arguments.target:
        documents = {name: documents[name] for name in arguments.target}

    def text() -> str:
        paint = shared.paint_of(arguments, to_file=outputs[0].file is not None)
        return status_text.render_status(documents, now=shared.terminal_now(), paint=paint, verbose=arguments.verbose)

    def as_json() -> str:
        from agent.report.documents import dump_document

        return dump_document(
            {"format": "datakeel.status/1", "targets": [documents[name] for name in sorted(documents)]}
        )

    write_outputs(outputs, {"text": text, "json": as_json})
    if not arguments.detailed_exitcode:
        return 0
    if any(status_text.is_stalled(document) for document in documents.values()):
        return 1
    return 2 if any(status_text.is_pending(document) for document in documents.values()) else 0


def _probed(arguments: Namespace) -> int:
    from agent.cli import shared
    from agent.cli.output import write_outputs
    from agent.cli.probing import ask, probes_at

    holds, text = ask(probes_at(shared.probes_of(arguments)), arguments.probe)
    write_outputs(shared.outputs_of(arguments, ("text",)), {"text": lambda: text})
    return 0 if holds else 1


def _without_status(name: str, entry: dict[str, Any]) -> dict[str, Any]:
    """A target whose passes failed before anything could be counted."""
    last = entry["last_pass"]
    message = "the last pass failed before anything could be counted; datakeel history tells more"
    return {"target": name, "last_pass_at": last["at"], "error": {"code": last["result"], "message": message}}
