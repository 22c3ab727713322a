"""Run a small ASGI program on 127.0.0.1: in a thread of ours, or as the whole process."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp

# Another address only between the containers of compose.yaml.
HOST = os.environ.get("HOCPHI_STANDIN_HOST", "127.0.0.1")
_START_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Running:
    """A started stand-in: its web address and how to end it."""

    url: str
    stop: Callable[[], None]


def free_port() -> int:
    """Return a port that is free right now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def start_in_thread(app: ASGIApp, port: int = 0) -> Running:
    """Serve from a thread until ``stop`` is called; port 0 takes a free one."""
    listener = socket.create_server((HOST, port))
    server = uvicorn.Server(_config(app))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + _START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError("the stand-in did not start")
        time.sleep(0.01)

    def stop() -> None:
        server.should_exit = True
        server.force_exit = True
        thread.join()
        listener.close()

    return Running(f"http://{HOST}:{listener.getsockname()[1]}", stop)


def serve(app: ASGIApp, port: int) -> None:
    """Serve until the process is told to end."""
    with socket.create_server((HOST, port)) as listener:
        uvicorn.Server(_config(app)).run(sockets=[listener])


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", ws="none")
