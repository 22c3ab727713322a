"""A former program hands its data over, as the accountant tells it: seen, approved by another, and taken over once."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from random import Random
from uuid import UUID

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError, IntegrityError
from sqlmodel import Session, col, select

from billing.bills.tables import Bill
from billing.errors import BadRows, Conflict, Refused, SamePerson
from billing.events.recording import BILL_ISSUED
from billing.events.tables import Event
from billing.ledger.accounts import FAMILY_CREDIT, FAMILY_RECEIVABLE
from billing.ledger.balances import trial_balance
from billing.money import ZERO, Money, total
from billing.newyear.former import FormerPlan, decision_of, propose_former, reject_former
from billing.newyear.former_sheet import template
from billing.newyear.opening import opening_now
from billing.newyear.tables import FormerBalance, FormerImport
from billing.newyear.taking_over import approve_former
from billing.payments.balances import bill_balances
from billing.payments.tables import Receipt
from billing.people.tables import PupilCode
from billing.rounds.correcting import approve_correction, propose_price, propose_void
from billing.rounds.tables import BillingRound
from billing.vault import Vault
from reconciliation.reports.filling_lists import last_numbers
from service.database import EVERYTHING, Database
from service.invariants import check_all
from tests.billing.credits.credit_world import School, make_school
from tests.factories.rounds import REFERENCE_KEY, requests_of
from tests.factories.schools import make_pupil
from tests.standing import standing

HEAD = ["Mã định danh Bộ GD&ĐT", "Họ tên học sinh", "Ngày sinh", "Lớp", "Mã ở phần mềm cũ", "Mã khoản thu",
        "Còn phải nộp (đồng)", "Tiền tồn, nộp thừa (đồng)"]  # fmt: skip
BORN = "14/03/2019"
ROWS: list[list[object]] = [
    ["", "Nguyễn Văn 1", BORN, "1A", "HS01", "TIENAN", 320_000, 0],
    ["", "Nguyễn Văn 1", BORN, "1A", "HS01", "NUOCUONG", 10_000, ""],
    ["", "Nguyễn Văn 2", BORN, "1A", "HS02", "TIENAN", "", "64.000"],
    ["", "Nguyễn Văn 2", BORN, "1A", "HS02", "", "", 50_000],
    ["", "Nguyễn Văn 3", BORN, "1A", "HS03", "", "", ""],
]
DUE, CREDIT = Money(330_000), Money(114_000)
LATER = datetime(2025, 10, 6, 3, 0, tzinfo=UTC)


@pytest.fixture
@standing
def school(database: Database, vault: Vault, now: datetime) -> School:
    """A school that is new here: three pupils, nothing billed."""
    return make_school(database, vault, now)


def book(rows: Sequence[Sequence[object]]) -> bytes:
    made = openpyxl.Workbook()
    sheet = made.worksheets[0]
    for row in [HEAD, *rows]:
        sheet.append(list(row))
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def plan(due: Money = DUE, credit: Money = CREDIT, receipts: int | None = None) -> FormerPlan:
    told = ("2025-2026", receipts) if receipts else ("", None)
    return FormerPlan("2025-2026", "Excel cũ", date(2025, 8, 1), date(2025, 10, 31), due, credit, *told)


def read_in(  # noqa: PLR0913  each is worth varying
    school: School,
    session: Session,
    rows: Sequence[Sequence[object]] = ROWS,
    *,
    due: Money = DUE,
    credit: Money = CREDIT,
    receipts: int | None = None,
) -> FormerImport:
    told = plan(due, credit, receipts)
    return propose_former(session, school.billing.school, told, book(rows), school.billing.accountant, LATER)


def approve(school: School, session: Session, row: FormerImport) -> None:
    approve_former(session, school.billing.school, row.id, school.billing.approver, LATER, REFERENCE_KEY)


def broken(school: School, session: Session) -> dict[str, tuple[str, ...]]:
    """Return the invariants that do not hold; nothing is sealed here (I12)."""
    results = check_all(session, school.vault, LATER)
    return {each.id: tuple(each.problems) for each in results if not each.ok and each.id != "I12"}


def opened_bills(session: Session, school: School) -> dict[UUID, Money]:
    found: dict[UUID, Money] = {}
    for each in bill_balances(session, col(Bill.school_id) == school.id):
        found[each.pupil_id] = found.get(each.pupil_id, ZERO) + each.rest
    return found


def test_dues_credit_and_codes_are_taken_over_once_another_approves(school: School) -> None:
    with school.open() as session:
        row = read_in(school, session)
        assert (row.due, row.credit) == (DUE, CREDIT)
        assert session.exec(select(Bill)).all() == []
        assert session.exec(select(Event)).all() == [], "no notice before it is approved"
        assert school.kept(session, 1) == {}
        with pytest.raises(SamePerson):
            approve_former(session, school.billing.school, row.id, school.billing.accountant, LATER, REFERENCE_KEY)
        approve(school, session, row)
        assert opened_bills(session, school) == {school.pupil(0): DUE}
        (bill,) = session.exec(select(Bill)).all()
        assert (bill.number, bill.period) == ("DK2508-000001", "Chưa nộp đến tháng 8/2025")
        assert school.kept(session, 1) == {"TIENAN": 64_000, None: 50_000}
        balance = trial_balance(session, school.id)
        assert balance[FAMILY_RECEIVABLE] == DUE
        assert -balance[FAMILY_CREDIT] == CREDIT
        assert balance["3389C"] == CREDIT - DUE
        codes = session.exec(select(PupilCode.code).where(PupilCode.kind == "old:excelcu").order_by("code")).all()
        assert codes == [f"{school.billing.school.code}/HS0{number}" for number in (1, 2, 3)]
        assert len(requests_of(session, school.billing.pupils[0])) == 1
        assert [event.kind for event in session.exec(select(Event)).all()] == [BILL_ISSUED]
        (opening,) = session.exec(select(BillingRound)).all()
        assert (opening.kind, opening.state, opening.school_year) == ("opening", "issued", "2025-2026")


def test_the_first_round_asks_for_the_old_bill_too_and_uses_the_old_credit(school: School) -> None:
    with school.open() as session:
        approve(school, session, read_in(school, session))
        school.bill_month(session, 10)
        newest = requests_of(session, school.billing.pupils[0])[-1]
        asked = [each.period for each in bill_balances(session, col(Bill.pupil_id) == newest.pupil_id)]
        assert sorted(asked) == ["Chưa nộp đến tháng 8/2025", "Tháng 10/2025"]
        assert school.bill(session, 10, 1).by_credit == Money(114_000)
        assert school.kept(session, 1) == {}
        school.lower(session, 10, "TIENAN", Money(32_000))


def test_an_opening_bill_is_paid_and_lowered_as_any(school: School) -> None:
    with school.open() as session:
        approve(school, session, read_in(school, session))
        (opening,) = session.exec(select(BillingRound)).all()
        school.rounds[8] = opening.id
        school.lower(session, 8, "TIENAN", Money(20_000))
        school.pay(session, 8)
        assert opened_bills(session, school) == {school.pupil(0): ZERO}
        assert broken(school, session) == {}


def test_an_opening_bill_is_never_calculated_again(school: School) -> None:
    with school.open() as session:
        approve(school, session, read_in(school, session))
        (bill,) = session.exec(select(Bill)).all()
        accountant = school.billing.accountant
        with pytest.raises(Refused, match="không tính lại được"):
            propose_void(session, accountant, bill.id, "Sai", LATER, replace=True)
        with pytest.raises(Refused, match="không có đơn giá"):
            propose_price(session, accountant, bill.round_id, "TIENAN", Money(1_000), "Sai", LATER)
        asked = propose_void(session, accountant, bill.id, "Nhận nhầm em", LATER)
        approve_correction(session, asked.id, school.billing.approver, LATER, REFERENCE_KEY)
        assert opened_bills(session, school) == {school.pupil(0): ZERO}
        assert trial_balance(session, school.id).get(FAMILY_RECEIVABLE, ZERO) == ZERO
        assert broken(school, session) == {}


def test_the_same_file_twice_adds_nothing_in_whatever_order(school: School) -> None:
    with school.open() as session:
        first, second = read_in(school, session), read_in(school, session, list(reversed(ROWS)))
        assert first.digest == second.digest
        approve(school, session, first)
        with pytest.raises(Conflict, match="đã chuyển sang qua tệp khác"):
            approve(school, session, second)
        reject_former(session, school.id, second.id, school.billing.approver, "Đã nhận tệp kia", LATER)
        with pytest.raises(Conflict, match="được quyết định"):
            approve(school, session, second)
        money = [row for row in ROWS if row[5] or row[7]]
        with pytest.raises(Conflict, match="không có gì mới"):
            read_in(school, session, money)
        more = [*money, ["", "Nguyễn Văn 3", BORN, "1A", "HS03", "TIENAN", 5_000, ""]]
        third = read_in(school, session, more, due=DUE + Money(5_000))
        assert (third.due, third.content["left_out"]) == (Money(5_000), len(money))
        approve(school, session, third)
        assert opened_bills(session, school) == {school.pupil(0): DUE, school.pupil(2): Money(5_000)}
        changed = [["", "Nguyễn Văn 1", BORN, "1A", "HS01", "TIENAN", 300_000, ""]]
        with pytest.raises(BadRows, match="1 chỗ cần sửa"):
            read_in(school, session, changed, due=Money(300_000), credit=ZERO)
    again = text(
        "INSERT INTO former_balances (school_id, import_id, program, pupil_id, kind, item_code, amount)"
        " SELECT school_id, import_id, program, pupil_id, kind, item_code, 1 FROM former_balances LIMIT 1"
    )
    with pytest.raises(IntegrityError, match="opened_once"), school.database.transaction(EVERYTHING) as session:
        session.execute(again)


def test_the_same_file_under_another_name_of_the_program_opens_nothing(school: School) -> None:
    with school.open() as session:
        renamed = replace(plan(), program="Excel của kế toán")

        def read_renamed(rows: Sequence[Sequence[object]] = ROWS, told: FormerPlan = renamed) -> FormerImport:
            return propose_former(session, school.billing.school, told, book(rows), school.billing.accountant, LATER)

        waiting = read_renamed()
        approve(school, session, read_in(school, session))
        with pytest.raises(Conflict, match="“excelcu” ngày 06/10/2025"):
            approve(school, session, waiting)
        with pytest.raises(BadRows) as refused:
            read_renamed()
        said = {(problem.line, problem.reason) for problem in refused.value.problems}
        reason = "Em này và khoản này đã chuyển sang từ phần mềm “excelcu” ngày 06/10/2025."
        assert said == {(line, reason) for line in (2, 3, 4, 5)}, "the fifth pupil has only a code"
        more = [["", "Nguyễn Văn 3", BORN, "1A", "KT3", "NUOCUONG", 70_000, ""]]
        approve(school, session, read_renamed(more, replace(renamed, due=Money(70_000), credit=ZERO)))
        assert opened_bills(session, school) == {school.pupil(0): DUE, school.pupil(2): Money(70_000)}
        assert school.kept(session, 1) == {"TIENAN": 64_000, None: 50_000}


def test_the_sum_typed_is_the_sum_of_the_file(school: School) -> None:
    with school.open() as session:
        with pytest.raises(Refused, match="Tổng còn phải nộp"):
            read_in(school, session, due=Money(330_001))
        with pytest.raises(Refused, match="Tổng tiền tồn"):
            read_in(school, session, credit=ZERO)
        assert session.exec(select(FormerImport)).all() == []


def test_ambiguous_and_bad_lines_are_listed_for_a_person(school: School) -> None:
    with school.database.transaction(EVERYTHING) as session:
        province = school.billing.school.province_id
        make_pupil(session, school.billing.pupils[0].class_group, "Nguyễn Văn 1", province_id=province)
    with school.open() as session:
        bad: list[list[object]] = [
            ["", "Nguyễn Văn 1", BORN, "1A", "", "TIENAN", 1_000, ""],  # two of this name, day and class
            ["", "Nguyễn Văn 2", "", "1A", "", "TIENAN", 1_000, ""],  # no birth date
            ["", "Không Có Em", BORN, "1A", "", "TIENAN", 1_000, ""],
            ["7599999999", "Nguyễn Văn 2", BORN, "1A", "", "TIENAN", 1_000, ""],
            ["", "Nguyễn Văn 3", BORN, "1A", "", "KHONGCO", 1_000, ""],
            ["", "Nguyễn Văn 3", BORN, "1A", "", "", 1_000, ""],
            ["", "Nguyễn Văn 3", BORN, "1A", "", "TIENAN", "-5", ""],
            ["", "Nguyễn Văn 3", BORN, "1A", "X 1", "TIENAN", 1_000, ""],
            ["", "Nguyễn Văn 3", BORN, "1A", "A1", "TAITRO", 1_000, ""],
            ["", "Nguyễn Văn 3", BORN, "1A", "A1", "NUOCUONG", 1_000, ""],
            ["", "Nguyễn Văn 2", BORN, "1A", "A1", "NUOCUONG", 1_000, ""],
        ]
        with pytest.raises(BadRows) as refused:
            read_in(school, session, bad)
        assert [problem.line for problem in refused.value.problems] == [2, 3, 4, 5, 6, 7, 8, 9, 10, 12]
        assert "Có 2 em" in refused.value.problems[0].reason
        codes = dict(session.exec(select(col(PupilCode.pupil_id), col(PupilCode.code))).all())
        told = [[codes[school.pupil(0)], "Nguyễn Văn 1", "", "", "", "TIENAN", 1_000, ""]]
        row = read_in(school, session, told, due=Money(1_000), credit=ZERO)
        assert row.content["lines"][0]["pupil"] == str(school.pupil(0)), "the sector's code tells them apart"


def test_receipts_go_on_from_the_former_number_and_only_before_the_first(school: School) -> None:
    with school.open() as session:
        approve(school, session, read_in(school, session, receipts=1_250))
        school.rounds[8] = session.exec(select(BillingRound.id)).one()
        school.pay(session, 8)
        assert session.exec(select(Receipt.number)).all() == [1_251]
        school.bill_month(session, 10)
        school.pay(session, 10)
        assert session.exec(select(Receipt.number).order_by("number")).all() == [1_251, 1_252]
        assert broken(school, session) == {}
        assert last_numbers(session, school.id, LATER.date()) == {"2025-2026": 1_250}
        with pytest.raises(Conflict, match="đã có biên lai số 1252"):
            read_in(school, session, receipts=2_000)
    for change in ("UPDATE receipt_counters SET last_number = 5000", "UPDATE receipt_counters SET last_number = 3",
                   "DELETE FROM receipt_starts"):  # fmt: skip
        with pytest.raises(DatabaseError), school.database.transaction(EVERYTHING) as session:
            session.execute(text(change))


def test_a_book_that_began_meanwhile_keeps_its_numbers_and_nothing_is_half_written(school: School) -> None:
    with school.open() as session:
        row = read_in(school, session, receipts=7)
        school.bill_month(session, 10)
        school.pay(session, 10)
    with pytest.raises(Conflict, match="đã có biên lai số 1"), school.open() as session:
        approve(school, session, row)
    with school.open() as session:
        assert decision_of(session, row) is None
        assert [each.kind for each in session.exec(select(BillingRound)).all()] == ["regular"]
        assert session.exec(select(FormerBalance)).all() == []


def test_an_opening_list_names_what_was_taken_over(school: School) -> None:
    with school.open() as session:
        approve(school, session, read_in(school, session))
        now = opening_now(session, school.id, "2026-2027")
        assert (now.due, now.credit) == (DUE, CREDIT)


def test_the_template_is_read_as_it_is_but_for_its_invented_pupils(school: School) -> None:
    with school.open() as session, pytest.raises(BadRows) as refused:
        propose_former(session, school.billing.school, plan(), template(), school.billing.accountant, LATER)
    assert {problem.column for problem in refused.value.problems} == {"Mã định danh Bộ GD&ĐT", "Họ tên học sinh"}


@given(
    amounts=st.lists(st.tuples(st.integers(0, 900_000), st.integers(0, 900_000)), min_size=6, max_size=6),
    chance=st.randoms(use_true_random=False),
)
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_in_any_row_order_the_same_is_taken_over(
    school: School, amounts: list[tuple[int, int]], chance: Random
) -> None:
    keys = [(child, item) for child in (1, 2, 3) for item in ("TIENAN", "NUOCUONG")]
    rows = [["", f"Nguyễn Văn {child}", BORN, "1A", f"HS{child}", item, *both]
            for (child, item), both in zip(keys, amounts, strict=True)]  # fmt: skip
    due, credit = Money(sum(each for each, _ in amounts)), Money(sum(each for _, each in amounts))
    with school.database.transaction(EVERYTHING) as session:
        digest = read_in(school, session, rows, due=due, credit=credit).digest
        chance.shuffle(rows)
        row = read_in(school, session, rows, due=due, credit=credit)
        assert row.digest == digest
        approve(school, session, row)
        balance = trial_balance(session, school.id)
        assert balance.get(FAMILY_RECEIVABLE, ZERO) == due
        assert -balance.get(FAMILY_CREDIT, ZERO) == credit
        assert total(opened_bills(session, school).values()) == due
        session.rollback()
