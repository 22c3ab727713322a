"""``sweeper``: only the sweeper, which finds and does work that nobody has done."""

from __future__ import annotations

import argparse
import signal
import threading

from service import lifeline
from service.commands.answers import YES, unusable
from service.jobs.bells import make_bell
from service.jobs.tasks import JOBS
from service.logs import write_logs
from service.running import NotGiven, program_wiring
from service.settings import read_settings
from service.sweeper import run_sweeper


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare nothing."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Sweep until SIGTERM."""
    del arguments
    lifeline.hold()
    write_logs("sweeper")
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    try:
        with program_wiring(read_settings()) as wiring:
            bell = make_bell(wiring.redis_url)
            run_sweeper(wiring, JOBS, bell.ring, ended)
            bell.close()
    except NotGiven as error:
        return unusable(str(error))
    return YES
