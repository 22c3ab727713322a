"""Frozen view records and a desk that hands them out: invented people, real wording."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

from billing.documents.qr_image import qr_svg
from billing.errors import BadRows, Conflict, NotFound, RowProblem, SamePerson
from billing.money import ZERO, Money
from service.access import links, passwords
from service.access.limits import LocalLimiter
from service.access.roles import ROLES, Actor, Grant, Place, SignedIn
from service.access.staff import Account, Noted
from service.pages.desk import Caller, Desk, ShownRound, WebParts
from service.pages.views import (
    AuditPage,
    AuditTotal,
    BillList,
    BillPage,
    BillQuery,
    BillRow,
    BillState,
    BillStatus,
    Candidate,
    Download,
    Line,
    OfficeBillState,
    OfficeHome,
    PaymentPanel,
    ProvincePage,
    Readiness,
    ReceiptLine,
    RoundItem,
    RoundPreview,
    RoundRow,
    RoundState,
    SchoolFace,
    SchoolRow,
    Upload,
    UploadChoices,
    UploadDone,
    WaitingList,
    WaitingRow,
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
        ),
    ),
    amount=Money(1_650_000),
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
    receipt_numbers=(("TL25", "000001", "000048", 0),),
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


class SampleDesk:
    """A desk over the records above; remembers sessions and what was done."""

    def __init__(self) -> None:
        self.family = dict.fromkeys([links.digest(TOKEN)], WAITING)
        self.accounts = {role.value: uuid.uuid5(uuid.NAMESPACE_URL, role.value) for role in ROLES}
        self.password_hash = passwords.hash_password(PASSWORD)
        self.sessions: dict[bytes, uuid.UUID] = {}
        self.done: list[tuple[str, str]] = []
        self.preview = PREVIEW
        self.fail_commit = False
        self.must_change = False
        self.problems: list[RowProblem] = []
        self.callers: list[Caller] = []
        self.noted: list[Noted] = []
        self.renewed: list[uuid.UUID] = []
        self.home = HOME
        self.found = BillList(BillQuery(), tuple(map(bill_row, range(1, 9))), 412, 200, Money(512_340_000), ZERO)
        self.waiting_list = WAITING_LIST
        self.audit_page = AUDIT

    @contextmanager
    def open(self, caller: Caller) -> Iterator[Desk]:
        """Open the desk as a transaction would be; ``fail_commit`` breaks its end."""
        self.callers.append(caller)
        yield self
        if self.fail_commit:
            raise ConnectionError("the commit broke")

    # sign-in
    def account(self, login: str) -> Account | None:
        found = self.accounts.get(login)
        return None if found is None else Account(found, self.password_hash)

    def start_session(self, user_id: uuid.UUID, digest: bytes, now: datetime) -> None:
        del now
        self.sessions[digest] = user_id

    def signed_in(self, digest: bytes, now: datetime) -> SignedIn | None:
        del now
        user_id = self.sessions.get(digest)
        if user_id is None:
            return None
        role = next(Actor(name) for name, known in self.accounts.items() if known == user_id)
        places = (PROVINCE,) if role is Actor.PROVINCE else (SCHOOL, OTHER_SCHOOL)
        grants = tuple(Grant(role, place) for place in places)
        return SignedIn(user_id, f"Người thử {role.value}", role.value, digest, grants, self.must_change)

    def end_session(self, digest: bytes, now: datetime) -> None:
        del now
        self.sessions.pop(digest, None)

    def renew_hash(self, user_id: uuid.UUID, password_hash: str) -> None:
        self.password_hash = password_hash
        self.renewed.append(user_id)

    def change_password(self, user_id: uuid.UUID, password_hash: str, keep: bytes, now: datetime) -> None:
        del now
        self.password_hash, self.must_change = password_hash, False
        others = [key for key, owner in self.sessions.items() if owner == user_id and key != keep]
        for key in others:
            del self.sessions[key]

    def note(self, noted: Noted, now: datetime) -> None:
        del now
        self.noted.append(noted)

    # families
    def bill(self, link_digest: bytes, token: str, now: datetime) -> BillPage | None:
        del now
        found = self.family.get(link_digest)
        return None if found is None else dataclasses.replace(found, token=token)

    def bill_status(self, link_digest: bytes, now: datetime) -> BillStatus | None:
        del now
        bill = self.family.get(link_digest)
        if bill is None:
            return None
        return BillStatus(bill.state, bill.received, len(bill.receipts), bill.surplus, bill.instant)

    def qr_png(self, link_digest: bytes, now: datetime) -> Download | None:
        del now
        bill = self.family.get(link_digest)
        return Download(b"\x89PNG", "image/png", "qr-tan-lap.png") if bill and bill.payment else None

    def receipt_pdf(self, link_digest: bytes, number: str, now: datetime) -> Download | None:
        del now
        bill = self.family.get(link_digest)
        numbers = {receipt.number for receipt in bill.receipts} if bill else set()
        return Download(b"%PDF-", "application/pdf", f"Biên lai {number}.pdf") if number in numbers else None

    # office
    def office_home(self, who: SignedIn, place: Place, now: datetime) -> OfficeHome:
        del who, place, now
        return self.home

    def bills(self, who: SignedIn, place: Place, query: BillQuery) -> BillList:
        del who, place
        return dataclasses.replace(self.found, query=query)

    def waiting(self, who: SignedIn, place: Place) -> WaitingList:
        del who, place
        return self.waiting_list

    def rounds(self, who: SignedIn, place: Place) -> tuple[RoundRow, ...]:
        del who, place
        return (self.preview.row,)

    def round_preview(self, who: SignedIn, place: Place, round_id: uuid.UUID) -> RoundPreview:
        del who, place
        if round_id != ROUND_ID:
            raise NotFound("Không có đợt thu này.")
        return self.preview

    def calculate_round(self, who: SignedIn, place: Place, round_id: uuid.UUID, now: datetime) -> None:
        del place, round_id, now
        self.done.append(("calculate", who.login))

    def submit_round(self, who: SignedIn, place: Place, shown: ShownRound, now: datetime) -> None:
        del place, now
        if shown.digest != self.preview.digest:
            raise Conflict("Đợt thu đã thay đổi sau khi mở trang.")
        self.done.append(("submit", who.login))

    def approve_round(self, who: SignedIn, place: Place, shown: ShownRound, now: datetime) -> None:
        del place, shown, now
        if self.preview.row.maker == who.name:
            raise SamePerson("Người lập không được tự duyệt.")
        self.done.append(("approve", who.login))

    def upload_choices(self, who: SignedIn, place: Place) -> UploadChoices:
        del who, place
        return UploadChoices(("2025-2026",), (("a1", "Vietcombank …8901"),))

    def upload(self, who: SignedIn, place: Place, upload: Upload, now: datetime) -> UploadDone:
        del place, now
        if self.problems:
            raise BadRows("Tệp có chỗ cần sửa; chưa lưu gì cả.", self.problems)
        self.done.append((f"upload {upload.kind.value} {len(upload.data)}", who.login))
        return UploadDone(3, 1, 40)

    # audit and province
    def audit(self, who: SignedIn, place: Place, first: date, last: date, now: datetime) -> AuditPage:
        del who, place, now
        return dataclasses.replace(self.audit_page, first=first, last=last)

    def audit_report(self, who: SignedIn, place: Place, first: date, last: date, now: datetime) -> Download:
        del who, place, now
        name = f"Đối soát {first} {last}.xlsx"
        return Download(b"PK", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", name)

    def province(self, who: SignedIn, place: Place, now: datetime) -> ProvincePage:
        del who, place, now
        return PROVINCE_PAGE


def sample_parts(desk: SampleDesk, *, production: bool = False, origin: str = "http://testserver") -> WebParts:
    """Return the parts of a web that stands on a sample desk."""
    return WebParts(
        production=production,
        origin=origin,
        secret=SECRET,
        clock=lambda: NOW,
        open_desk=desk.open,
        limiter=LocalLimiter(NOW.timestamp),
        ready=lambda: Readiness(ready=True, database_ms=2, schema="0001", degraded=("redis",)),
    )
