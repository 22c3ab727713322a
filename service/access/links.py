"""A parent's payment link: a token that can be made again from the request, and how long it opens the page."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import uuid
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone

from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from billing.bills.tables import Bill
from billing.payments.balances import live_allocation
from billing.payments.tables import Allocation, Payment, PaymentRequest, PaymentRequestBill
from service.access.tables import LinkToken
from service.database import Scope, use_scope

_LOCAL = timezone(timedelta(hours=7))

_TOKEN_BYTES = 16
_SHAPE = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)

DAYS_AFTER_PAYMENT = 30
DAYS_AFTER_DUE = 60


def make_token(secret: bytes, request_id: uuid.UUID, version: int) -> str:
    """Return the 128-bit token of a payment request as 22 base64url characters.

    It is an HMAC, so a message can be written again with the same link while only a digest is stored.
    A new ``version`` makes a new link and ends the old one. ``secret`` has at least 32 bytes.
    """
    if len(secret) < 32:  # noqa: PLR2004  bytes of a SHA-256 key
        raise ValueError("the secret of payment links needs at least 32 bytes")
    made = hmac.new(secret, b"hocphi link 1\0" + request_id.bytes + version.to_bytes(4), hashlib.sha256)
    return base64.urlsafe_b64encode(made.digest()[:_TOKEN_BYTES]).rstrip(b"=").decode()


def looks_like_token(text: str) -> bool:
    """Say whether a text has the shape of a token; anything else need not be looked up."""
    return _SHAPE.fullmatch(text) is not None


def digest(token: str) -> bytes:
    """Return the SHA-256 of a token: all that is stored of it."""
    return hashlib.sha256(token.encode()).digest()


def last_day(due_on: date, paid_on: date | None) -> date:
    """Return the last school day of a link: 60 days after the due day, and at least 30 after the last payment."""
    after_due = due_on + timedelta(days=DAYS_AFTER_DUE)
    return after_due if paid_on is None else max(after_due, paid_on + timedelta(days=DAYS_AFTER_PAYMENT))


def link_address(link_key: bytes, base_url: str, request: PaymentRequest) -> str:
    """Return the address of a request's page as it is now, open or not."""
    return f"{base_url}/t/{make_token(link_key, request.id, request.link_version)}"


def ensure_link(session: Session, link_key: bytes, base_url: str, request: PaymentRequest, now: datetime) -> str:
    """Return the address of a request's page and make sure that it opens; the same each time, until it is renewed."""
    return ensure_links(session, link_key, base_url, [request], now)[request.id]


def ensure_links(
    session: Session, link_key: bytes, base_url: str, requests: Sequence[PaymentRequest], now: datetime
) -> dict[uuid.UUID, str]:
    """Return the addresses of many requests' pages, by request; see ``ensure_link``.

    A link that has ended by its date opens again for whoever is told of an old bill: that is debt, and can be paid.
    """
    tokens = {request.id: make_token(link_key, request.id, request.link_version) for request in requests}
    digests = {request_id: digest(token) for request_id, token in tokens.items()}
    opened = set(
        session.exec(select(LinkToken.token_hash).where(col(LinkToken.token_hash).in_(digests.values()))).all()
    )
    today = now.astimezone(_LOCAL).date()
    _open_again(session, opened, today, now)
    missing = [request for request in requests if digests[request.id] not in opened]
    if missing:
        due = _due_on(session, missing)
        rows = [
            {
                "token_hash": digests[request.id],
                "school_id": request.school_id,
                "request_id": request.id,
                "version": request.link_version,
                "created_at": now,
                "expires_at": _end_of(last_day(max(due.get(request.id, today), today), None)),
            }
            for request in missing
        ]
        session.execute(insert(LinkToken).on_conflict_do_nothing(), rows)
    return {request.id: link_address(link_key, base_url, request) for request in requests}


def _open_again(session: Session, digests: Collection[bytes], today: date, now: datetime) -> None:
    session.execute(
        update(LinkToken)
        .where(
            col(LinkToken.token_hash).in_(digests),
            col(LinkToken.revoked_at).is_(None),
            col(LinkToken.expires_at) <= now,
        )
        .values(expires_at=_end_of(last_day(today, None)))
    )


def renew_link(session: Session, link_key: bytes, base_url: str, request: PaymentRequest, now: datetime) -> str:
    """End the old link of a request and return the address of a new one."""
    session.execute(
        update(LinkToken)
        .where(col(LinkToken.request_id) == request.id, col(LinkToken.revoked_at).is_(None))
        .values(revoked_at=now)
    )
    request.link_version += 1
    session.add(request)
    session.flush()
    return ensure_link(session, link_key, base_url, request, now)


def opened_by(session: Session, link_digest: bytes, now: datetime) -> LinkToken | None:
    """Return the link with this digest if it still opens, and limit the transaction to its school."""
    link = session.get(LinkToken, link_digest)
    if link is None or link.revoked_at is not None:
        return None
    use_scope(session, Scope.of(link.school_id))
    if now < link.expires_at:
        return link
    paid_on = _paid_on(session, link)
    return link if paid_on is not None and now < _end_of(last_day(date.min, paid_on)) else None


def _due_on(session: Session, requests: Sequence[PaymentRequest]) -> dict[uuid.UUID, date]:
    """Return the last due day of each request that has bills."""
    rows = session.exec(
        select(PaymentRequestBill.request_id, func.max(Bill.due_on))
        .join(Bill, col(PaymentRequestBill.bill_id) == col(Bill.id))
        .where(
            col(PaymentRequestBill.request_id).in_([request.id for request in requests]),
            col(PaymentRequestBill.school_id).in_({request.school_id for request in requests}),
        )
        .group_by(col(PaymentRequestBill.request_id))
    ).all()
    return dict(rows)


def _paid_on(session: Session, link: LinkToken) -> date | None:
    paid: date | None = session.exec(
        select(func.max(Payment.value_date))
        .join(Allocation, col(Allocation.payment_id) == col(Payment.id))
        .join(PaymentRequestBill, col(PaymentRequestBill.bill_id) == col(Allocation.bill_id))
        .where(PaymentRequestBill.request_id == link.request_id, live_allocation())
    ).one()
    return paid


def _end_of(day: date) -> datetime:
    """Return the end of a school day in UTC."""
    return datetime.combine(day + timedelta(days=1), time(), _LOCAL).astimezone(UTC)
