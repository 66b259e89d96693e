"""Alembic environment, shipped with the package and run by ``agent.store.versions``; there is no alembic.ini."""
