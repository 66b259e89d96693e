"""Fetching over HTTP from git's own server program, with a credential that must not show anywhere."""

import base64
import os
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest

from agent.errors import ConfigError, SourceError
from agent.source.address import check_url
from agent.source.credentials import Remote
from agent.source.mirror import Mirror
from agent.source.repository import GitSource
from tests.unit.source.conftest import ENVIRONMENT, Repo

TOKEN = "sesame-4711-open"


class Server(BaseHTTPRequestHandler):
    """git http-backend behind Basic authentication. It also looks for the token in every process it can see."""

    root: ClassVar[Path]
    users: ClassVar[list[str]]
    leaks: ClassVar[list[str]]
    answer: ClassVar[int]

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def log_message(self, *arguments: object) -> None:
        pass

    def _serve(self, body: bytes) -> None:
        self._look_for_leaks()
        kind, _, word = self.headers.get("Authorization", "").partition(" ")
        user, _, password = base64.b64decode(word).decode().partition(":") if kind == "Basic" else ("", "", "")
        if self.answer != 200:
            self.send_response(self.answer)
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.end_headers()
        elif password != TOKEN:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.end_headers()
        else:
            self.users.append(user)
            self._backend(body)

    def _backend(self, body: bytes) -> None:
        path, _, query = self.path.partition("?")
        environment = ENVIRONMENT | {
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(["git", "http-backend"], env=environment, input=body, capture_output=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _look_for_leaks(self) -> None:
        for entry in Path("/proc").glob("[0-9]*"):
            for name in ("cmdline", "environ"):
                try:
                    if TOKEN.encode() in (entry / name).read_bytes():
                        self.leaks.append(name)
                except OSError:
                    continue


@pytest.fixture
def server(repo: Repo) -> Iterator[str]:
    Server.root, Server.users, Server.leaks, Server.answer = repo.path.parent, [], [], 200
    listening = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{listening.server_port}/repo"
    listening.shutdown()
    thread.join()
    listening.server_close()


def over_http(url: str, cache: Path, **credentials: str) -> GitSource:
    readers = {name: (lambda value=value: value) for name, value in credentials.items()}
    return GitSource(Mirror(cache, Remote(check_url(url, allow_http=True), readers)))


def test_a_token_opens_the_repository_and_shows_nowhere(repo: Repo, server: str, tmp_path: Path) -> None:
    commit = repo.commit()
    git = over_http(server, tmp_path / "cache", token=TOKEN)
    assert git.fetch().commit == commit
    assert len(git.tree(git.fetch(), "manifests").entries) == 1
    assert set(Server.users) == {"x-access-token"}
    assert Server.leaks == []
    kept = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert not [path for path in kept if TOKEN.encode() in path.read_bytes()]


def test_a_user_name_and_password_are_sent_as_given(repo: Repo, server: str, tmp_path: Path) -> None:
    commit = repo.commit()
    assert over_http(server, tmp_path / "cache", username="robot", password=TOKEN).fetch().commit == commit
    assert set(Server.users) == {"robot"}


def test_the_credential_is_read_anew_at_each_look(repo: Repo, server: str, tmp_path: Path) -> None:
    repo.commit()
    words = iter(["old", TOKEN, TOKEN])
    remote = Remote(check_url(server, allow_http=True), {"token": lambda: next(words)})
    git = GitSource(Mirror(tmp_path / "cache", remote))
    with pytest.raises(SourceError):
        git.fetch()
    assert git.fetch().ref == "main"


@pytest.mark.parametrize("credentials", [{}, {"token": "wrong-word-for-it"}])
def test_a_refused_credential_is_said_so_without_a_prompt(
    repo: Repo, server: str, tmp_path: Path, credentials: dict[str, str]
) -> None:
    repo.commit()
    with pytest.raises(SourceError) as caught:
        over_http(server, tmp_path / "cache", **credentials).fetch()
    assert caught.value.error_code == "source-unauthorized"
    assert "wrong-word" not in f"{caught.value.what} {caught.value.why} {caught.value.fix}"


def test_redirects_are_refused(repo: Repo, server: str, tmp_path: Path) -> None:
    repo.commit()
    Server.answer = 302
    with pytest.raises(SourceError) as caught:
        over_http(server, tmp_path / "cache", token=TOKEN).fetch()
    assert caught.value.error_code == "source-redirected"
    assert "127.0.0.1" in caught.value.what


def test_faults_of_the_server_leave_the_last_revision(repo: Repo, server: str, tmp_path: Path) -> None:
    repo.commit()
    git = over_http(server, tmp_path / "cache", token=TOKEN)
    revision = git.fetch()
    for answer, code in ((500, "source-unreachable"), (404, "source-missing"), (403, "source-unauthorized")):
        Server.answer = answer
        with pytest.raises(SourceError) as caught:
            git.fetch()
        assert caught.value.error_code == code
    assert len(git.tree(revision, "manifests").entries) == 1


def test_a_host_that_does_not_answer_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        over_http("http://127.0.0.1:9/repo", tmp_path / "cache").fetch()
    assert caught.value.error_code == "source-unreachable"


def test_proxies_of_the_environment_are_not_used(
    repo: Repo, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.commit()
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert over_http(server, tmp_path / "cache", token=TOKEN).fetch().ref == "main"


def test_a_credential_with_a_line_break_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="line break"):
        over_http("http://127.0.0.1:9/repo", tmp_path / "cache", token="a\nhost=evil").fetch()


def test_an_unknown_credential_is_refused() -> None:
    with pytest.raises(ConfigError, match="tokn"):
        Remote(check_url("https://git.example.com/a"), {"tokn": lambda: ""})


def test_an_ssh_key_is_lent_by_an_open_file_that_only_we_may_read() -> None:
    remote = Remote(
        check_url("ssh://git@git.example.com/a.git"),
        {"ssh_key": lambda: "PRIVATE KEY\n\n"},
        known_hosts=Path("/etc/my hosts"),
    )
    with remote.access() as access:
        command = access.variables["GIT_SSH_COMMAND"]
        key = Path(command.rsplit(" ", 1)[1])
        assert key.read_text() == "PRIVATE KEY\n"
        assert key.stat().st_mode & 0o777 == 0o600
    assert access.protocol == "ssh"
    assert "StrictHostKeyChecking=yes" in command
    assert "BatchMode=yes" in command
    assert "'UserKnownHostsFile=/etc/my hosts'" in command
    assert "PRIVATE" not in command
    assert not os.path.exists(key)


def test_an_ssh_host_that_does_not_answer_is_unreachable(tmp_path: Path) -> None:
    if not os.access("/usr/bin/ssh", os.X_OK):
        pytest.skip("there is no ssh here")
    remote = Remote(check_url("ssh://git@127.0.0.1:9/a.git"))
    with pytest.raises(SourceError) as caught:
        GitSource(Mirror(tmp_path / "cache", remote)).fetch()
    assert caught.value.error_code == "source-unreachable"
