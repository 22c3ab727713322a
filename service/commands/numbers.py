"""Numbers among the arguments of a door: one that makes no sense is unusable (exit 2), and said on one line."""

from __future__ import annotations

import argparse
import re

_DIGITS = re.compile("[0-9]{1,9}")
_PORTS = 65535
_PUPILS = 100_000
_PROCESSES = 64


def port(text: str) -> int:
    """Return a TCP port, 1 to 65535."""
    return _between(text, _PORTS)


def pupils(text: str) -> int:
    """Return how many pupils the demo makes, 1 to 100,000."""
    return _between(text, _PUPILS)


def processes(text: str) -> int:
    """Return how many processes work, 1 to 64."""
    return _between(text, _PROCESSES)


def _between(text: str, largest: int) -> int:
    number = int(text) if _DIGITS.fullmatch(text) else 0
    if not 1 <= number <= largest:
        raise argparse.ArgumentTypeError(f"phải là số từ 1 đến {largest}, không phải {text[:40]!r}")
    return number
