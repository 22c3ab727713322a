"""A real Chromium for tests marked ``browser``, and a real server around any ASGI app."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from playwright.sync_api import Browser, expect, sync_playwright
from starlette.types import ASGIApp

REQUIRED = "HOCPHI_REQUIRE_BROWSER"
_PATIENCE = 30_000  # milliseconds that an expectation waits, as actions do: two cores may be busy with other tests
_NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium_path() -> str:
    """Return where Chromium is; without one, leave the test out by name, or fail where it is required."""
    for name in _NAMES:
        found = shutil.which(name)
        if found is not None:
            return found
    reason = "Chromium is not installed (apt-get install chromium)"
    if os.environ.get(REQUIRED) == "1":
        pytest.fail(f"{reason}, and {REQUIRED}=1 demands it")
    pytest.skip(reason)


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start Chromium without a window; it is closed at the end of the block."""
    path = chromium_path()
    expect.set_options(timeout=_PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        yield browser
        browser.close()


@contextmanager
def served(app: ASGIApp, listener: socket.socket) -> Iterator[str]:
    """Serve an app on an open socket in a thread; hands out its origin, as browsers write it."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="on"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    if not server.started:
        raise TimeoutError("the test server did not start in 60 s")
    yield origin_of(listener)
    server.should_exit = True
    thread.join(timeout=10)


def free_listener() -> socket.socket:
    """Return a socket that listens on a free local port."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    return listener


def origin_of(listener: socket.socket) -> str:
    """Return the origin of a listener; ``localhost`` counts as a safe context in browsers."""
    return f"http://localhost:{listener.getsockname()[1]}"
