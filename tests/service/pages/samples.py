"""Frozen view records: invented people, real wording."""

from __future__ import annotations

import dataclasses
import uuid
from datetime import UTC, date, datetime, timedelta

from billing.documents.qr_image import qr_svg
from billing.money import ZERO, Money
from service.access import links
from service.access.roles import Place
from service.pages.queue_views import Candidate, WaitingList, WaitingRow
from service.pages.views import (
    AuditPage,
    AuditTotal,
    BillPage,
    BillRow,
    BillState,
    Line,
    OfficeBillState,
    OfficeHome,
    PaymentPanel,
    ProvincePage,
    ReceiptLine,
    RoundItem,
    RoundPreview,
    RoundRow,
    RoundState,
    SchoolFace,
    SchoolRow,
)

NOW = datetime(2025, 10, 6, 1, 0, tzinfo=UTC)
SECRET = bytes(range(32))
PASSWORD = "mèo con ngủ trên mái nhà"  # noqa: S105  invented
TOKEN = links.make_token(SECRET, uuid.UUID(int=7), 1)
UNKNOWN_TOKEN = "A" * 22
SCHOOL = Place(uuid.UUID(int=1), "75000101", "Trường Tiểu học Tân Lập")
OTHER_SCHOOL = Place(uuid.UUID(int=2), "75000102", "Trường Mầm non Hoa Sen")
PROVINCE = Place(uuid.UUID(int=3), "75", "Tỉnh Đồng Nai")
ROUND_ID = uuid.UUID(int=42)
QR_TEXT = (
    "00020101021238570010A00000072701270006970436011310123456789010208QRIBFTTA53037045407125000058"
    "02VN62150811FW2345678AB6304ABCD"
)

PANEL = PaymentPanel(
    payee="TRUONG TIEU HOC TAN LAP",
    bank="Vietcombank",
    account="1012345678901",
    memo="FW2345678AB",
    amount=Money(1_250_000),
    qr_svg=qr_svg(QR_TEXT, "Mã QR"),
)
# A Treasury account: it takes no QR code; and a child that the bank has given no number of its own yet.
TYPED = dataclasses.replace(PANEL, payee="KHO BAC NHA NUOC SO 99", bank="Kho bạc", account="37130123456701", qr_svg="")
WAITING = BillPage(
    token=TOKEN,
    state=BillState.WAITING,
    school=SchoolFace("Trường Tiểu học Tân Lập", "0271 3870 123", "Phường Đồng Xoài, tỉnh Đồng Nai"),
    child_name="N. Thị Minh Ánh",
    title="Thông báo thu tháng 10/2025",
    lines=(
        Line("Tiền ăn bán trú (22 ngày × 30.000 đ)", Money(660_000)),
        Line("Dịch vụ bán trú tháng 10", Money(280_000)),
        Line("Bảo hiểm y tế học sinh (6 tháng)", Money(310_000)),
    ),
    due=Money(1_250_000),
    received=ZERO,
    due_on=date(2025, 10, 15),
    instant=True,
    payment=PANEL,
)
_RECEIPT = ReceiptLine("TL25-000123", Money(1_250_000), date(2025, 10, 6))
_PART = dataclasses.replace(PANEL, amount=Money(850_000))

# One family page for each thing that a family can meet.
FAMILY_PAGES: dict[str, BillPage] = {
    "waiting": WAITING,
    "waiting_no_callback": dataclasses.replace(WAITING, instant=False),
    "waiting_no_qr": dataclasses.replace(WAITING, payment=None),
    "waiting_typed": dataclasses.replace(WAITING, instant=False, payment=TYPED),
    "waiting_no_number": dataclasses.replace(WAITING, payment=dataclasses.replace(PANEL, account="", qr_svg="")),
    "part_paid": dataclasses.replace(
        WAITING,
        state=BillState.PART_PAID,
        received=Money(400_000),
        payment=_PART,
        receipts=(dataclasses.replace(_RECEIPT, amount=Money(400_000)),),
    ),
    "received": dataclasses.replace(WAITING, state=BillState.RECEIVED, received=Money(1_250_000), payment=None),
    "receipted": dataclasses.replace(
        WAITING, state=BillState.RECEIPTED, received=Money(1_250_000), payment=None, receipts=(_RECEIPT,)
    ),
    "overpaid": dataclasses.replace(
        WAITING,
        state=BillState.RECEIPTED,
        received=Money(1_250_000),
        surplus=Money(250_000),
        payment=None,
        receipts=(_RECEIPT,),
    ),
    "paid_twice": dataclasses.replace(
        WAITING,
        state=BillState.RECEIPTED,
        received=Money(1_250_000),
        surplus=Money(1_250_000),
        paid_twice=True,
        payment=None,
        receipts=(_RECEIPT,),
    ),
    "covered": dataclasses.replace(WAITING, state=BillState.COVERED, due=ZERO, lines=(), payment=None, due_on=None),
    "offset": dataclasses.replace(
        WAITING, state=BillState.OFFSET, leftover=Money(1_250_000), payment=None, due_on=None
    ),
    "void": dataclasses.replace(WAITING, state=BillState.VOID, payment=None),
    "long_names": dataclasses.replace(
        WAITING,
        child_name="Đ. Trần Nguyễn Hoàng Phương Quỳnh Như Ngọc Khánh",
        school=SchoolFace("Trường Trung học phổ thông Dân tộc nội trú Nguyễn Thị Minh Khai cơ sở 2", "0271 3870 123"),
        due=Money(499_999_999),
        payment=dataclasses.replace(
            PANEL,
            amount=Money(499_999_999),
            account="V3CASLRPR13MT76ABCD",
            payee="TRUONG THPT DAN TOC NOI TRU NGUYEN THI MINH KHAI",
        ),
    ),
}


