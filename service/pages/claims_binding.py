"""The desk of the pages of the State's money on rows."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlmodel import select

from billing.audit.recording import Deed, record_deed
from billing.claims import booking, claiming, entitling, paying_out
from billing.claims.filling import open_claim_xlsx, open_proof_of_study
from billing.errors import Refused
from billing.fees import support
from billing.fees.council_rates import KIND_NAMES, RateKind
from billing.people.tables import School
from reconciliation.outgoing.standing import refuse_tied
from service.access.roles import Actor, Place, SignedIn
from service.pages import claims_rows
from service.pages.claims_views import (
    ClaimPage,
    ClaimRow,
    EntitlementsPage,
    PayoutPage,
    StateMoneyPage,
    TypedChoice,
    TypedClaim,
    TypedEntitlement,
    TypedPayment,
    TypedPayout,
    TypedStep,
)
from service.pages.typed import read_day, read_id, read_money, school_day
from service.pages.views import Download
from service.pages.within import RowsWithin

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class ClaimRows(RowsWithin):
    """Lists for the State, payouts, choices and rights, answered from rows."""

    def state_money(self, who: SignedIn, place: Place, now: datetime) -> StateMoneyPage:
        """Return rates, lists, and to whom support goes."""
        del who
        return claims_rows.state_money_page(self._within(place), place.id, school_day(now))

    def draft_claim(self, who: SignedIn, place: Place, typed: TypedClaim, now: datetime) -> UUID:
        """Write down a list and work it out."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        plan = claiming.ClaimPlan(
            school_id=place.id,
            kind=_kind(typed.kind),
            school_year=typed.school_year,
            instalment=typed.instalment,
            first_month=_month(typed.first_month),
            last_month=_month(typed.last_month),
            chapter_code=typed.chapter_code,
            category_code=typed.category_code,
            economic_code=typed.economic_code,
        )
        claim = claiming.draft_claim(session, actor, plan, now)
        claiming.calculate_claim(session, claim.id, actor, now)
        return claim.id

    def claim(self, who: SignedIn, place: Place, claim_id: UUID, page: int) -> ClaimPage:
        """Return one list."""
        del who
        return claims_rows.claim_page(self._within(place), place.id, claim_id, page)

    def step_claim(self, who: SignedIn, place: Place, claim_id: UUID, step: TypedStep, now: datetime) -> None:
        """Take one step with a list."""
        session = self._within(place)
        claims_rows.claim_of(session, place.id, claim_id)
        maker = self._actor(who, Actor.ACCOUNTANT)
        if step.step == "tinh":
            claiming.calculate_claim(session, claim_id, maker, now)
        elif step.step == "trinh":
            claiming.submit_claim(session, claim_id, step.digest, maker, now)
        elif step.step == "duyet":
            claiming.approve_claim(session, claim_id, step.digest, self._actor(who, Actor.APPROVER), now)
        elif step.step == "gui":
            claiming.send_claim(session, claim_id, maker, now)
        else:
            claiming.withdraw_claim(session, claim_id, self._looks(who, place), now, step.reason)

    def claim_list(self, who: SignedIn, place: Place, claim_id: UUID, now: datetime) -> Download:
        """Return the workbook of an approved list."""
        session = self._within(place)
        claim = claims_rows.claim_of(session, place.id, claim_id)
        maker, approver = claims_rows.people_of(session, claim)
        content = open_claim_xlsx(session, claim, self._looks(who, place), maker, approver, now)
        name = f"{KIND_NAMES[RateKind(claim.kind)]} {claim.school_year} đợt {claim.instalment}"
        correction = f" điều chỉnh {claim.number}" if claim.number else ""
        return Download(content, _XLSX, f"{name}{correction}.xlsx")

    def record_state_payment(
        self, who: SignedIn, place: Place, claim_id: UUID, typed: TypedPayment, now: datetime
    ) -> None:
        """Write down money that came on a list."""
        session = self._within(place)
        claim = claims_rows.claim_of(session, place.id, claim_id)
        new = booking.NewPayment(read_money(typed.amount), typed.paid_on, typed.way, typed.document)
        booking.record_payment(session, claim, self._actor(who, Actor.ACCOUNTANT), new, now)

    def undo_state_payment(  # noqa: PLR0913, PLR0917  which one, and why
        self, who: SignedIn, place: Place, claim_id: UUID, payment_id: UUID, reason: str, now: datetime
    ) -> None:
        """Take back money that was written down wrongly."""
        session = self._within(place)
        claims_rows.claim_of(session, place.id, claim_id)
        booking.undo_payment(session, payment_id, self._actor(who, Actor.ACCOUNTANT), reason, now)

    # Payouts.

    def payout_lists(self, who: SignedIn, place: Place) -> tuple[tuple[ClaimRow, int], ...]:
        """Return the approved learning-cost lists with the unpaid."""
        del who
        return claims_rows.payout_lists(self._within(place), place.id)

    def payouts(self, who: SignedIn, place: Place, claim_id: UUID, now: datetime) -> PayoutPage:
        """Return the payout list."""
        del who
        return claims_rows.payout_page(self._within(place), place.id, claim_id, school_day(now))

    def pay_out(self, who: SignedIn, place: Place, claim_id: UUID, typed: TypedPayout, now: datetime) -> None:
        """Write down a signature."""
        session = self._within(place)
        claim = claims_rows.claim_of(session, place.id, claim_id)
        signed = paying_out.Signature(typed.received_by, typed.received_on, typed.way)
        paying_out.pay_out(session, claim, read_id(typed.pupil), self._looks(who, place), signed, now)

    def undo_payout(  # noqa: PLR0913, PLR0917  which one, and why
        self, who: SignedIn, place: Place, claim_id: UUID, payout_id: UUID, reason: str, now: datetime
    ) -> None:
        """Take back a payout that was written down wrongly."""
        session = self._within(place)
        claims_rows.claim_of(session, place.id, claim_id)
        refuse_tied(session, place.id, payout_id)
        paying_out.undo_payout(session, payout_id, self._looks(who, place), reason, now)

    # Support and rights.

    def choose_support(self, who: SignedIn, place: Place, typed: TypedChoice, now: datetime) -> None:
        """Write down who gets the support."""
        session = self._within(place)
        school = session.exec(select(School).where(School.id == place.id)).one()
        new = support.NewChoice(typed.payee, typed.decision, typed.decided_on, typed.since)
        support.choose_support(session, school, self._actor(who, Actor.ACCOUNTANT), new, now)

    def decide_choice(self, who: SignedIn, place: Place, choice_id: UUID, now: datetime, *, approved: bool) -> None:
        """Approve a choice, or drop it before it is approved."""
        session = self._within(place)
        if approved:
            support.approve_choice(session, choice_id, self._actor(who, Actor.APPROVER), now)
        else:
            support.withdraw_choice(session, choice_id, self._looks(who, place), now)

    def entitlements(self, who: SignedIn, place: Place, words: str, chosen: str, now: datetime) -> EntitlementsPage:
        """Return the rights of a school's pupils, and record the look."""
        session, actor = self._within(place), self._looks(who, place)
        record_deed(session, actor, Deed(place.id, "entitlement.open_list", "school", str(place.id)), now)
        enrolment = read_id(chosen) if chosen else None
        return claims_rows.entitlements_page(session, place.id, who.user_id, words, enrolment, school_day(now))

    def entitle(self, who: SignedIn, place: Place, typed: TypedEntitlement, now: datetime) -> None:
        """Enter a right that waits for another person."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        new = entitling.NewEntitlement(read_id(typed.enrolment), typed.code, typed.evidence, typed.first, typed.last)
        entitling.entitle(session, place.id, actor, new, now)

    def approve_entitlement(self, who: SignedIn, place: Place, entitlement_id: UUID, now: datetime) -> None:
        """Approve what another person entered."""
        session, actor = self._within(place), self._actor(who, Actor.APPROVER)
        entitling.approve_entitlement(session, entitlement_id, actor, now)

    def end_entitlement(  # noqa: PLR0913, PLR0917  which one, when, why
        self, who: SignedIn, place: Place, entitlement_id: UUID, last: date, reason: str, now: datetime
    ) -> None:
        """End a right after a day, or drop one that nobody approved."""
        session, actor = self._within(place), self._looks(who, place)
        entitling.end_entitlement(session, entitlement_id, actor, last, reason, now)

    def proof_of_study(self, who: SignedIn, place: Place, enrolment_id: UUID, now: datetime) -> Download:
        """Return the letter of a private pupil."""
        session, actor = self._within(place), self._looks(who, place)
        name, content = open_proof_of_study(session, place.id, enrolment_id, actor, now)
        return Download(content, "application/pdf", f"Xác nhận đang học {name}.pdf")


def _kind(text: str) -> RateKind:
    try:
        return RateKind(text)
    except ValueError as error:
        raise Refused("Hãy chọn loại danh sách.", kind=text) from error


def _month(text: str) -> date | None:
    """Return the first day of a month field (``2025-09``), nothing for an empty one."""
    return read_day(f"{text.strip()}-01") if text.strip() else None
