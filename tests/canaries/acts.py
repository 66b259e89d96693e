"""What is played: each act runs verbs in which some of the canaries can get loose. Leaves are in `Stage.sinks`."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from agent.cli.output import FORMATS
from tests.canaries.stage import SCHEMES, Stage
from tests.receiver import Receiver

# Everyone can read the words of a process. That it refuses them is all that an agent can do.
WORDS = ("agent: words",)
# A mistake of ours, as there might be one: an exception that quotes every secret of the target in plan.
CRASHES = """
import sys
from agent.cli.main import main
from agent.reconcile import looking

def make_plan(desired, observed, ground, caution):
    secrets = ground.fingerprint.__self__
    values = [secrets._value(name).reveal() for name in secrets._sources]
    raise RuntimeError(f"it broke with {values}")

looking.make_plan = make_plan
sys.exit(main())
"""


def every_format(stage: Stage, name: str) -> list[str]:
    """Text on the screen, and every other format in a file."""
    files = [f"{form}={stage.folder / 'tmp' / f'{name}.{form}'}" for form in FORMATS if form != "text"]
    return [word for output in ("text", *files) for word in ("-o", output)]


def walk(stage: Stage) -> None:
    """The first apply, at its most talkative, on all ways to log in; then what repeats a secret on purpose."""
    stage.configure()
    stage.manifests()
    stage.commit()
    stage.datakeel("apply", "--yes", "-v")
    stage.datakeel("act", "Vault/header-of-env", "unlock", "--yes", "--target", "header")
    for scheme in ("header", "query"):  # a token in a head of the handshake, and one in its address
        said = stage.datakeel("logs", f"Script/{scheme}-heard", "--follow", "--target", scheme)
        assert "shifted: " in said, said
        stage.datakeel("logs", f"Script/{scheme}-unheard", "--follow", "-v", "--target", scheme)


def look(stage: Stage) -> None:
    """Every verb that shows something, as text and as JSON."""
    plan = stage.folder / "tmp" / "plan.json"
    stage.datakeel("logs", "Vault/header-of-env", "--target", "header")
    stage.datakeel("validate", "-v")
    stage.datakeel("validate", "-o", "json")
    stage.datakeel("diff", "--full", "-v")
    stage.datakeel("diff", "--fresh", "-o", "text", "-o", f"json={plan}")
    stage.datakeel("apply", "--plan", str(plan), "--yes", "-o", "json")
    for words in (("status",), ("history",), ("history", "Vault/header-clear")):
        stage.datakeel(*words)
        stage.datakeel(*words, "-o", "json")
    for scheme in SCHEMES:
        stage.datakeel("get", f"Vault/{scheme}-clear", "--target", scheme, "--fresh")
    for more in ("--desired", "--applied"):
        stage.datakeel("get", "Vault/header-clear", more, "--target", "header")
    stage.datakeel("get", "Vault", "-o", "json", "--target", "header")
    # What is live becomes files, as if git named none of it: they hold names of secrets, and no values.
    unknown = {"DATAKEEL_TARGETS__HEADER__FOLDER": "none"}
    out = stage.folder / "tmp" / "imported"
    told = stage.datakeel("import", "--out", str(out), "--target", "header", "-v", more=unknown)
    assert list(out.rglob("*.yaml")), told
    stage.datakeel("import", "--strays", "-o", "json", "--target", "header", more=unknown)
    samples = stage.folder / "tmp" / "samples"
    told = stage.datakeel("doctor", "-v", "--record", str(samples))
    assert list(samples.rglob("*.json")), told
    stage.datakeel("doctor", "-o", "json")
    stage.datakeel("explain", "Vault", "--schemas", str(Path(__file__).parent / "leaky"))
    stage.datakeel("decide", "Vault/header-echo-html-500", "--not-made", "--target", "header")


def rotate(stage: Stage) -> None:
    """Every secret has another value: that is told, and neither the old nor the new one is."""
    stage.configure(rotation=", rotated")
    diffs = stage.folder / "tmp" / "rotated.json"
    told = stage.datakeel("diff", "--target", "header", *every_format(stage, "rotated"))
    assert told.count("(secret) changed") >= 5, told
    document = json.loads(diffs.read_text())
    changed = [field for change in document["changes"] if change["cause"] == "secret" for field in change["fields"]]
    assert len(changed) >= 5
    assert all(field["sensitive"] and not {"before", "after"} & set(field) for field in changed)
    stage.datakeel("apply", "--yes", "-v", "--target", "header", *every_format(stage, "applied"))
    told = stage.datakeel("history", "Vault/header-of-env", "--target", "header")
    assert "(secret) changed" in told, told


def run_once(stage: Stage) -> None:
    """The agent's own loop, with its log for programs."""
    stage.datakeel("run", "--once", "--log", "json", "-v")


