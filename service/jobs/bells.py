"""The doorbell: tells the workers that there is work. It may fail at any time; the sweeper finds the work anyway."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from service.jobs.queues import celery_app, queue_of

_log = logging.getLogger(__name__)

_ANSWER_SECONDS = 0.4
_QUIET_SECONDS = 3.0


class Bell:
    """Rings for a task by its name. While the broker is away, callers wait at most once in a few seconds."""

    def __init__(self, redis_url: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._app = celery_app(
            redis_url,
            socket_connect_timeout=_ANSWER_SECONDS,
            socket_timeout=_ANSWER_SECONDS,
            max_retries=1,
            interval_start=0,
            interval_step=0,
            interval_max=0,
        )
        self._monotonic = monotonic
        self._quiet_until = 0.0
        self._lock = threading.Lock()

    def __call__(self, task: str) -> None:
        """Ring and do not care."""
        self.ring(task)

    def ring(self, task: str) -> bool:
        """Ring; False if nobody can have heard it. Raises ``KeyError`` only for a name that does not exist."""
        queue = queue_of(task)
        with self._lock:
            if self._monotonic() < self._quiet_until:
                return False
            try:
                self._app.send_task(task, queue=queue, retry=False, ignore_result=True)
            except (KombuError, RedisError, OSError) as error:
                self._quiet_until = self._monotonic() + _QUIET_SECONDS
                _log.warning("the broker is away, the sweeper takes over: %s", error)
                return False
        return True

    def close(self) -> None:
        """Close the connection."""
        self._app.close()


def make_bell(redis_url: str) -> Bell:
    """Return a bell for one process."""
    return Bell(redis_url)
