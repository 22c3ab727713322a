"""The office's menu: one list of pages, shown to whom the matrix lets in (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from service.access.roles import MATRIX, Actor


@dataclass(frozen=True, slots=True)
class Entry:
    """A page of the menu: its address, and its name in Vietnamese and English."""

    path: str
    vi: str
    en: str


CARDS = "/van-phong/the"
MENU = (
    Entry("/lop-chu-nhiem", "Điểm danh lớp", "Class roll"),
    Entry("/van-phong", "Tổng quan", "Overview"),
    Entry("/van-phong/khoan-thu", "Khoản thu", "Items"),
    Entry("/van-phong/ke-hoach-thu", "Kế hoạch thu", "Plan of collections"),
    Entry("/van-phong/dang-ky", "Đăng ký", "Registrations"),
    Entry("/van-phong/diem-danh", "Điểm danh", "Attendance"),
    Entry("/van-phong/suat-an", "Suất ăn", "Portions"),
    Entry("/van-phong/mien-giam", "Miễn giảm", "Reductions"),
    Entry("/van-phong/bhyt", "BHYT", "Health insurance"),
    Entry("/van-phong/dot-thu", "Đợt thu", "Billing rounds"),
    Entry("/van-phong/dieu-chinh", "Điều chỉnh", "Corrections"),
    Entry("/van-phong/thong-bao", "Thông báo thu", "Bills"),
    Entry("/van-phong/tien-ton", "Tiền tồn", "Leftover money"),
    Entry("/van-phong/quy", "Quỹ tiền mặt", "Cash"),
    Entry("/van-phong/hoan-tien", "Hoàn tiền", "Refunds"),
    Entry("/van-phong/hop-dong", "Hợp đồng", "Contracts"),
    Entry("/van-phong/chuyen-di", "Nghỉ học, chuyển lớp", "Leaving, classes"),
    Entry("/van-phong/gia-han", "Gia hạn, không thu nữa", "More time, write-offs"),
    Entry("/van-phong/nhac-nop", "Nhắc nộp", "Reminders"),
    Entry("/van-phong/tin-nhan", "Tin nhắn", "Messages"),
    Entry("/van-phong/cuoi-cap", "Cuối cấp", "Last grade"),
    Entry("/van-phong/nam-hoc-moi", "Năm học mới", "New school year"),
    Entry("/van-phong/phan-mem-cu", "Phần mềm cũ", "Former program"),
    Entry("/van-phong/tai-khoan", "Tài khoản", "Bank accounts"),
    Entry("/van-phong/cho-xu-ly", "Giao dịch chờ xử lý", "Waiting transfers"),
    Entry("/van-phong/kenh-ngan-hang", "Kênh ngân hàng", "Bank feeds"),
    Entry(CARDS, "Thẻ", "Cards"),
    Entry("/van-phong/tien-ra", "Tiền ra", "Money out"),
    Entry("/van-phong/thieu-phi", "Quốc tế đến thiếu", "Short from abroad"),
    Entry("/van-phong/doi-chieu-nguon", "Đối chiếu nguồn báo có", "Feeds compared"),
    Entry("/van-phong/ngan-sach", "Tiền Nhà nước", "State money"),
    Entry("/van-phong/ngan-sach/chi-tra", "Chi trả hỗ trợ", "Payouts"),
    Entry("/van-phong/lien-he", "Liên hệ chờ xác nhận", "Contacts to confirm"),
    Entry("/van-phong/sao-ke", "Sao kê ngân hàng", "Bank statements"),
    Entry("/van-phong/tai-len", "Bảng tính", "Sheets"),
    Entry("/nguoi-dung", "Người dùng", "Users"),
    Entry("/van-phong/khoa-so", "Khóa sổ", "Closing"),
    Entry("/kiem-toan", "Đối soát và báo cáo", "Audit and reports"),
    Entry("/tinh", "Toàn tỉnh", "Province"),
    Entry("/tinh/doi-chieu-nguon", "Đối chiếu nguồn toàn tỉnh", "Feeds of all schools"),
)


def menu_for(roles: frozenset[Actor]) -> tuple[Entry, ...]:
    """Return the entries that these roles may open, in the menu's order."""
    return tuple(entry for entry in MENU if MATRIX[("GET", entry.path)] & roles)


def choices_of(path: str) -> Entry | None:
    """Return the family's page of choices, contract or notice for an address below it: a refusal leads back there."""
    found = re.fullmatch(r"(/t/[A-Za-z0-9_-]{22}/dang-ky)(/thoi)?", path)
    if found:
        return Entry(found[1], "đăng ký khoản tự nguyện", "voluntary items")
    found = re.fullmatch(r"(/hd/[A-Za-z0-9_-]{22})(/ma/[0-9a-f-]{36})?", path)
    if found:
        return Entry(found[1], "hợp đồng", "the contract")
    found = re.fullmatch(r"(/t/[A-Za-z0-9_-]{22})/.+", path)
    return Entry(found[1], "thông báo thu", "the notice") if found else None


def section_of(path: str) -> Entry | None:
    """Return the entry of the menu under which an address lies, the nearest one; nothing for other pages."""
    above = [entry for entry in MENU if path == entry.path or path.startswith(f"{entry.path}/")]
    return max(above, key=lambda entry: len(entry.path), default=None)
