"""What touches one pupil's fees: registrations for agreed items, and granted reductions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import NotFound, SamePerson
from billing.fees.tables import FeeItem, OptIn, Reduction


@dataclass(frozen=True, slots=True)
class Registration:
    """A family's yes to one agreed item from a day on, with the evidence that is kept."""

    enrolment_id: UUID
    item_code: str
    valid_from: date
    evidence: str
    quantity: int = 1


def register(
    session: Session, school_id: UUID, actor: Actor, registrations: Sequence[Registration], now: datetime
) -> int:
    """Write registrations and one audit deed; raises ``NotFound`` for an item that the school does not have."""
    items = dict(session.exec(select(FeeItem.code, FeeItem.id).where(FeeItem.school_id == school_id)).all())
    unknown = sorted({one.item_code for one in registrations} - items.keys())
    if unknown:
        raise NotFound(f"Trường không có khoản thu {', '.join(unknown)}. Hãy thêm khoản thu trước.", codes=unknown)
    session.add_all(
        OptIn(
            school_id=school_id,
            enrolment_id=one.enrolment_id,
            item_id=items[one.item_code],
            quantity=one.quantity,
            evidence=one.evidence,
            valid_from=one.valid_from,
        )
        for one in registrations
    )
    session.flush()
    deed = Deed(school_id, "fees.register", "school", str(school_id))
    record_deed(session, actor, deed, now, count=len(registrations))
    return len(registrations)


def grant(session: Session, reduction: Reduction, maker: Actor, approver: Actor, now: datetime) -> Reduction:
    """Write a pupil's reduction, made by one person and approved by another; raises ``SamePerson``."""
    if maker.user_id == approver.user_id:
        raise SamePerson("Người lập miễn giảm không được tự duyệt. Hãy nhờ người duyệt khác.")
    reduction.made_by, reduction.approved_by = maker.user_id, approver.user_id
    session.add(reduction)
    session.flush()
    deed = Deed(reduction.school_id, "fees.grant_reduction", "reduction", str(reduction.id), reduction.legal_basis)
    record_deed(session, approver, deed, now, made_by=str(maker.user_id), payer=reduction.payer)
    return reduction
