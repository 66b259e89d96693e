"""The field rules of a kind: pointers reach its schema, references name kinds, words do not contradict each other.

Called by ``check.py`` for every kind that is not abstract. A pointer that its schema cannot reach would silently never
apply; a ``readOnly`` one is not in the schema by design, so it must occur in a sample answer where there are some.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from agent.definitions.build_kinds import resolved
from agent.definitions.check_kinds import check_kind_name
from agent.definitions.check_words import Sources, check_absent, check_line, check_template
from agent.definitions.places import Faults, Leaf, Place, Words, get, has
from agent.definitions.schemas import KindSchema
from agent.definitions.shapes import Request

_WORD = re.compile(r"\{([^{}]*)\}")
_SERVERS_OWN = ("write", "writeOnly", "immutable", "upload", "via", "default", "ref")


@dataclass(frozen=True, slots=True)
class FieldCheck:
    """The fields of one kind under check. ``occurs``: does a pointer occur in a sample (None: no samples)?"""

    words: Words
    kinds: Words
    sources: Sources
    schema: KindSchema | None
    occurs: Callable[[str], bool | None]
    faults: Faults

    def run(self) -> None:
        """Report all that does not fit."""
        for pointer, leaf in get(self.words, "fields", {}).items():
            if isinstance(leaf.value, dict):
                self._check_pointers(pointer, leaf)
                self._check_reach(pointer, leaf)
                self._check_words(leaf)

    def _check_pointers(self, pointer: str, leaf: Leaf) -> None:
        self._check_placeholders(pointer, leaf.place)
        for word in ("read", "write"):
            other = get(leaf.value, word)
            if other is None:
                continue
            place = leaf.value[word].place
            self._check_placeholders(other, place)
            if _stars(other) > _stars(pointer):
                what = f"`{word}` has more `*` than the pointer, which says what each stands for"
                self.faults.add(place, what, got=other)

    def _check_placeholders(self, pointer: str, place: Place) -> None:
        for word in _WORD.findall(pointer):
            if reason := self.sources.fault(word):
                self.faults.add(place, f"`{{{word}}}`: {reason[0]}", got=pointer, fix=reason[1])

    def _check_reach(self, pointer: str, leaf: Leaf) -> None:
        if self.schema is None:
            return
        constants = {name: member.value for name, member in get(self.words, "with", {}).items()}
        plain = _WORD.sub("*", resolved(pointer, constants))
        if self.schema.schema.reaches(plain):
            return
        if not get(leaf.value, "readOnly", False):
            what = f"`{plain}` cannot occur in {self.schema.path}"
            fix = "correct the pointer, or give the schema that member"
            self.faults.add(leaf.place, what, at="key", got=pointer, fix=fix)
        elif self.occurs(plain) is False:
            what = f"`{plain}` occurs neither in {self.schema.path} nor in a sample answer"
            self.faults.add(leaf.place, what, at="key", got=pointer)

    def _check_words(self, leaf: Leaf) -> None:
        words: Words = leaf.value
        if get(words, "readOnly", False):
            for word in _SERVERS_OWN:
                if has(words, word):
                    what = f"`{word}` has no meaning for a `readOnly` member: it is never sent"
                    self.faults.add(words[word].place, what, at="key")
        ref = get(words, "ref")
        if ref is not None:
            check_kind_name(ref.partition(".")[0], self.kinds, words["ref"].place, self.faults)
        upload = words.get("upload")
        if upload is not None and isinstance(upload.value, dict):
            known = self.sources.plus("name", file=frozenset({"name", "base64"}))
            self._check_write(upload.value.get("request"), known)
            check_absent(upload.value.get("value"), self.faults)
            if "body" in upload.value:
                body = upload.value["body"]
                check_template(body.value, known, body.place, self.faults, secrets=True)
        via = get(words, "via", {})
        identity = ("name", "id") if has(self.words, "id") else ("name",)
        for line in via.values():
            self._check_write(line, self.sources.plus(*identity, spec=None, live=None))

    def _check_write(self, leaf: Leaf | None, sources: Sources) -> None:
        check_line(leaf, sources, self.faults)
        if leaf is not None and isinstance(leaf.value, Request) and leaf.value.method in ("GET", "HEAD"):
            self.faults.add(leaf.place, f"a write is meant, and {leaf.value.method} is a read", got=leaf.value.method)


def _stars(pointer: str) -> int:
    return pointer.split("/").count("*")
