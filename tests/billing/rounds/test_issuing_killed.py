"""A round whose issue is cut off, by ``kill -9`` or by a lost connection, ends the same to the đồng when run again."""

import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, SQLModel, col, select

from billing.bills.tables import Bill, BillLine, BillReduction
from billing.credits.reading import credit_of
from billing.credits.tables import CreditUse
from billing.events.tables import Event
from billing.ledger.balances import trial_balance
from billing.ledger.tables import JournalEntry, Posting
from billing.money import Money
from billing.payments.recording import Received, record_payment
from billing.payments.tables import Allocation, IssuedReference, Payment, PaymentRequest
from billing.rounds import issuing
from billing.rounds.drafting import find_round
from billing.rounds.issuing import issue_round
from billing.rounds.tables import BillingRound
from billing.storage import new_id
from service.database import Database, libpq_url
from service.preparing import Addresses
from tests.billing.rounds.correction_world import ties_out
from tests.billing.rounds.makers import as_school, count
from tests.factories.rounds import REFERENCE_KEY, BillingSchool, approved_round

ROOT = Path(__file__).resolve().parents[3]
STEPS = ("alone", "write_bills", "book_bills", "use_credit", "write_requests", "record_deed")
OVERPAID = Money(50_000)
# What stands before the issue: the first pupil's overpayment, which the issue uses.
WRITTEN: dict[type[SQLModel], int] = {
    Bill: 0,
    BillLine: 0,
    BillReduction: 0,
    JournalEntry: 1,
    Posting: 1,
    Payment: 1,
    CreditUse: 0,
    Allocation: 0,
    PaymentRequest: 0,
    IssuedReference: 0,
    Event: 1,
}


def said_of(session: Session, round_id: UUID) -> list[tuple[str, UUID, str, Money, Money]]:
    """Return all lines of a round's bills: number, pupil, item, gross and the family's share."""
    rows = session.exec(
        select(Bill, BillLine)
        .join(BillLine, col(BillLine.bill_id) == col(Bill.id))
        .where(Bill.round_id == round_id)
        .order_by(col(Bill.number), col(BillLine.position))
    ).all()
    return [(bill.number, bill.pupil_id, line.item_code, line.gross, line.family_share) for bill, line in rows]


def approved(database: Database, billing: BillingSchool, now: datetime) -> UUID:
    with as_school(database, billing) as session:
        overpaid = Received(
            school_id=billing.id,
            pupil_id=billing.pupils[0].id,
            source_kind="cash",
            source_id=new_id(),
            amount=OVERPAID,
            value_date=now.date(),
        )
        record_payment(session, overpaid, [], now)
        return approved_round(session, billing, now)


def undisturbed(
    database: Database, billing: BillingSchool, round_id: UUID, now: datetime
) -> tuple[list[tuple[str, UUID, str, Money, Money]], dict[str, Money]]:
    """Return bills and book as an issue without trouble would make them, and take it back."""
    with as_school(database, billing) as session:
        issue_round(session, round_id, now, REFERENCE_KEY)
        made = said_of(session, round_id), trial_balance(session, billing.id)
        session.rollback()
    return made


def nothing_stands_and_the_next_try_is_whole(
    database: Database, billing: BillingSchool, round_id: UUID, now: datetime
) -> None:
    expected = undisturbed(database, billing, round_id, now)
    with as_school(database, billing) as session:
        assert find_round(session, round_id).state == "approved"
        assert {table: count(session, table) for table in WRITTEN} == WRITTEN
        assert credit_of(session, billing.id) == {(billing.pupils[0].id, None): OVERPAID}
        done = issue_round(session, round_id, now + timedelta(minutes=1), REFERENCE_KEY)
        assert (said_of(session, round_id), trial_balance(session, billing.id)) == expected
        assert session.exec(select(col(BillingRound.family_total))).one() == done.family_total
        assert credit_of(session, billing.id) == {}
        assert session.exec(select(col(CreditUse.amount))).all() == [OVERPAID]
        ties_out(session, billing)


def killed_after(addresses: Addresses, billing: BillingSchool, round_id: UUID, now: datetime, step: str) -> None:
    program = [sys.executable, "-m", "tests.billing.rounds.issuing_program"]
    arguments = [addresses.app, str(billing.id), str(round_id), now.isoformat(), step]
    done = subprocess.run([*program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603  our own program
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize(
    "step", [pytest.param(step, marks=[pytest.mark.proof] * (step != "book_bills")) for step in STEPS]
)
def test_killed_in_the_middle(
    addresses: Addresses, database: Database, billing: BillingSchool, now: datetime, step: str
) -> None:
    round_id = approved(database, billing, now)
    killed_after(addresses, billing, round_id, now, step)
    nothing_stands_and_the_next_try_is_whole(database, billing, round_id, now)


@pytest.mark.proof
def test_killed_five_times_in_a_row(
    addresses: Addresses, database: Database, billing: BillingSchool, now: datetime
) -> None:
    round_id = approved(database, billing, now)
    for step in STEPS:
        killed_after(addresses, billing, round_id, now, step)
    nothing_stands_and_the_next_try_is_whole(database, billing, round_id, now)


@pytest.mark.parametrize("step", STEPS)
def test_the_connection_is_lost_in_the_middle(  # noqa: PLR0913, PLR0917  fixtures
    addresses: Addresses,
    database: Database,
    billing: BillingSchool,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    round_id = approved(database, billing, now)
    whole = getattr(issuing, step)

    def loses(session: Session, *arguments: object, **details: object) -> object:
        found = whole(session, *arguments, **details)
        pid = session.connection().exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        with psycopg.connect(libpq_url(addresses.owner), autocommit=True) as owner:
            owner.execute("SELECT pg_terminate_backend(%s)", [pid])
            while owner.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone():
                time.sleep(0.01)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(issuing, step, loses)
        with pytest.raises(OperationalError), as_school(database, billing) as session:
            issue_round(session, round_id, now, REFERENCE_KEY)
    nothing_stands_and_the_next_try_is_whole(database, billing, round_id, now)
