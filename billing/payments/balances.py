"""What is still due: a bill's state follows from its live allocations and credit notes and is never stored.

A bill takes ``family_due`` at most. A live allocation fills it with money; a credit note either lowers what is open
(``off_rest``) or gives back what was paid (``to_credit``, the pupil's credit from then on). So

    rest = family_due − off_rest − allocated          what is still open, as the family's account in the book says
    due  = family_due − off_rest − given back − written off    what the bill comes to for the family in the end
    paid = allocated − given back − written off                so that due − paid = rest

A write-off is allocated like money and brings none, so it counts in neither. Given back is ``to_credit``, or all the
money that is allocated should the bank have taken the payment back since.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ScalarSelect,
    Subquery,
    cast,
    exists,
    func,
    literal,
    type_coerce,
    union_all,
)
from sqlmodel import Session, col, select

from billing.bills.instalments import Asked, Instalment, asked_on, coming_after
from billing.bills.tables import Bill, BillCredit, BillInstalment, BillLine, BillVoid
from billing.money import ZERO, Money, total
from billing.payments.relief_tables import Relief
from billing.payments.tables import Allocation, Payment, PaymentRequestBill, PaymentReversal
from billing.payments.written_off import live_write_off, written_off_on_bill
from billing.storage import MoneyColumn, money_sum


@dataclass(frozen=True, slots=True)
class BillBalance:
    """A bill with what was paid on it. ``status``: open, partial, paid, covered or void.

    ``family_due`` is as billed; ``due`` is what it comes to after credit notes. ``by_credit`` is the part of
    ``allocated`` that was no new money: the pupil's own leftover or overpayment; ``written_off`` the part that the
    school no longer asks for.
    """

    bill_id: UUID
    number: str
    pupil_id: UUID
    bank_account_id: UUID
    period: str
    due_on: date
    family_due: Money
    allocated: Money
    off_rest: Money
    to_credit: Money
    void: bool
    instalments: tuple[Instalment, ...] = ()
    by_credit: Money = ZERO
    written_off: Money = ZERO

    @property
    def leftover(self) -> Money:
        """What of ``paid`` was the pupil's own credit; the rest of it is money that came in."""
        return min(self.by_credit, self.paid)

    @property
    def received(self) -> Money:
        """What of ``paid`` is money that came in."""
        return self.paid - self.leftover

    @property
    def given_back(self) -> Money:
        """What was paid and became the pupil's credit by a credit note."""
        return min(self.to_credit, self.allocated - self.written_off)

    @property
    def due(self) -> Money:
        """What the bill comes to for the family after credit notes and a write-off."""
        return self.family_due - self.off_rest - self.given_back - self.written_off

    @property
    def paid(self) -> Money:
        """What of the money set against the bill stays there."""
        return self.allocated - self.given_back - self.written_off

    @property
    def rest(self) -> Money:
        """What is still due; nothing on a void bill."""
        return ZERO if self.void else self.due - self.paid

    @property
    def status(self) -> str:
        """Return the one word for the state of the bill."""
        if self.void:
            return "void"
        if not self.due:
            return "covered"
        if not self.rest:
            return "paid"
        return "partial" if self.paid else "open"

    def asked(self, today: date) -> Asked:
        """Return what of the rest is asked for on a day; a bill without instalments asks for all of it."""
        if self.void or not self.rest:
            return Asked(ZERO, 1, 1, self.due_on, ZERO)
        return asked_on(self._parts, self.family_due - self.due, self.paid, today)

    def coming(self, today: date) -> tuple[Instalment, ...]:
        """Return the instalments that come after what is asked for on a day; together they are ``Asked.later``."""
        if self.void or not self.rest:
            return ()
        return coming_after(self._parts, self.family_due - self.due, self.paid, today)

    @property
    def _parts(self) -> tuple[Instalment, ...]:
        return self.instalments or (Instalment(1, self.family_due, self.due_on),)


def live_allocation() -> ColumnElement[bool]:
    """Return the condition that an allocation's payment was not reversed."""
    return ~exists().where(col(PaymentReversal.payment_id) == col(Allocation.payment_id))


