"""The family's page from rows, in the plain view: names masked, no class, no share of others, no legal basis."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from uuid import UUID

from sqlmodel import Session, col, select

from billing.bills.tables import BillLine
from billing.choices.reading import has_choices
from billing.credits.reading import credit_of
from billing.documents.payment_qr import PaidBy, memo_for, number_for, payload_for
from billing.documents.qr_image import qr_svg
from billing.documents.vietqr import decode
from billing.fees.explaining import plain
from billing.ledger.tables import BankAccount
from billing.money import ZERO, Money, total
from billing.payments.balances import BillBalance, asked_of, line_dues, request_balances, rest_of
from billing.payments.banks import bank_by_bin
from billing.payments.grace import Grace, muted
from billing.payments.receipt_number import with_book
from billing.payments.tables import (
    Allocation,
    Payment,
    PaymentRequest,
    PaymentReversal,
    Receipt,
    ReceiptBook,
    ReceiptVoid,
)
from billing.payments.virtual_accounts import numbers_shown
from billing.people.names import masked
from billing.people.tables import Pupil, School
from reconciliation.feeds.opening import is_called
from reconciliation.tables import Transfer, TransferReference
from service.access.tables import LinkToken
from service.pages.views import (
    BillPage,
    BillState,
    BillStatus,
    Instalment,
    Line,
    MoreTime,
    PaymentPanel,
    ReceiptLine,
    SchoolFace,
)

_LOCAL = timezone(timedelta(hours=7))
_MONTH = re.compile(r"(\d{4})-(\d{2})")
# Money of a family is on its way through the house in these states.
ON_THE_WAY = ("new", "held", "waiting")


@dataclass(frozen=True, slots=True)
class _Received:
    """The payments that came for one request: with what is left of them, and their receipts."""

    payments: tuple[tuple[Payment, Money], ...]
    receipts: tuple[tuple[UUID, ReceiptLine], ...]
    on_the_way: Money
    """Money that names this request, also together with others, and is not settled."""
    surely_ours: Money
    """The part of it that names no other request."""

    @property
    def surplus(self) -> Money:
        """What of these payments is set against no bill."""
        return total(left for _, left in self.payments)


@dataclass(frozen=True, slots=True)
class Opened:
    """A payment request with all that its page is drawn from."""

    request: PaymentRequest
    account: BankAccount
    balances: tuple[BillBalance, ...]
    received: _Received
    today: date
    grace: Grace | None = None
    kept: Money = ZERO
    """What the school still keeps for the child, whatever it came from."""
    number: str | None = None
    """The child's own number at the account, if there is one."""
    instant: bool = False
    """Whether the bank calls us about money on the account: it can, and a feed for its calls is open."""

    @property
    def paid_by(self) -> PaidBy:
        """What the code and the typed transfer name."""
        return PaidBy(self.request.reference, self.number)

    @property
    def live(self) -> tuple[BillBalance, ...]:
        """The bills that are not void."""
        return tuple(balance for balance in self.balances if not balance.void)

    @property
    def due(self) -> Money:
        """What the live bills come to together, after credit notes."""
        return total(balance.due for balance in self.live)

    @property
    def paid(self) -> Money:
        """What came in for the live bills and was not given back by a credit note."""
        return total(balance.received for balance in self.live)

    @property
    def leftover(self) -> Money:
        """What of the child's own credit was set against the live bills."""
        return total(balance.leftover for balance in self.live)

    @property
    def written_off(self) -> Money:
        """What the school no longer asks for."""
        return total(balance.written_off for balance in self.live)

    @property
    def rest(self) -> Money:
        """What is still to be paid."""
        return rest_of(self.balances)

    @property
    def asked(self) -> Money:
        """What of the rest the code asks for today: instalments ask for what is due, or for the next one."""
        return asked_of(self.live, self.today)

    @property
    def instalment(self) -> Instalment | None:
        """Where the family stands in the instalments; nothing where all is paid in one sum."""
        parts = [balance.asked(self.today) for balance in self.live if balance.rest and balance.instalments]
        if not parts:
            return None
        one = len(parts) == 1
        return Instalment(parts[0].number if one else 0, parts[0].parts if one else 0, self.rest - self.asked)

    @property
    def deadline(self) -> date | None:
        """Until when what is asked for today is to be paid; the last day of all when nothing is."""
        open_days = [balance.asked(self.today).due_on for balance in self.live if balance.rest]
        return max(open_days or [balance.due_on for balance in self.live], default=None)

    @property
    def came_too_much(self) -> Money:
        """What came for this request and became the pupil's credit: paid too much, or lowered after it was paid."""
        return self.received.surplus + total(balance.given_back for balance in self.live)

    @property
    def surplus(self) -> Money:
        """What of it the school still keeps: what was used or given back since is told no more."""
        return min(self.came_too_much, self.kept)

    @property
    def state(self) -> BillState:
        """What the family sees."""
        if not self.live:
            return BillState.VOID
        if not self.due:
            return BillState.COVERED
        if self.rest and not self.covered_soon:
            return BillState.PART_PAID if self.paid else BillState.WAITING
        if self.rest:
            return BillState.RECEIVED
        if not self.paid:
            return BillState.OFFSET
        return BillState.RECEIPTED if self.received.receipts else BillState.RECEIVED

    @property
    def covered_soon(self) -> bool:
        """Whether what is on its way pays what is asked for. Less, or money naming others too, is to be checked.

        Otherwise one đồng sent with this code would take the code from the family.
        """
        return bool(self.rest) and self.received.surely_ours >= self.asked

    @property
    def checking(self) -> Money:
        """What is on its way and does not cover for sure what is asked for."""
        return ZERO if self.covered_soon else self.received.on_the_way

    @property
    def shown_received(self) -> Money:
        """What has arrived for these bills, also what is not yet settled."""
        return self.paid + self.received.surely_ours if self.covered_soon else self.paid

    @property
    def paid_twice(self) -> bool:
        """Whether a payment came for the whole sum when nothing was due any more."""
        return any(left == payment.amount == self.due for payment, left in self.received.payments)


