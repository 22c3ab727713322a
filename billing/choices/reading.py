"""What one pupil's family may choose today, what it is registered for, and what the school did not take."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlmodel import Session, col, or_, select

from billing.bills.tables import Bill, BillLine, BillVoid
from billing.choices.days import first_day_for, last_day_for, refusals_since
from billing.choices.offering import offers_on
from billing.choices.tables import ChoiceOffer, ChoiceRefusal, FamilyChoice
from billing.choices.wording import Offered, Statement, end_words, register_words, withdraw_words
from billing.fees.caps import school_year as year_of
from billing.fees.contracted import is_by_contract
from billing.fees.explaining import Language
from billing.fees.items import Level, Price, Quantity, Span, last_day
from billing.fees.schedule import read_prices
from billing.fees.tables import FeeItem, OptIn
from billing.money import Money
from billing.people.tables import ClassGroup, ClassPlacement, Enrolment
from billing.plans.reading import audience_of, decided_on, decision_words, items_in


@dataclass(frozen=True, slots=True)
class OpenItem:
    """An item that the pupil may be registered for today: from which day, at which price, in which words."""

    offer: ChoiceOffer
    item: FeeItem
    enrolment_id: UUID
    day: date
    price: Money
    statement: Statement


@dataclass(frozen=True, slots=True)
class HeldItem:
    """An item that the pupil is registered for, now or from a coming day on.

    ``last``: the last day if the family ended it now; None where it ends by then anyway, and for what a contract wrote.
    """

    item: FeeItem
    enrolments: frozenset[UUID]
    since: date
    until: date | None
    last: date | None
    statement: Statement | None
    by_contract: bool = False


@dataclass(frozen=True, slots=True)
class RefusedItem:
    """A registration of the family that the school did not take."""

    offer_id: UUID
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class PupilChoices:
    """Everything that stands on the family's page of choices."""

    open: tuple[OpenItem, ...]
    held: tuple[HeldItem, ...]
    refused: tuple[RefusedItem, ...]


@dataclass(frozen=True, slots=True)
class _Seat:
    """Where a pupil sits on a day: what a price may depend on."""

    enrolment_id: UUID
    level: Level
    grade: int
    class_code: str


def pupil_choices(
    session: Session, school_id: UUID, pupil_id: UUID, today: date, language: Language = "vi"
) -> PupilChoices:
    """Return what a pupil's family may choose at a school today."""
    held = _held(session, school_id, pupil_id, today, language)
    refused = _refused(session, school_id, pupil_id, today)
    return PupilChoices(tuple(_open(session, school_id, pupil_id, today, language)), held, refused)


def has_choices(session: Session, school_id: UUID, pupil_id: UUID, today: date) -> bool:
    """Tell whether the page of choices would show something; asks little where nothing is open or registered."""
    if _live(session, school_id, pupil_id, today):
        return True
    if _refused(session, school_id, pupil_id, today):
        return True
    return any(_open(session, school_id, pupil_id, today, "vi"))


def missed_months(session: Session, school_id: UUID, item_id: UUID, firsts: Mapping[UUID, date]) -> frozenset[UUID]:
    """Return the enrolments (with the first day of their yes) that have a bill for that month without the item.

    A round that was issued before a family said yes cannot know of it: the office decides what becomes of that month.
    """
    rows = session.exec(
        select(Bill.enrolment_id, BillLine.item_id, BillLine.because)
        .join(BillLine, col(BillLine.bill_id) == col(Bill.id))
        .outerjoin(BillVoid, col(BillVoid.bill_id) == col(Bill.id))
        .where(
            Bill.school_id == school_id,
            BillLine.school_id == school_id,
            col(Bill.enrolment_id).in_(list(firsts)),
            col(BillVoid.bill_id).is_(None),
        )
    ).all()
    billed: set[UUID] = set()
    held: set[UUID] = set()
    for enrolment_id, of_item, because in rows:
        if enrolment_id is None:  # a deposit is of no enrolment; the query asks for none
            continue
        if f"{firsts[enrolment_id]:%Y-%m}" in {str(month[0]) for month in because.get("months", ())}:
            (held if of_item == item_id else billed).add(enrolment_id)
    return frozenset(billed - held)


