import signal

import pytest

from agent.source.failures import failure, last_words


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("fatal: Authentication failed for 'https://git.example.com/a'", "source-unauthorized"),
        ("fatal: could not read Username for 'https://h': terminal prompts disabled", "source-unauthorized"),
        ("Host key verification failed.\nfatal: Could not read from remote repository.", "source-unauthorized"),
        ("git@h: Permission denied (publickey).\nfatal: Could not read from remote", "source-unauthorized"),
        ("ssh: connect to host h port 22: Connection refused\nfatal: Could not read", "source-unreachable"),
        ("fatal: unable to access 'https://h/': Could not resolve host: h", "source-unreachable"),
        ("fatal: unable to access 'https://h/': SSL certificate problem: self-signed", "source-unreachable"),
        ("fatal: unable to access 'http://h/': The requested URL returned error: 301", "source-redirected"),
        ("fatal: repository 'https://h/a/' not found", "source-missing"),
        ("fatal: Out of memory, malloc failed", "git-limit"),
        ("error: object 12: hasDotgit: contains '.git'\nfatal: fsck error in packed object", "tree-unsafe"),
        ("fatal: bad object 1234", "git-corrupt"),
        ("fatal: unknown repository extension found:\n\tnew", "git-format"),
        ("fatal: something new", "source-failed"),
        ("", "source-failed"),
    ],
)
def test_gits_sentences_become_our_codes(said: str, code: str) -> None:
    assert failure("it cannot be read", 128, said.encode()).error_code == code


@pytest.mark.parametrize("number", [signal.SIGXCPU, signal.SIGXFSZ, signal.SIGKILL, signal.SIGSEGV])
def test_a_child_that_a_limit_ended_says_so(number: signal.Signals) -> None:
    error = failure("it cannot be read", -number, b"")
    assert error.error_code == "git-limit"
    assert number.name in str(error.why)


def test_secrets_user_names_in_urls_and_control_characters_never_pass() -> None:
    said = b"remote: hi\nfatal: cannot reach https://me:word@h/a with sesame \x1b[31m::error::\x00\xff\nhint: ask\n"
    shown = last_words(said, ("sesame",))
    assert shown.startswith("fatal: cannot reach https://h/a with ***")
    assert all(character.isprintable() for character in shown)


def test_long_sentences_are_cut() -> None:
    assert len(last_words(b"fatal: " + b"x" * 5000)) == 300


def test_without_a_verdict_the_last_line_speaks() -> None:
    assert last_words(b"one\ntwo\n\n") == "two"
