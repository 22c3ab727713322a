"""Many small requests to the web in one event loop: a client in between costs more than most answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from anyio import Event
from starlette.types import ASGIApp, Message


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and headers, by lower-case name."""

    status: int
    headers: dict[str, str]


async def ask_all(app: ASGIApp, method: str, addresses: list[str], headers: dict[str, str]) -> list[Answer]:
    """Ask for one address after the other, each with these headers and without a body."""
    return [await _ask(app, method, address, headers) for address in addresses]


async def _ask(app: ASGIApp, method: str, address: str, headers: Mapping[str, str]) -> Answer:
    path, _, query = address.partition("?")
    started: list[Message] = []
    body = iter([{"type": "http.request", "body": b"", "more_body": False}])
    told = Event()

    async def receive() -> Message:
        for part in body:
            return part
        await told.wait()  # nobody hangs up before the answer is whole
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            started.append(message)
        elif not message.get("more_body", False):
            told.set()

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("testclient", 50_000),
        "server": ("testserver", 80),
        "state": {},
    }
    await app(scope, receive, send)
    (start,) = started
    return Answer(start["status"], {name.decode(): value.decode() for name, value in start["headers"]})
