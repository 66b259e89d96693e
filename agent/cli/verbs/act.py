"""``datakeel act``: run one action of one object, such as starting a pipeline. Sent once, never repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from agent.cli.asking import Answer

NAME = "act"
SUMMARY = "run an action of an object that its platform offers"
GROUP = "Change"
RANK = 4
EXAMPLE = "datakeel act Pipeline/nightly run"
_FORMATS = ("text", "json")


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.objects import add_object
    from agent.cli.shared import add_common

    parser.add_argument("what", metavar="Kind/name", help="the object")
    parser.add_argument("action", metavar="ACTION", help="what to do; `datakeel explain KIND` lists what a kind offers")
    add_object(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask about a dangerous one")
    parser.add_argument(
        "--forget", action="store_true", help="the answer was lost, and I have looked: settle it, send nothing"
    )
    add_common(parser, _FORMATS)


def run(arguments: Namespace) -> int:
    """Exit 0; 1 when it was refused, or when its answer was lost; 4 when it must not be sent."""
    from agent.cli import asking, shared
    from agent.cli.objects import object_of
    from agent.cli.output import write_outputs
    from agent.errors import EXIT_DONE, EXIT_FAILED
    from agent.model.outcome import Result

    outputs = shared.outputs_of(arguments, _FORMATS)
    asked = object_of(arguments)
    options, config = shared.options_of(arguments), shared.config_of(arguments)
    if arguments.forget:
        answer = shared.run_async(asking.forget_action(config, options, asked, arguments.action))
    else:
        confirm = lambda why: _confirm(why, arguments)  # noqa: E731
        answer = shared.run_async(asking.run_action(config, options, asked, arguments.action, confirm=confirm))
    write_outputs(outputs, {"text": lambda: _text(answer), "json": lambda: _json(answer)})
    return EXIT_DONE if answer.result is Result.DONE else EXIT_FAILED


def _confirm(why: str, arguments: Namespace) -> bool:
    """Whether a dangerous action may be sent: ``--yes``, or a person's yes."""
    import os
    import sys

    from agent.cli import shared
    from agent.errors import UsageError
    from agent.report.escape import clean

    if arguments.yes:
        return True
    if not shared.is_interactive(os.environ):
        raise UsageError(f"nobody can be asked here, and this is dangerous: {why}", fix="add --yes")
    sys.stderr.write(f"{clean(arguments.action)} {clean(arguments.what)}: {clean(why)}. Go on? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


_WORDS = {"done": "ok", "unknown": "unknown"}


def _text(answer: Answer) -> str:
    from agent.cli.objects import shown
    from agent.report.escape import clean

    status = f"{answer.status} " if answer.status is not None and answer.message else ""
    words = [_WORDS.get(answer.result.value, "failed"), clean(answer.name), clean(str(answer.key), 120)]
    words += [f"{status}{clean(answer.message, 500)}"] if answer.message else []
    return "  ".join(words) + "\n" + shown(answer.value)


def _json(answer: Answer) -> str:
    from agent.report.change_documents import key_document
    from agent.report.documents import dump_document

    return dump_document(
        {
            "format": "datakeel.act/1",
            "key": key_document(answer.key),
            "action": answer.name,
            "outcome": answer.result.value,
            "code": answer.code,
            "message": answer.message,
            "status": answer.status,
            "result": answer.value,
        }
    )
