"""What must fit together at the top of a definition: auth, server, pages, request, native rules, events, queries.

Called by ``check.py`` once per definition.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.definitions.check_kinds import check_action, check_kind_name, check_pages
from agent.definitions.check_words import Sources, check_line, check_template, check_templates
from agent.definitions.places import Faults, Leaf, Words, did_you_mean, get, has
from agent.definitions.shapes import Request

_CARRIERS = ("header", "query", "cookie", "basic")


@dataclass(frozen=True, slots=True)
class PlatformCheck:
    """The top level under check, after inheritance."""

    words: Words
    kinds: Words
    bundled: bool
    faults: Faults

    def run(self) -> None:
        """Report all that does not fit."""
        words, faults = self.words, self.faults
        settings = Sources({"settings": frozenset(get(words, "settings", {}))})
        every_call = settings.plus("target")
        if has(words, "server") and not self.bundled:
            what = "only a definition that travels with the package may name a server"
            fix = "remove it; the target in datakeel.yaml names its `server`"
            faults.add(words["server"].place, what, at="key", fix=fix)
        for word in ("base", "probe", "openapi"):
            check_line(words.get(word), settings, faults)
        probe: Request | None = get(words, "probe")
        if probe is not None and probe.method != "GET":
            faults.add(words["probe"].place, "the probe is a GET", got=probe.method)
        subject = get(words, "subject", {})
        check_line(subject.get("request"), settings, faults)
        asks: Request | None = get(subject, "request")
        if asks is not None and asks.method != "GET":
            faults.add(subject["request"].place, "whom a credential speaks for is told by a GET", got=asks.method)
        for leaf in get(words, "auth", {}).values():
            if isinstance(leaf.value, dict):
                self._check_scheme(leaf, settings)
        request = get(words, "request", {})
        for part in ("headers", "query", "body"):
            check_templates(request.get(part), every_call, faults, secrets=part == "body")
        if isinstance(get(words, "pages"), dict):
            check_pages(words["pages"], faults)
        if not has(words, "kinds") and "platform" in words:
            faults.add(words["platform"].place, "`kinds` is missing: the definition describes nothing", at="key")
        for word in ("native", "events"):
            for leaf in get(words, word, []):
                self._check_rule(leaf, needs_name=word == "native")
        for leaf in get(words, "queries", {}).values():
            if isinstance(leaf.value, dict):
                check_action(leaf, every_call, faults, query=True)

    def _check_scheme(self, leaf: Leaf, settings: Sources) -> None:
        scheme: Words = leaf.value
        faults = self.faults
        carriers = [word for word in _CARRIERS if has(scheme, word)]
        if len(carriers) != 1:
            what = "a scheme says by exactly one of header, query, cookie, basic where the credential travels"
            faults.add(leaf.place, what, at="key", got=", ".join(carriers) or None)
        if has(scheme, "basic") and has(scheme, "value"):
            faults.add(scheme["value"].place, "`basic` makes the value itself", at="key")
        elif not has(scheme, "basic") and not has(scheme, "value"):
            faults.add(leaf.place, "`value` is missing", at="key", fix='value: "Bearer ${secret.token}"')
        login = get(scheme, "login")
        known = settings.plus("token") if login is not None else settings
        if "value" in scheme:
            check_template(scheme["value"].value, known, scheme["value"].place, faults, secrets=True)
        for part in get(scheme, "basic", {}).values():
            check_template(part.value, settings, part.place, faults, secrets=True)
        if login is None:
            for word in ("token", "lasts", "until"):
                if has(scheme, word):
                    faults.add(
                        scheme[word].place, f"`{word}` reads the answer of a `login`, and there is none", at="key"
                    )
            return
        check_line(login.get("request"), settings, faults)
        if "body" in login:
            check_template(login["body"].value, settings, login["body"].place, faults, secrets=True)
        if not has(scheme, "token"):
            faults.add(leaf.place, "`token` is missing: where does the login's answer hold it?", at="key")
        if has(scheme, "lasts") == has(scheme, "until"):
            faults.add(leaf.place, "a login has either `lasts` (seconds) or `until` (a moment)", at="key")

    def _check_rule(self, leaf: Leaf, *, needs_name: bool) -> None:
        if not isinstance(leaf.value, dict):
            return
        rule: Words = leaf.value
        faults = self.faults
        if has(rule, "kind") == has(rule, "with"):
            faults.add(leaf.place, "a rule has either `kind` or `with`, which chooses the kind")
        kind = get(rule, "kind")
        if kind is not None:
            check_kind_name(kind, self.kinds, rule["kind"].place, faults)
        constants = {name for other in self.kinds.values() for name in get(other.value, "with", {})}
        for name, member in get(rule, "with", {}).items():
            if name not in constants:
                fix = did_you_mean(name, sorted(constants))
                faults.add(member.place, f"no kind has a constant `{name}` in its `with`", at="key", got=name, fix=fix)
        named = "name" in get(rule, "metadata", {})
        if needs_name and not named and get(rule, "metadata") is not None:
            faults.add(rule["metadata"].place, "`metadata` must say what the `name` is", at="key")
        elif not needs_name and not named and not has(rule, "id"):
            faults.add(leaf.place, "an event names its object by `metadata.name` or by `id`")
        scope = {word for other in self.kinds.values() for word in get(other.value, "scope", {})}
        for word, member in get(rule, "metadata", {}).items():
            if word != "name" and word not in scope:
                fix = did_you_mean(word, ["name", *sorted(scope)])
                faults.add(member.place, f"`{word}` is a scope word of no kind", at="key", got=word, fix=fix)
