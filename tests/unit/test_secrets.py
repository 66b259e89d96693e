"""Secrets show nothing, references are followed safely, and every encoding of a known secret is scrubbed."""

from __future__ import annotations

import base64
import copy
import json
import os
import pickle
import re
import urllib.parse
from pathlib import Path

import orjson
import pytest

from agent.errors import ConfigError
from agent.secrets import (
    Reader,
    Redactor,
    Reference,
    Secret,
    looks_like_token,
    mask_url,
    read,
    references,
    rights_to_write,
    without_echo,
)
from agent.secrets.scrub import SECRETS_MAX

CANARY = "c4nary/Värde+x=1"


def test_a_secret_shows_the_mask_in_every_form() -> None:
    secret = Secret(CANARY)
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret:>20}",
        "%s" % secret,  # noqa: UP031
        secret + "",
        json.dumps({"token": secret}),
        orjson.dumps({"token": secret}).decode(),
        str(pickle.loads(pickle.dumps(secret))),
        repr([secret]),
    ]
    assert all(CANARY not in text and "***" in text for text in shown)


def test_reveal_gives_the_value_and_copies_keep_it() -> None:
    secret = Secret(CANARY)
    assert secret.reveal() == CANARY
    assert copy.deepcopy(secret).reveal() == CANARY
    assert copy.copy(secret).reveal() == CANARY


def test_secrets_compare_by_value_and_never_equal_plain_text() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "***"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2


def test_a_variable_is_read_at_each_use(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader(Reference("env", "DK_TEST_TOKEN"))
    monkeypatch.setenv("DK_TEST_TOKEN", "first")
    assert reader().reveal() == "first"
    monkeypatch.setenv("DK_TEST_TOKEN", "second")
    assert reader().reveal() == "second"


@pytest.mark.parametrize(("value", "word"), [(None, "not set"), ("", "empty")])
def test_a_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch, value: str | None, word: str) -> None:
    if value is None:
        monkeypatch.delenv("DK_TEST_TOKEN", raising=False)
    else:
        monkeypatch.setenv("DK_TEST_TOKEN", value)
    with pytest.raises(ConfigError, match=f"DK_TEST_TOKEN is {word}") as caught:
        read(Reference("env", "DK_TEST_TOKEN"))
    assert caught.value.exit_status == 78


@pytest.mark.parametrize("content", [b"token", b"token\n"])
@pytest.mark.row("C5")
def test_one_newline_at_the_end_of_a_file_is_taken_off(tmp_path: Path, content: bytes) -> None:
    assert _file(tmp_path, content).reveal() == "token"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"a\n\n", "line break"),
        (b"a\r\n", "CR LF"),
        (b"\xef\xbb\xbfa", "byte-order mark"),
        (b"\xff\xfea\x00", "byte-order mark"),
        (b"a\x00b", "control character"),
        (b"a\x1bb", "control character"),
        (b"\xc2\x85a", "control character"),
        (b"\x80\x81", "not UTF-8"),
        (b"a" * (references.SIZE_MAX + 1), "larger than"),
    ],
)
def test_a_file_that_can_be_no_token_is_refused(tmp_path: Path, content: bytes, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault) as caught:
        _file(tmp_path, content)
    assert caught.value.exit_status == 78


def test_the_largest_file_is_read(tmp_path: Path) -> None:
    assert len(_file(tmp_path, b"a" * references.SIZE_MAX).reveal()) == references.SIZE_MAX


def test_a_secret_of_several_lines_is_read_where_allowed(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"-----BEGIN-----\n\tabc\n-----END-----\n")
    value = read(Reference("file", str(path)), several_lines=True).reveal()
    assert value == "-----BEGIN-----\n\tabc\n-----END-----"
    path.write_bytes(b"a\x00")
    with pytest.raises(ConfigError, match="control"):
        read(Reference("file", str(path)), several_lines=True)


def test_a_folder_a_pipe_and_a_missing_file_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path)
    for name, fault in [("pipe", "regular"), ("link", "regular"), ("gone", "cannot be opened")]:
        with pytest.raises(ConfigError, match=fault):
            read(Reference("file", str(tmp_path / name)))


