"""Rows 166 to 182: what may be sent to a `run` over real sockets, and that nothing comes of it; what its pages show."""

from __future__ import annotations

import hmac
import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.bad_inputs.bench import CONFIG, Bench, Benches
from tests.bad_inputs.rows import fill, shows
from tests.bad_inputs.test_command_line import running, wait_for

SECRET = "the-secret-of-this-hook-4711"
BODY = b'{"event": "resource.updated", "resource": {"type": "depot", "name": "nobody"}}'
LIMIT = 1 << 20


def signed(body: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm}=" + hmac.new(SECRET.encode(), body, algorithm).hexdigest()


@dataclass(slots=True)
class Agent:
    """A `run` that listens on ``port``, and on ``probes``; its log, and what the sandbox was asked."""

    bench: Bench
    port: int
    probes: int
    log: Path
    pid: int

    def send(self, request: bytes, seconds: float = 20) -> int:
        """The status of the answer to these bytes; 0 where the connection is closed without one."""
        answer = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as talking:
            try:
                talking.sendall(request)
                while more := talking.recv(65536):
                    answer += more
            except ConnectionError:
                pass
        if not answer:
            return 0
        head, _, body = answer.partition(b"\r\n\r\n")
        # What is no HTTP at all is answered by the server's own parser, in these words for whatever was sent.
        assert body in (b"", b"Invalid HTTP request received.")
        return int(head.split()[1])

    def measured(self) -> dict[tuple[str, ...], float]:
        """Every sample of the metrics: its name and its labels to its value."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.probes}/metrics", timeout=20) as answer:
            families = list(text_string_to_metric_families(answer.read().decode()))
        return {
            (sample.name, *map(str, sorted(sample.labels.items()))): sample.value
            for family in families
            for sample in family.samples
        }

    def asked(self) -> list[str]:
        lines = self.bench.requests_log.read_text().splitlines() if self.bench.requests_log else []
        return [f"{entry['method']} {entry['path']}" for entry in map(json.loads, lines)]


def request(
    body: bytes = BODY, *, method: str = "POST", word: str = SECRET, host: str = "127.0.0.1", **headers: str
) -> bytes:
    fields = {"host": host, "content-type": "application/json", "content-length": str(len(body))}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
    path = f"/hooks/platform/lake/{word}" if word else "/hooks/platform/lake"
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def claimed(signature: str, body: bytes = BODY) -> bytes:
    return request(body, word="", x_hub_signature_256=signature)


DEEP = b"[" * 10_000 + b"]" * 10_000
CHUNKS = b"".join(b"10000\r\n" + b" " * 65536 + b"\r\n" for _ in range(17))
CASES = (
    # row, name, bytes, statuses of which one is the answer
    (166, "no signature", request(word=""), (401,)),
    (167, "sha1 only", request(word="", x_hub_signature=signed(BODY, "sha1")), (401,)),
    (168, "too short", claimed(signed(BODY)[:-1]), (401,)),
    (168, "too long", claimed(signed(BODY) + "0"), (401,)),
    (168, "upper case", claimed(signed(BODY).upper().replace("SHA", "sha")), (401,)),
    (168, "and nothing", claimed("sha256="), (401,)),
    (169, "written anew", claimed(signed(BODY), BODY.replace(b": ", b":")), (401,)),
    (172, "just inside", request(b'{"a": "' + b"x" * (LIMIT - 9) + b'"}'), (202,)),
    (172, "just outside", request(b'{"a": "' + b"x" * (LIMIT - 8) + b'"}'), (413,)),
    (172, "25 MB", request(b" " * 25_000_000), (413, 0)),
    (172, "chunked", request(b"", content_length="", transfer_encoding="chunked") + CHUNKS + b"0\r\n\r\n", (413, 0)),
    (172, "length that lies", request(content_length="25000000000"), (413,)),
    (173, "null", request(b"null"), (400,)),
    (173, "list", request(b"[]"), (400,)),
    (173, "depth", request(DEEP), (400,)),
    (173, "repository null", request(b'{"repository": null}'), (202, 400)),
    (173, "ref is a number", request(b'{"ref": 5}'), (202, 400)),
    (173, "no JSON", request(b"{"), (400,)),
    (174, "form", request(b"payload=%7B%7D", content_type="application/x-www-form-urlencoded"), (415,)),
    (176, "ping", request(b'{"event": "ping"}'), (202,)),
    (177, "GET", request(b"", method="GET"), (405,)),
    (177, "PUT", request(method="PUT"), (405,)),
    (177, "TRACE", request(b"", method="TRACE"), (405,)),
    (178, "host", request(host="evil.example"), (400,)),
    (178, "no host", request(host=""), (400,)),
    (179, "line without end", b"GET /" + b"a" * 200_000, (400, 0)),
    (179, "nonsense", b"\x16\x03\x01\x02\x00\x01\x00nonsense\r\n\r\n", (400, 0)),
)  # fmt: skip


EVIL = (
    "name: nasty\nversion: v1\ntype: depot\ndescription: 'javascript:alert(180)'\n"
    "tags: ['<img src=x onerror=alert(180)>', '\"><script>alert(180)</script>']\ndepot: {type: S3}\n"
)


@pytest.fixture(scope="module")
def agent(benches: Benches, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    bench = benches.new()
    fill(bench, [], "hooked")
    (bench.folder / "hook").write_text(SECRET)
    (bench.folder / "hook").chmod(0o600)
    text = CONFIG.replace("SERVER", bench.server).replace(
        "source: {path: .}", "source: {path: ., branch: main, interval: 1h, hook: {secret: {file: ../hook}}}"
    )
    listen = "    hook: {secret: {file: ../hook}}\nserver: {listen: '127.0.0.1:0', probes: '127.0.0.1:0'}\n"
    bench.write("datakeel.yaml", text + listen)
    bench.write("manifests/nasty.yaml", EVIL)
    bench.write("manifests/<svg onload=alert(180)>.yaml", "name: [alert(180)\n")
    bench.commit()
    author = 'user.name=Ann" onmouseover="alert(180)'
    bench.git("-c", author, "commit", "-q", "--allow-empty", "-m", "<script>alert(180)</script> javascript:alert(180)")
    folder = tmp_path_factory.mktemp("agent")
    pid = running(bench, folder)
    log = folder / "err"
    wait_for("pass.finished", log)
    events = [json.loads(line) for line in log.read_text().splitlines() if '"server.listening"' in line]
    ports = {each["use"]: int(each["address"].rpartition(":")[2]) for each in events}
    yield Agent(bench, ports["pages"], ports["probes"], log, pid)
    ended = benches.processes.ask("stop", pid=pid)
    assert ended["status"] == 143
    assert ended["mebibytes"] < 256
    assert "Traceback" not in log.read_text() and '"internal"' not in log.read_text()


@pytest.mark.parametrize(("row", "name", "sent", "statuses"), CASES, ids=[f"{one[0]} {one[1]}" for one in CASES])
def test_what_is_no_event_is_refused_and_nothing_comes_of_it(
    row: int, name: str, sent: bytes, statuses: tuple[int, ...], agent: Agent
) -> None:
    before = agent.asked()
    assert agent.send(sent) in statuses
    assert SECRET not in agent.log.read_text()
    assert all(line.startswith("GET ") for line in agent.asked()[len(before) :])


def pushed(body: bytes, **headers: str) -> bytes:
    """What a forge sends: to another address, with an event's name."""
    named = {"x_github_event": "push", "authorization": f"Bearer {SECRET}"} | headers
    return request(body, word="", **named).replace(b"/hooks/platform/lake", b"/hooks/git/source", 1)


