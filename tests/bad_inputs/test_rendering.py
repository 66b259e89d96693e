"""Variables and overlays that nobody writes in good faith: bombs, ways out of the repository, secrets, commands."""

from __future__ import annotations

import pytest

from tests.bad_inputs.bench import CONFIG, NEIGHBOUR, Bench, Benches

HEAD = "apiVersion: datakeel/v1\nkind: Overlay\nselect: {kind: Depot, name: lake}\n"
LAKE = 'name: lake\nversion: v1\ntype: depot\ntags: ["${tag}"]\ndepot: {type: S3}\n'
SECRET = "name: s\nversion: v1\ntype: instance-secret\ninstance-secret: {type: key-value, acl: r, data: {a: VALUE}}\n"
CANARY = "canary-of-a-person"


@pytest.fixture
def bench(benches: Benches) -> Bench:
    made = benches.new()
    configure(made)
    made.write("manifests/good.yaml", NEIGHBOUR)
    made.write("manifests/lake.yaml", LAKE)
    made.write("over/lake.yaml", HEAD + "merge: {spec: {description: x}}\n")
    return made


def configure(bench: Bench, more: str = "    variables: {tag: sales}\n    overlays: [over]\n") -> None:
    bench.write("datakeel.yaml", CONFIG.replace("SERVER", bench.server) + more)


def assert_held(bench: Bench, code: str, path: str, *, neighbour: bool = True) -> None:
    """The mistake is told at its place, and the neighbours go on unless everything is held."""
    ran = bench.run("diff", "-o", "json").sound(3)
    assert [(each["code"], each["path"]) for each in ran.problems if each["severity"] == "error"] == [(code, path)]
    assert [each["key"]["name"] for each in ran.document["changes"]] == (["neighbour"] if neighbour else [])


def test_good_ones_are_no_problem(bench: Bench) -> None:
    bench.run("validate").sound(0)
    assert bench.run("render").sound(0).out.count("description: x") == 1


@pytest.mark.parametrize(
    ("name", "overlay"),
    [
        ("doubling", "".join(f"- {{op: copy, from: /spec, path: /spec/x{number}}}\n" for number in range(200))),
        ("into itself", "".join(f"- {{op: copy, from: /spec/depot, path: /spec/depot/x{n}}}\n" for n in range(60))),
        ("deep", "".join(f"- {{op: add, path: '/spec{'/a' * depth}', value: {{}}}}\n" for depth in range(1, 150))),
    ],
)
def test_an_overlay_that_grows_without_end_is_stopped(bench: Bench, name: str, overlay: str) -> None:
    bench.write("over/lake.yaml", f"{HEAD}patch:\n{overlay}")
    assert_held(bench, "overlay-expansion", "over/lake.yaml")


def test_many_overlays_on_one_manifest_are_refused_at_once(bench: Bench) -> None:
    bench.write("over/lake.yaml", "---\n".join([HEAD + "merge: {spec: {description: x}}\n"] * 100))
    bench.write("over/more.yaml", HEAD + "merge: {spec: {description: x}}\n")
    assert_held(bench, "overlay-limit", "over/more.yaml")


def test_a_variable_that_is_named_without_end_is_stopped(bench: Bench) -> None:
    configure(bench, f"    variables: {{tag: {'x' * 60_000}}}\n")
    many = ", ".join(['"${tag}"'] * 50_000)
    bench.write("manifests/lake.yaml", LAKE.replace('"${tag}"', many))
    ran = bench.run("validate", "-o", "json").sound(3)
    assert "variable-expansion" in {each["code"] for each in ran.problems}


def test_values_that_double_are_stopped(bench: Bench) -> None:
    lines = "".join(f"      v{n}: ${{v{n - 1}}}${{v{n - 1}}}\n" for n in range(1, 40))
    configure(bench, f"    variables:\n      tag: x\n      v0: xxxxxxxx\n{lines}")
    assert "variable-expansion" in bench.run("validate").sound(78).err


@pytest.mark.parametrize(
    ("link", "to", "code", "path"),
    [
        ("over/more.yaml", "/etc/passwd", "tree-link", "over/more.yaml"),
        ("over/more", "..", "tree-link", "over/more"),
        ("under", "over", "tree-link", "under"),
    ],
)
def test_no_link_is_followed_to_an_overlay(bench: Bench, link: str, to: str, code: str, path: str) -> None:
    if link == "under":
        configure(bench, "    variables: {tag: sales}\n    overlays: [under]\n")
    (bench.repository / link).symlink_to(to)
    assert_held(bench, code, path, neighbour=False)  # nobody can tell what it was to change