def open_request(session: Session, link: LinkToken, now: datetime) -> Opened:
    """Read everything about the request behind a link, as of a moment; the transaction is limited to its school."""
    request = session.get_one(PaymentRequest, link.request_id)
    account = session.get_one(BankAccount, request.bank_account_id)
    balances = request_balances(session, request.school_id, [request.id])[request.id]
    time = muted(session, request.school_id, [request.pupil_id], _day(now))
    grace = time.shared(request.pupil_id, [balance.bill_id for balance in balances if balance.rest])
    number = request.virtual_account
    if account.only_virtual:
        number = numbers_shown(session, request.school_id, [request])[request.id]
    received = _received(session, request, balances)
    instant = is_called(session, account)
    opened = Opened(request, account, tuple(balances), received, _day(now), grace, number=number, instant=instant)
    if not opened.came_too_much:
        return opened
    return replace(opened, kept=total(credit_of(session, request.school_id, [request.pupil_id]).values()))


def bill_status(opened: Opened) -> BillStatus:
    """Return the state only."""
    return BillStatus(
        opened.state,
        opened.shown_received,
        len(opened.received.receipts),
        opened.surplus,
        opened.instant,
        opened.checking,
        opened.leftover,
    )


def bill_page(session: Session, opened: Opened, token: str) -> BillPage:
    """Return the page of a request."""
    request = opened.request
    school = session.get_one(School, request.school_id)
    pupil = session.get_one(Pupil, request.pupil_id)
    payable = opened.state in (BillState.WAITING, BillState.PART_PAID)
    return BillPage(
        token=token,
        state=opened.state,
        school=SchoolFace(school.name, school.phone, school.address, school.code),
        child_name=masked(pupil.full_name),
        title=notice_title(opened.live or opened.balances),
        lines=tuple(_lines(session, request.school_id, opened.live)),
        due=opened.due,
        received=opened.shown_received,
        due_on=opened.deadline,
        instant=opened.instant,
        payment=payment_panel(opened) if payable else None,
        receipts=tuple(line for _, line in opened.received.receipts),
        surplus=opened.surplus,
        paid_twice=opened.paid_twice,
        checking=opened.checking,
        instalment=opened.instalment,
        leftover=opened.leftover,
        choices=has_choices(session, request.school_id, request.pupil_id, opened.today),
        written_off=opened.written_off,
        grace=MoreTime(opened.grace.until, opened.grace.parts) if opened.grace else None,
    )


def payment_panel(opened: Opened) -> PaymentPanel:
    """Return how to pay what is asked for; account and memo are read from the very code that is shown."""
    account, paid_by, asked = opened.account, opened.paid_by, opened.asked
    bank = bank_by_bin(account.bank_bin)
    payload = payload_for(account, paid_by, asked)
    number, memo, svg = number_for(account, paid_by), memo_for(account, paid_by), ""
    if payload is not None:
        code = decode(payload)
        number, memo = code.account, code.memo or ""
        svg = qr_svg(payload, f"Mã QR {asked}")
    return PaymentPanel(account.holder, bank.short_name if bank else account.bank_bin, number, memo, asked, svg)


def notice_title(balances: Sequence[BillBalance]) -> str:
    """Return the heading: the period of the bills, several joined."""
    periods = ", ".join(dict.fromkeys(period_name(balance.period) for balance in balances))
    return f"Thông báo thu {periods}" if periods.startswith("tháng") else f"Thông báo thu: {periods}"


