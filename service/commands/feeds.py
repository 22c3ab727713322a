"""``feeds``: which provider tells of a school's account: list, open, change secret or addresses, close.

The secret comes from a file, never from the command line: others on the machine can read that. The address that the
provider is told is shown once; only its digest is kept.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import SYSTEM, Deed, record_deed
from billing.errors import Conflict, NotFound, Refused
from billing.ledger.tables import BankAccount
from billing.money import Money
from billing.people.tables import School
from reconciliation.cards.left_open import left_open
from reconciliation.feeds.opening import HOLD_ABOVE, forget_old_secret, open_feed, rotate_secret
from reconciliation.feeds.providers import FEEDS
from reconciliation.feeds.stripe import PROVIDER as STRIPE
from reconciliation.feeds.stripe import is_test_key
from reconciliation.lists.base import LIST
from reconciliation.tables import Feed
from service.commands.acting import Act, act, school_of
from service.watching import networks_of
from service.wiring import Wiring

_MOST_SECRET_BYTES = 16 * 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    acts = parser.add_subparsers(dest="act", required=True, metavar="list|open|rotate|forget-old|addresses|close")
    listing = acts.add_parser("list", help="liệt kê các kênh, mỗi dòng một JSON", allow_abbrev=False)
    listing.add_argument("--school", metavar="MÃ", help="chỉ một trường")
    opening = acts.add_parser("open", help="mở kênh cho một tài khoản", allow_abbrev=False)
    opening.add_argument("--school", required=True, metavar="MÃ", help="mã trường")
    opening.add_argument("--account", required=True, metavar="SỐ", help="số tài khoản của trường")
    opening.add_argument(
        "--provider", required=True, choices=sorted({*FEEDS, STRIPE}), help="nhà cung cấp (docs/callbacks.md)"
    )
    opening.add_argument("--scheme", required=True, metavar="CÁCH", help="cách ký (docs/callbacks.md)")
    _secret(opening)
    opening.add_argument(
        "--hold-above", type=_dong, metavar="ĐỒNG", help=f"giữ lại khoản lớn hơn số này, mặc định {HOLD_ABOVE.dong}"
    )
    _addresses(opening, required=False)
    addresses = acts.add_parser("addresses", help="đổi danh sách địa chỉ được gửi tin tới kênh", allow_abbrev=False)
    _feed(addresses)
    _addresses(addresses, required=True)
    rotate = acts.add_parser("rotate", help="thêm bí mật mới, bí mật cũ còn hiệu lực", allow_abbrev=False)
    _feed(rotate)
    _secret(rotate)
    _feed(acts.add_parser("forget-old", help="bỏ bí mật cũ, kết thúc lần đổi", allow_abbrev=False))
    closing = acts.add_parser("close", help="đóng kênh: không nhận tin nữa", allow_abbrev=False)
    _feed(closing)
    closing.add_argument(
        "--anyway", metavar="LÝ DO", help="đóng dù việc thẻ chưa xong (lệnh kể ra là việc gì); lý do được ghi lại"
    )


def _secret(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--secret-file", required=True, type=Path, metavar="TỆP", help="tệp chứa bí mật")


def _addresses(parser: argparse.ArgumentParser, *, required: bool) -> None:
    ways = parser.add_mutually_exclusive_group(required=required)
    ways.add_argument(
        "--from", dest="addresses", nargs="+", metavar="MẠNG", help="chỉ nhận tin từ các IP, mạng con này"
    )
    ways.add_argument("--from-anywhere", metavar="LÝ DO", help="nhận từ mọi địa chỉ; lý do được ghi lại")


def _feed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--feed", required=True, type=_id, metavar="ID", help="kênh, theo `feeds list`")


def _dong(text: str) -> Money:
    if not re.fullmatch(r"[0-9]{1,12}", text):
        raise argparse.ArgumentTypeError(f"phải là số đồng như 20000000, không phải {text[:40]!r}")
    return Money(int(text))


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"phải là mã kênh của `feeds list`, không phải {text[:40]!r}") from None


def run(arguments: argparse.Namespace) -> int:
    """Act; 1 when the rules say no or the database cannot be used, 2 for an unusable argument or file."""
    return act(_ACTS[arguments.act], arguments)


def _list(session: Session, arguments: argparse.Namespace, wiring: Wiring) -> list[str]:
    del wiring
    query = (
        select(Feed, BankAccount, School.code)
        .join(BankAccount, col(BankAccount.id) == col(Feed.bank_account_id))
        .join(School, col(School.id) == col(Feed.school_id))
        .order_by(col(School.code), col(Feed.opened_at), col(Feed.id))
    )
    if arguments.school is not None:
        query = query.where(Feed.school_id == school_of(session, arguments.school).id)
    return [json.dumps(_shown(*row), ensure_ascii=False) for row in session.exec(query).all()]


def _shown(feed: Feed, account: BankAccount, school: str) -> dict[str, object]:
    return {
        "feed": str(feed.id),
        "school": school,
        "account": f"…{account.number[-4:]}",
        "provider": feed.provider,
        "scheme": feed.scheme,
        "from": feed.allowed_from,
        "hold_above": feed.hold_above.dong if feed.hold_above is not None else None,
        "two_secrets": feed.previous_secret_sealed is not None,
        "closed": feed.closed_at is not None,
    }


def _open(session: Session, arguments: argparse.Namespace, wiring: Wiring) -> list[str]:
    school = school_of(session, arguments.school)
    number = re.sub(r"[\s.-]", "", arguments.account)
    account = session.exec(
        select(BankAccount).where(BankAccount.school_id == school.id, BankAccount.number == number)
    ).one_or_none()
    if account is None:
        raise NotFound("Trường không có tài khoản này. Xem số tài khoản trong cấu hình `python -m service setup`.")
    _refuse_second(session, account, arguments.provider, arguments.scheme)
    networks = _networks(arguments)
    if not networks and not arguments.from_anywhere and _is_bare_key(arguments.provider, arguments.scheme):
        raise Refused(
            "Kênh chỉ có một khóa: ai đọc được khóa là gửi được tin giả. Cho biết nhà cung cấp gửi từ đâu (--from), "
            "hoặc --from-anywhere kèm lý do."
        )
    secret, now = _read(arguments.secret_file), wiring.clock()
    _refuse_test_key(wiring, arguments.provider, secret)
    feed, token = open_feed(
        session, wiring.vault, account, arguments.provider, arguments.scheme, secret, arguments.hold_above, now
    )
    feed.allowed_from = networks
    _note(session, wiring, feed, "feed.open", arguments.from_anywhere or "")
    if feed.scheme == LIST:
        return [f"Đã mở kênh {feed.id}: hỏi danh sách của {feed.provider} 5 phút một lần, không cần khai địa chỉ nào."]
    return [
        f"Đã mở kênh {feed.id} ({feed.provider}, {feed.scheme}).",
        f"Khai địa chỉ này với nhà cung cấp, chỉ hiện một lần: {wiring.settings.base_url}/callbacks/{token}",
    ]


def _refuse_test_key(wiring: Wiring, provider: str, secret: str) -> None:
    """Refuse an API key of Stripe's test mode where money is real: whoever pays there pays nothing."""
    if wiring.settings.env == "production" and provider == STRIPE and is_test_key(secret):
        raise Refused("Đây là khóa thử của Stripe (test): bản chạy thật cần khóa sk_live_ hoặc rk_live_.")


