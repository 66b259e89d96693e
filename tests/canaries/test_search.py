"""The search finds each canary in each encoding, names it, and finds nothing where nothing is."""

from __future__ import annotations

import random

import pytest

from tests.canaries.catalogue import Catalogue
from tests.canaries.search import Searcher, planted

MADE = Catalogue()
for number in range(60):
    MADE(f"canary {number}", awkward=number % 2 == 1)
SEARCHER = Searcher(MADE.canaries.values())
NOISE = random.Random(7).randbytes(50_000)


def test_each_canary_is_found_in_each_encoding_by_name() -> None:
    encodings = set()
    for canary in MADE.canaries.values():
        for encoding, content in planted(canary.value).items():
            encodings.add(encoding)
            hits = list(SEARCHER.search("a sink", NOISE[:999] + content + NOISE[:77]))
            assert [hit.canary for hit in hits[:1]] == [canary.name], (canary.name, encoding, hits)
            assert hits[0].sink == "a sink"
            assert abs(hits[0].offset - 999) < 8, (encoding, hits)
    assert {"raw", "hex", "HEX", "URL", "JSON", "HTML", "base64 at 0", "base64 at 1", "base64 at 2"} <= encodings
    assert {"gzip", "zlib", "JSON in JSON", "URL every byte", "repr of bytes"} <= encodings


@pytest.mark.parametrize("awkward", [False, True])
def test_a_piece_of_a_canary_is_found_too(awkward: bool) -> None:
    value = MADE("canary 1") if awkward else MADE("canary 2")
    (hit,) = SEARCHER.search("a sink", value[:-6].encode())
    assert hit.canary == "an unknown canary, or a piece of one"


def test_noise_and_masks_are_no_hits() -> None:
    assert not list(SEARCHER.search("a sink", NOISE))
    assert not list(SEARCHER.search("a sink", b'{"password": "***"}' * 1000))
