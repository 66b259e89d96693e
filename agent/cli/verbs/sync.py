"""``datakeel sync``: ask the running agent to look now, and wait for what comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from agent.model.request import LookRequest

NAME = "sync"
SUMMARY = "ask the running agent to look now, and wait until a commit is applied or has failed"
GROUP = "Change"
RANK = 4
EXAMPLE = 'datakeel sync --wait --commit "$(git rev-parse HEAD)"'
_FORMATS = ("text", "json")


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.shared import add_common, add_target

    parser.add_argument("--wait", action="store_true", help="until the pass has ended, on each target")
    parser.add_argument(
        "--commit", type=_commit, metavar="SHA", help="until this commit, or one after it, is applied or has failed"
    )
    parser.add_argument("--timeout", metavar="DURATION", help="wait at most so long (default: 10m)")
    add_target(parser)
    add_common(parser, _FORMATS, selecting=False)


def _commit(text: str) -> str:
    """An argparse type: a commit id, or seven digits of it at the least."""
    import re
    from argparse import ArgumentTypeError

    if not re.fullmatch(r"[0-9a-f]{7,64}", text.lower()):
        raise ArgumentTypeError(f"{text[:80]!r} is not a commit id: seven hex digits or more")
    return text.lower()


def run(arguments: Namespace) -> int:
    """Exit as ``apply`` would have; 1 without an agent, and when no answer came in time."""
    import sys

    from agent.cli import requesting, shared
    from agent.cli.exits import first_of
    from agent.cli.output import write_outputs
    from agent.errors import UsageError

    waits = arguments.wait or arguments.commit is not None
    if arguments.timeout is not None and not waits:
        raise UsageError("--timeout without --wait: there is nothing to wait for", fix="add --wait")
    seconds = requesting.timeout_of(arguments.timeout or "10m") if waits else None
    outputs = shared.outputs_of(arguments, _FORMATS)
    paint = shared.paint_of(arguments, to_file=outputs[0].file is not None)
    waiting = requesting.Waiting(arguments.commit, seconds)
    found = requesting.request(shared.config_of(arguments), shared.options_of(arguments), waiting)

    def text() -> str:
        from agent.report import sync_text

        if not waits:
            return "".join(f"{one.target}  the agent looks now\n" for one in found)
        return "".join(
            sync_text.answer_line(one.target, one.answer, _seconds(one), paint)
            if one.answer is not None
            else sync_text.silent_line(one.target, one.revision, seconds or 0.0, paint)
            for one in found
        )

    def as_json() -> str:
        from agent.report.documents import dump_document

        return dump_document({"format": "datakeel.sync/1", "targets": [_document(one) for one in found]})

    write_outputs(outputs, {"text": text, "json": as_json})
    sys.stdout.flush()
    return first_of(int(one.answer["status"]) if one.answer is not None else 1 for one in found) if waits else 0


def _seconds(one: LookRequest) -> float:
    return max(0.0, (one.answered_at or one.asked_at) - one.asked_at)


def _document(one: LookRequest) -> dict[str, Any]:
    words = {"target": one.target, "asked_for": one.revision, "who": one.who, "asked_at": one.asked_at}
    return words | {"answered_at": one.answered_at, "answer": dict(one.answer) if one.answer is not None else None}
