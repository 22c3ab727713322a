"""Issuing a round: bills, book entries, payment requests and events of one school, in one transaction.

The charges are calculated again; only if they are, to the letter, what was previewed and approved are they written.
One transaction at a time issues for a school, and an issued round is left as it is, so running it twice, twice at
once, or again after a crash ends the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import count
from operator import itemgetter
from uuid import UUID

from sqlalchemy import func, text
from sqlmodel import Session, col, select

from billing.audit.recording import SYSTEM, record_deed
from billing.bills.booking import book_bills
from billing.bills.instalments import shares_from
from billing.bills.tables import Bill
from billing.bills.writing import Issue, NewBill, NewLine, NewReduction, write_bills
from billing.credits.using import Occasion, tell_used, use_credit
from billing.errors import Conflict
from billing.fees.charges import ChargeLine, PupilFacts
from billing.fees.charging import split_by_account
from billing.fees.explaining import because_json
from billing.fees.items import Group, Payer
from billing.fees.pupils import BilledPupil
from billing.fees.schedule import item_ids
from billing.ledger.accounts import FAMILY_RECEIVABLE, STATE_RECEIVABLE
from billing.ledger.posting import Line
from billing.money import ZERO, Money, total
from billing.payments.requests import tell_of_requests, told_of, write_requests
from billing.payments.tables import PaymentRequest, PaymentRequestBill
from billing.rounds.calculating import Calculated, calculate, round_digest
from billing.rounds.drafting import find_round, round_deed
from billing.rounds.tables import ISSUED_STATES, BillingRound
from billing.storage import money_sum, new_ids

VIET_NAM = timezone(timedelta(hours=7), "ICT")

Made = tuple[NewBill, tuple[ChargeLine, ...]]
"""A bill to be written, and the lines of the charge that it is made from."""
_Part = tuple[UUID, tuple[ChargeLine, ...], tuple[NewLine, ...]]
"""The lines of one beneficiary account, as charged and as written."""


@dataclass(frozen=True, slots=True)
class IssuedRound:
    """What stands after the issue: how many bills, how many of them cost the family nothing, requests, the sum."""

    bills: int
    covered: int
    requests: int
    family_total: Money


def issue_round(session: Session, round_id: UUID, now: datetime, reference_key: bytes) -> IssuedRound:
    """Issue an approved round and return what stands; an issued one is returned as it is.

    Raises ``Conflict`` when the round is not approved or would now charge anything else than what was approved.
    """
    billing_round = alone(session, round_id)
    if billing_round.state in ISSUED_STATES:
        return issued(session, billing_round)
    if billing_round.state != "approved":
        raise Conflict("Đợt thu chưa được duyệt nên chưa thể phát hành.", state=billing_round.state)
    calculated = calculate(session, billing_round, contacts=False)
    if bytes.fromhex(round_digest(calculated.charges, billing_round)) != billing_round.preview_digest:
        raise Conflict(
            "Dữ liệu đã đổi sau khi duyệt (học sinh, đơn giá hoặc miễn giảm). Hãy xem trước và trình duyệt lại.",
            round=round_id,
        )
    made = _bills(session, billing_round, calculated)
    requests = put_out(session, billing_round, made, now, reference_key)
    billing_round.state = "issued"
    billing_round.issued_at = now
    session.add(billing_round)
    session.flush()
    done = _as_made(made, requests)
    deed = round_deed(billing_round, "round.issue")
    record_deed(session, SYSTEM, deed, now, bills=done.bills, family_total=done.family_total.dong)
    return done


def put_out(
    session: Session, billing_round: BillingRound, made: Sequence[Made], now: datetime, reference_key: bytes
) -> int:
    """Write bills with all that follows from them: entries in the book, use of credit, payment requests, events.

    Returns how many requests were opened.
    """
    bills = [bill for bill, _ in made]
    issue = Issue(
        school_id=billing_round.school_id,
        round_id=billing_round.id,
        period=_period_text(billing_round),
        due_on=billing_round.due_on,
        issued_at=now,
        shares=shares_from(billing_round.instalments),
    )
    write_bills(session, issue, bills)
    _post(session, billing_round, made, now)
    school_id = billing_round.school_id
    occasion = Occasion(school_id=school_id, round_id=billing_round.id)
    used = use_credit(session, occasion, [bill.pupil_id for bill in bills], now)
    settled = {each.use.bill for each in used} & {bill.id for bill in bills} if used else set()
    requests = write_requests(session, school_id, now, reference_key, settled=settled)
    tell_of_requests(session, school_id, billing_round.id, now)
    if used:
        told = told_of(session)
        tell_used(session, school_id, [each for each in used if each.use.bill not in told], now)
    return requests


def _as_made(made: Sequence[Made], requests: int) -> IssuedRound:
    """Return what stands of a round that was just issued: what ``issued`` reads."""
    shared = Counter(id(bill.lines) for bill, _ in made)
    lines = {id(bill.lines): bill.lines for bill, _ in made}
    dues = {key: total(line.family_share for line in some) for key, some in lines.items()}
    return IssuedRound(
        bills=len(made),
        covered=sum(times for key, times in shared.items() if not dues[key]),
        requests=requests,
        family_total=total(dues[key] * times for key, times in shared.items()),
    )


def issued(session: Session, billing_round: BillingRound) -> IssuedRound:
    """Return what stands of an issued round, read from its bills as they were issued."""
    bills, covered, family = session.exec(
        select(
            func.count(),
            func.count().filter(col(Bill.covered)),
            money_sum(Bill.family_due),
        ).where(
            Bill.school_id == billing_round.school_id,
            Bill.round_id == billing_round.id,
            col(Bill.replaces_id).is_(None),
        ),
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


def alone(session: Session, round_id: UUID) -> BillingRound:
    """Wait until nobody else issues for this school, then return the round as it stands."""
    wait_for_issues(session, find_round(session, round_id).school_id)
    return find_round(session, round_id, hold=True)


def wait_for_issues(session: Session, school_id: UUID) -> None:
    """Wait until nobody issues for a school; nobody does from then on until this transaction ends."""
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"issue {school_id}"})


def _bills(session: Session, billing_round: BillingRound, calculated: Calculated) -> list[Made]:
    """Make a bill for each pupil and account, with its charge, in the order of classes, numbered without a gap."""
    ids = item_ids(session, billing_round.school_id)
    numbers = next_numbers(session, billing_round)
    # Pupils with the same facts share one tuple of lines, others some of the lines.
    known: dict[int, list[_Part]] = {}
    written: dict[int, NewLine] = {}
    parts: list[tuple[BilledPupil, _Part]] = []
    placed = [(_place(pupil.facts), charge, pupil) for charge, pupil in calculated.of_pupils()]
    for _, charge, pupil in sorted(placed, key=itemgetter(0)):
        key = id(charge.lines)
        if key not in known:
            known[key] = [
                (UUID(account), part.lines, new_lines(part.lines, ids, written))
                for account, part in split_by_account(charge).items()
            ]
        parts.extend([(pupil, part) for part in known[key]])
    return [
        (new_bill(bill_id, pupil, account, next(numbers), lines), charged)
        for bill_id, (pupil, (account, charged, lines)) in zip(new_ids(len(parts)), parts, strict=True)
    ]


def new_bill(  # noqa: PLR0913, PLR0917  its id, whose it is, where to, its number, what for, and in whose place
    bill_id: UUID,
    pupil: BilledPupil,
    account: UUID,
    number: str,
    lines: tuple[NewLine, ...],
    replaces: UUID | None = None,
) -> NewBill:
    """Make the bill of one pupil and account."""
    return NewBill(
        id=bill_id,
        number=number,
        enrolment_id=pupil.enrolment_id,
        pupil_id=pupil.facts.pupil_id,
        class_id=pupil.class_id,
        bank_account_id=account,
        lines=lines,
        replaces_id=replaces,
    )


def _place(facts: PupilFacts) -> tuple[int, str, int]:
    return facts.grade, facts.class_name, facts.pupil_id.int  # in the order of the ids, compared much faster


def next_numbers(session: Session, billing_round: BillingRound) -> Iterator[str]:
    """Yield the numbers that follow the last one of the month's series; voided bills keep theirs."""
    prefix = f"TB{billing_round.period_from:%y%m}-"
    last = session.exec(
        select(func.max(Bill.number)).where(
            Bill.school_id == billing_round.school_id, col(Bill.number).startswith(prefix)
        )
    ).one()
    first = int(last.removeprefix(prefix)) + 1 if last else 1
    return (f"{prefix}{number:06d}" for number in count(first))


