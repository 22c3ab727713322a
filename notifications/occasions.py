"""What an event means for a family, read from rows: whose child, what is unpaid, when it was paid."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from billing.bills.tables import Bill
from billing.events.going_back import BY_BANK, BY_CARD_FAILED
from billing.events.recording import (
    BILL_CREDITED,
    BILL_ISSUED,
    BILL_REMINDED,
    BILL_VOIDED,
    CARD_UNPAID,
    CHOICE_OFFERED,
    CONTRACT_OFFERED,
    CREDIT_USED,
    PAYMENT_RECEIVED,
    PAYMENT_TAKEN_BACK,
)
from billing.events.tables import Event
from billing.money import ZERO
from billing.payments.balances import BillBalance, bill_balances, request_balances, rest_of
from billing.payments.grace import muted
from billing.payments.tables import Payment, PaymentRequest, PaymentReversal
from billing.people.tables import Contact, Guardian, Guardianship
from notifications.announced import announced, asked_anew, instead_of_announced
from notifications.invited import Invited, invited_to_choose, invited_to_contracts
from notifications.reminding import to_remind
from notifications.rules import Kind, Occasion, Recipient, Silence, Via

CONTACT_KIND = {Via.ZALO: "phone", Via.SMS: "phone", Via.MAIL: "email"}


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
            told |= meaning(session, chosen)
    return told


def _issued(session: Session, events: Sequence[Event]) -> dict[int, Happening]:
    """Tell of open bills, unless a newer notice asks for all of them; a notice in the place of another says so."""
    school_id, wanted = events[0].school_id, [event.subject_id for event in events]
    pupils = dict(
        session.exec(select(PaymentRequest.id, PaymentRequest.pupil_id).where(col(PaymentRequest.id).in_(wanted))).all()
    )
    balances = request_balances(session, school_id, wanted)
    newer = asked_anew(session, school_id, balances)
    instead = {new.request_id for new in instead_of_announced(session, school_id, wanted)}
    return {
        event.id: Happening(
            pupils[event.subject_id],
            Occasion(
                Kind.BILL_REPLACED if event.subject_id in instead else Kind.BILL_ISSUED,
                rest_of(balances[event.subject_id]),
                moot=Silence.REPLACED if event.subject_id in newer else None,
            ),
        )
        for event in events
        if event.id is not None
    }


def _reminded(session: Session, events: Sequence[Event]) -> dict[int, Happening]:
    """Remind of what is asked for, unless it was paid, put off or asked for anew since."""
    school_id, wanted = events[0].school_id, [event.subject_id for event in events]
    requests = {
        row.id: row for row in session.exec(select(PaymentRequest).where(col(PaymentRequest.id).in_(wanted))).all()
    }
    balances = request_balances(session, school_id, wanted)
    newer = asked_anew(session, school_id, balances)
    pupils = {row.pupil_id for row in requests.values()}

    def moot(event: Event) -> Silence | None:
        if event.subject_id in newer:
            return Silence.REPLACED
        day, pupil = date.fromisoformat(event.facts["day"]), requests[event.subject_id].pupil_id
        time = muted(session, school_id, pupils, day)
        due = date.fromisoformat(event.facts["by"])
        return (
            None if to_remind(balances[event.subject_id], time, pupil, day, {(day - due).days}) else Silence.MORE_TIME
        )

    return {
        event.id: Happening(
            requests[event.subject_id].pupil_id,
            Occasion(Kind.BILL_REMINDED, rest_of(balances[event.subject_id]), moot=moot(event)),
        )
        for event in events
        if event.id is not None
    }


def _voided(session: Session, events: Sequence[Event]) -> dict[int, Happening]:
    """Tell of a notice taken back, unless another stands in its place or the family never got it."""
    school_id, bills = events[0].school_id, {event.subject_id for event in events}
    balances = _balances(session, school_id, bills)
    replaced = session.exec(
        select(Bill.replaces_id).where(
            Bill.school_id == school_id, col(Bill.replaces_id).in_(bills), Bill.family_due > ZERO
        )
    ).all()
    known = announced(session, school_id, bills)

    def moot(bill: BillBalance) -> Silence | None:
        if not bill.due:
            return Silence.NOTHING_TO_PAY
        if bill.bill_id in replaced:
            return Silence.REPLACED
        return None if bill.bill_id in known else Silence.NEVER_TOLD

    return _of_bills(Kind.BILL_VOIDED, events, balances, lambda _, bill: moot(bill))


def _credited(session: Session, events: Sequence[Event]) -> dict[int, Happening]:
    """Tell of a notice lowered whoever got it, and always whoever has paid what is given back."""
    school_id, bills = events[0].school_id, {event.subject_id for event in events}
    balances = _balances(session, school_id, bills)
    known = announced(session, school_id, bills)

    def moot(event: Event, bill: BillBalance) -> Silence | None:
        if bill.void:
            return Silence.WITHDRAWN
        if not (event.facts["off_rest"] or event.facts["to_credit"]):
            return Silence.NO_CHANGE
        return None if event.facts["to_credit"] or bill.bill_id in known else Silence.NEVER_TOLD

    return _of_bills(Kind.BILL_CREDITED, events, balances, moot)


def _used(session: Session, events: Sequence[Event]) -> dict[int, Happening]:
    """Tell whoever was asked for a bill that leftover money was set against it; a notice of a round says it itself."""
    school_id, bills = events[0].school_id, {event.subject_id for event in events}
    balances = _balances(session, school_id, bills)
    known = announced(session, school_id, bills)

    def moot(bill: BillBalance) -> Silence | None:
        if bill.void:
            return Silence.WITHDRAWN
        if not bill.leftover:
            return Silence.TAKEN_BACK
        return None if bill.bill_id in known else Silence.NEVER_TOLD

    return _of_bills(Kind.CREDIT_USED, events, balances, lambda _, bill: moot(bill))


def _taken_back(session: Session, events: Sequence[Event]) -> dict[int, Happening]:
    """Tell that the bank took back what was paid on a bill, unless it is paid anew or asked for no more.

    What went back to a card is told whatever is due: the family's own money moved. Unless it has come again since.
    """
    balances = _balances(session, events[0].school_id, {event.subject_id for event in events})
    again = _paid_again(session, events)

    def moot(event: Event, bill: BillBalance) -> Silence | None:
        if event.facts.get("by", BY_BANK) != BY_BANK:
            return Silence.NO_CHANGE if event.id in again else None
        if bill.void:
            return Silence.WITHDRAWN
        return None if bill.rest else Silence.NOTHING_TO_PAY

    return _of_bills(Kind.PAYMENT_TAKEN_BACK, events, balances, moot)


def _unpaid(session: Session, events: Sequence[Event]) -> dict[int, Happening]:
    """Tell that a finished card page came to nothing, unless nothing is left to be paid by now.

    What was paid and given back is told whatever is due: the family's own money moved.
    """
    balances = _balances(session, events[0].school_id, {event.subject_id for event in events})

    def moot(event: Event, bill: BillBalance) -> Silence | None:
        if event.facts["by"] != BY_CARD_FAILED:
            return None
        if bill.void:
            return Silence.WITHDRAWN
        return None if bill.rest else Silence.NOTHING_TO_PAY

    return _of_bills(Kind.CARD_UNPAID, events, balances, moot)


def _paid_again(session: Session, events: Sequence[Event]) -> set[int | None]:
    """Return the events whose lowered card payment stands with its former sum, or more, by now."""
    was, stands = aliased(Payment), aliased(Payment)
    gone = select(PaymentReversal.payment_id).where(col(PaymentReversal.payment_id) == col(stands.id))
    lowered = {event.facts["payment"]: event.id for event in events if event.facts.get("by", BY_BANK) != BY_BANK}
    rows = session.exec(
        select(was.id)
        .join(
            stands,
            (col(stands.school_id) == col(was.school_id))
            & (col(stands.source_kind) == col(was.source_kind))
            & (col(stands.source_id) == col(was.source_id)),
        )
        .where(
            col(was.id).in_([UUID(payment) for payment in lowered]),
            col(stands.amount) >= col(was.amount),
            ~gone.exists(),
        )
    ).all()
    return {lowered[str(payment)] for payment in rows}


def _balances(session: Session, school_id: UUID, bills: Collection[UUID]) -> dict[UUID, BillBalance]:
    found = bill_balances(session, col(Bill.school_id) == school_id, col(Bill.id).in_(bills))
    return {balance.bill_id: balance for balance in found}


def _of_bills(
    kind: Kind,
    events: Sequence[Event],
    balances: Mapping[UUID, BillBalance],
    moot: Callable[[Event, BillBalance], Silence | None],
) -> dict[int, Happening]:
    found = [(event, balances[event.subject_id]) for event in events]
    return {
        event.id: Happening(bill.pupil_id, Occasion(kind, bill.rest, moot=moot(event, bill)))
        for event, bill in found
        if event.id is not None
    }


def _received(session: Session, events: Sequence[Event]) -> dict[int, Happening]:
    rows = session.exec(
        select(Payment.id, Payment.pupil_id, col(PaymentReversal.payment_id).is_not(None))
        .outerjoin(PaymentReversal, col(PaymentReversal.payment_id) == col(Payment.id))
        .where(col(Payment.id).in_({event.subject_id for event in events}))
    ).all()
    payments = {
        payment_id: (pupil_id, Silence.TAKEN_BACK if taken_back else None) for payment_id, pupil_id, taken_back in rows
    }
    return {
        event.id: Happening(pupil_id, Occasion(Kind.PAYMENT_RECEIVED, ZERO, _paid_at(event), moot))
        for event in events
        if event.id is not None
        for pupil_id, moot in [payments[event.subject_id]]
    }


def _invited(kind: Kind, found: Mapping[int, Invited]) -> dict[int, Happening]:
    return {
        event_id: Happening(each.pupil_id, Occasion(kind, ZERO, moot=each.moot, last_day=each.last_day))
        for event_id, each in found.items()
    }


_MEANINGS = {
    CONTRACT_OFFERED: lambda session, events: _invited(Kind.CONTRACT_OFFERED, invited_to_contracts(session, events)),
    CHOICE_OFFERED: lambda session, events: _invited(Kind.CHOICE_OFFERED, invited_to_choose(session, events)),
    BILL_ISSUED: _issued,
    BILL_REMINDED: _reminded,
    BILL_VOIDED: _voided,
    BILL_CREDITED: _credited,
    CREDIT_USED: _used,
    PAYMENT_RECEIVED: _received,
    PAYMENT_TAKEN_BACK: _taken_back,
    CARD_UNPAID: _unpaid,
}


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
    return {
        (contact.guardian_id, via): contact
        for contact in rows
        for via, kind in CONTACT_KIND.items()
        if kind == contact.kind
    }


def _on(day: date, valid_from: date, valid_to: date | None) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return col(valid_from) <= day, or_(col(valid_to).is_(None), col(valid_to) >= day)


def _key(contact: Contact | None) -> bytes | None:
    return None if contact is None else contact.blind


def _paid_at(event: Event) -> datetime | None:
    told = event.facts.get("paid_at")
    return None if told is None else datetime.fromisoformat(told)
