"""What a bank may have taken back, and who says so, from rows of one school."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from billing.payments.reference import fold_memo
from billing.payments.tables import Payment, PaymentReversal
from billing.people.names import search_key
from billing.people.tables import Pupil
from billing.storage import among
from reconciliation.reversing.asking import SHORTEST_NUMBER, open_reversals
from reconciliation.tables import Transfer
from service.access.tables import User
from service.pages.money_out_views import Credited, ReversalRow, Sought

MOST_CHOICES = 20
_LOOKED_BACK = timedelta(days=180)  # banks ask for a recall within months


def credited(session: Session, outs: Sequence[Transfer], sought: Sought) -> dict[UUID, Credited]:
    """Return money in that the bank may have taken back by each money out: its sum and account.

    What the memo of the money out names comes first, then the newest. Of one money out only what fits ``sought``.
    """
    rows = _came(session, outs) if outs else ()
    if not rows:
        return {}
    paid = _paid(session, outs[0].school_id, [row.id for row in rows])
    words = {row.id: _words(row, paid.get(row.id, "")) for row in rows}
    found = {}
    for out in outs:
        fit = sorted((row for row in rows if _may_be(row, out)), key=lambda row: not _is_hinted(row, out))
        told = sought.words if sought.transfer_id == str(out.id) else ""
        wanted = search_key(told).split()
        hits = [row.id for row in fit if all(word in search_key(words[row.id]) for word in wanted)]
        if fit:
            found[out.id] = Credited(tuple((str(key), words[key]) for key in hits[:MOST_CHOICES]), len(hits), told)
    return found


def _came(session: Session, outs: Sequence[Transfer]) -> Sequence[Transfer]:
    return session.exec(
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


def _may_be(row: Transfer, out: Transfer) -> bool:
    same = row.bank_account_id == out.bank_account_id and row.amount == out.amount
    return same and out.value_date - _LOOKED_BACK <= row.value_date <= out.value_date


def _is_hinted(row: Transfer, out: Transfer) -> bool:
    """Say whether the money out tells the number of the money in, as a whole word: it only comes first in the list."""
    told = {fold_memo(word) for word in f"{out.memo} {out.bank_reference or ''}".split()}
    numbers = (fold_memo(number or "") for number in (row.bank_reference, row.provider_id))
    return any(len(number) >= SHORTEST_NUMBER and number in told for number in numbers)


def _paid(session: Session, school_id: UUID, ids: Sequence[UUID]) -> dict[UUID, str]:
    """Return the names of the pupils whom transfers paid for, and who stand on them still."""
    rows = session.exec(
        select(Payment.source_id, Pupil.full_name)
        .join(Pupil, col(Pupil.id) == col(Payment.pupil_id))
        .outerjoin(PaymentReversal, col(PaymentReversal.payment_id) == col(Payment.id))
        .where(
            Payment.school_id == school_id,
            Payment.source_kind == "transfer",
            among(Payment.source_id, ids),
            col(PaymentReversal.payment_id).is_(None),
        )
        .order_by(col(Pupil.full_name))
    ).all()
    found: dict[UUID, list[str]] = {}
    for transfer, name in rows:
        found.setdefault(transfer, []).append(name)
    return {transfer: ", ".join(names) for transfer, names in found.items()}


def _words(row: Transfer, paid: str) -> str:
    number = row.bank_reference or row.provider_id
    return f"{row.value_date:%d/%m/%Y} · {paid or 'chưa ghi cho em nào'} · {row.memo or '—'} · {number}"


def reversal_rows(session: Session, school_id: UUID, viewer: UUID | None) -> tuple[ReversalRow, ...]:
    """Return what waits for another person, oldest first."""
    rows = []
    waiting = open_reversals(session, school_id)
    paid = _paid(session, school_id, [asked.came_id for asked in waiting]) if waiting else {}
    for asked in waiting:
        out, came = (session.get_one(Transfer, each) for each in (asked.out_id, asked.came_id))
        by = session.get_one(User, asked.made_by).full_name
        own = asked.made_by == viewer
        undoes = asked.undoes is not None
        about = (came.amount, came.value_date, came.memo, out.value_date)
        names = paid.get(asked.came_id, "")
        rows.append(ReversalRow(str(asked.id), *about, asked.reason, by, own, undoes, names))
    return tuple(rows)
