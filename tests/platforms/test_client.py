"""The Python client on every managed kind of every platform, against the emulators as one process.

Each example lives one life: created, read, listed, applied as it is (nothing is sent), changed by ``save`` or by
``apply``, deleted, and looked for in vain. What a kind cannot do by its definition is refused by the client, not by the
platform.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import agent
from tests.platforms.conformance.examples import (
    Example,
    document_of,
    examples_of_kinds,
    files_of,
    secret_names,
    surroundings,
)
from tests.platforms.sandbox_process import TOKEN, SandboxProcess, sandbox_process

# Of two definitions of one API at two addresses, one is enough; the other's objects would meet the first one's.
EXAMPLES = tuple(each for each in examples_of_kinds() if not each.definition.startswith("gitlab/"))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    platforms = {words["emulator"]: words for words in surroundings().values() if "emulator" in words}
    with sandbox_process(sorted(platforms), limits=False, ready_after=0.0) as running:
        for emulator, words in platforms.items():
            for document in words.get("there", ()):
                running.person_creates(emulator, **document)
        yield running


def arguments_of(example: Example, sandbox: SandboxProcess) -> dict[str, Any]:
    """What ``connect`` is handed for the platform of an example."""
    known = example.known
    return {
        "server": f"{sandbox.address}/{known['emulator']}",
        "settings": known.get("settings", {}),
        "credentials": {
            name: TOKEN if value == "TOKEN" else value for name, value in known.get("credentials", {}).items()
        },
        "budget": "off",
        "secrets": {name: f"the value of {name}" for name in secret_names(document_of(example))},
    }


def writes(client: Any) -> int:
    return client._calls.session.api.calls["write"]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_a_kind_lives_one_life(
    example: Example, sandbox: SandboxProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    document, kind = document_of(example), example.kind
    for path, content in files_of(example, document).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    name = document["metadata"]["name"]
    scope = {word: value for word, value in document["metadata"].items() if word != "name"}
    with agent.connect(example.definition, **arguments_of(example, sandbox)) as client:
        made = client.resources.create(document)
        assert made.key == "/".join([kind.name, *scope.values(), name])
        if kind.unique and kind.list is not None:
            with pytest.raises(agent.ApiError) as caught:
                client.resources.create(document)
            assert isinstance(caught.value, agent.ConflictError | agent.InvalidRequestError), caught.value
            assert (caught.value.landed, caught.value.status in (400, 409, 422)) == ("no", True)
        seen = client.resources.get(kind=kind.name, name=name, id=made.id, **scope)
        assert seen.key == made.key
        if kind.list is not None:
            listed = client.resources.list(kind=kind.name, **scope)
            assert [each.key for each in listed].count(seen.key) == 1
        changed(client, example, document, seen)
        if kind.delete is None:
            with pytest.raises(agent.NotSupportedError, match="has no delete"):
                seen.delete()
            return
        seen.delete()
        gone(client, example, seen, scope)


def changed(client: Any, example: Example, document: dict[str, Any], seen: Any) -> None:
    """Applied as it is, then with a change, then changed by `save`."""
    kind = example.kind
    if kind.is_run:
        with pytest.raises(agent.NotSupportedError, match="started, not applied"):
            client.resources.apply(document)
        return
    if not kind.unique:
        return
    before = writes(client)
    client.resources.apply(document)
    hides = any(rule.write_only for rule in kind.fields)
    assert writes(client) == before or (hides and secret_names(document))
    if not example.change or (kind.update is None and kind.apply is None):
        seen.refresh()
        with pytest.raises((agent.NotSupportedError, agent.UsageError)):
            seen.description = "changed"
            seen.save()
        return
    after = {**document, "spec": {**document["spec"], **example.change}}
    client.resources.apply(after)
    seen.refresh()
    assert all(seen[member] == value for member, value in example.change.items())
    assert client.resources.apply(after).key == seen.key
    for member, value in example.change.items():
        seen[member] = value if member == "config" else f"{value} again"
    try:
        seen.save()
    except agent.UsageError as error:
        assert hides and "does not show" in str(error)
        return
    seen.refresh()
    assert all(str(seen[member]).startswith(str(value)) for member, value in example.change.items())


def gone(client: Any, example: Example, seen: Any, scope: dict[str, str]) -> None:
    """Not there any more, or what a platform shows of what ended."""
    if example.kind.gone is not None:
        try:
            assert seen.refresh().health in ("gone", "ready" if example.kind.is_run else "gone")
        except agent.ResourceNotFoundError:
            pass
        return
    with pytest.raises(agent.ResourceNotFoundError):
        seen.refresh()
    with pytest.raises(agent.ResourceNotFoundError):
        client.resources.delete(kind=example.kind.name, name=seen.key.rpartition("/")[2], id=seen.id, **scope)
