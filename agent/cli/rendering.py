"""``render``: the manifests of each target after variables and overlays, from the same walk as every other verb's.

Used by the verb alone. Reads git and the cache of checked files; sends nothing and writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from agent.cli.options import Options, chosen
from agent.cli.reading import (
    cache_of,
    known_secrets,
    platforms_of,
    refuse_unknown_kinds,
    revision_of,
    source_of,
)
from agent.config.model import Config, TargetConfig
from agent.definitions.platform import Platform
from agent.errors import Problem, Where
from agent.model.identity import Key
from agent.model.resource import Desired
from agent.reconcile.desired import read_desired
from agent.reconcile.last import LastDesired
from agent.source import Source
from agent.validate.kind_rules import rules_of
from agent.validate.pointers import Tokens
from agent.validate.rendered import Rendered, render
from agent.validate.secret_leaves import masked, named_places


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """A file of the revision and its manifests that are valid and were asked for."""

    path: str
    manifests: tuple[Rendered, ...]


@dataclass(frozen=True, slots=True)
class RenderedTarget:
    """``clear`` are problems of secrets that stand in clear: they are masked, so this cannot be applied."""

    config: TargetConfig
    desired: Desired
    files: tuple[RenderedFile, ...]
    clear: tuple[Problem, ...]


def rendered_targets(config: Config, options: Options) -> tuple[RenderedTarget, ...]:
    """The chosen targets. Raises SourceError; what is wrong with manifests is among the problems of ``desired``."""
    config = chosen(config, options)
    platforms = platforms_of(config)
    refuse_unknown_kinds(options, platforms.values())
    with source_of(config, options, known_secrets(config)) as source:
        revision = revision_of(source, options)
        found = []
        for name, target in config.targets.items():
            last = LastDesired()
            with cache_of(config) as store:
                desired = read_desired(source, revision, target, platforms[name], store, last)
            found.append(_target(target, platforms[name], desired, last, source, options))
        return tuple(found)


def _target(
    config: TargetConfig, platform: Platform, desired: Desired, last: LastDesired, source: Source, options: Options
) -> RenderedTarget:
    files: list[RenderedFile] = []
    clear: list[Problem] = []
    wanted = _wanted(desired, options)
    for path, manifests in _rendered(
        config, platform, last, source, {desired.resources[key].origin.path for key in wanted}
    ):
        shown = []
        for each in manifests:
            key = Key(config.name, each.named.kind.name, each.named.scope, each.named.name)
            if key in wanted:
                each, places = _without_secrets(each, platform)
                clear.extend(_in_clear(each, place, path) for place in places)
                shown.append(each)
        if shown:
            files.append(RenderedFile(path, tuple(shown)))
    return RenderedTarget(config, desired, tuple(files), tuple(clear))


def _wanted(desired: Desired, options: Options) -> set[Key]:
    return {
        key
        for key, resource in desired.resources.items()
        if options.selects(key.kind, key.scope, key.name, resource.origin.path)
    }


def _rendered(
    config: TargetConfig, platform: Platform, last: LastDesired, source: Source, paths: set[str]
) -> Iterator[tuple[str, list[Rendered]]]:
    """Every wanted file, in the order of the revision."""
    rendering = last.rendering
    assert rendering is not None
    entries = [entry for entry in last.entries if entry.path in paths]
    texts = dict(source.read(sorted({rendering.blob_of(entry.blob) for entry in entries})))
    for entry in entries:
        text = texts[rendering.blob_of(entry.blob)]
        yield entry.path, list(render(text, platform, config.defaults, rendering.inputs_of(entry.blob)))


def _without_secrets(each: Rendered, platform: Platform) -> tuple[Rendered, tuple[Tokens, ...]]:
    rules, spec = rules_of(platform).of(each.named.kind), each.identity.spec
    declared = rules.secrets(dict(each.named.scope))
    named = (place for place, _, _ in named_places(spec, declared, rules.plain, rules.packed))
    spec, places = masked(spec, (*declared, *named))
    return (replace(each, identity=replace(each.identity, spec=spec)) if places else each), places


def _in_clear(each: Rendered, place: Tokens, path: str) -> Problem:
    text, at = each.origin.find(("spec", *place))
    where = text.where(at)
    what = "a secret stands in clear, so a rendering would hold it a second time"
    fix = "write {secretRef: NAME}, a name among the target's secrets"
    subject = f"{each.named.kind.name}/{each.named.name}"
    return Problem("secret-in-clear", what, Where(where.path or path, where.line, where.column), subject, fix=fix)