def bill_row(number: int, state: OfficeBillState = OfficeBillState.OPEN) -> BillRow:
    """Make a row of the office's list."""
    names = ("Nguyễn Thị Minh Ánh", "Điểu Bảo", "Lê Hoàng Phương Quỳnh Như", "Trần Đăng Khôi")
    received = Money(1_250_000) if state is OfficeBillState.PAID else ZERO
    return BillRow(
        number=f"TB25-{number:05d}",
        pupil=names[number % 4],
        pupil_code=f"DN25{number:06d}",
        class_name="3A1",
        round_title="Tháng 10/2025",
        due=Money(1_250_000),
        received=received,
        due_on=date(2025, 10, 15),
        state=state,
        reference="FW2345678AB",
    )


ROUND = RoundRow(
    str(ROUND_ID), "Tháng 10/2025", RoundState.PREVIEWED, 412, Money(512_340_000), date(2025, 10, 15), "Lê Thu Hà"
)
PREVIEW = RoundPreview(
    row=ROUND,
    items=(
        RoundItem("Tiền ăn bán trú", 410, Money(270_600_000), ZERO, Money(270_600_000)),
        RoundItem("Bảo hiểm y tế học sinh", 412, Money(260_301_600), Money(130_150_800), Money(130_150_800)),
    ),
    pupils=415,
    covered=3,
    problems=("Điểu Bảo: chưa có người nhận thông báo. Thêm người giám hộ trước khi phát hành.",),
    digest="b7c1",
    questions=("Khoản Học phẩm chưa có mức trần.",),
)
HOME = OfficeHome(
    received_today=Money(48_250_000),
    received_today_count=39,
    waiting_count=3,
    waiting_amount=Money(2_900_000),
    waiting_oldest=NOW - timedelta(hours=26),
    bank_balance=Money(1_208_250_000),
    book_balance=Money(1_208_250_000),
    open_bills=220,
    open_amount=Money(275_000_000),
    rounds_to_approve=1,
)
WAITING_LIST = WaitingList(
    rows=(
        WaitingRow(
            transfer="SEPAY-93001122",
            value_date=date(2025, 10, 5),
            amount=Money(1_250_000),
            memo="MBVCB.8123.FW2345678AC. NGUYEN THI MINH ANH NOP TIEN T10. CT tu 0071000999999",
            account="…8901",
            reason="Mã nộp sai một ký tự: cần người xem lại.",
            since=NOW - timedelta(hours=26),
            transfer_id=str(uuid.UUID(int=71)),
            seen="5.",
            candidates=(
                Candidate(
                    "FW2345678AB",
                    "Nguyễn Thị Minh Ánh",
                    "3A1",
                    Money(1_250_000),
                    ("Mã gần giống: FW2345678AB", "Số tiền đúng", "Tên trong nội dung giống tên học sinh"),
                ),
                Candidate("FW9K2J7TAB3", "Trần Đăng Khôi", "3A2", Money(1_100_000), ("Mã gần giống: FW9K2J7TAB3",)),
            ),
        ),
        WaitingRow(
            transfer="SEPAY-93001190",
            value_date=date(2025, 10, 6),
            amount=Money(400_000),
            memo="",
            account="…8901",
            reason="Không có mã nộp trong nội dung.",
            since=NOW - timedelta(minutes=12),
            transfer_id=str(uuid.UUID(int=72)),
            seen="7.",
            candidates=(
                Candidate(
                    "FW2345678AB", "Điểu Bảo", "3A1", Money(400_000), ("Số tiền đúng",), pupil_id=str(uuid.UUID(int=73))
                ),
            ),
            plain=True,
            comments=1,
        ),
    ),
    amount=Money(1_650_000),
    total=2,
    acts=1,
    plain=1,
)
AUDIT = AuditPage(
    first=date(2025, 10, 1),
    last=date(2025, 10, 6),
    totals=(
        AuditTotal("Tiền vào tài khoản", Money(60_250_000), 51),
        AuditTotal("Đã ghi vào thông báo thu", Money(57_350_000), 48),
        AuditTotal("Tiền nộp thừa", Money(250_000)),
        AuditTotal("Giao dịch chờ xử lý", Money(2_650_000), 3),
    ),
    bank=Money(1_208_250_000),
    book=Money(1_208_250_000),
    waiting_count=3,
    waiting_amount=Money(2_650_000),
    receipt_numbers=(("TL25", "0000001", "0000048", 0),),
    exceptions=("2 giao dịch đến tài khoản khác của trường.",),
    as_of=NOW,
)
PROVINCE_PAGE = ProvincePage(
    rows=(
        SchoolRow("Trường Tiểu học Tân Lập", "Phường Đồng Xoài", 412, Money(512_340_000), Money(300_000_000), 3, ZERO),
        SchoolRow(
            "Trường Mầm non Hoa Sen", "Xã Phú Riềng", 180, Money(212_000_000), Money(212_000_000), 0, Money(-500)
        ),
    ),
    billed=Money(724_340_000),
    received=Money(512_000_000),
    as_of=NOW,
)
