"""The parser of verbs: no abbreviations, suggestions, no secrets, 64 for every mistake."""

from __future__ import annotations

import pytest

from agent.cli.parser import VerbParser, refuse_secrets, refuse_what_is_no_text, unknown_verb
from agent.cli.shared import add_common, digest_word, positive
from agent.errors import UsageError


def parser() -> VerbParser:
    made = VerbParser("diff", "show it", "datakeel diff")
    add_common(made, ("text", "json"))
    made.add_argument("--max-calls", type=positive)
    made.add_argument("--expect", type=digest_word)
    return made


def refused(*words: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        parser().parse(words)
    assert caught.value.exit_status == 64
    return caught.value


def test_known_words_are_parsed() -> None:
    parsed = parser().parse(["--target", "a", "--target=b", "-o", "json", "--max-calls", "0", "-q"])
    assert (parsed.target, parsed.output, parsed.max_calls, parsed.quiet) == (["a", "b"], ["json"], 0, True)


@pytest.mark.parametrize("flag", ["--targ", "--max", "--conf", "--quie"])
def test_flags_are_never_matched_by_their_beginning(flag: str) -> None:
    assert "no option" in refused(flag, "1").what


def test_a_mistyped_flag_gets_a_suggestion() -> None:
    assert refused("--tagret=a").fix == "did you mean --target?"
    assert refused("--zzzzzzz").fix == "see datakeel diff --help"


@pytest.mark.parametrize(
    "words",
    [
        ("extra",),
        ("--max-calls", "-1"),
        ("--max-calls", "many"),
        ("--max-calls", "1.5"),
        ("--max-calls",),
        ("--expect", "p1-xyz"),
        ("--color", "blue"),
    ],
)
def test_each_of_these_is_refused(words: tuple[str, ...]) -> None:
    refused(*words)


def test_hostile_words_are_shown_harmless() -> None:
    assert "\x1b" not in refused("\x1b[2J").what
    assert "\x1b" not in refused("--\x1b[2J").what
    assert "\n" not in refused("--max-calls", "\n::error::").what
    assert "\x1b" not in unknown_verb("\x1b", ["diff"]).what


def test_an_unknown_verb_gets_the_nearest_one() -> None:
    assert unknown_verb("dif", ["diff", "apply"]).fix == "did you mean diff?"
    assert unknown_verb("qqqq", ["diff", "apply"]).fix == "datakeel --help lists the verbs"
    assert "before the verb" in unknown_verb("--quiet", ["diff"]).what


@pytest.mark.parametrize(
    "word",
    ["--token", "--token=s3cret-canary", "--PASSWORD=s3cret-canary", "--api-key", "glpat-abcdefghij0123456789canary"],
)
def test_a_secret_is_refused_and_not_repeated(word: str) -> None:
    with pytest.raises(UsageError) as caught:
        refuse_secrets("diff", ["--set", word])
    error = caught.value
    assert (error.error_code, error.exit_status) == ("secret-argument", 64)
    assert "canary" not in f"{error.what}{error.got}{error.why}{error.fix}"


def test_the_sandbox_takes_its_own_token_and_digests_are_no_secrets() -> None:
    refuse_secrets("sandbox", ["--token", "glpat-abcdefghij0123456789"])
    refuse_secrets("apply", ["--expect", "p1-8f3a91c24be07d5566e1c09a2f7b3d18", "--only", "path:manifests/**/x.yaml"])


def test_bytes_that_are_no_text_are_refused_by_their_number() -> None:
    refuse_what_is_no_text(["get", "Workflow/é"])
    with pytest.raises(UsageError, match="argument 2 is not UTF-8"):
        refuse_what_is_no_text(["get", "Workflow/\udcff"])
