"""The desk of the page of bank accounts, on rows."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import select

from billing.banking import changing
from billing.banking.changing import WantedAccount
from billing.errors import Conflict
from billing.ledger.tables import BankAccount
from service.access.roles import Actor, Place, SignedIn
from service.database import EVERYTHING, use_scope
from service.pages.bank_account_rows import bank_accounts_page
from service.pages.bank_account_views import BankAccountsPage, TypedAccount
from service.pages.number_binding import NumberRows
from service.pages.typed import read_id

PLAN = "notifications.plan"


class BankAccountRows(NumberRows):
    """Accounts asked for, agreed to and stopped, on rows; the head and the auditor are told of each."""

    def bank_accounts(self, who: SignedIn, place: Place) -> BankAccountsPage:
        """Return the accounts and what was asked for."""
        hours = self._wiring.settings.account_wait_hours
        return bank_accounts_page(self._within(place), place.id, who.user_id, hours)

    def ask_account(self, who: SignedIn, place: Place, typed: TypedAccount, now: datetime) -> None:
        """Ask for an account."""
        wanted = WantedAccount(
            bank_bin=typed.bank_bin,
            number=typed.number,
            holder=typed.holder,
            told_by=typed.told_by,
            reason=typed.reason,
            only_virtual=typed.only_virtual,
            can_qr=typed.can_qr,
            memo_code=typed.memo_code,
            replaces_id=read_id(typed.replaces) if typed.replaces else None,
        )
        self._refuse_anybody_s(typed)
        changing.ask_account(self._within(place), self._actor(who, Actor.ACCOUNTANT), place.id, wanted, now)
        self.bells.append(PLAN)

    def approve_account(self, who: SignedIn, place: Place, change_id: UUID, now: datetime) -> None:
        """Agree."""
        wait = timedelta(hours=self._wiring.settings.account_wait_hours)
        actor = self._actor(who, Actor.APPROVER)
        changing.approve_account(self._within(place), actor, place.id, change_id, wait, now)
        self.bells.append(PLAN)

    def withdraw_account(self, who: SignedIn, place: Place, change_id: UUID, reason: str, now: datetime) -> None:
        """Stop a change."""
        changing.withdraw_account(self._within(place), self._looks(who, place), place.id, change_id, reason, now)
        self.bells.append(PLAN)

    def _refuse_anybody_s(self, typed: TypedAccount) -> None:
        """Refuse a number that stands in the house already, also another school's, which its own rows do not show."""
        use_scope(self._session, EVERYTHING)
        number = re.sub(r"[\s.-]", "", typed.number)
        query = select(BankAccount.id).where(
            BankAccount.bank_bin == typed.bank_bin.strip(), BankAccount.number == number
        )
        if self._session.exec(query).first() is not None:
            raise Conflict(f"Số tài khoản {number} đã có trong hệ thống. Xin kiểm tra lại số.")
