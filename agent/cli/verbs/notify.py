"""``datakeel notify``: one comment on a pull request, updated in place, and one commit status a target."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from agent.notify.telling import Told

NAME = "notify"
SUMMARY = "tell a pull request what a diff, an apply or a validation came to"
GROUP = "Change"
RANK = 4
EXAMPLE = "datakeel notify --plan plan.json"
_FORMATS = ("text", "json")


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.shared import add_printing, add_target, positive

    parser.add_argument(
        "--plan", default="plan.json", metavar="FILE", help="what `-o json=FILE` wrote (default: plan.json)"
    )
    parser.add_argument("--key", default="default", metavar="KEY", help="tells several comments of one request apart")
    parser.add_argument("--pending", action="store_true", help="only set the statuses of the targets to pending")
    parser.add_argument("--no-comment", action="store_true", help="only set commit statuses")
    parser.add_argument("--no-status", action="store_true", help="only write the comment")
    parser.add_argument(
        "--untrusted", action="store_true", help="say that the plan was made by a job of the request itself"
    )
    parser.add_argument("--max-bytes", type=positive, metavar="N", help="length of the comment (default: 60000)")
    where = parser.add_argument_group("where to speak (a job of GitHub or GitLab knows it)")
    where.add_argument("--forge", choices=("github", "gitlab"), help="whose API it is")
    where.add_argument("--api", metavar="URL", help="address of the API, such as https://git.example.com/api/v4")
    where.add_argument("--repository", metavar="NAME", help="owner/name, or GitLab's project id or path")
    where.add_argument("--pull", type=positive, metavar="N", help="number of the pull or merge request")
    where.add_argument("--commit", metavar="SHA", help="commit of the statuses, in full")
    where.add_argument("--link", metavar="URL", help="where a status leads to (default: the job)")
    where.add_argument(
        "--token-from",
        metavar="REF",
        help="env:NAME or file:PATH of the token (default: env:GITHUB_TOKEN or env:GITLAB_TOKEN)",
    )
    where.add_argument(
        "--retry-for", type=positive, default=60, metavar="SECONDS", help="try again for so long (default: 60)"
    )
    common = parser.add_argument_group("common options")
    add_target(common)
    add_printing(common, _FORMATS)


def run(arguments: Namespace) -> int:
    """Exit 0 when all was told, 1 when the forge refused something or there was no plan to tell of."""
    from agent.cli import notifying, shared
    from agent.cli.output import print_error, write_outputs
    from agent.clock import SystemClock
    from agent.errors import EXIT_DONE, EXIT_FAILED
    from agent.report.documents import dump_document

    outputs = shared.outputs_of(arguments, _FORMATS)
    speech = notifying.speech_of(arguments)
    told = shared.run_async(notifying.speak(speech, SystemClock()))
    write_outputs(outputs, {"text": lambda: _text(told), "json": lambda: dump_document(notifying.told_document(told))})
    for error in (*([speech.unreadable] if speech.unreadable else []), *told.errors):
        print_error(error, json_wanted="")
    return EXIT_FAILED if told.errors or speech.unreadable else EXIT_DONE


def _text(told: Told) -> str:
    from agent.report.escape import clean
    from agent.report.values import table

    rows = [
        ["status", clean(status.name), status.state, done, clean(status.description)] for status, done in told.statuses
    ]
    lines = table(rows)
    if told.comment is not None:
        lines.append(f"comment  {told.comment}  {clean(told.url or told.why)}".rstrip())
    elif told.why:
        lines.append(f"comment  none  {clean(told.why)}")
    return "".join(f"{line}\n" for line in lines)