def billed_until(session: Session, school_id: UUID, enrolment_ids: Collection[UUID], item_id: UUID) -> date | None:
    """Return the end of the last month for which a live bill charges an item, None before the first."""
    rows = session.exec(
        select(BillLine.because)
        .join(Bill, col(Bill.id) == col(BillLine.bill_id))
        .outerjoin(BillVoid, col(BillVoid.bill_id) == col(Bill.id))
        .where(
            Bill.school_id == school_id,
            BillLine.school_id == school_id,
            col(Bill.enrolment_id).in_(list(enrolment_ids)),
            BillLine.item_id == item_id,
            col(BillVoid.bill_id).is_(None),
        )
    ).all()
    months = [str(month[0]) for because in rows for month in because.get("months", ())]
    return last_day(date.fromisoformat(f"{max(months)}-01")) if months else None


def _open(session: Session, school_id: UUID, pupil_id: UUID, today: date, language: Language) -> list[OpenItem]:
    found = []
    for offer in offers_on(session, school_id, today):
        day = first_day_for(offer.first_day, today)
        seat = _seat(session, school_id, pupil_id, day)
        if seat is None or _is_taken(session, offer, seat, day):
            continue
        item = session.get_one(FeeItem, offer.item_id)
        price = _price(session, item, seat, day)
        if price is None:
            continue
        decision = _decision(session, item, seat, day)
        offered = Offered(
            item.legal_name, price.amount, price.item.unit, _count(price), day, offer.closes_on, offer.words, decision
        )
        statement = register_words(offered, language)
        found.append(OpenItem(offer, item, seat.enrolment_id, day, price.amount, statement))
    return found


def _count(price: Price) -> int:
    return price.count if price.quantity is Quantity.FIXED else 1


def _seat(session: Session, school_id: UUID, pupil_id: UUID, day: date) -> _Seat | None:
    """Return enrolment and class of a pupil in the school year of a day; a coming class counts from today on."""
    first = year_of(day).start.year
    row = session.exec(
        select(Enrolment.id, ClassGroup)
        .join(ClassPlacement, col(ClassPlacement.enrolment_id) == col(Enrolment.id))
        .join(ClassGroup, col(ClassGroup.id) == col(ClassPlacement.class_id))
        .where(
            Enrolment.school_id == school_id,
            ClassPlacement.school_id == school_id,
            Enrolment.pupil_id == pupil_id,
            Enrolment.school_year == f"{first}-{first + 1}",
            Enrolment.state == "studying",
            Enrolment.started_on <= day,
            or_(col(Enrolment.ended_on).is_(None), col(Enrolment.ended_on) >= day),
            ClassPlacement.valid_from <= day,
        )
        .order_by(col(ClassPlacement.valid_from).desc())
    ).first()
    if row is None:
        return None
    group = row[1]
    return _Seat(row[0], Level(group.level), group.grade, group.code)


def _is_taken(session: Session, offer: ChoiceOffer, seat: _Seat, day: date) -> bool:
    """Tell whether the pupil is registered on that day, or the school refused this very offer to the family."""
    held = session.exec(
        select(OptIn.id).where(
            OptIn.school_id == offer.school_id,
            OptIn.item_id == offer.item_id,
            OptIn.enrolment_id == seat.enrolment_id,
            col(OptIn.withdrawn_at).is_(None),
            or_(col(OptIn.valid_to).is_(None), col(OptIn.valid_to) >= day),
        )
    ).first()
    return held is not None or is_refused(session, offer, seat.enrolment_id)


def is_refused(session: Session, offer: ChoiceOffer, enrolment_id: UUID) -> bool:
    """Tell whether the school has refused this offer to a pupil."""
    row = session.exec(
        select(ChoiceRefusal.choice_id)
        .join(FamilyChoice, col(FamilyChoice.id) == col(ChoiceRefusal.choice_id))
        .where(
            FamilyChoice.school_id == offer.school_id,
            FamilyChoice.offer_id == offer.id,
            FamilyChoice.enrolment_id == enrolment_id,
        )
    ).first()
    return row is not None


