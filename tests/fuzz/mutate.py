"""Mutation without coverage: what the ordinary suite does for a moment, and what finds the shortest form of a crash."""

from __future__ import annotations

import random
import traceback
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz.target import Target

AGENT = Path(__file__).parents[2] / "agent"
ODD = (
    b"\0",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xe2\x80\xae",
    b"\r\n",
    b"\t",
    b'"',
    b"\\u0000",
    b"9" * 401,
    b"[" * 120,
    b"-1",
)


def mutated(chance: random.Random, data: bytes, others: Sequence[bytes], words: Sequence[bytes], size: int) -> bytes:
    """One to six small changes: bits, bytes, words of the format, parts repeated, cut or taken from another input."""
    for _ in range(chance.choice((1, 1, 2, 3, 6))):
        at = chance.randint(0, len(data))
        to = min(len(data), at + chance.choice((1, 1, 2, 4, 16, 64)))
        what = chance.randrange(8)
        if what == 0 and data:
            at = min(at, len(data) - 1)
            data = data[:at] + bytes((data[at] ^ 1 << chance.randrange(8),)) + data[at + 1 :]
        elif what == 1:
            data = data[:at] + bytes((chance.randrange(256),)) + data[at:]
        elif what == 2:
            data = data[:at] + data[to:]
        elif what in (3, 4) and words:
            data = data[:at] + chance.choice(words) + data[to if what == 4 else at :]
        elif what == 5:
            data = data[:at] + data[at:to] * chance.choice((2, 3, 20)) + data[to:]
        elif what == 6:
            data = data[:at] + chance.choice(ODD) + data[at:]
        else:
            other = chance.choice(others)
            start = chance.randint(0, len(other))
            data = data[:at] + other[start : start + chance.choice((4, 16, 64, 256))] + data[to:]
    return data[:size]


def signature(error: BaseException) -> str:
    """Where and how: two inputs with one signature show one fault."""
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(AGENT)
    ]
    frames = frames or list(traceback.extract_tb(error.__traceback__))
    last = frames[-1]
    return f"{type(error).__name__} in {Path(last.filename).name}:{last.name}"


def failure(target: Target, data: bytes) -> str | None:
    """The signature of what goes wrong with an input; None when nothing does."""
    try:
        target.check(data)
    except Exception as error:
        return signature(error)
    return None


def shrink(target: Target, data: bytes, tries: int = 2000) -> bytes:
    """A shorter input that goes wrong in the same way."""
    wanted = failure(target, data)
    if wanted is None:
        return data
    step = max(1, len(data) // 2)
    while step and tries:
        at = 0
        while at < len(data) and tries:
            shorter = data[:at] + data[at + step :]
            tries -= 1
            if failure(target, shorter) == wanted:
                data = shorter
            else:
                at += step
        step //= 2
    return data
