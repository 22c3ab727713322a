"""The command line: ``python -m service DOOR …``. Only the chosen door is loaded, so that the small ones start fast."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import io
import os
import sys
from collections.abc import Sequence
from typing import NoReturn, Protocol, cast

from billing.errors import Refused
from service.commands.answers import NO, UNUSABLE, one_line, unusable
from service.compiled import prefer_compiled

DOORS = {
    "demo": "chạy công việc chính trên các trường mẫu",
    "up": "chạy web, worker và máy chủ kèm theo",
    "setup": "tạo tỉnh, xã, trường và quản trị viên đầu tiên",
    "users": "thêm người dùng, cấp và thôi vai trò, đặt lại mật khẩu",
    "feeds": "mở, đổi bí mật, đóng kênh báo có của ngân hàng",
    "qr": "tạo, đọc và vẽ mã VietQR",
    "reference": "tạo và tìm mã thanh toán",
    "words": "viết số tiền bằng chữ",
    "match": "đối chiếu thử một tệp giao dịch",
    "callback": "kiểm tra một thông báo của ngân hàng",
    "statement": "đọc sao kê ngân hàng",
    "caps": "nạp mức trần khoản thu của hội đồng nhân dân một tỉnh",
    "rates": "nạp mức Nhà nước chi theo tháng của một tỉnh",
    "invariants": "kiểm tra các bất biến trên cơ sở dữ liệu",
    "verify": "kiểm tra một gói chứng cứ",
    "db": "chuẩn bị cơ sở dữ liệu",
    "rounds": "tính hoặc phát hành đợt thu của nhiều trường",
    "web": "chỉ chạy máy chủ web",
    "worker": "chỉ chạy worker Celery",
    "sweeper": "chỉ chạy tiến trình quét việc sót",
}

_INTERRUPTED = 130


class Door(Protocol):
    """What a module ``service.commands.DOOR`` offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments of the door."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Do the work; return 0, 1 (the answer is no) or 2 (unusable argument or file)."""


class Parser(argparse.ArgumentParser):
    """An argument parser that complains on one line; its subcommands do the same."""

    def error(self, message: str) -> NoReturn:
        """Leave with exit code 2."""
        self.exit(UNUSABLE, f"{one_line(f'{self.prog}: {message}')}\n")


def main(words: Sequence[str]) -> int:
    """Run the door named by the first word with the others; return the exit code."""
    _speak_utf8()
    if not words:
        return unusable(f"Cần tên một cửa: {', '.join(_existing())} (--help để xem thêm).")
    name, *rest = words
    if name in {"-h", "--help"}:
        sys.stdout.write(_help())
        return 0
    if name not in DOORS:
        return unusable(f"Không có cửa {name!r}; hiện có: {', '.join(_existing())}.")
    if not _exists(name):
        return unusable(f"Cửa {name!r} chưa có trong bản này; hiện có: {', '.join(_existing())}.")
    return _enter(name, rest)


def _enter(name: str, words: Sequence[str]) -> int:
    """Load a door and run it; return the exit code."""
    prefer_compiled()
    door = cast("Door", importlib.import_module(_module(name)))
    parser = Parser(prog=f"python -m service {name}", description=DOORS[name], allow_abbrev=False)
    door.add_arguments(parser)
    try:
        arguments = parser.parse_args(words)
    except SystemExit as leaving:  # --help (0) or an unusable argument (2), already said
        return int(leaving.code or 0)
    try:
        return door.run(arguments)
    except Refused as refused:  # such as settings with which nothing can start
        return unusable(refused.message)


def _module(name: str) -> str:
    return f"service.commands.{name}"


def _exists(name: str) -> bool:
    return importlib.util.find_spec(_module(name)) is not None


def _existing() -> list[str]:
    return [name for name in DOORS if _exists(name)]


def _help() -> str:
    lines = [f"  {name:<12}{DOORS[name]}" for name in _existing()]
    return "\n".join(["python -m service CỬA …  (mỗi cửa có --help)", "", *lines, ""])


def _speak_utf8() -> None:
    """Read and print Vietnamese whatever the terminal claims; a byte that is no text is shown and not fatal."""
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8-sig")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _run() -> int:
    try:
        code = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `head`, has enough
        _print_nowhere()
        return NO
    except OSError as problem:  # a file or a full disk; an answer that cannot be written is no answer
        _print_nowhere()
        return unusable(f"Không đọc hoặc không ghi được: {problem}")
    except KeyboardInterrupt:
        return _INTERRUPTED
    return code


def _print_nowhere() -> None:
    """Let Python's last flush succeed: what is left in the buffer has nowhere to go."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(_run())
