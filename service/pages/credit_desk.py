"""What the pages of credit and refunds ask of the house; every desk limits itself to ``place``."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID

from service.access.roles import Place, SignedIn
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
from service.pages.refund_bulk_views import RefundBulkDesk
from service.pages.returning_views import ReturningDesk
from service.pages.views import Download


class CreditDesk(ReturningDesk, RefundBulkDesk, Protocol):
    """Leftovers and overpayments, their use, and refunds."""

    def credit_list(self, who: SignedIn, place: Place, query: CreditQuery, now: datetime) -> CreditList:
        """Return one page of what the school keeps, with sums that tie to the ledger."""

    def credit_workbook(self, who: SignedIn, place: Place, now: datetime) -> Download:
        """Return all of it as XLSX, and record who opened it."""

    def pupil_credit(self, who: SignedIn, place: Place, pupil_id: UUID, now: datetime) -> PupilCredit:
        """Return a pupil's credit with its history; raises ``NotFound``."""

    def use_credit(self, who: SignedIn, place: Place, typed: TypedUse, now: datetime) -> str:
        """Set credit against open bills, and say how much; raises ``Refused`` when nothing can be used."""

    def ask_refund(self, who: SignedIn, place: Place, typed: TypedRefund, now: datetime) -> UUID:
        """Ask for one pupil's credit to be given back."""

    def refunds(self, who: SignedIn, place: Place, now: datetime) -> RefundsPage:
        """Return the requests of a school."""

    def refund(self, who: SignedIn, place: Place, refund_id: UUID, now: datetime) -> RefundPage:
        """Return one request with its lines; raises ``NotFound``."""

    def decide_refund(  # noqa: PLR0913  which one, how, and why
        self, who: SignedIn, place: Place, refund_id: UUID, reason: str, now: datetime, *, approved: bool
    ) -> None:
        """Approve or reject; raises ``SamePerson`` or ``Conflict``."""

    def step_refund(  # noqa: PLR0913, PLR0917  which line, and what of it
        self, who: SignedIn, place: Place, refund_id: UUID, line_id: UUID, step: TypedStep, now: datetime
    ) -> None:
        """Write down that a line was paid, sent, undone or taken back."""

    def refund_workbook(self, who: SignedIn, place: Place, refund_id: UUID, now: datetime) -> Download:
        """Return the payout list with the sheet to sign, and record who opened it."""
