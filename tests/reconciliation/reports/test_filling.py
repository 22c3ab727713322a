"""The report from a real book: every total is a ledger figure to the đồng, whatever happened in the month."""

from __future__ import annotations

import io
from datetime import date, timedelta

import openpyxl
import psycopg
import pytest

from billing.documents.cells import report_digest
from billing.ledger.balances import trial_balance
from billing.money import ZERO, Money, total
from billing.storage import new_id
from billing.vault import Vault
from reconciliation.reports.filling import reconciliation_report, report_record
from reconciliation.reports.records import ReconciliationReport, checks
from reconciliation.reports.wording import RULES, rule_in_words, why_waiting
from service.database import Database, Scope, libpq_url
from service.preparing import Addresses
from tests.factories.closing import shut
from tests.factories.collecting import PAID_AT, Collecting
from tests.factories.sound_world import due_of, make_sound
from tests.standing import standing

OCTOBER = (date(2025, 10, 1), date(2025, 10, 31))


@pytest.fixture
@standing
def world(database: Database, addresses: Addresses, vault: Vault) -> Collecting:
    return make_sound(database, addresses, vault)


def report(world: Collecting, first: date = OCTOBER[0], last: date = OCTOBER[1]) -> ReconciliationReport:
    with world.database.transaction(world.scope) as session:
        return report_record(session, world.school.id, first, last, PAID_AT + timedelta(days=2))


def off(made: ReconciliationReport) -> list[str]:
    return [check.name for check in checks(made) if check.difference]


def test_every_total_is_the_ledgers_to_the_dong(world: Collecting) -> None:
    made = report(world)
    assert off(made) == []
    with world.database.transaction(world.scope) as session:
        balances = {code.split(".")[0]: net for code, net in trial_balance(session, world.school.id).items()}
    (account,) = made.accounts
    assert account.book_balance == account.bank_balance == balances["112"]
    assert account.bank_in - account.bank_out == balances["112"]
    assert account.suspense_balance == -balances["3388S"] == total(row.amount for row in made.waiting)
    assert account.credit == -balances["3383"]
    assert made.receivable_balance == balances["131"] == total(row.remaining for row in made.unpaid)


def test_the_rows_tell_what_became_of_each_transfer(world: Collecting) -> None:
    made = report(world)
    rows = {row.memo: row for row in made.transfers}
    assert len(rows) == 5
    over = rows[world.requests[1].reference]
    assert over.credit == Money(50_000)
    assert over.allocated + over.credit == over.amount
    assert over.receipts == ("2025-2026-0000002",)
    assert over.bills == ("TB2510-000002",)
    assert over.evidence == RULES["exact_reference"]
    waiting = rows["nop tien an cho chau Nam"]
    assert (waiting.state, waiting.waiting, waiting.receipts) == ("waiting", Money(200_000), ())
    assert not rows["phi quan ly tai khoan"].incoming
    assert [(row.amount, row.reason) for row in made.waiting] == [(Money(200_000), RULES["nothing_found"])]
    assert [(row.number, row.is_void) for row in made.receipts] == [(1, False), (2, False), (3, False)]


def test_the_unpaid_list_has_the_items_that_are_still_open(world: Collecting) -> None:
    made = report(world)
    by_pupil: dict[str, Money] = {}
    for row in made.unpaid:
        by_pupil[row.pupil_name] = by_pupil.get(row.pupil_name, ZERO) + row.remaining
    assert by_pupil == {"Nguyễn Văn 3": Money(due_of(world, 2)), "Nguyễn Văn 4": Money(due_of(world, 3))}
    assert sum(1 for row in made.unpaid if row.paid) == 1


def test_a_period_without_transfers_still_shows_what_waits_and_is_unpaid(world: Collecting) -> None:
    made = report(world, date(2025, 9, 1), date(2025, 9, 30))
    assert made.transfers == []
    assert made.receipts == []
    assert len(made.waiting) == 1
    assert made.unpaid
    assert off(made) == []
    assert made.accounts[0].book_balance == ZERO


def test_books_go_on_from_the_number_before_the_period(world: Collecting) -> None:
    made = report(world, date(2025, 10, 7), date(2025, 10, 31))
    assert made.last_before == {"2025-2026": 3}


def test_late_money_is_marked(world: Collecting) -> None:
    with world.database.transaction(world.scope) as session:
        closed_at = PAID_AT - timedelta(days=1)
        month = date(2025, 9, 1)
        shut(session, world.school.id, month, closed_at)
    world.hear_of(world.pays("tien thang truoc", 9_000, at=PAID_AT - timedelta(days=10)))
    made = report(world, date(2025, 9, 1), date(2025, 10, 31))
    assert [row.memo for row in made.transfers if row.late] == ["tien thang truoc"]
    assert off(made) == []


@pytest.mark.parametrize(
    ("statement", "caught"),
    [
        ("UPDATE postings SET amount = amount + 1 WHERE bill_id IS NULL", "Tiền vào: sổ cái và từng giao dịch"),
        ("UPDATE allocations SET amount = amount - 1", "Đã phân bổ: sổ cái và từng giao dịch"),
        ("DELETE FROM bill_lines", "Chưa nộp: sổ cái và trang Chưa nộp"),
    ],
)
@pytest.mark.usefixtures("superuser")
def test_what_was_changed_behind_the_guards_shows_in_the_report(
    world: Collecting, addresses: Addresses, statement: str, caught: str
) -> None:
    with psycopg.connect(libpq_url(addresses.owner), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(statement)
    assert caught in off(report(world))


def test_the_file_says_that_all_is_right_and_its_digest_can_be_made_again(world: Collecting) -> None:
    with world.database.transaction(world.scope) as session:
        file = reconciliation_report(session, world.school.id, *OCTOBER, PAID_AT)
        again = reconciliation_report(session, world.school.id, *OCTOBER, PAID_AT)
    assert file == again
    summary = openpyxl.load_workbook(io.BytesIO(file))["Tổng hợp"]
    values = {value for row in summary.iter_rows(values_only=True) for value in row}
    assert report_digest(file)[0] in values
    assert "Đúng" in values
    assert "LỆCH" not in values


def test_another_school_gets_nothing_of_it(world: Collecting, database: Database) -> None:
    with database.transaction(Scope.of(new_id())) as session, pytest.raises(Exception, match="No row was found"):
        report_record(session, world.school.id, *OCTOBER, PAID_AT)


def test_a_rule_without_words_stands_as_it_is() -> None:
    assert rule_in_words({"rule": "brand_new_rule"}) == "brand_new_rule"
    assert rule_in_words(None) == ""
    assert why_waiting("held", {"rule": "exact_reference"}) == "Số tiền lớn, chờ sao kê xác nhận"
    assert why_waiting("waiting", None) == "Chờ người xử lý"
