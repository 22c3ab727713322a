"""Whether the insurer's money adds up: collected = passed on + still held + given back, by the bills and by the book.

Two ways to the same sum. By the bills: what families paid for insurance, less what was given back, less approved
payouts. By the book: what the account of money held for others (3381) says under this item, less what is billed and not
paid. The lists are held against the bills, and every difference has a name.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from billing.cards.tables import InsuranceCard
from billing.fees.insurance import INSURANCE_ITEM
from billing.fees.insured import insurance_item
from billing.insurance.buying import Purchase, purchases
from billing.insurance.listing import told_to_insurer
from billing.insurance.tables import InsuranceList, InsurancePayout, InsurancePayoutStep
from billing.ledger.accounts import account_id
from billing.ledger.tables import Posting
from billing.money import ZERO, Money, total
from billing.storage import money_sum


@dataclass(frozen=True, slots=True)
class Tie:
    """The sums of one year. ``odd``: lines whose sum was changed otherwise than by months given back.

    ``book``: the account's balance under the item over all years; ``other_years``: what of it is other years'.
    """

    billed: Money
    unpaid: Money
    collected: Money
    given_back: Money
    passed_on: Money
    told: Money
    due: Money
    book: Money
    other_years: Money
    odd: tuple[Purchase, ...]

    @property
    def held(self) -> Money:
        """What is still held for the insurer, by the bills and payouts."""
        return self.collected - self.given_back - self.passed_on

    @property
    def held_in_book(self) -> Money:
        """What is still held, by the book."""
        return self.book - self.other_years - self.unpaid

    @property
    def difference(self) -> Money:
        """Book and bills apart; must be 0 đ."""
        return self.held_in_book - self.held

    @property
    def not_told(self) -> Money:
        """What paid bills come to beyond the lists that were sent: the next list holds it."""
        return self.due - self.told

    @property
    def to_pass_on(self) -> Money:
        """What the sent lists ask for beyond the payouts; below zero where too much was passed on."""
        return self.told - self.passed_on


def tie(session: Session, school_id: UUID, year: int) -> Tie:
    """Return the sums of a year."""
    bought = purchases(session, school_id, year)
    paid = [each for each in bought if each.settled]
    return Tie(
        billed=total(each.family_now for each in bought),
        unpaid=total(each.family_now for each in bought if not each.settled),
        collected=total(each.amounts.family - each.off_rest for each in paid),
        given_back=total(each.to_credit for each in paid),
        passed_on=_passed_on(session, school_id, year),
        told=told_to_insurer(session, school_id, year),
        due=total(each.kept.family for each in paid),
        book=_book(session, school_id),
        other_years=total(_left(session, school_id, other) for other in years(session, school_id) if other != year),
        odd=tuple(each for each in paid if each.kept.family != each.family_now),
    )


def years(session: Session, school_id: UUID) -> list[int]:
    """Return the calendar years for which the school knows of cards, the newest first."""
    query = select(InsuranceCard.year).where(InsuranceCard.school_id == school_id).distinct()
    return sorted(session.exec(query).all(), reverse=True)


def _left(session: Session, school_id: UUID, year: int) -> Money:
    """Return what the account holds for a year: billed and not passed on."""
    billed = total(each.family_now for each in purchases(session, school_id, year))
    return billed - _passed_on(session, school_id, year)


def _passed_on(session: Session, school_id: UUID, year: int) -> Money:
    """Return what approved payouts for lists of a year come to; what was undone counts no more."""
    undone = aliased(InsurancePayoutStep)
    return session.exec(
        select(money_sum(InsurancePayout.amount))
        .join(InsuranceList, col(InsuranceList.id) == col(InsurancePayout.list_id))
        .join(InsurancePayoutStep, col(InsurancePayoutStep.payout_id) == col(InsurancePayout.id))
        .outerjoin(undone, (col(undone.payout_id) == col(InsurancePayout.id)) & (col(undone.kind) == "undone"))
        .where(
            InsurancePayout.school_id == school_id,
            InsuranceList.year == year,
            InsurancePayoutStep.kind == "approved",
            col(undone.payout_id).is_(None),
        )
    ).one()


def _book(session: Session, school_id: UUID) -> Money:
    """Return the balance of the item's account, of postings under this item only."""
    item = insurance_item(session, school_id)
    if item is None:
        return ZERO
    account = account_id(session, school_id, item.revenue_account)
    of = Posting.school_id == school_id, Posting.item_code == INSURANCE_ITEM
    come = session.exec(select(money_sum(Posting.amount)).where(*of, Posting.credit_account_id == account)).one()
    gone = session.exec(select(money_sum(Posting.amount)).where(*of, Posting.debit_account_id == account)).one()
    return come - gone
