"""The page of money from abroad that arrives short, from rows of one school."""

from __future__ import annotations

import re
from datetime import date, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from billing.bills.tables import Bill
from billing.money import ZERO, Money
from billing.payments.balances import bill_balances
from billing.payments.reference import drop_marks
from billing.payments.relief_tables import Relief, ReliefDecision, ReliefEnd
from billing.payments.tables import Allocation, Payment, PaymentReversal
from billing.payments.writing_off import SHORTFALL
from billing.people.tables import Pupil
from reconciliation.payers import PayerKind
from reconciliation.shortfalls.limiting import limit_now, waiting_limit
from reconciliation.tables import Transfer
from service.access.tables import User
from service.pages.shortfall_views import AcceptedRow, AskedRow, LimitRow, ShortfallPage, ShortRow

SHOWN = 100
_LOOKED_BACK = timedelta(days=90)
# What banks write of money from abroad: the message, who bears the fees, the word for it.
_ABROAD = re.compile(r"\b(SWIFT|MT103|INWARD|REMITTANCE|OUR|SHA|BEN|TTR|KIEU HOI|NUOC NGOAI|UETR)\b")


def shortfall_page(session: Session, school_id: UUID, viewer: UUID, today: date) -> ShortfallPage:
    """Return what may be accepted within the limit, foreign money first, and what was accepted."""
    most = limit_now(session, school_id)
    return ShortfallPage(
        most=most,
        waiting=_waiting(session, school_id, viewer),
        rows=_shorts(session, school_id, most, today),
        accepted=_accepted(session, school_id),
        asked=_asked(session, school_id, viewer),
    )


def _shorts(session: Session, school_id: UUID, most: Money, today: date) -> tuple[ShortRow, ...]:
    if most == ZERO:
        return ()
    found = session.exec(
        select(Transfer, Allocation)
        .join(Payment, (col(Payment.school_id) == Transfer.school_id) & (col(Payment.source_id) == Transfer.id))
        .join(Allocation, (col(Allocation.school_id) == Payment.school_id) & (col(Allocation.payment_id) == Payment.id))
        .outerjoin(PaymentReversal, col(PaymentReversal.payment_id) == Payment.id)
        .where(
            Transfer.school_id == school_id,
            Payment.source_kind == "transfer",
            Transfer.value_date >= today - _LOOKED_BACK,
            col(PaymentReversal.payment_id).is_(None),
        )
    ).all()
    bills = {part.bill_id for _, part in found}
    balances = {
        each.bill_id: each
        for each in bill_balances(session, col(Bill.school_id) == school_id, col(Bill.id).in_(bills))
        if ZERO < each.rest <= most
    }
    asked = {row.transfer_id for row, *_ in _undecided(session, school_id)}
    names = _names(session, {each.pupil_id for each in balances.values()})
    rows = [
        ShortRow(
            transfer_id=str(transfer.id),
            bill_id=str(part.bill_id),
            day=transfer.value_date,
            memo=transfer.memo,
            pupil=names.get(balances[part.bill_id].pupil_id, "?"),
            bill=balances[part.bill_id].number,
            paid=part.amount,
            rest=balances[part.bill_id].rest,
            foreign=speaks_of_abroad(transfer),
        )
        for transfer, part in found
        if part.bill_id in balances and transfer.id not in asked
    ]
    return tuple(sorted(rows, key=lambda row: (not row.foreign, row.day, row.bill))[:SHOWN])


def speaks_of_abroad(transfer: Transfer) -> bool:
    """Tell whether payer or memo speak of a bank abroad: a hint for whoever decides, no rule."""
    words = re.sub(r"[^A-Z0-9]+", " ", drop_marks(transfer.memo).upper())
    return transfer.payer_kind == PayerKind.REMITTANCE.value or _ABROAD.search(words) is not None


