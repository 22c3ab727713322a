"""``callback check``: is this callback signed with our secret, and what does it say."""

from __future__ import annotations

import json
import re
import sys
from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime
from pathlib import Path

from reconciliation.errors import CallbackRefused
from reconciliation.feeds.base import Feed, NormalisedTransfer, judge_age
from reconciliation.feeds.providers import FEEDS
from reconciliation.feeds.signing import MAX_AGE
from service.commands.answers import YES, no, unusable

_SECONDS = re.compile(r"[0-9]{1,11}")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare ``check``."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="check")
    check = actions.add_parser("check", help="kiểm chữ ký và đọc nội dung", allow_abbrev=False)
    check.add_argument("provider", choices=FEEDS, metavar="PROVIDER", help=" ".join(FEEDS))
    secret = check.add_mutually_exclusive_group(required=True)
    secret.add_argument("--secret", metavar="S", help="khóa hoặc bí mật đã thỏa thuận")
    secret.add_argument("--secret-file", metavar="F", help="tệp chứa bí mật")
    check.add_argument("--headers", metavar="FILE.json", required=True, help="các tiêu đề HTTP, đối tượng JSON")
    check.add_argument("--body", metavar="FILE", required=True, help="nội dung nhận được, đúng từng byte")
    check.add_argument("--at", metavar="TIME", help="thời điểm nhận (ISO 8601 có múi giờ, hoặc giây Unix)")


def run(arguments: Namespace) -> int:
    """Check one callback; print one line for each transfer in it."""
    try:
        secret = _secret(arguments)
        headers = _headers(Path(arguments.headers))
        body = Path(arguments.body).read_bytes()
        at = _moment(arguments.at) if arguments.at else None
    except OSError as error:
        return unusable(f"Không đọc được tệp {error.filename}: {error.strerror}")
    except ValueError as error:
        return unusable(str(error))
    try:
        provider = FEEDS[arguments.provider]
        feed = provider(provider.scheme_of(headers, body), [secret])
        return _check(feed, headers, body, at)
    except CallbackRefused as refused:
        return no(refused.message)
    except ValueError as error:
        return unusable(f"Bí mật không dùng được: {error}")


def _check(feed: Feed, headers: dict[str, str], body: bytes, at: datetime | None) -> int:
    signed_at = feed.signed_at(body, headers)
    if signed_at is not None and at is not None:
        judge_age(signed_at, at, MAX_AGE)
    elif signed_at is not None:
        age = int((datetime.now(UTC) - signed_at).total_seconds())
        print(f"Chữ ký đúng, được ký cách đây {age} giây (không xét hạn vì không có --at)", file=sys.stderr)
    for transfer in feed.read(body):
        print(json.dumps(as_dict(transfer), ensure_ascii=False))
    return YES


def as_dict(transfer: NormalisedTransfer) -> dict[str, object]:
    """Return the stable keys of a transfer; the payer is left out, since this is printed."""
    return {
        "provider": transfer.provider,
        "id": transfer.provider_id,
        "amount": transfer.amount.dong,
        "direction": transfer.direction.value,
        "memo": transfer.memo,
        "account": transfer.account,
        "virtual_account": transfer.virtual_account,
        "bank_reference": transfer.bank_reference,
        "time": transfer.time.isoformat().replace("+00:00", "Z"),
        "kind": transfer.kind.value,
    }


def _secret(arguments: Namespace) -> str:
    secret = str(arguments.secret)
    if arguments.secret_file is not None:
        secret = Path(arguments.secret_file).read_text("utf-8").strip()
    if not secret:
        raise ValueError("Bí mật để trống.")
    return secret


def _headers(file: Path) -> dict[str, str]:
    try:
        headers = json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"Tệp {file} không phải là JSON") from error
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        raise ValueError(f"Tệp {file} phải là một đối tượng JSON gồm tên và giá trị bằng chữ")
    return headers


def _moment(text: str) -> datetime:
    if _SECONDS.fullmatch(text):
        return datetime.fromtimestamp(int(text), tz=UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"Không hiểu thời điểm {text}") from error
    if moment.tzinfo is None:
        raise ValueError(f"Thời điểm {text} thiếu múi giờ")
    return moment
