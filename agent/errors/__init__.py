"""The whole error tree: what went wrong, where, why, and what mends it.

Every error that a user can meet is an :class:`AgentError`. Foreign exceptions (git, httpx, SQLAlchemy, libyaml) are
converted at the one door of their home module; anything else that escapes is a bug of ours and is reported as
``internal``. The codes are headings of ``agent/docs/reference/errors.md``; a test compares the two lists. What errors
and checks have in common, a :class:`Problem` at a place, is in ``problem`` and is loaded by its first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from agent.errors.problem import Call as Call
    from agent.errors.problem import Landed as Landed
    from agent.errors.problem import Problem as Problem
    from agent.errors.problem import ProblemList as ProblemList
    from agent.errors.problem import Severity as Severity
    from agent.errors.problem import Where as Where

_VALUES = frozenset({"Call", "Landed", "Problem", "ProblemList", "Severity", "Where"})

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_CHANGES = 2
EXIT_INVALID = 3
EXIT_REFUSED = 4
EXIT_PARTLY = 5
EXIT_USAGE = 64
EXIT_CONFIG = 78


def __getattr__(name: str) -> Any:
    if name in _VALUES:  # dataclasses are a quarter of what a verb without problems starts with
        from agent.errors import problem

        globals()[name] = getattr(problem, name)
        return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class AgentError(Exception):
    """Root of the tree. ``code`` is stable and searchable; ``exit_status`` is what the process ends with."""

    code: ClassVar[str] = "internal"
    exit_status: ClassVar[int] = EXIT_FAILED

    def __init__(
        self,
        what: str,
        *,
        code: str | None = None,
        where: Where | None = None,
        got: str | None = None,
        why: str | None = None,
        fix: str | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.error_code = code or type(self).code
        self.where = where
        self.got = got
        self.why = why
        self.fix = fix

    def as_problem(self) -> Problem:
        """This error in the shape that validation uses, so that one renderer serves both."""
        from agent.errors.problem import Problem, Where

        return Problem(self.error_code, self.what, self.where or Where("datakeel"), None, self.got, self.why, self.fix)


class UsageError(AgentError):
    """The command line is wrong."""

    code = "usage"
    exit_status = EXIT_USAGE


class ConfigError(AgentError):
    """``datakeel.yaml``, an environment variable or a credential reference is wrong. May hold many problems."""

    code = "config-invalid"
    exit_status = EXIT_CONFIG

    def __init__(self, what: str, *, problems: tuple[Problem, ...] = (), **details: str | Where | None) -> None:
        super().__init__(what, **details)  # type: ignore[arg-type]
        self.problems = problems


class DefinitionError(ConfigError):
    """A platform definition or one of its schemas is wrong. Definitions are configuration: exit 78."""

    code = "definition-invalid"


class SourceError(AgentError):
    """The git repository cannot be reached or read."""

    code = "source-failed"


class NoCommit(SourceError):
    """The repository has no commit yet, so that git names nothing: that is known, and not a failure to read."""

    code = "source-ref"


class ManifestError(AgentError):
    """One or more manifests are wrong; holds every :class:`Problem` of the run."""

    code = "invalid-manifest"
    exit_status = EXIT_INVALID

    def __init__(self, what: str, *, problems: tuple[Problem, ...] = (), **details: str | Where | None) -> None:
        super().__init__(what, **details)  # type: ignore[arg-type]
        self.problems = problems


class Refused(AgentError):
    """We could act and must not: a limit, a policy, a stale digest, the budget."""

    code = "refused"
    exit_status = EXIT_REFUSED


class StoreError(AgentError):
    """The state store cannot be opened, locked, read or written."""

    code = "store-failed"


class LeaseLost(StoreError):
    """Another agent works at this target now, or may soon: nothing more is sent or written down for it."""

    code = "lease-lost"


class LiveError(AgentError):
    """A call to the platform did not give what was asked. ``call.landed`` says whether a write may have happened."""

    code = "api-failed"

    def __init__(self, what: str, *, call: Call | None = None, **details: str | Where | None) -> None:
        super().__init__(what, **details)  # type: ignore[arg-type]
        self.call = call


class Unreachable(LiveError):
    """Nothing was sent: DNS, TLS or connect failed."""

    code = "api-unreachable"


class Unauthorized(LiveError):
    """401: the credential is missing, wrong or expired."""

    code = "api-unauthorized"


class Forbidden(LiveError):
    """403: never evidence of absence."""

    code = "api-forbidden"


class NotFound(LiveError):
    """404 or 410 in the platform's own words."""

    code = "api-not-found"


class Conflict(LiveError):
    """The object exists already, or changed meanwhile."""

    code = "api-conflict"


class Rejected(LiveError):
    """The platform refused the request as invalid; not tried again until an input changes."""

    code = "api-rejected"


class RateLimited(LiveError):
    """429: the whole credential waits."""

    code = "api-rate-limited"


class PlatformFault(LiveError):
    """5xx, a lost answer, a redirect: a write may or may not have landed."""

    code = "api-fault"


class Unintelligible(LiveError):
    """The answer cannot be read: wrong type, broken JSON, wrong envelope, too large, another object."""

    code = "api-unintelligible"
