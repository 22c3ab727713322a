"""Fetching one page of a provider's list over HTTP: time, size and tries are limited, and nothing else is believed.

The client is handed in (it follows no redirect: a token goes to the address it was set up for and to no other), and
so are the pause and the clock, so that tests wait for nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from reconciliation.errors import ListUnreadable, ProviderAway
from reconciliation.lists.base import MAX_PAGE_BYTES, Ask, ListReader

PAUSES = (1.0, 4.0)  # between three tries; then the next asking, five minutes later
LONGEST_PAUSE = 15.0
WHOLE_PAGE_SECONDS = 45.0
_OK = 200
_TOO_OFTEN = 429
_NOT_KNOWN = (401, 403)


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom we ask: the provider's address, our token there, the account."""

    reader: ListReader
    base_url: str
    account: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Fetches pages. ``pause`` waits so many seconds, ``seconds`` is a clock that only runs forward."""

    client: httpx.Client
    pause: Callable[[float], None]
    seconds: Callable[[], float]

    def page(self, asked: Asked, ask: Ask) -> bytes:
        """Return the bytes of a page; raises ``ProviderAway`` or ``ListUnreadable``."""
        for wait in PAUSES:
            body, wished = self._try(asked, ask)
            if body is not None:
                return body
            self.pause(min(max(wait, wished), LONGEST_PAUSE))
        body, _ = self._try(asked, ask)
        if body is None:
            raise ProviderAway(f"{asked.reader.name} không trả lời hoặc báo bận, sẽ hỏi lại sau")
        return body

    def _try(self, asked: Asked, ask: Ask) -> tuple[bytes | None, float]:
        """Return the page, or None and for how many seconds the provider wants to be left alone."""
        path, parameters = asked.reader.request(asked.account, ask)
        headers = {"Authorization": asked.reader.authorization(asked.token), "Accept": "application/json"}
        try:
            with self.client.stream("GET", asked.base_url + path, params=parameters, headers=headers) as answer:
                if answer.status_code == _TOO_OFTEN or answer.is_server_error:
                    return None, _wished(answer.headers.get(asked.reader.wait_header, ""))
                _demand_ok(asked.reader.name, answer.status_code)
                return self._read(answer, asked.reader.name), 0.0
        except httpx.TransportError:
            return None, 0.0
        except httpx.DecodingError as error:
            raise ListUnreadable(f"Câu trả lời của {asked.reader.name} không giải nén được") from error

    def _read(self, answer: httpx.Response, name: str) -> bytes:
        """Read what fits, and not for ever: a page that drips is given up."""
        begun, body = self.seconds(), bytearray()
        for chunk in answer.iter_bytes():
            body += chunk
            if len(body) > MAX_PAGE_BYTES:
                raise ListUnreadable(f"Câu trả lời của {name} dài hơn {MAX_PAGE_BYTES} byte")
            if self.seconds() - begun > WHOLE_PAGE_SECONDS:
                raise ProviderAway(f"{name} trả lời quá chậm, sẽ hỏi lại sau")
        return bytes(body)


def _demand_ok(name: str, status: int) -> None:
    if status in _NOT_KNOWN:
        raise ListUnreadable(f"{name} không nhận mã truy cập của kênh (HTTP {status})")
    if status != _OK:
        raise ListUnreadable(f"{name} trả lời HTTP {status} thay cho danh sách")


def _wished(seconds: str) -> float:
    """Read a number of seconds, which may be nonsense."""
    return float(seconds) if seconds.isascii() and seconds.isdigit() and len(seconds) < 6 else 0.0  # noqa: PLR2004  a day