def _price(session: Session, item: FeeItem, seat: _Seat, day: date) -> Price | None:
    for price in read_prices(session, item.school_id, Span(day, day)):
        if price.item.code == item.code and price.meets(seat.level, seat.grade, seat.class_code):
            return None if price.quantity is Quantity.REGISTERED else price
    return None


def _decision(session: Session, item: FeeItem, seat: _Seat, day: date) -> str:
    first = year_of(day).start.year
    found = decided_on(session, item.school_id, f"{first}-{first + 1}", day)
    if found is None:
        return ""
    plan, step = found
    planned = [each for each in items_in(session, plan) if each.item_code == item.code]
    return decision_words(step) if any(audience_of(each).holds(seat.level, seat.grade) for each in planned) else ""


def _live(session: Session, school_id: UUID, pupil_id: UUID, today: date) -> Sequence[OptIn]:
    return session.exec(
        select(OptIn)
        .join(Enrolment, col(Enrolment.id) == col(OptIn.enrolment_id))
        .where(
            OptIn.school_id == school_id,
            Enrolment.school_id == school_id,
            Enrolment.pupil_id == pupil_id,
            or_(col(Enrolment.ended_on).is_(None), col(Enrolment.ended_on) >= today),
            col(OptIn.withdrawn_at).is_(None),
            or_(col(OptIn.valid_to).is_(None), col(OptIn.valid_to) >= today),
        )
        .order_by(col(OptIn.valid_from))
    ).all()


def _held(session: Session, school_id: UUID, pupil_id: UUID, today: date, language: Language) -> tuple[HeldItem, ...]:
    by_item: dict[UUID, list[OptIn]] = defaultdict(list)
    for row in _live(session, school_id, pupil_id, today):
        by_item[row.item_id].append(row)
    items = _items(session, school_id, by_item)
    return tuple(
        _held_item(session, items[item_id], rows, today, language)
        for item_id, rows in sorted(by_item.items(), key=lambda each: (items[each[0]].position, items[each[0]].code))
    )


def _held_item(session: Session, item: FeeItem, rows: Sequence[OptIn], today: date, language: Language) -> HeldItem:
    enrolments = frozenset(row.enrolment_id for row in rows)
    since, until = rows[0].valid_from, rows[-1].valid_to
    if any(is_by_contract(item, row) for row in rows):
        return HeldItem(item, enrolments, since, until, None, None, by_contract=True)
    last = last_day_for(today, billed_until(session, item.school_id, enrolments, item.id))
    if until is not None and until <= last:
        return HeldItem(item, enrolments, since, until, None, None)
    words = (
        withdraw_words(item.legal_name, since, language) if since > last else end_words(item.legal_name, last, language)
    )
    return HeldItem(item, enrolments, since, until, last, words)


def _refused(session: Session, school_id: UUID, pupil_id: UUID, today: date) -> tuple[RefusedItem, ...]:
    """Return what was refused of offers that closed lately."""
    rows = session.exec(
        select(FamilyChoice, ChoiceRefusal, FeeItem)
        .join(ChoiceRefusal, col(ChoiceRefusal.choice_id) == col(FamilyChoice.id))
        .join(ChoiceOffer, col(ChoiceOffer.id) == col(FamilyChoice.offer_id))
        .join(Enrolment, col(Enrolment.id) == col(FamilyChoice.enrolment_id))
        .join(FeeItem, col(FeeItem.id) == col(FamilyChoice.item_id))
        .where(
            FamilyChoice.school_id == school_id,
            Enrolment.pupil_id == pupil_id,
            col(ChoiceOffer.closes_on) >= refusals_since(today),
        )
        .order_by(col(ChoiceRefusal.at))
    ).all()
    return tuple(
        RefusedItem(choice.offer_id, item.legal_name, refusal.reason)
        for choice, refusal, item in rows
        if choice.offer_id is not None
    )


def _items(session: Session, school_id: UUID, ids: Mapping[UUID, object]) -> dict[UUID, FeeItem]:
    rows = session.exec(select(FeeItem).where(FeeItem.school_id == school_id, col(FeeItem.id).in_(list(ids)))).all()
    return {row.id: row for row in rows}
