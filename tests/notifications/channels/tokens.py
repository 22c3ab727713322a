"""A token store in memory, for tests."""

from __future__ import annotations

import threading
from collections.abc import Callable

from notifications.channels.zalo import Tokens
from service.standins.zalo import FIRST_ACCESS, FIRST_REFRESH


class TokensInMemory:
    """Keeps the promise of ``TokenStore`` with a lock; counts the exchanges."""

    def __init__(self, access: str = FIRST_ACCESS, refresh: str = FIRST_REFRESH) -> None:
        self._pair = Tokens(access, refresh)
        self._lock = threading.Lock()
        self.exchanges = 0

    def current(self) -> Tokens:
        return self._pair

    def renew(self, refused: str, exchange: Callable[[str], Tokens]) -> Tokens:
        with self._lock:
            if self._pair.access == refused:
                self._pair = exchange(self._pair.refresh)
                self.exchanges += 1
            return self._pair
