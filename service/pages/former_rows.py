"""The pages of a former program's data, from rows of one school."""

from __future__ import annotations

import re
from datetime import date
from uuid import UUID

from sqlmodel import Session, col, select

from billing.errors import Refused
from billing.fees.tables import FeeItem
from billing.money import ZERO, Money
from billing.newyear.former import FormerPlan, decision_of, find_import, lines_kept
from billing.newyear.tables import FormerDecision, FormerImport
from billing.newyear.years import year_before
from billing.payments.receipts import school_year_of
from billing.people.sheet_pupils import read_pupils
from service.access.tables import User
from service.pages.newyear_views import FormerDetail, FormerLineRow, FormerPage, FormerRow, TypedFormer
from service.pages.typed import read_day, read_money

_SHOWN = 300
_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")


def former_page(session: Session, school_id: UUID, today: date) -> FormerPage:
    """Return the files, the newest first."""
    rows = session.exec(
        select(FormerImport, FormerDecision)
        .outerjoin(FormerDecision, col(FormerDecision.import_id) == col(FormerImport.id))
        .where(FormerImport.school_id == school_id)
        .order_by(col(FormerImport.made_at).desc())
    ).all()
    present = school_year_of(today)
    found = tuple(_row(session, row, decision) for row, decision in rows)
    return FormerPage(found, (present, year_before(present)), today)


def former_detail(session: Session, school_id: UUID, import_id: UUID, user_id: UUID) -> FormerDetail:
    """Return one file with its lines as they were understood; raises ``NotFound``."""
    row = find_import(session, school_id, import_id)
    decision, kept = decision_of(session, row), lines_kept(row)
    known = read_pupils(session, school_id, row.school_year).by_enrolment
    items = dict(session.exec(select(FeeItem.code, FeeItem.legal_name).where(FeeItem.school_id == school_id)).all())
    lines = tuple(
        FormerLineRow(
            line.line,
            known[line.enrolment_id].full_name,
            known[line.enrolment_id].class_code,
            line.old_code,
            items.get(line.item_code, line.item_code),
            line.due or None,
            line.credit or None,
        )
        for line in kept[:_SHOWN]
    )
    return FormerDetail(
        row=_row(session, row, decision),
        year=row.school_year,
        period=row.period,
        due_on=row.due_on,
        lines=lines,
        more=max(len(kept) - _SHOWN, 0),
        left_out=int(row.content.get("left_out", 0)),
        receipt_book=row.receipt_book or "",
        receipt_last=row.receipt_last,
        digest=row.digest.hex(),
        decided_by=_name(session, decision.decided_by) if decision else "",
        decided_at=decision.at if decision else None,
        reason=decision.reason if decision else "",
        round_id=str(decision.round_id) if decision and decision.round_id else "",
        own=row.made_by == user_id,
    )


def plan_typed(typed: TypedFormer) -> FormerPlan:
    """Return what is typed beside the file; raises ``Refused`` for what cannot be read."""
    month, due_on = _MONTH.fullmatch(typed.period.strip()), read_day(typed.due_on)
    if month is None or due_on is None:
        raise Refused("Hãy chọn tháng mà số còn phải nộp tính đến, và hạn nộp.")
    last = typed.receipt_last.strip()
    if last and not re.fullmatch(r"[0-9]{1,9}", last):
        raise Refused(f"“{last}” không phải số biên lai. Hãy ghi số cuối cùng đã dùng, ví dụ 1250.")
    return FormerPlan(
        school_year=typed.year,
        program=typed.program,
        period=date(int(month[1]), int(month[2]), 1),
        due_on=due_on,
        due=_money(typed.due),
        credit=_money(typed.credit),
        receipt_book=typed.receipt_book.strip() if last else "",
        receipt_last=int(last) if last else None,
    )


def _money(text: str) -> Money:
    return read_money(text) if text.strip() else ZERO


def _row(session: Session, row: FormerImport, decision: FormerDecision | None) -> FormerRow:
    state = "waiting" if decision is None else "approved" if decision.approved else "rejected"
    maker = _name(session, row.made_by)
    return FormerRow(str(row.id), row.program, maker, row.made_at, row.due, row.credit, state)


def _name(session: Session, user_id: UUID) -> str:
    user = session.get(User, user_id)
    return user.full_name if user else ""
