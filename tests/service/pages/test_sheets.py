"""Tests of tables that the accountant takes out, edits and brings back on the office's page of sheets."""

from __future__ import annotations

import io

from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from sqlmodel import col, select
from starlette.testclient import TestClient

from billing.audit.tables import AuditEntry
from billing.fees.tables import FeePrice, OptIn, Reduction
from service.database import EVERYTHING
from tests.factories import rosters
from tests.service.pages.test_uploads import upload
from tests.service.pages.worlds import World

YEAR = "2025-2026"


def taken(client: TestClient, kind: str, year: str = "") -> Workbook:
    answer = client.get(f"/van-phong/tai-len/{kind}.xlsx", params={"nam": year})
    assert answer.status_code == 200, answer.text
    assert f'filename="{kind}.xlsx"' in answer.headers["content-disposition"]
    return load_workbook(io.BytesIO(answer.content))


def saved(book: Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def column(sheet: Worksheet, heading: str) -> int:
    return next(cell.column for cell in sheet[1] if cell.value == heading)


def row_of(sheet: Worksheet, heading: str, value: str) -> int:
    return next(row for row in range(2, sheet.max_row + 1) if sheet.cell(row, column(sheet, heading)).value == value)


def deeds(world: World, action: str) -> list[str]:
    with world.collecting.database.transaction(EVERYTHING) as session:
        rows = session.exec(select(AuditEntry).where(AuditEntry.action == action).order_by(col(AuditEntry.id))).all()
        return [row.object_id for row in rows]


def test_a_price_edited_in_the_sheet_is_checked_then_stored_and_one_above_the_cap_names_its_line(world: World) -> None:
    client = world.signed_in(world.staff("accountant"))
    book = taken(client, "khoan-thu")
    sheet = book.worksheets[0]
    status, text = upload(client, "khoan-thu", saved(book), viec="nhap")
    assert (status, "0 mới, 0 thay đổi, 5 đã có" in text) == (200, True)
    price = sheet.cell(row_of(sheet, "Mã khoản thu", "BANTRU"), column(sheet, "Đơn giá"))
    price.value = 290_000
    status, text = upload(client, "khoan-thu", saved(book), viec="kiem-tra")
    assert (status, "0 mới, 1 thay đổi" in text, "chưa ghi gì" in text) == (200, True, True)
    status, text = upload(client, "khoan-thu", saved(book), viec="nhap")
    assert (status, "Xem khoản thu" in text) == (200, True)
    price.value = 310_000
    status, text = upload(client, "khoan-thu", saved(book), viec="nhap")
    assert status == 422
    assert f"{price.row}" in text
    assert "vượt mức trần 300.000 đ" in text
    with world.collecting.database.transaction(EVERYTHING) as session:
        live = session.exec(select(FeePrice).where(col(FeePrice.withdrawn_at).is_(None))).all()
    assert 290_000 in {price.amount.dong for price in live}
    assert 310_000 not in {price.amount.dong for price in live}


def test_registrations_and_reductions_come_in_by_sheet_and_new_reductions_wait_for_another(world: World) -> None:
    client = world.signed_in(world.staff("accountant"))
    book = taken(client, "dang-ky", YEAR)
    sheet = book.worksheets[0]
    assert sheet.max_row == 1 + 2 * 3, "three boarders, two items"
    name = sheet.cell(2, column(sheet, "Họ tên học sinh")).value
    sheet.cell(2, column(sheet, "Đến ngày")).value = "31/10/2025"
    status, text = upload(client, "dang-ky", saved(book), cho=YEAR, viec="nhap")
    assert (status, "0 mới, 1 thay đổi, 5 đã có" in text) == (200, True), text
    reductions = taken(client, "mien-giam", YEAR)
    asked = reductions.worksheets[0]
    assert asked.max_row == 1, "empty, it is the form to fill"
    line = {
        "Họ tên học sinh": name,
        "Lớp": sheet.cell(2, column(sheet, "Lớp")).value,
        "Mã định danh Bộ GD&ĐT": sheet.cell(2, column(sheet, "Mã định danh Bộ GD&ĐT")).value,
        "Mã diện": "HOCBONG",
        "Tỷ lệ giảm (%)": 50,
        "Từ ngày": "01/11/2025",
        "Minh chứng": "Quyết định số 12",
    }
    for heading, value in line.items():
        asked.cell(2, column(asked, heading)).value = value
    status, text = upload(client, "mien-giam", saved(reductions), cho=YEAR, viec="nhap")
    assert (status, "1 mới" in text) == (200, True), text
    with world.collecting.database.transaction(EVERYTHING) as session:
        assert [row.approved_by for row in session.exec(select(Reduction)).all() if row.enrolment_id] == [None]
        assert [str(row.valid_to) for row in session.exec(select(OptIn)).all() if row.valid_to] == ["2025-10-31"]
    asked.cell(2, column(asked, "Mã diện")).value = "KHONGCO"
    status, text = upload(client, "mien-giam", saved(reductions), cho=YEAR, viec="nhap")
    assert (status, "KHONGCO" in text) == (422, True)


def test_the_roster_comes_out_as_it_may_come_back(world: World) -> None:
    client = world.signed_in(world.staff("accountant"))
    data = rosters.sheet_file([rosters.pupil(1), rosters.pupil(2)])
    assert upload(client, "danh-sach", data, cho=YEAR, viec="nhap")[0] == 200
    book = taken(client, "danh-sach", YEAR)
    sheet = book.worksheets[0]
    assert sheet.max_row == 1 + 3 + 2
    for row in range(6, 1, -1):  # the three of the world have numbers for names
        assert sheet.cell(row, column(sheet, "Số ĐDCN")).value is None
        if str(sheet.cell(row, column(sheet, "Họ tên")).value)[-1].isdigit():
            sheet.delete_rows(row)
    status, text = upload(client, "danh-sach", saved(book), cho=YEAR, viec="nhap")
    assert (status, "0 mới, 0 thay đổi, 2 đã có" in text) == (200, True), text


def test_what_tells_of_pupils_is_written_down_and_nobody_else_takes_it(world: World) -> None:
    client = world.signed_in(world.staff("accountant"))
    taken(client, "khoan-thu")
    taken(client, "mien-giam", YEAR)
    assert taken(client, "ho-tro", YEAR).worksheets[0].max_row == 1
    assert deeds(world, "sheet.taken") == ["mien-giam", "ho-tro"]
    for kind, year in (("lien-he", ""), ("mien-giam", "1999-2000"), ("dang-ky", "")):
        assert client.get(f"/van-phong/tai-len/{kind}.xlsx", params={"nam": year}).status_code == 404, kind
    for role in ("approver", "auditor", "cashier", "class_teacher"):
        other = world.signed_in(world.staff(role))
        for kind in ("mien-giam", "ho-tro"):
            answer = other.get(f"/van-phong/tai-len/{kind}.xlsx", params={"nam": YEAR})
            assert answer.status_code == 403, (role, kind)
    assert deeds(world, "sheet.taken") == ["mien-giam", "ho-tro"]
