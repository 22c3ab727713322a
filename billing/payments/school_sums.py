"""What bills of whole schools were lowered by, and what of them is no longer asked for."""

from __future__ import annotations

from uuid import UUID

from sqlmodel import Session, col, select

from billing.bills.tables import BillCredit, BillVoid
from billing.money import Money
from billing.payments.relief_tables import Relief
from billing.payments.written_off import live_write_off
from billing.storage import money_sum


def lowered_at(session: Session, *schools: UUID) -> tuple[Money, Money]:
    """Return what credit notes lowered the live bills of schools by: off what was open, and given back as credit."""
    off_rest, to_credit = session.exec(
        select(money_sum(BillCredit.off_rest), money_sum(BillCredit.to_credit))
        .outerjoin(BillVoid, col(BillVoid.bill_id) == col(BillCredit.bill_id))
        .where(col(BillCredit.school_id).in_(schools), col(BillVoid.bill_id).is_(None)),
    ).one()
    return off_rest, to_credit


def written_off_at(session: Session, school_id: UUID) -> Money:
    """Return what write-offs took off the bills of a school."""
    return session.exec(select(money_sum(Relief.amount)).where(Relief.school_id == school_id, live_write_off())).one()
