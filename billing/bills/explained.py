"""The lines of bills with all that the full view says of them: shares, payers, legal bases, evidence, credit notes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from billing.bills.tables import Bill, BillCredit, BillLine, BillReduction
from billing.fees.explaining import CreditFacts, LineFacts, ShareFacts
from billing.fees.items import Payer
from billing.fees.tables import FeeItem, FormerBasis, Reduction

SCHOOL_TIME = ZoneInfo("Asia/Ho_Chi_Minh")
BilledFacts = tuple[BillLine, LineFacts]


def bill_facts(session: Session, school_id: UUID, bills: Collection[UUID]) -> defaultdict[UUID, list[BilledFacts]]:
    """Return the lines of bills in their order, each as billed and as the views take it, by bill."""
    lines = session.exec(
        select(BillLine, col(Bill.issued_at), col(FeeItem.legal_basis))
        .join(Bill, (col(Bill.school_id) == BillLine.school_id) & (col(Bill.id) == BillLine.bill_id))
        .join(FeeItem, (col(FeeItem.school_id) == BillLine.school_id) & (col(FeeItem.id) == BillLine.item_id))
        .where(BillLine.school_id == school_id, col(BillLine.bill_id).in_(bills))
        .order_by(col(BillLine.position))
    ).all()
    shares = _shares(session, school_id, [line.id or 0 for line, _, _ in lines])
    former = _former_bases(session, school_id, {line.item_id for line, _, _ in lines})
    notes = _credits(session, school_id, bills)
    found: defaultdict[UUID, list[BilledFacts]] = defaultdict(list)
    for line, issued_at, basis in lines:
        facts = LineFacts(
            item_name=line.item_name,
            unit=line.unit,
            quantity=line.quantity,
            unit_price=line.unit_price,
            gross=line.gross,
            family_share=line.family_share,
            because=line.because,
            shares=tuple(shares[line.id or 0]),
            legal_basis=next((was for until, was in former[line.item_id] if until > issued_at), basis),
            credits=tuple(notes[line.id or 0]),
        )
        found[line.bill_id].append((line, facts))
    return found


def _former_bases(
    session: Session, school_id: UUID, items: Collection[UUID]
) -> defaultdict[UUID, list[tuple[datetime, str]]]:
    """Return the legal bases that items had, each with the moment until which it was the item's, oldest first."""
    rows = session.exec(
        select(FormerBasis)
        .where(FormerBasis.school_id == school_id, col(FormerBasis.item_id).in_(items))
        .order_by(col(FormerBasis.until), col(FormerBasis.id))
    ).all()
    bases: defaultdict[UUID, list[tuple[datetime, str]]] = defaultdict(list)
    for row in rows:
        bases[row.item_id].append((row.until, row.legal_basis))
    return bases


def _shares(session: Session, school_id: UUID, lines: Collection[int]) -> defaultdict[int, list[ShareFacts]]:
    rows = session.exec(
        select(BillReduction, Reduction.evidence)
        .outerjoin(Reduction, col(Reduction.id) == col(BillReduction.reduction_id))
        .where(BillReduction.school_id == school_id, col(BillReduction.line_id).in_(lines))
        .order_by(col(BillReduction.id))
    ).all()
    shares: defaultdict[int, list[ShareFacts]] = defaultdict(list)
    for share, evidence in rows:
        shares[share.line_id].append(
            ShareFacts(share.title, Payer(share.payer), share.amount, share.legal_basis, share.percent, evidence or "")
        )
    return shares


def _credits(session: Session, school_id: UUID, bills: Collection[UUID]) -> defaultdict[int, list[CreditFacts]]:
    """Return what credit notes lowered, by line and in their order, each on the day on which it was approved."""
    rows = session.exec(
        select(BillCredit)
        .where(BillCredit.school_id == school_id, col(BillCredit.bill_id).in_(bills))
        .order_by(col(BillCredit.at), col(BillCredit.id))
    ).all()
    notes: defaultdict[int, list[CreditFacts]] = defaultdict(list)
    for row in rows:
        day = row.at.astimezone(SCHOOL_TIME).date()
        notes[row.line_id].append(CreditFacts(day, row.off_rest + row.to_credit, row.off_state, row.reason))
    return notes