def new_lines(
    lines: Sequence[ChargeLine], ids: dict[str, UUID], known: dict[int, NewLine] | None = None
) -> tuple[NewLine, ...]:
    """Return the lines of a charge as they are written; ``ids`` are the school's items by code.

    ``known`` holds, by ``id`` of the charged line, what was returned for other charges that are still alive.
    """
    known = {} if known is None else known
    for line in lines:
        if id(line) not in known:
            known[id(line)] = _new_line(line, ids)
    return tuple(known[id(line)] for line in lines)


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


def _period_text(billing_round: BillingRound) -> str:
    """Return ``Tháng 10/2025`` for days within one month, else the round's name."""
    first, last = billing_round.period_from, billing_round.period_to
    if (first.year, first.month) == (last.year, last.month):
        return f"Tháng {first.month}/{first.year}"
    return billing_round.name


def _post(session: Session, billing_round: BillingRound, made: Sequence[Made], now: datetime) -> None:
    """Post each bill: the family owes its share; the State owes its own, except where it pays the insurer itself."""
    # Pupils with the same facts share one tuple of lines, and so one tuple of postings.
    shared = {id(bill.lines): charged for bill, charged in made}
    postings = {key: tuple(_postings(charged)) for key, charged in shared.items()}
    booked = [(bill, postings[id(bill.lines)]) for bill, _ in made]
    book_bills(session, billing_round.school_id, booked, now.astimezone(VIET_NAM).date(), now)


def _postings(lines: Sequence[ChargeLine]) -> Iterator[Line]:
    for line in lines:
        income, code = line.item.revenue_account, line.item.code
        yield Line(FAMILY_RECEIVABLE, income, line.family_share, item_code=code)
        if not line.reductions:
            continue
        state = ZERO if line.item.group is Group.PASS_THROUGH else line.share(Payer.STATE)
        yield Line(STATE_RECEIVABLE, income, state, item_code=code)
