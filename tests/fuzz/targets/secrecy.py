"""The last door of every output: no encoding of a secret passes the scrubber, and no foreign text acts."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable, Iterable
from urllib.parse import quote, quote_plus

from agent.live.answers import MESSAGE_MAX, printable
from agent.report.escape import clean, clean_lines
from agent.secrets import Secret
from agent.secrets.scrub import SCRUB_LENGTH_MIN, Redactor, mask_url
from tests.fuzz.target import Draw, Target

LENGTH_MIN = 8  # shorter encodings of a secret are ordinary words


def _inside_base64(secret: bytes, offset: int, coder: Callable[[bytes], bytes]) -> str:
    """The secret's own part of a longer encoded text, without the characters that its neighbours share."""
    padded = b"\0" * offset + secret
    text = coder(padded).decode().rstrip("=")
    first = -(-offset * 8 // 6)
    last = len(padded) * 8 // 6
    return text[first:last]


CODERS: tuple[Callable[[str], str], ...] = (
    lambda secret: secret,
    lambda secret: secret.encode().hex(),
    lambda secret: secret.encode().hex().upper(),
    lambda secret: json.dumps(secret)[1:-1],
    lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    lambda secret: quote(secret, safe=""),
    lambda secret: quote(secret),
    quote_plus,
    lambda secret: _inside_base64(secret.encode(), 0, base64.b64encode),
    lambda secret: _inside_base64(secret.encode(), 1, base64.b64encode),
    lambda secret: _inside_base64(secret.encode(), 2, base64.b64encode),
    lambda secret: _inside_base64(secret.encode(), 0, base64.urlsafe_b64encode),
    lambda secret: _inside_base64(secret.encode(), 1, base64.urlsafe_b64encode),
    lambda secret: _inside_base64(secret.encode(), 2, base64.urlsafe_b64encode),
    lambda secret: html.escape(secret),
)


def run(data: bytes) -> None:
    draw = Draw(data)
    coder, second = draw.pick(CODERS), draw.pick(CODERS)
    secret, other, before, after = (draw.bytes().decode("utf-8", "ignore") for _ in range(4))
    redactor = Redactor()
    for each in (secret, other):
        redactor.add(Secret(each))
    text = before + coder(secret) + after + second(other)
    scrubbed = redactor.scrub(text)
    for each in (secret, other):
        if len(each) < SCRUB_LENGTH_MIN:
            continue
        for encode in CODERS:
            piece = encode(each)
            # `***` may bring back a secret with stars; nothing shorter than a word is looked for.
            assert len(piece) < LENGTH_MIN or "*" in piece or piece not in scrubbed, (each, piece, scrubbed)
    mask_url(text)


def run_escape(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    shown = clean(text)
    assert shown.isprintable() or all(char.isprintable() or not char.isascii() for char in shown), shown
    assert "\n" not in shown and "\x1b" not in shown and not shown.lstrip().startswith("::"), shown
    shown.encode()
    assert len(clean(text, 40)) <= 40
    for line in clean_lines(text, "  | "):
        assert line.startswith("  | ") and "\n" not in line
    told = printable(text)
    assert len(told) <= MESSAGE_MAX and "\n" not in told and "\x1b" not in told
    told.encode()


def seeds() -> Iterable[bytes]:
    for number in range(len(CODERS)):
        head = bytes((number, (number * 7) % len(CODERS)))
        yield head + b'hunter2-s3cret\0p\xc3\xa4ss w"rd/+&<x>\0token: \0, then '
        yield head + b"line-one-of-key\nline-two-of-key\n\0abcd1234\0https://u:\0@h/ "
    yield b"\0\0****\0***secret***\0a\0b"


def escape_seeds() -> Iterable[bytes]:
    texts = (
        "::error::x",
        "a\n##[group]x",
        "\x1b[31mred\x1b[0m",
        "\u202eevil",
        " ::add-mask::",
        "é\u200b",
        "##vso[x]",
        "a" * 600,
    )
    return [text.encode() for text in texts] + [b"\xff\xfe", b"\xed\xa0\x80"]


WORDS = (b"***", b"Bearer ", b"://", b"@", b"eyJ", b"%2F", b"\\u00e9", b"glpat-", b"&amp;", b"\0", b"==", b"\n")
ODD = (
    b"::",
    b"##",
    b"[",
    b"\x1b[",
    b"\xe2\x80\xae",
    b"\xe2\x80\x8b",
    b"\xf3\xa0\x80\xa0",
    b"\r",
    b"\xc2\x9b",
    b"\xc2\xad",
    b"\\",
)
TARGETS = (Target("redactor", run, seeds, WORDS, size=600), Target("escape", run_escape, escape_seeds, ODD, size=1500))
