"""datakeel: a git repository of YAML manifests becomes live resources of a data platform, and stays so.

The whole agent is one walk, joined in :mod:`agent.reconcile.once`:

    fetch     source     git                  -> Revision
    load      source     blobs                -> files
    validate  validate   files                -> Desired, and every problem at once
    observe   live       keys                 -> Observed (Present, Absent, Unknown)
    plan      plan       desired x observed   -> Plan, a value that decides everything
    apply     apply      Plan                 -> Outcomes, one journalled request a change
    finish    store      Report               -> inventory, history, status

``validate`` stops after the third step, ``diff`` after the fifth, ``apply`` does all, ``run`` repeats it.

Programs come in by another door, ``from agent import connect``: see ``agent/docs/how-to/python.md``.
"""

from __future__ import annotations

TYPE_CHECKING = False  # not the one of `typing`, which every start of a verb would load
if TYPE_CHECKING:
    from typing import Any

    from agent.client.asynchronous import AsyncClient as AsyncClient
    from agent.client.asynchronous import AsyncCollection as AsyncCollection
    from agent.client.asynchronous import AsyncResource as AsyncResource
    from agent.client.errors import *  # noqa: F403
    from agent.client.objects import Log as Log
    from agent.client.objects import ResourceList as ResourceList
    from agent.client.public import connect as connect
    from agent.client.public import connect_async as connect_async
    from agent.client.synchronous import Client as Client
    from agent.client.synchronous import Collection as Collection
    from agent.client.synchronous import Resource as Resource
    from agent.errors import AgentError as AgentError
    from agent.errors import ConfigError as ConfigError
    from agent.errors import DefinitionError as DefinitionError
    from agent.errors import ManifestError as ManifestError
    from agent.errors import UsageError as UsageError
    from agent.secrets import Secret as Secret

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """``connect`` and its kin, loaded by their first use: a verb, or a program that uses none of them, does without."""
    if name in ("connect", "connect_async") or name[:1].isupper():
        from agent.client.public import named

        try:
            globals()[name] = found = named(name)
        except LookupError:
            pass
        else:
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
