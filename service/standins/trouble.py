"""Troubles a stand-in makes on order: the next n requests fail in a chosen way."""

from __future__ import annotations

import threading
from collections.abc import Iterable


class Trouble:
    """Holds what should go wrong next; safe between threads."""

    def __init__(self, known: Iterable[str]) -> None:
        self._known = frozenset(known)
        self._lock = threading.Lock()
        self._mode = ""
        self._left = 0

    def order(self, mode: str, times: int) -> None:
        """Let the next ``times`` requests fail in this way; 0 ends the trouble. Refuses unknown ways."""
        if mode not in self._known:
            raise ValueError(f"unknown trouble {mode!r}; known: {', '.join(sorted(self._known))}")
        with self._lock:
            self._mode, self._left = mode, times

    def take(self) -> str:
        """Return the trouble for this request, or an empty text."""
        with self._lock:
            if self._left <= 0:
                return ""
            self._left -= 1
            return self._mode
