"""The part of the till's desk that fills it and has two people agree to ties, on rows."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from billing.audit.recording import Actor as DeedActor
from billing.cash import withdrawing
from billing.cash.withdrawing import Fetched
from reconciliation.depositing import asking
from reconciliation.outgoing.standing import refuse_tied
from service.access.roles import Actor, Place, SignedIn
from service.pages import withdrawal_rows
from service.pages.till_views import TypedDeposit, WithdrawalsPage
from service.pages.typed import read_id, read_money
from service.pages.within import RowsWithin

TREASURY = "kho-bac"  # in the form, beside the ids of bank accounts


class FillingRows(RowsWithin):
    """Withdrawals, and ties of deposits that no rule suggests."""

    def withdrawals(self, who: SignedIn, place: Place, number: int, now: datetime) -> WithdrawalsPage:
        """Return what was fetched to the till."""
        return withdrawal_rows.withdrawals_page(self._within(place), place.id, who.user_id, number, now)

    def withdraw_cash(self, who: SignedIn, place: Place, typed: TypedDeposit, now: datetime) -> None:
        """Store a withdrawal once."""
        fetched = Fetched(
            account_id=None if typed.account == TREASURY else read_id(typed.account),
            amount=read_money(typed.amount),
            slip=typed.slip,
            form=read_id(typed.form),
        )
        withdrawing.withdraw_cash(self._within(place), self._keeps(who, place), place.id, fetched, now)

    def take_back_withdrawal(
        self, who: SignedIn, place: Place, withdrawal_id: UUID, reason: str, now: datetime
    ) -> None:
        """Take back what was written down wrongly."""
        session = self._within(place)
        refuse_tied(session, place.id, withdrawal_id)
        withdrawing.take_back_withdrawal(session, self._looks(who, place), place.id, withdrawal_id, reason, now)

    def ask_deposit_tie(  # noqa: PLR0913, PLR0917  as the desk has it
        self, who: SignedIn, place: Place, deposit_id: UUID, transfer: str, reason: str, now: datetime
    ) -> None:
        """Ask for a tie that no rule suggests."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        asking.ask_tie(session, actor, place.id, deposit_id, read_id(transfer), reason, now)

    def decide_deposit_tie(  # noqa: PLR0913  as the desk has it
        self, who: SignedIn, place: Place, ask_id: UUID, reason: str, now: datetime, *, agreed: bool
    ) -> None:
        """Agree to such a tie or not."""
        session, actor = self._within(place), self._looks(who, place)
        if agreed:
            asking.agree_tie(session, actor, place.id, ask_id, now)
        else:
            asking.refuse_tie(session, actor, place.id, ask_id, reason, now)

    def _keeps(self, who: SignedIn, place: Place) -> DeedActor:
        """Return who acts on the till: as its cashier, or as an approver who keeps it (``billing/cash/keeping``)."""
        role = Actor.CASHIER if Actor.CASHIER in who.roles_in(place) else Actor.APPROVER
        return self._actor(who, role)
