"""The configuration: defaults, every rule of its values, every mistake at its place, all of them at once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from agent.config import Config, load_config
from agent.config.model import Address, Signers
from agent.definitions.platform import Window
from agent.errors import ConfigError, Problem
from agent.model.limits import Limit, Limits
from agent.model.window import ApplyWindow
from agent.secrets import Reference

MINIMAL = """\
apiVersion: datakeel/v1
source: {path: .}
targets:
  analytics:
    platform: dataos
"""


def load(folder: Path, text: str | bytes = MINIMAL, environ: dict[str, str] | None = None) -> Config:
    content = text.encode() if isinstance(text, str) else text
    (folder / "datakeel.yaml").write_bytes(content)
    return load_config(None, environ or {}, folder)


def problems(folder: Path, text: str | bytes, environ: dict[str, str] | None = None) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        load(folder, text, environ)
    assert caught.value.exit_status == 78
    return caught.value.problems


def target(line: str) -> str:
    return MINIMAL + f"    {line}\n"


def source(line: str) -> str:
    return MINIMAL.replace("source: {path: .}", f"source: {line}")


def test_the_defaults_are_careful(tmp_path: Path) -> None:
    config = load(tmp_path)
    one = config.targets["analytics"]
    assert config.source.path == tmp_path
    assert config.source.interval_seconds == 60
    assert config.state == f"sqlite:///{tmp_path}/.datakeel/state.db"
    assert (one.platform, one.prune, one.drift, one.adopt) == ("dataos/v1", False, "report", "ifIdentical")
    assert (one.limits.deletes_max, one.limits.deletes_share_max, one.reserve) == (10, 0.3, 0.2)
    assert (one.verify_seconds, one.deadline_seconds, one.concurrency, one.budget) == (300, 30, 8, None)
    assert (one.trust_env, one.allow_http, one.folder) == (False, False, "")


def test_every_key_reaches_the_value(tmp_path: Path) -> None:
    text = """\
apiVersion: datakeel/v1
source:
  url: https://git.example.com/team/platform.git
  branch: release/1.x
  interval: 5m
  credentials: {token: {exec: [pass, show, git]}}
  known_hosts: hosts
  signers: {ssh: allowed-signers, gpg: /etc/keys.asc}
state: postgresql://keel@db/keel
targets:
  analytics:
    platform: dataos/v1
    server: https://API.dataos.io/base/
    settings: {org: 12}
    credentials: {token: {env: DATAOS_TOKEN}}
    secrets: {lake: {file: secrets/lake}}
    confirmed: [Workflow]
    folder: ./manifests/dataos/
    defaults: {workspace: analytics}
    prune: true
    drift: heal
    adopt: never
    limits: {deletes_max: 3, deletes_share_max: 0.5}
    reserve: 0.1
    budget: [{requests: 10, per: 1s, burst: 2}]
    verify: 1h
    ready_timeout: 90s
    deadline: 500ms
    concurrency: 2
    ca_file: ca.pem
    proxy: http://proxy:3128
    trust_env: true
"""
    config = load(tmp_path, text)
    one = config.targets["analytics"]
    assert config.source.url == "https://git.example.com/team/platform.git"
    assert config.source.branch == "release/1.x"
    assert config.source.interval_seconds == 300
    assert config.source.credentials == {"token": Reference("exec", ("pass", "show", "git"))}
    assert config.source.known_hosts == tmp_path / "hosts"
    assert config.source.signers == Signers(tmp_path / "allowed-signers", Path("/etc/keys.asc"))
    assert config.state == "postgresql://keel@db/keel"
    assert one.server == "https://api.dataos.io/base"
    assert one.settings == {"org": 12}
    assert one.credentials == {"token": Reference("env", "DATAOS_TOKEN")}
    assert one.secrets == {"lake": Reference("file", str(tmp_path / "secrets/lake"))}
    assert (one.confirmed, one.folder, one.defaults) == (("Workflow",), "manifests/dataos", {"workspace": "analytics"})
    assert (one.prune, one.drift, one.adopt, one.reserve) == (True, "heal", "never", 0.1)
    assert (one.limits.deletes_max, one.limits.deletes_share_max) == (3, 0.5)
    assert one.budget == (Window(10, 1.0, 2),)
    assert (one.verify_seconds, one.ready_timeout_seconds, one.deadline_seconds) == (3600, 90, 0.5)
    assert (one.concurrency, one.ca_file, one.proxy, one.trust_env) == (
        2,
        tmp_path / "ca.pem",
        "http://proxy:3128",
        True,
    )


def test_limits_and_drift_may_speak_of_kinds(tmp_path: Path) -> None:
    text = (
        MINIMAL
        + """\
    drift: {default: heal, Depot: report}
    limits:
      updates_max: 7
      updates_share_max: 5%
      creates_share_max: 0.5
      kinds: {Depot: {deletes_max: 0, updates_share_max: 10%}}
