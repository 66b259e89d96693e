"""The scrubber that stands before every sink: known secrets in every encoding, and words of the shape of a token."""

from __future__ import annotations

import re

from agent.secrets.secret import MASK, Secret

SCRUB_LENGTH_MIN = 4
SECRETS_MAX = 512  # known at once: tokens of logins come by the hour, and an agent runs for months
_ECHO_LENGTH_MIN = 8
_PIECE_LENGTH_MIN = 6  # of a derived encoding or of one line of a longer secret

_TOKEN_SHAPES = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+)?"  # JSON web tokens
    r"|gl[a-z]{2,6}-[A-Za-z0-9_-]{16,}"
    r"|gh[opusr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}"
    r"|xox[abprs]-[A-Za-z0-9-]{10,}"
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}"
    r"|sk-[A-Za-z0-9_-]{20,}"
    r")"
)
_BEARER = re.compile(r"(?i)\b(bearer|basic|token|private-token|x-api-key)([ :=]\s*)([A-Za-z0-9._~+/=-]{16,})")
_USER_INFO = re.compile(r"(?<=://)([^\s/@:]*):[^\s/@]+@")


def looks_like_token(text: str) -> bool:
    """Whether a word has the shape of a well-known kind of token."""
    return _TOKEN_SHAPES.search(text) is not None


def mask_url(url: str) -> str:
    """The address with its password replaced: what may be shown of a database's name."""
    return _USER_INFO.sub(rf"\1:{MASK}@", url)


def without_echo(text: str, sent: bytes) -> str:
    """An answer without what it repeats of a file that was sent: nobody can tell which part of a file is secret.

    A piece of eight characters counts, of the file as it is or as base64; an answer is short, so this is cheap.
    """
    import base64
    from itertools import groupby

    everything = f"{sent.decode('utf-8', 'replace')}\0{base64.b64encode(sent).decode()}"
    heard = bytearray(len(text))
    for start in range(len(text) - _ECHO_LENGTH_MIN + 1):
        if text[start : start + _ECHO_LENGTH_MIN] in everything:
            heard[start : start + _ECHO_LENGTH_MIN] = b"\1" * _ECHO_LENGTH_MIN
    runs = groupby(range(len(text)), key=heard.__getitem__)
    return "".join(MASK if repeated else "".join(text[at] for at in run) for repeated, run in runs)


class Redactor:
    """Takes every known secret, in every encoding it may travel in, and every token-shaped word out of a text.

    Secrets shorter than four characters are not searched: they would blank out ordinary words.
    """

    def __init__(self) -> None:
        self._known: dict[str, frozenset[str]] = {}
        self._pattern: re.Pattern[str] | None = None

    def add(self, secret: Secret) -> None:
        """From now on the secret is found. Those that were added or used longest ago make room for new ones."""
        value = secret.reveal()
        if len(value) < SCRUB_LENGTH_MIN:
            return
        pieces = self._known.pop(value, None)
        if pieces is None:
            pieces = frozenset(_pieces(value))
            self._pattern = None
        self._known[value] = pieces
        if len(self._known) > SECRETS_MAX:
            del self._known[next(iter(self._known))]

    def scrub(self, text: str) -> str:
        """The text with ``***`` where a secret stood."""
        if self._known:
            if self._pattern is None:
                every = frozenset().union(*self._known.values())
                longest_first = sorted(every, key=lambda piece: (-len(piece), piece))
                self._pattern = re.compile("|".join(map(re.escape, longest_first)))
            text = self._pattern.sub(MASK, text)
        text = _TOKEN_SHAPES.sub(MASK, text)
        text = _BEARER.sub(rf"\1\2{MASK}", text)
        return mask_url(text)


def _pieces(value: str) -> set[str]:
    """The secret in every encoding, and each of its longer lines."""
    pieces = _encodings(value)
    for line in value.splitlines():
        bare = line.strip()
        if bare != value and len(bare) >= _PIECE_LENGTH_MIN:
            pieces |= _encodings(bare)
    return pieces


def _encodings(value: str) -> set[str]:
    import html
    import json
    from urllib.parse import quote, quote_plus

    raw = value.encode()
    derived = {raw.hex(), raw.hex().upper(), json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    for escaped in (html.escape(value), html.escape(value, quote=False)):
        derived |= {escaped, escaped.replace("&quot;", "&#34;").replace("&#x27;", "&#39;")}
    derived |= {repr(raw)[2:-1], repr(value)[1:-1]}
    for escaped in (quote(value, safe=""), quote(value), quote_plus(value)):
        derived |= {escaped, re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), escaped)}
    derived |= {piece for offset in range(3) for piece in _base64(raw, offset)}
    return {value} | {piece for piece in derived if len(piece) >= _PIECE_LENGTH_MIN}


def _base64(raw: bytes, offset: int) -> tuple[str, str]:
    """The characters that stand for ``raw`` alone when ``offset`` (mod 3) bytes come before it in the encoded text."""
    import base64

    first = (0, 2, 3)[offset]
    end = (offset + len(raw)) * 8 // 6
    padded = bytes(offset) + raw
    return base64.b64encode(padded).decode()[first:end], base64.urlsafe_b64encode(padded).decode()[first:end]