def _refuse_second(session: Session, account: BankAccount, provider: str, scheme: str) -> None:
    """Let an account have one feed of a provider that tells us, and one of its list that we ask."""
    same = select(Feed.id).where(
        Feed.school_id == account.school_id,
        Feed.bank_account_id == account.id,
        Feed.provider == provider,
        (Feed.scheme == LIST) == (scheme == LIST),
        col(Feed.closed_at).is_(None),
    )
    if session.exec(same).first() is not None:
        raise Conflict(f"Tài khoản này đã có kênh {provider} đang mở. Hãy đổi bí mật (rotate) hoặc đóng kênh đó trước.")


def _change_addresses(session: Session, arguments: argparse.Namespace, wiring: Wiring) -> list[str]:
    feed = _found(session, arguments.feed)
    if feed.scheme == LIST:
        raise Refused("Kênh này do ta hỏi, không ai gửi tin tới.")
    feed.allowed_from = _networks(arguments)
    session.add(feed)
    _note(session, wiring, feed, "feed.addresses", arguments.from_anywhere or "")
    return [f"Kênh nhận tin từ: {', '.join(feed.allowed_from) or 'mọi địa chỉ'}. Có hiệu lực sau vài giây."]


def _networks(arguments: argparse.Namespace) -> list[str]:
    """Return the networks as they are kept; raises ``Refused`` for what is none, and for an empty reason."""
    if arguments.from_anywhere is not None and not arguments.from_anywhere.strip():
        raise Refused("--from-anywhere cần lý do.")
    return [str(network) for network in networks_of(arguments.addresses or ())]


