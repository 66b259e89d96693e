# Two stages: wheels are built where a compiler may be, the agent runs where none is.
FROM python:3.13-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml README.md ./
COPY agent agent
COPY schemas schemas
COPY manifests manifests
RUN pip wheel --no-cache-dir --wheel-dir /wheels .

FROM python:3.13-slim-bookworm
RUN apt-get update \
    && apt-get install -y --no-install-recommends git ca-certificates tini util-linux \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir --no-index --find-links /wheels datakeel \
    && rm -rf /wheels \
    && useradd --uid 65532 --user-group --no-create-home --shell /usr/sbin/nologin datakeel \
    && install -d -o 65532 -g 65532 /var/lib/datakeel /var/cache/datakeel
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 XDG_CACHE_HOME=/var/cache
USER 65532:65532
VOLUME ["/var/lib/datakeel", "/var/cache/datakeel"]
STOPSIGNAL SIGTERM
# tini reaps git's children.
ENTRYPOINT ["tini", "--", "datakeel"]
CMD ["run", "--config", "/etc/datakeel/datakeel.yaml"]
