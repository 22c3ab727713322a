"""A small school that bills health insurance pupil by pupil: cards, rounds, payments, and one calendar."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from billing.bills.tables import Bill, BillLine, BillReduction
from billing.cards.entering import Entered, NewCard
from billing.fees.insurance import INSURANCE_ITEM
from billing.fees.items import Span
from billing.insurance.changing import change_cards
from billing.insurance.listing import Draft, draft_list, send_list
from billing.insurance.opening import open_item
from billing.insurance.tables import InsuranceList
from billing.insurance.tying import Tie, tie
from billing.money import Money, total
from billing.rounds.correcting import approve_correction
from billing.rounds.issuing import issue_round
from billing.rounds.tables import Correction
from billing.vault import Vault
from service.database import Database
from tests.billing.credits.credit_world import School, make_school
from tests.factories.rounds import REFERENCE_KEY, approved_round

NUMBER = "HS4757512345678"
MONTH, STATE, FAMILY = Money(105_300), Money(52_650), Money(52_650)


@dataclass
class Insuring:
    """The school, with a clock that goes on by a minute at each deed."""

    school: School

    @contextmanager
    def open(self) -> Iterator[Session]:
        """Open a transaction a minute later."""
        self.school.now += timedelta(minutes=1)
        with self.school.open() as session:
            yield session

    def buys(self, child: int = 0, year: int = 2025, **said: Any) -> NewCard:  # noqa: ANN401  fields of a card
        """Return that a child buys at school, collected in October 2025 unless said otherwise."""
        return NewCard(self.school.pupil(child), year, **{"collected_in": date(2025, 10, 1), **said})

    def enter(self, session: Session, *cards: NewCard) -> Entered:
        school = self.school
        return change_cards(session, school.vault, school.billing.accountant, school.id, cards, school.now)

    def bill_month(self, session: Session, month: int, year: int = 2025) -> UUID:
        """Issue the round of a month; it is found again under its number."""
        last = calendar.monthrange(year, month)[1]
        days = Span(date(year, month, 1), date(year, month, last))
        made = approved_round(session, self.school.billing, self.school.now, days, f"{year}-{month:02d}")
        issue_round(session, made, self.school.now, REFERENCE_KEY)
        self.school.rounds[month] = made
        return made

    def line(self, session: Session, month: int, child: int = 0) -> BillLine | None:
        """Return the line of insurance on a child's bill of a month."""
        return session.exec(
            select(BillLine)
            .join(Bill, col(Bill.id) == col(BillLine.bill_id))
            .where(
                Bill.round_id == self.school.rounds[month],
                Bill.pupil_id == self.school.pupil(child),
                BillLine.item_code == INSURANCE_ITEM,
            )
        ).one_or_none()

    def by_others(self, session: Session, line: BillLine) -> dict[str, int]:
        """Return what others carry of a line, by the title under which they do."""
        rows = session.exec(select(BillReduction).where(BillReduction.line_id == line.id)).all()
        return {row.title: row.amount.dong for row in rows}

    def draft(self, session: Session, year: int = 2025) -> Draft:
        return draft_list(session, self.school.vault, self.school.id, year)

    def send(self, session: Session, year: int = 2025) -> InsuranceList:
        school, shown = self.school, self.draft(session, year).digest
        return send_list(session, school.vault, school.billing.accountant, school.id, year, shown, school.now)

    def tie(self, session: Session, year: int = 2025) -> Tie:
        """Return the sums of a year, which must tie."""
        found = tie(session, self.school.id, year)
        assert found.difference == Money(0)
        assert found.collected == found.passed_on + found.held + found.given_back
        assert found.billed == found.unpaid + found.collected - found.given_back
        return found

    def approve(self, session: Session, correction_id: UUID) -> None:
        approve_correction(session, correction_id, self.school.billing.approver, self.school.now, REFERENCE_KEY)

    def corrections(self, session: Session) -> list[Correction]:
        return list(session.exec(select(Correction)).all())


def family(*draft: Draft) -> Money:
    """Return what families pay by these lists."""
    return total(each.sums.family for each in draft)


def make_insuring(database: Database, vault: Vault, now: datetime, pupils: int = 3) -> Insuring:
    """Make the school; its one sum for everybody is withdrawn, the item by pupil is opened."""
    school = make_school(database, vault, now, pupils)
    with school.open() as session:
        session.execute(
            text(
                "UPDATE fee_prices SET withdrawn_at = :now WHERE item_id IN"
                " (SELECT id FROM fee_items WHERE school_id = :school AND code = 'BHYT-3T')"
            ),
            {"now": now, "school": school.id},
        )
        billing = school.billing
        open_item(session, billing.school, billing.account.id, billing.accountant, date(2025, 9, 1), now)
    return Insuring(school)
