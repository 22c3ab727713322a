"""A round paid in instalments: the parts are the bill, the code asks for what is due, and large bills need them."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select

from billing.bills.instalments import Share
from billing.bills.tables import Bill, BillInstalment
from billing.documents.slip_filling import Printing, slip
from billing.documents.vietqr import decode
from billing.errors import Conflict, Refused
from billing.fees.tables import FeeItem, FeePrice
from billing.money import ZERO, Money, total
from billing.payments.balances import asked_of, request_balances, rest_of
from billing.rounds.approving import approve_round, submit_round
from billing.rounds.correcting import propose_price, propose_void
from billing.rounds.drafting import RoundPlan, draft_round, find_round, set_instalments
from billing.rounds.issuing import issue_round
from billing.rounds.previewing import preview_round
from billing.vault import Vault
from service.database import EVERYTHING, Database
from tests.billing.rounds.correction_world import Issued, ties_out
from tests.billing.rounds.makers import BOARDER, as_school
from tests.factories.fees import OCTOBER, weekdays
from tests.factories.rounds import (
    REFERENCE_KEY,
    SEPTEMBER,
    BillingSchool,
    approved_round,
    issued_round,
    make_billing_school,
    requests_of,
)
from tests.factories.schools import SCHOOL_YEAR

SHARES = (Share(date(2025, 10, 20), 40), Share(date(2025, 11, 20), 30), Share(date(2025, 12, 20), 30))
HALVES = (Share(date(2025, 10, 20), 50), Share(date(2025, 11, 20), 50))
BEFORE, MIDDLE = date(2025, 10, 6), date(2025, 11, 25)


def planned(billing: BillingSchool) -> RoundPlan:
    due_on = SHARES[-1].due_on
    return RoundPlan(billing.id, SCHOOL_YEAR, "2025-10", "Kỳ I", OCTOBER, weekdays(OCTOBER), due_on, SHARES)


def issue_in_parts(session: Session, billing: BillingSchool, now: datetime) -> UUID:
    made = draft_round(session, billing.accountant, planned(billing), now)
    preview_round(session, made.id, billing.accountant, now)
    submit_round(session, made.id, billing.accountant, now)
    approve_round(session, made.id, billing.approver, now, confirm=True)
    issue_round(session, made.id, now, REFERENCE_KEY)
    return made.id


@pytest.fixture
def issued(database: Database, billing: BillingSchool, now: datetime) -> Issued:
    with as_school(database, billing) as session:
        return Issued(database, billing, issue_in_parts(session, billing, now), now)


def test_the_parts_of_every_bill_are_the_bill(issued: Issued) -> None:
    with issued.open() as session:
        rows = session.exec(select(BillInstalment).order_by(col(BillInstalment.number))).all()
        for child in range(3):
            bill = issued.bill(session, child)
            parts = [row for row in rows if row.bill_id == bill.bill_id]
            assert total(part.amount for part in parts) == bill.due
            assert [part.due_on for part in parts] == [share.due_on for share in SHARES]
        ties_out(session, issued.billing)


def asked(session: Session, issued: Issued, today: date, child: int = 0) -> tuple[Money, Money]:
    """Return what a child's newest request asks for, and what is open on it."""
    request = requests_of(session, issued.billing.pupils[child])[-1]
    balances = request_balances(session, issued.billing.id, [request.id])[request.id]
    return asked_of(balances, today), rest_of(balances)


def test_the_code_asks_for_what_is_due_or_for_the_next_part(issued: Issued) -> None:
    with issued.open() as session:
        first, second, _ = BOARDER.split([40, 30, 30])
        assert asked(session, issued, BEFORE) == (first, BOARDER)
        assert asked(session, issued, MIDDLE) == (first + second, BOARDER)
        issued.pay(session, 0, first)
        assert asked(session, issued, BEFORE) == (second, BOARDER - first)
        issued.pay(session, 0)
        assert asked(session, issued, BEFORE) == (ZERO, ZERO)
        ties_out(session, issued.billing)


