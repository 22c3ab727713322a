"""What a bank may have taken back, and who says so, from rows of one school."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from billing.storage import among
from reconciliation.reversing.asking import open_reversals
from reconciliation.tables import Transfer
from service.access.tables import User
from service.pages.money_out_views import ReversalRow

MOST_CHOICES = 20
_LOOKED_BACK = timedelta(days=180)  # banks ask for a recall within months


def credited(session: Session, outs: Sequence[Transfer]) -> dict[UUID, tuple[tuple[str, str], ...]]:
    """Return money in that the bank may have taken back by each money out: its sum and account, the newest first."""
    if not outs:
        return {}
    rows = session.exec(
        select(Transfer)
        .where(
            Transfer.school_id == outs[0].school_id,
            among(Transfer.bank_account_id, {out.bank_account_id for out in outs}),
            col(Transfer.amount).in_({out.amount for out in outs}),
            Transfer.direction == "in",
            col(Transfer.state).in_(["matched", "waiting"]),
            Transfer.value_date >= min(out.value_date for out in outs) - _LOOKED_BACK,
        )
        .order_by(col(Transfer.value_date).desc(), col(Transfer.id))
    ).all()
    return {
        out.id: tuple((str(row.id), _words(row)) for row in rows if _may_be(row, out))[:MOST_CHOICES] for out in outs
    }


def _may_be(row: Transfer, out: Transfer) -> bool:
    same = row.bank_account_id == out.bank_account_id and row.amount == out.amount
    return same and out.value_date - _LOOKED_BACK <= row.value_date <= out.value_date


def _words(row: Transfer) -> str:
    return f"{row.value_date:%d/%m/%Y} · {row.memo or '—'} · {row.bank_reference or row.provider_id}"


def reversal_rows(session: Session, school_id: UUID, viewer: UUID | None) -> tuple[ReversalRow, ...]:
    """Return what waits for another person, oldest first."""
    rows = []
    for asked in open_reversals(session, school_id):
        out, came = (session.get_one(Transfer, each) for each in (asked.out_id, asked.came_id))
        by = session.get_one(User, asked.made_by).full_name
        own = asked.made_by == viewer
        undoes = asked.undoes is not None
        about = (came.amount, came.value_date, came.memo, out.value_date)
        rows.append(ReversalRow(str(asked.id), *about, asked.reason, by, own, undoes))
    return tuple(rows)
