"""What an issued bill keeps, so that each line explains itself."""

from datetime import date, datetime

import pytest
from sqlmodel import col, select

from billing.bills.tables import BillLine, BillReduction
from billing.vault import Vault
from service.database import EVERYTHING, Database
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
