"""Whether the running agent is traced: as the environment variables of OpenTelemetry say. Used by ``running``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import structlog

from agent import __version__, tracing

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


@asynccontextmanager
async def tracing_if_asked(environ: Mapping[str, str]) -> AsyncIterator[None]:
    """Traces until the end of the block, when an endpoint is named and OTEL_SDK_DISABLED is not true."""
    wanted = any(environ.get(name) for name in _ENDPOINTS) and environ.get("OTEL_SDK_DISABLED", "").lower() != "true"
    made = tracing.tracer_of(__version__) if wanted else None
    if wanted and made is None:
        # The variables may be set for all that runs here; that is no reason to refuse to work.
        structlog.get_logger("datakeel").warning("tracing.unavailable", fix="pip install 'datakeel[otel]'")
    if made is None:
        yield
        return
    tracer, end = made
    tracing.start(tracer)
    try:
        yield
    finally:
        tracing.start(None)
        await asyncio.to_thread(end)
