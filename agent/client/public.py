"""What ``from agent import …`` gives a program: ``connect``, ``connect_async``, clients by platform, errors, types.

A platform's class is named as the platform is, in any capitals and without its hyphens: ``from agent import Acme`` is
a client of the definition ``acme``, and ``AsyncAcme`` its asynchronous twin. They follow from the definitions' folders.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agent import errors as agent_errors
from agent.client import errors
from agent.client.asynchronous import AsyncClient, AsyncCollection, AsyncResource
from agent.client.objects import Log, ResourceList
from agent.client.synchronous import Client, Collection, Resource
from agent.definitions.files import available
from agent.secrets import Secret

if TYPE_CHECKING:
    import httpx

_OF_AGENT = ("AgentError", "ConfigError", "DefinitionError", "ManifestError", "UsageError")


def connect(
    platform: str | None = None,
    *,
    target: str | None = None,
    config: str | os.PathLike[str] | None = None,
    server: str | None = None,
    schemas: Sequence[str | os.PathLike[str]] = (),
    credentials: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    defaults: Mapping[str, str] | None = None,
    secrets: Mapping[str, Any] | None = None,
    state: str | None = None,
    budget: Sequence[Mapping[str, Any]] | str | None = None,
    reserve: float = 0.2,
    deadline: float = 30.0,
    wait_max: float | None = 300.0,
    ca_file: str | os.PathLike[str] | None = None,
    proxy: str | None = None,
    trust_env: bool = False,
    allow_http: bool = False,
    transport: httpx.AsyncBaseTransport | None = None,
    **words: Any,
) -> Client:
    """A client of a platform (``acme``, ``acme/v1``), or of a target of a ``datakeel.yaml`` where none is named.

    ``words`` are those of the definition: credentials (``token=…``: a text, a function that yields it and is asked
    again after a 401, or a reference such as ``{"env": "TOKEN"}``), settings (``org=…``), and defaults of scope words
    (``workspace=…``). None counts as not said. ``credentials``, ``settings``, ``defaults`` say the same by name.

    ``schemas``: folders of definitions of your own. ``secrets``: what documents may name by ``{"secretRef": …}``.
    ``state``: the store whose ledger of calls is shared with other processes of the same credential. ``budget``: call
    limits instead of the definition's, ``[{"requests": 300, "per": "1m"}]``, or "off"; ``reserve``: the share of each
    that is left to others. ``deadline``: seconds for one call. ``wait_max``: seconds that a call may wait for its turn,
    None for any. ``ca_file``, ``proxy``, ``trust_env`` are as in a configuration; ``allow_http`` permits an address
    without encryption, loopback needs no permission. ``transport``: one of httpx, for tests. Nothing is sent before the
    first call.

    Raises ConfigError (no or a bad server, credential, setting), DefinitionError, UsageError for an unknown word.
    """
    return Client(platform, **_said(locals()))


def connect_async(platform: str | None = None, **arguments: Any) -> AsyncClient:
    """The same for a program with an event loop; use it as ``async with connect_async(…) as client``."""
    return AsyncClient(platform, **arguments)


def named(name: str) -> Any:
    """The public object of this name. Raises LookupError."""
    own: dict[str, Any] = {
        "connect": connect,
        "connect_async": connect_async,
        **{each.__name__: each for each in (Client, Collection, Resource, AsyncClient, AsyncCollection, AsyncResource)},
        **{each.__name__: each for each in (Log, ResourceList, Secret)},
        **{each: getattr(agent_errors, each) for each in _OF_AGENT},
        **{each: getattr(errors, each) for each in errors.__all__},
    }
    if name in own:
        return own[name]
    return _client_of_platform(name)


def _client_of_platform(name: str) -> type[Client] | type[AsyncClient]:
    folded = {api_version.partition("/")[0].replace("-", ""): api_version for api_version in sorted(available())}
    asked = name.lower()
    for prefix, base in (("", Client), ("async", AsyncClient)):
        api_version = folded.get(asked.removeprefix(prefix)) if asked.startswith(prefix) else None
        if api_version is not None:
            members = {"of": api_version.partition("/")[0], "__doc__": f"A client of {api_version}."}
            return type(name, (base,), {**members, "__module__": "agent"})
    raise LookupError(name)


def _said(arguments: dict[str, Any]) -> dict[str, Any]:
    words = arguments.pop("words")
    del arguments["platform"]
    return {**arguments, **words}
