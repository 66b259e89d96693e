"""Rows 136 to 165: what a platform may answer, by `diff` and `apply` against a server that says it byte for byte.

One process meets all of them at once, each at a kind of its own: what is bad of one kind stops no other. Of a kind
whose answer cannot be understood nothing is created, changed or deleted, and a write is never sent a second time.
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from dataclasses import dataclass
from socket import socket
from typing import Any

import msgpack  # type: ignore[import-untyped]
import pytest

from tests.bad_inputs.bench import TOKEN, Bench, Ran
from tests.bad_inputs.raw_server import RawServer, answer, platform_of
from tests.sessions.session import Processes

CONFIG = """\
apiVersion: datakeel/v1
source: {path: .}
state: ../state.db
schemas: [platforms]
targets:
  shop:
    platform: shop/v1
    server: SERVER
    credentials: {token: {env: SHOP_TOKEN}}
    folder: manifests
    prune: true
    budget: off
    deadline: 4s
    limits: {deletes_max: 1000, deletes_share_max: 1.0}
"""
MANIFEST = "apiVersion: shop/v1\nkind: KIND\nmetadata: {name: NAME}\nspec: {size: 1}\n"


def rows(*found: str, total: object = 2) -> str:
    return f'{{"data": [{", ".join(found)}], "meta": {{"total": {total}}}}}'


def drip(taken: socket) -> None:
    taken.sendall(answer(rows(), content_length="4000"))
    for _ in range(100):
        time.sleep(0.5)
        taken.sendall(b" ")


GOOD = rows('{"name": "old", "size": 1}', total=1)
ONE = '{"name": "new", "size": 1}'
BOMB = gzip.compress(b"[" + b" " * (300 << 20) + b"]", 1)
DEEP = "[" * 100_000 + "]" * 100_000
PACKED = {"data": [{"name": "old", "size": 1}], "meta": {"total": 1}}


def packed(body: bytes) -> bytes:
    return answer(body, content_type="application/msgpack")


def chunked(body: bytes) -> bytes:
    return answer(body).replace(b"content-length: ", b"transfer-encoding: chunked\r\nx-length: ")


BAD = (
    # row, name, what a read is answered
    (136, "page", answer("<html><body>Sign in</body></html>", content_type="text/html")),
    (136, "page that claims JSON", answer("<html></html>")),
    (137, "nothing", answer()),
    (138, "null", answer("null")),
    (139, "list", answer("[]")),
    (139, "text", answer('"x"')),
    (139, "rows are an object", answer('{"data": {}, "meta": {"total": 0}}')),
    (140, "data is null", answer('{"data": null, "meta": {"total": 0}}')),
    (148, "NaN", answer(GOOD.replace("1}]", "NaN}]"))),
    (148, "Infinity", answer(GOOD.replace("1}]", "-Infinity}]"))),
    (149, "duplicate keys", answer(GOOD.replace('"size"', '"name": "z", "size"'))),
    (150, "depth", answer(DEEP)),
    (150, "just outside", answer('{"data": [], "meta": {"total": 0, "x": ' + "[" * 99 + "]" * 99 + "}}")),
    (151, "lone surrogate", answer(GOOD.replace('"old"', '"\\ud800"'))),
    (152, "gzip bomb", answer(BOMB, content_encoding="gzip")),
    (152, "just outside", answer(b'"' + b"x" * (16 << 20) + b'"')),
    (153, "length too long", answer(GOOD, content_length=str(len(GOOD) + 10))),
    (153, "length too short", answer(GOOD, content_length=str(len(GOOD) - 10))),
    (153, "length below zero", answer(GOOD, content_length="-1")),
    (153, "length twice", answer(GOOD, content_length=f"{len(GOOD)}\r\ncontent-length: 3")),
    (154, "chunk cut", chunked(b"ff\r\n" + GOOD.encode())),
    (154, "cut without a length", answer(GOOD[:-4]).replace(b"content-length: ", b"x-length: ")),
    (155, "a byte at a time", drip),
    (156, "header with CR", answer(GOOD, x="a\rset-cookie: b=c")),
    (156, "header with NUL", answer(GOOD, x="a\0b")),
    *((157, f"redirect {code}", answer("", code, location="/evil")) for code in (301, 302, 303, 307, 308)),
    (161, "error body of 50 MB", answer(b"\x1b[31m::add-mask::x" + b"y" * (50 << 20), 400, "text/plain")),
    (163, "msgpack claims 4 GiB", packed(b"\xdd\xff\xff\xff\xff")),
    (163, "msgpack depth", packed(b"\x91" * 5_000 + b"\xc0")),
    (163, "msgpack integer keys", packed(msgpack.packb({1: 2}))),
    (163, "msgpack bad UTF-8", packed(b"\x81\xa4data\xa2\xff\xfe")),
    (163, "msgpack trailing bytes", packed(msgpack.packb(PACKED) + b"\x00")),
    (164, "YAML bomb", answer("a: &a [x]\nb: [" + "*a, " * 2_000 + "x]\ndata: []\n", content_type="application/yaml")),
    (164, "YAML tag", answer("data: !!python/object/apply:os.system [id]\n", content_type="application/yaml")),
    (164, "YAML duplicate keys", answer("data: []\ndata: []\nmeta: {total: 0}\n", content_type="application/yaml")),
    (164, "YAML of 17 MB", answer("data: []\n#" + "x" * (17 << 20), content_type="application/yaml")),
)  # fmt: skip
INCOMPLETE = (
    # row, name, what the list is answered: rows that are understood, and are not all
    (141, "row without a name", answer(rows('{"size": 1}', total=1))),
    (142, "row twice", answer(rows('{"name": "x", "size": 1}', '{"name": "x", "size": 1}'))),
    (144, "total below zero", answer(rows(total=-1))),
    (144, "total is text", answer(rows(total='"many"'))),
    (144, "total of 10^12", answer(rows(total=10**12))),
    (144, "total less than the rows", answer(rows('{"name": "x", "size": 1}', '{"name": "y", "size": 1}', total=1))),
    (147, "offset ignored", answer(rows('{"name": "x", "size": 1}', '{"name": "y", "size": 1}', total=9))),
)  # fmt: skip
WRITES = (
    # row, name, what the create is answered
    (136, "page", answer("<html></html>", content_type="text/html")),
    (137, "nothing", answer("", 200)),
    (148, "NaN", answer('{"name": "new", "size": NaN}', 201)),
    (149, "duplicate keys", answer('{"name": "other", "name": "new"}', 201)),
    (150, "depth", answer(DEEP, 201)),
    (152, "gzip bomb", answer(BOMB, 201, content_encoding="gzip")),
    (153, "length too long", answer(ONE, 201, content_length="400")),
    (154, "cut", answer(ONE, 201).replace(b"content-length: ", b"x-length: ")[:-5]),
    (155, "a byte at a time", drip),
    *((157, f"redirect {code}", answer("", code, location="/evil")) for code in (301, 302, 303, 307, 308)),
    (162, "another name", answer('{"name": "somebody-elses", "size": 1}', 201)),
)  # fmt: skip


SHAPES = (
    # row, name, what the create is answered: a success by its status, which is looked after
    (138, "null", answer("null", 201)),
    (139, "list", answer("[]", 201)),
    (162, "200 to a create", answer(ONE, 200)),
    (162, "202", answer(ONE, 202)),
)


@dataclass(frozen=True, slots=True)
class Scene:
    """How the two commands ended, and the server that saw them."""

    diff: Ran
    apply: Ran
    server: RawServer
    changes: dict[str, dict[str, Any]]


def accepted(name: str) -> str:
    return {"msgpack": "msgpack, json", "YAML": "yaml, json"}.get(name.split()[0], "")


def kinds() -> dict[str, str]:
    """Every kind with what its reads accept."""
    found = {f"List{at}": accepted(name) for at, (_, name, _) in enumerate(BAD)}
    found |= {f"Listpart{at}": "" for at in range(len(INCOMPLETE))}
    found |= {f"Read{at}": accepted(name) for at, (_, name, _) in enumerate(BAD) if at % 3 == 0}
    return {
        "Good": "",
        **found,
        **{f"{kind}{at}": "" for kind, cases in (("Write", WRITES), ("Shape", SHAPES)) for at in range(len(cases))},
    }


def bench_of(folder: Any, processes: Processes, server: RawServer, accepts: dict[str, str]) -> Bench:
    bench = Bench(folder, processes, server.address)
    bench.environment["SHOP_TOKEN"] = TOKEN
    bench.write("datakeel.yaml", CONFIG.replace("SERVER", server.address))
    bench.write("platforms/shop/platform.yaml", platform_of(accepts))
    for kind in accepts:
        bench.write(f"platforms/shop/{kind.lower()}.schema.json", '{"properties": {"size": {"type": "integer"}}}')
    return bench


def declare(bench: Bench, kind: str, name: str) -> None:
    bench.write(f"manifests/{kind}-{name}.yaml", MANIFEST.replace("KIND", kind).replace("NAME", name))


@pytest.fixture(scope="module")
def server() -> Iterator[RawServer]:
    one = RawServer()
    yield one
    one.close()


@pytest.fixture(scope="module")
def scene(processes: Processes, server: RawServer, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Of each kind git leaves `old`, which is ours and there, and wants `new`; then the answers go wrong."""
    accepts = kinds()
    bench = bench_of(tmp_path_factory.mktemp("replies") / "a", processes, server, accepts)
    for kind in accepts:
        declare(bench, kind, "old")
    bench.commit()
    bench.run("apply", "--yes", "-q").sound(0)
    for kind in accepts:
        (bench.repository / f"manifests/{kind}-old.yaml").unlink()
        declare(bench, kind, "new")
    bench.commit()
    server.forget()
    for at, (_, _, script) in enumerate(BAD):
        server.scripts |= {f"GET /List{at}?": script, f"GET /Read{at}/": script}
    for at, (_, _, script) in enumerate(INCOMPLETE):
        server.scripts[f"GET /Listpart{at}?"] = script
    diff = bench.run("diff", "-o", "json")
    assert server.writes() == []
    server.scripts |= {f"POST /Write{at}": script for at, (_, _, script) in enumerate(WRITES)}
    server.scripts |= {f"POST /Shape{at}": script for at, (_, _, script) in enumerate(SHAPES)}
    applied = bench.run("apply", "--yes", "-o", "json", "-q")
    changes = {f"{each['key']['kind']} {each['action']}": each for each in applied.document["passes"][0]["changes"]}
    return Scene(diff, applied, server, changes)


