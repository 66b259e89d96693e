"""Encrypted secrets in the configuration: what they become, and each mistake at its place (bad-inputs 188)."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.config import load_config
from agent.config.model import Config
from agent.errors import ConfigError
from agent.secrets import Reference

HEAD = """\
apiVersion: datakeel/v1
source: {path: ., credentials: {token: {env: GIT_TOKEN}}}
targets:
  analytics:
    platform: dataos
    server: https://api.dataos.io
    credentials: {token: {env: DATAOS_TOKEN}}
    secrets:
"""


def load(folder: Path, *secrets: str) -> Config:
    (folder / "datakeel.yaml").write_text(HEAD + "".join(f"      {line}\n" for line in secrets))
    return load_config(None, {}, folder)


def test_encrypted_secrets_are_references_with_absolute_paths(tmp_path: Path) -> None:
    secrets = load(
        tmp_path,
        "a: {sops: {file: enc/secrets.yaml, key: lake.password}}",
        "b: {sops: {file: /x.json, key: [lake, 0, pass.word], identity: keys.txt}}",
        "c: {sops: {file: whole}}",
        "d: {age: {file: lake.age, identity: /run/keys}}",
    ).targets["analytics"]
    assert secrets.secrets == {
        "a": Reference("sops", str(tmp_path / "enc/secrets.yaml"), ("lake", "password")),
        "b": Reference("sops", "/x.json", ("lake", 0, "pass.word"), str(tmp_path / "keys.txt")),
        "c": Reference("sops", str(tmp_path / "whole")),
        "d": Reference("age", str(tmp_path / "lake.age"), (), "/run/keys"),
    }


def test_commands_are_kept_from_every_variable_that_a_reference_names(tmp_path: Path) -> None:
    config = load(tmp_path, "a: {exec: [vault, read]}", "b: {sops: {file: x}}", "c: {env: LAKE}")
    secrets = config.targets["analytics"].secrets
    assert secrets["a"].withheld == secrets["b"].withheld == {"GIT_TOKEN", "DATAOS_TOKEN", "LAKE"}


@pytest.mark.parametrize(
    ("reference", "word"),
    [
        ("{sops: {file: x}, env: X}", "has env and sops"),
        ("{sops: {file: x}, age: {file: x, identity: y}}", "has sops and age"),
        ("{sops: secrets.yaml}", "sops"),
        ("{sops: {key: x}}", "file"),
        ("{sops: {file: x, key: ''}}", "empty part"),
        ("{sops: {file: x, key: a..b}}", "empty part"),
        ("{sops: {file: x, key: 'a[0]'}}", "a bracket or a quote"),
        ("{sops: {file: x, key: [a, 'b\"]']}}", "a bracket or a quote"),
        ("{sops: {file: x, key: [-1]}}", "key"),
        ("{sops: {file: x, key: [true]}}", "key"),
        ("{sops: {file: x, command: /bin/sh}}", "command"),
        ("{age: {file: x}}", "identity"),
        ("{age: {file: x, identity: y, value: s3cret-canary}}", "value"),
    ],
)
def test_a_mistake_in_such_a_reference_is_told_at_its_line(tmp_path: Path, reference: str, word: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, f"lake: {reference}")
    (problem, *_) = caught.value.problems
    assert problem.where.line == 9
    assert word in f"{problem.what} {problem.got}"
    assert "s3cret-canary" not in repr(caught.value.problems)
