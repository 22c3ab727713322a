"""Items and prices as a sheet (pure): one line for each price, an item without a price has a line of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from billing.fees.items import (
    CARRY_OVER_NAMES,
    GROUP_NAMES,
    LEVEL_NAMES,
    PART_MONTH_NAMES,
    QUANTITY_NAMES,
    UNIT_NAMES,
    CarryOver,
    Group,
    Level,
    PartMonth,
    Quantity,
    Unit,
)
from billing.fees.sheets.cells import (
    code_of,
    codes_of,
    count_of,
    day_of,
    grades_of,
    long_text_of,
    money_of,
    one_of,
    several_of,
    yes_of,
)
from billing.money import Money
from billing.people.cells import read, text_of
from billing.people.workbook import Column, Line, Upload, open_upload, refused_file

COLUMNS = (
    Column("code", "Mã khoản thu", ("ma khoan thu", "ma khoan"), telling=True),
    Column("legal_name", "Tên khoản thu", ("ten khoan thu", "khoan thu")),
    Column("group", "Nhóm", ("nhom", "nhom khoan thu")),
    Column("unit", "Đơn vị tính", ("don vi tinh", "don vi", "dvt")),
    Column("legal_basis", "Căn cứ", ("can cu", "can cu phap ly")),
    Column("revenue_account", "Tài khoản kế toán", ("tai khoan ke toan", "tk ke toan")),
    Column("bank_account", "Tài khoản ngân hàng", ("tai khoan ngan hang", "so tai khoan", "tk ngan hang")),
    Column("opt_in", "Chỉ thu khi đăng ký", ("chi thu khi dang ky", "dang ky")),
    Column("amount", "Đơn giá", ("don gia", "muc thu", "gia")),
    Column("quantity", "Cách tính số lượng", ("cach tinh so luong",), required=False),
    Column("count", "Số lượng", ("so luong",), required=False),
    Column("levels", "Cấp học", ("cap hoc", "cap"), required=False),
    Column("grades", "Khối", ("khoi",), required=False),
    Column("classes", "Lớp", ("lop",), required=False),
    Column("part_month", "Tháng không trọn", ("thang khong tron",), required=False),
    Column("valid_from", "Từ ngày", ("tu ngay",)),
    Column("valid_to", "Đến ngày", ("den ngay",)),
    Column("carry_over", "Tiền tồn", ("tien ton", "cach dung tien ton"), required=False),
)


@dataclass(frozen=True, slots=True)
class PriceRow:
    """One line: an item, and a price unless ``amount`` is None."""

    line: Line
    code: str
    legal_name: str
    group: Group
    unit: Unit
    legal_basis: str
    revenue_account: str
    bank_account_id: UUID
    opt_in: bool
    valid_from: date
    amount: Money | None
    quantity: Quantity | None
    count: int
    levels: frozenset[Level]
    grades: frozenset[int]
    classes: frozenset[str]
    part_month: PartMonth
    valid_to: date | None
    carry_over: CarryOver | None = None


def read_prices(data: bytes, accounts: Mapping[str, UUID]) -> list[PriceRow]:
    """Read an uploaded sheet; ``accounts``: the numbers of the school's bank accounts.

    Raises ``BadRows`` with every problem of the file; then nothing may be stored.
    """
    upload = open_upload(data, COLUMNS)
    rows = [row for line in upload.lines() if (row := _row(upload, line, accounts))]
    _report_contradictions(upload, rows)
    upload.refuse_if_bad()
    if not rows:
        raise refused_file("Không có dòng nào dưới dòng tiêu đề.", "Điền khoản thu rồi gửi lại.")
    return rows


def _row(up: Upload, line: Line, accounts: Mapping[str, UUID]) -> PriceRow | None:
    known = len(up.problems)
    code = read(up, line, "code", code_of, required=True)
    name = read(up, line, "legal_name", long_text_of, required=True)
    group = read(up, line, "group", one_of(GROUP_NAMES), required=True)
    unit = read(up, line, "unit", one_of(UNIT_NAMES), required=True)
    basis = read(up, line, "legal_basis", long_text_of, required=True)
    revenue = read(up, line, "revenue_account", text_of, required=True)
    account = _account(up, line, accounts)
    opt_in = read(up, line, "opt_in", yes_of, required=True)
    carry_over = read(up, line, "carry_over", one_of(CARRY_OVER_NAMES))
    start = read(up, line, "valid_from", day_of, required=True)
    end = read(up, line, "valid_to", day_of)
    amount = read(up, line, "amount", money_of)
    row_quantity = read(up, line, "quantity", one_of(QUANTITY_NAMES))
    count = read(up, line, "count", count_of)
    levels = read(up, line, "levels", several_of(LEVEL_NAMES))
    grades = read(up, line, "grades", grades_of)
    classes = read(up, line, "classes", codes_of)
    part = read(up, line, "part_month", one_of(PART_MONTH_NAMES))
    if start and end and end < start:
        up.report(line, "valid_to", f"Ngày {end:%d/%m/%Y} trước ngày bắt đầu.", "Sửa một trong hai ngày.")
    if len(up.problems) > known or not (code and name and group and unit and basis and revenue and account and start):
        return None
    return PriceRow(
        line=line,
        code=code,
        legal_name=name,
        group=group,
        unit=unit,
        legal_basis=basis,
        revenue_account=revenue,
        bank_account_id=account,
        opt_in=bool(opt_in),
        valid_from=start,
        amount=amount,
        quantity=row_quantity,
        count=count or 1,
        levels=levels or frozenset(),
        grades=grades or frozenset(),
        classes=classes or frozenset(),
        part_month=part or PartMonth.WHOLE,
        valid_to=end,
        carry_over=carry_over,
    )


def _report_contradictions(up: Upload, rows: Sequence[PriceRow]) -> None:
    """Report lines that say something else of an item, or of a price from the same day, than a line above."""
    items: dict[str, PriceRow] = {}
    prices: dict[tuple[object, ...], PriceRow] = {}
    for row in rows:
        first = items.setdefault(row.code, row)
        if _item(first) != _item(row):
            reason = f"Khác với dòng {first.line.number} về tên, nhóm, đơn vị, căn cứ hoặc tài khoản của {row.code}."
            up.report(row.line, "code", reason, "Ghi giống nhau ở mọi dòng của một khoản thu.")
        if row.amount is None:
            continue
        key = (row.code, row.valid_from, row.levels, row.grades, row.classes)
        double = prices.setdefault(key, row)
        if double is not row:
            reason = f"Khoản thu này đã có đơn giá từ cùng ngày ở dòng {double.line.number}."
            up.report(row.line, "valid_from", reason, "Xóa một trong hai dòng.")


def _item(row: PriceRow) -> tuple[object, ...]:
    nature = row.group, row.unit, row.opt_in
    return *nature, row.legal_name, row.legal_basis, row.revenue_account, row.bank_account_id, row.carry_over


def _account(up: Upload, line: Line, accounts: Mapping[str, UUID]) -> UUID | None:
    number = read(up, line, "bank_account", text_of, required=True)
    if number is None:
        return None
    if number not in accounts:
        remedy = (
            "Ghi một trong: " + ", ".join(sorted(accounts)) + "." if accounts else "Thêm tài khoản của trường trước."
        )
        up.report(line, "bank_account", f"Trường không có tài khoản ngân hàng số “{number}”.", remedy)
        return None
    return accounts[number]
