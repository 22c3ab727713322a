"""Tests of who keeps the till: at every door, in words and by the database, also when people are gone."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from billing.audit.recording import Actor
from billing.cash.counting import Counted, balance_of, count_till
from billing.cash.depositing import Brought, deposit_cash
from billing.cash.handing_over import Handing, decide_handover, hand_over
from billing.cash.keeping import keeper_of
from billing.cash.till_tables import CashCount, CashHandover, CashHandoverDecision
from billing.errors import NotAllowed, Refused
from billing.money import Money
from billing.storage import new_id
from service.access.tables import RoleGrant, User
from service.database import EVERYTHING
from tests.billing.cash.cash_world import Till
from tests.billing.cash.test_till import counts, hands
from tests.factories.schools import make_user


def key(actor: Actor) -> UUID:
    assert actor.user_id
    return actor.user_id


def ends(session: Session, till: Till, *people: Actor) -> None:
    """Let people's roles end yesterday."""
    rows = session.exec(select(RoleGrant).where(col(RoleGrant.user_id).in_([key(person) for person in people]))).all()
    for row in rows:
        row.valid_to = till.now.date() - timedelta(days=1)
        session.add(row)
    session.flush()


def handing(to: Actor) -> Handing:
    return Handing(receiver=key(to), note="", form=new_id())


def grant(till: Till, person: Actor, role: str, *, above: bool = False) -> None:
    row = RoleGrant(user_id=key(person), role=role, valid_from=date(2025, 9, 1))
    row.school_id, row.authority_id = (None, till.school.billing.school.authority_id) if above else (till.id, None)
    with till.school.database.transaction(EVERYTHING) as session:
        session.add(row)


def test_no_accountant_of_an_authority_receives_the_till(till: Till) -> None:
    grant(till, till.second, "accountant", above=True)
    with till.open() as session:
        till.take(session, till.handed(90_000))
        count = counts(till, session, 90_000)
        with pytest.raises(Refused, match="Kế toán không giữ quỹ"):
            hands(till, session, till.second)
        with pytest.raises(Refused, match="thủ quỹ hoặc người duyệt"):
            hands(till, session, make_user(session, till.school.billing.school, "class_teacher"))
    given = CashHandover(
        id=new_id(), school_id=till.id, form=new_id(), number=1, count_id=count.id, receiver=key(till.second),
        opening=Money(0), closing=Money(90_000), made_by=key(till.cashier), at=till.now,
    )  # fmt: skip
    with pytest.raises(IntegrityError, match="does not keep its cash"):
        till.store(given)


def test_who_became_accountant_meanwhile_does_not_accept(till: Till) -> None:
    with till.open() as session:
        till.take(session, till.handed(90_000))
        counts(till, session, 90_000)
        row = hands(till, session, till.second)
    grant(till, till.second, "accountant", above=True)
    with till.open() as session, pytest.raises(NotAllowed, match="Kế toán không giữ quỹ"):
        decide_handover(session, till.second, till.id, row.id, till.now, accepted=True)
    accepted = CashHandoverDecision(
        handover_id=row.id, school_id=till.id, accepted=True, decided_by=key(till.second), at=till.now
    )
    with pytest.raises(IntegrityError, match="does not keep its cash"):
        till.store(accepted)


def test_who_left_meanwhile_does_not_accept(till: Till) -> None:
    with till.open() as session:
        till.take(session, till.handed(90_000))
        counts(till, session, 90_000)
        row = hands(till, session, till.second)
    with till.school.database.transaction(EVERYTHING) as session:
        session.get_one(User, key(till.second)).disabled_at = till.now
    with till.open() as session, pytest.raises(NotAllowed):
        decide_handover(session, till.second, till.id, row.id, till.now, accepted=True)