def crash(stage: Stage) -> None:
    """A mistake of ours whose exception quotes secrets: on the terminal, in the file that is left, in the log."""
    for words in (("diff",), ("diff", "-v", "-o", "json")):
        said = stage.datakeel(*words, "--target", "header", script=CRASHES)
        assert "a mistake in datakeel: RuntimeError" in said, said
        assert "it broke with" in said or "datakeel-crash-" in said, said


def crash_of_the_loop(stage: Stage) -> None:
    """The same in the running agent, which logs it and goes on."""
    said = stage.datakeel("run", "--once", "--log", "json", "-v", "--target", "header", script=CRASHES)
    assert "it broke with" in said, said


def run_with_webhooks(stage: Stage) -> None:
    """The agent as a server: right and wrong words, both secrets of a rotation, and every address it might have."""
    push = stage.keeper.reference("file", "push", "push", arrives=False)
    config = stage.configure(
        source=f"{{path: ., interval: 1s, hook: {{secret: {push}}}}}",
        hook=stage.keeper.reference("file", "hook", "hook", arrives=False),
        rotation=", rotated",
    )
    token = stage.keeper.reference("file", "token", "token of the page", arrives=False)
    with config.open("a", encoding="utf-8") as file:
        file.write(f"server: {{auth: {{token: {token}}}}}\n")
    old, lets_in = stage.canary("hook"), {"Authorization": f"Bearer {stage.canary('token of the page')}"}
    stage.commit("a hook")
    agent = stage.start("run", "--log", "json", "-v", "--listen", "127.0.0.1:0", "--probes", "127.0.0.1:0")
    address = _waited(lambda: _address(agent.said(), "pages"), agent.said)
    probes = _waited(lambda: _address(agent.said(), "probes"), agent.said)
    body = json.dumps({"kind": "vault", "name": "header-clear"}).encode()
    for word in (old, old + "x", stage.canary("word of a stranger")):
        _ask(stage, "POST", f"{address}/hooks/platform/header/{word}", body)
        _ask(stage, "POST", f"{address}/hooks/platform/header", body, {"Authorization": f"Bearer {word}"})
    stage.keeper.reference("file", "hook", "hook, rotated", arrives=False)
    new = stage.canary("hook, rotated")
    for path in ("/ready", "/hooks/platform/header", "/ui", "/api/status"):
        _ask(stage, "GET", address + path)
    for word in (stage.canary("push"), old, stage.canary("word of a stranger")):
        _ask(stage, "POST", f"{address}/hooks/git/source", b"{}", {"X-Gitlab-Token": word})
        _ask(stage, "POST", f"{address}/hooks/git/source/{word}", b"{}")
        _ask(stage, "GET", f"{probes}/metrics", more={"Authorization": f"Bearer {word}"})
    for path in ("/livez?verbose", "/readyz?verbose", "/healthz", "/metrics", "/version"):
        assert _ask(stage, "GET", probes + path, more=lets_in) in (200, 503)  # ready once a revision is read
    time.sleep(5.5)  # as long as the old one is believed without looking
    assert _ask(stage, "POST", f"{address}/hooks/platform/header/{new}", body) == 202
    stage.repository.write("header/another.json", _vault("header-another", stage.in_clear("password of another")))
    revision = stage.commit("another")
    _waited(lambda: revision[:7] in agent.said(), agent.said)
    _pages(stage, address, lets_in)
    stage.leaky.refuses = True
    stage.commit("refused")
    _waited(lambda: "you said" in agent.said() or "Unauthorized" in agent.said(), agent.said)
    stage.leaky.refuses = False
    _pages(stage, address, lets_in)
    _ask(stage, "GET", f"{probes}/metrics", more=lets_in)
    agent.end()


