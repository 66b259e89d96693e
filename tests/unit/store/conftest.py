from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.store import schema
from agent.store.store import Store
from tests import postgresql
from tests.unit.store.builders import HandClock, url_of


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test of what a store does runs over both databases; one that looks into the file only over the file."""
    if "store" not in metafunc.fixturenames:
        return
    arguments = metafunc.function.__code__.co_varnames[: metafunc.function.__code__.co_argcount]
    both = "path" not in arguments and not postgresql.why_not()
    metafunc.parametrize("dialect", ["sqlite", "postgresql"] if both else ["sqlite"], indirect=True)


@pytest.fixture
def dialect(request: pytest.FixtureRequest) -> str:
    name: str = getattr(request, "param", "sqlite")
    return name


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgresql.Cluster]:
    why_not = postgresql.why_not()
    if why_not:
        pytest.skip(why_not)
    with postgresql.shared_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def database(cluster: postgresql.Cluster) -> str:
    """The URL of a database of this worker."""
    name = f"store_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    cluster.execute(f"CREATE DATABASE {name}")
    return cluster.url(name)


@pytest.fixture
def server_url(database: str, cluster: postgresql.Cluster) -> Iterator[str]:
    """An empty store on a server; the one before left its tables, which is quicker than to make them."""
    yield database
    name = database.rpartition("/")[2]
    tables = [table.name for table in reversed(schema.metadata.sorted_tables)]
    if cluster.execute("SELECT 1 FROM pg_class WHERE relname = 'alembic_version'", name):
        cluster.execute("; ".join(f'DELETE FROM "{table}"' for table in tables), name)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def url(dialect: str, request: pytest.FixtureRequest) -> str:
    """Where the ``store`` of this test is."""
    if dialect == "postgresql":
        found: str = request.getfixturevalue("server_url")
        return found
    return url_of(request.getfixturevalue("path"))


@pytest.fixture
def store(url: str, clock: HandClock) -> Iterator[Store]:
    store = Store.open(url, clock=clock)
    yield store
    store.close()
