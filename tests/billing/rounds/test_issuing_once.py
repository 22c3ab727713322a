"""An issue happens once, whoever asks, and only of what was approved; a crash leaves nothing behind."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func
from sqlmodel import Session, col, select

from billing.audit.tables import AuditEntry
from billing.bills.tables import Bill, BillLine, BillReduction
from billing.errors import Conflict
from billing.events.tables import Event
from billing.fees.tables import FeeItem, FeePrice
from billing.ledger.tables import JournalEntry, Posting
from billing.money import Money
from billing.payments.tables import IssuedReference, PaymentRequest
from billing.rounds import issuing
from billing.rounds.drafting import find_round
from billing.rounds.issuing import IssuedRound, issue_round
from billing.rounds.previewing import preview_round
from billing.storage import money_sum
from billing.vault import Vault
from service.database import EVERYTHING, Database
from tests.billing.rounds.makers import BOARDER, DAY_PUPIL, as_school, count, exempt
from tests.factories.rounds import (
    REFERENCE_KEY,
    BillingSchool,
    approved_round,
    make_billing_school,
)
from tests.factories.schools import (
    make_pupil,
)


def test_issuing_twice_is_issuing_once(database: Database, billing: BillingSchool, now: datetime) -> None:
    with as_school(database, billing) as session:
        round_id = approved_round(session, billing, now)
        first = issue_round(session, round_id, now, REFERENCE_KEY)
    with as_school(database, billing) as session:
        again = issue_round(session, round_id, now + timedelta(hours=1), REFERENCE_KEY)
        assert again == first
        assert count(session, Bill) == first.bills
        assert count(session, JournalEntry) == first.bills
        issue_deeds = select(func.count()).where(col(AuditEntry.action) == "round.issue")
        assert session.exec(issue_deeds).one() == 1


@pytest.mark.parametrize("turn", range(5))
def test_two_who_issue_at_once_make_one_set_of_bills(
    database: Database, billing: BillingSchool, now: datetime, turn: int
) -> None:
    del turn
    with as_school(database, billing) as session:
        round_id = approved_round(session, billing, now)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: _issue(database, billing, round_id, now), range(2))
    assert first == second
    with as_school(database, billing) as session:
        assert (count(session, Bill), count(session, PaymentRequest)) == (3, 3)
        assert session.exec(select(money_sum(Posting.amount))).one() == first.family_total


@pytest.mark.parametrize(
    "breaks_at", ["write_bills", "book_bills", "use_credit", "write_requests", "tell_of_requests", "record_deed"]
)
def test_a_crash_in_the_middle_leaves_nothing_and_the_next_try_everything(
    database: Database,
    billing: BillingSchool,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
    breaks_at: str,
) -> None:
    with as_school(database, billing) as session:
        round_id = approved_round(session, billing, now)
    whole = getattr(issuing, breaks_at)

    def crash(*arguments: object, **details: object) -> None:
        whole(*arguments, **details)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(issuing, breaks_at, crash)
        with pytest.raises(KeyboardInterrupt), as_school(database, billing) as session:
            issue_round(session, round_id, now, REFERENCE_KEY)
    with as_school(database, billing) as session:
        for table in (Bill, BillLine, BillReduction, JournalEntry, Posting, PaymentRequest, IssuedReference, Event):
            assert count(session, table) == 0, table
        assert find_round(session, round_id).state == "approved"
        done = issue_round(session, round_id, now, REFERENCE_KEY)
        assert done.family_total == BOARDER + DAY_PUPIL * 2


def change_price(session: Session, billing: BillingSchool) -> None:
    item = session.exec(select(FeeItem).where(FeeItem.code == "NUOCUONG")).one()
    (old,) = session.exec(select(FeePrice).where(FeePrice.item_id == item.id)).all()
    old.valid_to = date(2025, 9, 30)
    session.add(old)
    session.add(FeePrice(school_id=billing.id, item_id=item.id, amount=Money(12_000), valid_from=date(2025, 10, 1)))


def add_exemption(session: Session, billing: BillingSchool) -> None:
    exempt(session, billing.pupils[1], 50)


def add_pupil(session: Session, billing: BillingSchool) -> None:
    make_pupil(session, billing.pupils[0].class_group, province_id=billing.school.province_id)


def take_a_pupil_away(session: Session, billing: BillingSchool) -> None:
    enrolment = billing.pupils[2].enrolment
    enrolment.ended_on = date(2025, 9, 15)
    session.add(enrolment)


@pytest.mark.parametrize("change", [change_price, add_exemption, add_pupil, take_a_pupil_away])
def test_what_changed_after_the_approval_is_not_issued(
    database: Database, billing: BillingSchool, now: datetime, change: object
) -> None:
    assert callable(change)
    with as_school(database, billing) as session:
        round_id = approved_round(session, billing, now)
        change(session, billing)
        session.flush()
        with pytest.raises(Conflict, match="xem trước và trình duyệt lại"):
            issue_round(session, round_id, now, REFERENCE_KEY)
        assert count(session, Bill) == 0
        preview = preview_round(session, round_id, billing.accountant, now)
        stored = find_round(session, round_id)
        assert (stored.state, stored.approved_by) == ("previewed", None)
        assert stored.preview_digest == bytes.fromhex(preview.digest)


def test_only_an_approved_round_is_issued(database: Database, billing: BillingSchool, now: datetime) -> None:
    with as_school(database, billing) as session:
        round_id = approved_round(session, billing, now)
        preview_round(session, round_id, billing.accountant, now)
        with pytest.raises(Conflict, match="chưa được duyệt"):
            issue_round(session, round_id, now, REFERENCE_KEY)


@pytest.mark.proof
def test_two_who_issue_at_once_fifty_times(database: Database, vault: Vault, now: datetime) -> None:
    for turn in range(50):
        with database.transaction(EVERYTHING) as session:
            billing = make_billing_school(session, vault)
        with as_school(database, billing) as session:
            round_id = approved_round(session, billing, now + timedelta(minutes=turn))
        moment = now + timedelta(minutes=turn, seconds=30)
        with ThreadPoolExecutor(2) as pool:
            first, second = pool.map(lambda _: _issue(database, billing, round_id, moment), range(2))  # noqa: B023  # run at once
        assert first == second
        with as_school(database, billing) as session:
            assert count(session, Bill) == 3


def _issue(database: Database, billing: BillingSchool, round_id: UUID, moment: datetime) -> IssuedRound:
    with as_school(database, billing) as session:
        return issue_round(session, round_id, moment, REFERENCE_KEY)
