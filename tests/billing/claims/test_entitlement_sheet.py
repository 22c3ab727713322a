"""Rights to learning-cost support as a sheet: out, edited, back; new ones wait, bad lines are named."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from openpyxl.worksheet.worksheet import Worksheet
from sqlmodel import Session

from billing.claims.entitlement_sheet import export_entitlements, import_entitlements
from billing.claims.entitling import NewEntitlement, approve_entitlement, entitle, entitlements_of
from billing.people.imported import Imported
from billing.vault import Vault
from service.database import EVERYTHING, Database
from tests.billing.fees.sheets.test_sheets import column, edited, problems
from tests.factories.rounds import BillingSchool, make_billing_school
from tests.factories.schools import SCHOOL_YEAR
from tests.standing import standing

NOW = datetime(2025, 9, 20, tzinfo=UTC)
SEPTEMBER = date(2025, 9, 1)
PAPER = "Giấy chứng nhận hộ nghèo số 12/2025"


@pytest.fixture
@standing
def billing(database: Database, vault: Vault) -> BillingSchool:
    with database.transaction(EVERYTHING) as session:
        return make_billing_school(session, vault, pupils=3)


def bring(session: Session, billing: BillingSchool, data: bytes) -> Imported:
    return import_entitlements(session, billing.school, SCHOOL_YEAR, data, billing.accountant, NOW)


def out(session: Session, billing: BillingSchool) -> bytes:
    return export_entitlements(session, billing.school, SCHOOL_YEAR)


def test_rights_go_out_come_back_end_and_wait(database: Database, billing: BillingSchool) -> None:
    def edit(sheet: Worksheet) -> None:
        for row in (2, 3):
            sheet.cell(row, column(sheet, "Đến ngày")).value = "31/12/2025"
        name = billing.pupils[2].pupil.full_name
        sheet.append([None, name, "1A", "khuyettat", None, "Giấy xác nhận số 7", "01/09/2025", None])

    with database.transaction(EVERYTHING) as session:
        for child in (0, 1):
            new = NewEntitlement(billing.pupils[child].enrolment.id, "HONGHEO", PAPER, SEPTEMBER)
            made = entitle(session, billing.id, billing.accountant, new, NOW)
            if child == 0:
                approve_entitlement(session, made.id, billing.approver, NOW)
        data = out(session, billing)
        assert bring(session, billing, data) == Imported(unchanged=2)
        changed = edited(data, edit)
        assert bring(session, billing, changed) == Imported(new=1, changed=2)
        assert bring(session, billing, changed) == Imported(unchanged=3)
        stored = {(row.enrolment_id, row.class_code): row for row in entitlements_of(session, billing.id)}
        assert {(key[1], row.valid_to, row.approved_by is not None) for key, row in stored.items()} == {
            ("HONGHEO", date(2025, 12, 31), True),
            ("HONGHEO", date(2025, 12, 31), False),
            ("KHUYETTAT", None, False),
        }


def test_a_bad_line_is_named_and_nothing_is_stored(database: Database, billing: BillingSchool) -> None:
    name = billing.pupils[0].pupil.full_name

    def edit(sheet: Worksheet) -> None:
        good = [None, name, "1A", "HONGHEO", None, PAPER, "01/09/2025", None]
        for place, value in ((1, "Không Ai Cả"), (3, "XYZ"), (5, None), (6, "32/09/2025"), (7, "31/08/2025")):
            sheet.append([*good[:place], value, *good[place + 1 :]])
        sheet.append(good)

    with database.transaction(EVERYTHING) as session:
        data = edited(out(session, billing), edit)
        found = problems(lambda: bring(session, billing, data))
        assert [(each.line, each.column) for each in found] == [
            (2, "Mã định danh Bộ GD&ĐT"),
            (3, "Mã đối tượng"),
            (4, "Minh chứng"),
            (5, "Từ ngày"),
            (6, "Đến ngày"),
        ]
        assert "HONGHEO" in found[1].remedy
        assert not entitlements_of(session, billing.id)


def test_a_right_that_ended_is_not_made_longer(database: Database, billing: BillingSchool) -> None:
    def edit(sheet: Worksheet) -> None:
        sheet.cell(2, column(sheet, "Đến ngày")).value = "31/05/2026"

    with database.transaction(EVERYTHING) as session:
        new = NewEntitlement(billing.pupils[0].enrolment.id, "HONGHEO", PAPER, SEPTEMBER, date(2025, 12, 31))
        entitle(session, billing.id, billing.accountant, new, NOW)
        found = problems(lambda: bring(session, billing, edited(out(session, billing), edit)))
        assert [(each.line, each.column) for each in found] == [(2, "Cả dòng")]
        assert "không kéo dài được" in found[0].reason
