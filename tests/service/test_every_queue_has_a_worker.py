"""Every bell that is rung anywhere reaches a job: names, queues and the worker fit together."""

import ast
import re
from pathlib import Path

import service
from service.jobs.queues import TASKS, celery_app, queue_of
from service.jobs.tasks import JOBS

ROOT = Path(service.__file__).parent.parent
ROOMS = ("service", "billing", "reconciliation", "notifications")


def rung_names() -> set[str]:
    """Return every text that is given to something called ``ring`` or ``bell``."""
    names = set()
    sources = (path.read_text(encoding="utf-8") for room in ROOMS for path in (ROOT / room).rglob("*.py"))
    for source in sources:
        if not re.search(r"\b(ring|bell)\s*\(", source):
            continue  # reading a file as a tree costs far more than looking for the two names
        for node in ast.walk(ast.parse(source)):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            first = node.args[0]
            if called in {"ring", "bell"} and isinstance(first, ast.Constant) and isinstance(first.value, str):
                names.add(first.value)
    return names


def test_every_task_has_a_job_and_a_queue_that_the_worker_consumes() -> None:
    assert tuple(JOBS) == TASKS
    consumed = celery_app("memory://").amqp.queues
    assert {queue_of(task) for task in TASKS} == set(consumed)


def test_every_job_is_a_function_of_its_own() -> None:
    assert len(set(JOBS.values())) == len(TASKS)
    assert all(job.__module__.startswith("service.jobs.") for job in JOBS.values())


def test_every_bell_that_is_rung_exists() -> None:
    names = rung_names()
    assert names, "nobody rings: the search is broken, or the rooms are"
    assert names <= set(TASKS)
