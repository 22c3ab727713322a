"""Issuing a round: bills, book entries, payment requests and events of one school, in one transaction.

The charges are calculated again; only if they are, to the letter, what was previewed and approved are they written.
One transaction at a time issues for a school, and an issued round is left as it is, so running it twice, twice at
once, or again after a crash ends the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from uuid import UUID

from sqlalchemy import func, insert, text
from sqlmodel import Session, col, select

from billing.audit.recording import SYSTEM, record_deed
from billing.bills.tables import Bill
from billing.bills.writing import Issue, NewBill, NewLine, NewReduction, write_bills
from billing.errors import Conflict, Refused
from billing.events.recording import BILL_ISSUED
from billing.events.tables import Event
from billing.fees.charging import Charge, ChargeLine, split_by_account
from billing.fees.explaining import because_json
from billing.fees.items import Group, Payer
from billing.fees.preview import digest_of
from billing.fees.schedule import item_ids
from billing.ledger.accounts import FAMILY_RECEIVABLE, STATE_RECEIVABLE
from billing.ledger.posting import Fact, Line
from billing.ledger.posting_many import post_many
from billing.money import ZERO, Money
from billing.payments.requests import NewRequest, open_requests
from billing.payments.tables import PaymentRequest, PaymentRequestBill
from billing.rounds.calculating import Calculated, calculate
from billing.rounds.drafting import find_round, round_deed
from billing.rounds.tables import BillingRound
from billing.storage import money_sum, new_id

VIET_NAM = timezone(timedelta(hours=7), "ICT")
# One instant transfer takes less (NAPAS); a larger bill has to be cut into several rounds.
TOO_LARGE = Money(500_000_000)


@dataclass(frozen=True, slots=True)
class IssuedRound:
    """What stands after the issue: how many bills, how many of them cost the family nothing, requests, the sum."""

    bills: int
    covered: int
    requests: int
    family_total: Money


def issue_round(session: Session, round_id: UUID, now: datetime, reference_key: bytes) -> IssuedRound:
    """Issue an approved round and return what stands; an issued one is returned as it is.

    Raises ``Conflict`` when the round is not approved or would now charge anything else than what was approved, and
    ``Refused`` when a bill is too large for one transfer.
    """
    billing_round = _alone(session, round_id)
    if billing_round.state == "issued":
        return issued(session, billing_round)
    if billing_round.state != "approved":
        raise Conflict("Đợt thu chưa được duyệt nên chưa thể phát hành.", state=billing_round.state)
    calculated = calculate(session, billing_round)
    if bytes.fromhex(digest_of(calculated.charges)) != billing_round.preview_digest:
        raise Conflict(
            "Dữ liệu đã đổi sau khi duyệt (học sinh, đơn giá hoặc miễn giảm). Hãy xem trước và trình duyệt lại.",
            round=round_id,
        )
    made = _bills(session, billing_round, calculated)
    bills = [bill for bill, _ in made]
    _refuse_too_large(bills)
    issue = Issue(billing_round.school_id, billing_round.id, _period_text(billing_round), billing_round.due_on, now)
    write_bills(session, issue, bills)
    _post(session, billing_round, made, now)
    payees = {(bill.pupil_id, bill.bank_account_id) for bill in bills if bill.family_due}
    requests = open_requests(session, billing_round.school_id, payees, now, reference_key)
    _tell(session, billing_round, requests, now)
    billing_round.state = "issued"
    billing_round.issued_at = now
    session.add(billing_round)
    session.flush()
    done = issued(session, billing_round)
    deed = round_deed(billing_round, "round.issue")
    record_deed(session, SYSTEM, deed, now, bills=done.bills, family_total=done.family_total.dong)
    return done


def issued(session: Session, billing_round: BillingRound) -> IssuedRound:
    """Return what stands of an issued round, read from its bills."""
    bills, covered, family = session.exec(
        select(
            func.count(),
            func.count().filter(col(Bill.covered)),
            money_sum(Bill.family_due),
        ).where(Bill.school_id == billing_round.school_id, Bill.round_id == billing_round.id),
    ).one()
    requests = session.exec(
        select(func.count(func.distinct(PaymentRequest.id)))
        .join(PaymentRequestBill, col(PaymentRequestBill.request_id) == col(PaymentRequest.id))
        .join(Bill, col(Bill.id) == col(PaymentRequestBill.bill_id))
        .where(
            PaymentRequest.school_id == billing_round.school_id,
            Bill.round_id == billing_round.id,
            PaymentRequest.created_at == billing_round.issued_at,
        ),
    ).one()
    return IssuedRound(bills, covered, requests, family)


def _alone(session: Session, round_id: UUID) -> BillingRound:
    """Wait until nobody else issues for this school, then return the round as it stands."""
    school_id = find_round(session, round_id).school_id
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"issue {school_id}"})
    return find_round(session, round_id)


def _bills(session: Session, billing_round: BillingRound, calculated: Calculated) -> list[tuple[NewBill, Charge]]:
    """Make a bill for each pupil and account, with its charge, in the order of classes, numbered without a gap."""
    ids = item_ids(session, billing_round.school_id)
    prefix = f"TB{billing_round.period_from:%y%m}-"
    number = _last_number(session, billing_round.school_id, prefix)
    made = []
    for charge in sorted(calculated.charges, key=lambda each: _place(each, calculated)):
        pupil = calculated.pupils[charge.pupil_id]
        for account, part in split_by_account(charge).items():
            number += 1
            bill = NewBill(
                id=new_id(),
                number=f"{prefix}{number:06d}",
                enrolment_id=pupil.enrolment_id,
                pupil_id=charge.pupil_id,
                class_id=pupil.class_id,
                bank_account_id=UUID(account),
                lines=tuple(_new_line(line, ids) for line in part.lines),
            )
            made.append((bill, part))
    return made


def _place(charge: Charge, calculated: Calculated) -> tuple[int, str, UUID]:
    facts = calculated.pupils[charge.pupil_id].facts
    return facts.grade, facts.class_name, charge.pupil_id


def _last_number(session: Session, school_id: UUID, prefix: str) -> int:
    """Return the last bill number of this series; voided bills keep theirs."""
    last = session.exec(
        select(func.max(Bill.number)).where(Bill.school_id == school_id, col(Bill.number).startswith(prefix))
    ).one()
    return int(last.removeprefix(prefix)) if last else 0


def _new_line(line: ChargeLine, ids: dict[str, UUID]) -> NewLine:
    return NewLine(
        item_id=ids[line.item.code],
        item_code=line.item.code,
        item_name=line.item.name,
        unit=line.item.unit.value,
        quantity=line.quantity,
        unit_price=line.unit_price,
        gross=line.gross,
        family_share=line.family_share,
        reductions=tuple(
            NewReduction(
                reduction_id=_row_id(each.reduction.id),
                payer=each.reduction.payer.value,
                amount=each.amount,
                title=each.reduction.title,
                legal_basis=each.reduction.legal_basis,
                percent=each.reduction.percent,
            )
            for each in line.reductions
        ),
        because=because_json(line.because),
    )


def _row_id(reduction_id: str) -> UUID | None:
    """Return the stored reduction's id; a rule of law (public tuition) is nobody's row and has none."""
    try:
        return UUID(reduction_id)
    except ValueError:
        return None


def _refuse_too_large(bills: Sequence[NewBill]) -> None:
    large = [bill.number for bill in bills if bill.family_due >= TOO_LARGE]
    if large:
        raise Refused(
            f"Giấy báo {', '.join(large)} từ {TOO_LARGE} trở lên, vượt hạn mức một lần chuyển khoản. Hãy chia thành"
            " nhiều đợt thu.",
            bills=large,
        )


def _period_text(billing_round: BillingRound) -> str:
    """Return ``Tháng 10/2025`` for days within one month, else the round's name."""
    first, last = billing_round.period_from, billing_round.period_to
    if (first.year, first.month) == (last.year, last.month):
        return f"Tháng {first.month}/{first.year}"
    return billing_round.name