PUSHES = (
    (166, "no signature", pushed(BODY, authorization=""), 401),
    (167, "sha1 only", pushed(BODY, authorization="", x_hub_signature=signed(BODY, "sha1")), 401),
    (168, "too short", pushed(BODY, authorization="", x_hub_signature_256=signed(BODY)[:-1]), 401),
    (169, "written anew", pushed(BODY + b" ", authorization="", x_hub_signature_256=signed(BODY)), 401),
    (172, "length that lies", pushed(BODY, content_length="25000000000"), 413),
    (173, "null", pushed(b"null"), 400),
    (173, "list", pushed(b"[]"), 400),
    (173, "depth", pushed(DEEP), 400),
    (173, "repository null", pushed(b'{"repository": null}'), 400),
    (173, "ref is a number", pushed(b'{"ref": 5}'), 400),
    (174, "form", pushed(b"payload=%7B%7D", content_type="application/x-www-form-urlencoded"), 415),
    (176, "ping", pushed(b'{"zen": "keep it simple"}', x_github_event="ping"), 202),
)


@pytest.mark.parametrize(("row", "name", "sent", "status"), PUSHES, ids=[f"{one[0]} {one[1]}" for one in PUSHES])
def test_what_is_no_push_is_refused_and_nothing_comes_of_it(
    row: int, name: str, sent: bytes, status: int, agent: Agent
) -> None:
    passes = agent.log.read_text().count('"pass.')
    assert agent.send(sent) == status
    assert SECRET not in agent.log.read_text()
    assert agent.log.read_text().count('"pass.') == passes


FORGES = {
    "GitHub, another branch": {"ref": "refs/heads/other", "repository": {"full_name": "team/else"}},
    "GitHub, a tag": {"ref": "refs/tags/v1", "created": True, "repository": {"full_name": "team/else"}},
    "GitLab": {"object_kind": "push", "ref": "refs/heads/other", "project": {"path_with_namespace": "team/else"}},
    "GitLab, a tag": {"object_kind": "tag_push", "ref": "refs/tags/v1", "project_id": 7},
}


