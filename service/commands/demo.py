"""``demo``: the main job on invented schools, at a fixed school date; stays up until Ctrl-C unless ``--once``."""

from __future__ import annotations

import argparse
import signal
import socket
import threading

import psycopg
from sqlalchemy.exc import OperationalError

from service.commands import numbers
from service.commands.answers import NO, YES, no, reason_of
from service.demo.playing import playing, tell
from service.demo.schools import STORY_PUPILS
from service.embedded import ServersFailed
from service.settings import Settings, read_settings
from service.standins.serving import free_port

DEFAULT_PORT = 8000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare how large, where, and whether to stay."""
    parser.add_argument(
        "--once", action="store_true", help="kết thúc sau phần tổng kết; mã thoát 0 khi mọi bất biến đúng"
    )
    parser.add_argument(
        "--pupils", type=numbers.pupils, default=STORY_PUPILS, help=f"số học sinh (mặc định {STORY_PUPILS})"
    )
    parser.add_argument("--port", type=numbers.port, help=f"cổng của trang web (mặc định {DEFAULT_PORT})")


def run(arguments: argparse.Namespace) -> int:
    """Play; 0 when every invariant holds, 1 when one does not or the demo cannot start."""
    settings = read_settings()
    if settings.env == "production":
        return no("Bản chạy thử không chạy ở chế độ production.")
    port = arguments.port or (free_port() if arguments.once else DEFAULT_PORT)
    if not _is_free(port):
        return no(f"Cổng {port} đang bận; chọn cổng khác bằng --port.")
    try:
        return _play(settings, arguments.pupils, port, once=arguments.once)
    except (ServersFailed, RuntimeError, TimeoutError, psycopg.OperationalError, OperationalError) as error:
        return no(reason_of(error))


def _play(settings: Settings, pupils: int, port: int, *, once: bool) -> int:
    with playing(settings, pupils=pupils, port=port) as played:
        print(flush=True)
        print(tell(settings.state / "demo"), flush=True)
        for result in played.broken:
            print(f"SAI {result.id} {result.title}: {'; '.join(result.problems[:3])}", flush=True)
        print("Mọi bất biến của sổ sách đều đúng." if not played.broken else "Có bất biến bị vi phạm.", flush=True)
        if not once:
            print(f"Đang chạy tại {played.web_url} – nhấn Ctrl-C để dừng.", flush=True)
            _wait_for_the_end()
        return NO if played.broken else YES


def _wait_for_the_end() -> None:
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    asked.wait()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
