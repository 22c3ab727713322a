"""The desk of the pages of credit and refunds on rows."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from billing.audit.recording import Deed, record_deed
from billing.credits.applying import apply_credit
from billing.credits.choosing import pupils_of_class
from billing.credits.payee import TYPED, Payee
from billing.credits.paying_out import mark_sent, pay_cash, undo_step
from billing.credits.refunding import About, Wanted, ask_refund, reject_refund
from billing.documents.credit_sheets import kept_xlsx, payout_xlsx
from billing.errors import Refused
from billing.money import total
from billing.people.tables import School
from reconciliation.outgoing.standing import refuse_tied
from reconciliation.returning.deciding import approve, give_up
from reconciliation.returning.payees import chosen_payee
from service.access.roles import Actor, Place, SignedIn
from service.pages import credit_rows, refund_rows
from service.pages.credit_views import (
    CreditList,
    CreditQuery,
    PupilCredit,
    RefundPage,
    RefundsPage,
    TypedRefund,
    TypedStep,
    TypedUse,
)
from service.pages.refund_bulk_binding import RefundBulkRows
from service.pages.returning_binding import ReturningRows
from service.pages.typed import read_id, read_money, school_day
from service.pages.views import Download

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class CreditRows(ReturningRows, RefundBulkRows):
    """Leftovers and overpayments, their use, and refunds, answered from rows."""

    def credit_list(self, who: SignedIn, place: Place, query: CreditQuery, now: datetime) -> CreditList:
        """Return one page of what the school keeps."""
        del who
        return credit_rows.credit_list(self._within(place), place.id, query, school_day(now))

    def credit_workbook(self, who: SignedIn, place: Place, now: datetime) -> Download:
        """Return all of it as XLSX."""
        session = self._within(place)
        rows = credit_rows.credit_rows(session, place.id, school_day(now))
        book = credit_rows.book_of(session, place.id)
        content = kept_xlsx(session.get_one(School, place.id).name, credit_rows.kept_rows(rows), book, now)
        deed = Deed(place.id, "credit.open_list", "school", str(place.id))
        record_deed(session, self._looks(who, place), deed, now, rows=len(rows))
        return Download(content, _XLSX, f"Tiền tồn {school_day(now):%d-%m-%Y}.xlsx")

    def pupil_credit(self, who: SignedIn, place: Place, pupil_id: UUID, now: datetime) -> PupilCredit:
        """Return a pupil's credit with its history."""
        del who
        return credit_rows.pupil_credit(self._within(place), self._wiring.vault, place.id, pupil_id, school_day(now))

    def use_credit(self, who: SignedIn, place: Place, typed: TypedUse, now: datetime) -> str:
        """Set credit against open bills, and say how much."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        if typed.pupil:
            pupils = {read_id(typed.pupil)}
        elif typed.class_id:
            pupils = pupils_of_class(session, place.id, read_id(typed.class_id), school_day(now))
        else:
            raise Refused("Hãy chọn một lớp hoặc mở một học sinh để trừ tiền tồn.")
        items = frozenset({credit_rows.item_of(typed.item)}) if typed.item else None
        used = apply_credit(session, actor, place.id, pupils, typed.reason, now, items=items, freely=typed.freely)
        return str(total(each.use.amount for each in used))

    def ask_refund(self, who: SignedIn, place: Place, typed: TypedRefund, now: datetime) -> UUID:
        """Ask for one pupil's credit to be given back."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        item = credit_rows.item_of(typed.item)
        pupil = read_id(typed.pupil)
        said = Payee(typed.name, typed.bank if typed.account else "", typed.account, TYPED, typed.proof)
        payee = chosen_payee(
            session, self._wiring.vault, (place.id, pupil), typed.payee, typed.bank, said, school_day(now)
        )
        wanted = [Wanted(pupil, item, read_money(typed.amount), payee)]
        about = About(item_code=item)
        return ask_refund(session, self._wiring.vault, actor, place.id, wanted, typed.reason, now, about).id

    def refunds(self, who: SignedIn, place: Place, now: datetime) -> RefundsPage:
        """Return the requests of a school."""
        del who, now
        return refund_rows.refunds_page(self._within(place), place.id)

    def refund(self, who: SignedIn, place: Place, refund_id: UUID, now: datetime) -> RefundPage:
        """Return one request with its lines."""
        session = self._within(place)
        return refund_rows.refund_page(session, self._wiring.vault, place.id, refund_id, who.user_id, now)

    def decide_refund(  # noqa: PLR0913  which one, how, and why
        self, who: SignedIn, place: Place, refund_id: UUID, reason: str, now: datetime, *, approved: bool
    ) -> None:
        """Approve or reject."""
        session = self._within(place)
        refund_rows.refund_of(session, place.id, refund_id)
        if approved:
            approve(session, self._wiring.vault, refund_id, self._actor(who, Actor.APPROVER), now)
        else:
            reject_refund(session, refund_id, self._looks(who, place), reason, now)

    def step_refund(  # noqa: PLR0913, PLR0917  which line, and what of it
        self, who: SignedIn, place: Place, refund_id: UUID, line_id: UUID, step: TypedStep, now: datetime
    ) -> None:
        """Write down that a line was paid, sent, undone or taken back."""
        session, actor = self._within(place), self._looks(who, place)
        refund = refund_rows.refund_of(session, place.id, refund_id)
        refund_rows.refuse_other_line(session, refund, line_id)
        if step.step not in {"chi", "da-chuyen"}:
            refuse_tied(session, place.id, line_id)
        if step.step == "chi":
            pay_cash(session, line_id, self._actor(who, Actor.CASHIER), step.signed_by, _day(step), now)
        elif step.step == "da-chuyen":
            mark_sent(session, line_id, self._actor(who, Actor.ACCOUNTANT), _day(step), now)
        elif step.step == "huy-chi":
            undo_step(session, line_id, actor, step.reason, now)
        else:
            give_up(session, line_id, self._actor(who, Actor.ACCOUNTANT), step.reason, now)

    def refund_workbook(self, who: SignedIn, place: Place, refund_id: UUID, now: datetime) -> Download:
        """Return the payout list with the sheet to sign."""
        session = self._within(place)
        content = payout_xlsx(refund_rows.payout_list(session, self._wiring.vault, place.id, refund_id, now))
        deed = Deed(place.id, "refund.open_list", "refund", str(refund_id))
        record_deed(session, self._looks(who, place), deed, now)
        return Download(content, _XLSX, f"Hoàn tiền {school_day(now):%d-%m-%Y}.xlsx")


def _day(step: TypedStep) -> date:
    if step.day is None:
        raise Refused("Hãy ghi ngày đã chi tiền.")
    return step.day