@shows(175)
def test_an_event_of_a_repository_is_taken_and_nothing_comes_of_it(agent: Agent) -> None:
    """At the receiver of a platform it names no object; at that of the forge it is of nothing that is followed."""
    passes, asked = agent.log.read_text().count('"pass.'), agent.asked()
    assert [agent.send(request(json.dumps(event).encode())) for event in FORGES.values()] == [202] * len(FORGES)
    assert [agent.send(pushed(json.dumps(event).encode())) for event in FORGES.values()] == [202] * len(FORGES)
    time.sleep(0.3)
    assert agent.log.read_text().count('"pass.') == passes
    assert agent.asked() == asked


@shows(170)
def test_a_delivery_replayed_a_thousand_times_costs_a_read_or_two(agent: Agent) -> None:
    before, began = len(agent.asked()), time.monotonic()
    body = BODY.replace(b"nobody", b"hooked")
    statuses = [agent.send(request(body)) for _ in range(1000)]
    assert set(statuses) <= {202, 429} and statuses[0] == 202
    time.sleep(0.5)
    reads = agent.asked()[before:]
    # One look a second at most is paid for one name, however often it comes.
    assert all(line.startswith("GET ") for line in reads) and len(reads) <= time.monotonic() - began + 2


@shows(171)
def test_the_word_that_was_the_secret_before_is_refused_after_its_time(agent: Agent) -> None:
    assert agent.send(request(word="the-secret-of-last-year-0815")) == 401


@shows(179)
def test_idle_connections_do_not_keep_an_event_out(agent: Agent) -> None:
    idle = [socket.create_connection(("127.0.0.1", agent.port), timeout=5) for _ in range(40)]
    try:
        assert agent.send(request(b'{"event": "ping"}')) in (202, 429)
    finally:
        for one in idle:
            one.close()


@shows(181)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_page_of_another_site_changes_nothing(method: str, agent: Agent) -> None:
    """No route changes anything; those that answer to whoever is on this machine refuse the attempt all the same."""
    url = f"http://127.0.0.1:{agent.probes}/metrics"
    for headers, status in (
        ({"Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({}, 405),
    ):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(urllib.request.Request(url, b"{}", headers, method=method), timeout=20)
        with caught.value as answer:
            assert (answer.code, answer.read()) == (status, b"")


@shows(182)
def test_no_sender_chooses_the_labels_of_a_metric(agent: Agent) -> None:
    before = agent.measured()
    for number in range(30):
        evil = f"/hooks/platform/%22%7D%0Adatakeel_evil{number}%201"
        assert agent.send(request().replace(b"/hooks/platform/lake", evil.encode(), 1)) == 404
        assert agent.send(request(json.dumps({"event": f'"}}\nevil{number} 1'}).encode())) in (202, 429)
        assert agent.send(request(method=f"EVIL{number}")) in (400, 405)
    after = agent.measured()
    hooks = [{key for key in each if key[0] == "datakeel_hooks_total"} for each in (before, after)]
    assert hooks[0] == hooks[1] != set(), "what is sent changes numbers and no names"
    assert "evil" not in " ".join(map(str, after)).lower()


class Read(HTMLParser):
    """A page as a browser takes it apart: what would run, where links lead, what is only text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.runs: list[str] = []
        self.links: set[str] = set()
        self.text = ""
        self._inside = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        self.runs += [f"{name}={value}" for name, value in attrs if name.startswith("on")]
        for name, value in attrs:
            if name in ("href", "src", "action", "formaction"):
                self.links.add(value or "")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside in ("script", "style"):
            self.runs += [data.strip()] if data.strip() else []
        else:
            self.text += data


@shows(180)
def test_what_somebody_wrote_is_text_on_every_page_and_runs_nowhere(agent: Agent) -> None:
    left, seen, shown = ["/", "/resources?state=all", "/plan", "/history", "/health"], set(), 0
    while left:
        path = left.pop()
        seen.add(path)
        with urllib.request.urlopen(f"http://127.0.0.1:{agent.port}{path}", timeout=30) as answer:
            page = Read(answer.read().decode())
        assert page.runs == [], path
        assert all(link.startswith(("/", "#", "?")) and not link.startswith("//") for link in page.links), page.links
        shown += page.text.count("alert(180)")
        more = {link for link in page.links if link.startswith(("/resources/", "/history/"))}
        left += sorted(more - seen - set(left))
    assert shown >= 4, "it is shown, as text"
    assert any(path.startswith("/resources/") for path in seen) and any(path.startswith("/history/") for path in seen)
