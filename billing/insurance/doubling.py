"""Double cover: a family shows another card after buying, and the months that it covers are given back.

One step asks for the credit note (another person approves it), and from then on nothing more is collected for the year.
What was paid is then the pupil's credit under this item, and is asked back like any other; the next list takes the
months off.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.cards.entering import NewCard, enter_cards
from billing.cards.months import covered_from, doubled
from billing.cards.tables import InsuranceCard
from billing.credits.payee import Payee
from billing.credits.reading import free_credit
from billing.credits.refunding import Wanted, ask_refund
from billing.credits.tables import Refund
from billing.errors import Conflict, NotAllowed, NotFound, Refused
from billing.fees.insurance import INSURANCE_ITEM
from billing.insurance.buying import Purchase, purchases
from billing.insurance.tables import InsuranceDouble
from billing.money import ZERO, Money
from billing.rounds.correcting import Lowering, propose_credit
from billing.rounds.tables import CorrectionDecision
from billing.vault import Vault

REASON = "Trùng thẻ BHYT"


@dataclass(frozen=True, slots=True)
class OtherCard:
    """The card that the family shows: the pupil, the year, from which day it is valid, why it has it, its number."""

    pupil_id: UUID
    year: int
    valid_from: date
    reason: str
    number: str = ""


@dataclass(frozen=True, slots=True)
class GivenBack:
    """What of one line is given back: the last months, and what of the family's share they come to."""

    purchase: Purchase
    months: int
    amount: Money


def doubled_months(session: Session, school_id: UUID, card: OtherCard) -> list[GivenBack]:
    """Return what another card covers in full of what was bought, a line at a time; nothing for what was given back."""
    found = []
    for each in purchases(session, school_id, card.year):
        if each.pupil_id != card.pupil_id:
            continue
        months = doubled(each.first_month, each.months_kept, covered_from(card.valid_from))
        if months:
            after = each.amounts.part(each.months_kept - months, each.months)
            found.append(GivenBack(each, months, each.kept.family - after.family))
    return found


def show_other_card(  # noqa: PLR0913, PLR0917  a deed, what it is about, its moment
    session: Session, vault: Vault, actor: Actor, school_id: UUID, card: OtherCard, now: datetime
) -> list[InsuranceDouble]:
    """Write the other card down and ask for the doubled months to be taken off the bills.

    The corrections say no more than that cards are doubled. Raises ``Conflict`` while an earlier one is undecided, and
    what asking for a correction raises.
    """
    if actor.user_id is None:
        raise NotAllowed("Việc ghi trùng thẻ BHYT phải do một người có tên làm.")
    if card.valid_from.year > card.year:
        raise Refused(f"Thẻ kia có giá trị từ sau năm {card.year}; không trùng với BHYT năm này.")
    _refuse_undecided(session, school_id, card)
    backs = doubled_months(session, school_id, card)
    said = NewCard(card.pupil_id, card.year, card.reason, number=card.number)
    enter_cards(session, vault, actor, school_id, [said], now, judge=_lets_go)
    made = [_double(session, actor, actor.user_id, school_id, card, back, now) for back in backs]
    session.add_all(made)
    session.flush()
    deed = Deed(school_id, "insurance.double", "pupil", str(card.pupil_id))
    record_deed(session, actor, deed, now, year=card.year, months=sum(each.months for each in made))
    return made


def doubles_of(session: Session, school_id: UUID, pupil_id: UUID) -> list[tuple[InsuranceDouble, str]]:
    """Return what was asked back for a pupil and where it stands: *waiting*, *approved* or *rejected*."""
    rows = session.exec(
        select(InsuranceDouble, CorrectionDecision)
        .outerjoin(CorrectionDecision, col(CorrectionDecision.correction_id) == col(InsuranceDouble.correction_id))
        .where(InsuranceDouble.school_id == school_id, InsuranceDouble.pupil_id == pupil_id)
        .order_by(col(InsuranceDouble.made_at))
    ).all()
    return [(row, _stands(row, decision)) for row, decision in rows]


def ask_back(  # noqa: PLR0913, PLR0917  a deed and its moment
    session: Session, vault: Vault, actor: Actor, school_id: UUID, pupil_id: UUID, now: datetime
) -> Refund:
    """Ask for the pupil's credit under this item to be given back; raises ``NotFound`` when there is none."""
    free = free_credit(session, school_id, {pupil_id}).get((pupil_id, INSURANCE_ITEM), ZERO)
    if not free:
        raise NotFound("Em này không có tiền BHYT nào để hoàn.", pupil=pupil_id)
    wanted = Wanted(pupil_id, INSURANCE_ITEM, free, Payee())
    return ask_refund(session, vault, actor, school_id, [wanted], REASON, now)


def _double(  # noqa: PLR0913, PLR0917  what makes one row
    session: Session, actor: Actor, maker: UUID, school_id: UUID, card: OtherCard, back: GivenBack, now: datetime
) -> InsuranceDouble:
    asked = None
    if back.amount:
        lowering = [Lowering(back.purchase.line_id, back.amount)]
        asked = propose_credit(session, actor, back.purchase.bill_id, lowering, REASON, now).id
    return InsuranceDouble(
        school_id=school_id,
        bill_line_id=back.purchase.line_id,
        pupil_id=card.pupil_id,
        year=card.year,
        valid_from=card.valid_from,
        months=back.months,
        amount=back.amount,
        correction_id=asked,
        made_by=maker,
        made_at=now,
    )


def _lets_go(held: InsuranceCard | None, made: InsuranceCard) -> None:
    """Let any card give way: what its bills hold is taken off by the corrections that are asked for."""
    del held, made


def _refuse_undecided(session: Session, school_id: UUID, card: OtherCard) -> None:
    if any(
        stands == "waiting" and row.year == card.year for row, stands in doubles_of(session, school_id, card.pupil_id)
    ):
        raise Conflict(
            "Đã có đề nghị ghi giảm vì trùng thẻ BHYT của em này đang chờ duyệt. Hãy duyệt hoặc từ chối trước."
        )


def _stands(row: InsuranceDouble, decision: CorrectionDecision | None) -> str:
    if row.correction_id is None:
        return "approved"
    if decision is None:
        return "waiting"
    return "approved" if decision.approved else "rejected"
