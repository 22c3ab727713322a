"""The outermost layer of the web (raw ASGI): request id, security headers on every answer, and the bank's door."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

CALLBACK_PREFIX = "/callbacks/"


def policy(form_to: str = "") -> str:
    """Return the content policy; ``form_to`` is one more origin to which forms of that page may lead."""
    form = f"'self' {form_to}".strip()
    return (
        "default-src 'none'; img-src 'self' data:; style-src 'self'; script-src 'self'; connect-src 'self'; "
        f"form-action {form}; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
    )


_ALWAYS = (
    (b"content-security-policy", policy().encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"x-robots-tag", b"noindex, nofollow"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=()"),
)
_HSTS = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")
_NO_STORE = (b"cache-control", b"no-store")


class Front:
    """Passes requests on: callbacks to the bank's door, everything else to the pages.

    The door stands ahead of the framework because it must answer thousands of callbacks a second.
    HEAD is answered as GET without a body. A request id made here (never the caller's) is in
    ``scope["state"]["request_id"]`` and in the header ``X-Request-ID``; what was ``given`` lies beside it, so that the
    pages need to be put together only once in a process, whatever they are served with. The start and the stop of the
    server are the door's: it alone keeps connections of its own.
    """

    def __init__(
        self, pages: ASGIApp, door: ASGIApp | None, *, production: bool, given: Mapping[str, object] | None = None
    ) -> None:
        self._pages = pages
        self._door = door
        self._given = dict(given or {})
        self._fixed = (*_ALWAYS, _HSTS) if production else _ALWAYS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass the start and stop of the server on."""
        if scope["type"] != "http":
            own = self._door if scope["type"] == "lifespan" else None
            await (own or self._pages)(scope, receive, send)
            return
        request_id = secrets.token_hex(16)
        without_body = scope["method"] == "HEAD"
        state = {**scope.get("state", {}), **self._given, "request_id": request_id}
        inner = {**scope, "state": state, "method": "GET" if without_body else scope["method"]}

        async def send_with_headers(message: Message) -> None:
            await send(self._dress(message, request_id, without_body=without_body))

        await self._target(scope["path"])(inner, receive, send_with_headers)

    def _target(self, path: str) -> ASGIApp:
        if self._door is not None and path.startswith(CALLBACK_PREFIX):
            return self._door
        return self._pages

    def _dress(self, message: Message, request_id: str, *, without_body: bool) -> Message:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", []))
            names = {name for name, _ in headers}
            headers += [pair for pair in self._fixed if pair[0] not in names]
            if b"cache-control" not in names:
                headers.append(_NO_STORE)
            headers.append((b"x-request-id", request_id.encode()))
            return {**message, "headers": headers}
        if without_body and message["type"] == "http.response.body":
            return {**message, "body": b""}
        return message
