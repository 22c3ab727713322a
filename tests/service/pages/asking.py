"""Many small requests to the web in one event loop: a client in between costs more than most answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from anyio import Event
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and headers, by lower-case name."""

    status: int
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Question:
    """A request as it goes over the wire; ``address`` is a path, perhaps with a query."""

    method: str
    address: str
    headers: Mapping[str, str]
    body: bytes = b""


def written(client: TestClient, method: str, address: str, **what: Any) -> Question:  # noqa: ANN401  what a client takes
    """Return what a client would send: its cookies and headers, and ``data`` and ``files`` as a browser writes them."""
    request = client.build_request(method, address, **what)
    return Question(method, address, dict(request.headers), request.read())


def answers(client: TestClient, questions: Sequence[Question]) -> list[Answer]:
    """Ask one question after the other in the event loop of a client, and of its application."""
    assert client.portal
    return client.portal.call(_answers, client.app, questions)


async def _answers(app: ASGIApp, questions: Sequence[Question]) -> list[Answer]:
    return [await _ask(app, question) for question in questions]


async def ask_all(app: ASGIApp, method: str, addresses: list[str], headers: dict[str, str]) -> list[Answer]:
    """Ask for one address after the other, each with these headers and without a body."""
    return [await _ask(app, Question(method, address, headers)) for address in addresses]


async def _ask(app: ASGIApp, question: Question) -> Answer:
    path, _, query = question.address.partition("?")
    started: list[Message] = []
    body = iter([{"type": "http.request", "body": question.body, "more_body": False}])
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
        "method": question.method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in question.headers.items()],
        "client": ("testclient", 50_000),
        "server": ("testserver", 80),
        "state": {},
    }
    await app(scope, receive, send)
    (start,) = started
    return Answer(start["status"], {name.decode(): value.decode() for name, value in start["headers"]})
