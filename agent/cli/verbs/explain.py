"""``datakeel explain WORD``: what an error code, a kind, a member of one or a setting means; what a platform's kinds
promise and cost; why one resource is in its state. Offline: definitions and the state store are read, nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence
    from pathlib import Path

    from agent.cli.output import Output
    from agent.model.explanation import Explanation
    from agent.viewing.explaining import Known

NAME = "explain"
SUMMARY = "tell what an error code, a kind or a member of one means, or what a platform's kinds promise"
GROUP = "More"
RANK = 1
EXAMPLE = "datakeel explain Pipeline.schedule"
_FORMATS = ("text", "json")


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.shared import add_printing, add_schemas, positive

    parser.add_argument(
        "what",
        nargs="*",
        metavar="WORD",
        help="the word in error[…]; a kind, or Kind.member.of.its.schema; Kind/name, for why it is in its state; a "
        "setting such as targets.drift, after datakeel.yaml, platform.yaml or overlay where the file must be told; a "
        "platform; `promises` or `cost` and a platform; `policy`, for rules; without it, all codes are listed",
    )
    parser.add_argument("--platform", metavar="NAME", help="the one that is meant, where several have the kind")
    parser.add_argument("--objects", type=positive, metavar="N", help="with `cost`: at so many objects of each kind")
    parser.add_argument("--target", metavar="NAME", help="with Kind/name: of this target only")
    parser.add_argument("--config", metavar="FILE", help="configuration: the platforms of its targets come first")
    add_schemas(parser)
    add_printing(parser, _FORMATS)


def run(arguments: Namespace) -> int:
    """Exit 0, or 64 for a word that means nothing; 1 for an object that no pass has seen."""
    from agent.cli import shared
    from agent.cli.output import write_outputs

    outputs = shared.outputs_of(arguments, _FORMATS)
    words = arguments.what or ([arguments.platform] if arguments.platform else [])
    if not words:
        return _codes(outputs)
    if len(words) == 1 and not arguments.platform and (code := _code(words[0])) and not arguments.output:
        write_outputs(outputs, {"text": lambda: code})
        return 0
    told, also = _told(arguments, words)

    def text() -> str:
        from agent.report.escape import clean_lines
        from agent.report.explanation_text import explanation_text

        whole = "\n\n".join(map(explanation_text, told))
        if also:
            whole += f"\nAlso a kind of {', '.join(also)}: --platform NAME\n"
        return "".join(f"{line}\n" for line in clean_lines(whole.removesuffix("\n"), ""))

    def as_json() -> str:
        from agent.model.explanation import FORMAT
        from agent.report.documents import dump_document

        return dump_document({"format": FORMAT, "explained": [each.document() for each in told], "also_of": also})

    write_outputs(outputs, {"text": text, "json": as_json})
    return 0


def _code(written: str) -> str | None:
    """What an error code means, for who waits for nothing else: no definition is loaded for it."""
    from agent.viewing.error_codes import code_of, explanations, plain_text

    word = code_of(written)
    text = explanations().get(word)
    return f"{word}\n\n{plain_text(text)}\n" if text is not None else None


def _codes(outputs: Sequence[Output]) -> int:
    from agent.cli.output import write_outputs
    from agent.report.documents import dump_document
    from agent.viewing.error_codes import explanations

    codes = sorted(explanations())
    listed = {"format": "datakeel.codes/1", "codes": codes}
    write_outputs(
        outputs, {"text": lambda: "".join(f"{code}\n" for code in codes), "json": lambda: dump_document(listed)}
    )
    return 0


def _told(arguments: Namespace, words: Sequence[str]) -> tuple[Sequence[Explanation], list[str]]:
    """What is meant, and the other platforms that have such a kind."""
    from agent.viewing import explaining

    if not arguments.platform and (found := explaining.plain(words)) is not None:
        return found, []
    folders, targets = _configured(arguments)
    known = explaining.known_platforms(folders, targets)
    if _is_object(words, known):
        explaining.explained([words[0].partition("/")[0]], known)  # a kind that nobody has is told with the nearest
        return _of_object(arguments, words[0]), []
    told = explaining.explained(words, known, arguments.platform, arguments.objects)
    return told, [] if arguments.platform else explaining.also_of(told, known)


def _is_object(words: Sequence[str], known: Known) -> bool:
    """``Kind/name``: but ``acme/v1`` is a platform."""
    return len(words) == 1 and "/" in words[0] and words[0] not in known.platforms


def _of_object(arguments: Namespace, written: str) -> Sequence[Explanation]:
    import time

    from agent.cli import shared
    from agent.clock import SystemClock
    from agent.store.store import Store
    from agent.viewing.object_words import about_object

    store = Store.open(shared.state_of(arguments), clock=SystemClock(), write=False)
    try:
        return about_object(store, written, arguments.target, time.time(), shared.terminal_now())
    finally:
        store.close()


def _configured(arguments: Namespace) -> tuple[Sequence[Path], Sequence[str]]:
    """Folders of definitions, and the platforms of the targets.

    A configuration is not needed, and need not be right: one that is not named on the command line is then left out.
    """
    from agent.cli.shared import config_of, schemas_of
    from agent.errors import ConfigError

    given = schemas_of(arguments)
    try:
        config = config_of(arguments)
    except ConfigError:
        if arguments.config:
            raise
        return given, ()
    return config.schemas, [target.platform for target in config.targets.values()]
