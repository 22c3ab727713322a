"""The receipt says who paid what for whom, in figures and in words, and can be checked by its QR code."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.documents.receipt_pdf import (
    ReceiptDocument,
    ReceiptItem,
    VoidMark,
    receipt_pdf,
    receipts_pdf,
)
from billing.documents.words import amount_in_words
from billing.money import ZERO, Money
from tests.billing.documents.pages import codes, pictures, words

LINK = "https://hocphi.example/kiem-tra/7K3MXQ2PZ9"
RECEIPT = ReceiptDocument(
    unit_name="Trường Tiểu học Đồng Mẫu",
    unit_address="12 đường Phú Riềng Đỏ, phường Bình Phước",
    budget_code="1057321",
    book="01/2025",
    number="0000123",
    issued_on=date(2025, 9, 5),
    payer_name="Nguyễn Thị Hồng Ngọc",
    payer_address="Khu phố 3, phường Bình Phước",
    pupil_name="Trần Nguyễn Đăng Khôi",
    pupil_code="7501234567",
    school_year="2025-2026",
    items=(
        ReceiptItem("Tiền ăn bán trú", "Tháng 9/2025", Money(735_000), "21 ngày × 35.000 đ"),
        ReceiptItem("Dịch vụ bán trú", "Tháng 9/2025", Money(300_000)),
        ReceiptItem("Bảo hiểm y tế", "12 tháng", Money(631_800)),
    ),
    channel="Chuyển khoản VietQR",
    bank_reference="FT25248123456789",
    received_on=date(2025, 9, 4),
    remaining=Money(105_000),
    collector_name="Lê Văn Đệ",
    verify_url=LINK,
)


def test_every_required_field_is_on_the_page() -> None:
    page = words(receipt_pdf(RECEIPT))[0]
    for wanted in (
        "BIÊN LAI THU TIỀN",
        "Đơn vị: Trường Tiểu học Đồng Mẫu",
        "12 đường Phú Riềng Đỏ, phường Bình Phước",
        "Mã QHNS: 1057321",
        "Quyển số: 01/2025",
        "Số: 0000123",
        "Ngày 05 tháng 09 năm 2025",
        "người nộp tiền: Nguyễn Thị Hồng Ngọc",
        "Khu phố 3, phường Bình Phước",
        "học sinh: Trần Nguyễn Đăng Khôi",
        "Mã học sinh: 7501234567",
        "Năm học: 2025-2026",
        "Tiền ăn bán trú",
        "21 ngày × 35.000 đ",
        "Tháng 9/2025",
        "735.000 đ",
        "1.666.800 đ",
        "Một triệu sáu trăm sáu mươi sáu nghìn tám trăm đồng",
        "Chuyển khoản VietQR",
        "Ngày tiền đến: 04/09/2025",
        "FT25248123456789",
        "Còn chưa nộp sau lần này: 105.000 đ",
        "Lê Văn Đệ",
        LINK,
        "chứng từ điện tử",
        "Trang 1/1",
    ):
        assert wanted in page, wanted
    assert "HỦY" not in page
    assert "Lớp" not in page


def test_the_qr_code_on_the_page_is_the_check_link() -> None:
    assert codes(pictures(receipt_pdf(RECEIPT))[0]) == [LINK]


def test_the_class_is_shown_only_when_given() -> None:
    assert "Lớp: 3A" in words(receipt_pdf(replace(RECEIPT, class_name="3A")))[0]


def test_a_void_receipt_keeps_its_number_and_says_why_on_every_page() -> None:
    void = VoidMark("Ghi nhầm học sinh cùng tên", date(2025, 9, 8), "Phạm Thị Kế")
    document = replace(RECEIPT, void=void, items=RECEIPT.items * 20)
    made = receipt_pdf(document)
    pages = words(made)
    assert len(pages) > 2
    assert all("HỦY" in page for page in pages)
    assert all("Biên lai số 0000123" in page for page in pages)
    note = "BIÊN LAI ĐÃ HỦY ngày 08/09/2025, người hủy: Phạm Thị Kế. Lý do: Ghi nhầm học sinh cùng tên"
    assert note in pages[0]
    assert codes(pictures(made)[-1]) == [LINK]


def test_many_items_and_long_names_lose_nothing() -> None:
    items = tuple(
        ReceiptItem(f"Khoản {n}: {'dịch vụ rất dài ' * 8}", f"Tháng {n % 12 + 1}/2025", Money(1000 + n))
        for n in range(60)
    )
    name = "Tôn Nữ Hoàng Thị Phương Thảo Nguyên Quỳnh Như Bảo Trân " * 3
    pages = " ".join(words(receipt_pdf(replace(RECEIPT, items=items, payer_name=name, pupil_name=name))))
    for n in range(60):
        assert f"Khoản {n}:" in pages
        assert str(Money(1000 + n)) in pages
    assert str(sum((item.amount for item in items), ZERO)) in pages


@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=5))
@settings(max_examples=25, deadline=None)
def test_the_total_in_figures_and_in_words_is_the_sum_of_the_items(amounts: list[int]) -> None:
    items = tuple(ReceiptItem("Khoản thu", "Tháng 9", Money(amount)) for amount in amounts)
    page = words(receipt_pdf(replace(RECEIPT, items=items)))[0]
    whole = Money(sum(amounts))
    assert f"Tổng số tiền đã thu {whole}" in page
    assert amount_in_words(whole) in page


@given(text=st.text(max_size=700))
@settings(max_examples=25, deadline=None)
def test_hostile_text_in_every_field_still_prints(text: str) -> None:
    document = replace(
        RECEIPT,
        unit_name=text,
        unit_address=text,
        payer_name=text,
        payer_address=text,
        pupil_name=text,
        bank_reference=text,
        channel=text,
        collector_name=text,
        class_name=text,
        items=(ReceiptItem(text, text, Money(5), text),),
        void=VoidMark(text, date(2025, 9, 8), text),
    )
    assert receipt_pdf(document).startswith(b"%PDF")


def test_equal_receipts_give_equal_bytes() -> None:
    assert receipt_pdf(RECEIPT) == receipt_pdf(replace(RECEIPT))


def test_the_title_names_the_number_and_no_person() -> None:
    made = receipt_pdf(RECEIPT)
    assert "Biên lai thu tiền số 0000123".encode("utf-16-be") in _unescaped(made)
    assert "Khôi".encode("utf-16-be") not in _unescaped(made)


def _unescaped(made: bytes) -> bytes:
    """Return the file with the octal escapes of its strings undone."""
    parts = made.split(b"\\")
    undone = [parts[0]]
    for part in parts[1:]:
        octal = part[:3]
        undone.append(bytes([int(octal, 8)]) + part[3:] if octal.isdigit() else part)
    return b"".join(undone)


def test_many_receipts_in_one_file_each_count_their_own_pages() -> None:
    pages = words(receipts_pdf([RECEIPT, replace(RECEIPT, number="0000124")]))
    assert ["Trang 1/1" in page for page in pages] == [True, True]
    assert "0000124" in pages[1]


def test_a_receipt_without_money_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one item"):
        replace(RECEIPT, items=())
    with pytest.raises(ValueError, match="money received"):
        replace(RECEIPT, items=(ReceiptItem("x", "y", ZERO),))
    with pytest.raises(ValueError, match="money received"):
        replace(RECEIPT, remaining=Money(-1))
    with pytest.raises(ValueError, match="nothing to print"):
        receipts_pdf([])


def test_threads_that_print_at_once_print_the_same() -> None:
    """Reportlab's fonts are shared by all threads; without turns, letters of one receipt got into another."""
    names = ["Điểu Thị Xuân", "Thạch Sô Phia", "Ngô Đình Khải", "Hoàng Ngọc Ẩn"]
    receipts = [replace(RECEIPT, payer_name=names[place % 4], number=f"{place:07}") for place in range(24)]
    alone = [receipt_pdf(receipt) for receipt in receipts]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(8) as threads:
            together = list(threads.map(receipt_pdf, receipts * 2))
    finally:
        sys.setswitchinterval(before)
    assert together == alone * 2
