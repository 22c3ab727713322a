"""What an event means for a family, read from rows: whose child, what is unpaid, when it was paid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, or_
from sqlmodel import Session, col, select

from billing.events.tables import Event
from billing.money import ZERO
from billing.payments.balances import request_balances, rest_of
from billing.payments.tables import Payment, PaymentRequest, PaymentReversal
from billing.people.tables import Contact, Guardian, Guardianship
from notifications.rules import Kind, Occasion, Recipient, Via

CONTACT_KIND = {Via.ZALO: "phone", Via.MAIL: "email"}


@dataclass(frozen=True, slots=True)
class Happening:
    """An event that families are told about, with the pupil it concerns."""

    pupil_id: UUID
    occasion: Occasion


def happening(session: Session, event: Event) -> Happening | None:
    """Return what an event means now; None for a kind that no family is told."""
    if event.kind == Kind.BILL_ISSUED:
        request = session.get_one(PaymentRequest, event.subject_id)
        balances = request_balances(session, event.school_id, [request.id])[request.id]
        return Happening(request.pupil_id, Occasion(Kind.BILL_ISSUED, rest_of(balances)))
    if event.kind == Kind.PAYMENT_RECEIVED:
        payment = session.get_one(Payment, event.subject_id)
        taken_back = session.get(PaymentReversal, payment.id) is not None
        occasion = Occasion(Kind.PAYMENT_RECEIVED, ZERO, _paid_at(event), taken_back=taken_back)
        return Happening(payment.pupil_id, occasion)
    return None


def recipients(session: Session, pupil_id: UUID, today: date) -> list[Recipient]:
    """Return the guardians of a pupil on a day, first entered first, each with their contacts of that day."""
    rows = session.exec(
        select(Guardian.id, Guardianship.receives_notices, Guardianship.may_see_bills)
        .join(Guardianship, col(Guardianship.guardian_id) == col(Guardian.id))
        .where(Guardianship.pupil_id == pupil_id, *_on(today, Guardianship.valid_from, Guardianship.valid_to))
        .order_by(col(Guardianship.id))
    ).all()
    found = contacts(session, [guardian_id for guardian_id, _, _ in rows], today)
    return [
        Recipient(
            guardian_id=guardian_id,
            wants_notices=wants and may_see,
            phone=_key(found.get((guardian_id, Via.ZALO))),
            mail=_key(found.get((guardian_id, Via.MAIL))),
        )
        for guardian_id, wants, may_see in rows
    ]


def contacts(session: Session, guardians: list[UUID], today: date) -> dict[tuple[UUID, Via], Contact]:
    """Return each guardian's contact for each channel on a day: the one entered last."""
    rows = session.exec(
        select(Contact)
        .where(col(Contact.guardian_id).in_(guardians), *_on(today, Contact.valid_from, Contact.valid_to))
        .order_by(col(Contact.id))
    ).all()
    via_of = {kind: via for via, kind in CONTACT_KIND.items()}
    return {(contact.guardian_id, via_of[contact.kind]): contact for contact in rows}


def _on(day: date, valid_from: date, valid_to: date | None) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return col(valid_from) <= day, or_(col(valid_to).is_(None), col(valid_to) >= day)


def _key(contact: Contact | None) -> bytes | None:
    return None if contact is None else contact.blind


def _paid_at(event: Event) -> datetime | None:
    told = event.facts.get("paid_at")
    return None if told is None else datetime.fromisoformat(told)
