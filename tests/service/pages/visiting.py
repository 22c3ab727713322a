"""A family's browser at an address of its own: reads pages, fills in their forms, keeps its cookies."""

from __future__ import annotations

import html
import re
from itertools import count

import httpx2
from starlette.testclient import TestClient
from starlette.types import ASGIApp

_addresses = count(1)
_TOKEN = re.compile(r'name="csrf" value="([0-9a-f]+)"')


class Visitor:
    """One browser. Limits by address are counted for this one alone."""

    def __init__(self, app: ASGIApp) -> None:
        number = next(_addresses)
        self.client = TestClient(
            app,
            headers={"accept": "text/html"},
            follow_redirects=False,
            raise_server_exceptions=False,
            client=(f"10.7.{number // 250}.{number % 250 + 1}", 40_000),
        )
        self.answer: httpx2.Response | None = None

    def reads(self, path: str, status: int = 200) -> str:
        """Open a page; return its words with entities resolved."""
        answer = self.client.get(path)
        assert answer.status_code == status, (path, answer.status_code)
        self.answer = answer
        return html.unescape(answer.text)

    def sends(self, path: str, page: str = "", **fields: str) -> httpx2.Response:
        """Send a form of the page read last, or of another one."""
        if page:
            self.reads(page)
        found = _TOKEN.search(self.answer.text if self.answer else "")
        token = {"csrf": found.group(1)} if found else {}
        answer = self.client.post(path, data=token | fields)
        if "csrf" in answer.text:
            self.answer = answer
        return answer

    @property
    def session(self) -> str | None:
        """The token of the guardian's session, if there is one."""
        return self.client.cookies.get("hocphi-guardian")
