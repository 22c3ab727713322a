"""Changing pupils' cards without billing a month twice, or never.

A month that a live bill holds stays with the bill until it is taken back or shown to be doubled; a month that is still
to be billed is collected where the pupil's bill is not issued yet. No bill is issued while cards are changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor
from billing.bills.tables import Bill, BillVoid
from billing.cards.entering import Entered, NewCard, enter_cards
from billing.cards.months import YEAR, later
from billing.cards.reading import stretches_of
from billing.cards.tables import InsuranceCard
from billing.errors import Conflict
from billing.insurance.buying import purchases
from billing.people.tables import Pupil
from billing.rounds.issuing import wait_for_issues
from billing.rounds.tables import BillingRound
from billing.storage import among
from billing.vault import Vault

_Held = Mapping[date, tuple[str, date]]
"""By month of insurance the number of the bill that holds it, and the month in which that was collected."""


class Billed:
    """What the bills of a school say against changes of cards; read once for all cards of a deed."""

    def __init__(self, session: Session, school_id: UUID) -> None:
        """Wait until nobody issues for the school; from then on nobody does until the transaction ends."""
        wait_for_issues(session, school_id)
        self._session, self._school_id = session, school_id
        self._years: dict[int, Mapping[UUID, _Held]] = {}

    def judge(self, held: InsuranceCard | None, made: InsuranceCard) -> None:
        """Raise ``Conflict`` when a card would bill a month a second time, let go of a billed one, or come too late."""
        billed = self._of_year(made.year).get(made.pupil_id, {})
        before, after = _plan(held), _plan(made)
        for month, (number, collected) in billed.items():
            if after.get(month) != collected and (month in after or month in before):
                raise Conflict(
                    f"Thông báo {number} đã thu BHYT tháng {month:%m/%Y} của em {self._name(made)}. Hãy thu hồi thông"
                    " báo đó trước nếu chưa nộp tiền; nếu gia đình có thẻ khác, ghi trùng thẻ ở trang thẻ của em.",
                    pupil=made.pupil_id,
                )
        # What stood so before is not judged again: a card's number comes long after its bill.
        late = [at for month, at in after.items() if month not in billed and before.get(month) != at]
        issued = issued_months(self._session, self._school_id, {made.pupil_id}) if late else set()
        if issued.intersection(late):
            raise self._too_late(made, min(issued.intersection(late)), issued)

    def _too_late(self, made: InsuranceCard, month: date, issued: Collection[date]) -> Conflict:
        free = next_open(issued, month)
        if free <= date(made.year, YEAR, 1):
            remedy = f"Hãy chọn thu từ tháng {free:%m/%Y}."
        else:
            remedy = f"Hãy thu hồi thông báo đó trước: sau nó không còn tháng nào của năm {made.year} để thu."
        return Conflict(
            f"Thông báo thu tháng {month:%m/%Y} của em {self._name(made)} đã phát hành. {remedy}", pupil=made.pupil_id
        )

    def _of_year(self, year: int) -> Mapping[UUID, _Held]:
        if year not in self._years:
            found: dict[UUID, dict[date, tuple[str, date]]] = defaultdict(dict)
            for each in purchases(self._session, self._school_id, year):
                months = [(later(part.first, n), part.collected_in) for part in each.parts for n in range(part.months)]
                for month, collected in sorted(months)[: each.months_kept]:  # the last ones were given back
                    found[each.pupil_id][month] = each.number, collected
            self._years[year] = found
        return self._years[year]

    def _name(self, card: InsuranceCard) -> str:
        return self._session.get_one(Pupil, card.pupil_id).full_name


def change_cards(  # noqa: PLR0913, PLR0917  a deed, what it is about, its moment
    session: Session, vault: Vault, actor: Actor, school_id: UUID, cards: Sequence[NewCard], now: datetime
) -> Entered:
    """Write down what is said of pupils where no bill stands in the way.

    Raises ``Conflict`` with the bill's number or the next month that can be billed, and what ``enter_cards`` raises.
    """
    return enter_cards(session, vault, actor, school_id, cards, now, judge=Billed(session, school_id).judge)


def issued_months(session: Session, school_id: UUID, pupils: Collection[UUID] | None = None) -> set[date]:
    """Return the months for which any of these pupils (of the whole school) has a live bill of a calculated round."""
    query = (
        select(col(BillingRound.period_from), col(BillingRound.period_to))
        .join(Bill, (col(Bill.school_id) == BillingRound.school_id) & (col(Bill.round_id) == BillingRound.id))
        .outerjoin(BillVoid, col(BillVoid.bill_id) == col(Bill.id))
        .where(
            BillingRound.school_id == school_id,
            col(BillingRound.kind).in_(("regular", "supplementary")),
            col(BillVoid.bill_id).is_(None),
        )
        .distinct()
    )
    if pupils is not None:
        query = query.where(among(Bill.pupil_id, pupils))
    found: set[date] = set()
    for first, last in session.exec(query).all():
        month = first.replace(day=1)
        while month <= last:
            found.add(month)
            month = later(month, 1)
    return found


def next_open(issued: Collection[date], day: date) -> date:
    """Return the first month, from the one of a day on, that is not issued."""
    month = day.replace(day=1)
    while month in issued:
        month = later(month, 1)
    return month


def _plan(card: InsuranceCard | None) -> dict[date, date]:
    """Return by month of insurance the month in which it is collected."""
    if card is None:
        return {}
    return {later(part.first, n): part.collected_in for part in stretches_of(card) for n in range(part.months)}