def moved_by_bill() -> Subquery:
    """Return a subquery (bill_id, taken, paid as BIGINT) over all bills in scope that anything happened to.

    ``family_due - taken`` is the rest, ``paid`` is net of what was given back or written off. For whole lists; see
    ``rest_by`` and
    ``paid_by``.
    """
    amount = type_coerce(col(Allocation.amount), BigInteger)
    off_rest = type_coerce(col(BillCredit.off_rest), BigInteger)
    to_credit = type_coerce(col(BillCredit.to_credit), BigInteger)
    money: Any = select(col(Allocation.bill_id).label("bill_id"), amount.label("taken"), amount.label("paid"))
    notes: Any = select(col(BillCredit.bill_id), off_rest, literal(0, BigInteger) - to_credit)
    gone: Any = select(col(Relief.bill_id), literal(0, BigInteger), -type_coerce(col(Relief.amount), BigInteger))
    moves = union_all(money.where(live_allocation()), notes, gone.where(live_write_off())).subquery("moves")
    query: Any = select(
        moves.c.bill_id,
        cast(func.sum(moves.c.taken), BigInteger).label("taken"),
        cast(func.sum(moves.c.paid), BigInteger).label("paid"),
    )
    subquery: Subquery = query.group_by(moves.c.bill_id).subquery("moved_by_bill")
    return subquery


def rest_by(moved: Subquery) -> ColumnElement[int]:
    """Return what is open on the bill of the enclosing query, which joins ``moved_by_bill`` from outside."""
    return type_coerce(col(Bill.family_due), BigInteger) - func.coalesce(moved.c.taken, 0)


def paid_by(moved: Subquery) -> ColumnElement[int]:
    """Return what is paid on the bill of the enclosing query, net of what was given back."""
    return func.coalesce(moved.c.paid, 0)


def due_by(moved: Subquery) -> ColumnElement[int]:
    """Return what the bill of the enclosing query comes to after its credit notes."""
    return rest_by(moved) + paid_by(moved)


def taken_from_bill() -> ColumnElement[Any]:
    """Return what allocations and credit notes took of the open part of the enclosing query's bill; for few bills."""
    both = type_coerce(allocated_on_bill(), BigInteger) + type_coerce(_credits_of_bill(BillCredit.off_rest), BigInteger)
    return type_coerce(both, MoneyColumn)


def allocated_on_bill() -> ScalarSelect[Any]:
    """Return the money set against the bill of the enclosing query, looked up by index; for few bills."""
    return (
        select(money_sum(Allocation.amount))
        .where(col(Allocation.school_id) == Bill.school_id, col(Allocation.bill_id) == Bill.id, live_allocation())
        .correlate(Bill)
        .scalar_subquery()
    )


def _credit_on_bill() -> ScalarSelect[Any]:
    """Return what credit was set against the bill of the enclosing query, looked up by index; for few bills."""
    return (
        select(money_sum(Allocation.amount))
        .join(Payment, (col(Payment.id) == Allocation.payment_id) & (col(Payment.source_kind) == "credit"))
        .where(col(Allocation.school_id) == Bill.school_id, col(Allocation.bill_id) == Bill.id, live_allocation())
        .correlate(Bill)
        .scalar_subquery()
    )


def _credits_of_bill(column: Money) -> ScalarSelect[Any]:
    return (
        select(money_sum(column))
        .where(col(BillCredit.school_id) == Bill.school_id, col(BillCredit.bill_id) == Bill.id)
        .correlate(Bill)
        .scalar_subquery()
    )


def bill_balances(session: Session, *conditions: ColumnElement[bool]) -> list[BillBalance]:
    """Return balances of the bills that fulfil all conditions (on ``Bill``), oldest due first, then by number."""
    query: Any = (
        select(  # type: ignore[call-overload]  # SQLModel types four columns at most
            Bill,
            allocated_on_bill(),
            _credits_of_bill(BillCredit.off_rest),
            _credits_of_bill(BillCredit.to_credit),
            _credit_on_bill(),
            written_off_on_bill(),
            col(BillVoid.bill_id).is_not(None),
        )
        .outerjoin(BillVoid, col(BillVoid.bill_id) == col(Bill.id))
        .where(*conditions)
        .order_by(col(Bill.due_on), col(Bill.number))
    )
    rows = session.exec(query).all()
    parts = _instalments(session, [row[0].id for row in rows])
    return [
        BillBalance(
            bill_id=bill.id,
            number=bill.number,
            pupil_id=bill.pupil_id,
            bank_account_id=bill.bank_account_id,
            period=bill.period,
            due_on=bill.due_on,
            family_due=bill.family_due,
            allocated=allocated,
            off_rest=off_rest,
            to_credit=to_credit,
            void=void,
            instalments=parts.get(bill.id, ()),
            by_credit=by_credit,
            written_off=written_off,
        )
        for bill, allocated, off_rest, to_credit, by_credit, written_off, void in rows
    ]


