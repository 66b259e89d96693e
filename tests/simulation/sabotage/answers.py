"""Three answers and not two: what is unknown is taken for a word, or sent again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from agent.model.outcome import Result
from tests.simulation.sabotage import tales
from tests.simulation.sabotage.swap import Swap
from tests.simulation.sabotage.variant import Variant, always


def _taken(as_what: Result, when: Callable[[Any, bool], bool]) -> tuple[Swap, ...]:
    """An unknown answer for which ``when(reply, deleting)`` holds is taken for another one."""

    def wrong(right: Any) -> Any:
        def classify(reply: Any, operation: Any, *, deleting: bool = False, **words: Any) -> Result:
            found: Result = right(reply, operation, deleting=deleting, **words)
            return as_what if found is Result.UNKNOWN and when(reply, deleting) else found

        return classify

    return (Swap("apply.classify:classify", wrong),)


def _again(when: Callable[[Any], bool]) -> tuple[Swap, ...]:
    """A write whose answer is unknown is sent once more, under the same intent."""

    def wrong(right: Any) -> Any:
        async def exchange(api: Any, prepared: Any, purpose: Any, before: Any = lambda: None) -> Any:
            reply = await right(api, prepared, purpose, before)
            if reply.landed == "unknown" and when(prepared):
                reply = await right(api, prepared, purpose)
            return reply

        return exchange

    return (Swap("live.exchange:Exchange.__call__", wrong),)


def _again_with_intent(right: Any) -> Any:
    """The same with an intent of its own: a name that is unique makes it harmless."""

    async def send(step: Any, change: Any, verb: Any, *arguments: Any, **words: Any) -> Any:
        sent = await right(step, change, verb, *arguments, **words)
        if verb == "create" and sent.result is Result.UNKNOWN:
            for opened in step._store.open_intents(change.key.target):
                if opened.intent.key == change.key:
                    step._store.close_intent(opened.intent.op_id, "unknown")
            sent = await right(step, change, verb, *arguments, **words)
        return sent

    return send


def _status(*statuses: int | None) -> Callable[[Any, bool], bool]:
    return lambda reply, deleting: reply.status in statuses


def _proved(right: Any) -> Any:
    return lambda reading, status, code, value, proved: right(reading, status, code, value, True)


def _bare(right: Any) -> Any:
    """Any 2xx is a success, whatever is in it."""

    def success(reading: Any, status: int, headers: Any, body: bytes) -> Any:
        reply = right(reading, status, headers, body)
        return replace(reply, answer="ok", landed="yes") if reading.writes and reply.answer == "broken" else reply

    return success


def _in_envelope(right: Any) -> Any:
    """An envelope that says failed is not heard."""

    def success(reading: Any, status: int, headers: Any, body: bytes) -> Any:
        reply = right(reading, status, headers, body)
        heard = reading.writes and reply.code and reply.answer != "ok"
        return replace(reply, answer="ok", landed="yes") if heard else reply

    return success


def _variant(name: str, guard: str, tale: Any, swaps: tuple[Swap, ...], caught_by: str = "I11") -> Variant:
    return Variant(name, "retry and classify", guard, tale, caught_by, swaps=swaps)


_NOT_DONE = Result.NOT_DONE

VARIANTS = (
    _variant("a create is retried blindly", "a write is sent once", tales.WRITES, _again(lambda p: p.method == "POST")),
    _variant("updates are retried on 5xx", "a write is sent once", tales.WRITES, _again(lambda p: p.method == "PUT")),
    _variant("deletes are retried", "a write is sent once", tales.WRITES, _again(lambda p: p.method == "DELETE")),
    _variant("500 is not done", "5xx leaves a write unknown", tales.WRITES, _taken(_NOT_DONE, _status(500))),
    _variant("408 is not done", "408 leaves a write unknown", tales.WRITES, _taken(_NOT_DONE, _status(408))),
    _variant("a reset is not done", "a lost answer is unknown", tales.WRITES, _taken(_NOT_DONE, _status(None))),
    _variant("a redirect is not done", "3xx leaves a write unknown", tales.WRITES, _taken(_NOT_DONE, _status(307))),
    _variant(
        "a 2xx of HTML is done", "a 2xx must be the platform's", tales.WRITES, (Swap("live.answers:_success", _bare),)
    ),
    _variant(
        "an unreadable 2xx is not done",
        "a 2xx that cannot be read is unknown",
        tales.WRITES,
        _taken(_NOT_DONE, _status(200, 201)),
    ),
    _variant(
        "a failed envelope is done",
        "the envelope is judged",
        tales.WRITES,
        (Swap("live.answers:_success", _in_envelope),),
    ),
    _variant(
        "an answer about another object is done",
        "the identity in the body is compared",
        tales.WRITES,
        (Swap("live.rows:mismatch", always("")),),
    ),
    _variant(
        "a proxy's 404 is the platform's",
        "a refusal carries the platform's own words",
        tales.WRITES,
        (Swap("live.answers:_answer_of", _proved),),
    ),
    _variant(
        "a lost delete is done",
        "a lost answer to a delete is unknown",
        tales.WRITES,
        _taken(Result.DONE, lambda reply, deleting: deleting),
    ),
)

CONTROLS = (
    Variant(
        "a create is retried under an intent of its own",
        "retry and classify",
        "a write is sent once; here names are unique, so that the second finds the first",
        tales.DRAWN,
        None,
        swaps=(Swap("apply.request:WriteStep.send", _again_with_intent),),
    ),
)
