"""The lines of bills with all that the full view says of them: shares, payers, legal bases, evidence, credit notes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from billing.bills.tables import BillCredit, BillLine, BillReduction
from billing.fees.explaining import CreditFacts, LineFacts, ShareFacts
from billing.fees.items import Payer
from billing.fees.tables import FeeItem, Reduction

SCHOOL_TIME = ZoneInfo("Asia/Ho_Chi_Minh")
BilledFacts = tuple[BillLine, LineFacts]


def bill_facts(session: Session, school_id: UUID, bills: Collection[UUID]) -> defaultdict[UUID, list[BilledFacts]]:
    """Return the lines of bills in their order, each as billed and as the views take it, by bill."""
    lines = session.exec(
        select(BillLine, FeeItem)
        .join(FeeItem, col(FeeItem.id) == col(BillLine.item_id))
        .where(BillLine.school_id == school_id, col(BillLine.bill_id).in_(bills))
        .order_by(col(BillLine.position))
    ).all()
    shares = _shares(session, school_id, [line.id or 0 for line, _ in lines])
    notes = _credits(session, school_id, bills)
    found: defaultdict[UUID, list[BilledFacts]] = defaultdict(list)
    for line, item in lines:
        facts = LineFacts(
            item_name=line.item_name,
            unit=line.unit,
            quantity=line.quantity,
            unit_price=line.unit_price,
            gross=line.gross,
            family_share=line.family_share,
            because=line.because,
            shares=tuple(shares[line.id or 0]),
            legal_basis=item.legal_basis,
            credits=tuple(notes[line.id or 0]),
        )
        found[line.bill_id].append((line, facts))
    return found


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
