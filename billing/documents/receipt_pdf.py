"""The receipt for money received, "BIÊN LAI THU TIỀN", as an A5 PDF made from a frozen record (pure).

Fields: Law on Accounting 2015 art. 16 (name, number, date, issuer, payer, content, total in figures and in words,
names of payer and collector) and form C45-BB (unit, budget code, book), with pupil, months, channel and check link
added. A receipt goes to many hands, so it shows no exemption, share or legal basis, and the class only when asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from reportlab.lib.colors import Color
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Spacer

from billing.documents.pdf import (
    BOLD,
    HEIGHT,
    INNER_WIDTH,
    WIDTH,
    Printout,
    QrCode,
    columns,
    field,
    grid,
    line,
    one_at_a_time,
    render,
)
from billing.documents.qr_image import qr_matrix
from billing.documents.words import amount_in_words
from billing.money import ZERO, Money, total

COPIES = ("Liên 1: lưu", "Liên 2: giao người nộp")
_DECLARED = (
    "Biên lai này được lập dưới dạng chứng từ điện tử. Biên lai còn giá trị hay đã hủy: xem tại địa chỉ kiểm tra."
)
_SIGNED = "Lập thành hai liên, hai bên ký. Biên lai còn giá trị hay đã hủy: xem tại địa chỉ kiểm tra."
QR_SIDE = 92  # points: 3.2 cm
_VOID_GREY = Color(0.86, 0.86, 0.86)


@dataclass(frozen=True, slots=True)
class ReceiptItem:
    """One line: what was paid for, for which month or term, how much; ``detail`` as ``20 ngày × 35.000 đ``."""

    name: str
    period: str
    amount: Money
    detail: str = ""


@dataclass(frozen=True, slots=True)
class VoidMark:
    """Why, when and by whom a receipt was made void; it keeps its number for ever."""

    reason: str
    voided_on: date
    voided_by: str


@dataclass(frozen=True, slots=True)
class ReceiptDocument:
    """Everything a receipt shows. ``remaining`` is what stays to be paid on the same bills after this payment.

    ``copy``: which of two copies of cash this is; both are signed by hand.
    """

    unit_name: str
    unit_address: str
    budget_code: str
    book: str
    number: str
    issued_on: date
    payer_name: str
    pupil_name: str
    pupil_code: str
    school_year: str
    items: tuple[ReceiptItem, ...]
    channel: str
    bank_reference: str
    received_on: date
    remaining: Money
    collector_name: str
    verify_url: str
    payer_address: str = ""
    class_name: str = ""
    form_number: str = ""
    void: VoidMark | None = None
    copy: str = ""

    def __post_init__(self) -> None:
        if not self.items:
            raise ValueError("a receipt has at least one item")
        if any(item.amount <= ZERO for item in self.items) or self.remaining < ZERO:
            raise ValueError("a receipt shows money received: items above 0 đ, nothing negative remaining")

    @property
    def total(self) -> Money:
        """The money received, all items together."""
        return total(item.amount for item in self.items)


def receipt_pdf(receipt: ReceiptDocument) -> bytes:
    """Return the receipt as PDF; the same record always gives the same bytes."""
    return receipts_pdf([receipt])


@one_at_a_time
def receipts_pdf(receipts: Sequence[ReceiptDocument]) -> bytes:
    """Return many receipts as one PDF, each on pages of its own; raises ``ValueError`` when there is none."""
    if not receipts:
        raise ValueError("nothing to print")
    first = receipts[0]
    title = f"Biên lai thu tiền số {first.number}" if len(receipts) == 1 else "Biên lai thu tiền"
    return render([_printout(receipt) for receipt in receipts], title=title, author=first.unit_name)


@one_at_a_time
def receipt_copies_pdf(receipt: ReceiptDocument) -> bytes:
    """Return both copies of a receipt side by side on one A4 sheet, with places to sign, as cash is receipted."""
    copies = [_printout(replace(receipt, copy=name)) for name in COPIES]
    return render(copies, title=f"Biên lai thu tiền số {receipt.number}", author=receipt.unit_name, two_up=True)


def _printout(receipt: ReceiptDocument) -> Printout:
    story: list[Flowable] = [
        *_heading(receipt),
        *_people(receipt),
        Spacer(0, 5),
        _items(receipt),
        Spacer(0, 5),
        *_payment(receipt),
        Spacer(0, 6),
        _closing(receipt),
    ]
    footer = f"Biên lai số {receipt.number} · Quyển số {receipt.book} · {receipt.unit_name}"
    return Printout(story, footer, under=_void_stamp if receipt.void else None)


def _heading(receipt: ReceiptDocument) -> list[Flowable]:
    """Return the unit on the left, form, book and number on the right, then the title and the date."""
    left: list[Flowable] = [line(f"Đơn vị: {receipt.unit_name}", bold=True)]
    if receipt.unit_address:
        left.append(line(f"Địa chỉ: {receipt.unit_address}", size=8))
    if receipt.budget_code:
        left.append(line(f"Mã QHNS: {receipt.budget_code}", size=8))
    right: list[Flowable] = [line(receipt.form_number, size=8)] if receipt.form_number else []
    right += [line(receipt.copy, size=8, bold=True)] if receipt.copy else []
    right += [field("Quyển số", receipt.book), field("Số", receipt.number)]
    day = receipt.issued_on
    heading: list[Flowable] = [
        columns([left, right], [INNER_WIDTH - 118, 118]),
        Spacer(0, 8),
        line("BIÊN LAI THU TIỀN", size=15, bold=True, align="center"),
        line(f"Ngày {day:%d} tháng {day:%m} năm {day:%Y}", align="center"),
        Spacer(0, 6),
    ]
    return [*heading, *_void_note(receipt.void)] if receipt.void else heading


def _void_note(void: VoidMark) -> list[Flowable]:
    words = f"BIÊN LAI ĐÃ HỦY ngày {void.voided_on:%d/%m/%Y}, người hủy: {void.voided_by}. Lý do: {void.reason}"
    return [grid([[line(words, bold=True, limit=600)]], [INNER_WIDTH]), Spacer(0, 5)]


def _people(receipt: ReceiptDocument) -> list[Flowable]:
    rows: list[Flowable] = [field("Họ và tên người nộp tiền", receipt.payer_name)]
    if receipt.payer_address:
        rows.append(field("Địa chỉ người nộp", receipt.payer_address))
    rows.append(field("Nộp cho học sinh", receipt.pupil_name))
    half = INNER_WIDTH // 2
    year = field("Năm học", receipt.school_year)
    code = [field("Mã học sinh", receipt.pupil_code)] if receipt.pupil_code else []
    rows.append(columns([*code, year], [half, INNER_WIDTH - half][-len(code) - 1 :]))
    if receipt.class_name:
        rows.append(field("Lớp", receipt.class_name))
    return rows


def _items(receipt: ReceiptDocument) -> Flowable:
    """Return the table of items with the total in its last row."""
    head = [
        line("STT", bold=True, align="center"),
        line("Nội dung thu", bold=True),
        line("Kỳ thu", bold=True),
        line("Số tiền", bold=True, align="right"),
    ]
    rows = [
        [line(str(number), align="center"), _what(item), line(item.period), _sum(item.amount)]
        for number, item in enumerate(receipt.items, start=1)
    ]
    foot = [line("Tổng số tiền đã thu", bold=True, align="right"), "", "", _sum(receipt.total, bold=True)]
    widths = [28, INNER_WIDTH - 28 - 92 - 88, 92, 88]
    return grid([head, *rows, foot], widths, [("SPAN", (0, -1), (2, -1))])


def _what(item: ReceiptItem) -> list[Flowable]:
    detail = [line(item.detail, size=7, grey=True)] if item.detail else []
    return [line(item.name), *detail]


def _sum(amount: Money, *, bold: bool = False) -> Flowable:
    return line(str(amount), align="right", bold=bold)


def _payment(receipt: ReceiptDocument) -> list[Flowable]:
    """Return the total in words, how the money came, and what remains."""
    rows: list[Flowable] = [
        field("Số tiền bằng chữ", amount_in_words(receipt.total)),
        field("Hình thức nộp", receipt.channel),
        field("Ngày tiền đến", f"{receipt.received_on:%d/%m/%Y}"),
    ]
    if receipt.bank_reference:
        rows.append(field("Mã giao dịch ngân hàng", receipt.bank_reference))
    rows.append(field("Còn chưa nộp sau lần này", str(receipt.remaining)))
    return rows


def _closing(receipt: ReceiptDocument) -> Flowable:
    """Return the check QR and link beside the names of payer and collector; all of it stays on one page."""
    check = [
        QrCode(qr_matrix(receipt.verify_url), QR_SIDE),
        line("Quét mã hoặc mở địa chỉ này để kiểm tra biên lai:", size=7),
        line(receipt.verify_url, size=7),
    ]
    right = INNER_WIDTH - 150
    by_hand = bool(receipt.copy)
    names = columns(
        [
            _signature("Người nộp tiền", receipt.payer_name, by_hand=by_hand),
            _signature("Người thu tiền", receipt.collector_name, by_hand=by_hand),
        ],
        [right // 2, right - right // 2],
    )
    note = line(_SIGNED if by_hand else _DECLARED, size=7, align="center")
    return columns([check, [names, Spacer(0, 22), note]], [150, right])


def _signature(role: str, name: str, *, by_hand: bool = False) -> list[Flowable]:
    below = [line("(Ký, ghi rõ họ tên)", size=7, align="center")] if by_hand else []
    return [line(role, bold=True, align="center"), *below, Spacer(0, 30), line(name, align="center", limit=80)]


def _void_stamp(canvas: Canvas) -> None:
    """Write a large grey "HỦY" across the page, under the text so that everything stays readable."""
    canvas.translate(WIDTH // 2, HEIGHT // 2)
    canvas.rotate(40)
    canvas.setFillColor(_VOID_GREY)
    canvas.setFont(BOLD, 150)
    canvas.drawCentredString(0, -50, "HỦY")