def test_both_commands_are_sound(scene: Scene) -> None:
    for ran in (scene.diff, scene.apply):
        ran.sound()
        assert "\x1b" not in ran.out + ran.err and "::add-mask::" not in ran.out + ran.err
    assert not scene.diff.document["complete"]
    assert not [line for line in scene.server.requests if "evil" in line]
    assert scene.server.writes("Good") == ["POST /Good", "DELETE /Good/old"]


@pytest.mark.parametrize("at", range(len(BAD)), ids=[f"{row} {name}" for row, name, _ in BAD])
def test_a_read_that_cannot_be_understood_changes_nothing_of_its_kind(at: int, scene: Scene) -> None:
    assert [line for line in scene.server.requests if line.startswith(f"GET /List{at}?")]
    assert scene.server.writes(f"List{at}") == []
    # `old` is in the list, which is good: by it, it is there and may go. Of `new` nothing is known.
    assert set(scene.server.writes(f"Read{at}")) <= {f"DELETE /Read{at}/old"}


@pytest.mark.parametrize("at", range(len(INCOMPLETE)), ids=[f"{row} {name}" for row, name, _ in INCOMPLETE])
def test_a_list_that_is_not_all_proves_no_absence(at: int, scene: Scene) -> None:
    assert scene.server.writes(f"Listpart{at}") == []


@pytest.mark.parametrize("at", range(len(WRITES)), ids=[f"{row} {name}" for row, name, _ in WRITES])
def test_a_write_whose_answer_cannot_be_understood_is_unknown_and_never_repeated(at: int, scene: Scene) -> None:
    assert scene.server.writes(f"Write{at}").count(f"POST /Write{at}") == 1
    assert scene.changes[f"Write{at} create"]["outcome"] == "unknown", scene.changes[f"Write{at} create"]


@pytest.mark.parametrize("at", range(len(SHAPES)), ids=[f"{row} {name}" for row, name, _ in SHAPES])
def test_a_success_without_the_object_is_looked_after_and_never_repeated(at: int, scene: Scene) -> None:
    asked = [line for line in scene.server.requests if f"/Shape{at}" in line]
    assert asked.count(f"POST /Shape{at}") == 1
    assert f"GET /Shape{at}/new" in asked[asked.index(f"POST /Shape{at}") :]
    assert not scene.changes[f"Shape{at} create"].get("ready")
