"""The engine over a PostgreSQL server: how it is reached, how its transactions begin, what its errors mean.

Called by ``database`` and ``engine``. Nothing here lasts longer than a transaction, so that any pooler may stand
between; the one session of its own, for wake-ups, is in ``hints``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from agent.errors import StoreError

CONNECT_SECONDS = 5
INSTALL = "pip install 'datakeel[postgresql]'"

_DEAD_MILLISECONDS = 10_000
# A writer that is frozen, or cut off, in the middle of a transaction must not keep the others from the rows it holds.
_BOUNDS = (
    "SET LOCAL idle_in_transaction_session_timeout = '5s'; SET LOCAL lock_timeout = '5s';"
    " SET LOCAL statement_timeout = '20s'"
)
_BACK = "the agent goes on by itself once it is back"


class Fault(NamedTuple):
    """The rest of a sentence that begins with the store's name, the server's own words, and what mends it."""

    sentence: str
    why: str | None
    fix: str | None


_FAULTS = {  # SQLSTATE, or its class: https://www.postgresql.org/docs/current/errcodes-appendix.html
    "28": ("refuses this user or password", "name a user that may connect, and its password by a reference"),
    "3D000": ("does not exist", "create that database, and give its user the right to make tables in it"),
    "42501": ("does not let this user do that", "give the user all rights on the database's own schema"),
    "25006": ("cannot be written: this server only reads", "name the server that takes writes"),
    "53100": ("cannot grow: its disk is full", "free space on that disk; the agent goes on by itself"),
    "53": ("has no room for another connection", "let the server, or the pooler, take more connections"),
    "55P03": ("stayed locked by another program for 5 seconds", None),
    "57014": ("did not answer in time", _BACK),
    "25P03": ("ended a transaction that had stood still", _BACK),
    "57P": ("is shutting down or starting", _BACK),
    "08": ("cannot be reached", _BACK),
    "": ("cannot be reached", _BACK),
}


def open_server(url: str) -> Engine:
    """Engine for a ``postgresql://`` URL; :class:`StoreError` for any other, or without its driver."""
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() != "postgresql":
            raise StoreError("`state` must be a sqlite:/// or postgresql:// URL", got=shown(url))
        from agent.store.patience import Door  # and the driver with it

        engine = create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            pool_recycle=600,
            hide_parameters=True,
            echo=False,
            connect_args={
                "connect_timeout": CONNECT_SECONDS,
                "tcp_user_timeout": _DEAD_MILLISECONDS,
                "prepare_threshold": None,  # a prepared statement belongs to a session, a pooler's transaction does not
                **({} if "application_name" in parsed.query else {"application_name": "datakeel"}),
            },
        )
    except (ArgumentError, NoSuchModuleError) as error:
        raise StoreError("`state` is not the URL of a database") from error
    except ModuleNotFoundError as error:
        raise StoreError("a PostgreSQL state store needs the package psycopg", fix=INSTALL) from error
    event.listen(engine, "begin", _begin)
    event.listen(engine, "do_connect", Door().connect)
    return engine


def shown(url: str) -> str:
    """The URL as it may be printed: its password is ``***``; a text that is no URL is not repeated at all."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "(not a URL)"


def take_turns(connection: Connection, what: str) -> None:
    """Until the end of this transaction nobody else is where ``what`` is named; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtextextended(%s, 20260))", (what,))


def fault_of(cause: BaseException) -> Fault | None:
    """What an error of the driver means; None where only its own words tell."""
    if type(cause).__module__.partition(".")[0] != "psycopg":
        return None
    state: Any = getattr(cause, "sqlstate", None)
    first_line = str(cause).partition("\n")[0][:200] or None
    if state is None:
        kinds = {kind.__name__ for kind in type(cause).__mro__}  # a timeout while connecting has a class of its own
        words = _unstated(first_line or "") if kinds & {"OperationalError", "InterfaceError"} else None
    else:
        words = next((_FAULTS[state[:length]] for length in (5, 3, 2) if state[:length] in _FAULTS), None)
    return Fault(words[0], first_line, words[1]) if words else None


def without_values(error: BaseException) -> None:
    """The server's details repeat what a row holds. Only the first line of its words stays, in a traceback too."""
    for each in (error, getattr(error, "orig", None)):
        if each is not None and each.args and isinstance(each.args[0], str):
            each.args = (each.args[0].partition("\n")[0], *each.args[1:])


def _unstated(message: str) -> tuple[str, str | None]:
    """A refusal while connecting has no SQLSTATE, only words: https://www.psycopg.org/psycopg3/docs/api/errors.html."""
    if "no answer within" in message:
        return _FAULTS["57014"]
    for words, state in (("authentication", "28"), ("does not exist", "3D000"), ("too many", "53")):
        if words in message:
            return _FAULTS[state]
    return _FAULTS[""]


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get("writes", False):
        connection.exec_driver_sql(_BOUNDS)
