"""One time limit for many short waits: a timer of its own for each would cost more than all the rest of a request."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_LOOKS = 10  # within the limit; a wait may last longer by one of them


class Patience:
    """Ends waits that last longer than some seconds. While somebody waits, one timer looks at all of them."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until: dict[asyncio.Task[Any], float] = {}
        self._late: set[asyncio.Task[Any]] = set()
        self._looking: asyncio.TimerHandle | None = None

    async def wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        """Await something in the running task; raises ``TimeoutError`` when it takes too long."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("only a task can wait")
        self._until[task] = loop.time() + self._seconds
        if self._looking is None:
            self._looking = loop.call_later(self._seconds / _LOOKS, self._look, loop)
        try:
            return await work
        except asyncio.CancelledError:
            if task in self._late and task.uncancel() == 0:
                raise TimeoutError from None
            raise
        finally:
            self._until.pop(task, None)
            self._late.discard(task)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for task in [task for task, until in self._until.items() if until <= now]:
            del self._until[task]
            self._late.add(task)
            task.cancel()
        self._looking = loop.call_later(self._seconds / _LOOKS, self._look, loop) if self._until else None
