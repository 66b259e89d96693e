"""What somebody else made becomes a manifest, and the manifest says exactly that: import, validate, diff, apply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent import yaml_io
from agent.apply.secrets import SecretValues
from agent.cli.import_reading import Survey, survey
from agent.cli.import_wanted import Wanted
from agent.cli.importing import Imported, make_manifests
from agent.cli.options import Options, Selector
from agent.definitions.marks import is_mark
from agent.importing.kinds import why_not
from agent.importing.manifest import Manifest, file_of
from agent.importing.shape import shape
from agent.json_schema import Schema
from agent.model.change import Action
from agent.model.identity import Key
from agent.model.outcome import Result
from agent.plan.compose import value_at
from agent.plan.normalize import live_spec
from agent.plan.rules import split_pointer
from agent.reconcile.desired import read_desired
from agent.reconcile.looking import look
from agent.reconcile.wish import Wish
from agent.secrets import Secret
from tests.platforms.conformance.emulated import Emulated, Fell, told
from tests.platforms.conformance.wire import Sent


async def imported(at: Emulated, created: Sent) -> None:
    """The manifest of a person's object is valid and differs in nothing; an apply writes the mark alone, or a person is
    asked where a secret is not shown. A kind that cannot be imported says why, and costs no call.
    """
    await at.person_makes(created)
    at.source.commit({})
    before = at.world.commits[-1].after or {}
    metadata = at.document["metadata"]
    key = Key("main", at.kind.name, tuple((w.word, metadata[w.word]) for w in at.kind.scope if w.word in metadata), "")
    key = key._replace(name=metadata["name"])
    done = await _imported(at, key)
    if why_not(at.kind) or "does not show" in done.survey.left.get(key, ""):
        return
    (manifest,) = done.manifests.values()
    _no_value_of_a_secret(at, manifest)
    document = yaml_io.load(manifest.text.encode()).documents[0].value
    at.document = document
    at.reborn()
    at.target.secrets = _secrets(at, done.survey.live[key])
    at.source.commit({"imported.yaml": file_of([manifest])})
    desired = read_desired(at.source, at.source.fetch(), at.target.config, at.platform, at.store, at.target.last)
    if desired.problems and any(each.severity == "error" for each in desired.problems):
        raise Fell(f"not valid: {[each.what for each in desired.problems]}")
    plan = (await look(at.target, Wish())).plan
    wrong = [change for change in plan.changes if change.action is not Action.ADOPT or change.fields]
    if manifest.waits:
        _only_secrets_differ(plan.changes, manifest)
        await at.held("Conflict")
        return
    if wrong or len(plan.changes) != 1:
        raise Fell(
            f"the diff is not empty: {[(c.action, c.message, [f.path for f in c.fields]) for c in plan.changes]}"
        )
    await _adopted(at, before)


async def _imported(at: Emulated, key: Key) -> Imported:
    desired = read_desired(at.source, at.source.fetch(), at.target.config, at.platform, at.store, at.target.last)
    seen = len(at.wire.sent)
    named = (Selector.parse("/".join((key.kind, *(name for _, name in key.scope), key.name))),)
    wanted = Wanted(named, {}, Options())
    if at.kind.list is not None:
        wanted = Wanted((Selector.parse(key.kind),), dict(key.scope), Options())
    found: Survey = await survey(at.target, desired, wanted, lambda done, of: None)
    if why_not(at.kind):
        if list(found.refused) != [key.kind] or found.live or len(at.wire.sent) != seen:
            raise Fell("not refused")
        return Imported(found)
    done = Imported(found)
    make_manifests(done)
    at.wrote_nothing_since(seen)
    troubles = [*found.faults, *found.failed.values(), *done.failed.values()]
    if "does not show" in found.left.get(key, "") and any(rule.write_only for rule in at.kind.fields):
        return done
    if troubles or key not in done.manifests:
        raise Fell(f"not imported: {[each.what for each in troubles]} {found.left}")
    done.manifests = {key: done.manifests[key]}
    return done


def _secrets(at: Emulated, live: Mapping[str, Any]) -> SecretValues:
    """A person sets the secrets that the import names, to what they are."""
    shaped = shape(at.target.books.of(_key(at)), Schema(at.kind.schema or {}, ""), _key(at), live)
    shown = live_spec(at.target.books.of(_key(at)), live)
    values = {name: (lambda place=place: Secret(str(value_at(shown, place)))) for place, name in shaped.secrets.items()}
    return SecretValues(values, at.store.installation_key)


async def _adopted(at: Emulated, before: Mapping[str, Any]) -> None:
    """One pass takes it over: nothing but the mark changes, and then git and live agree."""
    seen = len(at.world.commits)
    report = await at.one_pass()
    if [(each.change.action, each.result) for each in report.outcomes] != [(Action.ADOPT, Result.DONE)]:
        raise Fell(f"not adopted: {told(report)}")
    commits = at.world.commits[seen:]
    if len(commits) != (1 if at.kind.mark is not None else 0):
        raise Fell(f"{len(commits)} changes for an adoption")
    if commits and _less_mark(at, commits[0].after or {}) != _less_mark(at, before):
        raise Fell(f"more than the mark was written: {before} became {commits[0].after}")
    plan = (await look(at.target, Wish(fresh=True))).plan
    if plan.changes:
        raise Fell(f"the diff after the adoption is not empty: {[change.message for change in plan.changes]}")


def _less_mark(at: Emulated, live: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a manifest could say of a live object."""
    mark = at.kind.mark
    assert mark is not None
    (name,) = split_pointer(mark.pointer)
    properties = (at.kind.schema or {}).get("properties", {})
    spec = {word: value for word, value in live_spec(at.target.books.of(_key(at)), live).items() if word in properties}
    values = [value for value in spec.get(name) or [] if not is_mark(mark, value)]
    return {**{word: value for word, value in spec.items() if word != name}, **({name: values} if values else {})}


def _key(at: Emulated) -> Key:
    metadata = {word: name for word, name in at.document["metadata"].items() if word != "name"}
    return Key("main", at.kind.name, tuple(metadata.items()), at.document["metadata"]["name"])


def _only_secrets_differ(changes: Any, manifest: Manifest) -> None:
    for change in changes:
        shown = [field.path for field in change.fields if not field.sensitive and "secret" not in field.path.lower()]
        if change.action is not Action.HOLD or shown or not manifest.secrets:
            raise Fell(f"more than secrets differs: {change.action} {shown}")


def _no_value_of_a_secret(at: Emulated, manifest: Manifest) -> None:
    if "value of " in manifest.text:
        raise Fell("the value of a secret is in the file")
