"""Two people at one till at the same moment, in threads and transactions of their own: one wins, the book ties out."""

from __future__ import annotations

from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from sqlmodel import Session

from billing.cash.counting import Counted, count_till
from billing.cash.depositing import Brought, deposit_cash
from billing.cash.handing_over import decide_handover
from billing.cash.withdrawing import take_back_withdrawal
from billing.credits.paying_out import pay_cash
from billing.credits.refunding import Wanted, approve_refund, ask_refund, lines_of
from billing.errors import HocphiError
from billing.money import Money
from billing.storage import new_id
from tests.billing.cash.cash_world import Till
from tests.billing.cash.test_till import brings, counts, hands
from tests.billing.cash.test_withdrawing import fetches, with_credit

Act = Callable[[Session], object]


def together(till: Till, *acts: Act) -> list[str]:
    """Do acts at the same moment, each in a transaction of its own; return the names of what was refused."""
    start, refused = Barrier(len(acts)), list[str]()

    def run(act: Act) -> None:
        try:
            with till.school.database.transaction(till.scope) as session:
                start.wait(30)
                act(session)
        except HocphiError as error:
            refused.append(type(error).__name__)

    threads = [Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with till.open():  # it ties out
        return refused


def test_what_was_counted_is_brought_to_the_bank_once(till: Till) -> None:
    with till.open() as session:
        till.take(session, till.handed(90_000))
        counts(till, session, 90_000)
    account = till.school.billing.account.id

    def brings_all(slip: str) -> Act:
        brought = Brought(account_id=account, amount=Money(90_000), slip=slip, form=new_id())
        return lambda session: deposit_cash(session, till.cashier, till.id, brought, till.now)

    assert together(till, brings_all("NT 1"), brings_all("NT 2")) == ["Refused"]
    with till.open() as session:
        assert till.cash(session) == 0


def test_a_refund_and_a_deposit_do_not_both_leave_the_till(till: Till) -> None:
    with till.open() as session:
        held = with_credit(till, session, 1)
        counts(till, session, held)
        brings(till, session, held - 50_000, "NT 0")
        wanted = [Wanted(till.school.pupil(1), None, Money(50_000))]
        asked = ask_refund(session, till.school.vault, till.accountant, till.id, wanted, "Nộp thừa", till.now)
        approve_refund(session, asked.id, till.approver, till.now)
        [line] = [each.id for each in lines_of(session, asked)]
    brought = Brought(account_id=till.school.billing.account.id, amount=Money(50_000), slip="NT 1", form=new_id())
    refused = together(
        till,
        lambda session: deposit_cash(session, till.cashier, till.id, brought, till.now),
        lambda session: pay_cash(session, line, till.cashier, "Nguyễn Văn Hòa", till.now.date(), till.now),
    )
    assert refused == ["Refused"]
    with till.open() as session:
        assert till.cash(session) == 0


def test_a_withdrawal_taken_back_and_its_cash_brought_away(till: Till) -> None:
    with till.open() as session:
        row = fetches(till, session, 50_000, treasury=True)
        counts(till, session, 50_000)
    brought = Brought(account_id=till.school.billing.account.id, amount=Money(50_000), slip="NT 1", form=new_id())
    refused = together(
        till,
        lambda session: deposit_cash(session, till.cashier, till.id, brought, till.now),
        lambda session: take_back_withdrawal(session, till.approver, till.id, row.id, "Nhầm", till.now),
    )
    assert refused == ["Refused"]


def test_a_taking_meets_a_count(till: Till) -> None:
    """Either the count comes first, or the cashier is told that cash moved since."""
    with till.open() as session:
        till.take(session, till.handed(90_000))
    counted = Counted(notes={10_000: 9}, book=Money(90_000), reason="", form=new_id())
    refused = together(
        till,
        lambda session: count_till(session, till.cashier, till.id, counted, till.now),
        lambda session: till.take(session, till.handed(10_000, 2)),
    )
    assert refused in ([], ["ScreenMoved"])


@pytest.mark.parametrize("accepted", [True, False])
def test_a_hand_over_is_decided_once(till: Till, *, accepted: bool) -> None:
    with till.open() as session:
        till.take(session, till.handed(90_000))
        counts(till, session, 90_000)
        row = hands(till, session).id
    refused = together(
        till,
        lambda session: decide_handover(
            session, till.approver, till.id, row, till.now, accepted=accepted, reason="Thiếu"
        ),
        lambda session: decide_handover(
            session, till.second, till.id, row, till.now, accepted=False, reason="Nghỉ việc"
        ),
    )
    assert refused == ["Conflict"]