def line_dues(session: Session, balances: Iterable[BillBalance]) -> dict[int, Money]:
    """Return what each line of some bills comes to for the family after credit notes; they add up to ``due``.

    A write-off comes off the last lines first.
    """
    by_bill = {balance.bill_id: balance for balance in balances}
    given_back = {bill_id: balance.given_back for bill_id, balance in by_bill.items()}
    in_bills = list(given_back)
    lines = session.exec(
        select(col(BillLine.id), col(BillLine.family_share), col(BillLine.bill_id))
        .where(col(BillLine.bill_id).in_(in_bills))
        .order_by(col(BillLine.id))
    ).all()
    dues: dict[int, Money] = {line_id: share for line_id, share, _ in lines if line_id is not None}
    notes = session.exec(
        select(BillCredit).where(col(BillCredit.bill_id).in_(in_bills)).order_by(col(BillCredit.id))
    ).all()
    for note in notes:
        back = min(note.to_credit, given_back[note.bill_id])
        given_back[note.bill_id] -= back
        dues[note.line_id] -= note.off_rest + back
    gone = {bill_id: balance.written_off for bill_id, balance in by_bill.items()}
    for line_id, _, bill_id in reversed(lines):
        if line_id is not None:
            off = min(gone[bill_id], dues[line_id])
            gone[bill_id], dues[line_id] = gone[bill_id] - off, dues[line_id] - off
    return dues


def request_balances(session: Session, school_id: UUID, request_ids: Sequence[UUID]) -> dict[UUID, list[BillBalance]]:
    """Return the bills of payment requests in the order in which they are paid."""
    links = session.exec(
        select(PaymentRequestBill.request_id, PaymentRequestBill.bill_id)
        .where(PaymentRequestBill.school_id == school_id, col(PaymentRequestBill.request_id).in_(request_ids))
        .order_by(col(PaymentRequestBill.position)),
    ).all()
    in_requests = col(Bill.id).in_([bill_id for _, bill_id in links])
    by_bill = {
        balance.bill_id: balance for balance in bill_balances(session, col(Bill.school_id) == school_id, in_requests)
    }
    found: dict[UUID, list[BillBalance]] = {request_id: [] for request_id in request_ids}
    for request_id, bill_id in links:
        found[request_id].append(by_bill[bill_id])
    return found


def rest_of(balances: Sequence[BillBalance]) -> Money:
    """Return what is still due on some bills together."""
    return total(balance.rest for balance in balances)


def asked_of(balances: Sequence[BillBalance], today: date) -> Money:
    """Return what is asked for on some bills together on a day: the amount of their QR."""
    return total(balance.asked(today).amount for balance in balances)


@dataclass(frozen=True, slots=True)
class Call:
    """What a family is asked for on a day over some bills: the one truth of QR, page, slip and message.

    ``now`` by ``by``, up to instalment ``number`` of ``parts`` (0 where no single bill is paid in parts); ``coming``
    after that, by day. ``whole`` = ``now`` + ``coming``. ``months``: what is open by period, oldest first.
    """

    now: Money
    by: date
    number: int
    parts: int
    coming: tuple[tuple[date, Money], ...]
    months: tuple[tuple[str, Money], ...]

    @property
    def later(self) -> Money:
        """What comes in later instalments."""
        return total(amount for _, amount in self.coming)

    @property
    def whole(self) -> Money:
        """All that is open."""
        return self.now + self.later


def call_of(balances: Sequence[BillBalance], today: date) -> Call | None:
    """Return what is asked for on some bills on a day, or nothing when nothing is open."""
    due = [balance for balance in balances if balance.rest]
    if not due:
        return None
    asked = [balance.asked(today) for balance in due]
    in_parts = [each for each, balance in zip(asked, due, strict=True) if balance.instalments]
    one = in_parts[0] if len(in_parts) == 1 else None
    coming: dict[date, Money] = defaultdict(lambda: ZERO)
    months: dict[str, Money] = defaultdict(lambda: ZERO)
    for balance in due:
        months[balance.period] += balance.rest
        for part in balance.coming(today):
            coming[part.due_on] += part.amount
    return Call(
        now=total(each.amount for each in asked),
        by=max(each.due_on for each in asked),
        number=one.number if one else 0,
        parts=one.parts if one else 0,
        coming=tuple(sorted(coming.items())),
        months=tuple(months.items()),
    )


def _instalments(session: Session, bills: Sequence[UUID]) -> dict[UUID, tuple[Instalment, ...]]:
    rows = session.exec(
        select(BillInstalment).where(col(BillInstalment.bill_id).in_(bills)).order_by(col(BillInstalment.number))
    ).all()
    found: dict[UUID, list[Instalment]] = defaultdict(list)
    for row in rows:
        found[row.bill_id].append(Instalment(row.number, row.amount, row.due_on))
    return {bill: tuple(parts) for bill, parts in found.items()}
