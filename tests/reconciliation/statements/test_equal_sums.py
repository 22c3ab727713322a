"""Equal sums of many families: none is lost, none is counted twice, none is written as another family's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlmodel import select

from billing.money import Money
from billing.vault import Vault
from reconciliation.errors import StatementUnreadable
from reconciliation.feeds.sepay import API_KEY
from reconciliation.tables import StatementLine, Transfer
from service.database import Database
from service.preparing import Addresses
from tests.factories.collecting import Collecting, make_collecting
from tests.reconciliation.statements.test_importing import bring
from tests.reconciliation.statements.workbooks import mb, workbook
from tests.standing import standing

HEADING = ["Ngày giao dịch", "Số bút toán", "Nội dung", "Số tiền ghi nợ", "Số tiền ghi có", "Số dư"]


@pytest.fixture
@standing
def by_statement(database: Database, addresses: Addresses, vault: Vault) -> Collecting:
    return make_collecting(database, addresses, vault, told_by="statement")


def in_mb(collecting: Collecting, *lines: tuple[str, str], opening: str = "1.000.000") -> bytes:
    """Return the statement of 70,000 đ for each (balance, memo)."""
    rows = [(str(n), "06/10/2025", "", "70.000", balance, memo) for n, (balance, memo) in enumerate(lines, 1)]
    return mb(*rows, account=collecting.account.number, opening=opening)


def in_vpbank(collecting: Collecting, *lines: tuple[str, str], day: str = "06/10/2025", dong: str = "70.000") -> bytes:
    """Return the same in another bank's template, each line with a number of its own that tells nothing."""
    rows = [[day, str(n), memo, "", dong, balance] for n, (balance, memo) in enumerate(lines, 1)]
    return workbook(["VPBank"], ["Số tài khoản", collecting.account.number], HEADING, *rows)


def on_lines(collecting: Collecting) -> list[tuple[str, str]]:
    """Return for each line of statements its memo and that of its transfer."""
    with collecting.database.transaction(collecting.scope) as session:
        lines = session.exec(select(StatementLine).order_by("id")).all()
        transfers = {each.id: each.memo for each in session.exec(select(Transfer)).all()}
    return [(line.memo, transfers[line.transfer_id]) for line in lines if line.transfer_id]


def test_the_afternoons_equal_memo_is_new_money_and_the_whole_day_then_adds_nothing(by_statement: Collecting) -> None:
    morning, afternoon = ("1.070.000", "nop hoc phi"), ("1.140.000", "nop hoc phi")
    bring(by_statement, in_mb(by_statement, morning))
    assert bring(by_statement, in_mb(by_statement, afternoon, opening="1.070.000")).new == 1
    assert by_statement.books()["112"] == 140_000
    assert bring(by_statement, in_mb(by_statement, morning, afternoon)).new == 0
    assert bring(by_statement, in_vpbank(by_statement, morning, afternoon)).new == 0
    assert by_statement.books()["112"] == 140_000


def test_a_file_that_begins_in_the_middle_of_the_day_brings_only_what_is_new(by_statement: Collecting) -> None:
    bring(by_statement, in_mb(by_statement, ("1.070.000", "an nop"), ("1.140.000", "be nop")))
    latest = in_vpbank(by_statement, ("1.140.000", "TK 124 be nop"), ("1.210.000", "TK 125 cu nop"))

    assert bring(by_statement, latest).new == 1
    assert by_statement.books()["112"] == 210_000


def test_equal_lines_whose_balances_do_not_meet_are_asked_about(by_statement: Collecting) -> None:
    bring(by_statement, in_mb(by_statement, ("1.070.000", "nop hoc phi")))
    evening = in_mb(by_statement, ("2.070.000", "nop hoc phi"), opening="2.000.000")

    with pytest.raises(StatementUnreadable, match=r"ngày 06/10/2025 dòng 5\..*đủ cả ngày"):
        bring(by_statement, evening)
    assert by_statement.books()["112"] == 70_000


def test_two_families_of_one_sum_keep_their_own_names(collecting: Collecting) -> None:
    collecting.hear_of(collecting.pays("NGUYEN VAN AN nop hoc phi", 70_000))
    lines = ("1.070.000", "TRAN THI BE nop hoc phi-CT tu 111"), ("1.140.000", "NGUYEN VAN AN nop hoc phi-CT tu 222")
    brought = bring(collecting, in_vpbank(collecting, *lines))

    assert (brought.new, brought.known) == (1, 1)
    assert on_lines(collecting) == [(lines[0][1], lines[0][1]), (lines[1][1], "NGUYEN VAN AN nop hoc phi")]
    collecting.hear_of(collecting.pays("TRAN THI BE nop hoc phi", 70_000))
    assert collecting.books()["112"] == 140_000


def test_a_callback_of_the_night_is_the_mornings_line_with_the_banks_words_around_it(collecting: Collecting) -> None:
    night = datetime(2025, 10, 6, 16, 40, tzinfo=UTC)
    collecting.hear_of(collecting.pays("NGUYEN VAN AN nop hoc phi", 70_000, at=night))
    line = ("1.070.000", "NGUYEN VAN AN nop hoc phi-CT tu 222")

    assert bring(collecting, in_vpbank(collecting, line, day="07/10/2025")).known == 1
    assert collecting.books()["112"] == 70_000


def test_a_code_that_the_statement_cut_off_speaks_for_its_callback(collecting: Collecting) -> None:
    reference = collecting.requests[0].reference
    collecting.hear_of(collecting.pays(reference, 650_000))
    cut = ("1.650.000", f"NHAN TU 111222 NGUYEN VAN A ND {reference[:6]}")

    assert bring(collecting, in_vpbank(collecting, cut, dong="650.000")).known == 1
    assert collecting.books()["112"] == 650_000


@pytest.mark.parametrize("memo", ["", "hoc phi"])
def test_an_unrelated_line_lets_no_held_money_go_and_is_not_swallowed_by_it(
    database: Database, addresses: Addresses, vault: Vault, memo: str
) -> None:
    dong = 25_000_000
    limit = Money(20_000_000)
    holding = make_collecting(database, addresses, vault, dues=(dong, dong), scheme=API_KEY, hold_above=limit)
    holding.hear_of(holding.pays(f"hoc phi {holding.requests[0].reference}", dong))
    brought = bring(holding, in_vpbank(holding, ("26.000.000", memo), dong="25.000.000"))
    holding.reconcile()

    assert (brought.new, holding.receipts()) == (1, [])
    assert holding.states() == ["held", "waiting"]