def _undecided(session: Session, school_id: UUID) -> list[tuple[Relief, str, str, str]]:
    """Return what waits for another person, oldest first, with pupil, bill and who asked."""
    decided = select(ReliefDecision.relief_id).where(ReliefDecision.relief_id == Relief.id)
    rows = session.exec(
        select(Relief, Pupil.full_name, Bill.number, User.full_name)
        .join(Pupil, col(Pupil.id) == Relief.pupil_id)
        .join(Bill, (col(Bill.school_id) == Relief.school_id) & (col(Bill.id) == Relief.bill_id))
        .join(User, col(User.id) == Relief.made_by)
        .where(Relief.school_id == school_id, Relief.kind == SHORTFALL, ~decided.exists())
        .order_by(col(Relief.made_at), col(Relief.id))
    ).all()
    return list(rows)


def _asked(session: Session, school_id: UUID, viewer: UUID) -> tuple[AskedRow, ...]:
    rows = _undecided(session, school_id)
    wanted = {row.transfer_id for row, *_ in rows}
    query = select(Transfer).where(Transfer.school_id == school_id, col(Transfer.id).in_(wanted))
    transfers = {each.id: each for each in session.exec(query).all()}
    return tuple(
        AskedRow(
            relief_id=str(row.id),
            pupil=pupil,
            bill=number,
            amount=row.amount or ZERO,
            came=transfer.amount,
            memo=transfer.memo,
            paper=row.decision_number,
            reason=row.reason,
            by=by,
            at=row.made_at,
            own=row.made_by == viewer,
        )
        for row, pupil, number, by in rows
        if row.transfer_id is not None
        for transfer in [transfers[row.transfer_id]]
    )


def _accepted(session: Session, school_id: UUID) -> tuple[AcceptedRow, ...]:
    rows = session.exec(
        select(Relief, Pupil.full_name, Bill.number, User.full_name)
        .join(Pupil, col(Pupil.id) == Relief.pupil_id)
        .join(Bill, (col(Bill.school_id) == Relief.school_id) & (col(Bill.id) == Relief.bill_id))
        .join(User, col(User.id) == Relief.made_by)
        .join(ReliefDecision, col(ReliefDecision.relief_id) == Relief.id)
        .where(Relief.school_id == school_id, Relief.kind == SHORTFALL)
        .order_by(col(Relief.made_at).desc(), col(Relief.id).desc())
        .limit(SHOWN)
    ).all()
    shown = [row.id for row, *_ in rows]
    ended = set(session.exec(select(ReliefEnd.relief_id).where(col(ReliefEnd.relief_id).in_(shown))).all())
    decided = session.exec(select(ReliefDecision).where(col(ReliefDecision.relief_id).in_(shown))).all()
    decisions = {each.relief_id: each for each in decided}
    others = {each.decided_by for each in decided}
    seconds = dict(session.exec(select(User.id, User.full_name).where(col(User.id).in_(others))).all())
    return tuple(
        AcceptedRow(
            relief_id=str(row.id),
            pupil=pupil,
            bill=number,
            amount=row.amount or ZERO,
            paper=row.decision_number,
            reason=row.reason,
            by=by,
            at=row.made_at,
            stands=decision.approved and row.id not in ended,
            agreed_by=seconds.get(decision.decided_by, "") if decision.decided_by != row.made_by else "",
            refused=not decision.approved,
        )
        for row, pupil, number, by in rows
        for decision in [decisions[row.id]]
    )


def _waiting(session: Session, school_id: UUID, viewer: UUID) -> LimitRow | None:
    row = waiting_limit(session, school_id)
    if row is None:
        return None
    by = session.get_one(User, row.made_by).full_name
    return LimitRow(str(row.id), row.most, row.reason, by, own=row.made_by == viewer)


def _names(session: Session, pupils: set[UUID]) -> dict[UUID, str]:
    return dict(session.exec(select(Pupil.id, Pupil.full_name).where(col(Pupil.id).in_(pupils))).all())