"""
    )
    one = load(tmp_path, text).targets["analytics"]
    assert (one.drift, one.drift_kinds) == ("heal", {"Depot": "report"})
    assert one.limits == Limits(
        updates_max=7,
        updates_share_max=0.05,
        creates_share_max=0.5,
        kinds={"Depot": {"deletes": Limit(0), "updates": Limit(None, 0.1)}},
    )


def test_targets_may_wait_for_each_other_but_not_in_a_circle(tmp_path: Path) -> None:
    more = """\
    depends_on: [lake]
  lake:
    platform: dataos
"""
    one = load(tmp_path, MINIMAL + more).targets
    assert (one["analytics"].depends_on, one["analytics"].others) == (("lake",), frozenset({"lake"}))
    (circle,) = problems(tmp_path, MINIMAL + more + "    depends_on: [analytics]\n")
    assert circle.code == "dependency-cycle"
    assert circle.what == "targets wait for each other: analytics -> lake -> analytics"
    (unknown,) = problems(tmp_path, MINIMAL + "    depends_on: [analytiks]\n  analytical: {platform: dataos}\n")
    assert (unknown.what, unknown.fix) == ("no such target", "did you mean `analytical`?")


def test_a_mode_or_a_share_of_a_kind_that_is_none_is_told_at_its_place(tmp_path: Path) -> None:
    text = (
        MINIMAL
        + """\
    drift: {default: heel, Depot: report}
    limits:
      kinds: {Depot: {updates_share_max: 130%}}
