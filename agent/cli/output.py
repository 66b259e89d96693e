"""Where results go: ``-o FORMAT[=FILE]``, standard output, and errors in the form that the output mode asks for.

Used by every verb once, at its end. Standard output holds one document; everything else goes to standard error. Files
appear whole. Every text passes the scrubber of the run, if the wiring set one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from agent.errors import AgentError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from agent.report.formats import Settings
    from agent.secrets import Redactor, Secret

# Of each verb that has more than text and JSON. What validates has no counts to tell.
FORMATS = ("text", "json", "markdown", "github", "gitlab", "gitlab-terraform", "sarif", "junit")
FORMATS_OF_PROBLEMS = tuple(name for name in FORMATS if name != "gitlab-terraform")
_MAY_SHARE = {"text", "github"}  # the runner finds its commands in any output

_redactors: list[Redactor] = []


def learn_secret(secret: Secret) -> None:
    """From now on no output shows it."""
    if not _redactors:
        from agent.secrets import Redactor

        _redactors.append(Redactor())
    _redactors[0].add(secret)


def forget_secrets() -> None:
    """A command begins: what one before it in this process was told to hide may be an ordinary word of this one."""
    _redactors.clear()


def use_redactor(redactor: Redactor) -> None:
    """From now on everything that is printed passes this scrubber; called by the wiring once secrets are known."""
    _redactors[:] = [redactor]


def scrubbed(text: str) -> str:
    """The text without any secret that the run knows of."""
    return _redactors[0].scrub(text) if _redactors else text


def scrubbed_members(value: Any) -> Any:
    """The same for every text of a JSON value: once a format has escaped a secret, nobody would find it."""
    if isinstance(value, str):
        return scrubbed(value)
    if isinstance(value, Mapping):
        return {name: scrubbed_members(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [scrubbed_members(member) for member in value]
    return value


class Output(NamedTuple):
    """One ``-o``: a format, and the file or standard output (None)."""

    format: str
    file: Path | None = None


def _output(name: str, file: str | None) -> Output:
    if file is None:
        return Output(name)
    from pathlib import Path

    return Output(name, Path(file))


def parse_outputs(words: Sequence[str], allowed: Sequence[str]) -> tuple[Output, ...]:
    """The outputs that were asked for; text on standard output when none was."""
    outputs = []
    for word in words or ("text",):
        name, equals, file = word.partition("=")
        if name not in allowed:
            from agent.cli.parser import _nearest

            raise UsageError(
                f"-o {name}: not a format of this verb",
                fix=_nearest(name, allowed) or f"formats are {', '.join(allowed)}",
            )
        if equals and not file:
            raise UsageError(f"-o {name}=: a file name must follow", fix=f"-o {name}=result.{name}")
        outputs.append(_output(name, file if equals else None))
    printed = [output.format for output in outputs if output.file is None]
    if len(printed) > 1 and (set(printed) != _MAY_SHARE or len(printed) > 2):
        raise UsageError(
            "two outputs for standard output",
            why="only text and github may share it",
            fix="give all but one a file: -o json=plan.json",
        )
    return tuple(outputs)


def write_outputs(
    outputs: Sequence[Output],
    renderers: Mapping[str, Callable[[], str]],
    document: Callable[[], Mapping[str, Any]] | None = None,
    settings: Settings | None = None,
    told: Sequence[Output] = (),
) -> None:
    """Every output that was not ``told`` before: files first, so that a reader of standard output finds them written.

    Annotations come last. One that cannot be written keeps no other from it; its error is raised at the end. A format
    without a renderer of its own is made from ``document``, which is asked for once, and has no secret left.
    """
    made: list[Any] = []

    def text_of(name: str) -> str:
        if name in renderers:
            return renderers[name]()
        from dataclasses import replace

        from agent.report.formats import Settings, render

        assert document is not None
        if not made:
            made.append(scrubbed_members(document()))
        full = next((one.file.name for one in outputs if one.format == "json" and one.file), None)
        return render(name, made[0], replace(settings or Settings(), full=full))

    failed: AgentError | None = None
    for output in sorted(outputs, key=lambda one: (one.file is None, one.format == "github")):
        if output in told:
            continue
        text = scrubbed(text_of(output.format))
        if output.file is None:
            sys.stdout.write(text)
            sys.stdout.flush()
            continue
        try:
            write_file(output.file, text)
        except AgentError as error:
            failed = failed or error
    if failed is not None:
        raise failed


def write_file(path: Path, text: str) -> None:
    """A regular file appears whole, by a rename; a pipe or a device is written to as it is."""
    import stat
    import tempfile
    from pathlib import Path

    try:
        if path.exists() and not stat.S_ISREG(path.stat().st_mode):
            with path.open("w", encoding="utf-8") as file:
                file.write(text)
            return
        target = path.resolve()
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666 & ~_umask()
            Path(name).chmod(mode)
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise AgentError(f"{path} cannot be written: {error.strerror}", code="output-failed") from error


def write_failure(error: AgentError, words: Sequence[str]) -> None:
    """The error as every output that was asked for, but for JSON on standard output, which ``print_error`` prints.

    So what reads the results later finds why there are none: ``notify`` its comment, a forge its annotations.
    """
    from agent.report.documents import dump_document, error_document
    from agent.report.formats import WRITERS

    outputs = []
    for word in words:
        name, equals, file = word.partition("=")
        if (name in WRITERS and (file if equals else name != "json")) or (name == "jsonl" and file):
            outputs.append(_output(name, file if equals else None))
    try:
        line = {"jsonl": lambda: dump_document(error_document(error), pretty=False)}
        write_outputs(outputs, line, lambda: error_document(error))
    except AgentError as second:
        print_error(second, json_wanted="")


def print_error(error: AgentError, *, json_wanted: str) -> None:
    """An error for people on standard error, and for programs as JSON on standard output: a document, or a line."""
    from agent.cli.style import paint_for
    from agent.report.problems import render_problem, render_problems

    paint = paint_for(sys.stderr, "auto", os.environ)
    problems = getattr(error, "problems", ())
    text = render_problems(problems, paint=paint) if problems else ""
    text += "".join(f"{line}\n" for line in render_problem(error.as_problem(), paint=paint))
    sys.stderr.write(scrubbed(text))
    if json_wanted:
        from agent.report.documents import dump_document, error_document

        sys.stdout.write(scrubbed(dump_document(error_document(error), pretty=json_wanted != "jsonl")))
        sys.stdout.flush()


def tell(text: str) -> None:
    """One line of progress or warning for people, on standard error."""
    from agent.report.escape import clean

    sys.stderr.write(scrubbed(clean(text)) + "\n")
    sys.stderr.flush()


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