def _post(session: Session, billing_round: BillingRound, made: Sequence[tuple[NewBill, Charge]], now: datetime) -> None:
    """Post each bill: the family owes its share; the State owes its own, except where it pays the insurer itself."""
    day = now.astimezone(VIET_NAM).date()
    facts = [
        (
            Fact(billing_round.school_id, "bill_issued", str(bill.id), day, bill.number),
            list(_postings(bill, charge)),
        )
        for bill, charge in made
    ]
    post_many(session, billing_round.school_id, facts, now)


def _postings(bill: NewBill, charge: Charge) -> Iterator[Line]:
    for line in charge.lines:
        income, code = line.item.revenue_account, line.item.code
        yield Line(FAMILY_RECEIVABLE, income, line.family_share, bill.pupil_id, code, bill.id)
        state = ZERO if line.item.group is Group.PASS_THROUGH else line.share(Payer.STATE)
        yield Line(STATE_RECEIVABLE, income, state, bill.pupil_id, code, bill.id)


def _tell(
    session: Session,
    billing_round: BillingRound,
    requests: Sequence[NewRequest],
    now: datetime,
) -> None:
    """Append one event for each request: notices are written from these."""
    if not requests:
        return
    session.execute(
        insert(Event),
        [
            {
                "school_id": billing_round.school_id,
                "kind": BILL_ISSUED,
                "subject_id": request.id,
                "facts": {
                    "round": str(billing_round.id),
                    "bills": [str(bill) for bill in request.bill_ids],
                    "amount": request.amount.dong,
                },
                "occurred_at": now,
            }
            for request in requests
        ],
    )
