"""``up``: web, workers, sweeper and, where none are given, the embedded servers; until Ctrl-C or SIGTERM."""

from __future__ import annotations

import argparse

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from service.commands import numbers
from service.commands.answers import YES, no, reason_of
from service.embedded import ServersFailed
from service.running import Programs, open_wiring
from service.settings import read_settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare where the web listens and how many processes work."""
    parser.add_argument("--host", default="127.0.0.1", help="địa chỉ web lắng nghe (mặc định 127.0.0.1)")
    parser.add_argument("--port", type=numbers.port, default=8000, help="cổng của web (mặc định 8000)")
    parser.add_argument("--processes", type=numbers.processes, default=2, help="số tiến trình xử lý (mặc định 2)")


def run(arguments: argparse.Namespace) -> int:
    """Run everything; 0 when asked to end, 1 when it cannot start."""
    settings = read_settings()
    try:
        with open_wiring(settings, ring=False) as wiring:
            programs = Programs(wiring, host=arguments.host, port=arguments.port, processes=arguments.processes)
            with programs:
                print(f"Hocphi: {programs.url}", flush=True)
                programs.wait()
    except (ServersFailed, RuntimeError, psycopg.Error, SQLAlchemyError) as error:
        return no(reason_of(error))
    return YES
