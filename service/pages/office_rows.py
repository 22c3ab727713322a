"""The office's home and its list of bills, from rows of one school."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import sqlalchemy
from sqlalchemy import BigInteger, and_, cast, func, type_coerce
from sqlmodel import Session, col, select

from billing.bills.tables import Bill, BillVoid
from billing.ledger.tables import BankAccount
from billing.money import ZERO, Money, total
from billing.payments.balances import due_by, moved_by_bill, paid_by, rest_by
from billing.payments.grace import Muted, muted
from billing.payments.tables import PaymentRequest, PaymentRequestBill
from billing.people.names import NO_CLASS, search_key, sort_key
from billing.people.tables import ClassGroup, Pupil, PupilCode
from billing.rounds.tables import BillingRound
from billing.storage import MoneyColumn, money_sum
from reconciliation.daily_check import NOT_ON_ACCOUNT, bank_net, book_net
from reconciliation.tables import Transfer
from service.pages import trouble_rows
from service.pages.card_waiting import cards_waiting
from service.pages.views import BillList, BillQuery, BillRow, OfficeBillState, OfficeHome

PAGE_SIZE = 100
WAITING_STATES = ("held", "waiting")
_LOCAL = timezone(timedelta(hours=7))


def office_home(session: Session, school_id: UUID, now: datetime) -> OfficeHome:
    """Return what came in today, what waits, and bank against book."""
    today = now.astimezone(_LOCAL).date()
    arrived = (Transfer.school_id == school_id, Transfer.direction == "in", Transfer.value_date == today)
    known = col(Transfer.state).not_in(NOT_ON_ACCOUNT)
    day_count, day_sum = session.exec(
        select(func.count(), money_sum(Transfer.amount)).select_from(Transfer).where(*arrived, known)
    ).one()
    waiting = (Transfer.school_id == school_id, col(Transfer.state).in_(WAITING_STATES), Transfer.direction == "in")
    wait_count, wait_sum, oldest = session.exec(
        select(func.count(), money_sum(Transfer.amount), func.min(Transfer.recorded_at)).where(*waiting)
    ).one()
    open_count, open_sum = _open_bills(session, school_id)
    rounds = session.exec(
        select(func.count()).where(BillingRound.school_id == school_id, BillingRound.state == "submitted")
    ).one()
    bank, book = bank_and_book(session, school_id, today)
    return OfficeHome(
        received_today=day_sum,
        received_today_count=day_count,
        waiting_count=wait_count,
        waiting_amount=wait_sum,
        waiting_oldest=oldest,
        bank_balance=bank,
        book_balance=book,
        open_bills=open_count,
        open_amount=open_sum,
        rounds_to_approve=rounds,
        unread_messages=trouble_rows.unread(session, school_id, now),
        unsure_messages=trouble_rows.unsure(session, school_id, now),
        cards=cards_waiting(session, school_id, now),
    )


def bank_and_book(session: Session, school_id: UUID, day: date) -> tuple[Money, Money]:
    """Return what the bank tells and what our book says to the end of a day, over all accounts of a school."""
    accounts = session.exec(select(BankAccount).where(BankAccount.school_id == school_id)).all()
    bank = total(bank_net(session, account, day) for account in accounts)
    return bank, total(book_net(session, account, day) for account in accounts)


def _open_bills(session: Session, school_id: UUID) -> tuple[int, Money]:
    moved = moved_by_bill()
    rest = rest_by(moved)
    query: Any = (
        select(func.count(), type_coerce(cast(func.coalesce(func.sum(rest), 0), BigInteger), MoneyColumn))
        .select_from(Bill)
        .outerjoin(moved, moved.c.bill_id == Bill.id)
        .outerjoin(BillVoid, col(BillVoid.bill_id) == col(Bill.id))
        .where(Bill.school_id == school_id, col(BillVoid.bill_id).is_(None), rest > 0)
    )
    count, amount = session.exec(query).one()
    return count, amount


def bill_list(session: Session, school_id: UUID, query: BillQuery, today: date) -> BillList:
    """Return one page of bills in the order of class lists; words are looked for without marks."""
    rows = [row for row in _bill_rows(session, school_id, today) if _wanted(row, query)]
    rows.sort(key=lambda row: (row.class_name, sort_key(row.pupil), row.number))
    first = (query.page - 1) * PAGE_SIZE
    live = [row for row in rows if row.state is not OfficeBillState.VOID]
    return BillList(
        query=query,
        rows=tuple(rows[first : first + PAGE_SIZE]),
        total=len(rows),
        page_size=PAGE_SIZE,
        due=total(row.due for row in live),
        received=total(row.received for row in live),
    )


def _wanted(row: BillRow, query: BillQuery) -> bool:
    if query.state is not None and row.state is not query.state:
        return False
    words = search_key(query.words).split()
    text = search_key(f"{row.pupil} {row.pupil_code} {row.class_name} {row.number} {row.reference}")
    return all(word in text for word in words)


def _bill_rows(session: Session, school_id: UUID, today: date) -> list[BillRow]:
    moved, time = moved_by_bill(), muted(session, school_id, None, today)
    reference = (
        select(PaymentRequestBill.bill_id, func.max(PaymentRequest.reference).label("reference"))
        .join(PaymentRequest, col(PaymentRequest.id) == col(PaymentRequestBill.request_id))
        .group_by(col(PaymentRequestBill.bill_id))
        .subquery()
    )
    code = (
        select(PupilCode.pupil_id, func.max(PupilCode.code).label("code")).group_by(col(PupilCode.pupil_id)).subquery()
    )
    query = (
        sqlalchemy.select(
            col(Bill.number),
            col(Pupil.full_name),
            func.coalesce(code.c.code, ""),
            func.coalesce(col(ClassGroup.code), NO_CLASS),
            col(BillingRound.name),
            type_coerce(due_by(moved), MoneyColumn),
            type_coerce(paid_by(moved), MoneyColumn),
            col(Bill.due_on),
            col(BillVoid.bill_id).is_not(None),
            func.coalesce(reference.c.reference, ""),
            col(Bill.round_id),
            col(Bill.pupil_id),
            col(Bill.id),
        )
        .join(Pupil, col(Pupil.id) == col(Bill.pupil_id))
        .outerjoin(
            ClassGroup, and_(col(ClassGroup.id) == col(Bill.class_id), col(ClassGroup.school_id) == Bill.school_id)
        )
        .join(BillingRound, col(BillingRound.id) == col(Bill.round_id))
        .outerjoin(code, code.c.pupil_id == Bill.pupil_id)
        .outerjoin(moved, moved.c.bill_id == Bill.id)
        .outerjoin(reference, reference.c.bill_id == Bill.id)
        .outerjoin(BillVoid, col(BillVoid.bill_id) == col(Bill.id))
        .where(col(Bill.school_id) == school_id)
    )
    return [_bill_row(time, *columns) for columns in session.execute(query).all()]


def _bill_row(time: Muted, *columns: Any) -> BillRow:  # noqa: ANN401  one row of the query above, in its order
    number, pupil, code, class_name, title, due, received, due_on, void, reference, round_id, pupil_id, bill_id = (
        columns
    )
    return BillRow(
        number=number,
        pupil=pupil,
        pupil_code=code,
        class_name=class_name,
        round_title=title,
        due=due,
        received=received,
        due_on=due_on,
        state=_state(due, received, void=void),
        reference=reference,
        link=f"/van-phong/dot-thu/{round_id}/hoc-sinh/{pupil_id}",
        more_time=time.until(pupil_id, bill_id) if due > received and not void else None,
    )


def _state(due: Money, received: Money, *, void: bool) -> OfficeBillState:
    if void:
        return OfficeBillState.VOID
    if due == ZERO:
        return OfficeBillState.COVERED
    if received >= due:
        return OfficeBillState.PAID
    return OfficeBillState.PART_PAID if received else OfficeBillState.OPEN