"""
    )
    found = problems(tmp_path, text)
    assert [(one.where.line, one.what) for one in found] == [
        (MINIMAL.count("\n") + 1, "`targets.analytics.drift.default` must be one of heal, report, off"),
        (MINIMAL.count("\n") + 3, "at most 100% is possible"),
    ]
    assert found[0].fix == "did you mean `heal`?"


def test_unasked_this_machine_alone_is_served(tmp_path: Path) -> None:
    config = load(tmp_path)
    assert config.server.listen == Address("127.0.0.1", 8642, asked=False)
    assert config.server.probes == Address("127.0.0.1", 8643, asked=False)
    assert (config.server.hooks, config.server.auth, config.server.metrics_open) == (None, None, False)
    assert config.targets["analytics"].hook is None


def test_off_serves_nothing(tmp_path: Path) -> None:
    server = load(tmp_path, MINIMAL + "server: {listen: off, probes: off}\n").server
    assert (server.listen, server.probes) == (None, None)


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("127.0.0.1:8642", ("127.0.0.1", 8642)),
        ("localhost:0", ("localhost", 0)),
        ("[::1]:8642", ("::1", 8642)),
        ("0.0.0.0:65535", ("0.0.0.0", 65535)),
        ("[::]:1", ("::", 1)),
    ],
)
def test_an_address_to_listen_on_has_a_host_and_a_port(tmp_path: Path, written: str, address: tuple[str, int]) -> None:
    text = MINIMAL + f"    hook: {{secret: {{file: hook}}}}\nserver: {{hooks: '{written}', probes: '{written}'}}\n"
    if address[1]:
        assert [one.what for one in problems(tmp_path, text)] == ["`hooks` and `probes` are one address"]
    config = load(tmp_path, text.replace(f", probes: '{written}'", ""))
    assert config.server.hooks == Address(*address)
    hook = config.targets["analytics"].hook
    assert hook is not None and hook.secret == Reference("file", str(tmp_path / "hook"))


@pytest.mark.parametrize("word", ["listen", "probes", "hooks"])
@pytest.mark.parametrize(
    "written",
    [
        "8642",
        ":8642",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "http://127.0.0.1:8642",
        "::1:8642",
        "a b:1",
        "-x:1",
        "no",
    ],
)
def test_what_is_no_address_to_listen_on_is_refused(tmp_path: Path, word: str, written: str) -> None:
    (problem,) = problems(tmp_path, MINIMAL + f"server: {{{word}: '{written}'}}\n")
    assert (problem.code, problem.where.line, problem.where.column) == ("config-invalid", 6, 12 + len(word))


BEYOND = ("0.0.0.0:8642", "192.168.1.5:8642", "[::]:8642", "agent.example.com:8642")


@pytest.mark.parametrize("written", BEYOND)
def test_beyond_this_machine_pages_are_for_those_who_are_named(tmp_path: Path, written: str) -> None:
    text = MINIMAL + f"server: {{listen: '{written}'}}\n"
    (problem,) = problems(tmp_path, text)
    assert "server.auth" in problem.what
    assert (problem.where.line, problem.where.column) == (6, 18)
    server = load(tmp_path, text.replace("server: {", "server: {auth: {token: {file: token}}, ")).server
    assert server.auth is not None and server.auth.token == Reference("file", str(tmp_path / "token"))


@pytest.mark.parametrize("written", BEYOND)
def test_beyond_this_machine_a_hook_needs_a_secret(tmp_path: Path, written: str) -> None:
    text = MINIMAL + f"server: {{hooks: '{written}', listen: 'localhost:1'}}\n"
    (problem,) = problems(tmp_path, text)
    assert "hook.secret" in problem.what
    assert (problem.where.line, problem.where.column) == (6, 17)
    assert load(tmp_path, text.replace(written, "127.0.0.1:8642")).server.hooks


def test_the_hook_of_the_forge_is_a_secret_too(tmp_path: Path) -> None:
    hooked = MINIMAL.replace("source: {path: .}", "source: {path: ., hook: HOOK}")
    assert hooked != MINIMAL
    text = hooked.replace("HOOK", "{secret: {file: hook}}") + "server: {hooks: '0.0.0.0:8644'}\n"
    config = load(tmp_path, text)
    assert config.source.hook is not None
    assert config.source.hook.secret == Reference("file", str(tmp_path / "hook"))
    for wrong in ("hunter2-canary", "{secret: hunter2-canary}", "{secret: {value: hunter2-canary}}"):
        found = problems(tmp_path, hooked.replace("HOOK", wrong))
        assert found and "hunter2-canary" not in repr(found)


def test_a_proxy_is_named_by_its_addresses(tmp_path: Path) -> None:
    text = "server: {auth: {proxy: {user_header: X-Forwarded-User, addresses: [10.0.0.5, 'fd00::/8']}}}\n"
    auth = load(tmp_path, MINIMAL + text).server.auth
    assert auth is not None and auth.user_header == "x-forwarded-user"
    assert [str(network) for network in auth.proxies] == ["10.0.0.5/32", "fd00::/8"]
    for wrong in ("0.0.0.0/0", "proxy.example.com", "10.0.0.300", "'::/0'"):
        (problem,) = problems(tmp_path, MINIMAL + text.replace("10.0.0.5", wrong))
        assert problem.what == "not an address, nor a network"
    (problem,) = problems(tmp_path, MINIMAL + text.replace("X-Forwarded-User", "'X User'"))
    assert problem.what == "not the name of a header"


@pytest.mark.parametrize("token", ["hunter2-canary", "{value: hunter2-canary}", "[hunter2-canary]"])
def test_the_token_of_those_who_may_look_is_a_reference(tmp_path: Path, token: str) -> None:
    found = problems(tmp_path, MINIMAL + f"server: {{auth: {{token: {token}}}}}\n")
    assert found
    assert "hunter2-canary" not in repr(found)


@pytest.mark.parametrize(
    "hook", ["{}", "true", "{secret: hunter2-canary}", "{secret: {value: hunter2-canary}}", "{secrets: {env: A}}"]
)
def test_a_hook_is_a_reference_to_its_secret_and_nothing_else(tmp_path: Path, hook: str) -> None:
    found = problems(tmp_path, target(f"hook: {hook}"))
    assert found
    assert "hunter2-canary" not in repr(found)


def test_freshness_may_be_wanted_kind_by_kind(tmp_path: Path) -> None:
    one = load(tmp_path, target("verify: {default: 2h, Depot: 1d}")).targets["analytics"]
    assert [one.goal_seconds(kind) for kind in ("Workflow", "Depot")] == [7200, 86400]
    assert load(tmp_path, target("verify: {Depot: 1d}")).targets["analytics"].goal_seconds("Workflow") == 300


@pytest.mark.parametrize("written", ["{Depot: 60}", "{Depot: 31d}", "{default: soon}", "5"])
def test_a_freshness_that_is_no_duration_is_told_at_its_place(tmp_path: Path, written: str) -> None:
    (found,) = problems(tmp_path, target(f"verify: {written}"))
    assert (found.code, found.where is not None) == ("duration-invalid", True)


def test_a_budget_of_off_means_no_window(tmp_path: Path) -> None:
    assert load(tmp_path, target("budget: off")).targets["analytics"].budget == ()


def test_a_repr_shows_no_state_url(tmp_path: Path) -> None:
    (tmp_path / "datakeel.yaml").write_text(MINIMAL)
    config = load_config(None, {"DATAKEEL_STATE": "postgresql://keel:s3cret@db/keel"}, tmp_path)
    assert config.state.endswith("@db/keel")
    assert "s3cret" not in repr(config)


def test_all_mistakes_are_told_at_once_in_order_each_at_its_place(tmp_path: Path) -> None:
    text = """\
