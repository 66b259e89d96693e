"""``datakeel init``: a repository to begin with. Writes new files only; asks on a terminal alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from agent.cli.starting.begin import Begun
    from agent.cli.starting.wanted import Wanted

NAME = "init"
SUMMARY = "write a configuration, first manifests, editor settings and recipes; overwrite nothing"
GROUP = "Start"
RANK = 3
EXAMPLE = "datakeel init --platform acme --server https://api.acme.example --ci github"
_FORMATS = ("text", "json")
_WIDE = 100


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.shared import add_printing, add_schemas
    from agent.cli.starting import CI, DEPLOY, EXAMPLE, HOOKS, LIVE

    parser.add_argument("folder", nargs="?", default=".", metavar="DIR", help="where (default: here)")
    parser.add_argument(
        "--platform", action="append", default=[], metavar="NAME", help="what is managed; repeatable: a target for each"
    )
    parser.add_argument(
        "--server",
        action="append",
        default=[],
        metavar="URL",
        help="its address, or `sandbox` for the emulator; NAME=URL where there are several platforms",
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting that the platform asks for"
    )
    parser.add_argument(
        "--in", action="append", default=[], dest="where", metavar="WORD=NAME", help="where manifests stand by default"
    )
    parser.add_argument("--name", metavar="NAME", help="what the target is called (default: as the platform)")
    parser.add_argument(
        "--from",
        choices=(EXAMPLE, LIVE),
        dest="begin_with",
        help="begin with an example manifest (default), or with none, for `datakeel import`",
    )
    parser.add_argument("--ci", choices=CI, help="a recipe that checks pull requests")
    parser.add_argument(
        "--deploy", action="append", default=[], choices=DEPLOY, help="files to run the agent with; repeatable"
    )
    parser.add_argument("--hook", action="append", default=[], choices=HOOKS, help="validate before each commit")
    add_schemas(parser)
    add_printing(parser, _FORMATS)


def run(arguments: Namespace) -> int:
    """Exit 0, also when everything was there; 64 for a word that is missing or wrong."""
    from agent.cli import shared
    from agent.cli.output import write_outputs
    from agent.cli.starting.begin import begin
    from agent.report.documents import dump_document

    outputs = shared.outputs_of(arguments, _FORMATS)
    done = begin(_wanted(arguments), shared.working_folder())
    write_outputs(
        outputs,
        {
            "text": lambda: _text(done),
            "json": lambda: dump_document(
                {
                    "format": "datakeel.init/1",
                    "wrote": list(done.wrote),
                    "kept": list(done.kept),
                    "next": list(done.next),
                }
            ),
        },
    )
    return 0


def _wanted(arguments: Namespace) -> Wanted:
    import os
    from pathlib import Path

    from agent.cli import shared
    from agent.cli.arguments import pairs_of
    from agent.cli.starting.wanted import Wanted, ask, servers_of

    return Wanted(
        folder=shared.working_folder() / arguments.folder,
        schemas=tuple(Path(folder).resolve() for folder in shared.schemas_of(arguments)),
        platforms=tuple(arguments.platform),
        servers=servers_of(arguments.server, arguments.platform),
        settings=pairs_of(arguments.set, "--set"),
        scopes=pairs_of(arguments.where, "--in"),
        name=arguments.name,
        ci=arguments.ci,
        deploy=tuple(dict.fromkeys(arguments.deploy)),
        hooks=tuple(arguments.hook),
        begin_with=arguments.begin_with,
        ask=ask if shared.is_interactive(os.environ) and not arguments.quiet else None,
    )


def _text(done: Begun) -> str:
    from agent.report.escape import clean

    lines = [*_listed("wrote", done.wrote), *_listed("kept", done.kept)]
    lines += [f"{'next' if number == 0 else '':<7}{each}" for number, each in enumerate(done.next)]
    return "".join(f"{clean(line)}\n" for line in lines)


def _listed(word: str, names: Sequence[str]) -> list[str]:
    """The names after the word, in as many lines as they need."""
    lines: list[str] = []
    for name in names:
        if lines and len(lines[-1]) + len(name) + 2 <= _WIDE:
            lines[-1] += f", {name}"
        else:
            lines[-1:] = [f"{lines[-1]},"] if lines else []
            lines.append(f"{word if not lines else '':<7}{name}")
    return lines
