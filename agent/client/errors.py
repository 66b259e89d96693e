"""What goes wrong between a program and a platform, as types that a program can tell apart.

Each error has ``status`` (of the answer, None where none came), ``code`` (a heading of ``reference/errors.md``, for
``datakeel explain``), ``platform_code`` (the platform's own word, "" where it gave none), ``message`` and ``fix``. No
text holds a secret: what a platform says is scrubbed before it gets here, and a call is named by its template.
"""

from __future__ import annotations

from typing import Any, ClassVar

from agent import errors
from agent.definitions.platform import Kind
from agent.errors import LiveError, UsageError
from agent.live.answers import Reply, error_of

__all__ = [
    "ApiError",
    "AuthenticationError",
    "ConflictError",
    "ConnectionFailedError",
    "InvalidRequestError",
    "NoCollectionError",
    "NotSupportedError",
    "OutcomeUnknown",
    "PermissionDeniedError",
    "RateLimitError",
    "ResourceExistsError",
    "ResourceNotFoundError",
    "ServerError",
    "UnreadableAnswerError",
]

_OPERATIONS = ("list", "get", "create", "apply", "update", "delete")


class ApiError(LiveError):
    """Root of what a call came to. ``landed`` says of a write whether it happened: yes, no or unknown."""

    code: ClassVar[str] = "api-failed"
    advice: ClassVar[str] = "read the message; `datakeel explain api-failed` tells what it means"

    def __init__(self, what: str, *, platform_code: str = "", message: str | None = None, **details: Any) -> None:
        details["fix"] = details.get("fix") or self.advice
        super().__init__(what, **details)
        self.platform_code = platform_code
        self.message = what if message is None else message
        self.status = self.call.status if self.call is not None else None
        self.landed = self.call.landed if self.call is not None else "no"
        self.add_note(f"fix: {self.fix}")


class AuthenticationError(ApiError):
    """401: the credential is missing, wrong or expired; nothing was done."""

    code = "api-unauthorized"
    advice = "make the client with a credential that is good; a function as its value is asked again after a 401"


class PermissionDeniedError(ApiError):
    """403: the credential is good and may not do this. It says nothing of whether the object is there."""

    code = "api-forbidden"
    advice = "give the credential the right to do this, or use another one"


class ResourceNotFoundError(ApiError):
    """The platform does not have the object, in its own words."""

    code = "api-not-found"
    advice = "list what is there, and say where it stands where the kind has a scope"


class ConflictError(ApiError):
    """The object changed meanwhile, or another one needs it; nothing was done."""

    code = "api-conflict"
    advice = "refresh() the object, change it again, and save() it"


class ResourceExistsError(ConflictError):
    """A create met an object of this name; nothing was done."""

    advice = "apply() updates what is there; get() reads it"


class InvalidRequestError(ApiError):
    """400, 422 and their like: the platform refused what was asked; nothing was done."""

    code = "api-rejected"
    advice = "mend what the message names; `datakeel explain KIND` tells what a kind may say"


class RateLimitError(ApiError):
    """The call may not go yet, and its turn is further off than ``wait_max``; ``retry_after`` seconds from now."""

    code = "api-rate-limited"
    advice = "try again after `retry_after` seconds, or make the client with a longer wait_max"

    def __init__(self, what: str, *, retry_after: float | None = None, **details: Any) -> None:
        super().__init__(what, **details)
        self.retry_after = retry_after


class ServerError(ApiError):
    """5xx, a redirect or half an answer to a read, three times in a row."""

    code = "api-fault"
    advice = "try again later; nothing was changed by a read"


class UnreadableAnswerError(ApiError):
    """An answer that cannot be read, or that is about another object. A proxy's login page looks like this."""

    code = "api-unintelligible"
    advice = "look at what answers at this address: another server, or a proxy in between"


class ConnectionFailedError(ApiError):
    """Nothing was sent: the name, the certificate or the connection failed."""

    code = "api-unreachable"
    advice = "check server=, proxy= and ca_file=, and that the platform is up"


class OutcomeUnknown(ApiError):
    """A write was sent and its answer is lost: it may have happened. It is never sent again by itself; look first."""

    code = "outcome-unknown"
    advice = "look before anything else: get() or refresh() tells whether it happened"


class NotSupportedError(UsageError):
    """The platform has no call for this, by its definition; nothing was sent."""

    code = "not-supported"

    @classmethod
    def of(cls, kind: Kind, name: str) -> NotSupportedError:
        """An operation that the kind lacks; ``fix`` names those that it has."""
        able = [each for each in _OPERATIONS if getattr(kind, each) is not None]
        able += ["logs"] if kind.logs is not None else []
        return cls(f"{kind.name} has no {name} on this platform", fix=f"it has {', '.join(able) or 'actions only'}")


class NoCollectionError(NotSupportedError, AttributeError):
    """``client.word`` where the platform has no kind that is called so."""


_TYPES: dict[str, type[ApiError]] = {
    "notFound": ResourceNotFoundError,
    "exists": ResourceExistsError,
    "conflict": ConflictError,
    "invalid": InvalidRequestError,
    "denied": PermissionDeniedError,
    "unauthenticated": AuthenticationError,
    "throttled": RateLimitError,
    "unreachable": ConnectionFailedError,
}
_OF_ENGINE: dict[type[LiveError], type[ApiError]] = {
    errors.NotFound: ResourceNotFoundError,
    errors.Conflict: ConflictError,
    errors.Rejected: InvalidRequestError,
    errors.Forbidden: PermissionDeniedError,
    errors.Unauthorized: AuthenticationError,
    errors.RateLimited: RateLimitError,
    errors.Unreachable: ConnectionFailedError,
    errors.PlatformFault: ServerError,
    errors.Unintelligible: UnreadableAnswerError,
}


def error_for(reply: Reply, subject: str, *, fix: str | None = None) -> ApiError:
    """The error that an answer means; ``subject`` is the object or the list that it is about."""
    call = error_of(reply).call
    message = reply.message or f"answered {reply.answer}"
    told = " ".join(str(part) for part in (reply.status, reply.code) if part)
    what = f"{subject}: {message} ({told})" if told else f"{subject}: {message}"
    words: dict[str, Any] = {"platform_code": reply.code, "message": message, "call": call, "fix": fix}
    if reply.landed == "unknown":
        return OutcomeUnknown(f"{what}; whether it happened is not known", **words)
    kind = _TYPES.get(reply.answer)
    if kind is None:
        kind = ServerError if reply.status is None or reply.status >= 300 else UnreadableAnswerError
    return kind(what, **words)


def translated(error: LiveError) -> ApiError:
    """An error of the engine as one of these."""
    if isinstance(error, ApiError):
        return error
    kind = next((mine for theirs, mine in _OF_ENGINE.items() if isinstance(error, theirs)), ApiError)
    return kind(error.what, call=error.call, fix=error.fix, why=error.why)
