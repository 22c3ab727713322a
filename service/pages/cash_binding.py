"""The desk of the cashier's pages, on rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Deed, record_deed
from billing.bills.tables import Bill
from billing.cash import paper_books, undoing
from billing.cash.paper_books import Leaf
from billing.cash.taking import Handed, Plan, Screen, plan_taking, take_cash
from billing.documents.receipt_pdf import receipt_copies_pdf
from billing.errors import NotFound, Refused
from billing.money import ZERO, total
from billing.payments.allocation import Part
from billing.payments.tables import PaymentRequest
from billing.people.names import NO_CLASS
from billing.people.tables import Enrolment, Pupil
from billing.storage import new_id
from reconciliation.child_transfers import ChildTransfer, transfers_of_pupil
from reconciliation.receipt_source import sourced_receipt
from service.access import links
from service.access.roles import Actor, Place, SignedIn
from service.pages import cash_rows
from service.pages.cash_views import (
    CashBill,
    CashHome,
    CashPupil,
    CashTransfer,
    Looked,
    PaperBookPage,
    PaperBookRow,
    TakingPage,
    TypedCash,
)
from service.pages.family_rows import period_name
from service.pages.typed import read_day, read_id, read_money, school_day
from service.pages.views import Download
from service.pages.within import RowsWithin


class CashRows(RowsWithin):
    """Takings, reversals and paper books, answered from rows."""

    def cash_home(self, who: SignedIn, place: Place, words: str, number: int, now: datetime) -> CashHome:
        """Return the till and a page of the takings."""
        del who
        return cash_rows.cash_home(self._within(place), place.id, words, number, school_day(now))

    def cash_pupil(self, who: SignedIn, place: Place, typed: TypedCash, now: datetime) -> CashPupil:
        """Return a child, and what the typed sum would do."""
        del who
        session, today = self._within(place), school_day(now)
        _refuse_stranger(session, place.id, typed.pupil_id)
        near = transfers_of_pupil(session, place.id, typed.pupil_id, today)
        amount = read_money(typed.amount) if typed.amount.strip() else ZERO
        plan = plan_taking(session, place.id, typed.pupil_id, amount, _chosen(typed), _seen(near))
        looked = None
        if amount:
            paid = total(part.amount for part in plan.parts)
            looked = Looked(amount, plan.surplus, plan.open - paid, plan.mark, typed.form or str(new_id()))
        book = paper_books.find_book(session, place.id, read_id(typed.book)) if typed.book else None
        return CashPupil(
            pupil_id=str(typed.pupil_id),
            name=session.get_one(Pupil, typed.pupil_id).full_name,
            class_name=cash_rows.classes_of(session, place.id, [typed.pupil_id], today).get(typed.pupil_id, NO_CLASS),
            bills=_bills(plan, _chosen(typed)),
            open=plan.open,
            transfers=tuple(CashTransfer(each.day, each.amount, each.memo, each.sign, each.waits) for each in near),
            looked=looked,
            book=(str(book.id), book.code) if book else None,
            today=today,
        )

    def take_cash(self, who: SignedIn, place: Place, typed: TypedCash, now: datetime) -> UUID:
        """Store cash once."""
        session = self._within(place)
        _refuse_stranger(session, place.id, typed.pupil_id)
        near = transfers_of_pupil(session, place.id, typed.pupil_id, school_day(now))
        if near and not typed.seen:
            raise Refused("Em này có chuyển khoản đang chờ hoặc mới đến. Hãy đánh dấu đã hỏi người nộp rồi mới thu.")
        handed = Handed(
            pupil_id=typed.pupil_id,
            amount=read_money(typed.amount),
            form=read_id(typed.form),
            collector=cash_rows.collector_of(session, who.user_id),
            payer=typed.payer,
            chosen=_chosen(typed),
            leaf=Leaf(read_id(typed.book), _number(typed.number)) if typed.book else None,
            day=read_day(typed.day),
        )
        screen = Screen(typed.mark, _seen(near))
        return take_cash(session, self._actor(who, Actor.CASHIER), place.id, handed, screen, now).id

    def cash_taking(self, who: SignedIn, place: Place, taking_id: UUID, now: datetime) -> TakingPage:
        """Return one taking."""
        del now
        return cash_rows.taking_page(self._within(place), place.id, taking_id, who.user_id)

    def cash_receipt(self, who: SignedIn, place: Place, taking_id: UUID, now: datetime) -> Download:
        """Return both copies of a taking's receipt, and record who printed it."""
        session = self._within(place)
        found = cash_rows.receipt_of(session, place.id, taking_id)
        if found is None:
            raise Refused("Biên lai giấy đã giao cho gia đình, không in lại.")
        receipt_id, number = found
        document = sourced_receipt(session, receipt_id, self._checked_at(session, place.id, taking_id, now))
        deed = Deed(place.id, "cash.print", "cash_taking", str(taking_id))
        record_deed(session, self._looks(who, place), deed, now)
        return Download(receipt_copies_pdf(document), "application/pdf", f"Biên lai {number}.pdf")

    def ask_cash_reversal(self, who: SignedIn, place: Place, taking_id: UUID, reason: str, now: datetime) -> None:
        """Ask for a taking to be reversed."""
        undoing.ask_reversal(self._within(place), self._looks(who, place), place.id, taking_id, reason, now)

    def decide_cash_reversal(  # noqa: PLR0913  which one, how, and why
        self, who: SignedIn, place: Place, reversal_id: UUID, reason: str, now: datetime, *, approved: bool
    ) -> UUID:
        """Approve or refuse a reversal."""
        session = self._within(place)
        if approved:
            actor = self._actor(who, Actor.APPROVER)
            return undoing.approve_reversal(session, actor, place.id, reversal_id, now)
        return undoing.refuse_reversal(session, self._looks(who, place), place.id, reversal_id, reason, now)

    def paper_books(self, who: SignedIn, place: Place) -> tuple[PaperBookRow, ...]:
        """Return the paper books."""
        del who
        return cash_rows.paper_book_rows(self._within(place), place.id)

    def open_paper_book(self, who: SignedIn, place: Place, typed: tuple[str, str, str], now: datetime) -> UUID:
        """Write down a paper book."""
        code, first, last = typed
        actor = self._actor(who, Actor.CASHIER)
        session = self._within(place)
        return paper_books.open_book(session, actor, place.id, code, _number(first), _number(last), now).id

    def paper_book(self, who: SignedIn, place: Place, book_id: UUID, words: str) -> PaperBookPage:
        """Return one paper book."""
        del who
        today = school_day(self._wiring.clock())
        return cash_rows.paper_book_page(self._within(place), place.id, book_id, words, today)

    def spoil_leaf(  # noqa: PLR0913, PLR0917  which leaf, and why
        self, who: SignedIn, place: Place, book_id: UUID, number: str, reason: str, now: datetime
    ) -> None:
        """Write down that a leaf was spoilt."""
        leaf, actor = Leaf(book_id, _number(number)), self._actor(who, Actor.CASHIER)
        paper_books.spoil_leaf(self._within(place), actor, place.id, leaf, reason, now)

    def _checked_at(self, session: Session, school_id: UUID, taking_id: UUID, now: datetime) -> str:
        """Return where a receipt is checked: the child's newest page, or our own front page without one."""
        pupil_id = undoing.find_taking(session, school_id, taking_id).pupil_id
        wiring = self._wiring
        request = session.exec(
            select(PaymentRequest)
            .where(PaymentRequest.school_id == school_id, PaymentRequest.pupil_id == pupil_id)
            .order_by(col(PaymentRequest.created_at).desc(), col(PaymentRequest.id).desc())
            .limit(1)
        ).first()
        if request is None:
            return wiring.settings.base_url
        return links.ensure_link(session, wiring.link_key, wiring.settings.base_url, request, now)


