"""An ASGI application behind a real HTTP server on a free port, for tests that must see the network."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from service.one_write import OneWriteProtocol


@contextmanager
def serving(app: ASGIApp, lifespan: str = "on", *, trusted: str = "127.0.0.1") -> Iterator[str]:
    """Serve until the block ends; hands out the address, such as ``http://127.0.0.1:40123``.

    ``trusted`` is who is believed about ``X-Forwarded-For``, as ``HOCPHI_TRUSTED_PROXIES`` says in the product.
    """
    config = uvicorn.Config(
        app,
        http=OneWriteProtocol,
        port=0,
        log_level="warning",
        lifespan=lifespan,  # type: ignore[arg-type]  # on or off
        ws="none",
        forwarded_allow_ips=trusted,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=20)
