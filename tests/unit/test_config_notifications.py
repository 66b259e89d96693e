"""The block ``notifications``: what it becomes, and what is wrong with it, each at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.config.load import load_config
from agent.config.model import USUAL
from agent.errors import ConfigError

HEAD = """\
apiVersion: datakeel/v1
source: {path: .}
targets:
  analytics: {platform: dataos, server: "https://acme.example"}
notifications:
"""


def load(folder: Path, text: str):
    (folder / "datakeel.yaml").write_text(HEAD + text)
    return load_config(None, {}, folder).notifications


def test_what_it_becomes(tmp_path: Path) -> None:
    block = load(
        tmp_path,
        "  patience: 2m\n  sinks:\n"
        '    pager: {webhook: {url: "https://a.example/x", secret: {env: S}, body: {text: "{summary}"}}}\n'
        "    team: {chat: {env: CHAT}, types: [resolved], targets: [analytics]}\n"
        '    here: {webhook: {url: "http://127.0.0.1:9", token: {file: t}}}\n'
        "    key: {webhook: {url_from: {env: U}}}\n",
    )
    assert block.patience_seconds == 120.0
    pager, team, here, key = (block.sinks[name] for name in ("pager", "team", "here", "key"))
    assert pager.types == USUAL and "revision.applied" not in USUAL
    assert pager.webhook is not None and pager.webhook.body == {"text": "{summary}"}
    assert (team.types, team.targets) == ({"resolved"}, {"analytics"})
    assert here.webhook is not None and here.webhook.token is not None
    assert here.webhook.token.value == str(tmp_path / "t")
    assert key.webhook is not None and key.webhook.url is None


def test_without_it_nobody_is_told(tmp_path: Path) -> None:
    (tmp_path / "datakeel.yaml").write_text(HEAD.replace("notifications:\n", ""))
    assert load_config(None, {}, tmp_path).notifications.sinks == {}


@pytest.mark.parametrize(
    ("sink", "column", "told"),
    [
        ("{}", 5, "`x` needs `webhook` or `chat`"),
        ('{chat: {env: C}, webhook: {url: "https://a.example"}}', 5, "`x` has both `webhook` and `chat`"),
        ("{webhook: {secret: {env: S}}}", 9, "`webhook` needs `url` or `url_from`"),
        ('{webhook: {url: "http://a.example"}}', 24, "`url` is not encrypted"),
        ('{webhook: {url: "https://u:p@a.example"}}', 24, "`url` holds a user or a password"),
        ('{webhook: {url: "https://a.example/?key=hunter2"}}', 24, "`url` may hold neither a query"),
        ("{chat: hunter2}", 15, "must be a mapping"),
        ("{chat: {env: C}, types: [everything]}", 33, "everything"),
        ("{chat: {env: C}, targets: [sales]}", 35, "no such target"),
    ],
)
def test_mistakes_are_told_where_they_are_and_without_secrets(
    tmp_path: Path, sink: str, column: int, told: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, f"  sinks:\n    x: {sink}\n")
    problem = refused.value.problems[0]
    assert told in " ".join(filter(None, (problem.what, problem.got))), problem
    assert (problem.where.line, problem.where.column) == (7, column), problem
    assert "hunter2" not in repr(refused.value.problems)
