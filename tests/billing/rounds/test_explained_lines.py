"""What an issued bill keeps, so that each line explains itself."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from billing.bills.explained import bill_facts
from billing.bills.reached import bills_reached
from billing.bills.tables import Bill, BillLine, BillReduction
from billing.fees.editing import ItemChange, change_item
from billing.fees.explaining import explain, plain_lines
from billing.fees.reducing import NewReduction, enter_reduction, withdraw_reduction
from billing.fees.tables import FeeItem, Reduction
from billing.money import Money
from billing.rounds.correcting import Lowering, propose_credit
from billing.vault import Vault
from service.database import EVERYTHING, Database
from service.pages.guardian_rows import full_bills
from tests.billing.rounds.correction_world import issue
from tests.billing.rounds.makers import exempt
from tests.factories.rounds import BillingSchool, issued_round, make_billing_school, register
from tests.standing import standing


@pytest.fixture
@standing
def billing(database: Database, vault: Vault) -> BillingSchool:
    with database.transaction(EVERYTHING) as session:
        made = make_billing_school(session, vault, pupils=1)
        register(session, made.pupils[0], "TIENAN", since=date(2025, 10, 13))
        exempt(session, made.pupils[0], 50, "TIENAN")
        return made


def test_a_line_keeps_its_price_its_days_and_its_percentages(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    with database.transaction(EVERYTHING) as session:
        issued_round(session, billing, now)
        lines = {row.item_code: row for row in session.exec(select(BillLine)).all()}
        assert lines["TIENAN"].because == {
            "rule": "meal_days",
            "from": "2025-09-01",
            "to": "2026-05-31",
            "months": [["2025-10", 15, "2025-10-13", None]],
        }
        assert lines["NUOCUONG"].because["months"] == [["2025-10", 1]]
        shares = session.exec(select(BillReduction).order_by(col(BillReduction.id))).all()
        assert {(row.payer, row.percent) for row in shares} == {("state", 50)}


def test_a_reduction_reaches_the_issued_months_that_it_would_have_lowered(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    """Not those before its first day, nor lines that have it, nor what the family does not pay."""

    def reached(item: str, since: date, until: date | None = None) -> list[tuple[str, ...]]:
        entered = NewReduction(
            billing.pupils[0].enrolment.id, "HOCBONG", since, "QĐ 7", until, 10, item_codes=frozenset({item})
        )
        row = enter_reduction(session, billing.school, entered, billing.accountant, now)
        found = [each.months for each in bills_reached(session, row)]
        withdraw_reduction(session, billing.id, row.id, billing.accountant, now, "Thử")
        assert bills_reached(session, row) == ()
        return found

    with issue(database, billing, now).open() as session:
        september, ninth = date(2025, 9, 1), date(2025, 10, 9)
        assert reached("NUOCUONG", september) == [("2025-10",)]
        assert reached("NUOCUONG", september, date(2025, 9, 30)) == []
        assert reached("NUOCUONG", ninth) == [], "a month is judged on the pupil's first day in it"
        assert reached("TIENAN", ninth) == [("2025-10",)], "which for meals was the thirteenth"
        held = session.exec(select(Reduction).where(Reduction.enrolment_id == billing.pupils[0].enrolment.id)).all()
        half = next(row for row in held if row.item_codes == ["TIENAN"] and row.withdrawn_at is None)
        assert bills_reached(session, half) == (), "the bill took it off"


def test_a_credit_note_says_in_the_full_view_why_and_nowhere_else(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    """Whoever may read everything reads the reason; a reason may name a family's hardship, so nobody else does."""
    issued, why = issue(database, billing, now), "Con ốm dài ngày, gia đình khó khăn"
    with issued.open() as session:
        bill = issued.bill(session)
        line = issued.line(session, bill, "TIENAN")
        wanted = [Lowering(line.id or 0, Money(32_000))]
        asked = propose_credit(session, billing.accountant, bill.bill_id, wanted, why, now + timedelta(minutes=1))
        said = f"Giấy ghi giảm ngày {now:%d/%m/%Y}: gia đình bớt 32.000 đ. Lý do: {why}"
        before = {row.item_code: facts for row, facts in bill_facts(session, billing.id, [bill.bill_id])[bill.bill_id]}
        assert explain(before["TIENAN"]).lowered == (), "not before it is approved"
        issued.approve(session, asked)
        after = {row.item_code: facts for row, facts in bill_facts(session, billing.id, [bill.bill_id])[bill.bill_id]}
        assert explain(after["TIENAN"]).sentences[-1] == said
        assert explain(after["TIENAN"], "en").lowered[0].endswith(f"32.000 đ less for the family. Reason: {why}")
        assert explain(after["NUOCUONG"]).lowered == ()
        [read] = full_bills(session, billing.id, [issued.bill(session)], "vi")
        assert [each for one in read.lines for each in one.sentences if "Giấy ghi giảm" in each] == [said]
        assert why not in str(plain_lines(after.values()))


def test_a_bill_names_the_legal_basis_under_which_it_was_issued(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    """Whatever the item's basis becomes later, and however often."""

    def said() -> str:
        facts = next(facts for _, facts in bill_facts(session, billing.id, [bill])[bill] if facts.unit == "month")
        return explain(facts).price

    with database.transaction(EVERYTHING) as session:  # a bill that comes after a change names the new one
        earlier, change = now - timedelta(days=1), ItemChange(legal_basis="Nghị quyết 8/2025 (bịa)")
        change_item(session, billing.school, "NUOCUONG", change, billing.accountant, earlier)
    with issue(database, billing, now).open() as session:
        bill = session.exec(select(Bill.id)).one()
        item = session.exec(select(FeeItem).where(FeeItem.code == "NUOCUONG")).one()
        assert item.legal_basis == "Nghị quyết 8/2025 (bịa)"
        first = item.legal_basis
        assert f"theo {first}" in said()
        for days, basis in ((1, "Nghị quyết 9/2026 (bịa)"), (2, "Nghị quyết 10/2026 (bịa)"), (3, first), (4, "Khác")):
            change = ItemChange(legal_basis=basis)
            change_item(session, billing.school, "NUOCUONG", change, billing.accountant, now + timedelta(days=days))
            assert f"theo {first}" in said()


def test_the_database_lets_no_basis_be_forgotten(database: Database, billing: BillingSchool, now: datetime) -> None:
    item = {"school": billing.id, "code": "NUOCUONG"}
    other = text("UPDATE fee_items SET legal_basis = 'khác' WHERE school_id = :school AND code = :code")
    with (
        pytest.raises(IntegrityError, match="kept before it gets another"),
        database.transaction(EVERYTHING) as session,
    ):
        session.execute(other, item)
    with database.transaction(EVERYTHING) as session:
        change_item(session, billing.school, "NUOCUONG", ItemChange(legal_basis="Mới"), billing.accountant, now)
    with (
        pytest.raises(IntegrityError, match="kept before it gets another"),
        database.transaction(EVERYTHING) as session,
    ):
        session.execute(other, item)
