"""Rows C3, C5 and C6 of the fault model: files that are replaced, files that are none, commands that misbehave.

The real ``sops`` and ``age`` run where they are installed; a stand-in that speaks as they do plays their failures.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.errors import ConfigError
from agent.secrets import Reader, Reference, commands, read, references

STAND_IN = """\
#!/bin/sh
# Behaves as the name of the file says; notes what it was given.
tr '\\0' '\\n' < /proc/self/environ > "$0.environ"
echo "$@" > "$0.words"
echo x >> "$0.count"
for file; do :; done
case "$(basename "$file")" in
  hangs*) sleep 60 ;;
  floods*) exec cat /dev/zero ;;
  lingers*) echo early; exec >&-; sleep 60 ;;
  spills*) echo "stderr-canary-7719" >&2; exit 128 ;;
  fails*) exit 1 ;;
  *) cat "$file" ;;
esac
"""


@pytest.fixture
def stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sops", "age"):
        (folder / name).write_text(STAND_IN)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    (tmp_path / "identity").write_text("AGE-SECRET-KEY-1\n")
    (tmp_path / "identity").chmod(0o600)
    return folder


def sops(file: Path, *key: str | int, withheld: frozenset[str] = frozenset()) -> Reference:
    return Reference("sops", str(file), key, str(file.parent / "identity"), withheld)


def age(file: Path, withheld: frozenset[str] = frozenset()) -> Reference:
    return Reference("age", str(file), (), str(file.parent / "identity"), withheld)


@pytest.mark.parametrize("kind", [sops, age])
@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("hangs", "did not answer within 0.3 s"),
        ("lingers", "did not end"),
        ("floods", "printed more than 65536 bytes"),
        ("spills", "ended with status 128"),
        ("fails", "ended with status 1"),
    ],
)
def test_c6_a_tool_that_misbehaves_is_ended_and_told_without_its_own_words(
    stand_ins: Path, tmp_path: Path, kind: Callable[[Path], Reference], name: str, fault: str
) -> None:
    (tmp_path / name).write_text("x")
    began = time.monotonic()
    with pytest.raises(ConfigError, match=fault) as caught:
        read(kind(tmp_path / name), seconds=0.3)
    assert time.monotonic() - began < 5
    assert "stderr-canary" not in f"{caught.value} {caught.value.fix} {caught.value.why}"
    assert caught.value.fix is not None
    assert "by hand" in caught.value.fix
    assert caught.value.exit_status == 78


def test_c6_nothing_of_a_command_is_left_running(stand_ins: Path, tmp_path: Path) -> None:
    (tmp_path / "hangs").write_text("x")
    with pytest.raises(ConfigError):
        read(sops(tmp_path / "hangs"), seconds=0.2)
    left = [
        words for process in Path("/proc").glob("[0-9]*") if str(tmp_path).encode() in (words := _words_of(process))
    ]
    assert left == []


def _words_of(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""


def test_c6_statuses_of_sops_are_told_in_words(stand_ins: Path, tmp_path: Path) -> None:
    (tmp_path / "spills").write_text("x")
    with pytest.raises(ConfigError, match="status 128: no key that decrypts it is at hand"):
        read(sops(tmp_path / "spills"))


def test_c6_a_tool_that_is_not_installed_is_named_with_a_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "identity").write_text("x")
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="cannot be started: No such file") as caught:
        read(sops(tmp_path / "file", "a"))
    assert caught.value.fix == "install sops, or put it on the PATH of datakeel"


def test_a_tool_gets_its_own_variables_and_no_other_secret(
    stand_ins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("value")
    for name in ("DATAOS_TOKEN", "AWS_PROFILE", "VAULT_TOKEN", "DATAKEEL_STATE", "ANYTHING", "https_proxy"):
        monkeypatch.setenv(name, "x")
    withheld = frozenset({"DATAOS_TOKEN", "VAULT_TOKEN"})
    read(sops(tmp_path / "file", "a", withheld=withheld))
    given = set(_names(stand_ins / "sops.environ"))
    assert {"AWS_PROFILE", "SOPS_AGE_KEY_FILE", "PATH", "https_proxy"} <= given
    assert not given & {"DATAOS_TOKEN", "VAULT_TOKEN", "DATAKEEL_STATE", "ANYTHING"}
    read(age(tmp_path / "file", withheld))
    assert not set(_names(stand_ins / "age.environ")) & {"AWS_PROFILE", "ANYTHING", "DATAOS_TOKEN"}


def test_a_command_of_the_operators_own_inherits_all_but_other_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATAOS_TOKEN", "VAULT_ADDR", "DATAKEEL_STATE"):
        monkeypatch.setenv(name, "x")
    command = ("sh", "-c", "env | cut -d= -f1 | tr '\\n' ' '")
    shown = read(Reference("exec", command, withheld=frozenset({"DATAOS_TOKEN"}))).reveal().split()
    assert "VAULT_ADDR" in shown
    assert "DATAOS_TOKEN" not in shown
    assert "DATAKEEL_STATE" not in shown


def _names(environ: Path) -> list[str]:
    return [line.partition("=")[0] for line in environ.read_text().splitlines()]


def test_the_words_of_a_tool_hold_places_and_no_secret(stand_ins: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("value")
    read(sops(tmp_path / "file", "lake", 0, "pass.word"))
    assert (stand_ins / "sops.words").read_text() == (
        f'--decrypt --extract ["lake"][0]["pass.word"] {tmp_path / "file"}\n'
    )
    read(age(tmp_path / "file"))
    assert (
        stand_ins / "age.words"
    ).read_text() == f"--decrypt --identity {tmp_path / 'identity'} {tmp_path / 'file'}\n"


def test_c3_a_decrypted_value_is_kept_until_its_file_or_its_keys_are_replaced(stand_ins: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("first")
    reader = Reader(sops(file, "a"))

    def calls() -> int:
        return len((stand_ins / "sops.count").read_text().split())

    assert reader.waits
    assert [reader().reveal(), reader().reveal(), calls()] == ["first", "first", 1]
    assert not reader.waits
    (tmp_path / "new").write_text("second")
    (tmp_path / "new").replace(file)
    assert reader.waits
    assert [reader().reveal(), calls()] == ["second", 2]
    (tmp_path / "identity").write_text("AGE-SECRET-KEY-22\n")
    assert [reader().reveal(), calls()] == ["second", 3]
    reader.forget()
    assert [reader().reveal(), calls()] == ["second", 4]


def test_c3_a_swapped_data_link_is_read_anew(tmp_path: Path, stand_ins: Path) -> None:
    """As Kubernetes mounts secrets: token -> ..data/token, ..data -> a folder of its own for each version."""
    for version in ("one", "two"):
        (tmp_path / f"..{version}").mkdir()
        (tmp_path / f"..{version}" / "token").write_text(version)
        (tmp_path / f"..{version}" / "token").chmod(0o600)
    (tmp_path / "..data").symlink_to("..one")
    (tmp_path / "token").symlink_to("..data/token")
    plain, encrypted = Reader(Reference("file", str(tmp_path / "token"))), Reader(age(tmp_path / "token"))
    assert [plain().reveal(), encrypted().reveal()] == ["one", "one"]
    (tmp_path / "..tmp").symlink_to("..two")
    (tmp_path / "..tmp").replace(tmp_path / "..data")
    assert [plain().reveal(), encrypted().reveal()] == ["two", "two"]


def test_c6_a_failure_is_not_waited_for_again_at_once(stand_ins: Path, tmp_path: Path) -> None:
    (tmp_path / "fails").write_text("x")
    now = [0.0]
    reader = Reader(age(tmp_path / "fails"), monotonic=lambda: now[0])
    for moment, calls in [(0.0, 1), (references.FAILURE_KEPT_SECONDS - 0.1, 1), (references.FAILURE_KEPT_SECONDS, 2)]:
        now[0] = moment
        with pytest.raises(ConfigError):
            reader()
        assert len((stand_ins / "age.count").read_text().split()) == calls
    reader.forget()
    with pytest.raises(ConfigError):
        reader()
    assert len((stand_ins / "age.count").read_text().split()) == 3


def test_c6_threads_that_want_one_secret_start_one_command(stand_ins: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("value")
    reader = Reader(sops(tmp_path / "file"))
    threads = [threading.Thread(target=reader) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (stand_ins / "sops.count").read_text() == "x\n"


def test_c5_an_encrypted_file_that_is_none_is_told_before_the_tool_runs(stand_ins: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, fault in [("gone", "cannot be opened: No such file"), ("pipe", "is not a regular file")]:
        with pytest.raises(ConfigError, match=fault):
            read(age(tmp_path / name))
    (tmp_path / "identity").unlink()
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="identity cannot be opened"):
        read(age(tmp_path / "file"))
    assert not (stand_ins / "age.count").exists()


def test_c5_a_file_of_keys_that_everyone_may_read_is_warned_of(stand_ins: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "identity").chmod(0o644)
    told: list[str] = []
    read(sops(tmp_path / "file"), warn=told.append)
    assert len(told) == 1
    assert "identity may be read by everyone" in told[0]


needs_age = pytest.mark.skipif(shutil.which("age") is None, reason="age is not installed")
needs_sops = pytest.mark.skipif(
    shutil.which("sops") is None or shutil.which("age") is None, reason="sops and age are not both installed"
)


def _run(*words: str, **more: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=os.environ | more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _keys(folder: Path) -> str:
    """A new pair of keys in ``identity``; the public one is returned."""
    _run("age-keygen", "-o", str(folder / "identity"))
    return _run("age-keygen", "-y", str(folder / "identity")).strip()


@needs_age
def test_age_itself_decrypts_a_file(tmp_path: Path) -> None:
    public = _keys(tmp_path)
    (tmp_path / "plain").write_text("lake-canary-1\nsecond line\n")
    _run("age", "-r", public, "-o", str(tmp_path / "file"), str(tmp_path / "plain"))
    assert read(age(tmp_path / "file"), several_lines=True).reveal() == "lake-canary-1\nsecond line"
    other = tmp_path / "other"
    other.mkdir()
    _keys(other)
    with pytest.raises(ConfigError, match=r"age, for .* ended with status 1"):
        read(Reference("age", str(tmp_path / "file"), (), str(other / "identity")))


@needs_sops
@pytest.mark.parametrize(
    ("name", "content", "key", "value"),
    [
        ("secrets.yaml", "lake: {password: lake-canary-2, ports: [1, 5432]}\n", ("lake", "password"), "lake-canary-2"),
        ("secrets.yaml", "lake: {password: x, ports: [1, 5432]}\n", ("lake", "ports", 1), "5432"),
        ("secrets.json", json.dumps({"a.b": "lake-canary-3"}), ("a.b",), "lake-canary-3"),
        ("secrets.env", "LAKE=lake-canary-4\n", ("LAKE",), "lake-canary-4"),
        ("secrets", "lake-canary-5\n", (), "lake-canary-5"),
    ],
)
def test_sops_itself_decrypts_a_value(
    tmp_path: Path, name: str, content: str, key: tuple[str | int, ...], value: str
) -> None:
    public = _keys(tmp_path)
    (tmp_path / name).write_text(content)
    _run("sops", "--encrypt", "--in-place", "--age", public, str(tmp_path / name))
    assert value not in (tmp_path / name).read_text()
    assert read(sops(tmp_path / name, *key)).reveal() == value


@needs_sops
def test_sops_itself_fails_in_words(tmp_path: Path) -> None:
    public = _keys(tmp_path)
    file = tmp_path / "secrets.yaml"
    file.write_text("lake: canary\n")
    _run("sops", "--encrypt", "--in-place", "--age", public, str(file))
    (tmp_path / "identity").unlink()
    _keys(tmp_path)
    with pytest.raises(ConfigError, match="no key that decrypts it is at hand"):
        read(sops(file, "lake"))
    with pytest.raises(ConfigError, match="ended with status"):
        read(sops(file, "no-such-key"))


def test_the_bounds_are_those_of_the_fault_model() -> None:
    assert commands.OUTPUT_MAX == 64 * 1024
    assert commands.DEADLINE_SECONDS <= 30
