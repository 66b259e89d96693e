"""``datakeel draft OPENAPI --out DIR``: the first version of a platform folder, from the API's own document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from agent.cli.drafting import Drafted

NAME = "draft"
SUMMARY = "draft a platform of your own from an OpenAPI document; edited files are never overwritten"
GROUP = "More"
RANK = 3
EXAMPLE = "datakeel draft https://shelf.example.com/openapi.json --out platforms/bookshelf"
_FORMATS = ("text", "json")
_SHOWN = 30


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.shared import add_printing

    parser.add_argument(
        "document", metavar="OPENAPI", help="a file or an address: OpenAPI 2.0, 3.0 or 3.1, JSON or YAML"
    )
    parser.add_argument("--out", metavar="DIR", required=True, help="the platform's folder, made when it is not there")
    parser.add_argument("--platform", metavar="NAME", help="how it is called (default: from the document's title)")
    parser.add_argument(
        "--server", metavar="URL", help="where the platform is, for the README (default: the document's)"
    )
    parser.add_argument(
        "--kinds",
        action="append",
        default=[],
        metavar="NAME,…",
        help="only these kinds and those that they stand in; a pattern such as 'Repo*' is taken; repeatable",
    )
    add_printing(parser, _FORMATS)


def run(arguments: Namespace) -> int:
    """Exit 0; 64 for kinds that are not there, 78 for a document that cannot be read."""
    from pathlib import Path

    from agent.cli import shared
    from agent.cli.drafting import draft_into
    from agent.cli.output import write_outputs
    from agent.errors import EXIT_DONE
    from agent.report.documents import dump_document

    outputs = shared.outputs_of(arguments, _FORMATS)
    kinds = [word.strip() for part in arguments.kinds for word in part.split(",") if word.strip()]
    drafted = draft_into(
        arguments.document, Path(arguments.out), platform=arguments.platform, server=arguments.server, kinds=kinds
    )
    write_outputs(outputs, {"text": lambda: _text(drafted), "json": lambda: dump_document(_document(drafted))})
    return EXIT_DONE


def _text(drafted: Drafted) -> str:
    from agent.report.escape import clean
    from agent.report.problems import render_problems
    from agent.report.values import counted

    kinds = drafted.draft.words.get("kinds", {})
    managed = [name for name, words in kinds.items() if "create" in words or "apply" in words]
    observed = [name for name in kinds if name not in managed]
    lines = [f"{drafted.draft.words['platform']}/{drafted.draft.words['version']} · {clean(drafted.folder)}", ""]
    if drafted.before:
        lines += [*_changes(drafted), ""]
    lines.append(f"{counted(len(managed), 'managed kind')}: {', '.join(managed) or '-'}")
    if observed:
        lines.append(f"{len(observed)} only observed: {', '.join(observed)}")
    lines += [clean(one, 300) for one in drafted.draft.lost[:_SHOWN]]
    for called, names in (("written", drafted.written), ("deleted", drafted.deleted)):
        if names:
            lines.append(f"{called}: {', '.join(names)}")
    for name in drafted.left:
        lines.append(f"left: {name}, which somebody edited or removed since, or which was there before")
    counts = _counts(drafted)
    told = ", ".join(f"{number} {word}" for word, number in counts.items())
    lines += [
        "",
        f"{counted(sum(counts.values()), 'guess', 'guesses')} ({told}); no write is applied before it is confirmed",
    ]
    lines.append(f"next: datakeel lint-platform {clean(drafted.folder)}")
    return render_problems(drafted.document.problems) + "".join(f"{line}\n" for line in lines)


def _changes(drafted: Drafted) -> list[str]:
    from agent.report.escape import clean

    if drafted.same_document:
        return ["the document is the one of the draft before"]
    if not drafted.changes:
        return ["the document is another one, and nothing in it that was drafted is different"]
    lines = ["changed upstream since the draft before:"]
    for one in drafted.changes[:_SHOWN]:
        types = f": {one.was} -> {one.is_}" if one.how == "changed" else f": {one.is_}" if one.is_ else ""
        lines.append(f"  {one.how.ljust(7)} {clean(one.name + types, 200)}")
    if len(drafted.changes) > _SHOWN:
        lines.append(f"  … and {len(drafted.changes) - _SHOWN} more; -o json lists all")
    return lines


def _counts(drafted: Drafted) -> dict[str, int]:
    found = [guess.confidence for guess in drafted.draft.guesses.values()]
    return {word: found.count(word) for word in ("high", "medium", "low") if word in found}


def _document(drafted: Drafted) -> dict[str, Any]:
    from dataclasses import asdict

    from agent import __version__
    from agent.report.documents import problem_document

    draft = drafted.draft
    return {
        "format": "datakeel.draft/1",
        "agent": __version__,
        "folder": drafted.folder,
        "platform": f"{draft.words['platform']}/{draft.words['version']}",
        "document": {
            "from": drafted.document.name,
            "title": drafted.document.title,
            "version": drafted.document.version,
            "digest": drafted.document.digest,
            "same": drafted.same_document,
        },
        "kinds": {
            name: [word for word in ("list", "get", "create", "apply", "update", "delete") if word in words]
            for name, words in draft.words.get("kinds", {}).items()
        },
        "guesses": [
            {
                "place": ".".join(path),
                "value": draft.said(path),
                "confidence": guess.confidence,
                "reason": guess.reason,
            }
            for path, guess in draft.guesses.items()
        ],
        "written": list(drafted.written),
        "deleted": list(drafted.deleted),
        "left": list(drafted.left),
        "changes": [{**{k: v for k, v in asdict(one).items() if k != "is_"}, "is": one.is_} for one in drafted.changes],
        "calls_left_out": draft.left_out,
        "told": draft.lost,
        "problems": [problem_document(problem) for problem in drafted.document.problems],
    }
