"""Row C4 of the fault model: a check of a pull request tells of a token that could do more than look."""

from __future__ import annotations

import base64

import pytest

from agent.cli.opening import learning
from agent.secrets import Redactor, Secret

CLAIMS = base64.urlsafe_b64encode(b'{"scope": "read write"}').decode().rstrip("=")
TOKEN = Secret(f"eyJhbGciOiJub25lIn0.{CLAIMS}.c2lnbmF0dXJl")


@pytest.mark.parametrize(("verb", "ci", "told"), [("diff", "true", 1), ("diff", "", 0), ("apply", "true", 0)])
def test_c4_a_token_that_may_write_is_told_once_in_a_check(
    verb: str, ci: str, told: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CI", ci)
    redactor = Redactor()
    learn = learning("targets.main.credentials.token", redactor, verb)
    learn(TOKEN)
    learn(TOKEN)
    said = capsys.readouterr().err
    assert said.count("targets.main.credentials.token may do more than read (write)") == told
    assert redactor.scrub(TOKEN.reveal()) == "***"
    assert TOKEN.reveal() not in said
