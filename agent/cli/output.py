"""Where results go: ``-o FORMAT[=FILE]``, standard output, and errors in the form that the output mode asks for.

Used by every verb once, at its end. Standard output holds one document; everything else goes to standard error. Files
appear whole. Every text passes the scrubber of the run, if the wiring set one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from agent.errors import AgentError, UsageError

if TYPE_CHECKING:
    from agent.secrets import Redactor

_redactors: list[Redactor] = []


def use_redactor(redactor: Redactor) -> None:
    """From now on everything that is printed passes this scrubber; called by the wiring once secrets are known."""
    _redactors[:] = [redactor]


def scrubbed(text: str) -> str:
    """The text without any secret that the run knows of."""
    return _redactors[0].scrub(text) if _redactors else text


class Output(NamedTuple):
    """One ``-o``: a format, and the file or standard output (None)."""

    format: str
    file: Path | None = None


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
        outputs.append(Output(name, Path(file) if equals else None))
    if sum(1 for output in outputs if output.file is None) > 1:
        raise UsageError("two outputs for standard output", fix="give all but one a file: -o json=plan.json")
    return tuple(outputs)


def write_outputs(outputs: Sequence[Output], renderers: Mapping[str, Callable[[], str]]) -> None:
    """Every output, files first, so that a reader of standard output finds them written."""
    for output in sorted(outputs, key=lambda one: one.file is None):
        text = scrubbed(renderers[output.format]())
        if output.file is None:
            sys.stdout.write(text)
            sys.stdout.flush()
        else:
            write_file(output.file, text)


def write_file(path: Path, text: str) -> None:
    """A regular file appears whole, by a rename; a pipe or a device is written to as it is."""
    import stat
    import tempfile

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


def print_error(error: AgentError, *, json_wanted: bool) -> None:
    """An error for people on standard error, and for programs as the one JSON document on standard output."""
    from agent.cli.style import paint_for
    from agent.report.problems import render_problem, render_problems

    paint = paint_for(sys.stderr, "auto", os.environ)
    problems = getattr(error, "problems", ())
    text = render_problems(problems, paint=paint) if problems else ""
    text += "".join(f"{line}\n" for line in render_problem(error.as_problem(), paint=paint))
    sys.stderr.write(scrubbed(text))
    if json_wanted:
        from agent.report.documents import dump_document, error_document

        sys.stdout.write(scrubbed(dump_document(error_document(error))))
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
