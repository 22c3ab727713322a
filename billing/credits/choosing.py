"""Refunds in bulk: everybody's free credit of one item, of a class or of a round, as the lines of one request.

So a fee that was lowered after payment (425,000 → 400,000) is given back in one request with one approval.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlmodel import Session, col, select

from billing.bills.tables import Bill, BillCredit, BillLine, BillVoid
from billing.credits.reading import free_credit
from billing.credits.refunding import Wanted
from billing.money import Money
from billing.people.tables import ClassGroup, ClassPlacement, Enrolment
from billing.storage import money_sum


@dataclass(frozen=True, slots=True)
class Choice:
    """Whose credit: of one item (None: money without an item), of a class or of a round (None: all)."""

    item_code: str | None
    class_id: UUID | None = None
    round_id: UUID | None = None


def wanted_in_bulk(session: Session, school_id: UUID, choice: Choice, today: date) -> list[Wanted]:
    """Return a line for each pupil who has free credit of the item, in cash; by pupil.

    With a round, only what its bills gave back as credit is asked for, at most what is free.
    """
    pupils = None if choice.class_id is None else pupils_of_class(session, school_id, choice.class_id, today)
    free = {
        pupil: amount
        for (pupil, item), amount in free_credit(session, school_id, pupils).items()
        if item == choice.item_code
    }
    if choice.round_id is not None:
        from_round = _given_back(session, school_id, choice)
        free = {pupil: min(amount, from_round[pupil]) for pupil, amount in free.items() if pupil in from_round}
    return [Wanted(pupil, choice.item_code, amount) for pupil, amount in sorted(free.items())]


def pupils_of_class(session: Session, school_id: UUID, class_id: UUID, today: date) -> set[UUID]:
    """Return the pupils whose last class up to today is this one; who left stays with the class he left."""
    return {pupil for pupil, group in class_of_pupils(session, school_id, today).items() if group.id == class_id}


def class_of_pupils(session: Session, school_id: UUID, today: date) -> dict[UUID, ClassGroup]:
    """Return, by pupil, the last class up to today; by the date of the report, as lists of money demand."""
    rows = session.exec(
        select(col(Enrolment.pupil_id), ClassGroup)
        .join(ClassPlacement, col(ClassPlacement.enrolment_id) == Enrolment.id)
        .join(ClassGroup, col(ClassGroup.id) == ClassPlacement.class_id)
        .where(Enrolment.school_id == school_id, col(ClassPlacement.valid_from) <= today)
        .order_by(col(ClassPlacement.valid_from), col(ClassPlacement.id))
    ).all()
    return dict(rows)


def _given_back(session: Session, school_id: UUID, choice: Choice) -> dict[UUID, Money]:
    """Return, by pupil, what credit notes of a round's bills gave back of one item."""
    rows = session.exec(
        select(col(Bill.pupil_id), money_sum(BillCredit.to_credit))
        .join(Bill, (col(Bill.school_id) == BillCredit.school_id) & (col(Bill.id) == BillCredit.bill_id))
        .join(BillLine, (col(BillLine.school_id) == BillCredit.school_id) & (col(BillLine.id) == BillCredit.line_id))
        .outerjoin(BillVoid, col(BillVoid.bill_id) == Bill.id)
        .where(
            BillCredit.school_id == school_id,
            Bill.round_id == choice.round_id,
            BillLine.item_code == choice.item_code,
            col(BillVoid.bill_id).is_(None),
        )
        .group_by(col(Bill.pupil_id))
    ).all()
    return {pupil: amount for pupil, amount in rows if amount}
