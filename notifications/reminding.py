"""Reminders of open bills: a school says on which days, and once a day it is looked whose day it is.

A reminder is an event, as a notice is: who is told, by which channel and not before when follows the same rules, also
whether it still makes sense when it is sent. Nobody is reminded where the school has set nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, or_, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.bills.tables import Bill, BillInstalment, BillVoid
from billing.errors import NotAllowed
from billing.events.recording import BILL_REMINDED, record_events
from billing.payments.balances import BillBalance, request_balances
from billing.payments.grace import Muted, muted
from billing.payments.tables import PaymentRequest, PaymentRequestBill
from billing.rounds.tables import BillingRound
from notifications.announced import asked_anew
from notifications.reminder_days import check_days, day_meant
from notifications.tables import ReminderDay, ReminderRule

# Schools that remind and were not looked at today, between 8 and 20 o'clock (Viet Nam); ``since``: 8 o'clock. A day
# that was missed stays so: a reminder of yesterday is wrong today.
TO_REMIND = """
    SELECT r.school_id, (l.now::date + time '08:00') AT TIME ZONE 'Asia/Ho_Chi_Minh' AS since
    FROM (SELECT CAST(:now AS timestamptz) AT TIME ZONE 'Asia/Ho_Chi_Minh' AS now) l
    CROSS JOIN (SELECT DISTINCT ON (school_id) school_id, days FROM reminder_rules ORDER BY school_id, id DESC) r
    WHERE jsonb_array_length(r.days) > 0 AND l.now::time BETWEEN time '08:00' AND time '20:00'
    AND NOT EXISTS (SELECT FROM reminder_days d WHERE d.school_id = r.school_id AND d.day = l.now::date)"""
_SCHOOLS = text(f"SELECT school_id FROM ({TO_REMIND}) AS open ORDER BY school_id")  # noqa: S608  our own literal
# Deposits of contracts are nobody's debt; a child that does not come pays none.
_REMINDED_KINDS = ("regular", "supplementary", "opening")


def schools_to_remind(session: Session, now: datetime) -> list[UUID]:
    """Return the schools whose families are to be reminded now, of all that are seen."""
    return list(session.execute(_SCHOOLS, {"now": now}).scalars())


def days_now(session: Session, school_id: UUID) -> tuple[int, ...]:
    """Return on which days from the due day on a school reminds: what was set last, nothing before."""
    newest = session.exec(
        select(ReminderRule).where(ReminderRule.school_id == school_id).order_by(col(ReminderRule.id).desc()).limit(1)
    ).first()
    return tuple(newest.days) if newest else ()


def set_days(session: Session, school_id: UUID, days: Collection[int], actor: Actor, now: datetime) -> ReminderRule:
    """Set the days from now on (none: nobody is reminded); raises ``Refused`` for days that make no sense."""
    if actor.user_id is None:
        raise NotAllowed("Ngày nhắc phải do một người có tên đặt.")
    rule = ReminderRule(school_id=school_id, days=list(check_days(days)), made_by=actor.user_id, at=now)
    session.add(rule)
    session.flush()
    record_deed(session, actor, Deed(school_id, "reminder.set", "school", str(school_id)), now, days=rule.days)
    return rule


def last_days(session: Session, school_id: UUID, most: int = 10) -> list[ReminderDay]:
    """Return what came of the last days on which it was looked, newest first."""
    query = select(ReminderDay).where(ReminderDay.school_id == school_id).order_by(col(ReminderDay.day).desc())
    return list(session.exec(query.limit(most)).all())


def to_remind(
    balances: Sequence[BillBalance], time: Muted, pupil_id: UUID, today: date, days: Collection[int]
) -> date | None:
    """Return the due day of which a family is reminded today, or nothing; ``balances`` are the bills of one request.

    Of what is open only the part that is asked for counts, so no later instalment. Nothing is said while any of the
    open bills has more time: the message would ask for their sum.
    """
    open_ = [balance for balance in balances if balance.rest]
    if any(time.grace(pupil_id, balance.bill_id) for balance in open_):
        return None
    return day_meant((balance.asked(today).due_on for balance in open_), today, days)


def remind(
    session: Session, school_id: UUID, today: date, on_its_way: Collection[UUID], now: datetime
) -> ReminderDay | None:
    """Write a reminder for each family whose day it is; None when this day was looked at before.

    ``on_its_way``: requests for which money has come that is not settled yet; they are left alone.
    """
    if session.get(ReminderDay, (school_id, today)) is not None:
        return None
    found = _due(session, school_id, today, days_now(session, school_id))
    told = {request: by for request, by in found.items() if request not in on_its_way}
    facts = ((request, {"day": today.isoformat(), "by": by.isoformat()}) for request, by in told.items())
    record_events(session, school_id, BILL_REMINDED, facts, now)
    day = ReminderDay(school_id=school_id, day=today, reminded=len(told), muted=len(found) - len(told), at=now)
    session.add(day)
    session.flush()
    return day


def _due(session: Session, school_id: UUID, today: date, days: tuple[int, ...]) -> dict[UUID, date]:
    """Return the requests of which families are reminded today, each with the due day that is meant."""
    if not days:
        return {}
    requests = _asking(session, school_id, [today - timedelta(days=day) for day in days])
    balances = request_balances(session, school_id, list(requests))
    newer = asked_anew(session, school_id, balances)
    time = muted(session, school_id, {row.pupil_id for row in requests.values()}, today)
    return {
        key: by
        for key, row in sorted(requests.items())
        if key not in newer and (by := to_remind(balances[key], time, row.pupil_id, today, days)) is not None
    }


def _asking(session: Session, school_id: UUID, due: Collection[date]) -> dict[UUID, PaymentRequest]:
    """Return the requests over bills, or instalments of bills, that are due on some days."""
    parts = select(BillInstalment.bill_id).where(
        BillInstalment.school_id == school_id, col(BillInstalment.due_on).in_(due)
    )
    bills = (
        select(Bill.id)
        .join(BillingRound, (col(BillingRound.school_id) == Bill.school_id) & (col(BillingRound.id) == Bill.round_id))
        .outerjoin(BillVoid, col(BillVoid.bill_id) == col(Bill.id))
        .where(
            Bill.school_id == school_id,
            or_(col(Bill.due_on).in_(due), col(Bill.id).in_(parts)),
            col(BillingRound.kind).in_(_REMINDED_KINDS),
            col(BillVoid.bill_id).is_(None),
        )
    )
    rows = session.exec(
        select(PaymentRequest)
        .join(PaymentRequestBill, col(PaymentRequestBill.request_id) == col(PaymentRequest.id))
        .where(PaymentRequest.school_id == school_id, col(PaymentRequestBill.bill_id).in_(bills))
    ).all()
    return {row.id: row for row in rows}
