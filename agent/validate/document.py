"""From the bytes of one file to checked manifests: every fault of the file at once, each at its line and column.

Called for each blob that the cache does not know. Pure: no path, no target, no disk; what depends on other files
(duplicates, cycles, the target's secrets) is judged by ``desired.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from agent import __version__, yaml_io
from agent.definitions.platform import Platform
from agent.errors import Problem, ProblemList, Severity, Where
from agent.json_schema import Violation
from agent.model.canonical import digest, to_json
from agent.model.manifest import CheckedDocument, CheckedFile, Lifecycle
from agent.model.secret_names import is_secret_name, may_name_secrets, named_secrets
from agent.validate import placeholders
from agent.validate.findings import Findings
from agent.validate.identity import Named, Scopes, check_identity, check_scope
from agent.validate.kind_rules import KindRules, PlatformRules, rules_of
from agent.validate.lifecycle import as_digested, read_lifecycle
from agent.validate.pointers import Tokens, expand, is_under, join, leaves, may_show_secret, select, split
from agent.validate.recognise import Identity, recognise
from agent.validate.secret_leaves import SecretUse, named_places, secret_uses, without_references

_Held = tuple[Tokens, bool, placeholders.Finding]  # place, whether it is the key there, what was found

SECRET_KIND = ""  # in CheckedDocument.references: the name of a secret of the target, of no kind
FILE_KIND = "/"  # and the path of a file of the repository, to be uploaded

_RULES_VERSION = 5  # raise it when the same bytes would be judged otherwise


def check_file(
    source: bytes, platform: Platform, defaults: Mapping[str, str], scopes: Scopes = MappingProxyType({})
) -> CheckedFile:
    """All manifests and problems of a file. Never raises for bad input; ``defaults`` fill absent scope words.

    ``scopes`` are the names that a scope word may have; a word that is not among them may have any.
    """
    rules = rules_of(platform)
    loaded = yaml_io.load(source)
    problems = ProblemList()
    for problem in loaded.problems:
        problems.add(problem)
    checker = _Checker(source, rules, defaults, scopes, problems)
    checked = []
    broken = []
    for document in loaded.documents:
        if document.empty:
            continue
        findings = Findings(source, document, problems)
        if document.broken:
            named = checker.name_only(document, findings)
        else:
            named, good = checker.check(document, findings)
            if good is not None:
                checked.append(good)
                continue
        if named is not None:
            broken.append((named.kind.name, named.scope, named.name))
    if not loaded.problems and all(document.empty for document in loaded.documents):
        what = "the file holds no manifest; it says nothing about what was here before"
        problems.add(Problem("empty-file", what, Where("", 1, 1), severity="info"))
    if problems.dropped:
        # Beyond 10,000 nobody counts on: then it is the least number, as it may be a little below.
        count = f"{'at least ' if problems.dropped >= 10_000 else ''}{problems.dropped:,}"
        what = f"{count} more problems of this file are not listed"
        worst: Severity = "error" if any(one.severity == "error" for one in problems.problems) else "warning"
        problems.problems.append(Problem("more-problems", what, Where("", 1, 1), severity=worst))
    return CheckedFile(tuple(checked), tuple(sorted(problems.problems, key=_by_place)), tuple(dict.fromkeys(broken)))


def context_digest(platform: Platform, defaults: Mapping[str, str], scopes: Scopes = MappingProxyType({})) -> str:
    """What else a checked file depends on besides its bytes: the key of the cache."""
    return digest([_RULES_VERSION, __version__, platform.api_version, platform.digest, dict(defaults), dict(scopes)])


def _tell_idle(identity: Identity, lifecycle: Lifecycle, findings: Findings) -> None:
    """Rules that can never do anything, for only what a manifest writes is ever compared."""
    for word, pointers in (("ignore", lifecycle.ignore), ("createOnly", lifecycle.create_only)):
        written = identity.lifecycle.get(word) if isinstance(identity.lifecycle, Mapping) else None
        for index, pointer in enumerate(written if isinstance(written, list) else ()):
            if pointer in pointers and not select(identity.spec, split(pointer)):
                what = f"`{word}` names `{pointer}`, which this manifest does not write: the rule does nothing"
                why = "what a manifest does not write is left alone anyway"
                findings.add(f"/lifecycle/{word}/{index}", "rule-unused", what, why=why, severity="warning")


def read_spec(source: bytes, platform: Platform, defaults: Mapping[str, str], document: int) -> Mapping[str, Any]:
    """The spec of one manifest of a file that was checked before; references to secrets stand as written."""
    chosen = next(found for found in _documents(source) if found.index == document)
    identity = recognise(chosen.value, rules_of(platform), Findings(source, chosen, ProblemList()))
    if identity is None:
        raise LookupError(f"document {document} of a checked file is no manifest any more")
    spec: Mapping[str, Any] = identity.spec
    return spec


@lru_cache(maxsize=2)
def _documents(source: bytes) -> tuple[yaml_io.Document, ...]:
    """A file of many manifests is asked for one after the other: it is parsed once."""
    return yaml_io.load(source).documents


class _Checker:
    """What the documents of one file share."""

    def __init__(
        self,
        source: bytes,
        rules: PlatformRules,
        defaults: Mapping[str, str],
        scopes: Scopes,
        problems: ProblemList,
    ) -> None:
        self._rules = rules
        self._defaults = defaults
        self._scopes = scopes
        self._source = source
        self._may_hold_placeholders = placeholders.may_hold(source)
        self._mentions_secrets = b"secretRef" in source
        self._may_name_secrets = may_name_secrets(source)

    def name_only(self, document: yaml_io.Document, findings: Findings) -> Named | None:
        """Which resource a document names that cannot be trusted otherwise, since its YAML is wrong."""
        found = self._placeholders(document.value)
        held = _certain(found)
        unheard = Findings(self._source, document, ProblemList())
        identity = None if self._hides_kind(held) else recognise(document.value, self._rules, unheard)
        self._report_placeholders(found, identity, findings)
        return check_identity(identity, self._defaults, self._rules, held, unheard) if identity else None

    def check(self, document: yaml_io.Document, findings: Findings) -> tuple[Named | None, CheckedDocument | None]:
        """The manifest when nothing is wrong with it, and the name of its resource when that much can be read."""
        value = document.value
        found = self._placeholders(value)
        held = _certain(found)
        identity = None if self._hides_kind(held) else recognise(value, self._rules, findings)
        if found:
            self._report_placeholders(found, identity, findings)
        if identity is None:
            return None, None
        findings.subject = identity.title
        named = check_identity(identity, self._defaults, self._rules, held, findings)
        if named is not None and self._scopes:
            check_scope(identity, named, self._scopes, findings)
        kind_rules = self._rules.of(identity.kind)
        scope = dict(named.scope) if named else {}
        lifecycle = read_lifecycle(identity.lifecycle, kind_rules, self._rules, findings)
        _tell_idle(identity, lifecycle, findings)
        uses = self._content(identity, kind_rules, scope, findings)
        if findings.failed or named is None:
            return named, None
        return named, self._checked(document, named, identity, lifecycle, uses, findings)

    def _content(
        self,
        identity: Identity,
        rules: KindRules,
        scope: Mapping[str, str],
        findings: Findings,
    ) -> tuple[SecretUse, ...]:
        """The spec against the schema and against what the definition says of single places."""
        spec, base = identity.spec, identity.base
        if not isinstance(spec, dict):
            got = None if rules.secrets(scope) else spec
            findings.add(base, "invalid-manifest", "`spec` is not a mapping", got=got)
            return ()
        if identity.kind.general is not None:
            findings.add("", "kind-general", identity.kind.general, severity="warning")
        secrets = rules.secrets(scope)
        uses: tuple[SecretUse, ...] = ()
        named = named_places(spec, secrets, rules.plain, rules.packed) if self._may_name_secrets else ()
        if secrets or named or self._mentions_secrets:
            uses = secret_uses(spec, base, secrets, named, self._mentions_secrets, findings)
        self._size(identity, findings)
        for place in _places(spec, rules.read_only(scope)):
            what = f"`{place[-1]}` belongs to the platform, which sets it itself"
            findings.add(base + join(place), "read-only-field", what, on="key", fix="leave it out")
        self._own_mark(spec, base, rules, findings)
        self._outside(identity, rules, findings)
        plain = without_references(spec, uses) if uses else spec
        if not rules.schema.is_valid(plain):
            inside = split(base)
            known = {use.place for use in uses}
            known |= {place[len(inside) :] for place in map(split, findings.wrong) if place[: len(inside)] == inside}
            known.discard(())
            hidden = (*secrets, *(place for place, _, _ in named))
            for violation in rules.schema.violations(plain, sensitive=lambda at: _may_show(split(at), hidden)):
                if violation.more:
                    findings.leave_out(violation.more)
                elif not is_under(split(violation.pointer), known):
                    _report(violation, base, findings)
        return uses

    def _size(self, identity: Identity, findings: Findings) -> None:
        most = self._rules.platform.request_bytes_max
        size = len(to_json(identity.spec)) if most is not None else 0
        if most is not None and size > most:
            what = f"about {size:,} bytes would be sent, and the platform takes {most:,} in one request"
            fix = "split it into several resources, or move what is large into a file that is uploaded"
            findings.add(identity.base, "too-big-for-platform", what, on="key", fix=fix)

    def _own_mark(self, spec: Mapping[str, Any], base: str, rules: KindRules, findings: Findings) -> None:
        # Without places first: nearly every manifest has tags, and nearly none of them is a mark.
        if not any(map(rules.is_mark, select(spec, rules.mark_place))):
            return
        for place, text in expand(spec, rules.mark_place):
            if rules.is_mark(text):
                what = "this mark tells whose the resource is, and only the agent may set it"
                findings.add(base + join(place), "marker-reserved", what, got=text, fix="leave it out")

    def _files(self, identity: Identity, findings: Findings) -> Iterator[tuple[str, str, int, int]]:
        """The files of the repository that a spec names for upload, each with its place."""
        for pattern in self._rules.of(identity.kind).uploads:
            for place, path in expand(identity.spec, pattern):
                if isinstance(path, str) and path:
                    yield (FILE_KIND, path, *findings.place(identity.base + join(place)))

    def _outside(self, identity: Identity, rules: KindRules, findings: Findings) -> None:
        for pattern in rules.uploads:
            for place, path in expand(identity.spec, pattern):
                if isinstance(path, str) and _strays(path):
                    what = "a file to upload is named by its path from the top of the repository"
                    fix = "write it as git does, such as jobs/clean.py"
                    findings.add(identity.base + join(place), "file-outside", what, got=path, fix=fix)

    def _hides_kind(self, held: frozenset[Tokens]) -> bool:
        """Whether a member that says what a document is holds a placeholder: then nothing more can be said of it."""
        return any((word,) in held for word in self._rules.deciding)

    def _placeholders(self, value: Any) -> list[_Held]:
        if not self._may_hold_placeholders:
            return []
        found = ((place, is_key, placeholders.find(leaf)) for place, leaf, is_key in leaves(value))
        return [(place, is_key, finding) for place, is_key, finding in found if finding is not None]

    def _report_placeholders(self, found: list[_Held], identity: Identity | None, findings: Findings) -> None:
        """Quoted, unless the place is that of a secret, or may be one of a kind that cannot be told."""
        base = split(identity.base) if identity else ()
        secrets = self._rules.of(identity.kind).secrets(identity.words) if identity else ()
        named = (place for place, _ in named_secrets(identity.spec)) if identity else ()
        hidden = [(*base, *pattern) for pattern in (*secrets, *named)] if identity else [("*", "*")]
        for place, is_key, (severity, text, fix) in found:
            shown = "this" if is_under(place, hidden) or _sounds_secret(place) else f"`{text}`"
            what = f"{shown} looks like a placeholder that was never filled in"
            findings.add(join(place), "placeholder", what, on="key" if is_key else "value", fix=fix, severity=severity)

    def _checked(
        self,
        document: yaml_io.Document,
        named: Named,
        identity: Identity,
        lifecycle: Lifecycle,
        uses: tuple[SecretUse, ...],
        findings: Findings,
    ) -> CheckedDocument:
        line, column, spec = document.line, document.column, identity.spec
        references = [
            (kind, name, line, column)
            for pattern, kind in self._rules.of(identity.kind).references
            for name in select(spec, pattern)
            if isinstance(name, str) and name
        ]
        references.extend(self._files(identity, findings))
        references.extend((SECRET_KIND, use.name, *findings.place(identity.base + join(use.place))) for use in uses)
        content = [named.kind.name, named.scope, named.name, spec, as_digested(lifecycle)]
        return CheckedDocument(
            document.index,
            line,
            column,
            named.kind.name,
            named.scope,
            named.name,
            digest(content),
            lifecycle,
            tuple(dict.fromkeys(references)),
            spec,
        )


def _may_show(place: Tokens, hidden: tuple[Tokens, ...]) -> bool:
    """Whether what stands at a place may be a secret: by the definition or by its name."""
    return may_show_secret(place, hidden) or _sounds_secret(place)


def _sounds_secret(place: Tokens) -> bool:
    """Whether the name of a place, or of the list that it is an element of, is that of a secret."""
    return next((is_secret_name(word) for word in reversed(place) if not word.isdecimal()), False)


def _strays(path: str) -> bool:
    """Whether a path leaves the repository, or is written in a way that git never writes it."""
    return path.startswith("/") or any(part in ("", ".", "..") for part in path.split("/"))


def _places(spec: Any, patterns: Iterable[Tokens]) -> list[Tokens]:
    """The places of a spec that any of the patterns names, each once; nearly always none."""
    if not any(pattern[0] in spec or pattern[0] == "*" for pattern in patterns if pattern):
        return []
    found = [place for pattern in patterns if select(spec, pattern) for place, _ in expand(spec, pattern)]
    return list(dict.fromkeys(found))


def _certain(found: list[_Held]) -> frozenset[Tokens]:
    """Places that hold a placeholder for certain: whatever else is wrong there follows from it."""
    return frozenset(place for place, _, (severity, _, _) in found if severity == "error")


def _report(violation: Violation, base: str, findings: Findings) -> None:
    findings.add(
        base + violation.pointer,
        violation.code,
        violation.what,
        on=violation.at,
        shown=violation.got,
        why=violation.why,
        fix=violation.fix,
    )


def _by_place(problem: Problem) -> tuple[int, int]:
    return problem.where.line or 0, problem.where.column or 0
