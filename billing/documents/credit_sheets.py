"""Two workbooks of the office: what is kept for families, and a payout list with the sheet that is signed (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

from billing.documents.cells import Digest
from billing.documents.words import amount_in_words
from billing.documents.workbook import Column, Sheet, workbook_into
from billing.money import Money, total

KEPT, LIST, SIGNED = "Tiền tồn", "Danh sách hoàn", "Ký nhận"
KEPT_COLUMNS = (
    Column("STT", 6),
    Column("Mã học sinh", 14),
    Column("Họ và tên", 28),
    Column("Lớp", 10),
    Column("Khoản thu", 34),
    Column("Tiền tồn (đồng)", 16),
    Column("Trong đó đang đề nghị hoàn (đồng)", 18),
)
LIST_COLUMNS = (
    Column("STT", 6),
    Column("Họ và tên học sinh", 28),
    Column("Lớp", 10),
    Column("Khoản thu", 30),
    Column("Số tiền (đồng)", 16),
    Column("Cách chi", 14),
    Column("Người nhận", 28),
    Column("Ngân hàng", 16),
    Column("Số tài khoản", 22),
    Column("Trạng thái", 18),
)
SIGNED_COLUMNS = (
    Column("STT", 6),
    Column("Họ và tên học sinh", 30),
    Column("Lớp", 10),
    Column("Khoản thu", 30),
    Column("Số tiền (đồng)", 16),
    Column("Người nhận (ghi rõ họ tên)", 30),
    Column("Ngày nhận", 14),
    Column("Ký nhận", 20),
)


@dataclass(frozen=True, slots=True)
class KeptRow:
    """What is kept for one pupil under one item, and how much of it is asked back."""

    code: str
    name: str
    class_name: str
    item: str
    amount: Money
    asked: Money


@dataclass(frozen=True, slots=True)
class RefundedRow:
    """One line of a payout list; ``account`` in full, since it is to be paid to."""

    name: str
    class_name: str
    item: str
    amount: Money
    way: str
    payee: str
    bank: str
    account: str
    state: str
    cash: bool


@dataclass(frozen=True, slots=True)
class PayoutList:
    """A request that is paid out: what for, who asked and approved, its lines."""

    school: str
    address: str
    reason: str
    maker: str
    approver: str
    made_at: datetime
    rows: tuple[RefundedRow, ...]

    @property
    def total(self) -> Money:
        """All lines together."""
        return total(row.amount for row in self.rows)


def kept_xlsx(school: str, rows: Sequence[KeptRow], book: Money, at: datetime) -> bytes:
    """Return what a school keeps as XLSX; ``book`` is what the ledger's account says, shown beside the sum."""
    stream, digest = BytesIO(), Digest()
    with workbook_into(stream, (KEPT,), name=f"Tiền tồn, {school}", created=at) as workbook:
        sheet = workbook.sheet(KEPT, KEPT_COLUMNS, freeze="C2", data_rows=len(rows), digest=digest)
        sheet.head()
        for number, row in enumerate(rows, 1):
            sheet.data(number, row.code, row.name, row.class_name, row.item, row.amount, row.asked)
        kept, asked = total(row.amount for row in rows), total(row.asked for row in rows)
        sheet.note()
        sheet.note("", "", "Tổng cộng", "", "", kept, asked, bold=True)
        sheet.note("", "", "Sổ cái, tài khoản 3383", "", "", book)
        sheet.note("", "", "Chênh lệch (phải là 0)", "", "", kept - book)
        sheet.note("", "", f"{school}, lúc", at)
    return stream.getvalue()


def payout_xlsx(payout: PayoutList) -> bytes:
    """Return a payout list as XLSX: the list for whoever pays, and the sheet on which families sign for cash."""
    stream, digest = BytesIO(), Digest()
    with workbook_into(stream, (LIST, SIGNED), name="Danh sách hoàn tiền", created=payout.made_at) as workbook:
        sheet = workbook.sheet(LIST, LIST_COLUMNS, freeze="C2", data_rows=len(payout.rows), digest=digest)
        sheet.head()
        for number, row in enumerate(payout.rows, 1):
            sheet.data(
                number, row.name, row.class_name, row.item, row.amount, row.way, row.payee, row.bank, row.account,
                row.state,
            )  # fmt: skip
        sheet.note()
        sheet.note("", "Tổng cộng", "", "", payout.total, bold=True)
        sheet.note("", f"Bằng chữ: {amount_in_words(payout.total)}")
        sheet.note("", f"Lý do: {payout.reason}")
        _signing(workbook.sheet(SIGNED, SIGNED_COLUMNS, freeze="C4", digest=digest), payout)
    return stream.getvalue()


def _signing(sheet: Sheet, payout: PayoutList) -> None:
    """Write the sheet to sign: one row for each family that is paid in cash, with room for a hand."""
    cash = [row for row in payout.rows if row.cash]
    sheet.heading([f"{payout.school} · {payout.address}"])
    sheet.heading([f"DANH SÁCH KÝ NHẬN TIỀN HOÀN – {payout.reason}"])
    sheet.head()
    for number, row in enumerate(cash, 1):
        sheet.data(number, row.name, row.class_name, row.item, row.amount, row.payee, "………", "………………")
    amount = total(row.amount for row in cash)
    sheet.note()
    sheet.note("", "Tổng cộng", "", "", amount, bold=True)
    sheet.note("", f"Bằng chữ: {amount_in_words(amount)}")
    sheet.note()
    sheet.note("", "Người lập", "", "Người duyệt", "", "Thủ quỹ", bold=True)
    sheet.note("", "(ký, họ tên)", "", "(ký, họ tên)", "", "(ký, họ tên)")
    for _ in range(3):
        sheet.note()
    sheet.note("", payout.maker, "", payout.approver)