def test_a_link_to_a_file_is_followed_and_read_again(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("one")
    (tmp_path / "two").write_text("two")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "one")
    reader = Reader(Reference("file", str(link)))
    assert reader().reveal() == "one"
    link.unlink()
    link.symlink_to(tmp_path / "two")
    assert reader().reveal() == "two"


def test_a_file_that_everyone_may_read_gives_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("token")
    warnings: list[str] = []
    path.chmod(0o640)
    read(Reference("file", str(path)), warn=warnings.append)
    assert warnings == []
    path.chmod(0o644)
    read(Reference("file", str(path)), warn=warnings.append)
    assert len(warnings) == 1
    assert "chmod 600" in warnings[0]


def test_a_command_prints_the_secret() -> None:
    assert read(Reference("exec", ("printf", "abc\\n"))).reveal() == "abc"


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("sh", "-c", "echo hidden-reason >&2; exit 3"), "ended with status 3"),
        (("sh", "-c", "head -c 100000 /dev/zero | tr '\\0' a"), "printed more than"),
        (("/nonexistent/program",), "cannot be started"),
        (("true",), "is empty"),
    ],
)
def test_a_command_that_fails_is_told_without_its_own_words(words: tuple[str, ...], fault: str) -> None:
    with pytest.raises(ConfigError, match=fault) as caught:
        read(Reference("exec", words))
    assert "hidden-reason" not in str(caught.value)
    assert "hidden-reason" not in str(caught.value.fix)


def test_a_commands_answer_is_kept_until_it_ages_or_is_forgotten(tmp_path: Path) -> None:
    counter = tmp_path / "count"
    now = [0.0]
    words = ("sh", "-c", f"echo x >> {counter}; wc -l < {counter} | tr -d ' '")
    reader = Reader(Reference("exec", words), monotonic=lambda: now[0])
    assert reader().reveal() == "1"
    now[0] = references.COMMAND_KEPT_SECONDS - 1
    assert reader().reveal() == "1"
    now[0] = references.COMMAND_KEPT_SECONDS
    assert reader().reveal() == "2"
    reader.forget()
    assert reader().reveal() == "3"


def _file(folder: Path, content: bytes) -> Secret:
    path = folder / "token"
    path.write_bytes(content)
    path.chmod(0o600)
    return read(Reference("file", str(path)))


@pytest.mark.parametrize("prefix", ["", "u", "us", "user:"])
def test_every_encoding_is_scrubbed(prefix: str) -> None:
    redactor = Redactor()
    redactor.add(Secret(CANARY))
    raw = (prefix + CANARY).encode()
    forms = [
        CANARY,
        base64.b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw + b"tail").decode(),
        urllib.parse.quote(CANARY, safe=""),
        re.sub("%..", lambda found: found[0].lower(), urllib.parse.quote(CANARY, safe="")),
        urllib.parse.quote_plus(CANARY),
        raw.hex(),
        raw.hex().upper(),
        json.dumps(CANARY),
        json.dumps(CANARY, ensure_ascii=False),
    ]
    core = base64.b64encode(CANARY.encode()).decode()[4:12]
    for form in forms:
        scrubbed = redactor.scrub(f"before {form} after")
        assert "***" in scrubbed, form
        assert CANARY not in scrubbed
        assert core not in scrubbed
        assert scrubbed.startswith("before ")


@pytest.mark.parametrize("form", ["p&lt;s&amp;w&quot;d", "p&lt;s&amp;w&#34;d", 'p&lt;s&amp;w"d'])
def test_a_secret_in_a_page_is_scrubbed(form: str) -> None:
    redactor = Redactor()
    redactor.add(Secret('p<s&w"d'))
    assert redactor.scrub(f"<b>{form}</b>") == "<b>***</b>"


def test_each_line_of_a_long_secret_is_scrubbed_even_when_indented() -> None:
    redactor = Redactor()
    redactor.add(Secret("first-line\n  second-line\n"))
    assert redactor.scrub("  | + second-line") == "  | + ***"


