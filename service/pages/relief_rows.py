"""The pages of relief from rows of one school."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from billing.bills.tables import Bill
from billing.errors import NotFound, Refused
from billing.money import Money, total
from billing.payments.balances import bill_balances
from billing.payments.grace import muted, parts_from
from billing.payments.relief_tables import Relief, ReliefDecision, ReliefEnd, ReliefPaper
from billing.payments.still_open import open_bills
from billing.payments.writing_off import SHORTFALL
from billing.people.names import search_key, sort_key
from billing.people.tables import Pupil
from service.access.tables import User
from service.pages.family_rows import period_name
from service.pages.relief_views import Debtor, OpenBillRow, ReliefList, ReliefPupil, ReliefRow
from service.pages.typed import read_day, read_money

_MOST_HITS = 50
_PART = re.compile(r"(\S+)\s*[:;,]?\s+(.+)")


def relief_list(session: Session, school_id: UUID, words: str, user_id: UUID) -> ReliefList:
    """Return pupils with something open that the words find (none for no words), and what was asked for."""
    return ReliefList(words, _debtors(session, school_id, words), _rows(session, school_id, user_id))


def relief_pupil(session: Session, school_id: UUID, pupil_id: UUID, user_id: UUID, today: date) -> ReliefPupil:
    """Return one pupil who was billed here; raises ``NotFound`` for anybody else."""
    billed = session.exec(select(Bill.id).where(Bill.school_id == school_id, Bill.pupil_id == pupil_id).limit(1))
    if billed.first() is None:
        raise NotFound("Trường chưa có thông báo thu nào của em này.")
    found = bill_balances(session, col(Bill.school_id) == school_id, col(Bill.pupil_id) == pupil_id)
    time = muted(session, school_id, [pupil_id], today)
    bills = tuple(
        OpenBillRow(
            str(each.bill_id), each.number, period_name(each.period), each.due_on, each.rest,
            time.until(pupil_id, each.bill_id),
        )
        for each in found
        if each.rest
    )  # fmt: skip
    name = session.get_one(Pupil, pupil_id).full_name
    return ReliefPupil(str(pupil_id), name, bills, _rows(session, school_id, user_id, pupil_id), today)


def read_parts(typed: str) -> tuple[tuple[date, Money], ...]:
    """Return the lines ``2025-11-15 200.000`` (or ``15/11/2025: 200.000``) as days and sums; raises ``Refused``."""
    parts = []
    for line in filter(None, map(str.strip, typed.splitlines())):
        found = _PART.fullmatch(line)
        day = read_day(_iso(found[1])) if found else None
        if found is None or day is None:
            raise Refused(f"“{line}” không đọc được. Mỗi dòng ghi ngày rồi số tiền, ví dụ: 15/11/2025 200.000")
        parts.append((day, read_money(found[2])))
    return tuple(parts)


def _iso(day: str) -> str:
    found = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})[:;,]?", day)
    return f"{found[3]}-{found[2]:0>2}-{found[1]:0>2}" if found else day.rstrip(":;,")


def _debtors(session: Session, school_id: UUID, words: str) -> tuple[Debtor, ...]:
    if not words:
        return ()
    billed = select(Bill.pupil_id).where(Bill.school_id == school_id)
    names = dict(session.exec(select(Pupil.id, Pupil.full_name).where(col(Pupil.id).in_(billed))).all())
    wanted = search_key(words).split()
    hits = [key for key, name in names.items() if all(word in search_key(name) for word in wanted)]
    rests: dict[UUID, list[Money]] = defaultdict(list)
    for bill in open_bills(session, school_id, hits):
        rests[bill.pupil_id].append(bill.rest)
    found = [Debtor(str(key), names[key], total(of), len(of)) for key, of in rests.items()]
    return tuple(sorted(found, key=lambda each: sort_key(each.name))[:_MOST_HITS])


def _rows(session: Session, school_id: UUID, user_id: UUID, pupil_id: UUID | None = None) -> tuple[ReliefRow, ...]:
    """Return reliefs, those that wait first, then the newest."""
    query: Any = (
        select(Relief, Pupil.full_name, User.full_name, ReliefDecision)
        .join(Pupil, col(Pupil.id) == col(Relief.pupil_id))
        .join(User, col(User.id) == col(Relief.made_by))
        .outerjoin(ReliefDecision, col(ReliefDecision.relief_id) == col(Relief.id))
        .where(Relief.school_id == school_id, Relief.kind != SHORTFALL)  # those have a page of their own
        .order_by(col(ReliefDecision.relief_id).is_not(None), col(Relief.id).desc())
        .limit(200)
    )
    if pupil_id is not None:
        query = query.where(Relief.pupil_id == pupil_id)
    found = session.exec(query).all()
    ids = [row.id for row, *_ in found]
    ended = set(session.exec(select(ReliefEnd.relief_id).where(col(ReliefEnd.relief_id).in_(ids))).all())
    numbers = _numbers(session, [row.bill_id for row, *_ in found if row.bill_id])
    papers = _papers(session, ids)
    return tuple(
        _row(row, pupil, maker, numbers, papers, _stands(decision, ended=row.id in ended), row.made_by == user_id)
        for row, pupil, maker, decision in found
    )


def _numbers(session: Session, bills: Sequence[UUID]) -> dict[UUID, str]:
    return dict(session.exec(select(Bill.id, Bill.number).where(col(Bill.id).in_(bills))).all())


def _papers(session: Session, reliefs: Sequence[UUID]) -> dict[UUID, list[tuple[str, str]]]:
    found: dict[UUID, list[tuple[str, str]]] = defaultdict(list)
    query = select(ReliefPaper.relief_id, ReliefPaper.id, ReliefPaper.name).where(
        col(ReliefPaper.relief_id).in_(reliefs)
    )
    for relief, paper, name in session.exec(query.order_by(col(ReliefPaper.id))).all():
        found[relief].append((str(paper), name))
    return found


def _stands(decision: ReliefDecision | None, *, ended: bool) -> str:
    if decision is None:
        return "waiting"
    return "ended" if ended else "approved" if decision.approved else "refused"


def _row(  # noqa: PLR0913, PLR0917  what stands in one row
    row: Relief,
    pupil: str,
    maker: str,
    numbers: dict[UUID, str],
    papers: dict[UUID, list[tuple[str, str]]],
    stands: str,
    mine: bool,  # noqa: FBT001  as above
) -> ReliefRow:
    return ReliefRow(
        relief_id=str(row.id),
        kind=row.kind,
        pupil_id=str(row.pupil_id),
        pupil=pupil,
        number=numbers.get(row.bill_id, "") if row.bill_id else "",
        until=row.until,
        parts=parts_from(row),
        amount=row.amount,
        decision=row.decision_number,
        decided_on=row.decided_on,
        reason=row.reason,
        maker=maker,
        made_at=row.made_at,
        stands=stands,
        mine=mine,
        papers=tuple(papers.get(row.id, ())),
    )
