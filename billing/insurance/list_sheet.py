"""The insurer's list as a workbook: name, birth, sex, card number, months, amounts by payer, class (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO

from billing.documents.cells import Digest, Value, plain_value
from billing.documents.words import amount_in_words
from billing.documents.workbook import Column, workbook_into
from billing.insurance.parting import Amounts, summed

LIST = "Danh sách BHYT"
COLUMNS = (
    Column("STT", 6),
    Column("Họ và tên", 28),
    Column("Ngày sinh", 12),
    Column("Giới tính", 10),
    Column("Số thẻ BHYT", 18),
    Column("Từ tháng", 10),
    Column("Số tháng", 9),
    Column("Tổng số tiền (đồng)", 16),
    Column("Nhà nước hỗ trợ", 15),
    Column("Tỉnh hỗ trợ thêm", 15),
    Column("Đơn vị khác hỗ trợ", 15),
    Column("Gia đình đóng", 15),
    Column("Lớp", 10),
)


@dataclass(frozen=True, slots=True)
class ListedPupil:
    """One line as the insurer is told: months and amounts are below zero where they are taken off again."""

    full_name: str
    birth_date: date
    sex: str
    number: str
    first_month: date
    months: int
    amounts: Amounts
    class_code: str


@dataclass(frozen=True, slots=True)
class ListSheet:
    """A whole list; ``sent_at`` is None for one that is only looked at. ``unpaid``: billed, on a later list."""

    school: str
    year: int
    number: int
    pupils: tuple[ListedPupil, ...]
    made_at: datetime
    sent_at: datetime | None
    unpaid: int = 0

    @property
    def title(self) -> str:
        """What the list is called."""
        kind = "Danh sách tham gia BHYT" if self.number == 1 else f"Danh sách BHYT bổ sung lần {self.number - 1}"
        return f"{kind} năm {self.year}"


def list_digest(pupils: Sequence[ListedPupil]) -> str:
    """Return the SHA-256 (hex) over the lines as they stand in the sheet; the sheet gives it back."""
    digest = Digest()
    for number, pupil in enumerate(pupils, 1):
        digest.add(LIST, [plain_value(value) for value in _values(number, pupil)])
    return digest.hexdigest()


def list_xlsx(made: ListSheet) -> bytes:
    """Return the list as XLSX, with sums by payer and, once sent, the digest under them."""
    stream, digest = BytesIO(), Digest()
    with workbook_into(stream, (LIST,), name=made.title, created=made.made_at) as workbook:
        sheet = workbook.sheet(LIST, COLUMNS, freeze="C2", data_rows=len(made.pupils), digest=digest)
        sheet.head()
        for number, pupil in enumerate(made.pupils, 1):
            sheet.data(*_values(number, pupil))
        sums = summed([pupil.amounts for pupil in made.pupils])
        months = sum(pupil.months for pupil in made.pupils)
        sheet.note()
        sheet.note("", "Tổng cộng", "", "", "", "", months, *_payers(sums), bold=True)
        if sums.family.dong > 0:
            sheet.note("", f"Gia đình đóng, bằng chữ: {amount_in_words(sums.family)}")
        sheet.note("", f"{made.school} · {made.title}")
        if made.sent_at is None:
            sheet.note("", "BẢN XEM TRƯỚC, chưa gửi", bold=True)
            sheet.note("", f"Đã có thông báo, chưa nộp (sẽ vào danh sách sau): {made.unpaid} học sinh")
        else:
            sheet.note("", "Gửi lúc", made.sent_at)
            sheet.note("", f"Mã kiểm tra SHA-256: {digest.hexdigest()}")
    return stream.getvalue()


def _values(number: int, pupil: ListedPupil) -> tuple[Value, ...]:
    return (
        number,
        pupil.full_name,
        pupil.birth_date,
        pupil.sex,
        pupil.number,
        f"{pupil.first_month:%m/%Y}",
        pupil.months,
        *_payers(pupil.amounts),
        pupil.class_code,
    )


def _payers(amounts: Amounts) -> tuple[Value, ...]:
    return amounts.gross, amounts.state, amounts.province, amounts.others, amounts.family
