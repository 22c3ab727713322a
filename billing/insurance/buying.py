"""What is bought for a calendar year, read from the bills: months and amounts by payer, and whether they are paid.

A bill's line says in which month it was collected; the card that counted when the bill was issued says for which year,
and from which month on. A bill is paid as a whole: its insurance counts as paid once nothing of it is open.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, or_, select

from billing.bills.tables import Bill, BillCredit, BillLine, BillReduction, BillVoid
from billing.cards.months import Stretch
from billing.cards.reading import cards_ever, stretches_of
from billing.cards.tables import InsuranceCard
from billing.fees.insurance import INSURANCE_ITEM, PROVINCE_PAYS, STATE_PAYS
from billing.insurance.parting import Amounts
from billing.insurance.tables import InsuranceDouble
from billing.money import ZERO, Money, total
from billing.payments.balances import BillBalance, bill_balances
from billing.rounds.tables import CorrectionDecision
from billing.storage import money_sum


@dataclass(frozen=True, slots=True)
class Purchase:
    """One line of a live bill: which months of a year it buys, for whom, who carries what, and what became of it.

    ``months_off``: given back since, because another card covers them; ``off_rest`` and ``to_credit``: what came off
    the family's share before and after it was paid. ``settled``: nothing of the bill is open, be it paid or covered by
    others; what was written off is not paid. ``parts``: the months as they were bought together.
    """

    line_id: int
    bill_id: UUID
    number: str
    pupil_id: UUID
    class_id: UUID
    first_month: date
    months: int
    amounts: Amounts
    settled: bool
    off_rest: Money = ZERO
    to_credit: Money = ZERO
    months_off: int = 0
    parts: tuple[Stretch, ...] = ()

    @property
    def months_kept(self) -> int:
        """The months that the insurer is told of."""
        return self.months - self.months_off

    @property
    def kept(self) -> Amounts:
        """What these months come to, by payer."""
        return self.amounts.part(self.months_kept, self.months)

    @property
    def family_now(self) -> Money:
        """What the family carries after its credit notes."""
        return self.amounts.family - self.off_rest - self.to_credit


def purchases(session: Session, school_id: UUID, year: int) -> list[Purchase]:
    """Return what is bought for a year, in the order of the bills' lines; bills that were taken back are left out."""
    cards = cards_ever(session, school_id, year)
    rows = _lines(session, school_id, cards.keys())
    found = []
    lines = [line.id or 0 for line, _ in rows]
    shares, offs = _shares(session, school_id, lines), _offs(session, school_id, lines)
    doubles = _doubles(session, school_id, lines)
    balances = _balances(session, school_id, {bill.id for _, bill in rows})
    for line, bill in rows:
        stretches = bought_by(line.because, bill, cards[bill.pupil_id])
        if not stretches or bill.class_id is None:  # a deposit, of no class, insures nobody
            continue
        key = line.id or 0
        found.append(
            Purchase(
                line_id=key,
                bill_id=bill.id,
                number=bill.number,
                pupil_id=bill.pupil_id,
                class_id=bill.class_id,
                first_month=min(each.first for each in stretches),
                months=sum(each.months for each in stretches),
                amounts=_amounts(line, shares.get(key, ())),
                settled=not balances[bill.id].rest and not balances[bill.id].written_off,
                off_rest=offs.get(key, (ZERO, ZERO))[0],
                to_credit=offs.get(key, (ZERO, ZERO))[1],
                months_off=doubles.get(key, 0),
                parts=tuple(stretches),
            )
        )
    return found


def bought_by(because: Mapping[str, Any], bill: Bill, cards: Sequence[InsuranceCard]) -> list[Stretch]:
    """Return which months a line bought, by the card that counted when its bill was issued."""
    collected = {str(each[0]) for each in because.get("months", ())}
    for card in cards:
        over = card.withdrawn_at is not None and card.withdrawn_at < bill.issued_at
        if card.made_at <= bill.issued_at and not over:
            found = [each for each in stretches_of(card) if f"{each.collected_in:%Y-%m}" in collected]
            if found:
                return found
    return []


def _lines(session: Session, school_id: UUID, pupils: Collection[UUID]) -> Sequence[tuple[BillLine, Bill]]:
    return session.exec(
        select(BillLine, Bill)
        .join(Bill, (col(Bill.school_id) == BillLine.school_id) & (col(Bill.id) == BillLine.bill_id))
        .outerjoin(BillVoid, col(BillVoid.bill_id) == col(Bill.id))
        .where(
            BillLine.school_id == school_id,
            BillLine.item_code == INSURANCE_ITEM,
            col(BillVoid.bill_id).is_(None),
            col(Bill.pupil_id).in_(list(pupils)),
        )
        .order_by(col(BillLine.id))
    ).all()


def _balances(session: Session, school_id: UUID, bills: Collection[UUID]) -> dict[UUID, BillBalance]:
    found = bill_balances(session, col(Bill.school_id) == school_id, col(Bill.id).in_(list(bills)))
    return {balance.bill_id: balance for balance in found}


def _shares(session: Session, school_id: UUID, lines: Sequence[int]) -> dict[int, list[tuple[str, Money]]]:
    rows = session.exec(
        select(col(BillReduction.line_id), col(BillReduction.title), col(BillReduction.amount)).where(
            BillReduction.school_id == school_id, col(BillReduction.line_id).in_(lines)
        )
    ).all()
    found: dict[int, list[tuple[str, Money]]] = defaultdict(list)
    for line, title, amount in rows:
        found[line].append((title, amount))
    return found


def _amounts(line: BillLine, shares: Sequence[tuple[str, Money]]) -> Amounts:
    def of(*titles: str) -> Money:
        return total(amount for title, amount in shares if title in titles)

    state, province = of(STATE_PAYS), of(PROVINCE_PAYS)
    return Amounts(state, province, line.gross - line.family_share - state - province, line.family_share)


def _offs(session: Session, school_id: UUID, lines: Sequence[int]) -> dict[int, tuple[Money, Money]]:
    rows = session.exec(
        select(col(BillCredit.line_id), money_sum(BillCredit.off_rest), money_sum(BillCredit.to_credit))
        .where(BillCredit.school_id == school_id, col(BillCredit.line_id).in_(lines))
        .group_by(col(BillCredit.line_id))
    ).all()
    return {line: (off_rest, to_credit) for line, off_rest, to_credit in rows}


def _doubles(session: Session, school_id: UUID, lines: Sequence[int]) -> dict[int, int]:
    """Return by line the months that were given back for good."""
    query = (
        select(col(InsuranceDouble.bill_line_id), func.sum(col(InsuranceDouble.months)))
        .outerjoin(CorrectionDecision, col(CorrectionDecision.correction_id) == col(InsuranceDouble.correction_id))
        .where(
            InsuranceDouble.school_id == school_id,
            col(InsuranceDouble.bill_line_id).in_(lines),
            or_(col(InsuranceDouble.correction_id).is_(None), col(CorrectionDecision.approved).is_(True)),
        )
    )
    return {line: int(months) for line, months in session.exec(query.group_by(col(InsuranceDouble.bill_line_id))).all()}
