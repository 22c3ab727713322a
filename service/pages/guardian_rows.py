"""The explanation of a bill in the full view, and registrations, read from rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.bills.explained import BilledFacts, bill_facts
from billing.bills.tables import Bill
from billing.fees.explaining import explain
from billing.payments.balances import BillBalance
from billing.people.contact_sheet import RELATION_WORDS
from billing.people.names import masked
from billing.people.tables import ClassGroup, ClassPlacement, Enrolment, Pupil, School
from service.access.guardian_codes import MOST_TRIES, is_open
from service.access.guardian_tables import GuardianCode, RegistrationLink
from service.access.registration_forms import relation_word
from service.access.registrations import Waiting
from service.pages.family_rows import period_name
from service.pages.guardian_views import FullBill, FullLine, RegisterPage, SentCode, WaitingContact
from service.pages.typed import school_day
from service.pages.views import SchoolFace


def full_bills(session: Session, school_id: UUID, balances: Sequence[BillBalance], language: str) -> list[FullBill]:
    """Return live bills with the explanation of every line, also of those that others pay in whole."""
    bills = {balance.bill_id: balance for balance in balances if not balance.void}
    rows = session.exec(
        select(Bill)
        .where(Bill.school_id == school_id, col(Bill.id).in_(bills))
        .order_by(col(Bill.due_on), col(Bill.number))
    ).all()
    facts = bill_facts(session, school_id, bills)
    return [
        FullBill(
            number=bill.number,
            period=period_name(bill.period),
            gross=bill.gross,
            due=bills[bill.id].due,
            lines=tuple(_line(each, language) for each in facts[bill.id]),
            lowered=bill.family_due - bills[bill.id].due,
            leftover=bills[bill.id].leftover,
            rest=bills[bill.id].rest,
        )
        for bill in rows
    ]


def sent_code(session: Session, row: GuardianCode, now: datetime) -> SentCode:
    """Return what a page says of a code that was sent."""
    return SentCode(
        code_id=str(row.id),
        masked=row.contact_masked,
        kind=row.contact_kind,
        minutes=max(1, -(-int((row.expires_at - now).total_seconds()) // 60)),
        tries_left=MOST_TRIES - row.tries,
        open=is_open(session, row, now),
        school=school_face(session, row.school_id),
    )


def register_page(session: Session, link: RegistrationLink, kinds: frozenset[str]) -> RegisterPage:
    """Return the registration form of a child."""
    pupil = session.get_one(Pupil, link.pupil_id)
    relations = tuple((relation.value, word) for relation, word in RELATION_WORDS.items())
    return RegisterPage(school_face(session, link.school_id), masked(pupil.full_name), relations, kinds)


def waiting_contacts(session: Session, found: Sequence[Waiting], now: datetime) -> tuple[WaitingContact, ...]:
    """Return registrations as the office sees them; the contact stays masked."""
    classes = _classes(session, {each.row.pupil_id for each in found}, now)
    return tuple(
        WaitingContact(
            registration_id=str(each.row.id),
            pupil=each.pupil_name,
            class_name=classes.get(each.row.pupil_id, ""),
            full_name=each.row.full_name,
            relation=relation_word(each.row.relation),
            kind=each.row.kind,
            masked=each.row.masked,
            since=each.row.made_at,
        )
        for each in found
    )


def school_face(session: Session, school_id: UUID) -> SchoolFace:
    """Return the school as families know it."""
    school = session.get_one(School, school_id)
    return SchoolFace(school.name, school.phone, school.address)


def _line(facts: BilledFacts, language: str) -> FullLine:
    row, line = facts
    said = explain(line, "en" if language == "en" else "vi")
    note = (row.note,) if row.note else ()
    return FullLine(said.name, line.family_share, (*said.sentences, *note))


def _classes(session: Session, pupils: set[UUID], now: datetime) -> dict[UUID, str]:
    """Return the class in which each pupil is today."""
    today = school_day(now)
    rows = session.exec(
        select(Enrolment.pupil_id, ClassGroup.code)
        .join(ClassPlacement, col(ClassPlacement.enrolment_id) == col(Enrolment.id))
        .join(ClassGroup, col(ClassGroup.id) == col(ClassPlacement.class_id))
        .where(
            col(Enrolment.pupil_id).in_(pupils),
            Enrolment.state == "studying",
            col(ClassPlacement.valid_from) <= today,
            col(ClassPlacement.valid_to).is_(None) | (col(ClassPlacement.valid_to) >= today),
        )
        .order_by(col(ClassPlacement.valid_from))
    ).all()
    return dict(rows)
