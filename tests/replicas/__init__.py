"""Several agents on one state, as real processes over a real PostgreSQL: `python -m tests.replicas`."""
