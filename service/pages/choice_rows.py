"""Items open for registration and what families chose, in the shapes of the pages."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, or_, select

from billing.choices.offering import find_offer
from billing.choices.reading import PupilChoices, missed_months
from billing.choices.tables import ChoiceOffer, ChoiceRefusal, FamilyChoice
from billing.choices.wording import default_words
from billing.errors import Refused
from billing.fees.item_rows import find_item
from billing.fees.tables import FeeItem
from billing.people.tables import ClassGroup, ClassPlacement, Enrolment, Guardian, Pupil
from billing.plans.reading import decided_on, items_in
from service.pages.choice_views import (
    ChoiceRow,
    FullChoices,
    OfferForm,
    OfferPage,
    OfferRow,
    OffersPage,
    ShownHeld,
    ShownOffer,
    Ticked,
)
from service.pages.opt_in_rows import opt_in_items, said_price
from service.pages.plan_rows import label
from service.pages.typed import read_id

_OPEN_DAYS = 14  # two weeks to answer, as proposed; the accountant changes it
_MOST_TICKED = 20


def full_choices(found: PupilChoices, child_name: str, until: datetime) -> FullChoices:
    """Return everything that a proven guardian sees."""
    return FullChoices(
        child_name,
        tuple(
            ShownOffer(str(each.offer.id), each.item.legal_name, each.statement.lines, each.statement.digest.hex())
            for each in found.open
        ),
        tuple(
            ShownHeld(
                each.item.code,
                each.item.legal_name,
                each.since,
                each.until,
                each.statement.lines if each.statement else (),
                each.statement.digest.hex() if each.statement else "",
                each.by_contract,
            )
            for each in found.held
        ),
        tuple((each.name, each.reason) for each in found.refused),
        until,
    )


def read_ticked(values: list[str]) -> list[Ticked]:
    """Return what a family ticked; raises ``Refused`` for what no box of ours sends."""
    if len(values) > _MOST_TICKED:
        raise Refused("Có quá nhiều khoản được đánh dấu. Xin tải lại trang rồi chọn lại.")
    pairs = [value.partition(":") for value in dict.fromkeys(values)]
    return [Ticked(read_id(offer), read_digest(digest)) for offer, _, digest in pairs]


def read_digest(text: str) -> bytes:
    """Return the bytes of hexadecimal digits; raises ``Refused`` for anything else."""
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise Refused("Lựa chọn này không còn. Xin tải lại trang rồi chọn lại.") from error


def offers_page(session: Session, school_id: UUID, code: str, today: date) -> OffersPage:
    """Return the offers of a school and, with an item's code, the form that opens it; raises ``NotFound``."""
    offers = session.exec(
        select(ChoiceOffer)
        .where(ChoiceOffer.school_id == school_id)
        .order_by(col(ChoiceOffer.closed_at).is_not(None), col(ChoiceOffer.closes_on).desc(), col(ChoiceOffer.id))
    ).all()
    rows = tuple(_row(session, offer, today) for offer in offers)
    opened = {offer.item_id for offer in offers if offer.closed_at is None}
    items = opt_in_items(session, school_id, today)
    choices = tuple((item.code, item.legal_name) for item in items if item.id not in opened)
    return OffersPage(rows, choices, today, _form(session, school_id, code, today) if code else None)


