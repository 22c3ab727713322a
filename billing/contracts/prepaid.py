"""Prepaid lines of bills as the book has them: what came to a deferred account, and what is still there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from billing.contracts.reckoning import PrepaidLine
from billing.ledger.accounts import DEFERRED
from billing.money import Money


@dataclass(frozen=True, slots=True)
class Prepaid:
    """A line that was billed ahead: ``deferred`` is its balance in the book, ``released`` what became income.

    ``turns`` counts its releases, ``last`` is the month up to which there was one.
    """

    line_id: int
    bill_id: UUID
    number: str
    round_id: UUID
    pupil_id: UUID
    enrolment_id: UUID | None
    item_code: str
    item_name: str
    first: date
    months: int
    family: Money
    account: str
    deferred: Money
    released: Money
    turns: int
    last: date | None

    @property
    def net(self) -> Money:
        """What the line comes to after its credit notes."""
        return self.deferred + self.released

    @property
    def income(self) -> str:
        """The account of income that it becomes."""
        return self.account.removeprefix(DEFERRED)

    @property
    def reckoned(self) -> PrepaidLine:
        """The line as the rules take it."""
        return PrepaidLine(self.line_id, self.first, self.months, self.net, self.family)


# The book tells a line by its bill and item; a prepaid item has one line on a bill, for it knows no half months.
_PREPAID = text("""
    WITH moved AS (
        SELECT p.bill_id, p.item_code, a.code AS account,
               sum(CASE WHEN p.credit_account_id = a.id THEN p.amount ELSE -p.amount END)::bigint AS deferred
        FROM ledger_accounts a
        JOIN postings p ON p.school_id = a.school_id AND a.id IN (p.debit_account_id, p.credit_account_id)
        WHERE a.school_id = :school AND a.kind = 'deferred' GROUP BY 1, 2, 3
    ), released AS (
        SELECT r.line_id, sum(r.amount)::bigint AS amount, count(*) AS turns, max(r.month) AS last
        FROM income_releases r WHERE r.school_id = :school GROUP BY 1
    ), off AS (
        SELECT c.line_id, sum(c.off_rest + c.to_credit)::bigint AS amount
        FROM bill_credits c WHERE c.school_id = :school GROUP BY 1
    )
    SELECT l.id AS line_id, b.id AS bill_id, b.number, b.round_id, b.pupil_id, b.enrolment_id, l.item_code, l.item_name,
           (l.because #>> '{months,0,0}') AS month, l.quantity, l.family_share - coalesce(o.amount, 0) AS family,
           m.account, m.deferred, coalesce(r.amount, 0)::bigint AS released, coalesce(r.turns, 0) AS turns,
           r.last
    FROM moved m
    JOIN bills b ON b.school_id = :school AND b.id = m.bill_id
    JOIN bill_lines l ON l.school_id = :school AND l.bill_id = m.bill_id AND l.item_code = m.item_code
    LEFT JOIN released r ON r.line_id = l.id
    LEFT JOIN off o ON o.line_id = l.id
    WHERE cast(:enrolment AS uuid) IS NULL OR b.enrolment_id = :enrolment
    ORDER BY b.number, l.id
""")


def prepaid_lines(session: Session, school_id: UUID, enrolment_id: UUID | None = None) -> Sequence[Prepaid]:
    """Return all prepaid lines of a school, or those of one enrolment, by bill number."""
    session.flush()
    rows = session.execute(_PREPAID, {"school": school_id, "enrolment": enrolment_id})
    return [_prepaid(row) for row in rows]


def _prepaid(row: Any) -> Prepaid:  # noqa: ANN401  one row of the query above
    year, month = map(int, row.month.split("-"))
    return Prepaid(
        line_id=row.line_id,
        bill_id=row.bill_id,
        number=row.number,
        round_id=row.round_id,
        pupil_id=row.pupil_id,
        enrolment_id=row.enrolment_id,
        item_code=row.item_code,
        item_name=row.item_name,
        first=date(year, month, 1),
        months=row.quantity,
        family=Money(row.family),
        account=row.account,
        deferred=Money(row.deferred),
        released=Money(row.released),
        turns=row.turns,
        last=row.last,
    )
