"""A manifest as its target means it: variables filled in, then overlays laid over, every value with its origin.

Called by ``document`` between reading a document and checking it, and by whoever reads one again. Pure. A file in which
no variable stands and that no overlay means goes through here without a step.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from agent import yaml_io
from agent.definitions.platform import Platform
from agent.errors import ProblemList
from agent.validate.findings import Findings
from agent.validate.identity import Named, check_identity
from agent.validate.kind_rules import rules_of
from agent.validate.origins import On, Origin, Text
from agent.validate.overlays import Overlay, is_overlay
from agent.validate.patches import Growth, Misfit, checked_depth, merge, operate
from agent.validate.pointers import Tokens, is_under, join, split
from agent.validate.recognise import Identity, recognise
from agent.validate.variables import Allowance, Filled, fill, names_in

_ESCAPED = re.compile(rb"\\(?:x24|x7[bB]|u0024|u007[bB]|U00000024|U0000007[bB]|\r?\n)")  # $ and { in YAML's disguise

APPLIED_MAX = 100
"""How many overlays may change one manifest."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What is rendered into the manifests of one file: values of variables, and the overlays that may mean any."""

    values: Mapping[str, Any] = field(default_factory=dict)
    overlays: tuple[Overlay, ...] = ()


NOTHING = Inputs()


@dataclass(frozen=True, slots=True)
class Rendered:
    """One manifest in the envelope's form. ``origin`` has the same shape as the value."""

    api_version: str
    document: int
    named: Named
    identity: Identity
    origin: Origin

    @property
    def value(self) -> dict[str, Any]:
        """What a file would hold that says the same without variables, overlays and defaults."""
        metadata = {"name": self.named.name, **dict(self.named.scope)}
        head = {"apiVersion": self.api_version, "kind": self.named.kind.name, "metadata": metadata}
        lifecycle = {"lifecycle": self.identity.lifecycle} if self.identity.lifecycle else {}
        return {**head, **lifecycle, "spec": self.identity.spec}


class Filler:
    """Fills in the variables of one file's documents."""

    def __init__(self, source: bytes, inputs: Inputs) -> None:
        self._needed = b"${" in source or (b"\\" in source and _ESCAPED.search(source) is not None)
        self._expected = names_in(source)
        self._values = inputs.values
        self._allowance = Allowance()
        self.used: dict[str, None] = {}

    def filled(self, document: yaml_io.Document) -> Filled:
        if not self._needed:
            return Filled(document.value)
        filled = fill(document.value, self._values, self._expected, self._allowance)
        self.used |= dict.fromkeys(name for names in filled.uses.values() for name in names)
        return filled


def overlay(
    identity: Identity, named: Named, inputs: Inputs, findings: Findings, origin: Origin
) -> tuple[Identity, Findings, tuple[int, ...]]:
    """The manifest under the overlays that mean it, with findings of its own, and which ones those were."""
    content = {"spec": identity.spec, "lifecycle": {} if identity.lifecycle is None else identity.lifecycle}
    chosen = [
        number
        for number, each in enumerate(inputs.overlays)
        if each.selection.may_mean(named.kind.name, named.scope, named.name) and each.selection.means(content)
    ]
    if not chosen:
        return identity, findings, ()
    if len(chosen) > APPLIED_MAX:
        last = inputs.overlays[chosen[APPLIED_MAX]]
        what = f"{len(chosen)} overlays change this manifest; at most {APPLIED_MAX} may"
        findings.add_at(last.text.where(("select",)), "overlay-limit", what, fix="select fewer manifests")
        return identity, findings, tuple(chosen)
    value, growth = Growth(yaml_io.MANIFEST_BUDGET.nodes).copy(content), Growth()
    for number in chosen:
        each = inputs.overlays[number]
        try:
            if "merge" in each.value:
                value, origin = merge(value, origin, each.value["merge"], each.text, ("merge",), growth)
            else:
                operate(value, origin, each.value["patch"], each.text, ("patch",), growth)
            checked_depth(value, ("merge" if "merge" in each.value else "patch",))
        except Misfit as misfit:
            findings.add_at(each.text.where(misfit.place), misfit.code, misfit.what, got=misfit.got, fix=misfit.fix)
            return identity, findings, tuple(chosen)
    places = {word: f"/metadata/{word}" for word in identity.places}
    made = replace(
        identity, spec=value.get("spec", {}), lifecycle=value.get("lifecycle") or None, base="/spec", places=places
    )
    return made, findings.over(origin, identity.base), tuple(chosen)


def origin_of(identity: Identity, text: Text) -> Origin:
    """Where the parts of an envelope stand in a document, which may have the platform's own form."""
    root = Origin(text, ())
    head = Origin(text, ("metadata",) if identity.base else ())
    head.members = {word: Origin(text, split(place)) for word, place in identity.places.items()}
    root.members = {
        "kind": Origin(text, ("kind",) if identity.base else ()),
        "metadata": head,
        "lifecycle": Origin(text, ("lifecycle",)),
        "spec": Origin(text, split(identity.base)),
    }
    return root


def render(source: bytes, platform: Platform, defaults: Mapping[str, str], inputs: Inputs) -> Iterator[Rendered]:
    """All manifests of a file that can be told by name; what is wrong with them is left to ``document``."""
    rules, filler = rules_of(platform), Filler(source, inputs)
    for document in yaml_io.load(source).documents:
        if document.empty or is_overlay(document.value):
            continue
        filled = filler.filled(document)
        unheard = Findings(source, document, ProblemList(), filled.uses)
        identity = recognise(filled.value, rules, unheard)
        named = check_identity(identity, defaults, rules, frozenset(), unheard) if identity else None
        if identity is None or named is None:
            continue
        origin = origin_of(identity, Text("", source, document, filled.uses))
        if inputs.overlays:
            identity, _, _ = overlay(identity, named, inputs, unheard, origin)
        yield Rendered(platform.api_version, document.index, named, identity, origin)


def report_faults(filled: Filled, findings: Findings, hidden: tuple[Tokens, ...] = ()) -> None:
    """What is wrong with the variables of a document."""
    for fault in filled.faults:
        got = None if is_under(fault.place, hidden) else fault.got
        on: On = "key" if fault.on_key else "value"
        findings.add(join(fault.place), fault.code, fault.what, on=on, shown=got, fix=fault.fix)
