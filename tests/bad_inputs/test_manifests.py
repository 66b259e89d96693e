"""Rows 53 to 81: good YAML that is no good manifest, by `diff`, `apply` and `validate` with a sandbox beside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.bad_inputs.bench import CONFIG, Bench, Benches, Ran
from tests.bad_inputs.rows import Runs, Wrong, assert_told, fill, shows, wrong

REST = "version: v1\ntype: depot\ndepot: {type: S3}\n"
DAG = 'workflow: {dag: [{name: t, spec: {stack: "flare:7.0"}}]}'
SECRET = (
    "name: NAME\nversion: v1\ntype: instance-secret\ninstance-secret: {type: key-value, acl: r, data: {a: VALUE}}\n"
)


def depot(name: str, *, lifecycle: str = "", more: str = "") -> str:
    """The wrapped form, in which `lifecycle` has its place."""
    words = f"lifecycle: {lifecycle}\n" if lifecycle else ""
    head = f"apiVersion: dataos/v1\nkind: Depot\nmetadata: {{name: {name}}}\n"
    return f"{head}{words}spec: {{version: v1, depot: {{type: S3}}{more}}}\n"


def secret(name: str, value: str) -> str:
    return SECRET.replace("NAME", name).replace("VALUE", value)


def native(name: str, more: str = "") -> str:
    return f"name: {name}\n{REST}{more}"


CASES = (
    wrong(53, "no name", "‸version: v1\ntype: depot\ndepot: {type: S3}\n", "invalid-manifest", says="`name`"),
    wrong(53, "no type", "‸name: a\nversion: v1\ndepot: {type: S3}\n", "invalid-manifest", says="`type`"),
    wrong(53, "no version", "‸name: b\ntype: depot\ndepot: {type: S3}\n", "invalid-manifest", says="`version`"),
    *(
        wrong(54, name, native(f"‸{text}"), "name-type")
        for name, text in (("null", "~"), ("empty", '""'), ("number", "7"), ("list", "[a]"))
    ),
    *(
        wrong(55, f"way {number}", native(f"‸'{name}'"), "name-invalid")
        for number, name in enumerate(("..", ".", "../../admin", "a/b", "a?x=1", "a#f", "%2e%2e"))
    ),
    wrong(56, "small", "‸" + native("look"), "key-collision", severity="warning"),
    wrong(56, "capital", native("Look"), "key-collision", (1, 1), severity="warning"),
    wrong(57, "one", "‸" + native("twin"), "key-duplicate", says="2 times"),
    wrong(57, "other file", native("twin"), "key-duplicate", (1, 1)),
    wrong(57, "same file", "‸" + native("pair") + "---\n" + native("pair"), "key-duplicate"),
    wrong(57, "native and wrapped", "‸" + native("form") + "---\n" + depot("form"), "key-duplicate"),
    wrong(59, "typing mistake", depot("a").replace("Depot", "‸Depott"), "kind-unknown", says="`Depot`"),
    wrong(60, "version", depot("a").replace("dataos/v1", "‸dataos/v9"), "kind-unknown", says="dataos/v1"),
    wrong(60, "platform", depot("a").replace("dataos/v1", "‸gitlab/v4"), "kind-unknown", says="dataos/v1"),
    wrong(62, "instance level", "name: a\nversion: v1\ntype: depot\n‸workspace: x\ndepot: {type: S3}\n",
          "invalid-manifest"),
    wrong(63, "member", "name: a\nversion: v1\ntype: depot\n‸descripton: x\ndepot: {type: S3}\n", "unknown-key",
          says="did you mean `description`"),
    wrong(64, "in clear", secret("clear", "‸hunter2"), "secret-in-clear", severity="warning"),
    wrong(65, "variable", native("a", "description: ‸${ENV}\n"), "placeholder"),
    wrong(65, "double", native("b", "description: ‸${{placeholder}}\n"), "placeholder"),
    wrong(65, "angled", native("c", "description: ‸<your-workspace>\n"), "placeholder"),
    wrong(66, "unknown", secret("unknown", "‸{secretRef: x}"), "secret-unknown"),
    wrong(66, "env", secret("env", "‸{env: HOME}"), "invalid-manifest"),
    wrong(66, "file", secret("file", "‸{file: /etc/passwd}"), "invalid-manifest"),
    wrong(66, "exec", secret("exec", "‸{exec: [touch, it-ran]}"), "invalid-manifest"),
    wrong(67, "ref", native("a", "‸$ref: file:///etc/passwd\n"), "unknown-key"),
    wrong(67, "include", native("b", "‸include: ../../x.yaml\n"), "unknown-key"),
    wrong(67, "file", native("c", "‸file: /etc/passwd\n"), "unknown-key"),
    wrong(68, "itself", "‸" + depot("self", lifecycle="{dependsOn: [Depot/self]}"), "dependency-cycle"),
    wrong(68, "pair", "‸" + depot("one", lifecycle="{dependsOn: [Depot/two]}")
          + "---\n" + depot("two", lifecycle="{dependsOn: [Depot/one]}"), "dependency-cycle"),
    wrong(68, "missing", "‸" + depot("waits", lifecycle="{dependsOn: [Depot/nobody]}"), "dependency-missing"),
    wrong(69, "own mark", native("a", "tags: [‸datakeel.lake/abcdefghijkl]\n"), "marker-reserved"),
    wrong(69, "of another", native("b", "tags: [‸datakeel.other/x]\n"), "marker-reserved"),
    wrong(72, "cron", f"name: c\nversion: v1\ntype: workflow\nworkflow: {{schedule: {{cron: ‸hourly}}, {DAG[11:]}\n",
          "invalid-manifest", says="0 3 * * *"),
    wrong(75, "status", native("a", "‸status: active\n"), "read-only-field"),
    wrong(75, "created", native("b", "‸created: now\n"), "read-only-field"),
    wrong(76, "protect", depot("a", lifecycle='{protect: ‸"no"}'), "invalid-manifest"),
    wrong(77, "no pointer", depot("a", lifecycle="{ignore: [‸description]}"), "invalid-manifest", says="/description"),
    wrong(77, "escape", depot("b", lifecycle="{ignore: [‸/a/~3]}"), "invalid-manifest"),
    wrong(77, "negative", depot("c", lifecycle="{ignore: [‸/-1]}"), "invalid-manifest"),
    wrong(78, "still there", "‸" + depot("new", lifecycle="{movedFrom: old}") + "---\n" + depot("old"),
          "key-collision"),
    wrong(78, "two from one", "‸" + depot("left", lifecycle="{movedFrom: x}") + "---\n"
          + depot("right", lifecycle="{movedFrom: x}"), "key-collision"),
)  # fmt: skip
ERRORS = tuple(case for case in CASES if case.severity == "error")


@pytest.fixture(scope="module")
def runs(benches: Benches) -> Runs:
    return Runs(benches, CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_wrong_manifest_is_told_at_its_place_and_its_neighbour_goes_on(case: Wrong, runs: Runs) -> None:
    ran = runs.of(case)
    assert_told(case, ran.problems)
    assert ("create", "neighbour") in [(each["action"], each["key"]["name"]) for each in ran.document["changes"]]
    assert "hunter2" not in ran.out


@pytest.fixture(scope="module")
def all_at_once(benches: Benches) -> tuple[Ran, Ran, Bench]:
    """Every wrong manifest in one commit, applied."""
    bench = benches.new()
    fill(bench, ERRORS, "beside")
    bench.commit()
    return bench.run("validate"), bench.run("apply", "--yes", "-o", "json"), bench


@pytest.mark.parametrize("case", ERRORS, ids=lambda case: case.id)
def test_an_apply_tells_each_and_sends_only_the_neighbour(case: Wrong, all_at_once: tuple[Ran, Ran, Bench]) -> None:
    validated, applied, bench = all_at_once
    validated.sound(3)
    applied.sound(3, writes=2)
    assert_told(case, applied.problems)
    sent = [each["body"] for each in applied.requests if each["method"] == "POST"]
    assert [name for body in sent for name in ("beside", "old") if f"name: {name}\n" in body] == ["beside", "old"]
    assert not list(bench.folder.rglob("it-ran"))


def changes_of(ran: Ran) -> list[tuple[str, str]]:
    return [(each["action"], each["key"]["name"]) for each in ran.document["changes"]]


@shows(61, 62)
def test_a_workspace_that_nobody_gives_is_told(benches: Benches) -> None:
    bench = benches.new()
    fill(bench, [])
    bench.write(
        "datakeel.yaml", CONFIG.replace("SERVER", bench.server).replace("    defaults: {workspace: analytics}\n", "")
    )
    bench.write("manifests/native.yaml", f"name: flow\nversion: v1\ntype: workflow\n{DAG}\n")
    head = "apiVersion: dataos/v1\nkind: Workflow\nmetadata: {name: wrapped}\n"
    bench.write("manifests/wrapped.yaml", f"{head}spec:\n  version: v1\n  {DAG}\n")
    ran = bench.run("diff", "-o", "json").sound(3)
    assert [(each["path"], each["code"], each["line"], each["column"]) for each in ran.problems] == [
        ("manifests/native.yaml", "invalid-manifest", 1, 1),
        ("manifests/wrapped.yaml", "invalid-manifest", 3, 1),
    ]
    assert all("workspace" in each["what"] for each in ran.problems)
    assert changes_of(ran) == [("create", "neighbour")]


@shows(61)
def test_a_workspace_that_the_target_does_not_have_is_forbidden(benches: Benches) -> None:
    bench = benches.new()
    fill(bench, [], "scoped")
    text = CONFIG.replace("SERVER", bench.server) + "    scopes: {workspace: [analytics, finance]}\n"
    bench.write("datakeel.yaml", text)
    flow = "apiVersion: dataos/v1\nkind: Workflow\nmetadata: {name: NAME, workspace: NAME}\n"
    flow += f"spec:\n  version: v1\n  {DAG}\n"
    for name in ("finance", "finances", "payroll"):
        bench.write(f"manifests/{name}.yaml", flow.replace("NAME", name))
    bench.commit()
    ran = bench.run("apply", "--yes", "-o", "json").sound(3, writes=2)
    assert [(each["path"], each["code"], each["line"], each["column"], each["fix"]) for each in ran.problems] == [
        ("manifests/finances.yaml", "scope-forbidden", 3, 39, "did you mean `finance`?"),
        ("manifests/payroll.yaml", "scope-forbidden", 3, 38, "one of its `scopes`: analytics, finance"),
    ]
    assert [each["path"] for each in ran.requests if each["method"] == "POST" and "payroll" in str(each)] == []


@shows(68)
def test_a_cycle_of_five_hundred_is_told_with_the_place_of_every_edge(benches: Benches) -> None:
    bench = benches.new()
    fill(bench, [])
    for part in range(5):
        numbers = range(part * 100, part * 100 + 100)
        texts = [depot(f"d{n}", lifecycle=f"{{dependsOn: [Depot/d{(n + 1) % 500}]}}") for n in numbers]
        bench.write(f"manifests/{part}.yaml", "---\n".join(texts))
    ran = bench.run("diff", "-o", "json").sound(3)
    (problem,) = ran.problems
    assert (problem["code"], len(problem["also"]), len(problem["what"]) < 300) == ("dependency-cycle", 499, True)
    assert changes_of(ran) == [("create", "neighbour")]


@shows(70)
@pytest.mark.parametrize(("count", "status"), [(10, 0), (11, 3)])
def test_the_limit_of_manifests_is_told_with_its_numbers(count: int, status: int, benches: Benches) -> None:
    bench = benches.new()
    bench.write("datakeel.yaml", CONFIG.replace("SERVER", bench.server) + "    limits: {manifests_max: 10}\n")
    bench.write("manifests/all.yaml", "---\n".join(native(f"d{number}") for number in range(count)))
    ran = bench.run("diff", "-o", "json").sound(status)
    assert [each["code"] for each in ran.problems] == (["too-many-manifests"] if status else [])
    assert all("11" in each["what"] and "10" in each["what"] for each in ran.problems)


SMALL = "platform: small\nversion: v1\nformat: 1\nextends: dataos/v1\nrequest: {bodyMax: 300}\n"


@shows(71)
def test_what_the_platform_would_not_take_is_never_sent(benches: Benches) -> None:
    bench = benches.new()
    text = CONFIG.replace("SERVER", bench.server).replace("platform: dataos", "platform: small/v1")
    bench.write("datakeel.yaml", text.replace("targets:", "schemas: [platforms]\ntargets:"))
    bench.write("platforms/small/platform.yaml", SMALL)
    fill(bench, [], "smallone")
    head = "apiVersion: small/v1\nkind: Depot\nmetadata: {name: NAME}\n"
    head += "spec: {version: v1, depot: {type: S3}, description: "
    bench.write("manifests/inside.yaml", head.replace("NAME", "inside") + "x" * 100 + "}\n")
    bench.write("manifests/outside.yaml", head.replace("NAME", "outside") + "x" * 300 + "}\n")
    bench.commit()
    ran = bench.run("apply", "--yes", "-o", "json").sound(3, writes=2)
    (problem,) = ran.problems
    assert (problem["code"], problem["path"], problem["line"], problem["column"]) == (
        *("too-big-for-platform", "manifests/outside.yaml"),
        *(4, 1),
    )
    assert "355" in problem["what"] and "300" in problem["what"]
    assert all("outside" not in each["body"] for each in ran.requests if each["method"] == "POST")


@shows(73, 74)
def test_what_the_server_writes_otherwise_is_no_endless_diff(benches: Benches) -> None:
    bench = benches.new()
    text = "name: spelt\nversion: v1\ntype: depot\ntags: [b, a]\ndepot: {type: POSTGRESQL, postgresql: {port: 5432}}\n"
    bench.write("manifests/spelt.yaml", text)
    bench.commit()
    bench.run("apply", "--yes", "-q").sound(0, writes=1)
    assert bench.run("apply", "--yes", "-q").sound(0).out.strip() != ""
    # The server keeps a text for the number, and its own order of the tags.
    with answering(benches, "*/depot/spelt", {'"port":5432': '"port":"5432"'}):
        ran = bench.run("diff", "-o", "json", "--fresh")
    assert changes_of(ran.sound(0)) == []


@shows(73, 74)
def test_what_no_rule_makes_equal_is_written_twice_and_then_named(benches: Benches) -> None:
    bench = benches.new()
    bench.environment["DATAKEEL_TARGETS__LAKE__DRIFT"] = "heal"
    text = "name: kept\nversion: v1\ntype: service\nworkspace: analytics\nservice:\n  stack: a\n"
    bench.write("manifests/kept.yaml", f"{text}  stackSpec: {{size: 2, hosts: [bee, ant]}}\n")
    bench.commit()
    with answering(benches, "*/service/kept", {'"size":2': '"size":"2"', "bee": "fly", "ant": "bee", "fly": "ant"}):
        for writes in (1, 1, 0):
            bench.run("apply", "--yes", "-q").sound(0, writes=writes)
        ran = bench.run("diff", "-o", "json", "--fresh").sound(0)
    assert changes_of(ran) == []
    assert {(each["path"].removeprefix("service.stackSpec."), each["why"]) for each in ran.document["suppressed"]} == {
        (path, "not kept by the server") for path in ("size", "hosts")
    }
    rules = {each["path"].rpartition(".")[2]: each["rule"] for each in ran.document["suppressed"]}
    assert 'git asks for 2, the platform answers "2"' in rules["size"]
    assert "lifecycle: {ignore: [/service/stackSpec/size]}" in rules["size"]


@contextmanager
def answering(benches: Benches, path: str, other: dict[str, str]) -> Iterator[None]:
    """The platform reads back one object in other words."""
    faults = [{"do": "replace", "method": "GET", "path": path, "old": old, "new": new} for old, new in other.items()]
    benches.sandbox.control("PUT", "faults", faults)
    try:
        yield
    finally:
        benches.sandbox.control("DELETE", "faults")


@shows(79)
@pytest.mark.parametrize(("prune", "status"), [("true", 4), ("false", 0)])
def test_a_folder_that_is_removed_deletes_nothing(prune: str, status: int, benches: Benches) -> None:
    bench = benches.new()
    bench.environment["DATAKEEL_TARGETS__LAKE__PRUNE"] = prune
    names = [f"gone{prune}{letter}" for letter in "abc"]
    for name in names:
        bench.write(f"manifests/{name}.yaml", native(name))
    bench.commit()
    bench.run("apply", "--yes", "-q").sound(0, writes=3)
    for name in names:
        (bench.repository / f"manifests/{name}.yaml").unlink()
    bench.write("manifests/README.md", "empty for now\n")
    bench.commit()
    ran = bench.run("apply", "--yes").sound(status)
    assert all(name in bench.run("diff").sound().out for name in names)
    assert bench.run("run", "--once").sound().writes == []
    assert status == 0 or "nothing is deleted" in ran.out


@shows(80)
def test_a_file_that_is_renamed_costs_nothing(benches: Benches) -> None:
    bench = benches.new()
    bench.environment["DATAKEEL_TARGETS__LAKE__PRUNE"] = "true"
    bench.write("manifests/before.yaml", native("stays"))
    bench.commit()
    bench.run("apply", "--yes", "-q").sound(0, writes=1)
    (bench.repository / "manifests/before.yaml").rename(bench.repository / "manifests/after.yaml")
    bench.commit()
    bench.run("apply", "--yes", "-q").sound(0, writes=0)
    assert changes_of(bench.run("diff", "-o", "json").sound(0)) == []


@shows(81)
@pytest.mark.parametrize("moved", ["", "{movedFrom: beforePLAIN}"])
def test_a_resource_that_is_renamed_is_a_create_and_a_delete(moved: str, benches: Benches) -> None:
    bench = benches.new()
    kind = "moved" if moved else "plain"
    bench.environment["DATAKEEL_TARGETS__LAKE__PRUNE"] = "true"
    for name in ("one", "two", "three"):
        bench.write(f"manifests/{name}.yaml", native(f"keeps{kind}{name}"))
    bench.write("manifests/named.yaml", depot(f"before{kind}"))
    bench.commit()
    bench.run("apply", "--yes", "-q").sound(0, writes=4)
    bench.write("manifests/named.yaml", depot(f"after{kind}", lifecycle=moved.replace("PLAIN", kind)))
    bench.commit()
    plan = bench.run("diff", "-o", "json").sound(0)
    assert sorted(changes_of(plan)) == [("create", f"after{kind}"), ("delete", f"before{kind}")]
    applied = bench.run("apply", "--yes", "-q").sound(0, writes=2)
    assert [write.split()[0] for write in applied.writes] == ["POST", "DELETE"]


@shows(58)
def test_one_object_of_two_targets_is_told_at_both_places_and_nobodys(benches: Benches) -> None:
    bench = benches.new()
    second = CONFIG.partition("  lake:\n")[2].replace("folder: manifests", "folder: others")
    bench.write("datakeel.yaml", (CONFIG + "  pond:\n" + second).replace("SERVER", bench.server))
    bench.write("manifests/a.yaml", native("shared") + "---\n" + native("mine"))
    bench.write("others/b.yaml", native("theirs") + "---\n" + native("shared"))
    bench.commit()
    for words in (("validate", "-o", "json"), ("diff", "-o", "json")):
        told = [each for each in bench.run(*words).sound(3).problems if each["code"] == "key-duplicate"]
        assert [(each["path"], each["line"]) for each in told] == [("manifests/a.yaml", 1), ("others/b.yaml", 6)]
        assert [each["also"][0]["path"] for each in told] == ["others/b.yaml", "manifests/a.yaml"]
    applied = bench.run("apply", "--yes", "-o", "json").sound(3, writes=2)
    assert not [each for each in applied.requests if each["method"] == "POST" and "name: shared" in each["body"]]
