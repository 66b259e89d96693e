"""``datakeel probe DIR --server URL``: does a definition say what is true? Asked of a live server, by reads alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from agent.cli.proved_files import Left
    from agent.cli.proving_calls import Probed
    from agent.definitions.platform import Platform
    from agent.live.connection import Connection
    from agent.secrets import Redactor

NAME = "probe"
SUMMARY = "ask a live server, by GET only, whether a platform folder says what is true; save its answers as samples"
GROUP = "More"
RANK = 4
EXAMPLE = "datakeel probe platforms/bookshelf --server https://shelf.example.com --credential key=env:BOOKSHELF_KEY"
_FORMATS = ("text", "json")
_CALLS = 100


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.shared import add_printing, add_schemas, positive

    parser.add_argument("folder", metavar="DIR", help="the folder in which a platform.yaml stands")
    parser.add_argument("--server", metavar="URL", help="where the platform is")
    parser.add_argument(
        "--credential",
        action="append",
        default=[],
        metavar="NAME=env:VARIABLE",
        help="where a secret of `auth` is kept: env:VARIABLE or file:PATH; repeatable",
    )
    parser.add_argument(
        "--setting", action="append", default=[], metavar="NAME=VALUE", help="of `settings`; repeatable"
    )
    parser.add_argument(
        "--target", metavar="NAME", help="server, credentials and settings of a target of datakeel.yaml"
    )
    parser.add_argument(
        "--config", metavar="FILE", help="configuration of --target (default: datakeel.yaml here or above)"
    )
    parser.add_argument("--kinds", action="append", default=[], metavar="NAME,…", help="only these kinds; repeatable")
    parser.add_argument("--reads", action="store_true", help="ask lists, too, that are a POST with `reads: true`")
    parser.add_argument("--write", action="store_true", help="take away the marks and guesses that were proved")
    parser.add_argument(
        "--max-calls", type=positive, default=_CALLS, metavar="N", help=f"at most N (default: {_CALLS})"
    )
    add_schemas(parser)
    add_printing(parser, _FORMATS)


def run(arguments: Namespace) -> int:
    """Exit 0; 1 when something is not as the definition says, or the server could not be asked."""
    from pathlib import Path

    from agent.cli import shared
    from agent.cli.output import use_redactor, write_outputs
    from agent.cli.proved_files import leave, places
    from agent.cli.proving import Prover
    from agent.definitions.files import DEFINITION
    from agent.definitions.load import load_folder
    from agent.drafting.edits import cutters
    from agent.errors import EXIT_DONE, EXIT_FAILED
    from agent.report.documents import dump_document
    from agent.secrets import Redactor

    outputs = shared.outputs_of(arguments, _FORMATS)
    folder, search = Path(arguments.folder), shared.schemas_of(arguments)
    platform = load_folder(folder, bundled=False, search=search)
    redactor = Redactor()
    use_redactor(redactor)
    connection = _connection(arguments, platform, redactor)
    cut = cutters((folder / DEFINITION).read_text(encoding="utf-8"))
    prover = Prover(platform, connection, redactor, calls_max=arguments.max_calls, reads=arguments.reads, cutters=cut)
    kinds = _kinds(arguments, platform)
    found = shared.run_async(prover.run(kinds))
    lines = places(folder, found)
    left = leave(folder, found, write=arguments.write, search=search)

    def text() -> str:
        paint = shared.paint_of(arguments, to_file=outputs[0].file is not None)
        return _text(platform, connection.server or "", folder, found, left, lines, paint, arguments.write)

    def document() -> str:
        return dump_document(_document(platform, folder, found, left, lines))

    write_outputs(outputs, {"text": text, "json": document})
    wrong = any(finding.verdict == "wrong" for findings in found.findings.values() for finding in findings)
    return EXIT_FAILED if wrong or found.stopped or left.refused else EXIT_DONE


def _kinds(arguments: Namespace, platform: Platform) -> list[str]:
    from agent.errors import UsageError

    names = [word.strip() for part in arguments.kinds for word in part.split(",") if word.strip()]
    for name in names:
        if name not in platform.kinds:
            raise UsageError(f"--kinds {name[:60]}: no such kind", fix=f"it has {', '.join(platform.kinds)}"[:500])
    return names


def _connection(arguments: Namespace, platform: Platform, redactor: Redactor) -> Connection:
    """Where to ask and with what: from the words, or those of a target."""
    from urllib.parse import urlsplit

    from agent.cli.opening import connection_of
    from agent.cli.output import tell
    from agent.config.checks import is_loopback
    from agent.errors import UsageError
    from agent.live.connection import Connection
    from agent.secrets import Reader

    if arguments.target is not None:
        if arguments.server or arguments.credential or arguments.setting:
            raise UsageError("--target has a server, credentials and settings of its own")
        from agent.cli import shared

        config = shared.config_of(arguments)
        if arguments.target not in config.targets:
            raise UsageError(f"--target {arguments.target[:60]}: no such target")
        return connection_of(config.targets[arguments.target], platform, redactor, "probe")
    if not arguments.server:
        raise UsageError("where is the platform?", fix="--server URL, or --target NAME of a datakeel.yaml")
    host = urlsplit(arguments.server).hostname or ""
    return Connection(
        target="probe",
        server=arguments.server,
        settings=_pairs(arguments.setting, "--setting"),
        credentials={
            name: Reader(reference, warn=tell, learn=redactor.add)
            for name, reference in _references(arguments.credential).items()
        },
        allow_http=is_loopback(host),
        command="probe",
    )


def _pairs(words: list[str], flag: str) -> dict[str, str]:
    from agent.errors import UsageError

    pairs = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise UsageError(f"{flag}: NAME=… is due", fix=f"see datakeel {NAME} --help")
        pairs[name] = value
    return pairs


def _references(words: list[str]) -> Mapping[str, Any]:
    from pathlib import Path

    from agent.errors import UsageError
    from agent.secrets import Reference

    found = {}
    for name, written in _pairs(words, "--credential").items():
        kind, colon, value = written.partition(":")
        if not colon or not value or kind not in ("env", "file"):
            fix = "--credential NAME=env:VARIABLE or NAME=file:PATH; never the secret itself"
            raise UsageError(f"--credential {name[:60]}: a reference is due", code="credential-invalid", fix=fix)
        found[name] = Reference("env", value) if kind == "env" else Reference("file", str(Path(value).absolute()))
    return found


_SIGNS = {"proved": "ok   ", "wrong": "wrong", "open": "open "}


def _text(
    platform: Platform,
    server: str,
    folder: Path,
    found: Probed,
    left: Left,
    lines: Mapping[tuple[str, ...], int],
    paint: Callable[[str, str], str],
    write: bool,
) -> str:
    from agent.definitions.files import DEFINITION, display
    from agent.report.escape import clean
    from agent.report.values import counted

    shown = clean(display(folder / DEFINITION), 200)
    out = [
        paint("heading", f"{platform.api_version} at {clean(server, 200)} · {counted(found.calls, 'call')}, reads only")
    ]
    for kind, findings in found.findings.items():
        out += ["", kind or "All kinds"]
        for one in findings:
            what = clean(".".join(one.path[2:] if kind else one.path), 80)
            place = f"  {shown}:{lines[one.path]}" if one.verdict != "proved" else ""
            change = f"; write {_change(one.path, one.change)}" if one.change is not None else ""
            out.append(f"  {_SIGNS[one.verdict]}  {what}: {clean(one.what + change, 300)}{place}")
    if found.unasked:
        out += ["", *(f"not asked: {name}: {clean(why, 200)}" for name, why in found.unasked.items())]
    if found.stopped:
        out += ["", f"stopped: {clean(found.stopped, 300)}"]
    out.append("")
    if left.saved:
        out.append(f"saved in examples/answers: {', '.join(left.saved)}")
    if left.kept:
        out.append(f"samples that are there were left: {', '.join(left.kept)}")
    if left.contradicting:
        out.append(f"not saved, for the definition says otherwise: {', '.join(left.contradicting)}")
    if left.refused:
        out.append(f"{shown} was left as it was, for the definition would not load: {clean(left.refused, 300)}")
    elif write:
        out.append(f"{shown}: {counted(len(left.lines), 'line')} changed")
    elif any(one.verdict == "proved" for findings in found.findings.values() for one in findings):
        out.append("--write takes away the marks and guesses that were proved")
    out.append(f"what remains: datakeel lint-platform {clean(display(folder), 200)}")
    return "".join(f"{line}\n" for line in out)


def _change(path: tuple[str, ...], change: Any) -> str:
    from agent.drafting.text import flow

    if path[-1] == "complete":
        return f"`pages: {flow(change)}`"
    if isinstance(change, dict):
        return ", ".join(f"`{word}: {flow(value)}`" for word, value in change.items())
    return f"`{path[-1]}: {flow(change)}`"


def _document(
    platform: Platform, folder: Path, found: Probed, left: Left, lines: Mapping[tuple[str, ...], int]
) -> dict[str, Any]:
    from agent import __version__
    from agent.definitions.files import display

    return {
        "format": "datakeel.probe/1",
        "agent": __version__,
        "folder": display(folder),
        "platform": platform.api_version,
        "calls": found.calls,
        "findings": [
            {
                "kind": kind,
                "word": ".".join(one.path),
                "verdict": one.verdict,
                "what": one.what,
                "change": one.change,
                "line": lines[one.path],
            }
            for kind, findings in found.findings.items()
            for one in findings
        ],
        "not_asked": found.unasked,
        "stopped": found.stopped or None,
        "saved": list(left.saved),
        "left": list(left.kept),
        "contradicting": list(left.contradicting),
        "lines_changed": list(left.lines),
        "refused": left.refused or None,
    }