def test_short_secrets_are_searched_from_four_characters_on() -> None:
    redactor = Redactor()
    redactor.add(Secret("abc"))
    assert redactor.scrub("abc") == "abc"
    redactor.add(Secret("abcd"))
    assert redactor.scrub("x abcd y") == "x *** y"


def test_the_longer_of_two_secrets_is_found_first() -> None:
    redactor = Redactor()
    redactor.add(Secret("secret"))
    redactor.add(Secret("secret-longer"))
    assert redactor.scrub("secret-longer secret") == "*** ***"


def test_unknown_tokens_of_known_shape_are_scrubbed() -> None:
    text = Redactor().scrub(
        "x glpat-abcdefghij0123456789 ghp_abcdefghij0123456789ABCD Authorization: Bearer abcdefghij123456"
    )
    assert text == "x *** *** Authorization: Bearer ***"


def test_looks_like_token_takes_neither_words_nor_digests() -> None:
    assert looks_like_token("glpat-abcdefghij0123456789")
    assert not looks_like_token("p1-8f3a91c24be07d5566e1c09a2f7b3d18")
    assert not looks_like_token("manifests/dataos/daily-etl-of-the-team.yaml")


def test_a_password_in_an_address_is_masked() -> None:
    assert mask_url("postgresql://keel:s3cret@db/keel") == "postgresql://keel:***@db/keel"
    assert mask_url("sqlite:////var/x.db") == "sqlite:////var/x.db"


def test_of_many_secrets_those_that_were_used_longest_ago_make_room() -> None:
    redactor = Redactor()
    redactor.add(Secret("the-configured-one"))
    for number in range(SECRETS_MAX + 10):
        redactor.add(Secret(f"login-token-{number:05d}"))
        redactor.add(Secret("the-configured-one"))
    assert redactor.scrub("the-configured-one") == "***"
    assert redactor.scrub(f"login-token-{SECRETS_MAX + 9:05d}") == "***"
    assert redactor.scrub("login-token-00001") == "login-token-00001"


def _web_token(**claims: object) -> Secret:
    parts = [json.dumps(part).encode() for part in ({"alg": "none"}, claims)]
    return Secret(".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (*parts, b"signature")))


@pytest.mark.parametrize(
    ("claims", "rights"),
    [
        ({"scope": "resources:read resources:write"}, ("resources:write",)),
        ({"scp": ["Catalog.Read", "Catalog.Manage"]}, ("Catalog.Manage",)),
        ({"permissions": ["*"]}, ("*",)),
        ({"scope": "read overwritten creator"}, ()),
        ({"scope": 7, "scopes": {"write": 1}}, ()),
        ({}, ()),
    ],
)
def test_c4_a_web_token_tells_what_it_may_write(claims: dict[str, object], rights: tuple[str, ...]) -> None:
    assert rights_to_write(_web_token(**claims)) == rights


@pytest.mark.parametrize("text", ["a.b.c", "eyJ.!.c", "eyJh.W10.c", "glpat-abcdefghij0123", f"eyJ.{'A' * 30_000}.c"])
def test_c4_what_is_no_web_token_tells_nothing(text: str) -> None:
    assert rights_to_write(Secret(text)) == ()


def test_c5_a_reader_warns_once_of_a_file_that_everyone_may_read(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("token")
    path.chmod(0o644)
    warnings: list[str] = []
    reader = Reader(Reference("file", str(path)), warn=warnings.append)
    for _ in range(3):
        reader()
    assert len(warnings) == 1


def test_what_an_answer_repeats_of_a_file_is_left_out() -> None:
    sent = b'API_KEY = "hunter2-hunter2"\nprint(API_KEY)\n'
    encoded = base64.b64encode(sent).decode()
    for said in ('bad line: API_KEY = "hunter2-hunter2"', f"bad body: {encoded}", f"bad body: {encoded[5:40]}"):
        shown = without_echo(said, sent)
        assert shown.startswith("bad ")
        assert shown.endswith("***")
        assert "hunter2" not in shown
    assert without_echo("no such project: API_KEY", sent) == "no such project: API_KEY"
    assert without_echo("", sent) == ""
