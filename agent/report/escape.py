"""Makes hostile text harmless: names, values, messages of platforms and commits may hold anything.

Used by every renderer for every foreign text, and by the logs. Four dangers: control characters that drive a terminal,
bidirectional and invisible characters that make text look like other text, the commands that the runners of code
forges read from output (``::error::`` at a line's start, ``##[`` anywhere), and the markup of the place that the text
is shown in: Markdown, HTML, XML, a runner's own command. Each of these places has its function here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_DANGEROUS = (
    "[\x00-\x1f\x7f-\x9f"  # control
    "\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # invisible, bidirectional
    "\ud800-\udfff"  # halves of a pair, which no encoder takes
    "\U000e0000-\U000e007f]"  # tags
)
_FORGE_MARK = r"##(?=[A-Za-z]*\[)"
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_NO_XML = re.compile("[\ufffe\uffff]")  # XML 1.0 cannot write them; what else it cannot, ``clean`` has made visible
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
# A word that is neither markup, nor a forge's mention or reference (`@ann`, `#12`, `!3`, `GH-12`), nor a link.
_PLAIN_WORD = re.compile(
    r"(?!GH-|www\.|[0-9]+[.)]$)[(\"']*[^\W_](?:[^\W_]|[-'’.,](?=[^\W_]))*[%…)\"']*[.,;:?]*|[–—·…%.,;:?)]+",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"`([^`]+)`")
_WORD = re.compile(r"""(?<![^ ])"[^"]+"(?![^ ])|[^ ]+""")


def clean(text: str, limit: int | None = None) -> str:
    """One line that shows what the text holds and can do nothing; cut with ``…`` beyond ``limit`` characters."""
    if text.isascii() and text.isprintable() and "##" not in text and not text.lstrip().startswith("::"):
        safe = text
    else:
        safe = re.sub(_FORGE_MARK, r"#\\#", re.sub(_DANGEROUS, _escaped, text))
        bare = safe.lstrip()
        if bare.startswith("::"):
            safe = safe[: len(safe) - len(bare)] + "\\" + bare
    if limit is not None and len(safe) > limit:
        return safe[: limit - 1] + "…"
    return safe


def clean_lines(text: str, mark: str) -> list[str]:
    """Several lines, each cleaned and led by ``mark``, so that none begins with foreign text."""
    return [f"{mark}{clean(line)}" for line in text.split("\n")]


def clean_members(value: object) -> object:
    """A log event's fields, cleaned at every depth; other types stay as they are."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(str(key)): clean_members(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [clean_members(member) for member in value]
    return value


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def code_span(text: str, limit: int | None = None) -> str:
    """Markdown's inline code. Its fence is longer than any run of backticks inside; nothing else can end it."""
    shown = clean(text, limit) or " "
    fence = "`" * _longer_than_any([shown], 1)
    pad = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def cell_code(text: str, limit: int | None = None) -> str:
    """Inline code in a cell of a Markdown table, where a bar would end the cell even between backticks."""
    if "|" not in text:
        return code_span(text, limit)
    return f"<code>{html_text(text, limit)}</code>"


def sentence(text: str, limit: int | None = None) -> str:
    """A sentence in Markdown: plain words as they are; all other words, and what it quotes, as code.

    So no word mentions anybody, refers, links or changes the page. It may stand in a cell of a table, and not at the
    beginning of a line.
    """
    pieces = _QUOTED.split(clean(text, limit))
    parts = [cell_code(piece) if number % 2 else _words(piece) for number, piece in enumerate(pieces)]
    told = ""
    for part in parts:
        told += f" {part}" if told.endswith("`") and part.startswith("`") else part  # else their fences would be one
    return told


def fenced(lines: Iterable[str], language: str = "") -> str:
    """A block of Markdown code; each line is cleaned by the caller, and begins with a mark of his."""
    kept = list(lines)
    fence = "`" * _longer_than_any(kept, 3)
    return "\n".join([f"{fence}{language}", *kept, fence])


def html_text(text: str, limit: int | None = None) -> str:
    """Text between tags of HTML, also where Markdown is read again inside of them."""
    return _PUNCTUATION.sub(lambda found: f"&#{ord(found[0])};", clean(text, limit))


def xml_text(text: str) -> str:
    """One line that XML 1.0 can carry; the writer of XML still escapes its markup."""
    return _NO_XML.sub(_escaped, clean(text))


def command_data(text: str) -> str:
    """The message of a runner's ``::command::``, which may have several lines: each was cleaned."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def command_property(text: str) -> str:
    """A value among the properties of a runner's ``::command name=value,…::``."""
    return command_data(clean(text)).replace(":", "%3A").replace(",", "%2C")


def _words(piece: str) -> str:
    return _WORD.sub(lambda found: found[0] if _is_plain(found[0]) else _code_and_stop(found[0]), piece)


def _code_and_stop(word: str) -> str:
    """A word as code; the stop behind it belongs to the sentence."""
    bare = word.rstrip(".,;:?") or word
    return cell_code(bare) + word[len(bare) :]


def _is_plain(words: str) -> bool:
    return all(_PLAIN_WORD.fullmatch(word) for word in words.split(" "))


def _longer_than_any(lines: Iterable[str], least: int) -> int:
    """How many backticks no run in these lines has."""
    return max(least, 1 + max((len(run) for line in lines for run in re.findall("`+", line)), default=0))
