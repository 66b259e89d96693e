"""The vendors' own clients, each in an environment of its own below ``.clients/``, which git ignores.

``python -m tests.platforms.clients [NAME …]`` makes those that are missing, all or the named ones; one that is there
already costs nothing. ``.ci/run`` does so while the tests are installed. The tests that drive a client ask for it by
:func:`needs`, and say this command where they are skipped.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from tests.platforms.environments import ROOT, Environment, make_missing, skipped_without

if TYPE_CHECKING:
    import pytest

COMMAND = "python -m tests.platforms.clients"
_client = partial(Environment, root=ROOT / ".clients")

# What the Studio part of datachain imports: its command line, its client of the API, its local catalogue. All that
# it declares is 640 MB (pyarrow, pandas, numpy, the SDKs of three clouds), which take 95 s an environment on two cores;
# this is 60 MB and 20 s, once for all versions. The code that talks to the API is the vendor's, whole and untouched;
# what is left out works on data, which no sandbox has. None is pinned: a new release of one of them is met here as a
# user would meet it.
_STUDIO = (
    *("attrs", "cloudpickle", "dateparser", "dvc-data", "dvc-objects", "dvc-studio-client", "filelock", "fsspec"),
    *("iterative-telemetry", "jmespath", "lz4", "msgpack", "packaging", "platformdirs", "pydantic", "python-dateutil"),
    *("pyyaml", "requests", "shtab", "sqlalchemy", "tabulate", "tomlkit", "tqdm", "ujson", "websockets"),
)

CLIENTS: Mapping[str, Environment] = {
    client.name: client
    for client in (
        _client("datachain-0.30.7", "datachain==0.30.7", _STUDIO),  # the version whose routes the API page prints
        _client("python-gitlab", "python-gitlab==8.6.0"),
        _client("dataos-sdk-py", "dataos-sdk-py==1.0.6"),
        _client("dlcli", "dlcli==0.7.1", python2=True),
        _client("datachain-newest", "datachain", _STUDIO),  # that of the day on which it is made
    )
}


def needs(name: str) -> pytest.MarkDecorator:
    """A mark for tests that drive a client: skipped, with the command that makes it, where it is not there."""
    client = CLIENTS[name]
    where = " (where there is a Python 2.7 with pip)" if client.python2 else ""
    return skipped_without(client, COMMAND, where)


if __name__ == "__main__":
    sys.exit(make_missing(CLIENTS, sys.argv[1:], "client"))
