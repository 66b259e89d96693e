"""Forms: fields that repeat, and multipart known by its first lines."""

from __future__ import annotations

import pytest

from agent.sandbox.forms import is_multipart, read_form, read_multipart

TWO = (
    b'--b1\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\n'
    b'one\r\ntwo\r\n\r\n--b1\r\nContent-Disposition: form-data; name="team"\r\n\r\nT\r\n--b1--\r\n'
)


def test_a_field_that_is_sent_twice_is_a_list():
    assert read_form(b"a=1&b=&a=2&a=3+4") == {"a": ["1", "2", "3 4"], "b": ""}


def test_parts_keep_their_bytes_and_their_names():
    file, team = read_multipart(TWO)
    assert (file.name, file.filename, file.content) == ("file", "a.txt", b"one\r\ntwo\r\n")
    assert (team.name, team.filename, team.content) == ("team", None, b"T")


@pytest.mark.parametrize("body", [b"---\ntitle: x\n", b"--b1\r\n", b"a=1", b"", b"--\nContent-Disposition: x"])
def test_what_only_begins_with_dashes_is_not_multipart(body):
    assert not is_multipart(body)
    with pytest.raises(ValueError, match="multipart"):
        read_multipart(body)


@pytest.mark.parametrize("body", [TWO[:-8], TWO.replace(b"name=", b"nam="), TWO[:60]])
def test_broken_multipart_is_refused(body):
    with pytest.raises(ValueError, match="part"):
        read_multipart(body)