def period_name(period: str) -> str:
    """Return a period as families say it, other names as they are.

    ``2025-10``, ``10/2025`` or ``Tháng 10/2025`` is ``tháng 10/2025``.
    """
    found = _MONTH.fullmatch(period)
    if found:
        return f"tháng {found[2]}/{found[1]}"
    if re.fullmatch(r"\d{1,2}/\d{4}", period):
        return f"tháng {period}"
    return "t" + period[1:] if period.startswith("Tháng ") else period


def receipt_id(opened: Opened, number: str) -> UUID | None:
    """Return the receipt of this request with a number as shown, or nothing."""
    return next((key for key, line in opened.received.receipts if line.number == number), None)


def _lines(session: Session, school_id: UUID, bills: Sequence[BillBalance]) -> list[Line]:
    rows = session.exec(
        select(BillLine)
        .where(BillLine.school_id == school_id, col(BillLine.bill_id).in_([bill.bill_id for bill in bills]))
        .order_by(col(BillLine.position))
    ).all()
    dues = line_dues(session, bills)
    periods = {bill.bill_id: period_name(bill.period) for bill in bills}
    several = len(set(periods.values())) > 1
    order = {bill.bill_id: place for place, bill in enumerate(bills)}
    return [
        Line(f"{shown.name} – {periods[row.bill_id]}" if several else shown.name, shown.amount)
        for row in sorted(rows, key=lambda row: (order[row.bill_id], row.position))
        if (shown := plain(row, amount=dues[row.id or 0]))
    ]


def _received(session: Session, request: PaymentRequest, balances: Sequence[BillBalance]) -> _Received:
    bills = {balance.bill_id for balance in balances}
    payments = session.exec(
        select(Payment)
        .outerjoin(PaymentReversal, col(PaymentReversal.payment_id) == col(Payment.id))
        .where(
            Payment.school_id == request.school_id,
            Payment.pupil_id == request.pupil_id,
            col(PaymentReversal.payment_id).is_(None),
        )
        .order_by(col(Payment.recorded_at))
    ).all()
    spent = session.exec(
        select(Allocation).where(
            Allocation.school_id == request.school_id,
            col(Allocation.payment_id).in_([payment.id for payment in payments]),
        )
    ).all()
    named = _named_transfers(session, request)
    sources = {transfer.id for transfer, _ in named}
    ours = [
        payment
        for payment in payments
        if payment.source_id in sources
        or any(part.payment_id == payment.id and part.bill_id in bills for part in spent)
    ]
    left = [
        (payment, payment.amount - total(part.amount for part in spent if part.payment_id == payment.id))
        for payment in ours
    ]
    waiting = [(each, alone) for each, alone in named if each.state in ON_THE_WAY]
    return _Received(
        tuple(left),
        tuple(_receipts(session, ours)),
        on_the_way=total(each.amount for each, _ in waiting),
        surely_ours=total(each.amount for each, alone in waiting if alone),
    )


def _named_transfers(session: Session, request: PaymentRequest) -> list[tuple[Transfer, bool]]:
    """Return money in on the request's account that names it, by its reference or its virtual account.

    The second says whether nothing else is named. This is asked every few seconds: both ways have an index.
    """
    here = (
        Transfer.school_id == request.school_id,
        Transfer.bank_account_id == request.bank_account_id,
        Transfer.direction == "in",
    )
    by_reference = (
        select(Transfer, TransferReference.alone)
        .join(TransferReference, col(TransferReference.transfer_id) == col(Transfer.id))
        .where(
            TransferReference.school_id == request.school_id, TransferReference.reference == request.reference, *here
        )
    )
    found = {transfer.id: (transfer, alone) for transfer, alone in session.exec(by_reference)}
    if request.virtual_account:
        since = request.created_at.astimezone(_LOCAL).date()
        by_account = select(Transfer).where(
            col(Transfer.virtual_account) == request.virtual_account, Transfer.value_date >= since, *here
        )
        for transfer in session.exec(by_account):
            found.setdefault(transfer.id, (transfer, True))
    return list(found.values())


def _receipts(session: Session, payments: Sequence[Payment]) -> list[tuple[UUID, ReceiptLine]]:
    rows = session.exec(
        select(Receipt, ReceiptBook)
        .join(ReceiptBook, col(ReceiptBook.id) == col(Receipt.book_id))
        .outerjoin(ReceiptVoid, col(ReceiptVoid.receipt_id) == col(Receipt.id))
        .where(col(Receipt.payment_id).in_([payment.id for payment in payments]), col(ReceiptVoid.receipt_id).is_(None))
        .order_by(col(Receipt.issued_at))
    ).all()
    return [
        (receipt.id, ReceiptLine(with_book(book.code, receipt.number), receipt.amount, _day(receipt.issued_at)))
        for receipt, book in rows
    ]


def _day(moment: datetime) -> date:
    return moment.astimezone(_LOCAL).date()
