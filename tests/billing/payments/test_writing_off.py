"""Corrections after a write-off: what the family gets back depends neither on the order nor on how many there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from billing.audit.tables import AuditEntry
from billing.bills.tables import BillLine
from billing.errors import Conflict
from billing.events.recording import BILL_CREDITED
from billing.events.tables import Event
from billing.ledger.balances import debit_balance
from billing.money import ZERO, Money, total
from billing.payments.relief_tables import Relief, ReliefPaper
from billing.payments.relieving import end_relief
from billing.payments.writing_off import WRITTEN_OFF, Lowered, lower_write_offs
from billing.payments.written_off import live_write_off
from billing.rounds.correcting import Lowering, approve_correction, propose_credit
from billing.vault import Vault
from service.database import EVERYTHING, Database
from tests.billing.credits.credit_world import School, make_school
from tests.billing.payments.test_relieving import LATER, PAPER, assert_sound, income, lists_say, written_off
from tests.factories.rounds import REFERENCE_KEY
from tests.standing import standing

PAID = Money(100_000)


@pytest.fixture
@standing
def school(database: Database, vault: Vault, now: datetime) -> School:
    """October is billed, nobody has paid."""
    made = make_school(database, vault, now)
    with made.open() as session:
        made.bill_month(session, 10)
    return made


def lines_of(session: Session, bill_id: UUID) -> list[tuple[int, Money]]:
    """Return the lines of a bill with the family's share."""
    query = select(BillLine).where(BillLine.bill_id == bill_id).order_by(col(BillLine.position))
    return [(line.id or 0, line.family_share) for line in session.exec(query).all() if line.family_share]


def lower(school: School, session: Session, *lines: tuple[int, Money]) -> None:
    """Lower lines of October's bill by one correction."""
    bill_id = school.bill(session, 10).bill_id
    lowering = [Lowering(line, amount) for line, amount in lines]
    asked = propose_credit(session, school.billing.accountant, bill_id, lowering, "Ghi nhầm", LATER)
    approve_correction(session, asked.id, school.billing.approver, LATER, REFERENCE_KEY)


def living(session: Session) -> list[Relief]:
    return list(session.exec(select(Relief).where(live_write_off()).order_by(col(Relief.id))).all())


def kept(school: School, session: Session) -> Money:
    return total(map(Money, school.kept(session).values()))


def test_line_by_line_in_any_order_gives_back_as_much_as_one_correction_of_all(school: School) -> None:
    with school.open() as session:
        lines = lines_of(session, school.bill(session, 10).bill_id)
        assert len(lines) > 1
        one_by_one = [[each] for each in lines]
        for notes in ([lines], one_by_one, one_by_one[::-1]):
            trial = session.begin_nested()
            school.pay_part(session, 10, PAID)
            written_off(school, session)
            for note in notes:
                lower(school, session, *note)
            bill = school.bill(session, 10)
            assert kept(school, session) == PAID, "all that was paid, for nothing of the bill is left"
            assert (bill.due, bill.paid, bill.rest, bill.written_off) == (ZERO, ZERO, ZERO, ZERO)
            assert (bill.off_rest, bill.to_credit) == (bill.family_due - PAID, PAID)
            assert debit_balance(session, school.id, WRITTEN_OFF) == ZERO, "what was not to be paid was no loss"
            trial.rollback()


