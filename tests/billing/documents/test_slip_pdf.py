"""The printed notice shows what its QR code says, and is not made when the two disagree."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from billing.documents.errors import PayloadRefused
from billing.documents.slip_pdf import SlipDocument, SlipItem, in_fours, slip_pdf, slips_pdf, weekday_and_date
from billing.documents.vietqr import VietQr, encode
from billing.errors import Refused
from billing.money import ZERO, Money
from tests.billing.documents.pages import codes, pictures, sizes, words


def payload(amount: int, memo: str = "FW23456789A", account: str = "0123456789") -> str:
    return encode(VietQr(bin="970436", account=account, amount=Money(amount), memo=memo))


SLIP = SlipDocument(
    school_name="Trường Tiểu học Đồng Mẫu",
    school_contact="Văn phòng: 0271 3 000 000",
    round_name="Đợt thu tháng 9 năm học 2025-2026",
    pupil_name="Trần Nguyễn Đăng Khôi",
    pupil_code="7501234567",
    school_year="2025-2026",
    items=(
        SlipItem("Tiền ăn bán trú", "Tháng 9/2025", Money(735_000), "21 ngày × 35.000 đ"),
        SlipItem("Dịch vụ bán trú", "Tháng 9/2025", Money(300_000)),
    ),
    due_on=date(2025, 10, 10),
    qr_payload=payload(1_035_000),
    reference="FW23456789A",
    bank_name="Vietcombank",
    account="0123456789",
    account_holder="TRUONG TIEU HOC DONG MAU",
    verify_url="https://hocphi.example/kiem-tra",
    fees_url="https://hocphi.example/cong-khai/75000001",
)


def test_every_field_is_on_the_slip_and_what_to_do_without_a_telephone() -> None:
    page = words(slip_pdf(SLIP))[0]
    for wanted in (
        "THÔNG BÁO THU",
        "Trường Tiểu học Đồng Mẫu",
        "Đợt thu tháng 9 năm học 2025-2026",
        "Học sinh: Trần Nguyễn Đăng Khôi",
        "Tiền ăn bán trú",
        "735.000 đ",
        "Số tiền: 1.035.000 đ",
        "(Một triệu không trăm ba mươi lăm nghìn đồng)",
        "Hạn nộp: Thứ Sáu, 10/10/2025",
        "Ngân hàng: Vietcombank",
        "Số tài khoản: 0123 4567 89",
        "Tên tài khoản: TRUONG TIEU HOC DONG MAU",
        "Nội dung chuyển khoản (ghi đúng, không thêm gì): FW23456789A",
        "Nộp tại quầy ngân hàng: đưa giấy này cho giao dịch viên",
        "Công khai các khoản thu của trường: https://hocphi.example/cong-khai/75000001",
        "Nộp tiền mặt tại trường: mang giấy này đến văn phòng trường và nhận biên lai",
    ):
        assert wanted in page, wanted
    assert "Lớp" not in page
    assert "Đăng ký nhận thông báo" not in page
    assert "nợ" not in page.lower()


def test_the_reference_is_the_largest_line_beside_the_code() -> None:
    found = sizes(slip_pdf(SLIP))
    assert found.count(15) == 2, "the heading and the reference"
    assert max(found) == 15


def test_the_second_code_leads_to_registering_and_says_how() -> None:
    url = "https://hocphi.example/dk/Zx0kq3yJ2mV8n1tRb7LwQA"
    made = slip_pdf(replace(SLIP, register_url=url, class_name="1A"))
    page = words(made)[0]
    assert "Đăng ký nhận thông báo" in page
    for wanted in ("số điện thoại", "nhập mã", "tự đánh dấu đồng ý", "Lớp: 1A"):
        assert wanted in page, wanted
    picture = pictures(made, dots_per_inch=200)[0]
    assert sorted(codes(picture)) == sorted([SLIP.qr_payload, url])


def test_a_memo_with_the_provider_s_code_is_printed_as_it_must_be_sent() -> None:
    coded = replace(SLIP, qr_payload=payload(1_035_000, memo="SEVQR FW23456789A"), memo="SEVQR FW23456789A")
    assert "không thêm gì): SEVQR FW23456789A" in words(slip_pdf(coded))[0]
    with pytest.raises(Refused, match="Mã QR không khớp"):
        replace(coded, memo="")


def test_accounts_are_read_out_in_fours() -> None:
    assert [in_fours(number) for number in ("", "123", "0123456789", "96247HPS00012")] == [
        "",
        "123",
        "0123 4567 89",
        "9624 7HPS 0001 2",
    ]


def test_the_qr_code_on_paper_is_the_payload_also_after_a_bad_copy() -> None:
    picture = pictures(slip_pdf(SLIP), dots_per_inch=200)[0]
    assert codes(picture) == [SLIP.qr_payload]
    squeezed = io.BytesIO()
    picture.resize((picture.width // 2, picture.height // 2)).save(squeezed, "JPEG", quality=50)
    assert codes(Image.open(squeezed)) == [SLIP.qr_payload]


def test_the_slip_is_black_and_white() -> None:
    made = slip_pdf(SLIP)
    assert b"/DCTDecode" not in made
    assert b"/Subtype /Image" not in made


def test_what_was_paid_before_lowers_what_the_code_asks_for() -> None:
    page = words(slip_pdf(replace(SLIP, paid=Money(35_000), qr_payload=payload(1_000_000))))[0]
    assert "Đã nộp 35.000 đ" in page
    assert "Số tiền cần nộp 1.000.000 đ" in page


@pytest.mark.parametrize(
    "wrong",
    [
        {"qr_payload": payload(1_035_001)},
        {"qr_payload": payload(1_035_000, memo="FW23456789B")},
        {"qr_payload": payload(1_035_000, account="0123456780")},
        {"account": "0123456780"},
        {"account": "6789"},
        {"account": ""},
        {"reference": ""},
        {"paid": Money(1)},
    ],
)
def test_a_slip_that_contradicts_its_qr_code_is_not_made(wrong: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="Mã QR không khớp"):
        replace(SLIP, **wrong)


def test_a_damaged_payload_is_not_printed() -> None:
    with pytest.raises(PayloadRefused):
        replace(SLIP, qr_payload=SLIP.qr_payload[:-1] + "0")


def test_a_slip_over_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 0"):
        replace(SLIP, paid=Money(1_035_000))
    with pytest.raises(ValueError, match="at least one item"):
        replace(SLIP, items=())
    with pytest.raises(ValueError, match="nothing to print"):
        slips_pdf([])


def test_a_class_in_one_file_two_slips_on_a_sheet_each_with_its_own_code() -> None:
    slips = [
        replace(
            SLIP,
            pupil_name=f"Nguyễn Văn {n}",
            items=(SlipItem("Tiền ăn", "Tháng 9", Money(1000 + n)),),
            qr_payload=payload(1000 + n),
        )
        for n in range(5)
    ]
    made = slips_pdf(iter(slips))
    sheets, drawn = words(made), pictures(made)
    assert len(sheets) == 3
    assert {picture.size for picture in drawn} == {(1754, 1241)}, "A4 lying, at 150 dots per inch"
    for number, slip in enumerate(slips):
        assert slip.pupil_name in sheets[number // 2]
        picture = drawn[number // 2]
        left = number % 2 * picture.width // 2
        assert codes(picture.crop((left, 0, left + picture.width // 2, picture.height))) == [slip.qr_payload]
    assert made == slips_pdf(slips)


def test_a_slip_with_many_items_keeps_its_code_whole_on_the_last_page() -> None:
    items = tuple(SlipItem(f"Khoản thu số {n}.", "Tháng 9/2025", Money(1000)) for n in range(50))
    made = slip_pdf(replace(SLIP, items=items, qr_payload=payload(50_000)))
    told = " ".join(words(made))
    last = re.findall(r"Trang (\d)/(\d)", told)[-1]
    assert last[0] == last[1] > "1"
    assert all(f"Khoản thu số {n}." in told for n in range(50))
    assert [code for picture in pictures(made) for code in codes(picture)] == [payload(50_000)]


@given(text=st.text(max_size=500))
@settings(max_examples=20, deadline=None)
def test_hostile_text_still_prints_and_the_code_survives(text: str) -> None:
    slip = replace(
        SLIP,
        school_name=text,
        school_contact=text,
        round_name=text,
        pupil_name=text,
        account_holder=text,
        bank_name=text,
        note=text,
        class_name=text,
        items=(SlipItem(text, text, Money(1_035_000), text),),
    )
    assert codes(pictures(slip_pdf(slip))[-1]) == [SLIP.qr_payload]


def test_days_are_named_as_families_read_them() -> None:
    monday = date(2025, 9, 1)
    named = [weekday_and_date(monday + timedelta(days=n)).split(",")[0] for n in range(7)]
    assert named == ["Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ Nhật"]
    assert weekday_and_date(monday) == "Thứ Hai, 01/09/2025"


def test_paid_is_nothing_unless_said() -> None:
    assert SLIP.paid == ZERO
