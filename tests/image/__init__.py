"""The image without an engine: `python -m tests.image` plays its Dockerfile, `tests.image.sidecar` lets it run."""
