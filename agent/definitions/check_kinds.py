"""What must fit together in one kind: its operations, methods, pages, scope, mark, actions and logs.

Called by ``check.py`` for every kind after ``like``. What cannot be observed cannot be reconciled, so a kind that
writes must have a way to look; and a word that would have no effect is a mistake, not a matter of taste.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.definitions.build_kinds import MARK_WORDS
from agent.definitions.check_words import (
    ANY,
    Sources,
    check_absent,
    check_line,
    check_template,
    check_templates,
    kind_sources,
)
from agent.definitions.expressions import Template
from agent.definitions.places import Faults, Leaf, Place, Words, did_you_mean, get, has
from agent.definitions.shapes import Request
from agent.definitions.vocabulary import OPERATIONS

_READS = ("list", "get")
_SAFE = ("GET", "HEAD")
_AFTER_CREATE = ("update", "delete")


@dataclass(frozen=True, slots=True)
class KindCheck:
    """One kind under check: its words after ``like``, all kinds, and what its calls know."""

    leaf: Leaf
    kinds: Words
    settings: tuple[str, ...]
    faults: Faults

    def run(self) -> None:
        """Report all that does not fit."""
        words: Words = self.leaf.value
        abstract = get(words, "abstract", False)
        sources = kind_sources(words, self.settings, lenient=abstract)
        if not abstract:
            self._check_whole(words)
        self._check_scope(words)
        check_absent(words.get("id"), self.faults)
        check_templates(words.get("headers"), sources, self.faults)
        for name in OPERATIONS:
            operation = words.get(name)
            if operation is not None and isinstance(operation.value, dict):
                self._check_operation(name, operation, sources)
        if has(words, "rename"):
            check_template(words["rename"].value, self._sources(sources, "update"), words["rename"].place, self.faults)
        self._check_mark(words)
        for leaf in get(words, "actions", {}).values():
            if isinstance(leaf.value, dict):
                check_action(leaf, self._sources(sources, "action"), self.faults, query=False)
        self._check_evidence(words, sources)

    def _check_whole(self, words: Words) -> None:
        place, faults = self.leaf.place, self.faults
        if not any(has(words, name) for name in OPERATIONS):
            faults.add(place, "the kind has no operation", at="key", fix="give it a `list` or a `get`")
            return
        if not has(words, "key"):
            faults.add(place, "`key` is missing: nothing tells the name of a listed row", at="key", fix="key: name")
        managed = has(words, "create") or has(words, "apply")
        looks = any(has(words, name) for name in _READS)
        if managed and not looks:
            what = "the kind is written and has neither `list` nor `get`: what cannot be observed cannot be reconciled"
            faults.add(place, what, at="key")
        if has(words, "apply"):
            for other in ("create", "update"):
                if has(words, other):
                    what = f"`apply` creates or replaces in one call and excludes `{other}`"
                    faults.add(words[other].place, what, at="key")
        for name in _AFTER_CREATE:
            if has(words, name) and not managed:
                fix = "declare it under `actions`" if name == "delete" else None
                faults.add(
                    words[name].place, f"`{name}` without `create` or `apply` is never called", at="key", fix=fix
                )
        if get(words, "replace", "never") != "never" and not (has(words, "create") and has(words, "delete")):
            faults.add(words["replace"].place, "a replacement needs `create` and `delete`")
        elif get(words, "replace") == "createFirst" and not has(words, "id"):
            what = "`createFirst` needs `id`: nothing else tells the new object from the old one of the same name"
            faults.add(words["replace"].place, what)
        if has(words, "rename"):
            self._check_rename(words)
        if has(words, "general") and not managed:
            faults.add(words["general"].place, "only a managed kind can be a catch-all", at="key")

    def _check_rename(self, words: Words) -> None:
        """An object under another name is found by what does not change."""
        request: Request | None = get(get(words, "update", {}), "request")
        if not has(words, "id") or request is None or "id" not in request.template.path_words:
            what = "`rename` needs `id`, and an `update` that addresses the object by `{id}`"
            self.faults.add(words["rename"].place, what, at="key")

    def _check_scope(self, words: Words) -> None:
        for word, leaf in get(words, "scope", {}).items():
            if leaf.value is None:
                what = f"`{word}` has no value"
                self.faults.add(leaf.place, what, fix="write `{}` for a name without an object behind it")
                continue
            kind = get(leaf.value, "kind") if isinstance(leaf.value, dict) else leaf.value
            place = leaf.value["kind"].place if isinstance(leaf.value, dict) and kind is not None else leaf.place
            if isinstance(kind, str):
                check_kind_name(kind, self.kinds, place, self.faults)

    def _sources(self, base: Sources, use: str) -> Sources:
        """What a call knows beyond its kind's own: a list no name, a create no id, a delete no spec."""
        if use == "list":
            return base
        identity = ("name", "id") if has(self.leaf.value, "id") or base.lenient else ("name",)
        if use == "get":
            return base.plus(*identity)
        if use == "create":
            return base.plus("name", "uid", "content", spec=ANY)
        if use == "delete":
            return base.plus(*identity, "uid", live=ANY)
        return base.plus(*identity, "uid", "content", spec=ANY, live=ANY)

    def _check_operation(self, name: str, leaf: Leaf, base: Sources) -> None:
        words: Words = leaf.value
        faults = self.faults
        sources = self._sources(base, name)
        check_line(words.get("request"), sources, faults)
        check_templates(words.get("headers"), sources, faults)
        for word in ("adds", "body"):
            if word in words:
                check_template(words[word].value, sources, words[word].place, faults, secrets=True)
        request: Request | None = get(words, "request")
        if request is not None:
            check_method(request, words, name, reading=name in _READS, faults=faults)
            if name in ("apply", "update") and request.method == "PATCH" and not has(words, "sends"):
                fix = "sends: changes (differing top-level members) or sends: merge (RFC 7396)"
                faults.add(words["request"].place, "a PATCH must say what it `sends`", fix=fix)
        if get(words, "ifMatch", False) and not has(self.leaf.value, "get"):
            faults.add(words["ifMatch"].place, "`ifMatch` needs a `get`, whose answer holds the etag", at="key")
        if isinstance(get(words, "pages"), dict):
            check_pages(words["pages"], faults)

    def _check_mark(self, words: Words) -> None:
        mark = get(words, "mark")
        text = get(mark, "as") if mark is not None else None
        if not isinstance(text, Template):
            return
        place = mark["as"].place
        for word in text.words:
            if word not in MARK_WORDS:
                fix = did_you_mean(word, MARK_WORDS)
                self.faults.add(place, f"`${{{word}}}` cannot be read back from a mark", got=text.value, fix=fix)
        if "uid" not in text.words:
            self.faults.add(place, "a mark without `${uid}` proves nothing", got=text.value)

    def _check_evidence(self, words: Words, base: Sources) -> None:
        for name in ("logs", "metrics"):
            leaf = words.get(name)
            if leaf is None or not isinstance(leaf.value, dict):
                continue
            part: Words = leaf.value
            arguments = frozenset(get(part, "args", {}))
            sources = self._sources(base, "action").plus(args=arguments)
            for word in ("request", "websocket"):
                check_line(part.get(word), sources, self.faults)
            if name == "logs" and has(part, "request") == has(part, "websocket"):
                self.faults.add(leaf.place, "logs have either `request` or `websocket`", at="key")
            request: Request | None = get(part, "request")
            if request is not None and request.method != "GET":
                self.faults.add(part["request"].place, f"{name} are read by GET", got=request.method)


