"""Whom money that is not settled speaks of: by its memo, by the account it was sent to, and by the matcher's list."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select

from billing.payments import reference
from billing.payments.tables import PaymentRequest, VirtualAccount
from billing.storage import among
from reconciliation.tables import Match, Transfer


def suggested_pupils(session: Session, transfer: Transfer) -> set[UUID]:
    """Return the pupils whom the newest decision about a transfer names as candidates."""
    return _asked_of(session, transfer.school_id, _listed(session, transfer.school_id, [transfer.id]))


def named_pupils(session: Session, transfer: Transfer) -> set[UUID]:
    """Return the pupils whom a transfer names, by code or by its virtual account, before anybody decided about it."""
    coded = _asked_of(session, transfer.school_id, reference.exact(transfer.memo))
    if not transfer.virtual_account:
        return coded
    given = session.exec(
        select(VirtualAccount.pupil_id).where(
            VirtualAccount.school_id == transfer.school_id, VirtualAccount.number == transfer.virtual_account
        )
    ).all()
    asked = session.exec(
        select(PaymentRequest.pupil_id).where(
            PaymentRequest.school_id == transfer.school_id,
            PaymentRequest.virtual_account == transfer.virtual_account,
        )
    ).all()
    return coded | {pupil for pupil in (*given, *asked) if pupil is not None}


def suggested_requests(session: Session, school_id: UUID) -> set[UUID]:
    """Return the requests that the newest decisions about the money that waits name as candidates."""
    waiting = session.exec(
        select(Transfer.id).where(
            Transfer.school_id == school_id, Transfer.direction == "in", Transfer.state == "waiting"
        )
    ).all()
    named = _listed(session, school_id, waiting)
    return set(
        session.exec(
            select(PaymentRequest.id).where(
                PaymentRequest.school_id == school_id, col(PaymentRequest.reference).in_(named)
            )
        ).all()
    )


def _listed(session: Session, school_id: UUID, transfers: Collection[UUID]) -> set[str]:
    """Return the references that the newest decisions about transfers list."""
    newest = (
        select(func.max(Match.id))
        .where(Match.school_id == school_id, among(Match.transfer_id, transfers))
        .group_by(col(Match.transfer_id))
    )
    evidence = session.exec(select(Match.evidence).where(Match.school_id == school_id, col(Match.id).in_(newest))).all()
    bills = [bill for told in evidence for bill in told.get("bills", ()) if isinstance(bill, dict)]
    return {str(bill.get("reference", "")) for bill in bills}


def _asked_of(session: Session, school_id: UUID, references: Collection[str]) -> set[UUID]:
    return set(
        session.exec(
            select(PaymentRequest.pupil_id).where(
                PaymentRequest.school_id == school_id, col(PaymentRequest.reference).in_(references)
            )
        ).all()
    )
