# Wheels are built where a compiler may be; the agent runs where neither compiler nor installer is.
# `docker build .` makes the image with git in it, `docker build --target sidecar .` one without, for source.mount.
FROM python:3.13-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml README.md ./
COPY agent agent
COPY schemas schemas
COPY manifests manifests
RUN pip wheel --no-cache-dir --wheel-dir /wheels '.[policy,postgresql]'

FROM python:3.13-slim-bookworm AS sidecar
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="datakeel" \
      org.opencontainers.image.description="GitOps for data-platform REST APIs" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates tini \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir --no-index --find-links /wheels 'datakeel[policy,postgresql]' \
    && rm -rf /wheels \
    && pip uninstall -qy pip \
    && useradd --uid 65532 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin datakeel \
    && install -d -o 65532 -g 65532 -m 0700 /var/lib/datakeel
# The root may be read-only: the state lies on its volume, all that may vanish below /tmp.
ENV PYTHONUTF8=1 PYTHONSAFEPATH=1 PYTHONNOUSERSITE=1 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    XDG_CACHE_HOME=/tmp DATAKEEL_CONFIG=/etc/datakeel/datakeel.yaml
USER 65532:65532
VOLUME ["/var/lib/datakeel"]
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["datakeel", "status", "--probe", "livez"]
# tini passes signals on and reaps the children of git, which Kubernetes has no switch for.
ENTRYPOINT ["tini", "--", "datakeel"]
CMD ["run"]

FROM sidecar
USER 0:0
RUN apt-get update \
    && apt-get install -y --no-install-recommends git util-linux \
    && rm -rf /var/lib/apt/lists/*
USER 65532:65532
