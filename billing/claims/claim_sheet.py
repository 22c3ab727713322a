"""The list that a school hands to the authority, as a workbook: by pupil, and by pupil and month (pure).

The legal bases stand once, numbered, on the cover, as on the paper form; a pupil's row names the number.
Totals are values and stand in figures and in words. The same list always gives the same bytes. It holds names beside
exemption classes, so only accountant, approver and auditor may open it, and every opening is written down.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from io import BytesIO

from billing.documents.cells import Digest
from billing.documents.words import amount_in_words
from billing.documents.workbook import Column, Sheet, Workbook, workbook_into
from billing.money import ZERO, Money, total

SUMMARY, BY_PUPIL, BY_MONTH = "Đề nghị", "Danh sách", "Theo tháng"
PAYEES = {"school": "Nhà trường", "family": "Gia đình học sinh"}
SUMMARY_COLUMNS = (Column("", 42), Column("", 60), Column("", 30))
PUPIL_COLUMNS = (
    Column("STT", 6),
    Column("Mã học sinh", 16),
    Column("Họ và tên học sinh", 28),
    Column("Ngày sinh", 12),
    Column("Lớp", 10),
    Column("Đối tượng", 34),
    Column("Căn cứ số", 10),
    Column("Các tháng", 20),
    Column("Số tháng", 10),
    Column("Mức một tháng (đồng)", 16),
    Column("Số tiền đề nghị (đồng)", 18),
    Column("Chi cho", 18),
    Column("Ký nhận", 18),
)
MONTH_COLUMNS = (
    Column("STT", 6),
    Column("Mã học sinh", 16),
    Column("Họ và tên học sinh", 28),
    Column("Lớp", 10),
    Column("Tháng", 10),
    Column("Mức một tháng (đồng)", 16),
    Column("Số tiền đúng (đồng)", 16),
    Column("Đã đề nghị trước (đồng)", 18),
    Column("Đề nghị lần này (đồng)", 18),
    Column("Chi cho", 18),
)


@dataclass(frozen=True, slots=True)
class SheetMonth:
    """One month of a pupil: the rate, what is right, what was asked for before."""

    month: date
    rate: Money
    amount: Money
    previous: Money

    @property
    def asked(self) -> Money:
        """What this list asks for."""
        return self.amount - self.previous


@dataclass(frozen=True, slots=True)
class SheetPupil:
    """One row of the list: a pupil at one rate and class, with the months."""

    code: str
    name: str
    born: date
    class_name: str
    title: str
    legal_basis: str
    payee: str
    months: tuple[SheetMonth, ...]

    @property
    def asked(self) -> Money:
        """What this list asks for, over the months."""
        return total(month.asked for month in self.months)


@dataclass(frozen=True, slots=True)
class ClaimSheet:
    """Everything the workbook shows. ``number`` 0 is the first list of an instalment, others correct it."""

    title: str
    school: str
    address: str
    budget_code: str
    chapter_code: str
    category_code: str
    economic_code: str
    authority: str
    school_year: str
    instalment: int
    number: int
    first_month: date
    last_month: date
    approved_at: datetime
    maker: str
    approver: str
    digest: str
    pupils: tuple[SheetPupil, ...]
    signs: bool

    @property
    def bases(self) -> tuple[str, ...]:
        """The legal bases of the list, each once, in the order in which the rows first name them."""
        return tuple(dict.fromkeys(pupil.legal_basis for pupil in self.pupils))

    @property
    def total(self) -> Money:
        """What the whole list asks for."""
        return total(pupil.asked for pupil in self.pupils)


def claim_xlsx(sheet: ClaimSheet) -> bytes:
    """Return the workbook of an approved claim."""
    stream, digest = BytesIO(), Digest()
    with workbook_into(
        stream, (SUMMARY, BY_PUPIL, BY_MONTH), name=_name(sheet), created=sheet.approved_at.astimezone(UTC)
    ) as workbook:
        _by_pupil(workbook, sheet, digest)
        _by_month(workbook, sheet, digest)
        _summary(workbook.sheet(SUMMARY, SUMMARY_COLUMNS, freeze="A2"), sheet, digest)
    return stream.getvalue()


def _name(sheet: ClaimSheet) -> str:
    kind = f"điều chỉnh lần {sheet.number}" if sheet.number else "lần đầu"
    return f"{sheet.title}, năm học {sheet.school_year}, đợt {sheet.instalment} ({kind})"


def _summary(sheet: Sheet, claim: ClaimSheet, digest: Digest) -> None:
    sheet.heading([_name(claim)])
    for label, value in (
        ("Đơn vị", claim.school),
        ("Địa chỉ", claim.address),
        ("Mã quan hệ ngân sách (QHNS)", claim.budget_code or "(chưa có)"),
        ("Chương – Loại, khoản – Tiểu mục", _codes(claim)),
        ("Gửi", claim.authority),
        ("Các tháng", f"{claim.first_month:%m/%Y} đến {claim.last_month:%m/%Y}"),
        *((f"Căn cứ {number}", basis) for number, basis in enumerate(claim.bases, 1)),
    ):
        sheet.note(label, value)
    sheet.note()
    sheet.note("Số học sinh", len({(pupil.code, pupil.name, pupil.born) for pupil in claim.pupils}))
    sheet.note("Tổng số tiền đề nghị (đồng)", claim.total, bold=True)
    sheet.note("Bằng chữ", _words(claim.total), bold=True)
    for payee, label in PAYEES.items():
        sheet.note(f"Trong đó chi cho {label.lower()}", total(p.asked for p in claim.pupils if p.payee == payee))
    sheet.note()
    sheet.note("Người lập", "Kế toán", "Thủ trưởng đơn vị", bold=True)
    sheet.note("(ký, họ tên)", "(ký, họ tên)", "(ký, họ tên, đóng dấu)")
    for _ in range(4):
        sheet.note()
    sheet.note(claim.maker, "", claim.approver)
    sheet.note()
    sheet.note("Mã kiểm của danh sách đã duyệt", claim.digest)
    sheet.note("Mã kiểm các dòng dữ liệu của tệp", digest.hexdigest())
    sheet.note("Số dòng dữ liệu", digest.rows)


def _codes(claim: ClaimSheet) -> str:
    return " – ".join(code or "…" for code in (claim.chapter_code, claim.category_code, claim.economic_code))


def _words(amount: Money) -> str:
    """Return a sum in words; a correction may ask for less than nothing."""
    return amount_in_words(amount) if amount >= ZERO else f"Giảm {amount_in_words(-amount).lower()}"


def _by_pupil(workbook: Workbook, claim: ClaimSheet, digest: Digest) -> None:
    columns = PUPIL_COLUMNS if claim.signs else PUPIL_COLUMNS[:-1]
    sheet = workbook.sheet(BY_PUPIL, columns, freeze="D2", data_rows=len(claim.pupils), digest=digest)
    sheet.head()
    bases = {basis: number for number, basis in enumerate(claim.bases, 1)}
    for number, pupil in enumerate(claim.pupils, 1):
        sheet.data(
            number,
            pupil.code,
            pupil.name,
            pupil.born,
            pupil.class_name,
            pupil.title,
            bases[pupil.legal_basis],
            ", ".join(f"{month.month:%m}" for month in pupil.months),
            len(pupil.months),
            pupil.months[0].rate,
            pupil.asked,
            PAYEES[pupil.payee],
        )
    sheet.note()
    sheet.note("Tổng cộng", *("",) * 9, claim.total, bold=True)
    sheet.note("Bằng chữ", _words(claim.total), bold=True)


def _by_month(workbook: Workbook, claim: ClaimSheet, digest: Digest) -> None:
    rows = [(pupil, month) for pupil in claim.pupils for month in pupil.months]
    sheet = workbook.sheet(BY_MONTH, MONTH_COLUMNS, freeze="D2", data_rows=len(rows), digest=digest)
    sheet.head()
    for number, (pupil, month) in enumerate(rows, 1):
        sheet.data(
            number,
            pupil.code,
            pupil.name,
            pupil.class_name,
            f"{month.month:%m/%Y}",
            month.rate,
            month.amount,
            month.previous,
            month.asked,
            PAYEES[pupil.payee],
        )
    sheet.note()
    right, before = total(month.amount for _, month in rows), total(month.previous for _, month in rows)
    sheet.note("Tổng cộng", *("",) * 5, right, before, right - before, bold=True)
    sheet.note("Kiểm tra: lệch với danh sách (phải là 0)", *("",) * 7, right - before - claim.total)
