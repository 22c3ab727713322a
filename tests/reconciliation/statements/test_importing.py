"""Tests of bringing statements into the book: all or nothing, each line once, tied to callbacks as a multiset."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlmodel import select

from billing.money import Money
from billing.vault import Vault
from reconciliation.errors import StatementTotalsDiffer, StatementUnreadable
from reconciliation.feeds.opening import statement_feed
from reconciliation.feeds.stand_in import Movement
from reconciliation.feeds.stand_in_statement import StatementHead, statement
from reconciliation.matching import Direction
from reconciliation.statements.importing import Imported, import_statement
from reconciliation.tables import InboxMessage, StatementFile, StatementLine
from service.database import EVERYTHING, Database
from service.preparing import Addresses
from tests.factories.collecting import PAID_AT, Collecting, make_collecting
from tests.reconciliation.statements.workbooks import mb, workbook
from tests.standing import standing

NEXT_DAY = PAID_AT + timedelta(days=1)


@pytest.fixture
@standing
def by_statement(database: Database, addresses: Addresses, vault: Vault) -> Collecting:
    return make_collecting(database, addresses, vault, told_by="statement")


def written(collecting: Collecting, first: date = date(2025, 10, 1), last: date = date(2025, 10, 31)) -> bytes:
    movements = collecting.bank.movements(collecting.account.number)
    before = sum(one.signed.dong for one in movements if (one.at + timedelta(hours=7)).date() < first)
    head = StatementHead(
        account=collecting.account.number,
        owner=collecting.school.name,
        first_day=first,
        last_day=last,
        opening=Money(before),
    )
    return statement(head, movements)


def bring(collecting: Collecting, content: bytes) -> Imported:
    vault = collecting.wiring.vault
    with collecting.database.transaction(collecting.scope) as session:
        feed = statement_feed(session, vault, collecting.account, PAID_AT)
        return import_statement(session, vault, feed, content, None, NEXT_DAY)


def test_a_statement_pays_bills(by_statement: Collecting) -> None:
    by_statement.pays(by_statement.requests[0].reference, route="to MB")
    by_statement.pays("khong ma", 20_000)
    by_statement.pays("phi", 11_000, direction=Direction.OUT)
    brought = bring(by_statement, written(by_statement))
    by_statement.reconcile()

    assert (brought.lines, brought.new, brought.known, brought.again) == (3, 3, 0, False)
    assert by_statement.states() == ["ignored_out", "matched", "waiting"]
    assert by_statement.rests() == [0, 300_000]
    assert by_statement.books()["112"] == 659_000
    with by_statement.database.transaction(by_statement.scope) as session:
        file = session.exec(select(StatementFile)).one()
        lines = session.exec(select(StatementLine)).all()
    assert (file.opening, file.money_in, file.money_out) == (Money(0), Money(670_000), Money(11_000))
    assert all(line.transfer_id for line in lines)


def test_the_same_file_again_and_an_overlapping_one_add_nothing_twice(by_statement: Collecting) -> None:
    reference = by_statement.requests[0].reference
    for _ in range(2):
        by_statement.pays(reference, 100_000)
    first = written(by_statement)
    bring(by_statement, first)
    assert bring(by_statement, first) == Imported(None, 2, 0, 2, again=True)

    by_statement.pays(reference, 100_000, at=NEXT_DAY)
    overlapping = bring(by_statement, written(by_statement))
    by_statement.reconcile()

    assert (overlapping.lines, overlapping.new, overlapping.known) == (3, 1, 2)
    assert by_statement.books()["112"] == 300_000
    assert by_statement.receipts() == [(1, 100_000), (2, 100_000), (3, 100_000)]


def test_another_template_of_the_same_days_adds_nothing_and_what_is_new_in_it_comes(by_statement: Collecting) -> None:
    number = by_statement.account.number
    one = [("1", "06/10/2025", "", "70.000", "1.070.000", "an"), ("2", "06/10/2025", "", "70.000", "1.140.000", "be")]
    bring(by_statement, mb(*one, account=number))
    lines = ("06/10/2025", "A1", "TK 123 an"), ("06/10/2025", "A2", "TK 124 be"), ("06/10/2025", "A3", "TK 125 cu")
    rows = [[day, ref, memo, "", "70.000", f"1.{n * 70 + 70:03}.000"] for n, (day, ref, memo) in enumerate(lines)]
    heading = ["Ngày giao dịch", "Số bút toán", "Nội dung", "Số tiền ghi nợ", "Số tiền ghi có", "Số dư"]
    brought = bring(by_statement, workbook(["VPBank"], ["Số tài khoản", number], heading, *rows))

    assert (brought.new, brought.known) == (1, 2)
    assert by_statement.books()["112"] == 210_000


def test_equal_sums_of_the_afternoons_statement_are_new_money(by_statement: Collecting) -> None:
    number = by_statement.account.number
    bring(by_statement, mb(("1", "06/10/2025", "", "70.000", "1.070.000", "an"), account=number))
    after = mb(("1", "06/10/2025", "", "70.000", "1.140.000", "be"), account=number, opening="1.070.000")

    assert bring(by_statement, after).new == 1
    assert by_statement.books()["112"] == 140_000


def test_equal_lines_and_equal_callbacks_are_counted_against_each_other(collecting: Collecting) -> None:
    reference = collecting.requests[0].reference
    told: list[Movement] = [collecting.pays(reference, 100_000) for _ in range(2)]
    untold = [collecting.pays(reference, 100_000), collecting.pays(reference, 200_000)]
    collecting.hear_of(*told)
    brought = bring(collecting, written(collecting))
    collecting.reconcile()

    assert (brought.lines, brought.new, brought.known) == (4, 2, 2)
    assert collecting.books()["112"] == 500_000

    collecting.hear_of(*untold)  # the callbacks come after the statement
    assert sorted(collecting.states()) == ["duplicate", "duplicate", *["matched"] * 4]
    assert collecting.books()["112"] == 500_000

    one_more = collecting.pays(reference, 200_000)
    collecting.hear_of(one_more)  # the same sum again, on no statement yet
    assert collecting.books()["112"] == 700_000


def test_the_next_days_equal_sum_is_another_familys(collecting: Collecting) -> None:
    collecting.pays("gia dinh mot", 70_000)
    bring(collecting, written(collecting))
    collecting.hear_of(collecting.pays("gia dinh hai", 70_000, at=NEXT_DAY))
    assert collecting.books()["112"] == 140_000
    again = bring(collecting, written(collecting))

    assert (again.new, again.known) == (0, 2)
    assert collecting.books()["112"] == 140_000


def test_a_callback_of_the_night_is_the_statements_line_of_the_morning(collecting: Collecting) -> None:
    line = ("1", "07/10/2025", "", "70.000", "1.070.000", "hp dem khuya")
    content = mb(line, account=collecting.account.number)
    bring(collecting, content)
    collecting.hear_of(collecting.pays("hp dem khuya", 70_000))

    assert collecting.states() == ["duplicate", "waiting"]
    assert collecting.books()["112"] == 70_000


def test_a_statement_after_all_callbacks_adds_nothing(collecting: Collecting) -> None:
    movements = [
        collecting.pays(collecting.requests[0].reference, 50_000, at=PAID_AT + timedelta(hours=n)) for n in range(5)
    ]
    collecting.hear_of(*movements)
    brought = bring(collecting, written(collecting))

    assert (brought.new, brought.known) == (0, 5)
    with collecting.database.transaction(collecting.scope) as session:
        lines = session.exec(select(StatementLine).order_by("line")).all()
    by_id = {transfer.id: transfer.bank_reference for transfer in collecting.transfers()}
    assert [by_id[line.transfer_id] for line in lines if line.transfer_id] == [one.bank_reference for one in movements]


@pytest.mark.parametrize(
    "content",
    [
        b"no workbook",
        mb(("1", "06/10/2025", "", "650.000", "1.650.001", "FW")),
        mb(("1", "06/10/2025", "", "65O.000", "1.650.000", "FW")),
    ],
)
def test_a_bad_statement_leaves_nothing(by_statement: Collecting, content: bytes) -> None:
    with pytest.raises((StatementUnreadable, StatementTotalsDiffer)):
        bring(by_statement, content)

    assert by_statement.transfers() == []
    with by_statement.database.transaction(EVERYTHING) as session:
        assert session.exec(select(InboxMessage)).all() == []


def test_the_statement_of_another_account_is_refused(by_statement: Collecting) -> None:
    with pytest.raises(StatementUnreadable, match="0123456789"):
        bring(by_statement, mb(("1", "06/10/2025", "", "650.000", "1.650.000", "FW")))


def test_an_empty_statement_is_kept(by_statement: Collecting) -> None:
    brought = bring(by_statement, written(by_statement))

    assert (brought.lines, brought.new) == (0, 0)
    by_statement.reconcile()
    assert by_statement.transfers() == []


@pytest.mark.parametrize(("dong", "days"), [(10**12 + 1, 0), (20_000, 4)])
def test_a_line_that_cannot_be_true_refuses_the_statement_and_is_named(
    by_statement: Collecting, dong: int, days: int
) -> None:
    by_statement.pays("hoc phi", 20_000)
    by_statement.pays("nham", dong, at=PAID_AT + timedelta(days=days))

    with pytest.raises(StatementUnreadable, match=r"^Dòng \d+: (Số tiền|Ngày giao dịch)"):
        bring(by_statement, written(by_statement))
    assert by_statement.transfers() == []
