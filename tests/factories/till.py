"""Cash in a till, for tests of what is paid out of it."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from billing.cash.withdrawing import Fetched, withdraw_cash
from billing.money import Money
from billing.people.tables import School
from billing.storage import new_id
from tests.factories.schools import make_user


def fill_till(session: Session, school: School, amount: Money, now: datetime) -> None:
    """Let a cashier fetch cash from the Treasury."""
    form = new_id()
    fetched = Fetched(account_id=None, amount=amount, slip=f"RT {form}", form=form)
    withdraw_cash(session, make_user(session, school, "cashier"), school.id, fetched, now)