def test_an_older_bill_stands_in_the_same_code_in_full(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    with as_school(database, billing) as session:
        issued_round(session, billing, now - timedelta(days=30), SEPTEMBER, "2025-09")
        round_id = issue_in_parts(session, billing, now)
    issued = Issued(database, billing, round_id, now)
    with issued.open() as session:
        water, first = Money(10_000), BOARDER.split([40, 30, 30])[0]
        due, rest = asked(session, issued, BEFORE)
        assert rest - BOARDER >= water  # September's bill is among them
        assert due == rest - BOARDER + first


def test_the_slip_says_which_part_it_asks_for(issued: Issued) -> None:
    with issued.open() as session:
        request = requests_of(session, issued.billing.pupils[0])[0]
        made = slip(session, request.id, Printing("https://hocphi.example", BEFORE))
        first = BOARDER.split([40, 30, 30])[0]
        assert (made.instalment, made.amount_due, made.later) == ("Đợt 1/3", first, BOARDER - first)
        assert made.due_on == SHARES[0].due_on
        assert decode(made.qr_payload).amount == first


def test_a_credit_note_takes_from_the_last_part_and_a_replacement_is_split_anew(issued: Issued) -> None:
    with issued.open() as session:
        first = BOARDER.split([40, 30, 30])[0]
        accountant = issued.billing.accountant
        note = propose_price(session, accountant, issued.round_id, "BANTRU", Money(200_000), "Hạ", issued.now)
        issued.approve(session, note)
        lowered = BOARDER - Money(100_000)
        assert asked(session, issued, BEFORE) == (first, lowered)
        bill = issued.bill(session, 0)
        instead = propose_void(session, accountant, bill.bill_id, "Tính lại", issued.now, replace=True)
        issued.approve(session, instead)
        new = issued.bill(session, 0)
        assert total(part.amount for part in new.instalments) == new.due == BOARDER
        ties_out(session, issued.billing)


def test_shares_are_set_before_the_round_is_submitted_and_what_is_approved_is_what_was_shown(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    with as_school(database, billing) as session:
        plan = replace(planned(billing), instalments=())
        made = draft_round(session, billing.accountant, plan, now)
        whole = preview_round(session, made.id, billing.accountant, now).digest
        changed = set_instalments(session, made.id, billing.accountant, HALVES, now)
        assert (changed.state, changed.preview_digest, changed.due_on) == ("draft", None, HALVES[-1].due_on)
        assert preview_round(session, made.id, billing.accountant, now).digest != whole
        submit_round(session, made.id, billing.accountant, now)
        with pytest.raises(Conflict, match="đã trình duyệt"):
            set_instalments(session, made.id, billing.accountant, (), now)
        assert find_round(session, made.id).instalments[0] == {"due_on": "2025-10-20", "percent": 50}


@pytest.mark.parametrize(
    ("shares", "due_on", "reason"),
    [
        (HALVES, date(2025, 12, 20), "Hạn của đợt nộp cuối"),
        ((Share(date(2025, 9, 1), 50), HALVES[1]), HALVES[1].due_on, "trước ngày đầu"),
        ((HALVES[0], Share(date(2025, 11, 20), 40)), HALVES[1].due_on, "đang là 90 %"),
    ],
)
def test_bad_shares_make_no_round(issued: Issued, shares: tuple[Share, ...], due_on: date, reason: str) -> None:
    plan = replace(planned(issued.billing), code="x", instalments=shares, due_on=due_on)
    with issued.open() as session, pytest.raises(Refused, match=reason):
        draft_round(session, issued.billing.accountant, plan, issued.now)


def test_a_bill_of_half_a_billion_is_issued_in_parts(database: Database, vault: Vault, now: datetime) -> None:
    with database.transaction(EVERYTHING) as session:
        billing = make_billing_school(session, vault, pupils=1, catalogue="private-school")
        item = session.exec(select(FeeItem).where(FeeItem.code == "HOCPHI")).one()
        (price,) = session.exec(select(FeePrice).where(FeePrice.item_id == item.id)).all()
        price.withdrawn_at = now
        dear = FeePrice(school_id=billing.id, item_id=item.id, amount=Money(600_000_000), valid_from=date(2025, 9, 1))
        session.add_all([price, dear])
    with as_school(database, billing) as session:
        whole = draft_round(session, billing.accountant, replace(planned(billing), instalments=()), now)
        with pytest.raises(Refused, match="nhiều đợt nộp"):
            preview_round(session, whole.id, billing.accountant, now)
    with as_school(database, billing) as session:
        plan = replace(planned(billing), code="P", due_on=HALVES[-1].due_on, instalments=HALVES)
        made = draft_round(session, billing.accountant, plan, now)
        preview_round(session, made.id, billing.accountant, now)
        submit_round(session, made.id, billing.accountant, now)
        approve_round(session, made.id, billing.approver, now, confirm=True)
        done = issue_round(session, made.id, now, REFERENCE_KEY)
    assert done.family_total >= Money(500_000_000)
    issued = Issued(database, billing, made.id, now)
    with issued.open() as session:
        parts = session.exec(select(col(BillInstalment.amount))).all()
        assert all(part < Money(500_000_000) for part in parts)
        assert sum((part.dong for part in parts), 0) == done.family_total.dong
        ties_out(session, billing)


def test_the_database_refuses_parts_that_are_not_the_bill(issued: Issued) -> None:
    with issued.open() as session:
        bill = session.exec(select(Bill).where(Bill.id == issued.bill(session, 0).bill_id)).one()
        school_id, bill_id = bill.school_id, bill.id
        waiting = approved_round(session, issued.billing, issued.now, SEPTEMBER, "2025-09")
    one_more = BillInstalment(school_id=school_id, bill_id=bill_id, number=4, amount=Money(1), due_on=date(2026, 1, 20))
    with pytest.raises(DBAPIError, match="add up to what the family owes"), issued.open() as session:
        session.add(one_more)
    large = Bill(
        school_id=school_id,
        round_id=waiting,
        enrolment_id=bill.enrolment_id,
        pupil_id=bill.pupil_id,
        class_id=bill.class_id,
        bank_account_id=bill.bank_account_id,
        number="x",
        period=bill.period,
        gross=Money(500_000_000),
        reduced=ZERO,
        family_due=Money(500_000_000),
        due_on=bill.due_on,
        issued_at=bill.issued_at,
    )
    with pytest.raises(DBAPIError, match="paid in instalments"), issued.open() as session:
        session.add(large)
