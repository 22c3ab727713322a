"""The link with which a family reads its contract and agrees to it: made by the office, one at a time."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta, timezone
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.contracts.offering import words_of
from billing.contracts.stepping import hold_contract, person, today_of
from billing.contracts.tables import Contract
from billing.errors import Refused
from service.access.guardian_tables import ContractLink
from service.access.links import digest
from service.database import Scope, use_scope

# Whoever agreed can read what was agreed to for a while.
READABLE = timedelta(days=60)
MOST_DAYS = 60
_TOKEN_BYTES = 16
_LOCAL = timezone(timedelta(hours=7))


def make_token(secret: bytes, contract_id: UUID, turn: int) -> str:
    """Return the 128-bit token of a contract's link as 22 base64url characters; ``secret`` has at least 32 bytes."""
    if len(secret) < 32:  # noqa: PLR2004  bytes of a SHA-256 key
        raise ValueError("the secret of contract links needs at least 32 bytes")
    made = hmac.new(secret, b"hocphi contract 1\0" + contract_id.bytes + turn.to_bytes(4), hashlib.sha256)
    return base64.urlsafe_b64encode(made.digest()[:_TOKEN_BYTES]).rstrip(b"=").decode()


def open_link(  # noqa: PLR0913, PLR0917  of which contract, until when, by whom, with which key
    session: Session,
    link_key: bytes,
    school_id: UUID,
    contract_id: UUID,
    until: date,
    deposit_due: date,
    actor: Actor,
    now: datetime,
) -> ContractLink:
    """Make the link of a draft, open until the end of a school day; an older one of the contract ends.

    Raises ``Refused`` for days that make no sense and where the contract cannot be priced, ``Conflict`` when it is no
    draft.
    """
    contract, today = hold_contract(session, school_id, contract_id, "draft"), today_of(now)
    if not today <= until <= today + timedelta(days=MOST_DAYS):
        raise Refused(f"Hạn để gia đình trả lời phải từ hôm nay đến {MOST_DAYS} ngày sau.")
    if deposit_due < until:
        raise Refused("Hạn nộp tiền giữ chỗ không được trước hạn để gia đình trả lời.")
    words_of(session, contract, deposit_due)
    older = _links(session, contract)
    for each in older:
        each.revoked_at = each.revoked_at or now
        session.add(each)
    turn = len(older) + 1
    row = ContractLink(
        token_hash=digest(make_token(link_key, contract.id, turn)),
        school_id=school_id,
        contract_id=contract.id,
        turn=turn,
        deposit_due=deposit_due,
        made_by=person(actor),
        created_at=now,
        expires_at=datetime.combine(until + timedelta(days=1), time(), _LOCAL).astimezone(UTC),
    )
    session.add(row)
    session.flush()
    deed = Deed(school_id, "contract.open_link", "contract", str(contract.id))
    record_deed(session, actor, deed, now, turn=turn, until=until.isoformat(), deposit_due=deposit_due.isoformat())
    return row


def opened_by(session: Session, link_digest: bytes, now: datetime) -> ContractLink | None:
    """Return the link with this digest while it can be read, and limit the transaction to its school."""
    link = session.get(ContractLink, link_digest)
    if link is None or link.revoked_at is not None or now >= link.expires_at + READABLE:
        return None
    use_scope(session, Scope.of(link.school_id))
    return link


def live_link(session: Session, contract: Contract) -> ContractLink | None:
    """Return the newest link of a contract, open or ended by its day."""
    found = _links(session, contract)
    return found[-1] if found else None


def last_day(link: ContractLink) -> date:
    """Return the school day until the end of which the family may answer."""
    return (link.expires_at.astimezone(_LOCAL) - timedelta(days=1)).date()


def link_address(link_key: bytes, base_url: str, link: ContractLink) -> str:
    """Return the address of a contract's page."""
    return f"{base_url}/hd/{make_token(link_key, link.contract_id, link.turn)}"


def live_addresses(
    session: Session, link_key: bytes, base_url: str, contracts: Collection[UUID], now: datetime
) -> dict[UUID, str]:
    """Return the addresses of contracts that can be answered now, by contract."""
    rows = session.exec(
        select(ContractLink).where(
            col(ContractLink.contract_id).in_(contracts),
            col(ContractLink.revoked_at).is_(None),
            ContractLink.expires_at > now,
        )
    ).all()
    return {row.contract_id: link_address(link_key, base_url, row) for row in rows}


def _links(session: Session, contract: Contract) -> list[ContractLink]:
    query = select(ContractLink).where(
        ContractLink.school_id == contract.school_id, ContractLink.contract_id == contract.id
    )
    return list(session.exec(query.order_by(col(ContractLink.turn))).all())