def _refuse_stranger(session: Session, school_id: UUID, pupil_id: UUID) -> None:
    """Raise ``NotFound`` for a pupil who was neither enrolled nor billed here."""
    enrolled = select(Enrolment.id).where(Enrolment.school_id == school_id, Enrolment.pupil_id == pupil_id).limit(1)
    billed = select(Bill.id).where(Bill.school_id == school_id, Bill.pupil_id == pupil_id).limit(1)
    if session.exec(enrolled).first() is None and session.exec(billed).first() is None:
        raise NotFound("Trường không có học sinh này.")


def _chosen(typed: TypedCash) -> frozenset[UUID] | None:
    return frozenset(map(read_id, typed.bills)) if typed.bills else None


def _seen(near: list[ChildTransfer]) -> list[dict[str, Any]]:
    return [each.as_seen() for each in near]


def _bills(plan: Plan, chosen: frozenset[UUID] | None) -> tuple[CashBill, ...]:
    parts: dict[UUID, Part[UUID]] = {part.bill: part for part in plan.parts}
    return tuple(
        CashBill(
            bill_id=str(bill.bill_id),
            number=bill.number,
            period=period_name(bill.period),
            due_on=bill.due_on,
            rest=bill.rest,
            chosen=chosen is None or bill.bill_id in chosen,
            part=parts[bill.bill_id].amount if bill.bill_id in parts else ZERO,
        )
        for bill in plan.bills
    )


def _number(typed: str) -> int:
    """Return a number of a paper book as typed, with or without zeros in front; raises ``Refused``."""
    bare = typed.strip()
    if not (bare.isascii() and bare.isdigit() and len(bare) <= 10):  # noqa: PLR2004  a printed number is short
        raise Refused(f"“{bare}” không phải số biên lai. Hãy ghi các chữ số, ví dụ 0000105.")
    return int(bare)
