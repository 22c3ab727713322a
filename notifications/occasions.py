"""What an event means for a family, read from rows: whose child, what is unpaid, when it was paid."""

from __future__ import annotations

from collections.abc import Collection, Sequence
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


def happenings(session: Session, events: Collection[Event]) -> dict[int, Happening]:
    """Return what events of one school mean now, by event; those of a kind that no family is told are left out."""
    told: dict[int, Happening] = {}
    for kind, meaning in _MEANINGS.items():
        chosen = [event for event in events if event.kind == kind]
        if chosen:
            found = meaning(session, chosen)
            told |= {event.id: found[event.subject_id] for event in chosen if event.id is not None}
    return told


def _issued(session: Session, events: Sequence[Event]) -> dict[UUID, Happening]:
    wanted = [event.subject_id for event in events]
    pupils = dict(
        session.exec(select(PaymentRequest.id, PaymentRequest.pupil_id).where(col(PaymentRequest.id).in_(wanted))).all()
    )
    balances = request_balances(session, events[0].school_id, wanted)
    return {
        request_id: Happening(pupil_id, Occasion(Kind.BILL_ISSUED, rest_of(balances[request_id])))
        for request_id, pupil_id in pupils.items()
    }


def _received(session: Session, events: Sequence[Event]) -> dict[UUID, Happening]:
    paid_at = {event.subject_id: _paid_at(event) for event in events}
    rows = session.exec(
        select(Payment.id, Payment.pupil_id, PaymentReversal.payment_id)
        .outerjoin(PaymentReversal, col(PaymentReversal.payment_id) == col(Payment.id))
        .where(col(Payment.id).in_(paid_at))
    ).all()
    return {
        payment_id: Happening(
            pupil_id,
            Occasion(Kind.PAYMENT_RECEIVED, ZERO, paid_at[payment_id], taken_back=taken_back is not None),
        )
        for payment_id, pupil_id, taken_back in rows
    }


_MEANINGS = {Kind.BILL_ISSUED: _issued, Kind.PAYMENT_RECEIVED: _received}


def recipients(session: Session, pupils: Collection[UUID], today: date) -> dict[UUID, list[Recipient]]:
    """Return the guardians of pupils on a day, first entered first, each with their contacts of that day."""
    rows = session.exec(
        select(
            Guardianship.pupil_id,
            Guardianship.guardian_id,
            Guardianship.receives_notices,
            Guardianship.may_see_bills,
        )
        .join(Guardian, col(Guardianship.guardian_id) == col(Guardian.id))
        .where(col(Guardianship.pupil_id).in_(pupils), *_on(today, Guardianship.valid_from, Guardianship.valid_to))
        .order_by(col(Guardianship.id))
    ).all()
    found = contacts(session, [guardian_id for _, guardian_id, _, _ in rows], today)
    people: dict[UUID, list[Recipient]] = {pupil_id: [] for pupil_id in pupils}
    for pupil_id, guardian_id, wants, may_see in rows:
        recipient = Recipient(
            guardian_id=guardian_id,
            wants_notices=wants and may_see,
            phone=_key(found.get((guardian_id, Via.ZALO))),
            mail=_key(found.get((guardian_id, Via.MAIL))),
        )
        people[pupil_id].append(recipient)
    return people


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
