"""Cash that was fetched to the till is money out of the account it was fetched from: tied once, by another person."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from billing.cash.till_tables import CashWithdrawal, CashWithdrawalEnd
from billing.cash.withdrawing import Fetched, withdraw_cash
from billing.errors import Conflict, Refused, SamePerson
from billing.money import Money
from billing.storage import new_id
from reconciliation.closing.checking import unfinished
from reconciliation.outgoing.classifying import Purpose, classify
from reconciliation.outgoing.kinds import Sent, Tie, suggest
from reconciliation.outgoing.reading import waiting_for_money
from reconciliation.outgoing.standing import refuse_tied
from reconciliation.outgoing.tables import MoneyOut
from service.database import Scope
from tests.factories.schools import make_user
from tests.reconciliation.outgoing.outgoing_world import Spending


def fetched(spending: Spending, session: Session, dong: int = 500_000, slip: str = "SEC 000123") -> CashWithdrawal:
    billing = spending.insuring.school.billing
    wanted = Fetched(account_id=billing.account.id, amount=Money(dong), slip=slip, form=new_id())
    return withdraw_cash(session, make_user(session, billing.school, "cashier"), spending.id, wanted, spending.now)


def of_the_till(row: CashWithdrawal) -> Purpose:
    return Purpose("cash", tie=Tie.CASH, tied_id=row.id)


def unclosed(spending: Spending, session: Session) -> list[tuple[int, Money | None]]:
    """Return what the checklist of the month says of cash that was fetched and is not tied."""
    open_ = unfinished(session, spending.id, spending.now.date().replace(day=1), spending.now)
    return [(each.count, each.amount) for each in open_ if each.what == "fetched"]


def test_tied_it_is_no_cost_and_taken_back_it_waits_again(spending: Spending) -> None:
    with spending.open() as session:
        before = spending.balances(session)
        row = fetched(spending, session)
        out = spending.books(session, 500_000, "RUT TIEN MAT SEC000123")
        [waits] = waiting_for_money(session, spending.id)
        assert unclosed(spending, session) == [(1, Money(500_000))]
        account = str(spending.insuring.school.billing.account.id)
        assert (waits.tie, waits.amount, waits.account) == (Tie.CASH, Money(500_000), account)
        assert [each.kind for each in suggest(Sent(Money(500_000), waits.day, "x", "", account), [waits])] == ["cash"]
        assert suggest(Sent(Money(500_000), waits.day, "x", "", str(new_id())), [waits]) == []
        [purpose] = spending.classify(session, out, of_the_till(row))
        after = spending.balances(session)
        assert (after.get("113"), after.get("1388")) == (before.get("113"), before.get("1388"))
        assert after["111"] - before["111"] == before.get("112", 0) - after.get("112", 0) == 500_000
        assert waiting_for_money(session, spending.id) == []
        assert unclosed(spending, session) == []
        with pytest.raises(Conflict, match="Ngân hàng đã chuyển"):
            refuse_tied(session, spending.id, row.id)
        spending.take_back(session, purpose.id)
        assert len(waiting_for_money(session, spending.id)) == 1
        spending.clearing_is_what_is_unknown(session)


def test_another_account_sum_or_person_is_not_it(spending: Spending) -> None:
    with spending.open() as session:
        row = fetched(spending, session)
        elsewhere = spending.books(session, 500_000, "RUT TIEN MAT", account=spending.treasury)
        with pytest.raises(Refused, match="tài khoản khác"):
            spending.classify(session, elsewhere, of_the_till(row))
        out = spending.books(session, 500_000, "RUT TIEN MAT")
        fetcher = make_user(session, spending.insuring.school.billing.school, "accountant")
        fetcher = type(fetcher)(user_id=row.made_by, role="accountant")
        with pytest.raises(SamePerson):
            classify(session, fetcher, spending.id, out, [of_the_till(row)], spending.now)
        less = spending.books(session, 400_000, "RUT TIEN MAT")
        with pytest.raises(Refused, match="nhiều hơn"):
            spending.classify(session, less, of_the_till(row))


def test_the_database_refuses_what_the_rules_refuse(spending: Spending) -> None:
    accountant = spending.accountant.user_id
    assert accountant
    with spending.open() as session:
        row = fetched(spending, session)
        out = spending.books(session, 900_000, "RUT TIEN MAT")
        elsewhere = spending.books(session, 500_000, "RUT TIEN MAT", account=spending.treasury)

    def purpose(**more: object) -> MoneyOut:
        facts = {
            "school_id": spending.id, "transfer_id": out, "kind": "cash", "amount": Money(500_000), "reason": "x",
            "cash_withdrawal_id": row.id, "entry_id": row.entry_id, "made_by": accountant, "at": spending.now,
        }  # fmt: skip
        return MoneyOut(**{**facts, **more})  # type: ignore[arg-type]  # a test's short hand

    def stored(*rows: MoneyOut | CashWithdrawalEnd) -> None:
        with spending.insuring.school.database.transaction(Scope.of(spending.id)) as session:
            for each in rows:
                session.add(each)
                session.flush()

    for wrong, words in (
        ({"amount": Money(499_999)}, "withdrawn from its account"),
        ({"transfer_id": elsewhere}, "withdrawn from its account"),
        ({"made_by": row.made_by}, "by another person"),
        ({"cash_withdrawal_id": None}, "cash_is_tied"),
        ({"kind": "fee"}, "cash_is_tied"),
    ):
        with pytest.raises(IntegrityError, match=words):
            stored(purpose(**wrong))
    second = spending
    with second.open() as session:
        again = spending.books(session, 500_000, "RUT TIEN MAT")
    with pytest.raises(IntegrityError, match="tied to money out already"):
        stored(purpose(), purpose(transfer_id=again))
    end = CashWithdrawalEnd(
        withdrawal_id=row.id, school_id=spending.id, reason="x", entry_id=row.entry_id, made_by=accountant,
        at=spending.now,
    )  # fmt: skip
    with pytest.raises(IntegrityError, match="has paid this withdrawal out"):
        stored(purpose(), end)