def _pages(stage: Stage, address: str, lets_in: dict[str, str]) -> None:
    """Every page and its document, every resource with what its platform says now, every pass."""
    paths = ["/", "/resources?state=all", "/resources?q=password", "/plan", "/history", "/events", "/health"]
    seen: set[str] = set()
    while paths:
        path = paths.pop()
        seen.add(path)
        for asked in (path, "/api/overview" if path == "/" else f"/api{path}"):
            assert _ask(stage, "GET", address + asked, more=lets_in) in (200, 404)
        page = list(stage.outputs.values())[-2].decode()
        found = re.findall(r'href="(/(?:resources/|history/)[^"?#]+)"', page)
        more = [link + end for link in found for end in ("", "?live=now&logs=now") if link.startswith("/resources/")]
        paths += {link for link in (*found, *more) if link not in seen} - set(paths)
    assert any(path.startswith("/resources/") for path in seen) and any(path.startswith("/history/") for path in seen)


def run_with_sinks(stage: Stage) -> None:
    """The agent tells a receiver of refusals that repeat secrets; what it knows of the receiver goes nowhere else."""
    keeper = stage.keeper
    references = {
        "secret": keeper.reference("env", "sinkSecret", "secret of a sink", arrives=False),
        "token": keeper.reference("file", "sinkToken", "token of a sink", arrives=False),
        "url_from": keeper.reference("exec", "sinkUrl", "address of a sink", arrives=False),
    }
    with Receiver() as receiver:
        signed = f"url: '{receiver.address}', secret: {references['secret']}, token: {references['token']}"
        types = "types: [change.failed, target.stalled, resolved, revision.applied]"
        stage.configure(
            more=f"notifications:\n  patience: 0s\n  sinks:\n    here: {{webhook: {{{signed}}}, {types}}}\n"
            f"    nowhere: {{webhook: {{url_from: {references['url_from']}}}}}\n"
        )
        stage.commit("refused, and told")
        agent = stage.start("run", "--log", "json", "-v", "--listen", "off", "--probes", "off")
        told = lambda: any(b"change.failed" in got.body for got in receiver.received)  # noqa: E731
        _waited(lambda: told() and "notification.failed" in agent.said(), agent.said)
        agent.end()
    del keeper.variables["KEPT_sinkSecret"]  # no configuration names it from here on, so nothing could withhold it
    for number, got in enumerate(receiver.received):
        assert got.headers.pop("authorization", "").startswith("Bearer ")
        stage.outputs[f"notification: {number}"] = f"{got.path} {got.headers} ".encode() + got.body


