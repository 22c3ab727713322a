"""Which children's families an open item concerns, all of a school together: who may say yes, and who answered."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from uuid import UUID

from sqlmodel import Session, col, or_, select

from billing.choices.days import first_day_for
from billing.choices.tables import ChoiceOffer, FamilyChoice
from billing.fees.caps import school_year as year_of
from billing.fees.items import Level, Quantity, Span
from billing.fees.schedule import read_prices
from billing.fees.tables import FeeItem, OptIn
from billing.people.tables import ClassGroup, ClassPlacement, Enrolment


def who_may_choose(session: Session, offer: ChoiceOffer, today: date) -> set[UUID]:
    """Return the pupils whose family's page shows an offer today: they study then, and it has a price for them."""
    day = first_day_for(offer.first_day, today)
    item = session.get_one(FeeItem, offer.item_id)
    prices = [
        price
        for price in read_prices(session, offer.school_id, Span(day, day))
        if price.item.code == item.code and price.quantity is not Quantity.REGISTERED
    ]
    seats = _seats(session, offer.school_id, day)
    return {
        pupil
        for pupil, group in seats.items()
        if any(price.meets(Level(group.level), group.grade, group.code) for price in prices)
    } - answered(session, [offer])[offer.id]


def answered(session: Session, offers: Collection[ChoiceOffer]) -> dict[UUID, set[UUID]]:
    """Return, by offer, the pupils that are registered for its item or whose family has chosen since it was opened."""
    return {offer.id: _registered(session, offer) | _chosen(session, offer) for offer in offers}


def _registered(session: Session, offer: ChoiceOffer) -> set[UUID]:
    rows = session.exec(
        select(Enrolment.pupil_id)
        .join(OptIn, col(OptIn.enrolment_id) == col(Enrolment.id))
        .where(
            OptIn.school_id == offer.school_id,
            OptIn.item_id == offer.item_id,
            col(OptIn.withdrawn_at).is_(None),
            or_(col(OptIn.valid_to).is_(None), col(OptIn.valid_to) >= offer.first_day),
        )
    ).all()
    return set(rows)


def _chosen(session: Session, offer: ChoiceOffer) -> set[UUID]:
    """Return whose family said yes, or no again, or was refused: none of them is asked once more."""
    rows = session.exec(
        select(Enrolment.pupil_id)
        .join(FamilyChoice, col(FamilyChoice.enrolment_id) == col(Enrolment.id))
        .where(
            FamilyChoice.school_id == offer.school_id,
            FamilyChoice.item_id == offer.item_id,
            FamilyChoice.at >= offer.made_at,
        )
    ).all()
    return set(rows)


def _seats(session: Session, school_id: UUID, day: date) -> dict[UUID, ClassGroup]:
    """Return the class of each pupil on a day of service, in the school year of that day."""
    first = year_of(day).start.year
    rows = session.exec(
        select(Enrolment.pupil_id, ClassGroup)
        .join(ClassPlacement, col(ClassPlacement.enrolment_id) == col(Enrolment.id))
        .join(ClassGroup, col(ClassGroup.id) == col(ClassPlacement.class_id))
        .where(
            Enrolment.school_id == school_id,
            ClassPlacement.school_id == school_id,
            Enrolment.school_year == f"{first}-{first + 1}",
            Enrolment.state == "studying",
            Enrolment.started_on <= day,
            or_(col(Enrolment.ended_on).is_(None), col(Enrolment.ended_on) >= day),
            ClassPlacement.valid_from <= day,
        )
        .order_by(col(ClassPlacement.valid_from))
    ).all()
    return dict(rows)