def offer_page(session: Session, school_id: UUID, offer_id: UUID, today: date) -> OfferPage:
    """Return one offer with what families chose of it, the newest first; raises ``NotFound``."""
    offer = find_offer(session, school_id, offer_id)
    rows = session.exec(
        select(FamilyChoice, Pupil.full_name, Guardian.full_name)
        .join(Enrolment, col(Enrolment.id) == col(FamilyChoice.enrolment_id))
        .join(Pupil, col(Pupil.id) == col(Enrolment.pupil_id))
        .join(Guardian, col(Guardian.id) == col(FamilyChoice.guardian_id))
        .where(FamilyChoice.school_id == school_id, FamilyChoice.offer_id == offer.id)
        .order_by(col(FamilyChoice.at).desc(), col(FamilyChoice.id))
    ).all()
    reasons = dict(
        session.exec(
            select(ChoiceRefusal.choice_id, ChoiceRefusal.reason).where(
                ChoiceRefusal.school_id == school_id,
                col(ChoiceRefusal.choice_id).in_([choice.id for choice, _, _ in rows]),
            )
        ).all()
    )
    ended = _ended(session, offer)
    missed = missed_months(
        session, school_id, offer.item_id, {choice.enrolment_id: choice.day for choice, _, _ in reversed(rows)}
    )
    classes = _classes(session, school_id, {choice.enrolment_id for choice, _, _ in rows}, max(today, offer.first_day))
    choices = tuple(
        ChoiceRow(
            choice_id=str(choice.id),
            pupil=pupil,
            class_name=classes.get(choice.enrolment_id, ""),
            guardian=guardian,
            masked=choice.contact_masked,
            at=choice.at,
            day=choice.day,
            price=choice.price,
            digest=choice.words_sha256.hex(),
            reason=reasons.get(choice.id, ""),
            ended=min((day for at, day in ended.get(choice.enrolment_id, []) if at >= choice.at), default=None),
            missed=choice.enrolment_id in missed and choice.id not in reasons,
        )
        for choice, pupil, guardian in rows
        if choice.price is not None
    )
    return OfferPage(_row(session, offer, today), choices)


def _row(session: Session, offer: ChoiceOffer, today: date) -> OfferRow:
    counted = Counter(
        session.exec(
            select(col(ChoiceRefusal.choice_id).is_not(None))
            .select_from(FamilyChoice)
            .outerjoin(ChoiceRefusal, col(ChoiceRefusal.choice_id) == col(FamilyChoice.id))
            .where(FamilyChoice.school_id == offer.school_id, FamilyChoice.offer_id == offer.id)
        ).all()
    )
    state = "closed" if offer.closed_at else ("open" if today <= offer.closes_on else "over")
    name = session.get_one(FeeItem, offer.item_id).legal_name
    return OfferRow(
        str(offer.id), name, offer.first_day, offer.closes_on, state, counted[False], counted[True], offer.words
    )


def _form(session: Session, school_id: UUID, code: str, today: date) -> OfferForm:
    item = find_item(session, school_id, code)
    first = (today.replace(day=28) + timedelta(days=4)).replace(day=1)
    decided = decided_on(session, school_id, label(first), first)
    planned = items_in(session, decided[0]) if decided else []
    purpose = next((each.purpose for each in planned if each.item_code == code), "")
    words = default_words(item.legal_name, purpose)
    return OfferForm(
        code, item.legal_name, said_price(session, item, first), words, first, today + timedelta(days=_OPEN_DAYS)
    )


def _ended(session: Session, offer: ChoiceOffer) -> dict[UUID, list[tuple[datetime, date]]]:
    """Return when families ended the item, and after which day, by enrolment."""
    rows = session.exec(
        select(col(FamilyChoice.enrolment_id), col(FamilyChoice.at), col(FamilyChoice.day)).where(
            FamilyChoice.school_id == offer.school_id,
            FamilyChoice.item_id == offer.item_id,
            FamilyChoice.kind == "end",
        )
    ).all()
    found: dict[UUID, list[tuple[datetime, date]]] = {}
    for enrolment_id, at, day in rows:
        found.setdefault(enrolment_id, []).append((at, day))
    return found


def _classes(session: Session, school_id: UUID, enrolments: set[UUID], day: date) -> dict[UUID, str]:
    rows = session.exec(
        select(ClassPlacement.enrolment_id, ClassGroup.code)
        .join(ClassGroup, col(ClassGroup.id) == col(ClassPlacement.class_id))
        .where(
            ClassPlacement.school_id == school_id,
            col(ClassPlacement.enrolment_id).in_(enrolments),
            col(ClassPlacement.valid_from) <= day,
            or_(col(ClassPlacement.valid_to).is_(None), col(ClassPlacement.valid_to) >= day),
        )
    ).all()
    return dict(rows)
