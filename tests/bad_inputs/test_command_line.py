"""Rows 183 to 202: words, configuration, environment and state that are wrong, by the commands that meet them."""

from __future__ import annotations

import http.server
import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.bad_inputs.bench import CONFIG, NEIGHBOUR, Bench, Benches, place_of
from tests.bad_inputs.rows import fill, shows

TOKEN_FLAG = "hunter2-canary-of-the-flag"

USAGE = (
    # row, name, words, part of what is told
    (183, "unknown flag", ("diff", "--colour"), "did you mean --color?"),
    (183, "abbreviated flag", ("diff", "--detailed"), "--detailed-exitcode"),
    (183, "unknown verb", ("dif",), "did you mean diff?"),
    (183, "flag before the verb", ("--target", "lake", "diff"), "write datakeel VERB"),
    (183, "value missing", ("diff", "--target"), "needs a value"),
    (189, "token", ("diff", "--token", TOKEN_FLAG), "secret-argument"),
    (189, "token with an equals sign", ("apply", f"--token={TOKEN_FLAG}"), "secret-argument"),
    (189, "looks like one", ("diff", "--target", "ghp_" + "a1B2" * 9), "secret-argument"),
)


@pytest.mark.parametrize(("row", "name", "words", "says"), USAGE, ids=[f"{one[0]} {one[1]}" for one in USAGE])
def test_wrong_words_end_with_64(row: int, name: str, words: tuple[str, ...], says: str, bench: Bench) -> None:
    ran = bench.run(*words).sound(64)
    assert says in ran.err and ran.out == ""
    assert TOKEN_FLAG not in ran.err and "a1B2a1B2" not in ran.err
    assert bench.run(*words, "-o", "json").sound(64).document["error"]["exit_status"] == 64


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration with a mistake at ``‸``; the code, and part of what is told."""

    row: int
    name: str
    text: str
    code: str
    says: str = ""

    @property
    def id(self) -> str:
        return f"{self.row} {self.name}"


def changed(old: str, new: str) -> str:
    assert old in CONFIG
    return CONFIG.replace(old, new)


def source(words: str) -> str:
    return changed("source: {path: .}", f"source: {words}")


def server(address: str) -> str:
    return changed("server: SERVER", f"server: ‸'{address}'")


CONFIGS = (
    *(
        Config(184, text, source(f"{{path: ., interval: ‸{text}}}"), "duration-invalid", fix)
        for text, fix in (("0", ""), ("-1", ""), ("1e9", ""), ("5", "5s"), ("5 m", "5m"), ("PT5M", "5m"), ("25h", ""))
    ),
    Config(186, "list", "‸- a\n", "config-invalid"),
    Config(187, "unknown key", changed("folder:", "‸foldr: x\n    folder:"), "unknown-key", "did you mean `folder`"),
    Config(187, "wrong type", changed("budget: off", "budget: off\n    prune: ‸[yes]"), "config-invalid"),
    Config(187, "duplicate key", changed("state:", "‸source: {path: .}\nstate:"), "yaml-duplicate-key"),
    Config(188, "two", changed("{env: DATAOS_TOKEN}", "‸{env: DATAOS_TOKEN, file: /etc/passwd}"), "credential-invalid"),
    Config(188, "value", changed("{env: DATAOS_TOKEN}", "‸hunter2-canary"), "credential-invalid"),
    Config(188, "value in a mapping", changed("{env: DATAOS_TOKEN}", "‸{value: hunter2-canary}"), "credential-invalid"),
    *(
        Config(192, name, server(text), "server-invalid")
        for name, text in (
            ("no scheme", "api.dataos.io"), ("upwards", "https://api.dataos.io/../x"), ("query", "https://a.io?x=1"),
            ("user", "https://u:hunter2-canary@a.io"), ("http", "http://api.dataos.io"),
            ("zone", "https://[fe80::1%25eth0]/"), ("look-alike", "https://аpi.dataos.io"),
            ("port", "https://api.dataos.io:99999"),
        )
    ),
    *(
        Config(row, name, source(f"{{url: ‸'{text}'}}"), "source-invalid")
        for row, name, text in (
            (122, "ext", "ext::sh -c id"), (123, "pack", "--upload-pack=id"), (123, "proxy", "-oProxyCommand=id"),
            (124, "descriptor", "fd::17"), (125, "user", "https://user:hunter2-canary@host/x"),
            (126, "http", "http://host.example/x"), (126, "git", "git://host.example/x"),
        )
    ),
    Config(199, "option", source("{path: ., branch: ‸-x}"), "source-invalid"),
    Config(199, "upwards", source("{path: ., branch: ‸refs/heads/../x}"), "source-invalid"),
    Config(199, "commit", source(f"{{path: ., branch: ‸{'a1' * 20}}}"), "source-invalid"),
)  # fmt: skip


@pytest.fixture(scope="module")
def bench(benches: Benches) -> Bench:
    made = benches.new()
    fill(made, [])
    return made


@pytest.mark.parametrize("case", CONFIGS, ids=lambda case: case.id)
def test_a_wrong_configuration_ends_with_78_at_its_place(case: Config, bench: Bench) -> None:
    bench.write("wrong.yaml", case.text.replace("SERVER", bench.server))
    ran = bench.run("diff", "--config", "wrong.yaml", "-o", "json").sound(78)
    told = [(each["code"], each.get("line"), each.get("column")) for each in ran.problems]
    assert (case.code, *place_of(case.text)) in told, told  # type: ignore[misc]
    assert case.says in ran.out
    line, column = place_of(case.text)  # type: ignore[misc]
    assert f"wrong.yaml:{line}:{column}: error[{case.code}]" in ran.err
    assert "hunter2-canary" not in ran.out + ran.err


@shows(186)
@pytest.mark.parametrize("what", ["missing", "folder", "FIFO", "link to nowhere", "empty", "two documents"])
def test_what_is_no_configuration_ends_with_78(what: str, benches: Benches) -> None:
    bench = benches.new()
    path = bench.repository / "x.yaml"
    if what == "folder":
        path.mkdir()
    elif what == "FIFO":
        os.mkfifo(path)
    elif what == "link to nowhere":
        path.symlink_to("/nonexistent")
    elif what == "empty":
        path.touch()
    elif what == "two documents":
        path.write_text("a: 1\n---\nb: 2\n")
    for words in (("validate",), ("diff", "-o", "json"), ("run", "--once")):
        ran = bench.run(*words, "--config", "x.yaml").sound(78)
        assert "x.yaml" in ran.err


@shows(190)
@pytest.mark.parametrize("value", [None, "", "a\nb"])
def test_a_token_that_is_no_token_is_told_with_the_variables_name(value: str | None, bench: Bench) -> None:
    ran = bench.run("diff", DATAOS_TOKEN=value).sound(78)
    assert "DATAOS_TOKEN" in ran.err


FILES = (
    # what is in the token's file, exit status
    ("one newline", b"TOKEN\n", 0),
    ("empty", b"", 78),
    ("newline", b"\n", 78),
    ("BOM", b"\xef\xbb\xbfTOKEN", 78),
    ("binary", b"\x80\x81", 78),
    ("control", b"a\x1bb", 78),
    ("10 MB", b"a" * (10 << 20), 78),
    ("folder", None, 78),
)


@shows(191)
@pytest.mark.parametrize(("what", "content", "status"), FILES, ids=[one[0] for one in FILES])
def test_a_token_file_holds_one_line(what: str, content: bytes | None, status: int, benches: Benches) -> None:
    bench = benches.new()
    fill(bench, [])
    path = bench.folder / "token"
    text = CONFIG.replace("SERVER", bench.server).replace("{env: DATAOS_TOKEN}", f"{{file: {path}}}")
    bench.write("datakeel.yaml", text)
    if content is None:
        (bench.folder / "aim").mkdir()
        path.symlink_to("aim")
    else:
        path.write_bytes(content.replace(b"TOKEN", bench.environment["DATAOS_TOKEN"].encode()))
        path.chmod(0o600)
    ran = bench.run("diff").sound(status)
    assert status == 0 or str(path) in ran.err
    if status == 0:
        path.chmod(0o644)
        assert str(path) in bench.run("diff").sound(0).err


class _Proxy(http.server.BaseHTTPRequestHandler):
    asked: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_error(502)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def proxy() -> Iterator[str]:
    listening = http.server.HTTPServer(("127.0.0.1", 0), _Proxy)
    threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    _Proxy.asked.clear()
    yield f"http://127.0.0.1:{listening.server_port}"
    listening.shutdown()
    listening.server_close()


@shows(193)
@pytest.mark.parametrize("trusted", [False, True])
def test_proxies_of_the_environment_get_nothing_unless_they_are_trusted(
    trusted: bool, benches: Benches, proxy: str
) -> None:
    bench = benches.new()
    fill(bench, [])
    if trusted:
        bench.write("datakeel.yaml", CONFIG.replace("SERVER", bench.server) + "    trust_env: true\n")
    (bench.folder / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    poison = {
        "SSL_CERT_FILE": "/nonexistent",
        "NO_PROXY": "",
        "HTTP_PROXY": proxy,
        "http_proxy": proxy,
        "ALL_PROXY": proxy,
    }
    bench.run("diff", **poison).sound(1 if trusted else 0)
    assert bool(_Proxy.asked) is trusted


@shows(194)
def test_no_home_and_no_room_for_temporary_files_are_needed(bench: Bench) -> None:
    for home in (None, "/proc/nowhere"):
        bench.run("diff", HOME=home, TMPDIR="/proc/nowhere").sound(0)
    remote = CONFIG.replace("source: {path: .}", "source: {url: 'https://127.0.0.1:9/x.git'}")
    bench.write("remote.yaml", remote.replace("SERVER", bench.server))
    ran = bench.run("apply", "--config", "remote.yaml", "--yes", XDG_CACHE_HOME="/proc/nowhere").sound(1)
    assert "/proc/nowhere" in ran.err


def running(bench: Bench, folder: Path, **environment: str) -> int:
    """An agent that runs; its process id. Its log is the file `err`."""
    pid: int = bench.processes.ask(
        "start",
        words=["run", "--log", "json"],
        folder=str(bench.repository),
        environment=bench.environment | environment,
        stdout=str(folder / "out"),
        stderr=str(folder / "err"),
    )
    return pid


def wait_for(text: str, file: Path) -> str:
    """The file, once it holds the text."""
    for _ in range(600):
        content = file.read_text(encoding="utf-8") if file.exists() else ""
        if text in content:
            return content
        time.sleep(0.05)
    raise AssertionError(f"{text} is not in {content}")


@shows(185)
def test_an_interval_that_the_budget_does_not_allow_is_told_with_the_sum(benches: Benches, tmp_path: Path) -> None:
    bench = benches.new()
    fill(bench, [], "looked")
    text = CONFIG.replace("SERVER", bench.server).replace("{path: .}", "{path: ., interval: 1s}")
    text = text.replace("budget: off", "budget: [{requests: 60, per: 1m}]\n    reserve: 50%")
    bench.write("datakeel.yaml", text)
    bench.commit()
    pid = running(bench, tmp_path)
    log = wait_for('"interval.stretched"', tmp_path / "err")
    (told,) = [json.loads(line) for line in log.splitlines() if '"interval.stretched"' in line]
    # Half of 60 a minute is left for looking, a call every two seconds; a look at the lists is wanted every second.
    assert told["interval_seconds"] == 1 and 1000 < told["calls_per_hour"] <= 1800
    assert told["wanted_per_hour"] >= 3600 * told["list_calls"] > told["calls_per_hour"]
    assert told["list_seconds"] >= 2 * told["list_calls"]
    assert bench.processes.ask("stop", pid=pid)["status"] == 143


@shows(195)
def test_a_second_agent_on_one_store_is_refused_by_the_pid_of_the_first(benches: Benches, tmp_path: Path) -> None:
    bench = benches.new()
    fill(bench, [], "locked")
    bench.commit()
    bench.requests_log = None  # the agent that runs writes into it
    pid = running(bench, tmp_path)
    try:
        wait_for("pass.finished", tmp_path / "err")
        bench.run("diff").sound(0)  # a reader is let in meanwhile
        for words in (("apply", "--yes"), ("run", "--once")):
            assert f" {pid}" in bench.run(*words).sound(1).err
    finally:
        assert bench.processes.ask("stop", pid=pid)["status"] == 143


STATES = (
    # row, name, what is in the place of the state, a word of the sentence
    (196, "folder missing", None, "folder"),
    (197, "text", b"some notes of mine, longer than a header", "not a SQLite database"),
    (197, "zero bytes", b"", "zero bytes"),
    (197, "of another program", "CREATE TABLE notes (text)", "not a datakeel state store"),
)


@pytest.mark.parametrize(("row", "name", "content", "says"), STATES, ids=[f"{one[0]} {one[1]}" for one in STATES])
def test_a_state_that_cannot_be_used_is_told_and_left_alone(
    row: int, name: str, content: bytes | str | None, says: str, benches: Benches
) -> None:
    bench = benches.new()
    fill(bench, [], "stateless")
    bench.commit()
    path = bench.folder / ("absent/state.db" if content is None else "state.db")
    bench.environment["DATAKEEL_STATE"] = f"sqlite:///{path}"
    if isinstance(content, str):
        with sqlite3.connect(path) as raw:
            raw.execute(content)
        raw.close()
    elif content is not None:
        path.write_bytes(content)
    before = path.read_bytes() if path.exists() else None
    for words in (("apply", "--yes"), ("run", "--once")):
        ran = bench.run(*words).sound(1)
        assert says in ran.err and str(path.parent) in ran.err
    assert (path.read_bytes() if path.exists() else None) == before


@shows(196)
def test_a_store_in_memory_is_warned_about(benches: Benches, tmp_path: Path) -> None:
    bench = benches.new()
    fill(bench, [])
    bench.commit()
    bench.requests_log = None
    path = Path(f"/dev/shm/datakeel-{os.getpid()}.db")
    started = running(
        bench, tmp_path, DATAKEEL_STATE=f"sqlite:///{path}", DATAKEEL_TARGETS__LAKE__SERVER="http://127.0.0.1:9"
    )
    try:
        log = wait_for("store.ephemeral", tmp_path / "err")
        assert str(path) in log
    finally:
        bench.processes.ask("stop", pid=started)
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink()


@shows(198)
def test_the_password_of_a_store_is_in_no_output(bench: Bench) -> None:
    for words in (("apply", "--yes"), ("status",), ("run", "--once"), ("diff", "-o", "json")):
        ran = bench.run(*words, DATAKEEL_STATE="postgresql://keel:hunter2-canary@127.0.0.1:9/keel")
        assert ran.status in (1, 78)
        ran.sound()
        assert "hunter2-canary" not in ran.out + ran.err


@shows(200, 201, 202)
def test_a_renamed_target_another_server_and_a_stale_digest_are_refused(benches: Benches) -> None:
    bench = benches.new()
    fill(bench, [], "renamed")
    bench.commit()
    bench.run("apply", "--yes", "-q").sound(0, writes=1)
    text = CONFIG.replace("SERVER", bench.server)
    bench.write("datakeel.yaml", text.replace("  lake:", "  pond:") + "    prune: true\n")
    bench.commit()
    renamed = bench.run("apply", "--yes").sound()
    assert renamed.status == 4 and "another owner's mark" in renamed.out and "datakeel adopt" in renamed.out
    bench.write("datakeel.yaml", text.replace(bench.server, "http://127.0.0.1:1"))
    bench.commit()
    for words in (("diff",), ("apply", "--yes")):
        moved = bench.run(*words).sound(4)
        assert "127.0.0.1:1" in moved.out + moved.err and bench.server in moved.out + moved.err
    bench.write("datakeel.yaml", text)
    bench.write("manifests/more.yaml", NEIGHBOUR.replace("neighbour", "more"))
    bench.commit()
    stale = bench.run("apply", "--expect", "p1-" + "0" * 32).sound(4)
    assert "stale-digest" in stale.err
