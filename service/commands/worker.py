"""``worker``: only the Celery worker, for a machine where every program has its own process."""

from __future__ import annotations

import argparse

from service import lifeline
from service.commands import numbers
from service.commands.answers import unusable
from service.jobs.tasks import JOBS
from service.logs import write_logs
from service.running import NotGiven, given_addresses, make_program_wiring
from service.settings import read_settings
from service.worker import make_worker_app, run_worker


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare how many processes work."""
    parser.add_argument("--processes", type=numbers.processes, default=2, help="số tiến trình (mặc định 2)")


def run(arguments: argparse.Namespace) -> int:
    """Work until SIGTERM; running jobs are finished first."""
    lifeline.hold()
    write_logs("worker")
    settings = read_settings()
    try:
        _, redis_url = given_addresses(settings)
    except NotGiven as error:
        return unusable(str(error))
    app = make_worker_app(redis_url, JOBS, lambda: make_program_wiring(settings))
    return run_worker(app, processes=arguments.processes)
