"""The printed notice "THÔNG BÁO THU" on A5, two on a sheet, with its VietQR code, black on white (pure).

A slip is handed out on paper, so it shows the plain view: no exemption, no share, no link that opens a bill. It must
do without a telephone: the school's account stands in full, in groups of four, for the bank's counter, and what to do
who pays cash. Its second, small code leads to the page where a family registers to be told. What the paying code says
is compared with what is printed beside it (a false QR pasted over a true one is the attack everybody knows), and a
slip that contradicts itself is not made.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import chain

from reportlab.platypus import Flowable, Spacer

from billing.documents.pdf import INNER_WIDTH, Printout, QrCode, columns, field, grid, line, one_at_a_time, render
from billing.documents.qr_image import qr_matrix
from billing.documents.vietqr import decode
from billing.documents.words import amount_in_words
from billing.errors import Refused
from billing.money import ZERO, Money, total

QR_SIDE = 156  # points: 5.5 cm, twice what a phone needs from paper
REGISTER_SIDE = 84  # smaller, so that nobody takes it for the one that pays
REGISTER_WIDTH = 150
UPDATED_LATER = "nhà trường cập nhật trước 17 giờ ngày làm việc sau."
REGISTER_MASK = 4  # no search for the best one: twice as many slips a second
WEEKDAYS = ("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ Nhật")


@dataclass(frozen=True, slots=True)
class SlipItem:
    """One line: what is charged, for which month or term, what the family pays of it."""

    name: str
    period: str
    amount: Money
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SlipDocument:
    """Everything a slip shows of one payment request. ``amount_due`` is what the QR code asks for.

    ``memo``: the reference, behind the provider's code where the account demands one. ``register_url``: where the
    family registers to be told; without one there is no second code. ``instalment``: such as ``Đợt 1/3``; ``later``
    is left for the instalments after it. ``fees_url``: where everybody reads what the school collects. Without a
    ``qr_payload`` the account takes none; without an ``account`` the child has no number of its own yet.
    ``told_at_once``: the bank tells of payments by itself. ``grace``: the day until which the family has more time.
    """

    school_name: str
    school_contact: str
    round_name: str
    pupil_name: str
    pupil_code: str
    school_year: str
    items: tuple[SlipItem, ...]
    due_on: date
    qr_payload: str
    reference: str
    bank_name: str
    account: str
    account_holder: str
    verify_url: str
    memo: str = ""
    register_url: str = ""
    leftover: Money = ZERO
    paid: Money = ZERO
    later: Money = ZERO
    instalment: str = ""
    class_name: str = ""
    note: str = ""
    fees_url: str = ""
    told_at_once: bool = True
    grace: date | None = None

    def __post_init__(self) -> None:
        if not self.items:
            raise ValueError("a slip has at least one item")
        if self.amount_due <= ZERO:
            raise ValueError("a slip asks for more than 0 đ")
        _refuse_contradiction(self)

    @property
    def transfer_memo(self) -> str:
        """What to write when the money is sent without the code."""
        return self.memo or self.reference

    @property
    def amount_due(self) -> Money:
        """What is to be paid now: all items less the leftover used, what came already and what comes later."""
        return total(item.amount for item in self.items) - self.leftover - self.paid - self.later


def _refuse_contradiction(slip: SlipDocument) -> None:
    """Raise ``Refused`` unless the QR code holds the amount, the reference and the account printed beside it."""
    if not slip.qr_payload:
        return
    code = decode(slip.qr_payload)
    agrees = (
        code.amount == slip.amount_due
        and slip.reference in (code.memo or "").split()
        and slip.transfer_memo == code.memo
        and slip.account == code.account
    )
    if not agrees:
        raise Refused(
            "Mã QR không khớp với số tiền, nội dung hoặc tài khoản in trên thông báo thu. "
            "Không in; hãy báo quản trị hệ thống.",
            reference=slip.reference,
        )


def slip_pdf(slip: SlipDocument) -> bytes:
    """Return one slip as PDF; the same record always gives the same bytes."""
    return slips_pdf([slip])


@one_at_a_time
def slips_pdf(slips: Iterable[SlipDocument]) -> bytes:
    """Return the slips of a class or a school as one PDF, two A5 slips on an A4 sheet; ``ValueError`` when none.

    An iterator is read slip by slip, so that thousands of them never lie in memory at once.
    """
    waiting = iter(slips)
    first = next(waiting, None)
    if first is None:
        raise ValueError("nothing to print")
    made = (_printout(slip) for slip in chain([first], waiting))
    return render(made, title="Thông báo thu", author=first.school_name, two_up=True)


def in_fours(number: str) -> str:
    """Return an account number as it is read out: ``0123 4567 89``."""
    return " ".join(number[at : at + 4] for at in range(0, len(number), 4))


def weekday_and_date(day: date) -> str:
    """Return a day as families read it: ``Thứ Sáu, 10/10/2025``."""
    return f"{WEEKDAYS[day.weekday()]}, {day:%d/%m/%Y}"


def _printout(slip: SlipDocument) -> Printout:
    story: list[Flowable] = [
        line(slip.school_name, bold=True, size=10),
        line(slip.school_contact, size=8),
        Spacer(0, 6),
        line("THÔNG BÁO THU", size=15, bold=True, align="center"),
        line(slip.round_name, align="center"),
        Spacer(0, 6),
        *_pupil(slip),
        Spacer(0, 5),
        _items(slip),
        Spacer(0, 5),
        _payment(slip),
    ]
    return Printout(story, f"Thông báo thu {slip.reference} · {slip.school_name}")


def _pupil(slip: SlipDocument) -> list[Flowable]:
    half = INNER_WIDTH // 2
    who = [field("Học sinh", slip.pupil_name, size=10)]
    if slip.class_name:
        who.append(field("Lớp", slip.class_name, size=10))
    facts = [field("Mã học sinh", slip.pupil_code), field("Năm học", slip.school_year)]
    widths = [half, INNER_WIDTH - half]
    return [columns(who, widths) if slip.class_name else who[0], columns(facts, widths)]


def _items(slip: SlipDocument) -> Flowable:
    """Return the table of items; what was paid before and what is still to pay are its last rows."""
    rows: list[list[Flowable | list[Flowable] | str]] = [
        [line("Khoản thu", bold=True), line("Kỳ thu", bold=True), line("Số tiền", bold=True, align="right")]
    ]
    for item in slip.items:
        detail = [line(item.detail, size=7, grey=True)] if item.detail else []
        rows.append([[line(item.name), *detail], line(item.period), line(str(item.amount), align="right")])
    feet = [(f"Số tiền cần nộp {slip.instalment[:1].lower()}{slip.instalment[1:]}".strip(), slip.amount_due)]
    if slip.later:
        feet.insert(0, ("Còn lại, nộp các đợt sau", slip.later))
    if slip.paid:
        feet.insert(0, ("Đã nộp", slip.paid))
    if slip.leftover:
        feet.insert(0, ("Đã trừ tiền tồn", slip.leftover))
    for label, amount in feet:
        rows.append([line(label, bold=True, align="right"), "", line(str(amount), bold=True, align="right")])
    spans = [("SPAN", (0, -at), (1, -at)) for at in range(1, len(feet) + 1)]
    return grid(rows, [INNER_WIDTH - 100 - 88, 100, 88], spans)


def _payment(slip: SlipDocument) -> Flowable:
    """Return the QR code beside the words that let a family check what its bank shows; it stays on one page."""
    facts = [*_sum(slip), *(_by_transfer(slip) if slip.account else _no_number_yet())]
    under: list[Flowable] = [Spacer(0, 4), _other_ways(slip)]
    if slip.note:
        under.append(line(slip.note, size=8))
    under.append(line(f"Kiểm tra thông báo này: {slip.verify_url}", size=7))
    if slip.fees_url:
        under.append(line(f"Công khai các khoản thu của trường: {slip.fees_url}", size=7))
    return columns([[_beside_code(slip, facts), *under]], [INNER_WIDTH])


def _beside_code(slip: SlipDocument, facts: list[Flowable]) -> Flowable:
    if not slip.qr_payload:
        return columns([facts], [INNER_WIDTH])
    left: list[Flowable] = [
        QrCode(qr_matrix(slip.qr_payload), QR_SIDE),
        line("Quét bằng app ngân hàng (VietQR)", size=7, align="center"),
    ]
    return columns([left, facts], [QR_SIDE + 6, INNER_WIDTH - QR_SIDE - 6])


def _sum(slip: SlipDocument) -> list[Flowable]:
    return [
        line(f"Số tiền: {slip.amount_due}", size=12, bold=True),
        line(f"({amount_in_words(slip.amount_due)})", size=8),
        Spacer(0, 4),
        field("Hạn nộp", weekday_and_date(slip.due_on)),
        *([field("Gia hạn đến ngày", f"{slip.grace:%d/%m/%Y}")] if slip.grace else []),
    ]


def _by_transfer(slip: SlipDocument) -> list[Flowable]:
    """Return what is typed or compared: where to, which memo; and, where no bank tells of it, when it will show."""
    later = [] if slip.told_at_once else [Spacer(0, 4), line(f"Sau khi chuyển: {UPDATED_LATER}", size=8)]
    no_code = [] if slip.qr_payload else [line("Tài khoản này không nhận mã QR: xin chuyển theo các dòng sau.", size=8)]
    return [
        *no_code,
        field("Ngân hàng", slip.bank_name),
        field("Số tài khoản", in_fours(slip.account)),
        field("Tên tài khoản", slip.account_holder),
        Spacer(0, 4),
        line("Nội dung chuyển khoản (ghi đúng, không thêm gì):", size=8),
        line(slip.transfer_memo, size=15, bold=True),
        Spacer(0, 4),
        line("Tên hiện trên app ngân hàng khác tên trên thì dừng lại.", bold=True),
        *later,
    ]


def _no_number_yet() -> list[Flowable]:
    return [
        line("Ngân hàng chưa cấp tài khoản định danh cho em nên chưa chuyển khoản được.", bold=True),
        line("Xin chờ nhà trường báo số, hoặc nộp tại trường.", size=8),
    ]


def _other_ways(slip: SlipDocument) -> Flowable:
    """Return how to pay without a telephone and, where there is a link, the code with which to register."""
    counter: list[Flowable] = [
        field(
            "Nộp tại quầy ngân hàng",
            "đưa giấy này cho giao dịch viên: đúng số tài khoản, tên tài khoản, số tiền và nội dung ở trên.",
            size=8,
        ),
        Spacer(0, 3),
    ]
    ways: list[Flowable] = [
        *(counter if slip.account else []),
        field(
            "Nộp tiền mặt tại trường",
            "mang giấy này đến văn phòng trường và nhận biên lai ngay khi nộp.",
            size=8,
        ),
        Spacer(0, 3),
        line("Mỗi lần nộp chỉ chọn một cách.", size=8),
    ]
    if not slip.register_url:
        return columns([ways], [INNER_WIDTH])
    code: list[Flowable] = [
        QrCode(qr_matrix(slip.register_url, mask=REGISTER_MASK), REGISTER_SIDE),
        line("Đăng ký nhận thông báo", size=8, bold=True, align="center"),
        line("Quét bằng máy ảnh, ghi số điện thoại, nhập mã gửi về máy và tự đánh dấu đồng ý.", size=7, align="center"),
    ]
    return columns([ways, code], [INNER_WIDTH - REGISTER_WIDTH, REGISTER_WIDTH])