apiVersion: datakeel/v1
source:
  path: .
  brnch: main
  interval: 5
targets:
  analytics:
    platform: dataos
    drift: hea
    server: api.dataos.io
"""
    found = problems(tmp_path, text)
    assert [(one.where.path, one.where.line, one.where.column, one.code) for one in found] == [
        ("datakeel.yaml", 4, 3, "unknown-key"),
        ("datakeel.yaml", 5, 13, "duration-invalid"),
        ("datakeel.yaml", 9, 12, "config-invalid"),
        ("datakeel.yaml", 10, 13, "server-invalid"),
    ]
    assert "branch" in str(found[0].fix)
    assert found[1].fix == "write a unit: 5s"
    assert "heal" in str(found[2].fix)
    assert found[3].fix == "write https://api.dataos.io"


@pytest.mark.parametrize(
    ("written", "fix"),
    [
        ("0", None),
        ("-1", None),
        ("1e9", None),
        ("5", "write a unit: 5s"),
        ("'5'", "write a unit: 5s"),
        ("5 m", "write 5m"),
        ("PT5M", "write 5m"),
        ("P1D", "write 1d"),
        ("1.5m", None),
        ("5 minutes", None),
        ("true", None),
        ("[60s]", None),
        ("0s", None),
        ("25h", None),
    ],
)
def test_a_duration_has_a_whole_number_and_a_unit(tmp_path: Path, written: str, fix: str | None) -> None:
    found = problems(tmp_path, source(f"{{path: ., interval: {written}}}"))
    assert [one.code for one in found] == ["duration-invalid"]
    if fix:
        assert found[0].fix == fix


@pytest.mark.parametrize(
    ("written", "seconds"), [("1s", 1), ("1d", 86400), ("1000ms", 1), ("24h", 86400), ("90m", 5400)]
)
def test_the_edges_of_an_interval_are_allowed(tmp_path: Path, written: str, seconds: float) -> None:
    assert load(tmp_path, source(f"{{path: ., interval: {written}}}")).source.interval_seconds == seconds


@pytest.mark.parametrize(
    "server",
    [
        "api.dataos.io",
        "ftp://api.dataos.io",
        "https://",
        "https://api.dataos.io/../x",
        "https://api.dataos.io/%2E%2e/x",
        "https://api.dataos.io/a//b",
        "https://api.dataos.io?x=1",
        "https://api.dataos.io#x",
        "https://u:p@api.dataos.io",
        "https://u@api.dataos.io",
        "http://api.dataos.io",
        "http://localhost.evil.example",
        "https://[fe80::1%25eth0]/",
        "https://аpi.dataos.io",
        "https://api.dataos.io:99999",
        "https://api.dataos.io:0",
        "https://api.dataos.io:x",
        "https://api..dataos.io",
        "https://api.dataos.io\\@evil.example",
        "https://api .dataos.io",
    ],
)
def test_a_doubtful_server_is_refused(tmp_path: Path, server: str) -> None:
    found = problems(tmp_path, target(f"server: '{server}'"))
    assert [one.code for one in found] == ["server-invalid"]
    if "@" in server and "\\" not in server:
        assert found[0].got is None


@pytest.mark.parametrize(
    ("server", "normal"),
    [
        ("https://api.dataos.io/", "https://api.dataos.io"),
        ("https://API.DataOS.io:8443/Base/", "https://api.dataos.io:8443/Base"),
        ("https://[2001:db8::1]:443", "https://[2001:db8::1]:443"),
        ("https://10.0.0.1", "https://10.0.0.1"),
        ("https://api.dataos.io:65535", "https://api.dataos.io:65535"),
    ],
)
def test_a_plain_server_is_normalised(tmp_path: Path, server: str, normal: str) -> None:
    assert load(tmp_path, target(f"server: '{server}'")).targets["analytics"].server == normal


def test_http_is_for_this_machine_or_where_it_is_allowed_by_name(tmp_path: Path) -> None:
    for address in ("http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080"):
        assert load(tmp_path, target(f"server: '{address}'")).targets["analytics"].allow_http
    allowed = target("server: http://api.internal\n    allow_http: true")
    assert load(tmp_path, allowed).targets["analytics"].server == "http://api.internal"


@pytest.mark.parametrize(
    "reference",
    [
        "{env: A, file: b}",
        "{}",
        "{value: s3cret-canary}",
        "s3cret-canary",
        "{env: s3cret-canary}",
        "{env: [s3cret-canary]}",
        "{exec: s3cret-canary}",
        "{exec: []}",
        "[s3cret-canary]",
        "{vault: s3cret-canary}",
    ],
)
def test_a_credential_is_one_reference_and_its_text_is_never_shown(tmp_path: Path, reference: str) -> None:
    found = problems(tmp_path, target(f"credentials: {{token: {reference}}}"))
    assert found
    assert all("s3cret-canary" not in f"{one.what}{one.got}{one.fix}{one.why}" for one in found)
    assert all(one.where.line == 6 for one in found)


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("{branch: main}", "needs a `url`, a `path` or a `mount`"),
        ("{path: ., url: 'https://x/y'}", "has `url` and `path`"),
        ("{mount: /git/current, path: .}", "has `path` and `mount`"),
        ("{mount: /git/current, branch: main}", "`branch` belongs to a repository"),
        ("{mount: /git/current, credentials: {token: {env: X}}}", "`credentials` belongs to a repository"),
        ("{path: ., branch: -x}", "git allows"),
        ("{path: ., branch: refs/heads/../x}", "git allows"),
        ("{path: ., branch: refs/heads/main}", "full ref"),
        ("{path: ., branch: 'a b'}", "git allows"),
        ("{path: ., branch: x.lock}", "git allows"),
        ("{path: ., branch: ''}", "git allows"),
        ("{path: ., branch: 0123456789012345678901234567890123456789}", "commit id"),
        ("{path: ., commit: abc1234}", "not a commit id"),
        ("{path: ., branch: main, tag: v1}", "exclude each other"),
        ("{url: 'https://u:p@git.example.com/x'}", "holds a credential"),
        ("{url: 'http://git.example.com/x'}", "not encrypted"),
        ("{url: '--upload-pack=x'}", "not the address"),
        ("{url: 'ext::sh -c id'}", "not the address"),
        ("{url: 'git://git.example.com/x'}", "must start with"),
    ],
)
def test_a_source_is_unambiguous(tmp_path: Path, line: str, word: str) -> None:
    found = problems(tmp_path, source(line))
    assert any(word in one.what for one in found), found


@pytest.mark.parametrize(
    "line",
    [
        "{url: 'git@git.example.com:team/x.git', branch: feature/x}",
        "{url: 'ssh://git@git.example.com:22/x.git', tag: v1.4.0}",
        "{url: 'file:///srv/git/x.git'}",
        "{path: ., commit: 0123456789abcdef0123456789abcdef01234567}",
        "{url: 'http://git.internal/x', allow_http: true}",
    ],
)
def test_the_usual_sources_are_taken(tmp_path: Path, line: str) -> None:
    assert load(tmp_path, source(line))


@pytest.mark.parametrize("folder", ["/etc", "../x", "a/../../x", "~/x", "-x"])
def test_a_folder_stays_in_the_repository(tmp_path: Path, folder: str) -> None:
    assert problems(tmp_path, target(f"folder: '{folder}'"))[0].where.line == 6


@pytest.mark.parametrize(("written", "share"), [("0%", 0.0), ("95%", 0.95), ("0.95", 0.95), ("0", 0.0)])
def test_a_reserve_is_a_share(tmp_path: Path, written: str, share: float) -> None:
    assert load(tmp_path, target(f"reserve: {written}")).targets["analytics"].reserve == share


@pytest.mark.parametrize("written", ["96%", "0.96", "-1%", "-0.1", "20 %", "lots", "true"])
def test_a_reserve_leaves_something_to_work_with(tmp_path: Path, written: str) -> None:
    assert len(problems(tmp_path, target(f"reserve: {written}"))) == 1


@pytest.mark.parametrize(
    "change",
    [
        ("apiVersion: datakeel/v1", "apiVersion: datakeel/v2"),
        ("apiVersion: datakeel/v1\n", ""),
        ("platform: dataos", "platform: dataoss"),
        ("platform: dataos", "platform: dataos/v99"),
        ("platform: dataos", "prune: yes"),
        ("  analytics:", "  ana lytics:"),
        ("  analytics:\n    platform: dataos", "  {}"),
    ],
)
def test_each_of_these_is_one_mistake_or_more(tmp_path: Path, change: tuple[str, str]) -> None:
    assert problems(tmp_path, MINIMAL.replace(*change))


def test_a_duplicate_key_names_both_places(tmp_path: Path) -> None:
    found = problems(tmp_path, MINIMAL + "state: a\nstate: b\n")
    assert found[0].code == "yaml-duplicate-key"
    assert found[0].where.line == 7
    assert found[0].where.path == "datakeel.yaml"


@pytest.mark.parametrize(
    "content", [b"", b"# nothing\n", b"- a\n", b"text\n", b"a: [\n", b"\xff\xfe\x00", b"a: 1\n---\nb: 2\n"]
)
def test_what_is_no_single_mapping_is_refused(tmp_path: Path, content: bytes) -> None:
    assert problems(tmp_path, content)


@pytest.mark.parametrize("kind", ["missing", "folder", "fifo", "unreadable", "huge"])
def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "datakeel.yaml"
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "huge":
        path.write_bytes(b"#" * ((1 << 20) + 1))
    elif kind == "unreadable":
        if os.geteuid() == 0:
            pytest.skip("root reads everything")
        path.write_text(MINIMAL)
        path.chmod(0)
    with pytest.raises(ConfigError) as caught:
        load_config(path, {}, tmp_path)
    assert caught.value.exit_status == 78
    assert "datakeel.yaml" in str(caught.value.where)


def test_the_search_goes_up_to_the_repository_and_no_further(tmp_path: Path) -> None:
    (tmp_path / "datakeel.yaml").write_text(MINIMAL)
    inner = tmp_path / "repository" / "deep" / "er"
    inner.mkdir(parents=True)
    with pytest.raises(ConfigError) as caught:
        load_config(None, {}, inner)
    assert caught.value.error_code == "config-missing"
    (tmp_path / ".git").mkdir()
    assert load_config(None, {}, inner).path == tmp_path / "datakeel.yaml"
    (tmp_path / "repository" / ".git").mkdir()
    with pytest.raises(ConfigError, match="up to"):
        load_config(None, {}, inner)


def test_a_named_file_wins_over_the_variable_and_that_over_the_search(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(MINIMAL.replace("analytics", name))
    load(tmp_path)
    environ = {"DATAKEEL_CONFIG": "b.yaml"}
    assert set(load_config(Path("a.yaml"), environ, tmp_path).targets) == {"a"}
    assert set(load_config(None, environ, tmp_path).targets) == {"b"}
    assert set(load_config(None, {}, tmp_path).targets) == {"analytics"}


def test_foreign_variables_change_nothing(tmp_path: Path) -> None:
    environ: dict[str, Any] = {"HTTP_PROXY": "http://evil", "SSL_CERT_FILE": "/x", "NO_PROXY": "*"}
    assert load(tmp_path, MINIMAL, environ) == load(tmp_path)


def test_windows_are_openings_and_closures_of_all_writes_or_of_deletes(tmp_path: Path) -> None:
    allow = '{allow: "0 22 * * 1-5", lasts: 2h, timezone: Europe/Berlin}'
    deny = '{deny: "0 8 * * *", lasts: 30m, of: deletes}'
    assert load(tmp_path, target(f"windows: [{allow}, {deny}]")).targets["analytics"].windows == (
        ApplyWindow(True, "0 22 * * 1-5", 7200.0, "Europe/Berlin"),
        ApplyWindow(False, "0 8 * * *", 1800.0, "UTC", "deletes"),
    )


@pytest.mark.parametrize(
    ("window", "column", "what"),
    [
        ('{allow: "0 22 * *", lasts: 2h}', 23, "`allow` is not a cron expression"),
        ('{allow: "0 22 * * *", lasts: 2}', 44, "`lasts` is not a duration"),
        ('{allow: "0 22 * * *", lasts: 1s}', 44, "`lasts` must be between 1m and 31d"),
        ("{lasts: 2h}", 15, "the window says neither `allow` nor `deny`"),
        ('{allow: "0 1 * * *", deny: "0 2 * * *", lasts: 1h}', 15, "a window either allows or denies"),
        ('{deny: "0 22 * * *", lasts: 1h, timezone: Berlin}', 57, "no such time zone"),
    ],
)
def test_a_window_that_is_wrong_is_told_at_its_place(tmp_path: Path, window: str, column: int, what: str) -> None:
    (problem,) = problems(tmp_path, target(f"windows: [{window}]"))
    assert (problem.where.line, problem.where.column, problem.what) == (6, column, what)


def test_a_secret_written_without_a_blank_behind_the_colon_is_not_repeated(tmp_path: Path) -> None:
    """YAML reads `{token:abc}` as one key: the secret is the name."""
    (problem,) = problems(tmp_path, target("credentials: {token:hunter2-s3cret}"))
    assert (problem.code, problem.where.line, problem.where.column) == ("credential-invalid", 6, 19)
    assert problem.fix is not None and "blank behind the colon" in problem.fix
    assert "hunter2" not in repr(problem)