def test_a_handover_whose_people_are_gone_is_ended_and_the_till_counted_anew(till: Till) -> None:
    with till.open() as session:
        new = make_user(session, till.school.billing.school, "cashier")
        till.take(session, till.handed(90_000))
        older = counts(till, session, 90_000)
        row = hands(till, session, till.second)
        for stranger in (till.accountant, new):
            with pytest.raises(NotAllowed, match="người duyệt kết thúc"):
                decide_handover(session, stranger, till.id, row.id, till.now, accepted=False, reason="Nghỉ việc")
    with till.school.database.transaction(EVERYTHING) as session:
        ends(session, till, till.cashier, till.second)
    later = till.now + timedelta(minutes=5)
    with till.open() as session:
        with pytest.raises(NotAllowed):
            decide_handover(session, till.approver, till.id, row.id, till.now, accepted=True)
        decide_handover(session, till.approver, till.id, row.id, till.now, accepted=False, reason="Hai người nghỉ việc")
        with pytest.raises(Refused, match="chưa được kiểm"):
            hand_over(session, till.approver, till.id, handing(new), later)
    given = CashHandover(
        school_id=till.id, form=new_id(), number=2, count_id=older.id, receiver=key(new), opening=Money(0),
        closing=Money(90_000), made_by=key(till.approver), at=later,
    )  # fmt: skip
    with pytest.raises(IntegrityError, match="counted anew"):
        till.store(given)
    with till.open() as session:
        notes = Counted(notes={10_000: 9}, book=Money(90_000), reason="", form=new_id())
        count_till(session, till.approver, till.id, notes, later)
        second = hand_over(session, till.approver, till.id, handing(new), later)
        decide_handover(session, new, till.id, second.id, later, accepted=True)
        assert keeper_of(session, till.id) == key(new)


def test_an_approver_who_received_the_till_counts_deposits_and_hands_on(till: Till) -> None:
    with till.open() as session:
        till.take(session, till.handed(90_000))
        for deed in (
            lambda: counts(till, session, 90_000, by=till.approver),
            lambda: hand_over(session, till.approver, till.id, handing(till.second), till.now),
        ):
            with pytest.raises(NotAllowed, match="Quỹ do thủ quỹ giữ"):
                deed()
        counts(till, session, 90_000)
        decide_handover(session, till.approver, till.id, hands(till, session).id, till.now, accepted=True)
        assert keeper_of(session, till.id) == key(till.approver)
        with pytest.raises(Refused, match="đang giữ quỹ"):
            hands(till, session)
        counts(till, session, 90_000, by=till.approver)
        account = till.school.billing.account.id
        brought = Brought(account_id=account, amount=Money(40_000), slip="NT 9", form=new_id())
        deposit_cash(session, till.approver, till.id, brought, till.now)
        counts(till, session, 50_000, by=till.approver)
        on = hand_over(session, till.approver, till.id, handing(till.cashier), till.now)
        decide_handover(session, till.cashier, till.id, on.id, till.now, accepted=True)
        back = hand_over(session, till.cashier, till.id, handing(till.second), till.now)
        assert (back.opening, back.closing) == (Money(50_000), Money(50_000)), "nothing moved, another keeps it"
        with pytest.raises(NotAllowed):
            counts(till, session, 50_000, by=till.approver)


def test_the_database_lets_nobody_else_count(till: Till) -> None:
    for person in (till.accountant, till.approver):
        count = CashCount(
            school_id=till.id, form=new_id(), counted=Money(0), book=Money(0), made_by=key(person), at=till.now
        )
        with pytest.raises(IntegrityError, match="by who keeps it"):
            till.store(count)


def test_an_empty_till_has_no_keeper(till: Till) -> None:
    with till.open() as session:
        assert keeper_of(session, till.id) is None
        assert balance_of(session, till.id) == Money(0)
        with pytest.raises(NotAllowed):
            counts(till, session, 0, by=till.approver)
        counts(till, session, 0)
        assert keeper_of(session, till.id) == key(till.cashier)
