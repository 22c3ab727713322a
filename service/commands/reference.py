"""``reference``: new payment references, and those in a remittance memo."""

from __future__ import annotations

import argparse
import json
import re
import secrets

from billing.payments.reference import find, random_reference
from service.commands.answers import YES, unusable

_COUNT = re.compile("[0-9]{1,7}")
_AT_MOST = 1_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare ``new [N]`` and ``find MEMO``."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="new|find")
    new = actions.add_parser("new", help="in N mã hợp lệ, chưa được cấp cho ai", allow_abbrev=False)
    new.add_argument("count", metavar="N", nargs="?", default="1", help="bao nhiêu mã (mặc định 1)")
    # A memo may begin with a hyphen and is still no option.
    search = actions.add_parser("find", help="tìm mã trong nội dung chuyển khoản", prefix_chars="\0", add_help=False)
    search.add_argument("memo", metavar="MEMO")


def run(arguments: argparse.Namespace) -> int:
    """Print new references, one a line, or what a memo holds, as JSON."""
    if arguments.action == "new":
        return _new(arguments.count)
    found = find(arguments.memo)
    print(json.dumps({"exact": found.exact, "corrected": found.corrected}))
    return YES


def _new(text: str) -> int:
    count = int(text) if _COUNT.fullmatch(text) else 0
    if not 1 <= count <= _AT_MOST:
        return unusable(f"Số mã phải từ 1 đến {_AT_MOST}, không phải {text[:40]!r}.")
    made: dict[str, None] = {}
    while len(made) < count:
        made[random_reference(secrets.randbelow)] = None
    print("\n".join(made))
    return YES
