"""What must fit together in a definition, across words, kinds, schemas and samples; reported all at once.

Called by ``load.py`` between inheritance and building. The rules themselves stand in the ``check_…`` modules beside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from agent.definitions.answers import read_samples
from agent.definitions.check_answers import AnswerCheck, check_shared
from agent.definitions.check_fields import FieldCheck
from agent.definitions.check_kinds import KindCheck
from agent.definitions.check_platform import PlatformCheck
from agent.definitions.check_words import kind_sources
from agent.definitions.places import Faults, Words, get
from agent.definitions.schemas import KindSchema


def check_definition(
    words: Words,
    kinds: Words,
    schemas: Mapping[str, KindSchema],
    answers: Sequence[Path],
    bundled: bool,
    faults: Faults,
) -> None:
    """Run every check over a definition after inheritance. ``answers`` are the folders of sample answers."""
    PlatformCheck(words, kinds, bundled, faults).run()
    samples = read_samples(answers, kinds, faults)
    check_shared(words, kinds, samples, faults)
    settings = tuple(get(words, "settings", {}))
    parents = {get(leaf.value, "like") for leaf in kinds.values()}
    for name, leaf in kinds.items():
        abstract = get(leaf.value, "abstract", False)
        if abstract and name in parents:
            continue  # its words are checked in each kind that is like it
        KindCheck(leaf, kinds, settings, faults).run()
        if abstract:
            continue
        against = AnswerCheck(name, leaf.value, get(words, "response", {}), samples, faults)
        against.run()
        sources = kind_sources(leaf.value, settings, lenient=False)
        FieldCheck(leaf.value, kinds, sources, schemas.get(name), against.occurs, faults).run()
