"""From the bytes of one file to checked manifests: every fault of the file at once, each at its line and column.

Called for each blob that the cache does not know. Pure: no path, no target, no disk; what depends on other files
(duplicates, cycles, the target's secrets) is judged by ``desired.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from agent import __version__, yaml_io
from agent.definitions.platform import Platform
from agent.errors import Problem, ProblemList, Severity, Where
from agent.json_schema import Violation
from agent.model.canonical import digest
from agent.model.manifest import CheckedDocument, CheckedFile, Lifecycle, OverlayHead
from agent.model.secret_names import may_name_secrets
from agent.validate.contents import check_mark, check_size, check_uploads
from agent.validate.findings import Findings
from agent.validate.identity import Named, Scopes, check_identity, check_scope
from agent.validate.kind_rules import KindRules, PlatformRules, rules_of
from agent.validate.lifecycle import as_digested, read_lifecycle
from agent.validate.origins import Text
from agent.validate.overlays import is_overlay, read_head
from agent.validate.pointers import Tokens, expand, is_under, join, select, split
from agent.validate.recognise import Identity, recognise
from agent.validate.rendered import NOTHING, Filler, Inputs, origin_of, overlay, render, report_faults
from agent.validate.secret_leaves import (
    SecretUse,
    may_show,
    named_places,
    no_variables,
    secret_uses,
    without_references,
)
from agent.validate.unfilled import Unfilled, certain
from agent.validate.variables import Filled

Reference = tuple[str, str, int, int, str]

SECRET_KIND = ""  # in CheckedDocument.references: the name of a secret of the target, of no kind
FILE_KIND = "/"  # and the path of a file of the repository, to be uploaded

_RULES_VERSION = 6  # raise it when the same bytes would be judged otherwise


def check_file(
    source: bytes,
    platform: Platform,
    defaults: Mapping[str, str],
    scopes: Scopes = MappingProxyType({}),
    inputs: Inputs = NOTHING,
) -> CheckedFile:
    """All manifests and problems of a file. Never raises for bad input; ``defaults`` fill absent scope words.

    ``scopes`` are the names that a scope word may have; a word that is not among them may have any. ``inputs`` are
    rendered into the manifests.
    """
    loaded = yaml_io.load(source)
    problems = ProblemList()
    for problem in loaded.problems:
        problems.add(problem)
    checker = _Checker(source, rules_of(platform), defaults, scopes, inputs, problems)
    checked = []
    broken = []
    heads = []
    for document in loaded.documents:
        if document.empty:
            continue
        filled = checker.filled(document)
        findings = Findings(source, document, problems, filled.uses)
        if is_overlay(document.value):
            following = loaded.documents[document.index + 1 : document.index + 2]
            heads.append(checker.head(document, filled, following[0].line if following else None, findings))
            continue
        if document.broken:
            named = checker.name_only(document, filled, findings)
        else:
            named, good = checker.check(document, filled, findings)
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
    return CheckedFile(
        tuple(checked),
        tuple(sorted(problems.problems, key=_by_place)),
        tuple(dict.fromkeys(broken)),
        checker.variables,
        tuple(heads),
        tuple(checker.applied),
    )


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


def read_spec(
    source: bytes, platform: Platform, defaults: Mapping[str, str], document: int, inputs: Inputs = NOTHING
) -> Mapping[str, Any]:
    """The spec of one manifest of a file that was checked before; references to secrets stand as written."""
    if inputs is not NOTHING:
        found = next(each for each in render(source, platform, defaults, inputs) if each.document == document)
        rendered: Mapping[str, Any] = found.identity.spec
        return rendered
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
        inputs: Inputs,
        problems: ProblemList,
    ) -> None:
        self._rules = rules
        self._defaults = defaults
        self._scopes = scopes
        self._source = source
        self._inputs = inputs
        self._filler = Filler(source, inputs)
        self._unfilled = Unfilled(source, rules, inputs.values)
        self._mentions_secrets = b"secretRef" in source or bool(inputs.overlays)
        self._may_name_secrets = may_name_secrets(source) or bool(inputs.overlays) or bool(inputs.values)
        self._problems = problems
        self.applied: dict[int, None] = {}

    @property
    def variables(self) -> tuple[str, ...]:
        return tuple(sorted(self._filler.used))

    def filled(self, document: yaml_io.Document) -> Filled:
        return self._filler.filled(document)

    def head(
        self, document: yaml_io.Document, filled: Filled, next_line: int | None, findings: Findings
    ) -> OverlayHead:
        """What an overlay says of itself. Its texts are those of manifests, so the same is wrong in them."""
        report_faults(filled, findings, hidden=(("*", "*"),))
        self._unfilled.report(self._unfilled.find(document.value), None, findings)
        return read_head(self._source, replace(document, value=filled.value), next_line, findings)

    def name_only(self, document: yaml_io.Document, filled: Filled, findings: Findings) -> Named | None:
        """Which resource a document names that cannot be trusted otherwise, since its YAML is wrong."""
        found = self._unfilled.find(document.value)
        held = certain(found)
        unheard = Findings(self._source, document, ProblemList())
        identity = None if self._unfilled.hides_kind(held) else recognise(filled.value, self._rules, unheard)
        self._unfilled.report(found, identity, findings)
        return check_identity(identity, self._defaults, self._rules, held, unheard) if identity else None

    def check(
        self, document: yaml_io.Document, filled: Filled, findings: Findings
    ) -> tuple[Named | None, CheckedDocument | None]:
        """The manifest when nothing is wrong with it, and the name of its resource when that much can be read."""
        found = self._unfilled.find(document.value)
        held = certain(found)
        identity = None if self._unfilled.hides_kind(held) else recognise(filled.value, self._rules, findings)
        if found:
            self._unfilled.report(found, identity, findings)
        if filled.faults:
            report_faults(filled, findings, self._unfilled.hidden(identity))
        if identity is None:
            return None, None
        findings.subject = identity.title
        named = check_identity(identity, self._defaults, self._rules, held, findings)
        if named is not None and self._scopes:
            check_scope(identity, named, self._scopes, findings)
        if named is not None and self._inputs.overlays:
            origin = origin_of(identity, Text("", self._source, document, filled.uses))
            identity, findings, applied = overlay(identity, named, self._inputs, findings, origin)
            self.applied |= dict.fromkeys(applied)
        kind_rules = self._rules.of(identity.kind)
        scope = dict(named.scope) if named else {}
        lifecycle = read_lifecycle(identity.lifecycle, kind_rules, self._rules, findings)
        if identity.lifecycle:
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
            if findings.rendered:
                no_variables(spec, base, secrets, findings)
        check_size(identity, self._rules.platform.request_bytes_max, findings)
        for place in _places(spec, rules.read_only(scope)):
            what = f"`{place[-1]}` belongs to the platform, which sets it itself"
            findings.add(base + join(place), "read-only-field", what, on="key", fix="leave it out")
        check_mark(spec, base, rules, findings)
        check_uploads(spec, base, rules, findings)
        plain = without_references(spec, uses) if uses else spec
        if not rules.schema.is_valid(plain):
            inside = split(base)
            known = {use.place for use in uses}
            known |= {place[len(inside) :] for place in map(split, findings.wrong) if place[: len(inside)] == inside}
            known.discard(())
            hidden = (*secrets, *(place for place, _, _ in named))
            for violation in rules.schema.violations(plain, sensitive=lambda at: may_show(split(at), hidden)):
                if violation.more:
                    findings.leave_out(violation.more)
                elif not is_under(split(violation.pointer), known):
                    _report(violation, base, findings)
        return uses

    def _files(self, identity: Identity, findings: Findings) -> Iterator[Reference]:
        """The files of the repository that a spec names for upload, each with its place."""
        for pattern in self._rules.of(identity.kind).uploads:
            for place, path in expand(identity.spec, pattern):
                if isinstance(path, str) and path:
                    yield _reference(FILE_KIND, path, findings.where(identity.base + join(place)))

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
        references: list[Reference] = [
            (kind, name, line, column, "")
            for pattern, kind in self._rules.of(identity.kind).references
            for name in select(spec, pattern)
            if isinstance(name, str) and name
        ]
        references.extend(self._files(identity, findings))
        references.extend(
            _reference(SECRET_KIND, use.name, findings.where(identity.base + join(use.place))) for use in uses
        )
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


def _reference(kind: str, name: str, where: Where) -> Reference:
    return kind, name, where.line or 0, where.column or 0, where.path


def _places(spec: Any, patterns: Iterable[Tokens]) -> list[Tokens]:
    """The places of a spec that any of the patterns names, each once; nearly always none."""
    if not any(pattern[0] in spec or pattern[0] == "*" for pattern in patterns if pattern):
        return []
    found = [place for pattern in patterns if select(spec, pattern) for place, _ in expand(spec, pattern)]
    return list(dict.fromkeys(found))


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
