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
    parser.add_argument("--watch", action="store_true", help="on a terminal: draw it anew each second, until Ctrl-C")
    add_common(parser, _FORMATS, selecting=False)


def run(arguments: Namespace) -> int:
    """Exit 0; with ``--detailed-exitcode`` also 1 and 2, with ``--probe`` also 1. ``--watch`` ends with 0 on Ctrl-C."""
    if arguments.probe is not None:
        return _probed(arguments)
    from agent.cli import shared
    from agent.cli.output import write_outputs
    from agent.report import status_text

    outputs = shared.outputs_of(arguments, _FORMATS)
    if arguments.watch:
        return _watch(arguments, shared.state_of(arguments))
    documents, refused = _read(arguments, shared.state_of(arguments))

    def text() -> str:
        return _text(arguments, documents, refused, to_file=outputs[0].file is not None)

    def as_json() -> str:
        from agent.report.documents import dump_document

        whole = {"format": "datakeel.status/1", "targets": [documents[name] for name in sorted(documents)]}
        return dump_document(whole | ({"config_refused": refused} if refused is not None else {}))

    write_outputs(outputs, {"text": text, "json": as_json})
    if not arguments.detailed_exitcode:
        return 0
    if any(status_text.is_stalled(document) for document in documents.values()):
        return 1
    return 2 if any(status_text.is_pending(document) for document in documents.values()) else 0


def _watch(arguments: Namespace, state: str) -> int:
    import sys

    from agent.cli.output import scrubbed
    from agent.cli.watching import watch
    from agent.errors import AgentError, UsageError
    from agent.report.problems import render_problem

    if arguments.output or arguments.detailed_exitcode:
        raise UsageError("--watch draws a picture for people", fix="leave out -o and --detailed-exitcode")
    if not sys.stdout.isatty():
        raise UsageError("--watch needs a terminal", fix="datakeel status -o json tells the same to a program")
    _read(arguments, state)  # what is wrong with the words is told as ever

    def picture() -> str:
        try:
            return scrubbed(_text(arguments, *_read(arguments, state)))
        except AgentError as error:  # the store may be away for a moment
            return scrubbed("".join(f"{line}\n" for line in render_problem(error.as_problem())))

    watch(picture, sys.stdout)
    return 0


def _read(arguments: Namespace, state: str) -> tuple[dict[str, dict[str, Any]], dict[str, Any] | None]:
    """The document of each target that is meant, and the configuration that the agent refused last."""
    import time

    from agent.errors import UsageError
    from agent.store.status import read_status

    read = read_status(state, time.time())
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
    return documents, read["config_refused"]


def _text(
    arguments: Namespace,
    documents: dict[str, dict[str, Any]],
    refused: dict[str, Any] | None,
    *,
    to_file: bool = False,
) -> str:
    from agent.cli import shared
    from agent.report import status_text

    now, paint = shared.terminal_now(), shared.paint_of(arguments, to_file=to_file)
    text = status_text.render_status(documents, now=now, paint=paint, verbose=arguments.verbose)
    return text + (status_text.refusal_lines(refused, now, paint) if refused is not None else "")


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
