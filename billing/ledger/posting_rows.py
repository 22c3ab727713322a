"""Writing the book for facts that stand in rows of the database already: nothing of them is sent once more.

The same rules as ``posting.post``; the caller says by a query what the facts are.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import LiteralString
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from billing.ledger.accounts import account_id
from billing.ledger.periods import dated, opens_on
from billing.ledger.posting import Line
from billing.loading import as_text, load_lines

_POSTINGS = {"lines": "int", "debit": "bigint", "credit": "bigint", "amount": "bigint", "item_code": "varchar(40)"}
# One statement, so that a posting finds the key of its entry without a search in the whole book.
_BEGIN: LiteralString = "WITH facts AS NOT MATERIALIZED ("
_INSERT: LiteralString = """), written AS (
        INSERT INTO journal_entries (school_id, kind, source_id, value_date, true_day, recorded_at, note)
        SELECT :school_id, :kind, f.source_id, :value_date, :true_day, :now, f.note
        FROM facts f
        WHERE EXISTS (SELECT FROM pg_temp.new_row_postings p WHERE p.lines = f.lines)
        ORDER BY f.place
        RETURNING id, source_id
    )
    INSERT INTO postings (school_id, entry_id, debit_account_id, credit_account_id, amount, pupil_id, item_code,
                          bill_id)
    SELECT :school_id, w.id, p.debit, p.credit, p.amount, f.pupil_id, p.item_code, f.bill_id
    FROM written w
    JOIN facts f ON f.source_id = w.source_id
    JOIN pg_temp.new_row_postings p ON p.lines = f.lines
"""

Numbered = tuple[int, Line]
"""A line with the number of the facts it is posted for: the ``lines`` of their rows."""


def post_rows(  # noqa: PLR0913, PLR0917  of which school, what kind, which facts and lines, of what day, and when
    session: Session,
    school_id: UUID,
    kind: str,
    facts: LiteralString,
    lines: Iterable[Numbered],
    day: date,
    now: datetime,
) -> None:
    """Write one entry for each row of ``facts``; the lines name neither pupil nor bill.

    ``facts`` is a query of ``place`` (their order), ``source_id`` (text), ``note``, ``pupil_id``, ``bill_id`` and
    ``lines``. Lines of 0 đ are left out, and a fact without any other line makes no entry. A fact posted before is
    refused by the database (``IntegrityError``), and then nothing of the transaction stands.
    """
    paying = [(number, line) for number, line in lines if line.amount]
    codes = {code for _, line in paying for code in (line.debit, line.credit)}
    accounts = {code: account_id(session, school_id, code) for code in sorted(codes)}
    at = dated(day, opens_on(session, school_id))
    texts = (
        f"{number}\t{accounts[line.debit]}\t{accounts[line.credit]}\t{line.amount.dong}\t{as_text(line.item_code)}\n"
        for number, line in paying
    )
    load_lines(session, "new_row_postings", _POSTINGS, texts, joined_by=["lines"])
    days = {"value_date": at.value_date, "true_day": at.true_day}
    session.execute(text(_BEGIN + facts + _INSERT), {"school_id": school_id, "kind": kind, "now": now, **days})