def _is_bare_key(provider: str, scheme: str) -> bool:
    return provider in FEEDS and scheme in FEEDS[provider].bare_keys


def _rotate(session: Session, arguments: argparse.Namespace, wiring: Wiring) -> list[str]:
    feed = _found(session, arguments.feed)
    secret = _read(arguments.secret_file)
    _refuse_test_key(wiring, feed.provider, secret)
    rotate_secret(session, wiring.vault, feed, secret)
    _note(session, wiring, feed, "feed.rotate")
    return ["Hai bí mật cùng có hiệu lực. Khi nhà cung cấp đã đổi xong, chạy `feeds forget-old`."]


def _forget_old(session: Session, arguments: argparse.Namespace, wiring: Wiring) -> list[str]:
    feed = _found(session, arguments.feed)
    if feed.previous_secret_sealed is None:
        raise Conflict("Kênh này không có bí mật cũ.")
    forget_old_secret(session, feed)
    _note(session, wiring, feed, "feed.forget_old")
    return ["Chỉ còn bí mật mới có hiệu lực."]


def _close(session: Session, arguments: argparse.Namespace, wiring: Wiring) -> list[str]:
    feed = _found(session, arguments.feed)
    reason = (arguments.anyway or "").strip()
    if arguments.anyway is not None and not reason:
        raise Refused("--anyway cần lý do.")
    open_yet = left_open(session, feed.school_id, feed.bank_account_id) if feed.provider == STRIPE else []
    if open_yet and feed.scheme == LIST and not reason:
        raise Conflict(
            f"Chưa đóng: tài khoản này còn {'; '.join(open_yet)}. Đóng kênh thì không ai nghe kết quả nữa. Hãy đợi "
            "xong, đổi khóa bằng `feeds rotate`, hoặc đóng kèm --anyway 'LÝ DO'."
        )
    feed.closed_at = wiring.clock()
    session.add(feed)
    _note(session, wiring, feed, "feed.close", reason)
    said = [f"Đã đóng kênh {feed.provider}. Tin gửi tới địa chỉ cũ không được nhận nữa."]
    return [*said, *(f"Còn {each}." for each in open_yet)]


def _found(session: Session, feed_id: UUID) -> Feed:
    """Return an open feed of any school; raises ``NotFound``, or ``Conflict`` for a closed one."""
    feed = session.get(Feed, feed_id)
    if feed is None:
        raise NotFound("Không có kênh này. Xem mã kênh bằng `python -m service feeds list`.")
    if feed.closed_at is not None:
        raise Conflict("Kênh này đã đóng.")
    return feed


def _read(file: Path) -> str:
    """Return a secret as it stands in a file, without the spaces around it."""
    with file.open("rb") as opened:
        data = opened.read(_MOST_SECRET_BYTES + 1)
    try:
        text = data.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise Refused(f"Tệp {file} phải là văn bản UTF-8.") from None
    if not text or len(data) > _MOST_SECRET_BYTES:
        raise Refused(f"Tệp {file} trống hoặc lớn hơn {_MOST_SECRET_BYTES // 1024} KB, không phải bí mật.")
    return text


def _note(session: Session, wiring: Wiring, feed: Feed, action: str, reason: str = "") -> None:
    session.flush()
    deed = Deed(feed.school_id, action, "feed", str(feed.id), reason)
    details = {"provider": feed.provider, "scheme": feed.scheme, "from": feed.allowed_from}
    record_deed(session, SYSTEM, deed, wiring.clock(), **details)


_ACTS: dict[str, Act] = {
    "list": _list,
    "open": _open,
    "rotate": _rotate,
    "forget-old": _forget_old,
    "addresses": _change_addresses,
    "close": _close,
}