def mistakes(stage: Stage) -> None:
    """Secrets where none belong: in the configuration, on the command line, in manifests that are wrong."""
    canary, path = stage.canary, stage.repository.path / "mistakes.yaml"
    head = "apiVersion: datakeel/v1\nsource: {path: .}\ntargets:\n  one:\n    platform: dataos\n"
    for name, line in {
        "a value as a credential": "    credentials: {token: %s}\n",
        "a value under a credential": "    credentials: {token: {value: %s}}\n",
        "a value as a variable's name": "    credentials: {token: {env: '%s!'}}\n",
        "a value as a secret": "    secrets: {lake: [%s]}\n",
        "a password in the server": "    server: https://u:%s@api.dataos.io\n",
        "a password in the proxy": "    proxy: http://u:%s@proxy:3128\n",
        "a value as a hook": "    hook: {secret: %s}\n",
    }.items():
        path.write_text(head + line % canary(name))
        stage.datakeel("validate", "--config", str(path))
        stage.datakeel("diff", "--config", str(path), *every_format(stage, "refused"))
    path.write_text(head.replace("path: .", f"url: 'https://u:{canary('a password of git')}@git.example.com/x'"))
    stage.datakeel("validate", "--config", str(path))
    database = f"postgresql://keel:{canary('a password of the state')}@127.0.0.1:9/keel"
    path.write_text(head + f"    credentials: {{token: {{env: LEAKY}}}}\nstate: {database}\n")
    for verb in ("status", "diff", "history"):
        stage.datakeel(verb, "--config", str(path), "-v")
    other = database.replace("a-password", "")
    stage.datakeel(
        "status",
        more={"DATAKEEL_STATE": other},
    )
    for form in ("--token={}", "--password={}", "glpat-{}", "ghp_{}00"):
        stage.datakeel("diff", canary(f"on the command line, {form[:8]}", form.replace("_{}", "_AAAA{}"), kept=WORDS))
    _wrong_manifests(stage)


def _wrong_manifests(stage: Stage) -> None:
    canary, folder = stage.canary, stage.folder / "wrong"
    (folder / "header").mkdir(parents=True, exist_ok=True)
    config = (stage.repository.path / "datakeel.yaml").read_text()
    (folder / "datakeel.yaml").write_text(config.replace("{path: ., interval: 1s}", "{path: .}"))
    head = "apiVersion: leaky/v1\nkind: Vault\nmetadata: {name: wrong-%s}\nspec:\n  %s\n"
    wrong = {
        "list": "password: [%s]",
        "map": "password: {value: %s}",
        "env": "password: {env: %s}",
        "deep": "files: {one: {two: %s}}",
        "number": "files: %s",
        "duplicate": "password: %s\n  password: %s",
        "syntax": 'password: "%s\n',
        "tag": "password: !Ref %s",
        "anchor": "password: *%s",
        "tab": "password: %s\n\tnote: x",
        "template": "password: ${%s}",
        "reference": "password: {secretRef: %s}",
    }
    for name, line in wrong.items():
        # What somebody writes as the name of a secret is a name: it is told, so that it can be corrected.
        value = canary(f"in a wrong manifest, {name}") if name not in ("reference", "template", "anchor") else "no-such"
        (folder / "header" / f"{name}.yaml").write_text(head % (name, line.replace("%s", value)))
    stage.datakeel("validate", "--config", str(folder / "datakeel.yaml"), "-v")
    stage.datakeel("validate", "--config", str(folder / "datakeel.yaml"), "-o", "json")
    stage.datakeel("diff", "--config", str(folder / "datakeel.yaml"), "--target", "header")


def _vault(name: str, password: str) -> str:
    spec = {"password": password}
    return json.dumps({"apiVersion": "leaky/v1", "kind": "Vault", "metadata": {"name": name}, "spec": spec})


def _address(said: str, use: str) -> str | None:
    for line in said.splitlines():
        if '"server.listening"' in line and json.loads(line)["use"] == use:
            return str(json.loads(line)["address"])
    return None


def _waited(asked: Callable[[], str | bool | None], said: Callable[[], str], seconds: float = 60.0) -> str:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        answer = asked()
        if answer:
            return str(answer)
        time.sleep(0.05)
    raise AssertionError(said()[-3000:])


def _ask(stage: Stage, method: str, url: str, body: bytes | None = None, more: dict[str, str] | None = None) -> int:
    """One request to the agent; its answer is a sink."""
    headers = {"Content-Type": "application/json", **(more or {})}
    request = urllib.request.Request(url, method=method, data=body, headers=headers)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
            status, told = answer.status, bytes(answer.headers) + answer.read()
    except urllib.error.HTTPError as refusal:
        status, told = refusal.code, str(refusal.headers).encode() + refusal.read()
    stage.outputs[f"answer: {len(stage.outputs)} {method} {urllib.request.urlsplit(url).path[:20]}"] = told
    return status
