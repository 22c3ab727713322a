"""``web``: only the web, for a machine where every program has its own process. Settings come from the environment."""

from __future__ import annotations

import argparse

import uvicorn

from service import lifeline
from service.collecting import settle
from service.commands import numbers
from service.commands.answers import YES, unusable
from service.logs import write_logs
from service.one_write import OneWriteProtocol
from service.running import NotGiven, program_wiring
from service.settings import read_settings
from service.web import build_app


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare where to listen."""
    parser.add_argument("--host", default="127.0.0.1", help="địa chỉ lắng nghe (mặc định 127.0.0.1)")
    parser.add_argument("--port", type=numbers.port, default=8000, help="cổng (mặc định 8000)")


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM; open answers get 8 seconds to finish."""
    lifeline.hold()
    write_logs("web")
    try:
        with program_wiring(read_settings()) as wiring:
            config = uvicorn.Config(
                build_app(wiring),
                http=OneWriteProtocol,
                host=arguments.host,
                port=arguments.port,
                log_config=None,
                access_log=False,
                server_header=False,
                forwarded_allow_ips=wiring.settings.trusted_proxies,
                timeout_graceful_shutdown=8,
            )
            settle()
            uvicorn.Server(config).run()
    except NotGiven as error:
        return unusable(str(error))
    return YES