def check_action(leaf: Leaf, sources: Sources, faults: Faults, *, query: bool) -> None:
    """An action of a kind, or a query of the platform."""
    words: Words = leaf.value
    if not has(words, "request"):
        faults.add(leaf.place, "`request` is missing", at="key")
    known = sources.plus(args=frozenset(get(words, "args", {})))
    check_line(words.get("request"), known, faults)
    if "body" in words:
        check_template(words["body"].value, known, words["body"].place, faults, secrets=True)
    request: Request | None = get(words, "request")
    if request is not None:
        name = "a query" if query else "an action"
        check_method(request, words, name, reading=query, faults=faults, either=not query)


def check_method(
    request: Request, words: Words, name: str, *, reading: bool, faults: Faults, either: bool = False
) -> None:
    """No write where a read is meant, no read where a write is; ``either`` where both are right."""
    place = words["request"].place
    safe = request.method in _SAFE
    if reading and not safe and not get(words, "reads", False):
        fix = "write `reads: true` if this call changes nothing" if request.method == "POST" else None
        faults.add(place, f"{name} is a read, and {request.method} changes things", got=request.method, fix=fix)
    elif get(words, "reads", False) and request.method not in (*_SAFE, "POST"):
        faults.add(place, f"`reads` cannot make a {request.method} a read", got=request.method)
    elif not reading and not either and safe:
        faults.add(place, f"{name} is a write, and {request.method} is a read", got=request.method)
    if safe and has(words, "body"):
        faults.add(words["body"].place, f"a {request.method} has no body", at="key")


def check_pages(leaf: Leaf, faults: Faults) -> None:
    """A list whose end cannot be known would be taken for whole when it is cut."""
    words: Words = leaf.value
    by = get(words, "by")
    if by in ("page", "offset", "cursor") and not has(words, "at"):
        faults.add(leaf.place, f"pages by {by} need `at`, the name of the parameter", at="key")
    if by in ("cursor", "link") and not has(words, "next"):
        faults.add(leaf.place, f"pages by {by} need `next`, where the answer names the next one", at="key")
    if by in ("page", "offset") and not any(has(words, end) for end in ("total", "pages", "next", "more", "short")):
        what = "nothing tells which page is the last"
        faults.add(leaf.place, what, at="key", fix="give `total`, `pages`, `next`, `more` or `short: true`")
    if has(words, "ask") != has(words, "size"):
        faults.add(leaf.place, "`ask` (how many) and `size` (the name of its parameter) go together", at="key")
    if get(words, "short", False) and not has(words, "ask"):
        faults.add(words["short"].place, "`short` needs `ask`: short of what?", at="key")


def check_kind_name(name: str, kinds: Words, place: Place, faults: Faults) -> None:
    """A kind that another word names exists and is not abstract."""
    concrete = [other for other, leaf in kinds.items() if not get(leaf.value, "abstract", False)]
    if name not in kinds:
        faults.add(place, f"there is no kind `{name}`", got=name, fix=did_you_mean(name, concrete))
    elif name not in concrete:
        faults.add(place, f"`{name}` is abstract: no manifest can be of that kind", got=name)
