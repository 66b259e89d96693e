"""What is refused before the parser sees a byte: size, encoding, control characters, and files that are no YAML.

Called by the builder. It reads bytes and text only and knows nothing of YAML's structure, except that libyaml compares
``%TAG`` lines pairwise before its first event, so that their number must be limited here.
"""

from __future__ import annotations

import re
from typing import Final

from agent.errors import Problem, Where
from agent.yaml_io.budget import Budget
from agent.yaml_io.faults import encrypted

_BOM: Final = b"\xef\xbb\xbf"
_WIDE_BOMS: Final = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_HARMLESS: Final = bytes(byte for byte in range(256) if byte in b"\t\n" or (byte >= 0x20 and byte != 0x7F))
_UNWELCOME = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]|\r(?!\n)")
_LINE_BREAKS: Final = "\r\x85\u2028\u2029"
_DIRECTIVE_LIMIT: Final = 4
_CONFLICT = re.compile(r"^<{7}(?: .*)?\r?$", re.MULTILINE)
_CONFLICT_REST = re.compile(r"^(?:={7}|>{7})(?: .*)?\r?$", re.MULTILINE)
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_LFS: Final = b"version https://git-lfs.github.com/spec/"
_ENCRYPTED_WHOLE: Final = (
    (b"-----BEGIN AGE ENCRYPTED FILE-----", "age"),
    (b"age-encryption.org/", "age"),
    (b"-----BEGIN PGP MESSAGE-----", "PGP"),
    (b"$ANSIBLE_VAULT;", "Ansible Vault"),
)
_HEADS: Final = (
    *(mark for mark, _ in _WIDE_BOMS),
    *(head for head, _ in _ENCRYPTED_WHOLE),
    *(_LFS, b"<", b"\n", b"\r", b" ", b"\t"),
)


def screen(source: bytes, budget: Budget) -> tuple[str, tuple[Problem, ...]]:
    """The text to parse, without its byte order mark, or the problems that forbid parsing."""
    problem = _of_bytes(source, budget)
    if problem is not None:
        return "", (problem,)
    if source.startswith(_BOM):
        source = source[3:]
    try:
        text = source.decode("utf-8")
    except UnicodeDecodeError as error:
        return "", (_bad_byte(source, error),)
    if source.translate(None, _HARMLESS) or not text.isascii():
        problem = _unwelcome(text)
    if problem is None:
        problem = _directives(text)
    if problem is not None:
        return "", (problem,)
    if "<<<<<<<" in text:
        return text, _conflicts(text)
    return text, ()


def place(text: str, index: int) -> Where:
    """Line and column, both from 1, of a character of the text."""
    return Where("", text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index))


def _of_bytes(source: bytes, budget: Budget) -> Problem | None:
    if len(source) > budget.bytes:
        what = f"the file has {len(source):,} bytes; at most {budget.bytes:,} are read"
        return Problem("file-too-big", what, Where(""), fix="split it into several files")
    return _by_head(source) if source.startswith(_HEADS) else None


def _by_head(source: bytes) -> Problem | None:
    """What the first bytes tell: another encoding, or a file of another kind."""
    start = Where("", 1, 1)
    for mark, encoding in _WIDE_BOMS:
        if source.startswith(mark):
            return Problem("yaml-encoding", f"the file is encoded as {encoding}", start, fix="save it as UTF-8")
    if source.startswith(_LFS):
        what = "this is a pointer of git LFS, not the file that it stands for"
        return Problem(
            "lfs-pointer", what, start, fix="take manifests out of LFS: `git lfs untrack`, then add them again"
        )
    for head, tool in _ENCRYPTED_WHOLE:
        if source.startswith(head):
            return encrypted(f"the file is encrypted with {tool}", start, tool)
    if _HTML.match(source[:200].lstrip()):
        what = "this is not a manifest: an HTML page?"
        return Problem("not-a-manifest", what, start, fix="it may be the error page of a failed download")
    return None


def _bad_byte(source: bytes, error: UnicodeDecodeError) -> Problem:
    before = source[: error.start]
    line = before.count(b"\n") + 1
    column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
    byte = f"byte 0x{source[error.start]:02x}"
    return Problem(
        "yaml-encoding", f"{byte} is not UTF-8", Where("", line, column), got=byte, fix="save the file as UTF-8"
    )


def _unwelcome(text: str) -> Problem | None:
    found = _UNWELCOME.search(text)
    if found is None:
        return None
    character, where = found[0], place(text, found.start())
    name = f"U+{ord(character):04X}"
    if character == "\ufeff":
        return Problem("yaml-bom", "a byte order mark stands in mid-file", where, got=name, fix="remove it")
    if character in _LINE_BREAKS:
        what = f"{'a lone carriage return' if character == chr(13) else name} ends a line"
        return Problem("yaml-newline", what, where, got=name, fix="end lines with LF or CRLF")
    return Problem("yaml-control", f"control character {name}", where, got=name, fix="remove it, or write an escape")


def _directives(text: str) -> Problem | None:
    count = text.count("\n%") + text.startswith("%")
    if count <= _DIRECTIVE_LIMIT:
        return None
    what = f"{count:,} lines start with `%`; at most {_DIRECTIVE_LIMIT} directives are read"
    first = 0 if text.startswith("%") else text.index("\n%") + 1
    return Problem("yaml-directives", what, place(text, first), fix="remove the %TAG lines: no tags are used here")


def _conflicts(text: str) -> tuple[Problem, ...]:
    if _CONFLICT_REST.search(text) is None:
        return ()
    what = "git conflict marker: two versions of these lines stand in the file"
    fix = "keep one version and remove the marker lines"
    return tuple(
        Problem("merge-conflict", what, place(text, found.start()), got=found[0].rstrip()[:200], fix=fix)
        for found in _CONFLICT.finditer(text)
    )[:100]
