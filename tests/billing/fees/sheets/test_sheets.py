"""Out as a sheet, edited, and back: prices, registrations and reductions; bad lines are named and nothing is stored."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from sqlmodel import Session, col, select

from billing.errors import BadRows, RowProblem
from billing.fees import tables
from billing.fees.item_rows import find_item, live_prices
from billing.fees.reducing import NewReduction, approve_reduction, enter_reduction
from billing.fees.registering import ClassRegistration, register_class
from billing.fees.sheets.prices import export_prices, import_prices
from billing.fees.sheets.reductions import export_reductions, import_reductions
from billing.fees.sheets.registrations import export_registrations, import_registrations
from billing.people.imported import Imported
from billing.vault import Vault
from service.database import EVERYTHING, Database
from tests.factories.rounds import BillingSchool, make_billing_school
from tests.factories.schools import SCHOOL_YEAR
from tests.standing import standing

NOW = datetime(2025, 9, 20, tzinfo=UTC)
SEPTEMBER = date(2025, 9, 1)
EVIDENCE = "=HYPERLINK(“phiếu 1”)"


@pytest.fixture
@standing
def billing(database: Database, vault: Vault) -> BillingSchool:
    with database.transaction(EVERYTHING) as session:
        return make_billing_school(session, vault, pupils=2)


@pytest.fixture
@standing
def private(database: Database, vault: Vault) -> BillingSchool:
    with database.transaction(EVERYTHING) as session:
        return make_billing_school(session, vault, pupils=2, catalogue="private-school")


def edited(data: bytes, edit: Callable[[Worksheet], None]) -> bytes:
    book = load_workbook(io.BytesIO(data))
    edit(book.worksheets[0])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def column(sheet: Worksheet, heading: str) -> int:
    return next(cell.column for cell in sheet[1] if cell.value == heading)


def line_of(sheet: Worksheet, code: str, heading: str = "Mã khoản thu") -> int:
    place = column(sheet, heading)
    return next(row for row in range(2, sheet.max_row + 1) if sheet.cell(row, place).value == code)


def change(code: str, **cells: Any) -> Callable[[Worksheet], None]:  # noqa: ANN401  any value of a cell
    def edit(sheet: Worksheet) -> None:
        for heading, value in cells.items():
            sheet.cell(line_of(sheet, code), column(sheet, heading.replace("_", " "))).value = value

    return edit


def problems(act: Callable[[], object]) -> list[RowProblem]:
    with pytest.raises(BadRows) as refused:
        act()
    assert all(each.line and each.column and each.reason and each.remedy for each in refused.value.problems)
    return refused.value.problems


def prices(session: Session, billing: BillingSchool, code: str) -> list[tuple[int, date, date | None]]:
    return [
        (row.amount.dong, row.valid_from, row.valid_to)
        for row in live_prices(session, find_item(session, billing.id, code))
    ]


def bring(session: Session, billing: BillingSchool, data: bytes) -> Imported:
    return import_prices(session, billing.school, data, billing.accountant, NOW)


def test_prices_go_out_and_come_back_unchanged(database: Database, billing: BillingSchool) -> None:
    with database.transaction(EVERYTHING) as session:
        before = session.exec(select(tables.FeePrice).order_by(col(tables.FeePrice.id))).all()
        data = export_prices(session, billing.school)
        assert bring(session, billing, data) == Imported(unchanged=5)  # four prices, and the donation without one
        assert session.exec(select(tables.FeePrice).order_by(col(tables.FeePrice.id))).all() == before


def test_an_edited_price_a_new_item_and_an_earlier_end_come_in_once(database: Database, billing: BillingSchool) -> None:
    def edit(sheet: Worksheet) -> None:
        change("NUOCUONG", Đơn_giá="12.000 đ", Tên_khoản_thu="Nước uống tinh khiết")(sheet)
        change("BANTRU", Đến_ngày=datetime(2025, 12, 31, tzinfo=UTC).replace(tzinfo=None))(sheet)
        copied = [cell.value for cell in sheet[line_of(sheet, "NUOCUONG")]]
        sheet.append(
            ["NGOAIKHOA", "Hoạt động ngoại khóa", *copied[2:8], 50_000, *copied[9:15], "01/10/2025", "31/05/2026"]
        )

    with database.transaction(EVERYTHING) as session:
        data = edited(export_prices(session, billing.school), edit)
        assert bring(session, billing, data) == Imported(new=1, changed=2, unchanged=3)
        assert prices(session, billing, "NUOCUONG") == [(12_000, SEPTEMBER, date(2026, 5, 31))]
        assert prices(session, billing, "BANTRU") == [(300_000, SEPTEMBER, date(2025, 12, 31))]
        assert prices(session, billing, "NGOAIKHOA") == [(50_000, date(2025, 10, 1), date(2026, 5, 31))]
        assert find_item(session, billing.id, "NUOCUONG").legal_name == "Nước uống tinh khiết"
        assert bring(session, billing, data) == Imported(unchanged=6)


def test_a_price_above_the_cap_or_a_forbidden_item_names_its_line_and_nothing_is_stored(
    database: Database, billing: BillingSchool
) -> None:
    def edit(sheet: Worksheet) -> None:
        change("NUOCUONG", Đơn_giá=12_000)(sheet)
        change("BANTRU", Đơn_giá=310_000)(sheet)
        copied = [cell.value for cell in sheet[line_of(sheet, "NUOCUONG")]]
        sheet.append(["GIUXE", "Tiền gửi xe", *copied[2:]])

    with database.transaction(EVERYTHING) as session:
        data = edited(export_prices(session, billing.school), edit)
        sheet = load_workbook(io.BytesIO(data)).worksheets[0]
        over, forbidden = problems(lambda: bring(session, billing, data))
        assert (over.line, forbidden.line) == (line_of(sheet, "BANTRU"), line_of(sheet, "GIUXE"))
        assert "vượt mức trần 300.000 đ theo Nghị quyết 08/2025" in over.reason
        assert over.remedy == "Hãy giảm đơn giá."
        assert "55/2011/TT-BGDĐT" in forbidden.reason
        assert prices(session, billing, "NUOCUONG") == [(10_000, SEPTEMBER, date(2026, 5, 31))]


@pytest.mark.parametrize(
    ("cells", "heading", "words"),
    [
        ({"Đơn_giá": "=1+1"}, "Đơn giá", "công thức"),
        ({"Đơn_giá": "ba trăm"}, "Đơn giá", "Không hiểu số tiền"),
        ({"Đơn_giá": 10_000.5}, "Đơn giá", "số nguyên"),
        ({"Đơn_giá": -5}, "Đơn giá", "Không hiểu số tiền"),
        ({"Đơn_giá": 0}, "Đơn giá", "lớn hơn 0 đ"),
        ({"Từ_ngày": "31/02/2026"}, "Từ ngày", "trong lịch"),
        ({"Từ_ngày": "tháng 9"}, "Từ ngày", "Không hiểu ngày"),
        ({"Từ_ngày": "01/09/1925"}, "Từ ngày", "quá xa"),
        ({"Từ_ngày": None}, "Từ ngày", "Chưa điền"),
        ({"Đến_ngày": "01/08/2025"}, "Đến ngày", "trước ngày bắt đầu"),
        ({"Nhóm": "Thuế"}, "Nhóm", "Không hiểu “Thuế”"),
        ({"Đơn_vị_tính": "đêm"}, "Đơn vị tính", "Không hiểu"),
        ({"Chỉ_thu_khi_đăng_ký": "có thể"}, "Chỉ thu khi đăng ký", "Không hiểu"),
        ({"Tài_khoản_ngân_hàng": "999"}, "Tài khoản ngân hàng", "không có tài khoản ngân hàng số “999”"),
        ({"Khối": "1; lá"}, "Khối", "không phải khối"),
        ({"Cấp_học": "đại học"}, "Cấp học", "Không hiểu"),
        ({"Số_lượng": 0}, "Số lượng", "từ 1 đến 1000"),
        ({"Mã_khoản_thu": "A B"}, "Mã khoản thu", "không hợp lệ"),
        ({"Mã_khoản_thu": "BANTRU"}, "Mã khoản thu", "Khác với dòng"),
    ],
)
def test_a_bad_cell_is_named_with_line_column_reason_and_remedy(
    database: Database, billing: BillingSchool, cells: dict[str, Any], heading: str, words: str
) -> None:
    with database.transaction(EVERYTHING) as session:
        data = export_prices(session, billing.school)
        line = line_of(load_workbook(io.BytesIO(data)).worksheets[0], "NUOCUONG")
        found = problems(lambda: bring(session, billing, edited(data, change("NUOCUONG", **cells))))
        assert (line, heading) in [(each.line, each.column) for each in found]
        assert any(words in each.reason for each in found)


def test_an_item_cannot_become_another_by_its_sheet(database: Database, billing: BillingSchool) -> None:
    with database.transaction(EVERYTHING) as session:
        data = edited(export_prices(session, billing.school), change("NUOCUONG", Nhóm="Thu hộ – chi hộ"))
        (only,) = problems(lambda: bring(session, billing, data))
        assert only.column == "Cả dòng"
        assert "đặt mã mới" in only.remedy


# Registrations.


def board(session: Session, billing: BillingSchool) -> bytes:
    wanted = ClassRegistration(billing.pupils[0].class_group.id, "BANTRU", SEPTEMBER, EVIDENCE)
    register_class(session, billing.id, billing.accountant, wanted, NOW)
    return export_registrations(session, billing.school, SCHOOL_YEAR)


def bring_registrations(session: Session, billing: BillingSchool, data: bytes) -> Imported:
    return import_registrations(session, billing.school, SCHOOL_YEAR, data, billing.accountant, NOW)


def test_registrations_go_out_and_come_back_and_no_formula_arises(database: Database, billing: BillingSchool) -> None:
    with database.transaction(EVERYTHING) as session:
        data = board(session, billing)
        sheet = load_workbook(io.BytesIO(data)).worksheets[0]
        cell = sheet.cell(2, column(sheet, "Minh chứng"))
        assert (cell.value, cell.data_type, cell.quotePrefix) == (EVIDENCE, "s", True)
        assert bring_registrations(session, billing, data) == Imported(unchanged=2)


def test_a_family_less_a_family_more_by_sheet(database: Database, billing: BillingSchool) -> None:
    def edit(sheet: Worksheet) -> None:
        sheet.cell(2, column(sheet, "Đến ngày")).value = "30/11/2025"
        sheet.append([None, billing.pupils[1].pupil.full_name, "1A", "TIENAN", None, "01/10/2025", None, "Phiếu 2"])

    with database.transaction(EVERYTHING) as session:
        data = edited(board(session, billing), edit)
        assert bring_registrations(session, billing, data) == Imported(new=1, changed=1, unchanged=1)
        assert bring_registrations(session, billing, data) == Imported(unchanged=3)
        rows = session.exec(select(tables.OptIn).where(col(tables.OptIn.withdrawn_at).is_(None))).all()
        assert sorted((row.valid_to for row in rows), key=str) == [date(2025, 11, 30), None, None]


def test_a_bad_registration_is_named(database: Database, billing: BillingSchool) -> None:
    name, other = (child.pupil.full_name for child in billing.pupils)

    def edit(sheet: Worksheet) -> None:
        sheet.delete_rows(2, 2)
        good = [None, name, "1A", "BANTRU", 1, "01/09/2025", None, "Phiếu"]
        for place, value in ((0, "7500000000"), (1, "Không Ai Cả"), (3, "NUOCUONG"), (3, "LA"), (4, "hai"), (7, None)):
            sheet.append([*good[:place], value, *good[place + 1 :]])
        sheet.append(good)
        sheet.append([*good[:4], 2, *good[5:]])
        sheet.append([None, other, "9Z", *good[3:]])

    with database.transaction(EVERYTHING) as session:
        data = edited(board(session, billing), edit)
        found = problems(lambda: bring_registrations(session, billing, data))
        assert [(each.line, each.column) for each in found] == [
            (2, "Mã định danh Bộ GD&ĐT"),
            (3, "Mã định danh Bộ GD&ĐT"),
            (4, "Mã khoản thu"),
            (5, "Mã khoản thu"),
            (6, "Số lượng"),
            (7, "Minh chứng"),
            (9, "Mã khoản thu"),
            (10, "Mã định danh Bộ GD&ĐT"),
        ]


# Reductions.


def bring_reductions(session: Session, billing: BillingSchool, data: bytes) -> Imported:
    return import_reductions(session, billing.school, SCHOOL_YEAR, data, billing.accountant, NOW)


def test_reductions_go_out_come_back_end_and_wait(database: Database, private: BillingSchool) -> None:
    def edit(sheet: Worksheet) -> None:
        sheet.cell(2, column(sheet, "Đến ngày")).value = "31/12/2025"
        sheet.append(
            [None, private.pupils[1].pupil.full_name, "1A", "hocbong", None, None, 500_000, "HOCPHI", None,
             "01/09/2025", "31/05/2026", "QĐ 5", "QĐ 5/2025"]
        )  # fmt: skip

    with database.transaction(EVERYTHING) as session:
        new = NewReduction(private.pupils[0].enrolment.id, "TRUONGGIAM", SEPTEMBER, "Đơn", percent=70)
        row = enter_reduction(session, private.school, new, private.accountant, NOW)
        approve_reduction(session, private.id, row.id, private.approver, NOW)
        data = export_reductions(session, private.school, SCHOOL_YEAR)
        assert bring_reductions(session, private, data) == Imported(unchanged=1)
        changed = edited(data, edit)
        assert bring_reductions(session, private, changed) == Imported(new=1, changed=1)
        assert bring_reductions(session, private, changed) == Imported(unchanged=2)
        rows = session.exec(select(tables.Reduction).where(col(tables.Reduction.enrolment_id).is_not(None))).all()
        assert {(each.reason_class, each.valid_to, each.approved_by is None) for each in rows} == {
            ("TRUONGGIAM", date(2025, 12, 31), False),
            ("HOCBONG", date(2026, 5, 31), True),
        }


def test_a_bad_reduction_is_named_and_nothing_is_stored(database: Database, private: BillingSchool) -> None:
    name = private.pupils[0].pupil.full_name

    def edit(sheet: Worksheet) -> None:
        good = [None, name, "1A", "NCC", None, None, None, None, None, "01/09/2025", None, None, "Giấy số 1"]
        sheet.append(good)
        for place, value in ((3, "XYZ"), (5, 50), (5, "x"), (8, "Tài trợ"), (12, None)):
            sheet.append([*good[:place], value, *good[place + 1 :]])

    with database.transaction(EVERYTHING) as session:
        data = edited(export_reductions(session, private.school, SCHOOL_YEAR), edit)
        first = problems(lambda: bring_reductions(session, private, data))
        assert [(each.line, each.column) for each in first] == [
            (5, "Tỷ lệ giảm (%)"),
            (6, "Nhóm khoản thu"),
            (7, "Minh chứng"),
        ]

        def only_rules(sheet: Worksheet) -> None:
            sheet.delete_rows(5, 3)

        found = problems(lambda: bring_reductions(session, private, edited(data, only_rules)))
        assert [(each.line, each.column) for each in found] == [(3, "Cả dòng"), (4, "Cả dòng")]
        assert "Không có diện miễn giảm mã XYZ" in found[0].reason
        assert "tỷ lệ theo quy định là 100 %" in found[1].reason
        rows = session.exec(select(tables.Reduction).where(col(tables.Reduction.enrolment_id).is_not(None))).all()
        assert rows == []
