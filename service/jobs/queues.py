"""The bell's names and how Celery carries them: a message is only a task's name, the work itself is in the database."""

from __future__ import annotations

from typing import Any

from celery import Celery
from kombu.entity import Queue

# In the order in which work flows, which is the order of the sweeper.
TASKS = (
    "reconciliation.normalise",
    "reconciliation.settle",
    "billing.issue_rounds",
    "billing.open_accounts",
    "billing.print_slips",
    "billing.close_months",
    "notifications.remind",
    "notifications.plan",
    "notifications.send",
    "ledger.seal",
    "notifications.look",  # the last three ask others: a provider that is slow keeps nothing else waiting
    "reconciliation.cards",
    "reconciliation.poll",
)

_SETTINGS: dict[str, Any] = {
    "task_serializer": "json",
    "accept_content": ["json"],
    "task_ignore_result": True,
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "task_create_missing_queues": False,
    "worker_prefetch_multiplier": 1,
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
    "worker_enable_remote_control": False,
    "worker_send_task_events": False,
    "worker_soft_shutdown_timeout": 5.0,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "enable_utc": True,
    "timezone": "UTC",
}
# A task that is not confirmed in this time is handed out again; harmless, since jobs may run twice.
_REDELIVER_SECONDS = 120


def queue_of(task: str) -> str:
    """Return a task's queue: the room that its name begins with. Raises ``KeyError`` for an unknown name."""
    if task not in TASKS:
        raise KeyError(f"no task is called {task!r}")
    return task.partition(".")[0]


def celery_app(redis_url: str, **transport: float) -> Celery:
    """Return a Celery application on a broker; ``transport`` adds to the options of the connection."""
    app = Celery("hocphi", broker=redis_url, set_as_current=False)
    app.conf.update(_SETTINGS)
    app.conf.broker_transport_options = {"visibility_timeout": _REDELIVER_SECONDS, **transport}
    names = dict.fromkeys(map(queue_of, TASKS))
    app.conf.task_queues = [Queue(name) for name in names]  # type: ignore[no-untyped-call]  # kombu has no types
    app.conf.task_routes = {task: {"queue": queue_of(task)} for task in TASKS}
    return app
