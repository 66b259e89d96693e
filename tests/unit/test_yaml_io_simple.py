"""What is read line by line is what libyaml reads, and whatever may be read otherwise is left to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.yaml_io import MANIFEST_BUDGET, Budget
from agent.yaml_io.fold import parsed
from agent.yaml_io.screen import screen
from agent.yaml_io.simple import read

CORPUS = Path(__file__).parents[3] / "shared" / "corpora" / "dataos" / "valid"
ROOT = Path(__file__).parents[2]

SIMPLE = (
    "a: 1\n",
    "a: b",
    "# head\n\n---\na: b\n---\n\n# next\nc: d\n",
    "a:\nb:\n  c:\nd:   # nothing\n",
    "a: b # c: d\n  # deeper than anything\nc: x#y\nd: http://x:80/y\ne: -1.50\nf: --long=x y\n",
    "a:\n- b\n- c: 1\n  d: 2\n-   e: 3\n    f:\n    - g\nh:\n    - i\n",
    "a:\n  b:\n    c: 1\n  d: 2\ne: 3\n",
    "a: |\n  b\n\n    c: d\n  # no comment\n\n\nb: |-\n    x\n\nc:\n  - |\n   y\n  # a comment\n  - z\n",
    "a: \"b: c # d\"  # e\nb: ''\nc: 'no: \"'\n",
    "a: []\nb: {}\nc: [a, 1, 1.10, true, null, -x, a b, x:y, http://a/b]\nd: {a: {b: [c, {d: e}]}, 'f g': \"h\"} # i\n",
    "a: [ a , [b] , { c : d } ]\n".replace(" : ", ": "),
    "a: 2024-01-01\nb: <x>\nc: ${y}\nd: é ü\ne: C:\\x\n",
)
BEYOND = (
    *("", "\n", "# nothing\n", "---\n", "a: 1\n---\n", "---\n---\na: 1\n", "a: 1\n...\n", "%YAML 1.2\n---\na: 1\n"),
    *("- a\n", "a\n", "  a: 1\n", "a: 1\n b: 2\n", "a:\n  b: 1\n c: 2\n", "a: 1\n- b\n", "a:\n  - b\n  c: 1\n"),
    *(
        "a: 1\na: 2\n",
        "a: {b: 1, b: 2}\n",
        "yes: 1\n",
        "a: yes\n",
        "a: 010\n",
        "a: [1_000]\n",
        "a: {on: 1}\n",
        "1: a\n",
    ),
    *(
        "a: b\n  c\n",
        "a: 'b\n  c'\n",
        "a: b: c\n",
        "a: b:\n",
        "a:\n  b\n",
        "a: - b\n",
        "a:\n- - b\n",
        "a:\n-\n",
        "? a\n: b\n",
    ),
    *("a: &x b\n", "a: *x\n", "a: !!int 1\n", "a: ! b\n", "a: @b\n", "a: `b`\n", "a: %b\n", "a: ]\n", "a: , b\n"),
    *('a: "\\u0061"\n', "a: 'it''s'\n", 'a: "b" c\n', "'a': 1\n", "a b: 1\n", '"a": 1\n', "a :\n  b: 1\n"),
    *(
        "a: >\n  b\n",
        "a: |+\n  b\n",
        "a: |2\n   b\n",
        "a: |\n\n  b\n",
        "a: |\n  b\n     \n",
        "a: |\nb: 1\n",
        "a: |\n  b",
    ),
    *("a: [b\n", "a: [b,\n  c]\n", "a: [b,]\n", "a: [,b]\n", "a: [b, , c]\n", "a: [b: c]\n", "a: {b}\n", "a: {b: }\n"),
    *("a: {b:c}\n", 'a: {"b":1}\n', "a: [b]c\n", "a: [b]]\n", "a: [b}\n", "a: {b: c]\n", "a: [b] [c]\n", "a: [[b]\n"),
    *(
        "a: [b #c]\n",
        "a: [- b]\n",
        "a: [?]\n",
        "a: [b:]\n",
        "a: {1: b}\n",
        "a: {~: b}\n",
        "a: [b]: c\n",
        "a: {b: c d: e}\n",
    ),
    *(
        "a:\tb\n",
        "a: b\r\n",
        "a: b\u00a0\n",
        "a: ENC[AES256_GCM,data:x]\n",
        f"{'k' * 1100}: 1\n",
        f"a: {{'{'k' * 1100}': 1}}\n",
    ),
)


@pytest.mark.parametrize("text", SIMPLE)
def test_simple_text_is_read_as_libyaml_reads_it(text: str) -> None:
    documents = read(text, MANIFEST_BUDGET)
    assert documents is not None
    expected = parsed(text)
    assert not expected.problems
    assert repr(documents) == repr(expected.documents)  # with the types, digits and order of everything


def test_equal_values_of_two_texts_are_objects_of_their_own() -> None:
    one, other = (read("a: [b, {c: [d]}]\n", MANIFEST_BUDGET) for _ in range(2))
    assert one and other
    assert one[0].value is not other[0].value
    one[0].value["a"][1]["c"].append("e")
    assert other[0].value == {"a": ["b", {"c": ["d"]}]}


@pytest.mark.parametrize("text", BEYOND)
def test_what_may_be_wrong_or_mean_more_is_left_to_libyaml(text: str) -> None:
    assert read(text, MANIFEST_BUDGET) is None


@pytest.mark.parametrize(
    ("budget", "text"),
    [
        (Budget(nodes=10), "a: [b, c, d, e, f, g]\n"),
        (Budget(scalar=10), "a: bcdefghijklmnop\n"),
        (Budget(documents=1), "a: 1\n---\nb: 1\n"),
        (Budget(number=4), "a: 12345\n"),
        (Budget(depth=50), "a: 1\n"),
        (Budget(), "".join(f"{'  ' * level}a:\n" for level in range(60))),
        (Budget(), f"a: {'[' * 30}{']' * 30}\n"),
    ],
)
def test_what_comes_near_a_limit_is_left_to_libyaml(budget: Budget, text: str) -> None:
    assert read(text, budget) is None


def test_manifests_of_real_people_are_mostly_simple_and_all_read_alike() -> None:
    files = [path.read_bytes() for path in sorted(CORPUS.rglob("*.y*ml"))] if CORPUS.is_dir() else []
    files += [path.read_bytes() for path in sorted(ROOT.glob("manifests/**/*.yaml"))]
    simple = 0
    for source in files:
        text, problems = screen(source, MANIFEST_BUDGET)
        documents = None if problems else read(text, MANIFEST_BUDGET)
        if documents is not None:
            simple += 1
            assert repr((documents, ())) == repr((parsed(text).documents, parsed(text).problems)), text
    assert simple > len(files) * 0.7
