"""What is written: nothing erased, nothing overwritten unread, nothing written for ever, no secret anywhere."""

from __future__ import annotations

from typing import Any

from tests.simulation.sabotage import tales
from tests.simulation.sabotage.swap import Swap
from tests.simulation.sabotage.variant import Variant, always


def _erasing(right: Any) -> Any:
    """An update carries what git says, and nothing of what others wrote."""

    def compose(book: Any, spec: Any, before: Any, live: Any, **words: Any) -> Any:
        return right(book, spec, None, {}, **words)

    return compose


def _clear(right: Any) -> Any:
    return lambda book, spec, fingerprint: spec


def _unscrubbed(right: Any) -> Any:
    return lambda redactor, text: text


def _fighting(right: Any) -> Any:
    return lambda found, desired, not_kept: found


def _touching(right: Any) -> Any:
    """A look refreshes what it looks at, by a call that changes it, on a connection that may not."""

    async def observe(desired: Any, memory: Any, api: Any, now: float) -> Any:
        from agent.live.purpose import Purpose

        seen = await right(desired, memory, api, now)
        for key in list(desired.resources)[:1]:
            kind = api.platform.kinds[key.kind]
            nobody = key._replace(name="nobody")
            prepared = api._requests.writing("delete", kind.delete, kind, nobody, None, None, NOTHING)
            await api._exchange(prepared, Purpose.READ)
        return seen

    from agent.live.requests import NOTHING

    return observe


def _may_write(right: Any) -> Any:
    def made(transport: Any, *arguments: Any, **words: Any) -> None:
        right(transport, *arguments, **{**words, "may_write": True})

    return made


def _same_paths(right: Any) -> Any:
    """A folder whose files have the same names is the same folder."""

    def read(source: Any, revision: Any, config: Any, platform: Any, store: Any, last: Any) -> Any:
        paths = [entry.path for entry in source.tree(revision, config.folder).entries]
        if last.desired is not None and paths == [entry.path for entry in last.entries]:
            return last.desired
        return right(source, revision, config, platform, store, last)

    return read


def _variant(name: str, guard: str, tale: Any, caught_by: str, *swaps: Swap) -> Variant:
    return Variant(name, "content", guard, tale, caught_by, swaps=swaps)


VARIANTS = (
    _variant(
        "what others wrote is erased",
        "an update carries what it must not erase",
        tales.CONTENT,
        "I2",
        Swap("plan.compose:compose_update", _erasing),
    ),
    _variant(
        "an old look is written on",
        "what was seen a while ago is looked at again before the write",
        tales.CONTENT,
        "I6",
        Swap("apply.writer:Writer._aged", always(False)),
    ),
    _variant(
        "a value that is not kept is written for ever",
        "the second time it is named and left",
        tales.UNKEPT,
        "I7",
        Swap("plan.quiet:less_unkept", _fighting),
    ),
    _variant(
        "secrets are stored",
        "secrets are fingerprints where they are kept",
        tales.DRAWN,
        "I9",
        Swap("plan.normalize:fingerprinted", _clear),
    ),
    _variant(
        "secrets are told",
        "what the platform says is scrubbed",
        tales.ECHO,
        "I9",
        Swap("secrets.scrub:Redactor.scrub", _unscrubbed),
    ),
    _variant(
        "a look writes",
        "a reading connection sends no write",
        tales.DRAWN,
        "I10",
        Swap("live.observe:observe", _touching),
        Swap("live.transport:Transport.__init__", _may_write),
    ),
    _variant(
        "a file's content is known by its name",
        "files are known by git's ids",
        tales.DRAWN,
        "I7",
        Swap("reconcile.desired:read_desired", _same_paths),
    ),
)