def test_what_is_left_of_a_write_off_stands_on_the_same_decision_and_paper(school: School) -> None:
    with school.open() as session:
        school.pay_part(session, 10, PAID)
        first = written_off(school, session)
        before, earned = school.bill(session, 10), income(school, session)
        (line, share), *_ = lines_of(session, before.bill_id)
        lower(school, session, (line, Money(1000)))
        (now_,) = living(session)
        paper = session.exec(select(ReliefPaper).where(ReliefPaper.relief_id == now_.id)).one()
        assert (now_.decision_number, now_.decided_on, now_.reason) == (
            first.decision_number, first.decided_on, first.reason,
        )  # fmt: skip
        assert (paper.content, now_.amount) == (PAPER.content, before.written_off - Money(1000))
        assert debit_balance(session, school.id, WRITTEN_OFF) == now_.amount
        assert -income(school, session) == -earned - Money(1000), "it was not earned"
        assert lists_say(session, before.bill_id) == (0, PAID.dong)
        deed = session.exec(select(AuditEntry).where(AuditEntry.action == "write_off.lower")).one()
        assert (deed.object_id, deed.actor_id) == (str(now_.id), school.billing.approver.user_id)
        assert session.exec(select(Event).where(Event.kind == BILL_CREDITED)).all() == [], "nothing changes for them"
        with pytest.raises(Conflict, match="tải lại trang"):
            end_relief(session, school.billing.approver, school.id, first.id, "x", LATER)
        end_relief(session, school.billing.approver, school.id, now_.id, "Gia đình quay lại nộp", LATER)
        assert school.bill(session, 10).rest == before.written_off - Money(1000)
        assert share > Money(1000)
    assert_sound(school)


def test_no_more_comes_off_a_write_off_than_was_written_off(school: School) -> None:
    with school.open() as session:
        relief = written_off(school, session)
        bill_id, amount = school.bill(session, 10).bill_id, relief.amount or ZERO
        accountant = school.billing.accountant.user_id
        assert accountant is not None
        by = Lowered(accountant, school.billing.approver, "x")
        with pytest.raises(ValueError, match="less written off"), session.begin_nested():
            lower_write_offs(session, bill_id, amount + Money(1), by, LATER)
        assert living(session) == [relief]


@dataclass
class Done:
    """What was done to the bill, added up without any order."""

    paid: Money = ZERO
    off: Money = ZERO


STEPS = st.lists(
    st.tuples(st.sampled_from(["pay", "lower", "lower", "write off", "end"]), st.integers(1, 100), st.integers(0, 9)),
    min_size=4,
    max_size=9,
)


@given(before=STEPS, after=STEPS)
@settings(
    max_examples=5,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking a world of rows takes minutes
)
def test_in_any_order_the_family_gets_back_what_it_paid_beyond_the_bill(
    school: School, before: Sequence[tuple[str, int, int]], after: Sequence[tuple[str, int, int]]
) -> None:
    """Whatever is paid, lowered, written off and asked for again: only how much was paid and lowered counts."""
    with school.database.transaction(EVERYTHING) as session:
        done, off = (
            Done(),
            dict.fromkeys([line for line, _ in lines_of(session, school.bill(session, 10).bill_id)], ZERO),
        )
        for step in [*before, ("write off", 0, 0), *after]:
            take(school, session, step, done, off)
            bill = school.bill(session, 10)
            given_back = max(done.paid + done.off - bill.family_due, ZERO)
            assert kept(school, session) == bill.given_back == given_back
            assert bill.rest + bill.written_off == bill.family_due + given_back - done.paid - done.off
            assert bill.paid == done.paid - given_back
            assert debit_balance(session, school.id, WRITTEN_OFF) == bill.written_off
            assert lists_say(session, bill.bill_id) == (bill.rest.dong, bill.paid.dong)
        session.rollback()


def take(school: School, session: Session, step: tuple[str, int, int], done: Done, off: dict[int, Money]) -> None:
    """Take one step where there is anything to take it on."""
    deed, percent, place = step
    bill = school.bill(session, 10)
    if deed == "pay":
        school.pay_part(session, 10, bill.rest.percent(percent))
        done.paid += bill.rest.percent(percent)
    elif deed == "lower":
        lines = lines_of(session, bill.bill_id)
        line, share = lines[place % len(lines)]
        amount = (share - off[line]).percent(percent)
        if amount:
            lower(school, session, (line, amount))
            off[line] += amount
            done.off += amount
    elif deed == "write off" and bill.rest:
        written_off(school, session)
    elif deed == "end" and (reliefs := living(session)):
        end_relief(session, school.billing.approver, school.id, reliefs[place % len(reliefs)].id, "Nộp lại", LATER)