@pytest.mark.parametrize("folder", ["/etc", "over/../../x"])
def test_overlays_lie_in_the_repository(bench: Bench, folder: str) -> None:
    configure(bench, f"    overlays: ['{folder}']\n")
    assert "config-invalid" in bench.run("validate").sound(78).err


def test_a_folder_of_overlays_that_is_not_there_holds_everything(bench: Bench) -> None:
    configure(bench, "    variables: {tag: sales}\n    overlays: [prud]\n")
    assert_held(bench, "folder-missing", "prud", neighbour=False)


@pytest.mark.parametrize("name", ["DATAOS_TOKEN", "GITHUB_TOKEN"])
def test_the_environment_gives_no_value_that_was_not_meant_for_it(bench: Bench, name: str) -> None:
    configure(bench, f"    variables: {{tag: {{env: {name}}}}}\n")
    ran = bench.run("render", GITHUB_TOKEN=CANARY).sound(78)
    assert CANARY not in ran.out + ran.err and "DATAKEEL_VAR_" in ran.err
    configure(bench, "    variables: {tagg: x}\n")
    bench.write("manifests/lake.yaml", LAKE.replace("${tag}", f"${{{name}}}"))
    ran = bench.run("validate", "-o", "json", GITHUB_TOKEN=CANARY).sound(3)
    assert [each["code"] for each in ran.problems] == ["variable-unknown", "variable-unused"][:1]
    assert CANARY not in ran.out


def test_a_variable_is_not_set_from_outside(bench: Bench) -> None:
    ran = bench.run("validate", DATAKEEL_TARGETS__LAKE__VARIABLES__TAG="other").sound(78)
    assert "DATAKEEL_VAR_TAG" in ran.err
    configure(bench, "    variables: {tag: {env: DATAKEEL_VAR_TAG}}\n    overlays: [over]\n")
    assert "- other" in bench.run("render", DATAKEEL_VAR_TAG="other").sound(0).out


def test_a_secret_in_a_variable_is_refused_and_told_nowhere(bench: Bench) -> None:
    configure(bench, f"    variables: {{tag: sales, p: {CANARY}}}\n    overlays: [over]\n")
    bench.write(
        "manifests/s.yaml", SECRET.replace("VALUE", "${p}").replace("{type", "{ type").replace("${p}", '"${p}"')
    )
    for words in (("validate", "-o", "json"), ("diff",), ("render", "--origins")):
        ran = bench.run(*words).sound(3)
        assert CANARY not in ran.out + ran.err, words


def test_a_secret_in_clear_is_masked_and_rendered_into_no_file(bench: Bench) -> None:
    bench.write("manifests/s.yaml", SECRET.replace("VALUE", CANARY))
    for words in (("render",), ("render", "--origins")):
        ran = bench.run(*words).sound(0)
        assert CANARY not in ran.out + ran.err and "(secret)" in ran.out, words
    ran = bench.run("render", "--out", "rendered").sound(3)
    assert "secret-in-clear" in ran.err and not (bench.repository / "rendered").exists()


def test_a_rendering_speaks_to_no_runner_and_no_terminal(bench: Bench) -> None:
    text = r'"line\n::error::x\n  ::add-mask::y\n##[command]z\n\u001b[31m"'
    bench.write("manifests/lake.yaml", LAKE + f"description: {text}\n")
    bench.write("manifests/bidi.yaml", NEIGHBOUR.replace("neighbour", "n2") + 'description: "\\u202E::x"\n')
    bench.write("over/lake.yaml", HEAD + "merge: {spec: {tags: [a]}}\n")
    for words in (("render",), ("render", "--origins", "--full")):
        out = bench.run(*words).sound(0).out
        assert not any(line.lstrip().startswith("::") for line in out.splitlines()), words
        assert "##[" not in out and "\x1b" not in out and "\u202e" not in out


@pytest.mark.parametrize("link", ["rendered", "rendered/lake", "rendered/lake/manifests"])
def test_a_rendering_is_written_through_no_link(bench: Bench, link: str) -> None:
    outside = bench.folder / "outside"
    outside.mkdir()
    place = bench.repository / link
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(outside)
    assert bench.run("render", "--check", "rendered").sound().status in (2, 64)
    assert bench.run("render", "--out", "rendered").sound(64)
    assert list(outside.iterdir()) == []
